/* SPDX-License-Identifier: MIT */
#include "image/png_pixels.h"

#include <string.h>

bool
bt_png_pixels_init(BtPngPixels *self, int colour, int depth)
{
    /* By colour type: samples of a pixel, and depths as a sum of those that there are. */
    static const struct {
        int stored, depths;
    } kinds[] = {[BT_PNG_GREY] = {1, 1 + 2 + 4 + 8 + 16},
                 [BT_PNG_RGB] = {3, 8 + 16},
                 [BT_PNG_PALETTE] = {1, 1 + 2 + 4 + 8},
                 [BT_PNG_GREY_ALPHA] = {2, 8 + 16},
                 [BT_PNG_RGB_ALPHA] = {4, 8 + 16}};

    if (colour > BT_PNG_RGB_ALPHA || (kinds[colour].depths & depth) == 0 ||
        (depth & (depth - 1)) != 0)
        return false;
    self->colour = (BtPngColour)colour;
    self->depth = depth;
    self->stored = kinds[colour].stored;
    self->bands = colour == BT_PNG_PALETTE ? 3 : self->stored;
    for (int i = 0; i < BT_PNG_PALETTE_MAX; i++)
        self->palette[i][3] = UINT8_MAX;
    return true;
}

bool
bt_png_pixels_take_palette(BtPngPixels *self, const uint8_t *bytes, size_t size)
{
    if (self->colour != BT_PNG_PALETTE)
        return true; /* a mere suggestion */
    self->n_colours = (int)(size / 3);
    if (size % 3 != 0 || size > 3 * BT_PNG_PALETTE_MAX)
        return false;
    for (int i = 0; i < self->n_colours; i++)
        memcpy(self->palette[i], bytes + 3 * i, 3);
    return self->n_colours > 0;
}

static uint16_t
big_endian(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

void
bt_png_pixels_take_transparency(BtPngPixels *self, const uint8_t *bytes, size_t size)
{
    bool opaque = self->colour == BT_PNG_GREY || self->colour == BT_PNG_RGB;

    if (self->colour == BT_PNG_PALETTE && self->bands == 3 && size > 0 &&
        size <= BT_PNG_PALETTE_MAX) {
        for (size_t i = 0; i < size; i++)
            self->palette[i][3] = bytes[i];
        self->bands = 4;
    } else if (opaque && !self->keyed && size == 2 * (size_t)self->stored) {
        for (int i = 0; i < self->stored; i++)
            self->key[i] = big_endian(bytes + 2 * i) & (uint16_t)((1 << self->depth) - 1);
        self->keyed = true;
        self->bands++;
    }
}

bool
bt_png_pixels_change(const BtPngPixels *self)
{
    return self->depth != 8 || self->bands != self->stored;
}

/* Sample i of a row as it is stored. */
static uint16_t
sample_at(const uint8_t *row, size_t i, int depth)
{
    size_t bit = i * (size_t)depth;

    if (depth == 16)
        return big_endian(row + 2 * i);
    return row[bit / 8] >> (8 - depth - (int)(bit % 8)) & ((1 << depth) - 1);
}

static void
expand_samples(const BtPngPixels *self, const uint8_t *row, size_t n, void *out)
{
    bool deep = self->depth == 16;
    int scale = self->depth < 8 ? UINT8_MAX / ((1 << self->depth) - 1) : 1;
    size_t stored = (size_t)self->stored;
    uint16_t *wide = out;
    uint8_t *narrow = out;

    for (size_t x = 0; x < n; x++) {
        bool clear = true;

        for (size_t k = 0; k < stored; k++) {
            uint16_t sample = sample_at(row, x * stored + k, self->depth);

            clear = clear && self->keyed && sample == self->key[k];
            if (deep)
                *wide++ = sample;
            else
                *narrow++ = (uint8_t)(sample * scale);
        }
        if (self->keyed && deep)
            *wide++ = clear ? 0 : UINT16_MAX;
        else if (self->keyed)
            *narrow++ = clear ? 0 : UINT8_MAX;
    }
}

void
bt_png_pixels_expand(const BtPngPixels *self, const uint8_t *row, size_t n, void *out)
{
    if (self->colour == BT_PNG_PALETTE) {
        uint8_t *to = out;

        for (size_t x = 0; x < n; x++, to += self->bands)
            memcpy(to, self->palette[sample_at(row, x, self->depth)], (size_t)self->bands);
    } else if (self->depth == 16 && !self->keyed) {
        uint16_t *to = out;

        for (size_t i = 0; i < n * (size_t)self->stored; i++)
            to[i] = big_endian(row + 2 * i);
    } else {
        expand_samples(self, row, n, out);
    }
}
