/* SPDX-License-Identifier: MIT */
/*
 * To sRGB, by a picture's ICC profile, or by what else it says of its colours (light.h). Worker;
 * lcms2.
 *
 *   BtColour *colour = bt_colour_new();                                once per worker
 *   if (bt_colour_prepare(colour, profile, size, &shape))
 *       bt_colour_apply(colour, in, out, n_px);                        any number of times
 *
 * Relative colorimetric with black point compensation, like photo editors. Grey stays grey, with
 * sRGB's curve. The last profile is remembered, since the photos of a camera share theirs.
 */
#ifndef BT_IMAGE_COLOUR_H
#define BT_IMAGE_COLOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a file says about its colours besides a profile; all zero: nothing. */
typedef struct BtCoding {
    int32_t primaries, transfer; /* code points of ITU-T H.273 (CICP): nclx, cICP */
    int32_t narrow;              /* 1: samples of 8 bits go from 16 to 235 */
    int32_t gamma;               /* gAMA of PNG, in 1/100000 */
    int32_t xy[8];               /* cHRM of PNG, in 1/100000: white, red, green, blue */
} BtCoding;

static inline bool
bt_coding_is_hdr(const BtCoding *self)
{
    return self->transfer == 16 || self->transfer == 18; /* PQ, HLG */
}

/* Of samples: interleaved, native byte order. */
typedef struct BtColourShape {
    int colours; /* bands besides alpha: 1 grey, 3 RGB, 4 CMYK (0 is no ink) */
    bool deep;   /* 16 bits a sample, else 8 */
    bool alpha;  /* one more band, which is copied */
} BtColourShape;

typedef struct BtColour BtColour;

BtColour *bt_colour_new(void);
void bt_colour_free(BtColour *self);

/* False where there is nothing to apply: the profile makes no sense, or is for other samples, or
 * moves no colour by more than 1 of 255, as sRGB's own does. */
bool bt_colour_prepare(BtColour *self, const void *profile, size_t size,
                       const BtColourShape *shape);

/* The same by a coding, for grey or RGB. */
bool bt_colour_prepare_coded(BtColour *self, const BtCoding *coding, const BtColourShape *shape);

/* The bands of a pixel afterwards: CMYK becomes RGB, else as before. */
int bt_colour_bands(const BtColour *self);

/* in and out may be the same where the number of bands stays. */
void bt_colour_apply(const BtColour *self, const void *in, void *out, size_t n_px);

#endif
