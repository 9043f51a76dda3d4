/* SPDX-License-Identifier: MIT */
/*
 * JPEG among the decoders (decoder.h): grey, YCbCr and RGB, by libjpeg. Planes as they are stored
 * where the picture may come smaller, else whole pixels. Four components (CMYK) are left to
 * libvips. Worker.
 */
#ifndef BT_IMAGE_JPEG_DECODER_H
#define BT_IMAGE_JPEG_DECODER_H

#include "image/decoder.h"

#include <sys/types.h>

extern const BtDecoder bt_jpeg_decoder;

/* As bt_jpeg_decoder.open(), of a picture that begins at a place in the file. */
BtDecode *bt_jpeg_open_at(int fd, off_t at, BtPicture *out_picture, BtOutcome *outcome);

/* What the headers of a picture say, up to the frame's. */
typedef struct BtJpegPeek {
    int marker;        /* of the frame: its kind, 0xc0 for baseline */
    int width, height; /* px; a height of 0 is said later */
    bool common;       /* one or three components of 8 bits: decoded here, if it can be at all */
    off_t end;         /* behind the frame header */
    off_t exif_at;     /* the first byte of TIFF in the last Exif; 0: there is none */
    size_t exif_size;
    off_t mpf_at; /* the same of the index of several pictures (MPF) */
    size_t mpf_size;
} BtJpegPeek;

/* False where they do not lead to a frame. Any process; pure. */
bool bt_jpeg_peek(int fd, off_t at, BtJpegPeek *out_peek);

#endif
