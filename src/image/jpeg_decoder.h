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

/* Whether the headers of a file that begins like a JPEG lead to a frame of one or three components:
 * then the picture is decoded here, if it can be at all. Any process; pure. */
bool bt_jpeg_is_common(int fd);

#endif
