/* SPDX-License-Identifier: MIT */
/*
 * Times every level of the kernel on one 24 MP picture per way of use: ms per picture (the best of
 * some runs), multiply-adds of the two combining passes per ns, and ns per pushed sample.
 *
 *   bench_kernel [LEVEL]
 */
#include "kernel/kernel.h"
#include "kernel/plan.h"

#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS 5

typedef struct Case {
    const char *name;
    BtKernelPicture picture;
} Case;

#define SOURCE_6000_4000 .source_width = 6000, .source_height = 4000
#define OUT_1200_800     .out_width = 1200, .out_height = 800
#define FULL             .in_width = 6000, .in_height = 4000, .pitch_x = 1, .pitch_y = 1
#define EIGHTH           .in_width = 750, .in_height = 500, .pitch_x = 8, .pitch_y = 8
#define RGB              .bands = 3, .depth = BT_KERNEL_U8
#define RGBA             .bands = 4, .depth = BT_KERNEL_U8, .alpha = true

static const Case cases[] = {
    {"decoded at 1/8", {SOURCE_6000_4000, OUT_1200_800, EIGHTH, RGB, .box = 1, .sigma = 15}},
    {"  RGBA", {SOURCE_6000_4000, OUT_1200_800, EIGHTH, RGBA, .box = 1, .sigma = 15}},
    {"  linear",
     {SOURCE_6000_4000, OUT_1200_800, EIGHTH, RGB, .box = 1, .sigma = 15, .linear = true}},
    {"box 8", {SOURCE_6000_4000, OUT_1200_800, FULL, RGB, .box = 8, .sigma = 15}},
    {"  16 bit",
     {SOURCE_6000_4000, OUT_1200_800, FULL, .bands = 3, .depth = BT_KERNEL_U16, .box = 8,
      .sigma = 15}},
    {"  RGBA", {SOURCE_6000_4000, OUT_1200_800, FULL, RGBA, .box = 8, .sigma = 15}},
    {"box 2", {SOURCE_6000_4000, OUT_1200_800, FULL, RGB, .box = 2, .sigma = 0}},
    {"exact", {SOURCE_6000_4000, OUT_1200_800, FULL, RGB, .box = 1, .sigma = 15}},
};

static double
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double
run_ms(BtKernel *kernel, const BtKernelPicture *picture, const void *rows, void *result)
{
    ptrdiff_t sample = (ptrdiff_t)picture->depth * picture->bands;
    double begun = now_ms();

    g_assert_true(bt_kernel_start(kernel, picture, result, picture->out_width * sample));
    bt_kernel_push(kernel, rows, picture->in_width * sample, picture->in_height);
    bt_kernel_finish(kernel);
    return now_ms() - begun;
}

static int
taps(int source, int in, double pitch, const BtKernelPicture *picture, int out)
{
    BtAxis axis = {source, (in - 1) / picture->box + 1, pitch * picture->box, out};
    BtWeights weights;
    int n_taps;

    g_assert_true(bt_weights_init(&weights, &axis, picture->sigma));
    n_taps = weights.n_taps;
    bt_weights_clear(&weights);
    return n_taps;
}

static double
multiply_adds(const BtKernelPicture *p)
{
    double across = taps(p->source_width, p->in_width, p->pitch_x, p, p->out_width);
    double down = taps(p->source_height, p->in_height, p->pitch_y, p, p->out_height);

    return p->bands * (double)p->out_height * (down * p->in_width / p->box + across * p->out_width);
}

static void
time_case(const char *level, const Case *c)
{
    const BtKernelPicture *picture = &c->picture;
    size_t n_in = (size_t)picture->in_width * (size_t)picture->in_height * (size_t)picture->bands;
    size_t n_out =
        (size_t)picture->out_width * (size_t)picture->out_height * (size_t)picture->bands;
    g_autofree uint8_t *rows = g_malloc(n_in * picture->depth);
    g_autofree uint8_t *result = g_malloc(n_out * picture->depth);
    BtKernel *kernel = bt_kernel_new(level);
    double first, best;

    for (size_t i = 0; i < n_in * picture->depth; i++)
        rows[i] = (uint8_t)(i * 2654435761u >> 13);
    first = best = run_ms(kernel, picture, rows, result);
    for (int run = 1; run < RUNS; run++)
        best = MIN(best, run_ms(kernel, picture, rows, result));
    printf("%-8s %-16s first %8.2f ms, then %8.2f ms  %6.2f multiply-adds/ns %6.3f ns/sample\n",
           level, c->name, first, best, multiply_adds(picture) / best / 1e6,
           best * 1e6 / (double)n_in);
    fflush(stdout);
    bt_kernel_free(kernel);
}

static void
time_plan(int source, int samples, double pitch, int out, double sigma)
{
    BtAxis axis = {source, samples, pitch, out};
    double best = 1e9;
    int n_taps = 0;

    for (int run = 0; run < RUNS; run++) {
        BtWeights weights;
        double begun = now_ms();

        g_assert_true(bt_weights_init(&weights, &axis, sigma));
        best = MIN(best, now_ms() - begun);
        n_taps = weights.n_taps;
        bt_weights_clear(&weights);
    }
    printf("plan     %d -> %d, pitch %g, sigma %g: %d taps, %.3f ms\n", source, out, pitch, sigma,
           n_taps, best);
}

int
main(int argc, char **argv)
{
    time_plan(6000, 750, 8, 1200, 15);
    time_plan(6000, 6000, 1, 1200, 15);
    time_plan(6000, 6000, 1, 1199, 15);
    time_plan(6000, 6000, 1, 1200, 150);
    time_plan(6000, 6000, 1, 1199, 150);
    for (const char *const *level = bt_kernel_levels(); *level != NULL; level++)
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
            if (argc < 2 || strcmp(argv[1], *level) == 0)
                time_case(*level, &cases[i]);
    return EXIT_SUCCESS;
}
