/* SPDX-License-Identifier: MIT */
/*
 * The weights of the fused blur-and-shrink, one axis at a time. Pure: libc and libm only.
 *
 * A picture of `source` px along an axis, of which every `pitch` px were averaged to one sample
 * (by the decoder and by box averages), becomes `out` px in one pass:
 *
 *     out[i] = sum over t < n_taps of weights[i * stride + t] * sample[first[i] + t]
 *
 * The weight of sample j for output pixel i is K((j + 1/2) pitch - (i + 1/2) source/out), in source
 * px, where K is a Gaussian of variance sigma'^2 = sigma^2 - (pitch^2 - 1)/12 (what the averages
 * have blurred already is taken off) convolved with the Lanczos-3 filter of the scale source/out;
 * where sigma' is so large that the filter changes nothing K is the Gaussian alone. Where sigma'^2
 * is negative, K is the filter plus sigma'^2/2 of its second derivative, which undoes the averages'
 * blur. At pitch 1 the two discrete filters are composed instead, edges included, just as the
 * definition in the README says. Taps outside the picture go to its outermost sample (edge pixels
 * repeated). Tails that weigh less than 4e-6 are left out. Each row of weights sums to 1.
 *
 * Where px of the result are merged, a row is the mean of their rows: i counts what is left.
 *
 * Every row has the same number of taps, and rows 2k and 2k + 1 begin at the same sample, so that
 * two rows can be made from one reading of the samples. first[] is non-decreasing and
 * first[i] + n_taps <= samples (where there are fewer samples than taps, n_taps is the number of
 * samples).
 *
 * Source: Lanczos-3 as in Turkowski, "Filters for Common Resampling Tasks" (1990); variance of a
 * box of p equal samples (p^2 - 1)/12.
 */
#ifndef BT_KERNEL_PLAN_H
#define BT_KERNEL_PLAN_H

#include <stdbool.h>

typedef struct BtAxis {
    int source;   /* px of the picture at full size, >= 1 */
    int samples;  /* px that are left after averaging, >= 1; usually ceil(source / pitch) */
    double pitch; /* source px from one sample to the next, >= 1 */
    int out;      /* px of the result, 1 <= out <= source */
    int merge;    /* of which so many are averaged to one, the last ones repeated; 0 as 1: none */
} BtAxis;

typedef struct BtWeights {
    int n_out;
    int n_taps;
    int stride;     /* floats from one row of weights to the next, >= n_taps, padded with zeros */
    int *first;     /* [n_out] */
    float *weights; /* [n_out * stride], 64-byte aligned */
} BtWeights;

/* The shrink for one picture: the largest power of two s with s <= max(1, sigma/1.8, scale/4).
 * sigma >= 0 and scale >= 1, both in source px. What averages let through from beyond their own
 * limit stays then within 3 levels of 255 even for text and bars of full contrast (with scale/2 it
 * would be 12), and mostly within 1. */
int bt_plan_shrink(double sigma, double scale);

/* The size of the result: fits box_width x box_height, keeps the aspect ratio, never enlarges; a
 * side is max(1, round(side / scale)). Returns scale = max(1, w/box_width, h/box_height). */
double bt_plan_fit(int width, int height, int box_width, int box_height, int *out_width,
                   int *out_height);

/* Fills out_weights; false when memory is short. The caller clears it. */
bool bt_weights_init(BtWeights *out_weights, const BtAxis *axis, double sigma);
void bt_weights_clear(BtWeights *self);

#endif
