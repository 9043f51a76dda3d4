/* SPDX-License-Identifier: MIT */
/*
 * The fused blur-and-shrink of one picture, as a stream: rows in, a result out. Pure: libc, libm.
 *
 *   BtKernel *kernel = bt_kernel_new(bt_kernel_level());        once per worker; keeps its buffers
 *   bt_kernel_start(kernel, &picture, result, result_stride);   plans (or reuses the last plan)
 *   bt_kernel_push(kernel, rows, stride, n_rows);               top to bottom, any number at a time
 *   bt_kernel_finish(kernel);                                   the last rows of the result
 *
 * Steps, row by row: widen to float (through a curve where linear light is asked for), premultiply
 * by alpha, average boxes of box x box samples; then, once the rows that a strip of output rows
 * needs are there: combine rows (contiguous multiply-adds along the row), transpose the strip,
 * combine columns (contiguous along the strip), unpremultiply (no colour is left where alpha rounds
 * to 0), back through the curve, round to the nearest level and clamp. Float throughout; 16-bit
 * samples keep 16-bit precision, and every instruction set gives the reference's result to 1/65535
 * of the range (of premultiplied colours, where there is alpha).
 *
 * Memory: the rows of the shrunk picture that one strip of the result needs, and the strip; it does
 * not depend on the height of the picture.
 */
#ifndef BT_KERNEL_KERNEL_H
#define BT_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_KERNEL_BANDS_MAX 4
#define BT_KERNEL_SIGMA_MAX 10000.0
#define BT_KERNEL_BOX_MAX   16384
#define BT_KERNEL_MERGE_MAX 16

typedef struct BtKernel BtKernel;

typedef enum BtKernelDepth {
    BT_KERNEL_U8 = 1,
    BT_KERNEL_U16 = 2
} BtKernelDepth; /* bytes */

/* What a picture is and what becomes of it. */
typedef struct BtKernelPicture {
    int source_width, source_height; /* px at full size */
    int in_width, in_height;         /* px that are pushed: after the decoder's own shrink */
    double pitch_x, pitch_y;         /* source px from one pushed px to the next, >= 1 */
    int box;                   /* further averaging, box x box pushed px; 1 to BT_KERNEL_BOX_MAX */
    int out_width, out_height; /* before they are merged; 1 <= out <= source */
    int bands;                 /* 1 to BT_KERNEL_BANDS_MAX, interleaved */
    BtKernelDepth depth;       /* of rows, and of the result unless deep; native byte order */
    bool deep_result;          /* the result has 16 bits whatever the rows have */
    int merge_x, merge_y;      /* out px that become one, each side; 0 as 1: none */
    bool alpha;                /* the last band is alpha, 0 to the depth's maximum */
    bool linear;               /* colour bands are sRGB-encoded: work in linear light */
    double sigma;              /* source px, 0 to BT_KERNEL_SIGMA_MAX */
    double extra_x, extra_y;   /* px^2 of variance to blur more than sigma, >= 0 */
} BtKernelPicture;

/* The levels of this build that this processor can run, best first, NULL-terminated; "c", the
 * reference, is always the last. */
const char *const *bt_kernel_levels(void);

/* The level to use: the environment's BT_CPU where it names one of bt_kernel_levels(), else the
 * best. bt_kernel_level_is_valid() tells whether BT_CPU, if set, is one. */
const char *bt_kernel_level(void);
bool bt_kernel_level_is_valid(void);

/* NULL when memory is short. level must be one of bt_kernel_levels(). */
BtKernel *bt_kernel_new(const char *level);
void bt_kernel_free(BtKernel *self);

/* Begins a picture whose result goes to `result` (out_height / merge_y rows of out_width / merge_x
 * pixels, rounded up; stride in bytes, lent until finish). Merged, each is the mean of a group of
 * out px as an encoder makes of them that stores chroma more coarsely (the last column and row
 * repeated where a group is not whole), without any of them being made. A deep result of 8-bit rows
 * holds 257 times their levels, before rounding. False when memory is short or the picture is not
 * within the bounds above; then nothing was begun. An unfinished picture is dropped. */
bool bt_kernel_start(BtKernel *self, const BtKernelPicture *picture, void *result,
                     ptrdiff_t result_stride);

/* Takes the next n_rows rows (in_width * bands samples each, aligned to the depth, not read beyond;
 * stride in bytes, negative allowed). Rows past in_height are an error of the caller (asserted). */
void bt_kernel_push(BtKernel *self, const void *rows, ptrdiff_t stride, int n_rows);

/* Ends the picture: every row of the result is written. All must have been pushed (asserted). */
void bt_kernel_finish(BtKernel *self);

/* Joins three results of one band of 16 bits each, n samples of Y, Cb and Cr, to n interleaved
 * pixels of 8 bits R, G, B (ITU-T T.871). Every level gives the same bytes. */
void bt_kernel_join_ycc(const BtKernel *self, uint8_t *rgb, const uint16_t *y, const uint16_t *cb,
                        const uint16_t *cr, size_t n);

#endif
