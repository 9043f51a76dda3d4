/* SPDX-License-Identifier: MIT */
#include "image/jpeg_low.h"

#include <glib.h>
#include <math.h>

#define BITS   13 /* of a level: the unit of what parts are summed up in */
#define CENTRE 128

/* The means of a cosine of so many half waves over the parts of a block, with the transform's own
 * factor (T.81, A.3.3): [half waves][part], of one part, of two, of four. */
static const double one[] = {0.353553};
static const double two[][2] = {{0.353553, 0.353553}, {0.320364, -0.320364}};
static const double four[][4] = {{0.353553, 0.353553, 0.353553, 0.353553},
                                 {0.453064, 0.187665, -0.187665, -0.453064},
                                 {0.326641, -0.326641, -0.326641, 0.326641},
                                 {0.159095, -0.384089, 0.384089, -0.159095}};

static double
mean_of_wave(int n_waves, int part, int n_parts)
{
    return n_parts == 1 ? one[n_waves] : n_parts == 2 ? two[n_waves][part] : four[n_waves][part];
}

static uint8_t
clip(int32_t value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* The mean of coefficient k's wave over a part of its block, in 2^-BITS. */
static int16_t
find_share(const BtJpegLowComponent *component, int k, int part)
{
    int across = component->samples_across, down = component->samples_down;

    return (int16_t)lround((1 << BITS) *
                           mean_of_wave(bt_jpeg_low_waves[k].across, part % across, across) *
                           mean_of_wave(bt_jpeg_low_waves[k].down, part / across, down));
}

/* What coefficient k of the blocks from `at` on adds to their parts. What no encoder makes may
 * wrap. */
static void
add_coefficient(const BtJpegLowComponent *component, int k, ptrdiff_t at, const int16_t *shares,
                int n_parts, int32_t sums[][BT_JPEG_LOW_STRIP])
{
    const int16_t *from = component->values[k] + at;
    int16_t values[BT_JPEG_LOW_STRIP];
    uint16_t quantizer = (uint16_t)component->quantizers[k];

    for (int i = 0; i < BT_JPEG_LOW_STRIP; i++)
        values[i] = (int16_t)((uint16_t)from[i] * quantizer);
    for (int part = 0; part < n_parts; part++)
        for (int i = 0; i < BT_JPEG_LOW_STRIP; i++)
            sums[part][i] += values[i] * shares[part];
}

/* The parts of the blocks of one row. */
static void
make_parts(const BtJpegLowComponent *component, ptrdiff_t at, uint8_t *out, ptrdiff_t stride)
{
    int across = component->samples_across, n_parts = across * component->samples_down;
    int16_t shares[BT_JPEG_LOW_KEPT_MAX][BT_JPEG_LOW_PARTS_MAX];

    for (int k = 0; k <= component->last; k++)
        for (int part = 0; part < n_parts && component->values[k] != NULL; part++)
            shares[k][part] = find_share(component, k, part);
    for (int first = 0; first < component->width; first += BT_JPEG_LOW_STRIP) {
        int n = MIN(BT_JPEG_LOW_STRIP, component->width - first);
        int32_t sums[BT_JPEG_LOW_PARTS_MAX][BT_JPEG_LOW_STRIP];

        for (int part = 0; part < n_parts; part++)
            for (int i = 0; i < BT_JPEG_LOW_STRIP; i++)
                sums[part][i] = (CENTRE << BITS) + (1 << (BITS - 1));
        for (int k = 0; k <= component->last; k++)
            if (component->values[k] != NULL)
                add_coefficient(component, k, at + first, shares[k], n_parts, sums);
        for (int part = 0; part < n_parts; part++)
            for (int i = 0; i < n; i++)
                out[part / across * stride + (first + i) * across + part % across] =
                    clip(sums[part][i] >> BITS);
    }
}

void
bt_jpeg_low_samples(const BtJpegLow *self, int component, int row, const BtJpegOps *ops,
                    uint8_t *out, ptrdiff_t stride)
{
    const BtJpegLowComponent *from = &self->components[component];
    ptrdiff_t at = (ptrdiff_t)row * from->stride;

    if (from->samples_across == 1 && from->samples_down == 1)
        ops->means(out, from->values[0] + at, from->quantizers[0], (size_t)from->width);
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
