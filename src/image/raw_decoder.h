/* SPDX-License-Identifier: MIT */
/*
 * Raw files of cameras among the decoders (decoder.h): the largest preview that is whole (raw.h),
 * by the decoder of JPEG. Its outcome's loader says how large that is: "raw-preview 1616x1080".
 * Worker.
 *
 * A preview that is as large as the photo but for the sensor's borders is the photo.
 *
 * Follows: Adobe RGB (1998) Color Image Encoding, 4.3; ISO 22028-2 (ROMM RGB).
 */
#ifndef BT_IMAGE_RAW_DECODER_H
#define BT_IMAGE_RAW_DECODER_H

#include "image/decoder.h"

extern const BtDecoder bt_raw_decoder;

#endif
