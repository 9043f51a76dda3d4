/* SPDX-License-Identifier: MIT */
/*
 * The chunks of a PNG, stepped over with one read for each, and what has to be known of them before
 * the pixels are decoded. Worker; for hostile bytes.
 *
 * Follows: PNG (Third Edition), 4.3 (of cICP, iCCP, sRGB, and gAMA with cHRM the first one counts),
 * 5.3, 11.3.3.6 (eXIf).
 */
#ifndef BT_IMAGE_PNG_CHUNKS_H
#define BT_IMAGE_PNG_CHUNKS_H

#include "image/colour.h"

#include <glib.h>

#define BT_PNG_TYPE(a, b, c, d)                                                                    \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* *out_coding: all zero where a profile or sRGB counts, and where nothing is said. *out_exif: of
 * the first eXIf, before or behind the pixels (ImageMagick writes it there), with "Exif" and two
 * zero bytes first; NULL where there is none, else owned. */
void bt_png_read_chunks(int fd, BtCoding *out_coding, GBytes **out_exif);

#endif
