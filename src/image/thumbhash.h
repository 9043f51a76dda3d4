/* SPDX-License-Identifier: MIT */
/*
 * A picture in some 24 bytes, to be shown where it is not loaded yet: its lowest waves, of
 * lightness, of two colours and of alpha. Worker; pure.
 *
 * Follows ThumbHash by Evan Wallace (https://evanw.github.io/thumbhash/), to the bit for pictures
 * of up to 100 x 100 but where a wave is not there at all: what the arithmetic leaves of it is no
 * part of the hash here. Larger pictures are reduced by means.
 */
#ifndef BT_IMAGE_THUMBHASH_H
#define BT_IMAGE_THUMBHASH_H

#include "image/outcome.h"
#include "image/raster.h"

/* Into the outcome, in base64. rasters: one of pixels, or of Y, Cb and Cr (n_rasters 3) one each,
 * of 8 bits, where the latter two may be smaller. False when memory is short. */
bool bt_thumbhash_make(const BtRaster *rasters, int n_rasters, BtOutcome *outcome);

#endif
