/* SPDX-License-Identifier: MIT */
/*
 * What has to be known of a JPEG file to decode it shrunk. Worker; pure.
 *
 * How coarse it gets. At 1/8 a block of 8 x 8 becomes one sample. Where chroma was sampled at half
 * the rate in both directions libjpeg makes 2 x 2 samples of each of its blocks, so that it stays
 * as fine as luma; where it was so in one direction only (4:2:2, 4:4:0, 4:1:1) it does not, and
 * chroma comes out coarser than asked for.
 *
 * Follows: which component comes out at which size, libjpeg's jdmaster.c.
 */
#ifndef BT_IMAGE_JPEG_H
#define BT_IMAGE_JPEG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define BT_JPEG_COMPONENTS_MAX 4

typedef struct BtJpegComponent {
    uint8_t id;
    int across, down; /* sampling factors, 1 to 15 */
} BtJpegComponent;

typedef struct BtJpegFrame {
    bool progressive;
    int width, height; /* px, > 0 */
    int across, down;  /* greatest sampling factors */
    int n_components;
    BtJpegComponent components[BT_JPEG_COMPONENTS_MAX];
} BtJpegFrame;

/* How many px of the picture lie between two samples of the coarsest component when it is decoded
 * at 1/reduction (1, 2, 4 or 8). */
int bt_jpeg_pitch(const BtJpegFrame *frame, int reduction);

/* Whether a picture that is shrunk by 4 is decoded without libjpeg. In one of less than 1 MP the
 * tables cost what they save; of one of more than 200 MP too much would be kept, up to ten
 * coefficients of each block, of which libjpeg keeps none. */
bool bt_jpeg_is_fine(const BtJpegFrame *frame);

/* Bytes that a decoder holds of a picture at once, about: the low coefficients, which take little,
 * or, where libjpeg has to decode a progressive file, all. */
uint64_t bt_jpeg_memory(const BtJpegFrame *frame);

#endif
