/* SPDX-License-Identifier: MIT */
/*
 * Every vector level, from one source: compiled once per level with its instruction-set flags and
 *
 *   BT_KERNEL_LEVEL       its name
 *   BT_KERNEL_LANES       floats in a vector: 4, 8 or 16
 *   BT_KERNEL_REGISTERS   vector registers: 16 or 32
 *
 * Only the order of rounding differs from ops_c.c: multiplies and adds may be fused.
 */
#include "kernel/kernel.h"
#include "kernel/ops.h"
#include "kernel/ycc.h"

#include <string.h>

#define LANES  BT_KERNEL_LANES
#define STRIP  BT_KERNEL_STRIP
#define BLOCK  BT_KERNEL_BLOCK
#define COLUMN (STRIP / LANES) /* vectors in a column of a strip */

/* Bands whose sums stay in registers at once; a quarter of them is left for weights and loads. */
#define BANDS_AT_ONCE (BT_KERNEL_REGISTERS * 3 / 4 / COLUMN)

/* Sums of a row: enough of them to hide the latency of a multiply-add. */
#define ROW_SUMS 8

#define PASTE_(a, b) a##b
#define PASTE(a, b)  PASTE_(a, b)
#define TEXT_(a)     #a
#define TEXT(a)      TEXT_(a)

typedef float Quad __attribute__((vector_size(16)));
typedef float Vector __attribute__((vector_size(4 * LANES)));

/* Of two vectors, the lower (upper) halves of each quad interleaved. */
#if LANES == 4
#define LOWER(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define UPPER(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#elif LANES == 8
#define LOWER(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define UPPER(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#else
#define LOWER(a, b)                                                                                \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define UPPER(a, b)                                                                                \
    __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#endif

static inline Quad
load_quad(const float *p)
{
    return *(const Quad *)(const void *)p;
}

static inline Vector
load(const float *p)
{
    return *(const Vector *)(const void *)p;
}

static inline void
store(float *p, Vector v)
{
    *(Vector *)(void *)p = v;
}

/* Quads at p and every stride floats from there, side by side. */
static inline Vector
load_quads(const float *p, ptrdiff_t stride)
{
#if LANES == 4
    (void)stride;
    return load_quad(p);
#else
    typedef float Half __attribute__((vector_size(32)));
    Half a = __builtin_shufflevector(load_quad(p), load_quad(p + stride), 0, 1, 2, 3, 4, 5, 6, 7);
#if LANES == 8
    return a;
#else
    Half b = __builtin_shufflevector(load_quad(p + 2 * stride), load_quad(p + 3 * stride), 0, 1, 2,
                                     3, 4, 5, 6, 7);

    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
#endif
}

/* out[c * out_stride + r] = in[r * in_stride + c] for 4 columns and LANES rows. */
static inline void
turn_tile(float *out, ptrdiff_t out_stride, const float *in, ptrdiff_t in_stride)
{
    Vector r0 = load_quads(in, 4 * in_stride);
    Vector r1 = load_quads(in + in_stride, 4 * in_stride);
    Vector r2 = load_quads(in + 2 * in_stride, 4 * in_stride);
    Vector r3 = load_quads(in + 3 * in_stride, 4 * in_stride);
    Vector even = LOWER(r0, r2), odd = LOWER(r1, r3);

    store(out, LOWER(even, odd));
    store(out + out_stride, UPPER(even, odd));
    even = UPPER(r0, r2);
    odd = UPPER(r1, r3);
    store(out + 2 * out_stride, LOWER(even, odd));
    store(out + 3 * out_stride, UPPER(even, odd));
}

static void
add_u8(float *restrict sum, const uint8_t *restrict row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += row[i];
}

static void
add_u16(float *restrict sum, const uint16_t *restrict row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += row[i];
}

static inline void
combine_row(float *out, const float *const *rows, size_t column, const float *weights, int n_taps)
{
    Vector sums[ROW_SUMS] = {0};

    for (int t = 0; t < n_taps; t++) {
        const float *row = rows[t] + column;

        for (int k = 0; k < ROW_SUMS; k++)
            sums[k] += weights[t] * load(row + k * LANES);
    }
    for (int k = 0; k < ROW_SUMS; k++)
        store(out + k * LANES, sums[k]);
}

static void
combine_rows(float *block, const float *const *window, size_t column, const BtWeights *down,
             int row, int n_rows)
{
    for (int c = 0; c < BLOCK; c += ROW_SUMS * LANES)
        for (int i = 0; i < n_rows; i++)
            combine_row(block + i * BLOCK + c, window + down->first[row + i] - down->first[row],
                        column + (size_t)c, down->weights + (ptrdiff_t)(row + i) * down->stride,
                        down->n_taps);
}

