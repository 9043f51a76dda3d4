/* SPDX-License-Identifier: MIT */
/*
 * JPEG among the decoders (decoder.h): grey, YCbCr and RGB, by libjpeg. Planes as they are stored
 * where the picture may come smaller, else whole pixels. Four components (CMYK) are left to
 * libvips. Worker.
 */
#ifndef BT_IMAGE_JPEG_DECODER_H
#define BT_IMAGE_JPEG_DECODER_H

#include "image/decoder.h"

extern const BtDecoder bt_jpeg_decoder;

#endif
