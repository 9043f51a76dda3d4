/* SPDX-License-Identifier: MIT */
/*
 * What a file says about its colours besides a profile, as it stands there. Pure.
 *
 * Code points are those of ITU-T H.273 (CICP): nclx in AVIF and HEIC, cICP in PNG. gAMA and cHRM
 * are those of PNG, in 1/100000. All zero: it says nothing.
 */
#ifndef BT_IMAGE_CODING_H
#define BT_IMAGE_CODING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct BtCoding {
    int32_t primaries, transfer; /* code points */
    int32_t narrow;              /* 1: samples of 8 bits go from 16 to 235 */
    int32_t gamma;               /* gAMA */
    int32_t xy[8];               /* cHRM: white, red, green, blue */
} BtCoding;

static inline bool
bt_coding_is_hdr(const BtCoding *self)
{
    return self->transfer == 16 || self->transfer == 18; /* PQ, HLG */
}

#endif
