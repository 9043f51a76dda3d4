/* SPDX-License-Identifier: MIT */
/* What every plan of weights must be, whatever it is for; and the arithmetic of sizes. */
#include "kernel/plan.h"

#include <glib.h>
#include <math.h>

static void
check_rows(const BtWeights *weights, const BtAxis *axis)
{
    g_assert_cmpint(weights->n_out, ==, (axis->out - 1) / MAX(axis->merge, 1) + 1);
    g_assert_cmpint(weights->n_taps, >=, 1);
    g_assert_cmpint(weights->n_taps, <=, axis->samples);
    g_assert_cmpint(weights->stride, >=, weights->n_taps);
    g_assert_cmpuint((gsize)weights->weights % 64, ==, 0);
    for (int i = 0; i < weights->n_out; i++) {
        const float *row = weights->weights + (gsize)i * (gsize)weights->stride;
        double total = 0;

        g_assert_cmpint(weights->first[i], >=, i > 0 ? weights->first[i - 1] : 0);
        g_assert_cmpint(weights->first[i] + weights->n_taps, <=, axis->samples);
        if (i % 2 == 1)
            g_assert_cmpint(weights->first[i], ==, weights->first[i - 1]);
        for (int t = 0; t < weights->n_taps; t++)
            total += (double)row[t];
        g_assert_cmpfloat(fabs(total - 1), <=, 1e-6);
        for (int t = weights->n_taps; t < weights->stride; t++)
            g_assert_cmpfloat((double)row[t], ==, 0);
    }
}

/* Any picture, pitch and sigma, as far from sense as the contract allows. */
static void
test_rows(void)
{
    static const double sigmas[] = {0, 0.1, 0.45, 1, 3, 10, 15, 40, 150};

    for (int i = 0; i < 3000; i++) {
        BtAxis axis = {.source = g_test_rand_int_range(1, i % 4 == 0 ? 8 : 700), .pitch = 1};
        BtWeights weights;

        if (i % 3 != 0)
            axis.pitch =
                i % 2 == 0 ? 1 << g_test_rand_int_range(0, 8) : g_test_rand_double_range(1, 20);
        axis.samples = (int)ceil(axis.source / axis.pitch);
        axis.out = g_test_rand_int_range(1, axis.source + 1);
        axis.merge = g_test_rand_int_range(0, 4);
        g_assert_true(bt_weights_init(&weights, &axis, sigmas[i % (int)G_N_ELEMENTS(sigmas)]));
        check_rows(&weights, &axis);
        bt_weights_clear(&weights);
        g_assert_null(weights.first);
    }
}

typedef struct Moments {
    double first, second; /* about the centre of the output pixel, source px */
} Moments;

static Moments
row_moments(const BtWeights *weights, const BtAxis *axis, int i)
{
    double centre = (i + 0.5) * axis->source / axis->out;
    Moments self = {0};

    for (int t = 0; t < weights->n_taps; t++) {
        double weight = (double)weights->weights[i * weights->stride + t];
        double x = (weights->first[i] + t + 0.5) * axis->pitch - centre;

        self.first += weight * x;
        self.second += weight * x * x;
    }
    return self;
}

/* Far from the edges a row of weights has its centre of gravity where the output pixel's centre is,
 * also where samples lie a fraction apart: pictures do not move. And whatever the pitch, averages
 * and weights together have the variance of the plan without averages: so do the two without sigma,
 * where the averages alone blur more than was asked for. */
static void
check_moments(int out, double sigma, double pitch)
{
    BtAxis exact = {.source = 2000, .samples = 2000, .pitch = 1, .out = out};
    BtAxis axis = {.source = 2000, .samples = (int)ceil(2000 / pitch), .pitch = pitch, .out = out};
    double averages = (pitch * pitch - 1) / 12;
    BtWeights expected, weights;

    g_assert_true(bt_weights_init(&expected, &exact, sigma));
    g_assert_true(bt_weights_init(&weights, &axis, sigma));
    for (int i = out / 8; i < out - out / 8; i++) {
        Moments whole = row_moments(&expected, &exact, i), part = row_moments(&weights, &axis, i);

        g_assert_cmpfloat(fabs(part.first), <=, 0.02);
        g_assert_cmpfloat(fabs(part.second + averages - whole.second), <=, 0.1 * averages);
    }
    bt_weights_clear(&weights);
    bt_weights_clear(&expected);
}

