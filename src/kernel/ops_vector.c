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

#define LANES BT_KERNEL_LANES
#define STRIP BT_KERNEL_STRIP
#define BLOCK BT_KERNEL_BLOCK

/* Vectors of two rows, or pixels, that are summed at once: half of the registers are sums. */
#define AT_ONCE     (BT_KERNEL_REGISTERS / 4)
#define AT_ONCE_MAX 8

#define PASTE_(a, b) a##b
#define PASTE(a, b)  PASTE_(a, b)
#define TEXT_(a)     #a
#define TEXT(a)      TEXT_(a)

typedef float Quad __attribute__((vector_size(16)));
typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef float LooseQuad __attribute__((vector_size(16), aligned(4)));
typedef float LooseVector __attribute__((vector_size(4 * LANES), aligned(4)));

/* Of two vectors, the lower (upper) halves of each quad interleaved; the last of each quad. */
#if LANES == 4
#define LOWER(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define UPPER(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define ALPHAS(a)   __builtin_shufflevector(a, a, 3, 3, 3, 3)
#elif LANES == 8
#define LOWER(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define UPPER(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define ALPHAS(a)   __builtin_shufflevector(a, a, 3, 3, 3, 3, 7, 7, 7, 7)
#else
#define LOWER(a, b)                                                                                \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define UPPER(a, b)                                                                                \
    __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define ALPHAS(a)                                                                                  \
    __builtin_shufflevector(a, a, 3, 3, 3, 3, 7, 7, 7, 7, 11, 11, 11, 11, 15, 15, 15, 15)
#endif

static inline Quad
load_quad(const float *p)
{
    return *(const Quad *)(const void *)p;
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

/* A constant number of rows, at most 257: their sums fit 16 bits. */
static inline __attribute__((always_inline)) void
add_some_u8(float *restrict sum, const uint8_t *restrict rows, ptrdiff_t stride, int n_rows,
            size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t total = 0;

        for (int r = 0; r < n_rows; r++)
            total = (uint16_t)(total + rows[r * stride + (ptrdiff_t)i]);
        sum[i] += total;
    }
}

static void
add_u8(float *sum, const uint8_t *rows, ptrdiff_t stride, int n_rows, size_t n)
{
    for (; n_rows >= 8; n_rows -= 8, rows += 8 * stride)
        add_some_u8(sum, rows, stride, 8, n);
    for (; n_rows >= 2; n_rows -= 2, rows += 2 * stride)
        add_some_u8(sum, rows, stride, 2, n);
    if (n_rows > 0)
        add_some_u8(sum, rows, stride, 1, n);
}

static inline __attribute__((always_inline)) void
add_some_u16(float *restrict sum, const uint16_t *restrict rows, ptrdiff_t stride, int n_rows,
             size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int32_t total = 0;

        for (int r = 0; r < n_rows; r++)
            total += rows[r * stride + (ptrdiff_t)i];
        sum[i] += (float)total;
    }
}

static void
add_u16(float *sum, const uint16_t *rows, ptrdiff_t stride, int n_rows, size_t n)
{
    stride /= (ptrdiff_t)sizeof *rows;
    for (; n_rows >= 8; n_rows -= 8, rows += 8 * stride)
        add_some_u16(sum, rows, stride, 8, n);
    for (; n_rows >= 2; n_rows -= 2, rows += 2 * stride)
        add_some_u16(sum, rows, stride, 2, n);
    if (n_rows > 0)
        add_some_u16(sum, rows, stride, 1, n);
}

static void
add_premultiplied(float *sum, const float *values, size_t n_pixels, int bands, float share)
{
    Vector shares, ones;
    size_t i = 0;

    for (int k = 0; k < LANES; k++) {
        shares[k] = k % 4 < 3 ? share : 0;
        ones[k] = k % 4 < 3 ? 0 : 1;
    }
    for (; bands == 4 && i + LANES / 4 <= n_pixels; i += LANES / 4) {
        Vector pixels = *(const LooseVector *)(const void *)(values + 4 * i);

        *(LooseVector *)(void *)(sum + 4 * i) += pixels * (ALPHAS(pixels) * shares + ones);
    }
    for (; i < n_pixels; i++) {
        const float *pixel = values + i * (size_t)bands;
        float *out = sum + i * (size_t)bands, alpha = pixel[bands - 1];

        for (int c = 0; c < bands - 1; c++)
            out[c] += pixel[c] * (alpha * share);
        out[bands - 1] += alpha;
    }
}

/* A quad holds a pixel, and what is behind it: that is covered by the next one. */
static inline __attribute__((always_inline)) void
average_quads(float *out, const float *sum, size_t n, int box, int bands, float share)
{
    for (size_t i = 0; i < n; i++, out += bands) {
        Quad total = {0};

        for (int k = 0; k < box; k++, sum += bands)
            total += *(const LooseQuad *)(const void *)sum;
        *(LooseQuad *)(void *)out = total * share;
    }
}

static void
average(float *out, const float *sum, size_t n, int box, int bands, float share)
{
    if (box == 2)
        average_quads(out, sum, n, 2, bands, share);
    else if (box == 8)
        average_quads(out, sum, n, 8, bands, share);
    else
        average_quads(out, sum, n, box, bands, share);
}

