/* SPDX-License-Identifier: MIT */
/*
 * From a level (of 8 or 16 bits) to the intensity that sRGB encodes by it, times the greatest
 * level, and back. Pure. Private to the kernel room.
 *
 * Follows: IEC 61966-2-1, 5.2 and 5.3.
 */
#ifndef BT_KERNEL_CURVE_H
#define BT_KERNEL_CURVE_H

#include <math.h>
#include <stdbool.h>

/* Over the square root the encoding is so nearly straight that chords of this many steps leave at
 * most h^2/8 * 26 = 2e-7 of the range (26: twice the slope 12.92 of the curve's straight piece). */
#define BT_CURVE_STEPS 4096

typedef struct BtCurve {
    int most;      /* the greatest level: 255 or 65535; 0 before init */
    float *values; /* [most + 1]: of each level */
    float *levels; /* [BT_CURVE_STEPS + 2]: by sqrt(value / most) in equal steps */
} BtCurve;

/* self is cleared or zeroed. False when memory is short. */
bool bt_curve_init(BtCurve *self, int most);
void bt_curve_clear(BtCurve *self);

/* n values become levels in place, not rounded, clamped to 0 ... most,
 * and within 1/50 of a 16-bit level of the formula. Inline: once for each level of the kernel. */
static inline void
bt_curve_encode(const BtCurve *self, float *restrict values, int n)
{
    const float *levels = self->levels;
    float most = (float)self->most;

    for (int i = 0; i < n; i++) {
        float value = values[i] > 0 ? values[i] : 0;
        float position = sqrtf((value < most ? value : most) / most) * BT_CURVE_STEPS;
        int k = (int)position;

        values[i] = levels[k] + (position - (float)k) * (levels[k + 1] - levels[k]);
    }
}

#endif
