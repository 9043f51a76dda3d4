/* SPDX-License-Identifier: MIT */
#include "bench/statistics.h"

#include <glib.h>
#include <stdlib.h>

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double
bt_statistics_quantile(const double *samples, size_t n, double p)
{
    g_autofree double *sorted = g_memdup2(samples, n * sizeof *samples);
    double position = p * (double)(n - 1);
    size_t below = (size_t)position, above = MIN(below + 1, n - 1);

    qsort(sorted, n, sizeof *sorted, compare);
    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

BtSpread
bt_statistics_spread(const double *samples, size_t n)
{
    return (BtSpread){
        .low = bt_statistics_quantile(samples, n, 0.25),
        .median = bt_statistics_quantile(samples, n, 0.5),
        .high = bt_statistics_quantile(samples, n, 0.75),
    };
}
