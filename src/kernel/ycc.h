/* SPDX-License-Identifier: MIT */
/*
 * One pixel from Y, Cb, Cr of 16 bits to R, G, B of 8: ITU-T T.871, full range. Pure.
 *
 * Integers throughout, so that every level gives the same bytes, and compilers make vectors of it
 * without being allowed to change what floats do.
 */
#ifndef BT_KERNEL_YCC_H
#define BT_KERNEL_YCC_H

#include <stdint.h>

#define BT_YCC_FIXED(x) ((int32_t)((x)*16384 + 0.5)) /* 14 bits: products with 17 fit 32 */
#define BT_YCC_ZERO     (128 * 257)                  /* of Cb and Cr */

/* From 16 bits, and beyond, to the nearest level of 8. */
static inline uint32_t
bt_ycc_to_u8(int32_t wide)
{
    wide = wide > 0 ? wide : 0;
    wide = wide < UINT16_MAX ? wide : UINT16_MAX;
    return (uint32_t)(wide * 255 + 32895) >> 16;
}

/* R in the lowest byte, then G, then B. */
static inline uint32_t
bt_ycc_to_rgb(int32_t y, int32_t cb, int32_t cr)
{
    int32_t blue = cb - BT_YCC_ZERO, red = cr - BT_YCC_ZERO;
    int32_t green = BT_YCC_FIXED(0.344136) * blue + BT_YCC_FIXED(0.714136) * red;

    return bt_ycc_to_u8(y + ((BT_YCC_FIXED(1.402) * red) >> 14)) |
           bt_ycc_to_u8(y - (green >> 14)) << 8 |
           bt_ycc_to_u8(y + ((BT_YCC_FIXED(1.772) * blue) >> 14)) << 16;
}

#endif
