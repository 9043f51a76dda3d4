/* SPDX-License-Identifier: MIT */
/*
 * The one thing of EXIF that decides how a picture looks. Worker; pure; for hostile bytes.
 *
 * Follows: TIFF 6.0, section 2 (header, image file directory); Exif 2.32, 4.6.4 (tag 274).
 */
#ifndef BT_IMAGE_EXIF_H
#define BT_IMAGE_EXIF_H

#include <stddef.h>

/* The orientation, 1 to 8, that an Exif block (a JPEG's APP1 payload, "Exif" and two zero bytes
 * first) tells; 1 where it tells none or is not one. It should be a SHORT; some software writes a
 * LONG or a BYTE. */
int bt_exif_orientation(const void *bytes, size_t size);

#endif
