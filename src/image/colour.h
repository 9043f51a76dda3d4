/* SPDX-License-Identifier: MIT */
/*
 * To sRGB, by a picture's ICC profile, or by what else it says (light.h). Worker; lcms2.
 *
 *   BtColour *colour = bt_colour_new();                                once per worker
 *   if (bt_colour_prepare(colour, profile, size, &shape))
 *       bt_colour_apply(colour, in, out, n_px);                        any number of times
 *
 * Relative colorimetric with black point compensation, as photo editors do it. Grey stays grey,
 * with sRGB's curve. The profile that was prepared last is remembered: photos of one camera share
 * theirs.
 */
#ifndef BT_IMAGE_COLOUR_H
#define BT_IMAGE_COLOUR_H

#include "image/coding.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct BtColour BtColour;

/* Of the samples that a profile is for: interleaved, native byte order. */
typedef struct BtColourShape {
    int colours; /* bands besides alpha: 1 grey, 3 RGB, 4 CMYK (0 is no ink) */
    bool deep;   /* 16 bits a sample, else 8 */
    bool alpha;  /* one more band, which is carried over */
} BtColourShape;

BtColour *bt_colour_new(void);
void bt_colour_free(BtColour *self);

/* False where there is nothing to apply: the profile makes no sense, or is for other samples, or
 * moves no colour by more than a level of 8 bits, as sRGB's own does. */
bool bt_colour_prepare(BtColour *self, const void *profile, size_t size,
                       const BtColourShape *shape);

/* The same by a coding, for grey or RGB. */
bool bt_colour_prepare_coded(BtColour *self, const BtCoding *coding, const BtColourShape *shape);

/* How many bands a pixel has afterwards: CMYK becomes RGB, else as before. */
int bt_colour_bands(const BtColour *self);

/* n pixels; in and out may be the same where the number of bands stays. */
void bt_colour_apply(const BtColour *self, const void *in, void *out, size_t n_px);

#endif
