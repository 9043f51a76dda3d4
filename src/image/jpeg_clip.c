/* SPDX-License-Identifier: MIT */
#include "image/jpeg_clip.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* This one needs size_t and FILE from above. */
#include <jpeglib.h>

#define SIDE   4 /* parts of a block in a direction, and coefficients */
#define PARTS  (SIDE * SIDE)
#define CENTRE 128
#define WHITE  255

/* A DC coefficient times its quantizer is 8 times its part in the mean: units of an eighth. */
#define EIGHTHS 8
#define LIMIT   (EIGHTHS * 2048) /* of what no encoder makes */

/* A unit of energy: the square of a coefficient of so many eighths of a level. */
#define UNIT 16

/* A block that loses less than that, in levels, is left as it is. */
#define LEAST_LOSS 2

typedef float Row __attribute__((vector_size(SIDE * sizeof(float))));
typedef int32_t Mask __attribute__((vector_size(SIDE * sizeof(int32_t))));

/* The cosines of a block of 8 samples (T.81, A.3.3), [k][part]: means of pairs of samples, and
 * single samples of either half. */
static const Row whole[SIDE] = {{0.353553f, 0.353553f, 0.353553f, 0.353553f},
                                {0.453064f, 0.187665f, -0.187665f, -0.453064f},
                                {0.326641f, -0.326641f, -0.326641f, 0.326641f},
                                {0.159095f, -0.384089f, 0.384089f, -0.159095f}};
static const Row halves[2][SIDE] = {{{0.353553f, 0.353553f, 0.353553f, 0.353553f},
                                     {0.490393f, 0.415735f, 0.277785f, 0.097545f},
                                     {0.461940f, 0.191342f, -0.191342f, -0.461940f},
                                     {0.415735f, -0.097545f, -0.490393f, -0.277785f}},
                                    {{0.353553f, 0.353553f, 0.353553f, 0.353553f},
                                     {-0.097545f, -0.277785f, -0.415735f, -0.490393f},
                                     {-0.461940f, -0.191342f, 0.191342f, 0.461940f},
                                     {0.277785f, 0.490393f, 0.097545f, -0.415735f}}};

/* Where coefficients in zigzag order are in a block, row by row. */
static const uint8_t natural[BT_JPEG_CLIP_LAST + 1] = {0,  1,  8,  16, 9,  2,  3, 10,
                                                       17, 24, 32, 25, 18, 11, 4};

/* Whether a picture's samples are what was encoded, but for a level or two (root mean square: 1.4,
 * by the rounding of its coefficients): nothing of note is beyond the limits then, and at a hard
 * edge the lowest coefficients alone overshoot more than the picture does. */
static bool
is_faithful(const struct jpeg_decompress_struct *header)
{
    for (int i = 0; i < header->num_components; i++) {
        const jpeg_component_info *info = &header->comp_info[i];
        const UINT16 *quantizers = header->quant_tbl_ptrs[info->quant_tbl_no]->quantval;
        double sum = 0;

        for (int k = 0; k < DCTSIZE2; k++)
            sum += (double)quantizers[k] * quantizers[k] / 12;
        if (sum / DCTSIZE2 > 2 || info->h_samp_factor != header->max_h_samp_factor ||
            info->v_samp_factor != header->max_v_samp_factor)
            return false;
    }
    return true;
}

static bool
is_for_here(const struct jpeg_decompress_struct *header)
{
    const jpeg_component_info *info = header->comp_info;

    return header->num_components == BT_JPEG_LOW_COMPONENTS_MAX &&
           header->jpeg_color_space == JCS_YCbCr && info[0].h_samp_factor <= 2 &&
           info[0].v_samp_factor <= 2 && info[1].h_samp_factor == 1 && info[1].v_samp_factor == 1 &&
           info[2].h_samp_factor == 1 && info[2].v_samp_factor == 1;
}

/* Values of n bits are about 3/4 of 2^n; which place they have, and so their quantizer, is not
 * known: those of the lowest stand for all. */
static void
init_weights(BtJpegClip *self)
{
    double quantizer = 0;

    for (int k = 1; k <= 5; k++)
        quantizer += self->quantizers[0][k] / 5.0;
    for (int size = 1; size < BT_JPEG_SIZES; size++) {
        double value = 0.75 * (1 << size) * quantizer / 11.3;

        self->weights[size] = (uint8_t)MIN(pow(value, 1.5) + 0.5, BT_JPEG_WEIGHT_MAX);
    }
}

/* A mean at distance t of a limit, in standard deviations, loses about 0.4 exp(-t / 0.6) of them,
 * if what is around it is distributed normally. */
static void
init_reaches(BtJpegClip *self)
{
    for (int energy = 0; energy < BT_JPEG_CLIP_ENERGIES; energy++) {
        double deviation = pow(energy, 2 / 3.0) * 1.18;
        double most = 0.4 * deviation;

        self->reaches[energy] =
            most > LEAST_LOSS ? (uint16_t)(EIGHTHS * 0.6 * deviation * log(most / LEAST_LOSS)) : 0;
    }
}

