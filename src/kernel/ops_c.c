/* SPDX-License-Identifier: MIT */
#include "kernel/ops.h"
#include "kernel/ycc.h"

static void
add_u8_c(float *sum, const uint8_t *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += row[i];
}

static void
add_u16_c(float *sum, const uint16_t *row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += row[i];
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

static float
level_of(float value, float most)
{
    value = value > 0 ? value : 0;
    return (value < most ? value : most) + 0.5f;
}

static void
pack_u8_c(uint8_t *pixels, const float *columns, int n)
{
    for (int i = 0; i < BT_KERNEL_STRIP; i++)
        for (int c = 0; c < n; c++)
            pixels[i * BT_KERNEL_BLOCK + c] =
                (uint8_t)level_of(columns[c * BT_KERNEL_STRIP + i], UINT8_MAX);
}

static void
pack_u16_c(uint16_t *pixels, const float *columns, int n, float scale)
{
    for (int i = 0; i < BT_KERNEL_STRIP; i++)
        for (int c = 0; c < n; c++)
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
    .combine_rows = combine_rows_c,
    .turn = turn_c,
    .combine_columns = combine_columns_c,
    .pack_u8 = pack_u8_c,
    .pack_u16 = pack_u16_c,
    .join_ycc = join_ycc_c,
};
