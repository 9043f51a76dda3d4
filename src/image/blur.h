/* SPDX-License-Identifier: MIT */
/*
 * Bands of a decoder in, a small blurred picture out: what the kernel has to know of the planes,
 * and what is made of its results. Worker.
 *
 *   BtBlur *blur = bt_blur_new(level);                      once per worker; it keeps its buffers
 *   bt_blur_start(blur, &job, &picture, &band, &outcome);
 *   bt_blur_push(blur, &band);                              every band
 *   bt_blur_finish(blur, &outcome);
 *   ... blur->planes where they are merged, else blur->result ...
 */
#ifndef BT_IMAGE_BLUR_H
#define BT_IMAGE_BLUR_H

#include "image/decoder.h"
#include "image/raster.h"
#include "kernel/kernel.h"

/* How a picture is made smaller. */
typedef struct BtBlurJob {
    BtKernelPicture picture; /* sizes of source and result, sigma, linear */
    int shrink;              /* before the kernel, in all */
    bool merges;             /* Y, Cb and Cr may stay apart, chroma at half the size, as a JPEG
                                stores them */
    const BtColour *before;  /* transforms pixels before they are blurred; or NULL */
} BtBlurJob;

typedef struct BtBlur {
    bool merged;                    /* this picture's planes are */
    BtRaster planes[BT_PLANES_MAX]; /* of 8 bits where they are merged */
    BtRaster result;
    BtRaster spare; /* for the caller to turn or transform into */

    /* Private: */
    BtKernel *kernels[BT_PLANES_MAX]; /* the first alone for interleaved pixels */
    int n_planes;
    bool ycc;
    const BtColour *before;
    uint8_t *row; /* that was transformed */
} BtBlur;

/* NULL when memory is short. */
BtBlur *bt_blur_new(const char *level);
void bt_blur_free(BtBlur *self);

/* band: the shapes of its planes. job->before must live until the end. */
bool bt_blur_start(BtBlur *self, const BtBlurJob *job, const BtPicture *picture, const BtBand *band,
                   BtOutcome *outcome);
void bt_blur_push(BtBlur *self, const BtBand *band);
bool bt_blur_finish(BtBlur *self, BtOutcome *outcome);

#endif