static void
encode(const BtCurve *curve, float *values, int n)
{
    bt_curve_encode(curve, values, n);
}

/* One tap of two rows, or pixels, that share their taps: n vectors of each. The compiler would
 * rather load each vector twice, as an operand of both multiply-adds, than keep it: volatile, since
 * loads are scarce. */
static inline __attribute__((always_inline)) void
add_tap(Vector *sums, const float *in, float weight, float other, int n)
{
    for (int k = 0; k < n; k++) {
        Vector tap = *(const volatile Vector *)(const void *)(in + k * LANES);

        sums[k] += weight * tap;
        sums[n + k] += other * tap;
    }
}

static inline __attribute__((always_inline)) void
put_sums(float *out, float *other, const Vector *sums, int n)
{
    for (int k = 0; k < n; k++) {
        store(out + k * LANES, sums[k]);
        store(other + k * LANES, sums[n + k]);
    }
}

static void
combine_rows(float *block, const float *const *window, size_t column, const BtWeights *down,
             int row, int n_rows)
{
    for (int c = 0; c < BLOCK; c += AT_ONCE * LANES)
        for (int i = 0; i < n_rows; i += 2) {
            const float *const *rows = window + down->first[row + i] - down->first[row];
            int next = i + 1 < n_rows ? i + 1 : i;
            const float *weights = down->weights + (ptrdiff_t)(row + i) * down->stride;
            const float *others = down->weights + (ptrdiff_t)(row + next) * down->stride;
            Vector sums[2 * AT_ONCE_MAX] = {0};

            for (int t = 0; t < down->n_taps; t++)
                add_tap(sums, rows[t] + column + c, weights[t], others[t], AT_ONCE);
            put_sums(block + i * BLOCK + c, block + next * BLOCK + c, sums, AT_ONCE);
        }
}

static void
turn(float *strip, const float *block)
{
    for (int c = 0; c < BLOCK; c += 4)
        for (int i = 0; i < STRIP; i += LANES)
            turn_tile(strip + c * STRIP + i, STRIP, block + i * BLOCK + c, BLOCK);
}

/* n vectors of pixels x and next, of which `columns` and `others` are the first ones. */
static inline __attribute__((always_inline)) void
combine_pair(float *columns, float *others, const float *strip, const BtWeights *across, int x,
             int next, int bands, int n)
{
    const float *weights = across->weights + (ptrdiff_t)x * across->stride;
    const float *other_weights = across->weights + (ptrdiff_t)next * across->stride;
    const float *in = strip + (ptrdiff_t)across->first[x] * bands * STRIP;
    Vector sums[2 * AT_ONCE_MAX] = {0};

    for (int t = 0; t < across->n_taps; t++, in += bands * STRIP)
        add_tap(sums, in, weights[t], other_weights[t], n);
    put_sums(columns, others, sums, n);
}

static void
combine_columns(float *columns, const float *strip, const BtWeights *across, int x, int n,
                int bands)
{
    int size = bands * STRIP;

    for (int i = x; i < x + n; i += 2) {
        int next = i + 1 < x + n ? i + 1 : i;

        for (int k = 0; k < size; k += AT_ONCE * LANES) {
            float *out = columns + (i - x) * size + k, *other = columns + (next - x) * size + k;

            switch ((size - k) / LANES) {
            case 2:
                combine_pair(out, other, strip + k, across, i, next, bands, 2);
                break;
            case 4:
                combine_pair(out, other, strip + k, across, i, next, bands, 4);
                break;
            case 6:
                combine_pair(out, other, strip + k, across, i, next, bands, 6);
                break;
            default:
                combine_pair(out, other, strip + k, across, i, next, bands, AT_ONCE);
            }
        }
    }
}

static inline int
level_of(float value, int most)
{
    int level = (int)(value + 0.5f);

    return level < 0 ? 0 : level > most ? most : level;
}

/* Four rows of the strip, in floats. */
static inline void
turn_back(float *rows, const float *columns)
{
    for (int c = 0; c < BLOCK; c += LANES)
        turn_tile(rows + c, BLOCK, columns + c * STRIP, STRIP);
}

static void
pack_u8(uint8_t *restrict pixels, const float *restrict columns)
{
    _Alignas(64) float rows[4 * BLOCK];

    for (int i = 0; i < STRIP; i += 4) {
        turn_back(rows, columns + i);
        for (int c = 0; c < 4 * BLOCK; c++)
            pixels[i * BLOCK + c] = (uint8_t)level_of(rows[c], UINT8_MAX);
    }
}

static void
pack_u16(uint16_t *restrict pixels, const float *restrict columns, float scale)
{
    _Alignas(64) float rows[4 * BLOCK];

    for (int i = 0; i < STRIP; i += 4) {
        turn_back(rows, columns + i);
        for (int c = 0; c < 4 * BLOCK; c++)
            pixels[i * BLOCK + c] = (uint16_t)level_of(scale * rows[c], UINT16_MAX);
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
    .add_premultiplied = add_premultiplied,
    .average = average,
    .encode = encode,
    .combine_rows = combine_rows,
    .turn = turn,
    .combine_columns = combine_columns,
    .pack_u8 = pack_u8,
    .pack_u16 = pack_u16,
    .join_ycc = join_ycc,
};
