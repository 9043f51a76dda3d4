/* SPDX-License-Identifier: MIT */
#include "kernel/curve.h"

#include <math.h>
#include <stdlib.h>

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
bt_curve_init(BtCurve *self, int most)
{
    *self = (BtCurve){.most = most};
    self->values = malloc(((size_t)most + 1) * sizeof *self->values);
    self->levels = malloc((BT_CURVE_STEPS + 2) * sizeof *self->levels);
    if (self->values == NULL || self->levels == NULL) {
        bt_curve_clear(self);
        return false;
    }
    for (int i = 0; i <= most; i++)
        self->values[i] = (float)(most * decode_srgb((double)i / most));
    for (int k = 0; k < BT_CURVE_STEPS + 2; k++) {
        double root = (double)k / BT_CURVE_STEPS;

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
