/* SPDX-License-Identifier: MIT */
/*
 * The Exif of a PNG wherever it stands. A decoder reads a PNG from its top as far as the pixels,
 * and finds what stands before them; ImageMagick writes Exif behind them, and with it how a photo
 * is to be turned, which has to be known first. Worker; pure; for hostile bytes.
 *
 * Follows: PNG, Third Edition, 11.3.3.6 (eXIf).
 */
#ifndef BT_IMAGE_PNG_EXIF_H
#define BT_IMAGE_PNG_EXIF_H

#include <glib.h>

/* With "Exif" and two zero bytes first, as elsewhere. NULL: none. Owned. */
GBytes *bt_png_exif(int fd);

#endif
