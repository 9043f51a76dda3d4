/* SPDX-License-Identifier: MIT */
/*
 * One source, decoded top to bottom with as much shrink as its decoder offers. Worker; vips.
 *
 *   BtDecode decode = {0};
 *   bt_decode_open(&decode, settings, fd, &outcome);         header only
 *   bt_decode_shrink(&decode, settings, shrink, &outcome);   the same again, smaller
 *   bt_decode_rows(&decode, settings, kernel, &outcome);     every row into the kernel
 *   bt_decode_clear(&decode);
 *
 * Failures are in the outcome, never in vips' error buffer. Rows are pulled in the calling thread:
 * a sequential libvips pipeline without a sink of its own starts no threads.
 */
#ifndef BT_IMAGE_DECODE_H
#define BT_IMAGE_DECODE_H

#include "image/image.h"
#include "image/jpeg.h"
#include "kernel/kernel.h"

#include <vips/vips.h>

typedef struct BtDecode {
    VipsSource *source;
    const char *loader;      /* libvips' nickname of the operation */
    VipsImage *image;        /* rows to come, plain (see colour.h) */
    int width, height;       /* px at full size, as stored */
    int orientation;         /* EXIF, 1 to 8 */
    int reduction;           /* what the decoder shrinks by, about */
    double pitch_x, pitch_y; /* source px from one px of `image` to the next */
} BtDecode;

bool bt_decode_open(BtDecode *self, const BtImageSettings *settings, int fd, BtOutcome *outcome);

/* The decoder's share of a power-of-two shrink: reopens the source where it has one, which is so
 * for WebP. It averages gamma-encoded, not premultiplied samples, so it is not asked when that
 * matters (linear light, alpha). */
bool bt_decode_shrink(BtDecode *self, const BtImageSettings *settings, int shrink,
                      BtOutcome *outcome);

/* The bytes of the source (lent, until cleared) and its frame header where it is a JPEG, for a
 * decode of its planes; else NULL. */
const void *bt_decode_jpeg(const BtDecode *self, BtJpegFrame *out_frame, size_t *out_size);

/* Pushes every row; the kernel must have been started for this image. */
bool bt_decode_rows(BtDecode *self, const BtImageSettings *settings, BtKernel *kernel,
                    BtOutcome *outcome);

void bt_decode_clear(BtDecode *self);

/* Fills reason and sentence; when vips' error buffer has text it is appended, and cleared. Returns
 * false. */
bool bt_decode_fail(BtOutcome *outcome, BtReason reason, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

#endif
