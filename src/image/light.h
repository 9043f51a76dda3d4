/* SPDX-License-Identifier: MIT */
/*
 * To sRGB, by code points or by gAMA and cHRM. Worker; pure; lcms2 for matrices.
 *
 * Samples become light, light the primaries of sRGB, and that samples of sRGB. Colours outside its
 * gamut move towards grey of the same luminance and hue.
 *
 * PQ and HLG become SDR whose white is at 203 cd/m2. The brightest of the three colours decides how
 * far all of them are dimmed, so that hue stays. Detail ends at 1000 cd/m2; what is brighter is
 * white.
 *
 * Follows: ITU-T H.273, tables 2 and 3 (code points); ITU-R BT.2100-2, table 4 (PQ) and table 5
 * (HLG, its OOTF for 1000 cd/m2); BT.2390-11, 5.4.1 (EETF); BT.2408-7, 2.2 (reference white);
 * IEC 61966-2-1 (sRGB); Bradford for whites that are not D65.
 *
 * BT.709, BT.601 and BT.2020 give the curve of a camera and none of a screen: such pictures are
 * shown, and taken here, with that of sRGB. So is a gAMA of 0.45455, which writers of sRGB use.
 */
#ifndef BT_IMAGE_LIGHT_H
#define BT_IMAGE_LIGHT_H

#include "image/colour.h"

typedef struct BtLight {
    float curve[65536]; /* sample -> light; 1 is white, 203 cd/m2 */
    float matrix[3][3]; /* to sRGB's primaries */
    float luminance[3]; /* of the picture's primaries */
    bool deep;          /* 16 bits a sample, else 8 */
    bool hlg, hdr;
} BtLight;

/* Values that are unknown or make no sense count as sRGB's. False where memory is short. */
bool bt_light_prepare(BtLight *self, const BtCoding *coding, bool deep);

/* Pixels of 1 or 3 colours, grey being neutral; in and out may be the same. */
void bt_light_apply(const BtLight *self, const void *in, void *out, size_t n_px, int colours,
                    bool alpha);

#endif
