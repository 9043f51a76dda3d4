/* SPDX-License-Identifier: MIT */
/*
 * What a handful of samples say. Pure: the same samples give the same figures, bit for bit.
 *
 * Medians rather than means, since what disturbs a run only ever makes it slower; no sample is left
 * out. All functions want n >= 1 and finite samples, in any order, and leave them as they are.
 *
 * Sources
 *   quantiles    Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), type 7
 *   outliers     modified z-score 0.6745 (x - median) / MAD of Iglewicz and Hoaglin, "How to Detect
 *                and Handle Outliers" (1993); beyond 10, as in hyperfine's outlier_detection.rs,
 *                where they suggest 3.5, which five samples exceed too often
 *   intervals    percentile bootstrap, Efron, "Bootstrap Methods" (1979); whole rounds are drawn
 *   speed-up     Amdahl, "Validity of the Single Processor Approach" (1967)
 */
#ifndef BT_BENCH_STATISTICS_H
#define BT_BENCH_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct BtSpread {
    size_t n;
    double median, low, high; /* the quartiles */
    double least, most;
    size_t n_outliers;
} BtSpread;

/* A figure and the 95 % interval about it. */
typedef struct BtInterval {
    double value, low, high;
} BtInterval;

/* Seconds with n workers: fixed + shared / n. */
typedef struct BtAmdahl {
    double fixed, shared;
} BtAmdahl;

/* The share p, 0 to 1, of the samples is below it; between two samples in a straight line. */
double bt_statistics_quantile(const double *samples, size_t n, double p);

double bt_statistics_median(const double *samples, size_t n);

/* The median of the distances from the median. */
double bt_statistics_mad(const double *samples, size_t n);

BtSpread bt_statistics_spread(const double *samples, size_t n);

/* Median of above over median of below, where sample i of both is from round i. Below is > 0. */
BtInterval bt_statistics_ratio(const double *above, const double *below, size_t n);

/* The nearest line in 1 / workers, by least squares, neither part below 0. False with fewer than
 * two different numbers of workers. */
bool bt_statistics_amdahl(const double *workers, const double *seconds, size_t n,
                          BtAmdahl *out_fit);

/* How many times as fast as one worker n would be. */
double bt_statistics_speed_up(const BtAmdahl *fit, double workers);

#endif
