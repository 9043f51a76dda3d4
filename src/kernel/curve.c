/* SPDX-License-Identifier: MIT */
#include "kernel/curve.h"

#include <math.h>
#include <stdlib.h>

/* Over the square root the encoding is so nearly straight that chords of this many steps leave at
 * most h^2/8 * 26 = 2e-7 of the range (26: twice the slope 12.92 of the curve's straight piece). */
#define STEPS 4096

static double
decode_srgb(double x)
{
    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

static double
encode_srgb(double x)
{
    return x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
}

bool
bt_curve_init(BtCurve *self, int most, bool linear)
{
    *self = (BtCurve){.most = most, .linear = linear};
    self->values = malloc(((size_t)most + 1) * sizeof *self->values);
    if (linear)
        self->levels = malloc((STEPS + 2) * sizeof *self->levels);
    if (self->values == NULL || (linear && self->levels == NULL)) {
        bt_curve_clear(self);
        return false;
    }
    for (int i = 0; i <= most; i++)
        self->values[i] = linear ? (float)(most * decode_srgb((double)i / most)) : (float)i;
    for (int k = 0; linear && k < STEPS + 2; k++) {
        double root = (double)k / STEPS;

        self->levels[k] = (float)(most * encode_srgb(root * root));
    }
    return true;
}

void
bt_curve_clear(BtCurve *self)
{
    free(self->values);
    free(self->levels);
    *self = (BtCurve){0};
}

void
bt_curve_encode(const BtCurve *self, float *values, int n)
{
    float most = (float)self->most;

    for (int i = 0; i < n; i++) {
        float value = values[i] < 0 ? 0 : values[i] > most ? most : values[i];
        float position = sqrtf(value / most) * STEPS;
        int k = (int)position;
        const float *level = self->levels + k;

        values[i] = level[0] + (position - (float)k) * (level[1] - level[0]);
    }
}
