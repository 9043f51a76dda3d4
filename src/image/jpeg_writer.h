/* SPDX-License-Identifier: MIT */
/*
 * A small picture as the bytes of a JPEG file. Worker; libjpeg.
 */
#ifndef BT_IMAGE_JPEG_WRITER_H
#define BT_IMAGE_JPEG_WRITER_H

#include "image/metadata.h"
#include "image/outcome.h"
#include "image/raster.h"

#include <glib.h>

/* Whether chroma is stored at half the resolution in both directions: so below quality 90. */
bool bt_jpeg_halves_chroma(int quality);

/* quality: 1 to 100 (libjpeg's scale). The raster has 8 bits, one band (grey) or three (sRGB), and
 * no alpha (asserted). NULL on failure. */
GBytes *bt_jpeg_write(const BtRaster *raster, int quality, const BtMetadata *metadata,
                      BtOutcome *outcome);

/* Of Y, Cb and Cr, one band of 8 bits each, the latter two of half the size, rounded up (asserted).
 * For a quality that halves chroma. */
GBytes *bt_jpeg_write_planes(const BtRaster planes[3], int quality, const BtMetadata *metadata,
                             BtOutcome *outcome);

#endif