static void
turn(float *strip, const float *block)
{
    for (int c = 0; c < BLOCK; c += 4)
        for (int i = 0; i < STRIP; i += LANES)
            turn_tile(strip + c * STRIP + i, STRIP, block + i * BLOCK + c, BLOCK);
}

/* Some bands of one pixel; in is its first tap, samples are `bands` columns apart. */
static inline __attribute__((always_inline)) void
combine_bands(float *out, const float *in, const float *weights, int n_taps, int bands, int n_bands)
{
    Vector sums[BT_KERNEL_BANDS_MAX * COLUMN] = {0};

    for (int t = 0; t < n_taps; t++) {
        for (int k = 0; k < n_bands * COLUMN; k++)
            sums[k] += weights[t] * load(in + k * LANES);
        in += bands * STRIP;
    }
    for (int k = 0; k < n_bands * COLUMN; k++)
        store(out + k * LANES, sums[k]);
}

static void
combine_columns(float *columns, const float *strip, const BtWeights *across, int x, int n,
                int bands)
{
    for (int i = x; i < x + n; i++) {
        const float *weights = across->weights + (ptrdiff_t)i * across->stride;
        const float *in = strip + (ptrdiff_t)across->first[i] * bands * STRIP;

        for (int left = bands, done; left > 0; left -= done) {
            done = left < BANDS_AT_ONCE ? left : BANDS_AT_ONCE;
            switch (done) {
            case 1:
                combine_bands(columns, in, weights, across->n_taps, bands, 1);
                break;
            case 2:
                combine_bands(columns, in, weights, across->n_taps, bands, 2);
                break;
            case 3:
                combine_bands(columns, in, weights, across->n_taps, bands, 3);
                break;
            default:
                combine_bands(columns, in, weights, across->n_taps, bands, 4);
            }
            columns += done * STRIP;
            in += done * STRIP;
        }
    }
}

static inline float
level_of(float value, float most)
{
    value = value > 0 ? value : 0;
    return (value < most ? value : most) + 0.5f;
}

/* Four rows of the strip, in floats. */
static inline void
turn_back(float *rows, const float *columns, int n)
{
    for (int c = 0; c < n; c += LANES)
        turn_tile(rows + c, BLOCK, columns + c * STRIP, STRIP);
}

static void
pack_u8(uint8_t *restrict pixels, const float *restrict columns, int n)
{
    _Alignas(64) float rows[4 * BLOCK] = {0};

    for (int i = 0; i < STRIP; i += 4) {
        turn_back(rows, columns + i, n);
        for (int c = 0; c < 4 * BLOCK; c++)
            pixels[i * BLOCK + c] = (uint8_t)(int)level_of(rows[c], UINT8_MAX);
    }
}

static void
pack_u16(uint16_t *restrict pixels, const float *restrict columns, int n, float scale)
{
    _Alignas(64) float rows[4 * BLOCK] = {0};

    for (int i = 0; i < STRIP; i += 4) {
        turn_back(rows, columns + i, n);
        for (int c = 0; c < 4 * BLOCK; c++)
            pixels[i * BLOCK + c] = (uint16_t)(int)level_of(scale * rows[c], UINT16_MAX);
    }
}

/* Each pixel is stored with a byte too many, which the next one covers. */
static void
join_ycc(uint8_t *rgb, const uint16_t *y, const uint16_t *cb, const uint16_t *cr, size_t n)
{
    uint32_t pixels[BLOCK];
    uint8_t packed[3 * BLOCK + 1];

    for (size_t done = 0; done < n; done += BLOCK) {
        size_t n_pixels = n - done < BLOCK ? n - done : BLOCK;

        for (size_t i = 0; i < n_pixels; i++)
            pixels[i] = bt_ycc_to_rgb(y[done + i], cb[done + i], cr[done + i]);
        for (size_t i = 0; i < n_pixels; i++)
            memcpy(packed + 3 * i, &pixels[i], sizeof pixels[i]);
        memcpy(rgb + 3 * done, packed, 3 * n_pixels);
    }
}

const BtKernelOps PASTE(bt_kernel_ops_, BT_KERNEL_LEVEL) = {
    .level = TEXT(BT_KERNEL_LEVEL),
    .add_u8 = add_u8,
    .add_u16 = add_u16,
    .combine_rows = combine_rows,
    .turn = turn,
    .combine_columns = combine_columns,
    .pack_u8 = pack_u8,
    .pack_u16 = pack_u16,
    .join_ycc = join_ycc,
};
