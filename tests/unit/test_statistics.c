/* SPDX-License-Identifier: MIT */
/* Canned samples whose figures were worked out by hand. */
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

static void
test_spread_is_the_quartiles(void)
{
    static const double samples[] = {9, 1, 2, 6, 4, 1, 2};
    BtSpread spread = bt_statistics_spread(samples, N(samples));

    assert_near(spread.low, 1.5);
    assert_near(spread.median, 2);
    assert_near(spread.high, 5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/statistics/quantiles", test_quantiles_are_of_type_7);
    g_test_add_func("/statistics/spread", test_spread_is_the_quartiles);
    return g_test_run();
}
