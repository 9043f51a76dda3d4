/* SPDX-License-Identifier: MIT */
/*
 * The loops of the kernel, once per instruction set ("level"). Pure. Private to the kernel room.
 *
 * ops_c.c is the reference: plain loops in the order of the formulas, and what every other level is
 * checked against. ops_vector.c is compiled once per vector level.
 *
 * Shapes, all of floats, all 64-byte aligned but for pushed rows:
 *
 *   block     [BT_KERNEL_STRIP][BT_KERNEL_BLOCK]   rows of a strip, some columns wide
 *   strip     [columns][BT_KERNEL_STRIP]           the same turned: each column is contiguous
 *   columns   [BT_KERNEL_BLOCK][BT_KERNEL_STRIP]   some finished columns of the result
 *   pixels    [BT_KERNEL_STRIP][BT_KERNEL_BLOCK]   the same, turned back and rounded to u8 or u16
 *
 * where a column is one band of one pixel. What a call does not write keeps its old, finite values.
 *
 * Follows: dav1d's table of functions per level.
 */
#ifndef BT_KERNEL_OPS_H
#define BT_KERNEL_OPS_H

#include "kernel/curve.h"
#include "kernel/plan.h"

#include <stddef.h>
#include <stdint.h>

#define BT_KERNEL_STRIP 32  /* rows of the result that are made at a time */
#define BT_KERNEL_BLOCK 128 /* columns that are combined, or finished, at a time */
#define BT_KERNEL_SPARE 3   /* floats that sums and shrunk rows have behind their last one */

typedef struct BtKernelOps {
    const char *level;

    /* sum[i] += sample i of each of n_rows rows, stride in bytes, for n samples. Reads and writes
     * nothing beyond. */
    void (*add_u8)(float *sum, const uint8_t *rows, ptrdiff_t stride, int n_rows, size_t n);
    void (*add_u16)(float *sum, const uint16_t *rows, ptrdiff_t stride, int n_rows, size_t n);

    /* sum[i] += values[i], of colours times alpha, the last band, times `share`. */
    void (*add_premultiplied)(float *sum, const float *values, size_t n_pixels, int bands,
                              float share);

    /* out = share times the sum of `box` neighbouring pixels, n times. May read BT_KERNEL_SPARE
     * floats beyond the last one, and write as many. */
    void (*average)(float *out, const float *sum, size_t n, int box, int bands, float share);

    /* See bt_curve_encode(). */
    void (*encode)(const BtCurve *curve, float *values, int n);

    /* The first n_rows rows of block: rows row ... of the result, at columns `column` and on.
     * window[0] is the sample row down->first[row]; whole blocks are read. */
    void (*combine_rows)(float *block, const float *const *window, size_t column,
                         const BtWeights *down, int row, int n_rows);

    /* Turns a whole block. */
    void (*turn)(float *strip, const float *block);

    /* Output pixels x to x + n - 1, all their bands; n * bands <= BT_KERNEL_BLOCK. */
    void (*combine_columns)(float *columns, const float *strip, const BtWeights *across, int x,
                            int n, int bands);

    /* Turns all columns, rounds to nearest and cuts off what the type does not hold; in 16 bits
     * `scale` times the columns. These are less than 2^30, scaled. */
    void (*pack_u8)(uint8_t *pixels, const float *columns);
    void (*pack_u16)(uint16_t *pixels, const float *columns, float scale);

    /* See bt_kernel_join_ycc(). */
    void (*join_ycc)(uint8_t *rgb, const uint16_t *y, const uint16_t *cb, const uint16_t *cr,
                     size_t n);
} BtKernelOps;

extern const BtKernelOps bt_kernel_ops_c;
extern const BtKernelOps bt_kernel_ops_sse2;
extern const BtKernelOps bt_kernel_ops_avx2;
extern const BtKernelOps bt_kernel_ops_avx512;
extern const BtKernelOps bt_kernel_ops_neon;

/* The table of a level of bt_kernel_levels(). */
const BtKernelOps *bt_kernel_ops(const char *level);

#endif
