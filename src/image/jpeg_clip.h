/* SPDX-License-Identifier: MIT */
/*
 * What a decode at full size cuts off: it brings each pixel's red, green and blue to 0 to 255,
 * after which the mean of a block is not what its DC coefficients say. Worker; inside jpeg_low.h
 * only; for hostile bytes.
 *
 *   bt_jpeg_clip_init(&clip, header)             false: nothing can be said of such a file
 *   near = bt_jpeg_clip_find(&clip, ...)         blocks of an MCU that may lose something
 *   bt_jpeg_clip_apply(&clip, ..., near, ...)    corrects the MCU's DC coefficients
 *
 * Which blocks these are is known before their AC coefficients are: from their means and from the
 * sum of `weights` of the sizes of their AC coefficients, their energy, which the look-up tables
 * (jpeg_huffman.h) sum up on the way. Of such blocks the lowest 4 x 4 coefficients are read and
 * made into means of 2 x 2 px, of luma and of chroma, and these are cut off.
 *
 * An MCU's corrections depend on nothing else, and so not on how a scan is divided.
 */
#ifndef BT_IMAGE_JPEG_CLIP_H
#define BT_IMAGE_JPEG_CLIP_H

#include "image/jpeg_low.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_JPEG_CLIP_LAST       14 /* coefficient that is looked at, in zigzag order */
#define BT_JPEG_CLIP_BLOCKS_MAX 6  /* of an MCU: luma's row by row, Cb, Cr */
#define BT_JPEG_CLIP_MCUS_MAX   64
#define BT_JPEG_CLIP_ENERGIES   1024

/* The AC coefficients of a block that are not 0, up to BT_JPEG_CLIP_LAST. */
typedef struct BtJpegDetail {
    int n;
    uint8_t places[BT_JPEG_CLIP_LAST]; /* in zigzag order */
    int16_t values[BT_JPEG_CLIP_LAST];
} BtJpegDetail;

typedef struct BtJpegClip {
    int across, down;                                                  /* luma's blocks in an MCU */
    int quantizers[BT_JPEG_LOW_COMPONENTS_MAX][BT_JPEG_CLIP_LAST + 1]; /* in zigzag order */
    uint8_t weights[BT_JPEG_SIZES];                                    /* of luma's AC values */
    uint16_t reaches[BT_JPEG_CLIP_ENERGIES]; /* how near to a limit a block's mean has to be */
} BtJpegClip;

struct jpeg_decompress_struct;

/* For YCbCr files whose MCU has one block of each chroma and up to 2 x 2 of luma. */
bool bt_jpeg_clip_init(BtJpegClip *self, const struct jpeg_decompress_struct *header);

/* Which blocks of luma, one bit each, of n_mcus MCUs from x, y on: BT_JPEG_CLIP_MCUS_MAX, at most.
 * blocks: the MCUs'. */
void bt_jpeg_clip_find(const BtJpegClip *self, BtJpegLowComponent *const components[], int x, int y,
                       const BtJpegBlock *blocks, int n_mcus, uint8_t *out_near);

/* details: of each block of luma that is near, and of chroma. */
void bt_jpeg_clip_apply(const BtJpegClip *self, BtJpegLowComponent *const components[], int x,
                        int y, unsigned near, const BtJpegDetail *details);

#endif