bool
bt_jpeg_clip_init(BtJpegClip *self, const struct jpeg_decompress_struct *header)
{
    if (!is_for_here(header) || is_faithful(header))
        return false;
    memset(self, 0, sizeof *self);
    self->across = header->comp_info[0].h_samp_factor;
    self->down = header->comp_info[0].v_samp_factor;
    for (int i = 0; i < BT_JPEG_LOW_COMPONENTS_MAX; i++)
        for (int k = 0; k <= BT_JPEG_CLIP_LAST; k++)
            self->quantizers[i][k] =
                header->quant_tbl_ptrs[header->comp_info[i].quant_tbl_no]->quantval[natural[k]];
    init_weights(self);
    init_reaches(self);
    return true;
}

/* In eighths of a level, without the centre. */
static inline int
mean_of(const BtJpegLowComponent *component, ptrdiff_t at)
{
    int mean = component->values[0][at] * component->quantizers[0];

    return CLAMP(mean, -LIMIT, LIMIT);
}

/* The means of n blocks that are `step` from each other, in eighths of a level, without the centre;
 * what no encoder makes may wrap. */
static inline __attribute__((always_inline)) void
find_means(const BtJpegLowComponent *component, ptrdiff_t at, int n, int step, int16_t *out)
{
    const int16_t *dc = component->values[0] + at;
    uint16_t quantizer = (uint16_t)component->quantizers[0];

    for (int i = 0; i < n; i++)
        out[i] = (int16_t)((uint32_t)(uint16_t)dc[i * step] * quantizer);
}

/* value * factor / 2^16 */
static inline int16_t
part(int16_t value, int16_t factor)
{
    return (int16_t)(value * factor >> 16);
}

/* How far the bands of n colours without luma are from black, and from white. */
static void
find_bands(const int16_t *cb, const int16_t *cr, int n, int16_t *out_least, int16_t *out_most)
{
    for (int i = 0; i < n; i++) {
        int16_t r = (int16_t)(cr[i] + part(cr[i], 26345));                      /* 1.402 */
        int16_t b = (int16_t)(2 * cb[i] - part(cb[i], 14942));                  /* 1.772 */
        int16_t g = (int16_t)(part(cr[i], 18734) - cr[i] - part(cb[i], 22553)); /* -.714, -.344 */

        out_least[i] = (int16_t)(MIN(MIN(r, g), b) + EIGHTHS * CENTRE);
        out_most[i] = (int16_t)(MAX(MAX(r, g), b) + EIGHTHS * (CENTRE - WHITE));
    }
}

/* How far the colours of n blocks are from the nearer one. */
static void
find_rooms(const int16_t *luma, const int16_t *least, const int16_t *most, int n, int16_t *out)
{
    for (int i = 0; i < n; i++) {
        int16_t low = (int16_t)(luma[i] + least[i]), high = (int16_t)(luma[i] + most[i]);
        int16_t from_low = (int16_t)MAX(low, -low), from_high = (int16_t)MAX(high, -high);

        out[i] = MIN(from_low, from_high);
    }
}

void
bt_jpeg_clip_find(const BtJpegClip *self, BtJpegLowComponent *const components[], int x, int y,
                  const BtJpegBlock *blocks, int n_mcus, uint8_t *out_near)
{
    int16_t cb[BT_JPEG_CLIP_MCUS_MAX], cr[BT_JPEG_CLIP_MCUS_MAX];
    int16_t least[BT_JPEG_CLIP_MCUS_MAX], most[BT_JPEG_CLIP_MCUS_MAX];
    int n = self->across * self->down, n_phases = n + BT_JPEG_LOW_COMPONENTS_MAX - 1;

    find_means(components[1], (ptrdiff_t)y * components[1]->stride + x, n_mcus, 1, cb);
    find_means(components[2], (ptrdiff_t)y * components[2]->stride + x, n_mcus, 1, cr);
    find_bands(cb, cr, n_mcus, least, most);
    memset(out_near, 0, (size_t)n_mcus);
    for (int k = 0; k < n; k++) {
        int16_t luma[BT_JPEG_CLIP_MCUS_MAX], rooms[BT_JPEG_CLIP_MCUS_MAX];
        int v = y * self->down + (k >= self->across);
        ptrdiff_t at = (ptrdiff_t)v * components[0]->stride + x * self->across + k % self->across;

        if (self->across == 1)
            find_means(components[0], at, n_mcus, 1, luma);
        else
            find_means(components[0], at, n_mcus, 2, luma);
        find_rooms(luma, least, most, n_mcus, rooms);
        for (int i = 0; i < n_mcus; i++) {
            uint32_t energy = BT_JPEG_SUM_WEIGHTS(blocks[i * n_phases + k].sum);
            int reach = self->reaches[MIN(energy, BT_JPEG_CLIP_ENERGIES - 1)];

            out_near[i] |= (uint8_t)((rooms[i] < reach) << k);
        }
    }
}

