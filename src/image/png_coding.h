/* SPDX-License-Identifier: MIT */
/*
 * What a PNG says about its colours besides a profile. Worker; for hostile bytes.
 *
 * Follows: PNG (Third Edition), 4.3: of cICP, iCCP, sRGB, and gAMA with cHRM the first one counts.
 */
#ifndef BT_IMAGE_PNG_CODING_H
#define BT_IMAGE_PNG_CODING_H

#include "image/coding.h"

/* All zero where a profile or sRGB counts, and where nothing is said. */
BtCoding bt_png_coding(int fd);

#endif
