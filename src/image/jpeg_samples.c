/* SPDX-License-Identifier: MIT */
#include "image/jpeg_low.h"

/* The mean of half a block, or of a quarter, in units of 2^-13 of a level: of a cosine of half a
 * wave over 4 of its 8 samples, times the transform's own factors (1/8, 1/sqrt(32), 1/4). */
#define BITS    13
#define OF_MEAN 1024 /* 1/8 */
#define OF_HALF                                                                                    \
    928 /* cos(pi/16) + cos(3pi/16) + cos(5pi/16) + cos(7pi/16) = 2.5629; / 4 sqrt(32) */
#define OF_QUART 841 /* (2.5629 / 4)^2 / 4 */
#define CENTRE   128

static uint8_t
clip(int32_t value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* A coefficient's part in all samples of its block. Unsigned: what no encoder makes may wrap. */
static uint32_t
scaled(const BtJpegLowComponent *component, BtJpegLowPlace place, ptrdiff_t at, int factor)
{
    const int16_t *values = component->values[place];

    return values == NULL
               ? 0
               : (uint32_t)values[at] * (uint32_t)component->quantizers[place] * (uint32_t)factor;
}

static uint8_t
sample(uint32_t sum)
{
    return clip((int32_t)(sum + (CENTRE << BITS) + (1 << (BITS - 1))) >> BITS);
}

/* Halves or quarters of the blocks of one row. */
static void
make_parts(const BtJpegLowComponent *component, ptrdiff_t at, uint8_t *out, ptrdiff_t stride)
{
    int across = component->samples_across, down = component->samples_down;

    for (int i = 0; i < component->width; i++, at++, out += across) {
        uint32_t mean = scaled(component, BT_JPEG_LOW_DC, at, OF_MEAN);
        uint32_t x = scaled(component, BT_JPEG_LOW_ACROSS, at, OF_HALF);
        uint32_t y = scaled(component, BT_JPEG_LOW_DOWN, at, OF_HALF);
        uint32_t both = scaled(component, BT_JPEG_LOW_BOTH, at, OF_QUART);

        out[0] = sample(mean + x + y + both);
        if (across > 1)
            out[1] = sample(mean - x + y - both);
        if (down > 1)
            out[stride] = sample(mean + x - y - both);
        if (across > 1 && down > 1)
            out[stride + 1] = sample(mean - x - y + both);
    }
}

void
bt_jpeg_low_samples(const BtJpegLow *self, int component, int row, const BtJpegOps *ops,
                    uint8_t *out, ptrdiff_t stride)
{
    const BtJpegLowComponent *from = &self->components[component];
    ptrdiff_t at = (ptrdiff_t)row * from->stride;

    if (from->samples_across == 1 && from->samples_down == 1)
        ops->means(out, from->values[BT_JPEG_LOW_DC] + at, from->quantizers[BT_JPEG_LOW_DC],
                   (size_t)from->width);
    else
        make_parts(from, at, out, stride);
}

/* Y, Cb and Cr to R, G and B (ITU-T T.871), in units of 2^-6 of a level: they fit 16 bits. */
#define COLOUR_BITS 6
#define HIGHEST     (255 << COLOUR_BITS)
#define R_OF_CR     90  /* 1.402 */
#define G_OF_CB     22  /* 0.344136 */
#define G_OF_CR     46  /* 0.714136 */
#define B_OF_CB     113 /* 1.772 */
#define TOLERANCE   1.0 /* levels: what rounding does to a colour at the edge of RGB */

/* Whether some colour may lie outside of RGB, by a level or so. across: a constant. */
static inline __attribute__((always_inline)) bool
are_some_outside(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, size_t across)
{
    uint16_t outside = 0;

    for (size_t i = 0; i < n; i++) {
        int16_t luma = (int16_t)(y[i] << COLOUR_BITS);
        int16_t blue = (int16_t)(cb[i / across] - CENTRE), red = (int16_t)(cr[i / across] - CENTRE);
        int16_t r = (int16_t)(luma + red * R_OF_CR);
        int16_t g = (int16_t)(luma - blue * G_OF_CB - red * G_OF_CR);
        int16_t b = (int16_t)(luma + blue * B_OF_CB);
        int16_t least = MIN(MIN(r, g), b), most = MAX(MAX(r, g), b);

        outside |= (uint16_t)(least < 0) | (uint16_t)(most > HIGHEST);
    }
    return outside != 0;
}

static void
clip_colour(double colour[3])
{
    double luma = colour[0], blue = colour[1] - CENTRE, red = colour[2] - CENTRE;
    double r = luma + 1.402 * red, b = luma + 1.772 * blue;
    double g = luma - 0.344136 * blue - 0.714136 * red;

    if (MIN(MIN(r, g), b) >= -TOLERANCE && MAX(MAX(r, g), b) <= 255 + TOLERANCE)
        return;
    r = CLAMP(r, 0, 255);
    g = CLAMP(g, 0, 255);
    b = CLAMP(b, 0, 255);
    luma = 0.299 * r + 0.587 * g + 0.114 * b;
    colour[0] = luma;
    colour[1] = CLAMP((b - luma) / 1.772 + CENTRE, 0, 255);
    colour[2] = CLAMP((r - luma) / 1.402 + CENTRE, 0, 255);
}

void
bt_jpeg_low_clip(uint8_t *y, uint8_t *cb, uint8_t *cr, size_t n, size_t across)
{
    if (across == 1 ? !are_some_outside(y, cb, cr, n, 1) : !are_some_outside(y, cb, cr, n, 2))
        return;
    for (size_t i = 0; i < n; i += across, cb++, cr++) {
        size_t n_shared = MIN(across, n - i);
        double blue = 0, red = 0;

        for (size_t k = i; k < i + n_shared; k++) {
            double colour[] = {y[k], *cb, *cr};

            clip_colour(colour);
            y[k] = (uint8_t)(colour[0] + 0.5);
            blue += colour[1];
            red += colour[2];
        }
        *cb = (uint8_t)(blue / (double)n_shared + 0.5);
        *cr = (uint8_t)(red / (double)n_shared + 0.5);
    }
}
