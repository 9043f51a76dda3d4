/* SPDX-License-Identifier: MIT */
/*
 * What stands for a level (of 8 or 16 bits) inside the kernel, and back: the level itself, or, in
 * linear light, the intensity that sRGB encodes by it, times the greatest level. Pure. Private to
 * the kernel room.
 *
 * Follows: IEC 61966-2-1, 5.2 and 5.3.
 */
#ifndef BT_KERNEL_CURVE_H
#define BT_KERNEL_CURVE_H

#include <stdbool.h>

typedef struct BtCurve {
    int most; /* the greatest level: 255 or 65535 */
    bool linear;
    float *values; /* [most + 1]: of each level */
    float *levels; /* of sqrt(value / most) in equal steps; NULL unless linear */
} BtCurve;

/* self is cleared or zeroed. False when memory is short. */
bool bt_curve_init(BtCurve *self, int most, bool linear);
void bt_curve_clear(BtCurve *self);

/* In linear light: n values become levels in place, not rounded, clamped to 0 ... most,
 * and within 1/50 of a 16-bit level of the formula. */
void bt_curve_encode(const BtCurve *self, float *values, int n);

#endif
