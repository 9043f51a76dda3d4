/* SPDX-License-Identifier: MIT */
#include "image/raster.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define TILE 16 /* px: a tile's rows and columns stay in the L1 cache */

/* How a picture is read while it is turned: from `first`, so many px on for the next px of a row of
 * the result, and so many for its next row. */
typedef struct Path {
    ptrdiff_t first, across, down;
} Path;

bool
bt_raster_reshape(BtRaster *self, int width, int height, int bands, bool deep)
{
    size_t size = (size_t)width * (size_t)height * (size_t)bands * (deep ? 2 : 1);

    if (size > self->capacity) {
        free(self->pixels);
        self->pixels = malloc(size);
        self->capacity = self->pixels != NULL ? size : 0;
    }
    self->width = width;
    self->height = height;
    self->bands = bands;
    self->deep = deep;
    self->alpha = false;
    return self->pixels != NULL;
}

void
bt_raster_clear(BtRaster *self)
{
    free(self->pixels);
    *self = (BtRaster){0};
}

size_t
bt_raster_pixels(const BtRaster *self)
{
    return (size_t)self->width * (size_t)self->height;
}

static size_t
pixel_size(const BtRaster *self)
{
    return (size_t)self->bands * (self->deep ? 2 : 1);
}

size_t
bt_raster_size(const BtRaster *self)
{
    return bt_raster_pixels(self) * pixel_size(self);
}

/* Inlined for each size of a pixel, so that the copy is one or two moves. */
static inline __attribute__((always_inline)) void
copy_path(const uint8_t *in, BtRaster *out, Path path, size_t size)
{
    ptrdiff_t step = path.across * (ptrdiff_t)size;

    for (int top = 0; top < out->height; top += TILE) {
        for (int left = 0; left < out->width; left += TILE) {
            int bottom = top + TILE < out->height ? top + TILE : out->height;
            int right = left + TILE < out->width ? left + TILE : out->width;

            for (int y = top; y < bottom; y++) {
                const uint8_t *from =
                    in + (path.first + path.across * left + path.down * y) * (ptrdiff_t)size;
                uint8_t *to = out->pixels + ((size_t)y * (size_t)out->width + (size_t)left) * size;

                for (int x = left; x < right; x++, from += step, to += size)
                    memcpy(to, from, size);
            }
        }
    }
}

bool
bt_raster_turn(const BtRaster *self, int orientation, BtRaster *out)
{
    bool right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    bool on_side = orientation >= 5;
    ptrdiff_t w = self->width, x = right ? -1 : 1, y = below ? -w : w;
    Path path = {(right ? w - 1 : 0) + (below ? (self->height - 1) * w : 0), on_side ? y : x,
                 on_side ? x : y};

    if (!bt_raster_reshape(out, on_side ? self->height : self->width,
                           on_side ? self->width : self->height, self->bands, self->deep))
        return false;
    out->alpha = self->alpha;
    switch (pixel_size(self)) {
    case 1:
        copy_path(self->pixels, out, path, 1);
        break;
    case 2:
        copy_path(self->pixels, out, path, 2);
        break;
    case 3:
        copy_path(self->pixels, out, path, 3);
        break;
    case 4:
        copy_path(self->pixels, out, path, 4);
        break;
    default:
        copy_path(self->pixels, out, path, pixel_size(self));
        break;
    }
    return true;
}

static uint32_t
get(const BtRaster *self, size_t i)
{
    return self->deep ? ((const uint16_t *)(const void *)self->pixels)[i] : self->pixels[i];
}

static void
put(BtRaster *self, size_t i, uint32_t sample)
{
    if (self->deep)
        ((uint16_t *)(void *)self->pixels)[i] = (uint16_t)sample;
    else
        self->pixels[i] = (uint8_t)sample;
}

