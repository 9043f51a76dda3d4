/* SPDX-License-Identifier: MIT */
/* The encoding half of BtCodecs (image/codecs.h). Worker; vips. */
#ifndef BT_VIPS_ENCODE_H
#define BT_VIPS_ENCODE_H

#include "image/codecs.h"

/* Whether this libvips writes a format, which is tried the first time: by a child, unless this
 * process decodes itself. Once libvips is started. */
bool bt_encode_can_write(BtFormat format, bool decodes_here);

GBytes *bt_encode(const BtRaster *raster, BtFormat format, int quality, const BtMetadata *metadata,
                  BtOutcome *outcome);

#endif
