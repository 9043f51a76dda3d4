/* SPDX-License-Identifier: MIT */
/*
 * What a handful of samples say. Pure.
 *
 * Medians rather than means, since whatever disturbs a run makes it slower; no sample is left out.
 * n >= 1 finite samples, in any order, which stay as they are.
 */
#ifndef BT_BENCH_STATISTICS_H
#define BT_BENCH_STATISTICS_H

#include <stddef.h>

typedef struct BtSpread {
    double low, median, high; /* the quartiles */
} BtSpread;

/* The share p, 0 to 1, of the samples is below it; between two samples in a straight line: type 7
 * of Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996). */
double bt_statistics_quantile(const double *samples, size_t n, double p);

BtSpread bt_statistics_spread(const double *samples, size_t n);

#endif