static void
test_moments(void)
{
    check_moments(433, 15, 2);
    check_moments(433, 15, 3.97);
    check_moments(433, 15, 8);
    check_moments(433, 15, 8.011);
    check_moments(240, 0, 2);
    check_moments(120, 0, 4);
    check_moments(120, 0.8, 3.3);
}

/* Nothing to do: every pixel stays where and what it is. */
static void
test_identity(void)
{
    BtAxis axis = {.source = 50, .samples = 50, .pitch = 1, .out = 50};
    BtWeights weights;

    g_assert_true(bt_weights_init(&weights, &axis, 0));
    for (int i = 0; i < 50; i++)
        for (int t = 0; t < weights.n_taps; t++)
            g_assert_cmpfloat(fabs((double)weights.weights[i * weights.stride + t] -
                                   (weights.first[i] + t == i ? 1 : 0)),
                              <=, 1e-6);
    bt_weights_clear(&weights);
}

static void
test_shrink(void)
{
    static const struct {
        double sigma, scale;
        int shrink;
    } cases[] = {
        {0, 1, 1},    {0, 5, 1},   {0, 7.99, 1}, {0, 8, 2},      {0, 16, 4},   {3.5, 1, 1},
        {3.6, 1, 2},  {5, 1, 2},   {5, 12, 2},   {15, 1, 8},     {15, 5, 8},   {14.3, 5, 4},
        {14.4, 5, 8}, {40, 5, 16}, {150, 5, 64}, {150, 300, 64}, {1, 300, 64}, {1e9, 1, 16384},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(bt_plan_shrink(cases[i].sigma, cases[i].scale), ==, cases[i].shrink);
}

static void
test_fit(void)
{
    static const struct {
        int width, height, box_width, box_height, out_width, out_height;
    } cases[] = {
        {6000, 4000, 1200, 1200, 1200, 800},  {4000, 6000, 1200, 1200, 800, 1200},
        {1200, 1200, 1200, 1200, 1200, 1200}, {1201, 1200, 1200, 1200, 1200, 1199},
        {640, 480, 1200, 1200, 640, 480},     {1, 1, 1200, 1200, 1, 1},
        {1, 50000, 1200, 1200, 1, 1200},      {50000, 1, 1200, 1200, 1200, 1},
        {6000, 4000, 300, 2000, 300, 200},    {3000, 1999, 1200, 1200, 1200, 800},
        {3000, 1001, 1200, 1200, 1200, 400},  {2400, 5, 1200, 1200, 1200, 3},
        {1000000, 999999, 1200, 7, 7, 7},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int width, height;
        double scale = bt_plan_fit(cases[i].width, cases[i].height, cases[i].box_width,
                                   cases[i].box_height, &width, &height);

        g_assert_cmpint(width, ==, cases[i].out_width);
        g_assert_cmpint(height, ==, cases[i].out_height);
        g_assert_cmpfloat(scale, >=, 1);
    }
    for (int i = 0; i < 20000; i++) {
        int source_width = g_test_rand_int_range(1, 20000),
            source_height = g_test_rand_int_range(1, 20000);
        int box_width = g_test_rand_int_range(1, 3000), box_height = g_test_rand_int_range(1, 3000);
        int width, height;

        bt_plan_fit(source_width, source_height, box_width, box_height, &width, &height);
        g_assert_true(width >= 1 && width <= MIN(source_width, box_width));
        g_assert_true(height >= 1 && height <= MIN(source_height, box_height));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel/plan/rows", test_rows);
    g_test_add_func("/kernel/plan/moments", test_moments);
    g_test_add_func("/kernel/plan/identity", test_identity);
    g_test_add_func("/kernel/plan/shrink", test_shrink);
    g_test_add_func("/kernel/plan/fit", test_fit);
    return g_test_run();
}