/* The means of the parts of a block; or of half a block or a quarter, by other waves. */
static inline void
make_parts(int mean, const BtJpegDetail *detail, const int *quantizers, const Row *down,
           const Row *across, Row out[SIDE])
{
    Row rows[SIDE] = {(float)mean * across[0]};

    for (int i = 0; i < detail->n; i++) {
        int k = detail->places[i], v = natural[k] / DCTSIZE, h = natural[k] % DCTSIZE;
        int value = detail->values[i] * quantizers[k];

        if (v < SIDE && h < SIDE)
            rows[v] += (float)CLAMP(value, -LIMIT, LIMIT) * across[h];
    }
    for (int i = 0; i < SIDE; i++)
        out[i] = down[0][i] * rows[0] + down[1][i] * rows[1] + down[2][i] * rows[2] +
                 down[3][i] * rows[3];
}

static inline Row
positive(Row value)
{
    return (Row)((Mask)value & (value > 0));
}

static inline Row
cut(Row value)
{
    return WHITE - positive(WHITE - positive(value));
}

static inline float
mean_of_parts(Row sum)
{
    return (sum[0] + sum[1] + sum[2] + sum[3]) / PARTS;
}

/* What is missing of the means of Y, Cb and Cr when each part is cut off. */
static void
find_missing(const Row y[SIDE], const Row cb[SIDE], const Row cr[SIDE], float out_missing[3])
{
    Row sums[6] = {0};
    float r, g, b, luma;

    for (int i = 0; i < SIDE; i++) {
        Row level = y[i] + CENTRE;

        sums[0] += cut(level + 1.402f * cr[i]);
        sums[1] += cut(level - 0.344136f * cb[i] - 0.714136f * cr[i]);
        sums[2] += cut(level + 1.772f * cb[i]);
        sums[3] += level;
        sums[4] += cb[i];
        sums[5] += cr[i];
    }
    r = mean_of_parts(sums[0]);
    g = mean_of_parts(sums[1]);
    b = mean_of_parts(sums[2]);
    luma = 0.299f * r + 0.587f * g + 0.114f * b;
    out_missing[0] = luma - mean_of_parts(sums[3]);
    out_missing[1] = (b - luma) / 1.772f - mean_of_parts(sums[4]);
    out_missing[2] = (r - luma) / 1.402f - mean_of_parts(sums[5]);
}

/* Adds `missing` levels to a mean. What rounding to whole quantizers does to one block it does the
 * other way to the next. */
static void
add(const BtJpegLowComponent *component, int h, int v, float missing)
{
    static const float dither[4][4] = {{0.03f, 0.53f, 0.16f, 0.66f},
                                       {0.78f, 0.28f, 0.91f, 0.41f},
                                       {0.22f, 0.72f, 0.09f, 0.59f},
                                       {0.97f, 0.47f, 0.84f, 0.34f}};
    int16_t *dc = &component->values[0][(ptrdiff_t)v * component->stride + h];
    float steps = missing * EIGHTHS / (float)component->quantizers[0];
    int sum = *dc + (int)floorf(steps + dither[v & 3][h & 3]);

    *dc = (int16_t)CLAMP(sum, INT16_MIN, INT16_MAX);
}

void
bt_jpeg_clip_apply(const BtJpegClip *self, BtJpegLowComponent *const components[], int x, int y,
                   unsigned near, const BtJpegDetail *details)
{
    int n = self->across * self->down;
    float chroma[2] = {0};

    for (int k = 0; k < n; k++) {
        int column = k % self->across, row = k / self->across;
        int h = x * self->across + column, v = y * self->down + row;
        Row parts[BT_JPEG_LOW_COMPONENTS_MAX][SIDE];
        float missing[3];

        if ((near >> k & 1) == 0)
            continue;
        make_parts(mean_of(components[0], (ptrdiff_t)v * components[0]->stride + h), &details[k],
                   self->quantizers[0], whole, whole, parts[0]);
        for (int i = 1; i < BT_JPEG_LOW_COMPONENTS_MAX; i++)
            make_parts(mean_of(components[i], (ptrdiff_t)y * components[i]->stride + x),
                       &details[n + i - 1], self->quantizers[i],
                       self->down > 1 ? halves[row] : whole,
                       self->across > 1 ? halves[column] : whole, parts[i]);
        find_missing(parts[0], parts[1], parts[2], missing);
        add(components[0], h, v, missing[0]);
        chroma[0] += missing[1] / (float)n;
        chroma[1] += missing[2] / (float)n;
    }
    for (int i = 1; i < BT_JPEG_LOW_COMPONENTS_MAX; i++)
        add(components[i], x, y, chroma[i - 1]);
}
