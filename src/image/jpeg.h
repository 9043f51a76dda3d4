/* SPDX-License-Identifier: MIT */
/*
 * What has to be known of a JPEG file to decode it shrunk. Worker; pure.
 *
 * How coarse it gets. At 1/8 a block of 8 x 8 becomes one sample. Where chroma was sampled at half
 * the rate in both directions libjpeg makes 2 x 2 samples of each of its blocks, so that it stays
 * as fine as luma; where it was so in one direction only (4:2:2, 4:4:0, 4:1:1) it does not, and
 * chroma comes out coarser than asked for.
 *
 * What is never looked at. A progressive file holds its coefficients in several scans, the means of
 * the blocks (DC) first and the detail (AC) of one component after the other. Of a component whose
 * blocks each end up within one sample of the shrunk picture only the means count, but a decoder
 * reads all scans before it begins: most of the bytes, and nearly all of the time, for nothing.
 *
 * Follows: ITU-T T.81, B.2 (markers), G.1 (progressive scans, EOB runs); which component comes out
 * at which size: libjpeg's jdmaster.c.
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

/* Bytes that a decoder holds of a picture at once, about: all coefficients of a progressive file,
 * and the file; else 0. */
uint64_t bt_jpeg_memory(const BtJpegFrame *frame);

/* A progressive file without the scans that a shrink by `shrink` (in all, >= 8) makes next to
 * nothing of: the AC coefficients of components whose blocks become part of one sample, which has
 * no effect, and the last bits of all other AC coefficients. The latter is a change of at most one
 * quantizer step Q in the lowest of them, 0.18 Q levels before and 0.01 Q levels after a blur with
 * the sigma that such a shrink asks for. NULL where the file is not progressive, or not whole, or
 * has nothing to leave out: then it has to be decoded as it is. To be decoded without block
 * smoothing, which would guess what was left out. */
GBytes *bt_jpeg_thin(const void *bytes, gsize size, int shrink);

#endif
