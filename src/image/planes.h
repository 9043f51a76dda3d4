/* SPDX-License-Identifier: MIT */
/*
 * A JPEG decoded shrunk, its components as they are stored: each a plane with a pitch of its own.
 * Worker. libjpeg alone, which libvips builds on: libvips hands out RGB, for which chroma that was
 * sampled more coarsely has to be brought to the size of luma first, and that blurs it by an amount
 * that cannot be taken back (12 levels at saturated edges of 4:2:2).
 *
 *   BtPlanes *planes = bt_planes_new(bytes, size, reduction, shrink, &message);
 *   while (bt_planes_next(planes, &message))              one band of rows of every plane
 *       ... planes' rows, n_rows of planes->planes[i] ...
 *   bt_planes_free(planes);
 *
 * The scans of a progressive file that nothing is made of are not read (jpeg.h).
 * Premature end of the file is an error, as it is for libvips with fail_on=truncated.
 */
#ifndef BT_IMAGE_PLANES_H
#define BT_IMAGE_PLANES_H

#include "image/jpeg.h"

#include <stddef.h>
#include <stdint.h>

#define BT_PLANES_MAX 3

typedef struct BtPlane {
    int width, height;       /* samples in all; the last ones may lie partly outside the picture */
    double pitch_x, pitch_y; /* px of the picture from one sample to the next */
    double extra_x, extra_y; /* px^2: variance that a decode at full size would add to this plane
                                and that its pitch does not account for */
    const uint16_t *rows;    /* of the last band: samples times 257 */
    ptrdiff_t stride;        /* bytes from row to row */
    int n_rows;
} BtPlane;

typedef struct BtPlanes {
    int n;    /* 1: grey; 3: as ycc tells */
    bool ycc; /* three planes are Y, Cb, Cr; else grey, or R, G, B */
    BtPlane planes[BT_PLANES_MAX];
} BtPlanes;

/* How much of a shrink (a power of two) to ask for, at most 8, so that no plane is coarser than it.
 * spread, in px, is how far the result spreads a pixel, the larger of sigma and half the scale:
 * where chroma was subsampled and spread is small it matters that a decode at full size cuts off,
 * pixel by pixel, what lies outside RGB (7 levels at saturated edges at sigma 5). 1 in that case,
 * and for the kinds that are not decoded here (CMYK, say): then libvips decodes the file, at full
 * size. */
int bt_planes_reduction(const BtJpegFrame *frame, int shrink, double spread);

/* Decodes at 1/reduction what is to be shrunk by `shrink` in all. Lent: bytes, until freed. NULL
 * with a message (owned, g_free) on failure. */
BtPlanes *bt_planes_new(const void *bytes, gsize size, int reduction, int shrink,
                        char **out_message);
void bt_planes_free(BtPlanes *self);

/* The next band of rows, in order. False at the end, with a message where it came too early. */
bool bt_planes_next(BtPlanes *self, char **out_message);

#endif
