/* SPDX-License-Identifier: MIT */
/* Canned samples whose figures were worked out by hand, or are those of the papers. */
#include "bench/statistics.h"

#include <glib.h>

#define N(samples) (sizeof(samples) / sizeof *(samples))

static void
assert_near(double value, double wanted)
{
    g_assert_cmpfloat_with_epsilon(value, wanted, 1e-9);
}

static void
test_quantiles_are_of_type_7(void)
{
    static const double samples[] = {40, 10, 30, 20}, one[] = {7};

    assert_near(bt_statistics_quantile(samples, 4, 0), 10);
    assert_near(bt_statistics_quantile(samples, 4, 0.25), 17.5);
    assert_near(bt_statistics_quantile(samples, 4, 0.5), 25);
    assert_near(bt_statistics_quantile(samples, 4, 0.9), 37);
    assert_near(bt_statistics_quantile(samples, 4, 1), 40);
    assert_near(bt_statistics_quantile(one, 1, 0.99), 7);
    g_assert_cmpfloat(samples[0], ==, 40);
}

/* 1 1 2 2 4 6 9: the median is 2, the distances 1 1 0 0 2 4 7. */
static void
test_median_and_mad(void)
{
    static const double samples[] = {9, 1, 2, 6, 4, 1, 2};

    assert_near(bt_statistics_median(samples, N(samples)), 2);
    assert_near(bt_statistics_mad(samples, N(samples)), 1);
}

static void
test_spread_finds_what_stands_out(void)
{
    /* Median 10, MAD 0.1: a score of 10 is 1.4826 away. */
    static const double inside[] = {9.9, 10, 10.1, 9.8, 10.2, 11.4},
                        outside[] = {9.9, 10, 10.1, 9.85, 10.15, 12};
    static const double same[] = {3, 3, 3, 3, 3, 3};
    BtSpread spread = bt_statistics_spread(outside, N(outside));

    g_assert_cmpuint(bt_statistics_spread(inside, N(inside)).n_outliers, ==, 0);
    g_assert_cmpuint(spread.n_outliers, ==, 1);
    assert_near(spread.least, 9.85);
    assert_near(spread.most, 12);
    g_assert_cmpuint(bt_statistics_spread(same, N(same)).n_outliers, ==, 0);
}

static void
test_ratio_has_an_interval_about_it(void)
{
    static const double below[] = {1.00, 1.02, 0.98, 1.01, 0.99, 1.00, 1.03, 0.97};
    static const double above[] = {2.00, 2.10, 1.90, 2.05, 1.95, 2.00, 2.15, 1.85};
    BtInterval ratio = bt_statistics_ratio(above, below, N(below));
    BtInterval again = bt_statistics_ratio(above, below, N(below));

    assert_near(ratio.value, 2);
    g_assert_cmpfloat(ratio.low, <=, ratio.value);
    g_assert_cmpfloat(ratio.high, >=, ratio.value);
    g_assert_cmpfloat(ratio.low, >=, 1.85 / 1.03);
    g_assert_cmpfloat(ratio.high, <=, 2.15 / 0.97);
    g_assert_cmpfloat(ratio.low, ==, again.low);
    g_assert_cmpfloat(ratio.high, ==, again.high);
}

/* A round that was slow for both does not make their ratio less certain. */
static void
test_ratio_pairs_rounds(void)
{
    static const double below[] = {1, 2, 4, 8, 16}, above[] = {3, 6, 12, 24, 48};
    BtInterval ratio = bt_statistics_ratio(above, below, N(below));

    assert_near(ratio.low, 3);
    assert_near(ratio.value, 3);
    assert_near(ratio.high, 3);
}

static void
test_amdahl_is_found_again(void)
{
    static const double workers[] = {1, 1, 2, 4, 8}, seconds[] = {10, 10, 6, 4, 3};
    BtAmdahl fit;

    g_assert_true(bt_statistics_amdahl(workers, seconds, N(workers), &fit));
    assert_near(fit.fixed, 2);
    assert_near(fit.shared, 8);
    assert_near(bt_statistics_speed_up(&fit, 4), 2.5);
}

static void
test_amdahl_has_no_part_below_zero(void)
{
    static const double workers[] = {1, 2}, faster[] = {10, 4}, slower[] = {10, 12};
    static const double same[] = {3, 3, 3};
    BtAmdahl fit;

    g_assert_true(bt_statistics_amdahl(workers, faster, 2, &fit));
    g_assert_cmpfloat(fit.fixed, ==, 0);
    assert_near(fit.shared, (10 + 4 / 2.0) / (1 + 1 / 4.0));
    g_assert_true(bt_statistics_amdahl(workers, slower, 2, &fit));
    g_assert_cmpfloat(fit.shared, ==, 0);
    assert_near(fit.fixed, 11);
    g_assert_false(bt_statistics_amdahl(same, same, 3, &fit));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/statistics/quantiles", test_quantiles_are_of_type_7);
    g_test_add_func("/statistics/median-and-mad", test_median_and_mad);
    g_test_add_func("/statistics/outliers", test_spread_finds_what_stands_out);
    g_test_add_func("/statistics/ratio", test_ratio_has_an_interval_about_it);
    g_test_add_func("/statistics/ratio-pairs-rounds", test_ratio_pairs_rounds);
    g_test_add_func("/statistics/amdahl", test_amdahl_is_found_again);
    g_test_add_func("/statistics/amdahl-bounds", test_amdahl_has_no_part_below_zero);
    return g_test_run();
}
