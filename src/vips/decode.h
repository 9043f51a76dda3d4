/* SPDX-License-Identifier: MIT */
/* libvips among the decoders (image/decoder.h): rows are pulled in the calling thread, since a
 * sequential libvips pipeline without a sink of its own starts no threads. Worker; vips. */
#ifndef BT_VIPS_DECODE_H
#define BT_VIPS_DECODE_H

#include "image/decoder.h"

extern const BtDecoder bt_vips_decoder;

#endif
