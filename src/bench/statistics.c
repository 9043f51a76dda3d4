/* SPDX-License-Identifier: MIT */
#include "bench/statistics.h"

#include <glib.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define OUTLIER_SCORE 10.0
#define NORMAL_MAD    0.6745 /* of a normal distribution of deviation 1 */
#define N_DRAWS       2000
#define CONFIDENCE    0.95
#define DISTINCT      1e-9 /* squares that are more than rounding */

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double *
sorted_copy(const double *samples, size_t n)
{
    double *sorted = g_memdup2(samples, n * sizeof *samples);

    qsort(sorted, n, sizeof *sorted, compare);
    return sorted;
}

static double
quantile_of_sorted(const double *sorted, size_t n, double p)
{
    double position = p * (double)(n - 1);
    size_t below = (size_t)position, above = MIN(below + 1, n - 1);

    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

double
bt_statistics_quantile(const double *samples, size_t n, double p)
{
    g_autofree double *sorted = sorted_copy(samples, n);

    return quantile_of_sorted(sorted, n, p);
}

double
bt_statistics_median(const double *samples, size_t n)
{
    return bt_statistics_quantile(samples, n, 0.5);
}

double
bt_statistics_mad(const double *samples, size_t n)
{
    g_autofree double *distances = g_new(double, n);
    double median = bt_statistics_median(samples, n);

    for (size_t i = 0; i < n; i++)
        distances[i] = fabs(samples[i] - median);
    return bt_statistics_median(distances, n);
}

BtSpread
bt_statistics_spread(const double *samples, size_t n)
{
    g_autofree double *sorted = sorted_copy(samples, n);
    double mad = bt_statistics_mad(samples, n);
    BtSpread spread = {
        .n = n,
        .median = quantile_of_sorted(sorted, n, 0.5),
        .low = quantile_of_sorted(sorted, n, 0.25),
        .high = quantile_of_sorted(sorted, n, 0.75),
        .least = sorted[0],
        .most = sorted[n - 1],
    };

    for (size_t i = 0; i < n; i++)
        spread.n_outliers +=
            mad > 0 && NORMAL_MAD * fabs(samples[i] - spread.median) / mad > OUTLIER_SCORE;
    return spread;
}

/* SplitMix64 of Steele, Lea and Flood (2014): ours, so that figures do not depend on the libc. */
static size_t
draw(uint64_t *state, size_t n)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((z ^ (z >> 31)) % n);
}

BtInterval
bt_statistics_ratio(const double *above, const double *below, size_t n)
{
    g_autofree double *ratios = g_new(double, N_DRAWS);
    g_autofree double *drawn_above = g_new(double, n), *drawn_below = g_new(double, n);
    uint64_t state = 0;

    for (size_t i = 0; i < N_DRAWS; i++) {
        for (size_t k = 0; k < n; k++) {
            size_t round = draw(&state, n);

            drawn_above[k] = above[round];
            drawn_below[k] = below[round];
        }
        ratios[i] = bt_statistics_median(drawn_above, n) / bt_statistics_median(drawn_below, n);
    }
    return (BtInterval){
        .value = bt_statistics_median(above, n) / bt_statistics_median(below, n),
        .low = bt_statistics_quantile(ratios, N_DRAWS, (1 - CONFIDENCE) / 2),
        .high = bt_statistics_quantile(ratios, N_DRAWS, (1 + CONFIDENCE) / 2),
    };
}

bool
bt_statistics_amdahl(const double *workers, const double *seconds, size_t n, BtAmdahl *out_fit)
{
    double x_mean = 0, y_mean = 0, xx = 0, xy = 0, through = 0, squares = 0, slope;

    for (size_t i = 0; i < n; i++) {
        x_mean += 1 / workers[i] / (double)n;
        y_mean += seconds[i] / (double)n;
        through += seconds[i] / workers[i];
        squares += 1 / workers[i] / workers[i];
    }
    for (size_t i = 0; i < n; i++) {
        xx += (1 / workers[i] - x_mean) * (1 / workers[i] - x_mean);
        xy += (1 / workers[i] - x_mean) * (seconds[i] - y_mean);
    }
    if (xx < DISTINCT)
        return false;
    slope = xy / xx;
    if (slope < 0)
        *out_fit = (BtAmdahl){.fixed = y_mean, .shared = 0};
    else if (slope * x_mean > y_mean)
        *out_fit = (BtAmdahl){.fixed = 0, .shared = through / squares};
    else
        *out_fit = (BtAmdahl){.fixed = y_mean - slope * x_mean, .shared = slope};
    return true;
}

double
bt_statistics_speed_up(const BtAmdahl *fit, double workers)
{
    return (fit->fixed + fit->shared) / (fit->fixed + fit->shared / workers);
}
