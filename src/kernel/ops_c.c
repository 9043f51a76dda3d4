/* SPDX-License-Identifier: MIT */
#include "kernel/ops.h"
#include "kernel/ycc.h"

static void
add_u8_c(float *sum, const uint8_t *rows, ptrdiff_t stride, int n_rows, size_t n)
{
    for (int r = 0; r < n_rows; r++, rows += stride)
        for (size_t i = 0; i < n; i++)
            sum[i] += rows[i];
}

static void
add_u16_c(float *sum, const uint16_t *rows, ptrdiff_t stride, int n_rows, size_t n)
{
    for (int r = 0; r < n_rows; r++) {
        const uint16_t *row = (const void *)((const char *)rows + r * stride);

        for (size_t i = 0; i < n; i++)
            sum[i] += row[i];
    }
}

static void
add_premultiplied_c(float *sum, const float *values, size_t n_pixels, int bands, float share)
{
    for (size_t i = 0; i < n_pixels; i++, sum += bands, values += bands) {
        float alpha = values[bands - 1];

        for (int c = 0; c < bands - 1; c++)
            sum[c] += values[c] * (alpha * share);
        sum[bands - 1] += alpha;
    }
}

static void
average_c(float *out, const float *sum, size_t n, int box, int bands, float share)
{
    for (size_t i = 0; i < n; i++, sum += box * bands)
        for (int c = 0; c < bands; c++) {
            float total = 0;

            for (int k = 0; k < box; k++)
                total += sum[k * bands + c];
            *out++ = total * share;
        }
}

static void
encode_c(const BtCurve *curve, float *values, int n)
{
    bt_curve_encode(curve, values, n);
}

static void
combine_rows_c(float *block, const float *const *window, size_t column, const BtWeights *down,
               int row, int n_rows)
{
    for (int i = 0; i < n_rows; i++) {
        const float *weights = down->weights + (ptrdiff_t)(row + i) * down->stride;
        const float *const *rows = window + down->first[row + i] - down->first[row];

        for (int c = 0; c < BT_KERNEL_BLOCK; c++) {
            float total = 0;

            for (int t = 0; t < down->n_taps; t++)
                total += weights[t] * rows[t][column + (size_t)c];
            block[i * BT_KERNEL_BLOCK + c] = total;
        }
    }
}

static void
turn_c(float *strip, const float *block)
{
    for (int c = 0; c < BT_KERNEL_BLOCK; c++)
        for (int i = 0; i < BT_KERNEL_STRIP; i++)
            strip[c * BT_KERNEL_STRIP + i] = block[i * BT_KERNEL_BLOCK + c];
}

static void
combine_columns_c(float *columns, const float *strip, const BtWeights *across, int x, int n,
                  int bands)
{
    for (int c = 0; c < n * bands; c++) {
        int pixel = x + c / bands, band = c % bands;
        const float *weights = across->weights + (ptrdiff_t)pixel * across->stride;
        ptrdiff_t first = across->first[pixel];

        for (int i = 0; i < BT_KERNEL_STRIP; i++) {
            float total = 0;

            for (int t = 0; t < across->n_taps; t++)
                total += weights[t] * strip[((first + t) * bands + band) * BT_KERNEL_STRIP + i];
            columns[c * BT_KERNEL_STRIP + i] = total;
        }
    }
}

static int
level_of(float value, int most)
{
    int level = (int)(value + 0.5f);

    return level < 0 ? 0 : level > most ? most : level;
}

static void
pack_u8_c(uint8_t *pixels, const float *columns)
{
    for (int i = 0; i < BT_KERNEL_STRIP; i++)
        for (int c = 0; c < BT_KERNEL_BLOCK; c++)
            pixels[i * BT_KERNEL_BLOCK + c] =
                (uint8_t)level_of(columns[c * BT_KERNEL_STRIP + i], UINT8_MAX);
}

static void
pack_u16_c(uint16_t *pixels, const float *columns, float scale)
{
    for (int i = 0; i < BT_KERNEL_STRIP; i++)
        for (int c = 0; c < BT_KERNEL_BLOCK; c++)
            pixels[i * BT_KERNEL_BLOCK + c] =
                (uint16_t)level_of(scale * columns[c * BT_KERNEL_STRIP + i], UINT16_MAX);
}

static void
join_ycc_c(uint8_t *rgb, const uint16_t *y, const uint16_t *cb, const uint16_t *cr, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t px = bt_ycc_to_rgb(y[i], cb[i], cr[i]);

        *rgb++ = (uint8_t)px;
        *rgb++ = (uint8_t)(px >> 8);
        *rgb++ = (uint8_t)(px >> 16);
    }
}

const BtKernelOps bt_kernel_ops_c = {
    .level = "c",
    .add_u8 = add_u8_c,
    .add_u16 = add_u16_c,
    .add_premultiplied = add_premultiplied_c,
    .average = average_c,
    .encode = encode_c,
    .combine_rows = combine_rows_c,
    .turn = turn_c,
    .combine_columns = combine_columns_c,
    .pack_u8 = pack_u8_c,
    .pack_u16 = pack_u16_c,
    .join_ycc = join_ycc_c,
};