void
bt_raster_flatten(BtRaster *self)
{
    size_t n_px = bt_raster_pixels(self), bands = (size_t)self->bands, colours = bands - 1;
    uint64_t white = self->deep ? UINT16_MAX : UINT8_MAX;

    if (!self->alpha)
        return;
    /* In place: what is written lies before what is still to be read. */
    for (size_t i = 0; i < n_px; i++) {
        uint64_t alpha = get(self, i * bands + colours);

        for (size_t band = 0; band < colours; band++) {
            uint64_t colour = get(self, i * bands + band);

            put(self, i * colours + band,
                (uint32_t)((colour * alpha + white * (white - alpha) + white / 2) / white));
        }
    }
    self->bands--;
    self->alpha = false;
}

static uint8_t
get_8_bits(const BtRaster *self, size_t i)
{
    uint32_t sample = get(self, i);

    return (uint8_t)(self->deep ? (sample * 255u + 32895u) >> 16 : sample);
}

void
bt_raster_to_8_bits(BtRaster *self)
{
    size_t n = bt_raster_pixels(self) * (size_t)self->bands;

    if (!self->deep)
        return;
    for (size_t i = 0; i < n; i++)
        self->pixels[i] = get_8_bits(self, i);
    self->deep = false;
}

/* Adds a row of samples to sums, colours multiplied by alpha. */
static void
add_row(const BtRaster *self, int y, uint32_t *sums)
{
    size_t bands = (size_t)self->bands, n = (size_t)self->width * bands, row = (size_t)y * n;
    const uint8_t *plain = self->pixels + row;

    if (!self->alpha && !self->deep) {
        for (size_t i = 0; i < n; i++)
            sums[i] += plain[i];
        return;
    }
    for (size_t i = 0; i < n; i++) {
        size_t last = i - i % bands + bands - 1;
        uint32_t alpha = self->alpha && i < last ? get_8_bits(self, row + last) : 1;

        sums[i] += alpha * get_8_bits(self, row + i);
    }
}

/* Where the pixel at i of n begins among so many others. */
static int
begin_of(int i, int n, int others)
{
    return (int)((int64_t)i * others / n);
}

static uint64_t
add_up(const uint32_t *sums, int begin, int end, int step)
{
    uint64_t total = 0;

    for (int i = begin; i < end; i += step)
        total += sums[i];
    return total;
}

/* Makes a row of out from the sums of n_rows of self; begins: of each of its px among those. */
static void
put_means(const BtRaster *self, const uint32_t *sums, int n_rows, const int *begins, BtRaster *out,
          int y)
{
    int bands = self->bands;
    uint8_t *to = out->pixels + (size_t)y * (size_t)out->width * (size_t)bands;

    for (int x = 0; x < out->width; x++) {
        int left = begins[x], right = MAX(left + 1, begins[x + 1]);
        uint64_t n = (uint64_t)n_rows * (uint64_t)(right - left);
        uint64_t alpha =
            self->alpha ? add_up(sums, (left + 1) * bands - 1, right * bands, bands) : n;

        for (int band = 0; band < bands; band++) {
            uint64_t weight = band < bands - 1 ? MAX(1, alpha) : n;

            *to++ =
                (uint8_t)((add_up(sums, left * bands + band, right * bands, bands) + weight / 2) /
                          weight);
        }
    }
}

bool
bt_raster_resize(const BtRaster *self, int width, int height, BtRaster *out)
{
    size_t n = (size_t)self->width * (size_t)self->bands;
    g_autofree uint32_t *sums = g_try_new(uint32_t, n);
    g_autofree int *begins = g_try_new(int, width + 1);

    if (sums == NULL || begins == NULL ||
        !bt_raster_reshape(out, width, height, self->bands, false))
        return false;
    out->alpha = self->alpha;
    for (int x = 0; x <= width; x++)
        begins[x] = begin_of(x, width, self->width);
    for (int y = 0; y < height; y++) {
        int top = begin_of(y, height, self->height);
        int bottom = MAX(top + 1, begin_of(y + 1, height, self->height));

        memset(sums, 0, n * sizeof *sums);
        for (int row = top; row < bottom; row++)
            add_row(self, row, sums);
        put_means(self, sums, bottom - top, begins, out, y);
    }
    return true;
}
