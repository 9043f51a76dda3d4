/* SPDX-License-Identifier: MIT */
/*
 * Times every level of the kernel on one 24 MP picture per way of use, levels in turns, rows pushed
 * as decoders hand them out: the median of some runs in ms, source and result px per cycle, and how
 * much of the roof that is.
 *
 *   bench_kernel [LEVEL]
 *
 * Cycles come from the processor's counter where the system allows it, else from the time of a
 * chain of additions, one per cycle, around each run.
 *
 * The roof is the least number of cycles of a core that loads two vectors, multiplies and adds two
 * and stores one in each, of as many floats as the level has lanes (sse2 and neon: 4, avx2: 8,
 * avx512: 16; c: 1; sse2 multiplies and adds in two steps), were nothing ever waited for. A stage
 * costs what its worst resource does, and stages follow one another:
 *
 *   sums         loads: the rows' bytes; operations: one per sample, of 16-bit lanes where samples
 *                have 8 bits, of floats where they have 16, two more where premultiplied
 *   averages     one operation per sum
 *   rows         a multiply-add per tap, sample of a shrunk row and row of the result
 *   columns      a multiply-add per tap and sample of the result
 *   turning      a load and a store per float, once before the columns and once after them
 */
#include "kernel/kernel.h"
#include "kernel/plan.h"

#include <glib.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RUNS       7
#define ROWS       16 /* that are pushed at a time, the same ones again and again */
#define LEVELS_MAX 8

typedef struct Case {
    const char *name;
    BtKernelPicture picture;
} Case;

typedef struct Timer {
    int fd; /* of the counter of cycles, or -1 */
} Timer;

typedef struct Span {
    double ms;
    double cycles;
} Span;

#define SOURCE    .source_width = 6000, .source_height = 4000, .out_width = 1200, .out_height = 800
#define FULL      .in_width = 6000, .in_height = 4000, .pitch_x = 1, .pitch_y = 1
#define EIGHTH    .in_width = 750, .in_height = 500, .pitch_x = 8, .pitch_y = 8
#define SIXTEENTH .in_width = 375, .in_height = 250, .pitch_x = 16, .pitch_y = 16
#define GREY      .bands = 1, .depth = BT_KERNEL_U8
#define RGB       .bands = 3, .depth = BT_KERNEL_U8
#define RGBA      .bands = 4, .depth = BT_KERNEL_U8, .alpha = true
#define RGB_16    .bands = 3, .depth = BT_KERNEL_U16

static const Case cases[] = {
    {"JPEG luma", {SOURCE, EIGHTH, GREY, .box = 1, .sigma = 15}},
    {"  to 16 bit", {SOURCE, EIGHTH, GREY, .box = 1, .sigma = 15, .deep_result = true}},
    {"  16 bit", {SOURCE, EIGHTH, .bands = 1, .depth = BT_KERNEL_U16, .box = 1, .sigma = 15}},
    {"  sigma 150", {SOURCE, EIGHTH, GREY, .box = 8, .sigma = 150}},
    {"JPEG chroma 1/2", {SOURCE, SIXTEENTH, GREY, .box = 1, .sigma = 15}},
    {"  merged 2 x 2",
     {SOURCE, SIXTEENTH, GREY, .box = 1, .sigma = 15, .merge_x = 2, .merge_y = 2}},
    {"RGB box 8", {SOURCE, FULL, RGB, .box = 8, .sigma = 15}},
    {"  linear", {SOURCE, FULL, RGB, .box = 8, .sigma = 15, .linear = true}},
    {"  16 bit", {SOURCE, FULL, RGB_16, .box = 8, .sigma = 15}},
    {"  RGBA", {SOURCE, FULL, RGBA, .box = 8, .sigma = 15}},
    {"  sigma 150", {SOURCE, FULL, RGB, .box = 64, .sigma = 150}},
    {"  sigma 5", {SOURCE, FULL, RGB, .box = 2, .sigma = 5}},
    {"  sigma 0", {SOURCE, FULL, RGB, .box = 1, .sigma = 0}},
    {"  exact", {SOURCE, FULL, RGB, .box = 1, .sigma = 15}},
};

static double
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static Timer
timer_open(void)
{
    struct perf_event_attr counter = {.type = PERF_TYPE_HARDWARE,
                                      .size = sizeof counter,
                                      .config = PERF_COUNT_HW_CPU_CYCLES,
                                      .exclude_kernel = 1,
                                      .exclude_hv = 1};

    return (Timer){.fd = (int)syscall(SYS_perf_event_open, &counter, 0, -1, -1, 0)};
}

static double
read_counter(const Timer *timer)
{
    uint64_t count = 0;

    return timer->fd >= 0 && read(timer->fd, &count, sizeof count) == sizeof count ? (double)count
                                                                                   : 0;
}

static double
cycles_per_ms(void)
{
    enum {
        STEPS = 1000000
    };
    double begun = now_ms();
    uint64_t sum = 0, step = 3;

    for (int i = 0; i < STEPS; i++) {
        sum += step;
        __asm__ volatile("" : "+r"(sum), "+r"(step));
    }
    return STEPS / (now_ms() - begun);
}

static Span
run(const Timer *timer, BtKernel *kernel, const BtKernelPicture *picture, const void *rows,
    void *result)
{
    ptrdiff_t stride = (ptrdiff_t)picture->depth * picture->bands * picture->in_width;
    double before = timer->fd < 0 ? cycles_per_ms() : 0;
    double counted = read_counter(timer), begun = now_ms();
    Span span;

    g_assert_true(bt_kernel_start(kernel, picture, result, picture->out_width * 8));
    for (int y = 0; y < picture->in_height; y += ROWS)
        bt_kernel_push(kernel, rows, stride, MIN(ROWS, picture->in_height - y));
    bt_kernel_finish(kernel);
    span.ms = now_ms() - begun;
    span.cycles =
        timer->fd >= 0 ? read_counter(timer) - counted : span.ms * (before + cycles_per_ms()) / 2;
    return span;
}

static int
taps(int source, int in, double pitch, int box, int out, int merge, double sigma)
{
    BtAxis axis = {source, (in - 1) / box + 1, pitch * box, out, merge};
    BtWeights weights;
    int n_taps;

    g_assert_true(bt_weights_init(&weights, &axis, sigma));
    n_taps = weights.n_taps;
    bt_weights_clear(&weights);
    return n_taps;
}

/* Cycles of a stage, its work counted in vectors. */
static double
stage(double loads, double operations, double stores)
{
    return MAX(MAX(loads / 2, operations / 2), stores);
}

/* The roof of the header, in cycles. */
static double
roof(const char *level, const BtKernelPicture *p)
{
    double lanes = g_str_equal(level, "c")        ? 1
                   : g_str_equal(level, "avx2")   ? 8
                   : g_str_equal(level, "avx512") ? 16
                                                  : 4;
    double steps = g_str_equal(level, "sse2") ? 2 : 1;
    double in = (double)p->in_width * p->in_height * p->bands / lanes;
    double merge_x = MAX(p->merge_x, 1), merge_y = MAX(p->merge_y, 1);
    double out_rows = p->out_height / merge_y;
    double tall = out_rows * p->in_width / p->box * p->bands / lanes;
    double out = out_rows * p->out_width / merge_x * p->bands / lanes;
    double down = taps(p->source_height, p->in_height, p->pitch_y, p->box, p->out_height,
                       p->merge_y, p->sigma);
    double across =
        taps(p->source_width, p->in_width, p->pitch_x, p->box, p->out_width, p->merge_x, p->sigma);
    double sums = in / p->box, per_sample = (p->depth == BT_KERNEL_U8 ? 0.5 : 1) + 2 * p->alpha;

    return stage(in * p->depth / 4, in * per_sample, sums) +
           (p->box > 1 ? stage(sums, sums, sums / p->box) : 0) +
           stage(tall * down / 2, tall * down * steps, tall) + stage(tall, 0, tall) +
           stage(out * across / 2, out * across * steps, out) + stage(out, 0, out);
}

static int
compare_spans(const void *a, const void *b)
{
    const Span *one = a, *other = b;

    return (one->ms > other->ms) - (one->ms < other->ms);
}

static void
time_case(const Timer *timer, const Case *c, const char *const *levels)
{
    const BtKernelPicture *picture = &c->picture;
    size_t n_bytes = (size_t)picture->in_width * (size_t)picture->bands * picture->depth * ROWS;
    g_autofree uint8_t *rows = g_malloc(n_bytes);
    g_autofree uint8_t *result = g_malloc((size_t)picture->out_width * 8 * 800);
    double source_px = (double)picture->source_width * picture->source_height;
    double result_px = (double)picture->out_width * picture->out_height;
    BtKernel *kernels[LEVELS_MAX];
    Span spans[LEVELS_MAX][RUNS];

    for (size_t i = 0; i < n_bytes; i++)
        rows[i] = (uint8_t)(i * 2654435761u >> 13);
    for (int i = 0; levels[i] != NULL; i++)
        kernels[i] = bt_kernel_new(levels[i]);
    for (int n = -1; n < RUNS; n++) /* the first one makes plans and buffers */
        for (int i = 0; levels[i] != NULL; i++)
            spans[i][MAX(n, 0)] = run(timer, kernels[i], picture, rows, result);
    for (int i = 0; levels[i] != NULL; i++) {
        Span *median = &spans[i][RUNS / 2];

        qsort(spans[i], RUNS, sizeof *spans[i], compare_spans);
        printf("%-16s %-6s %9.2f ms %7.2f %7.3f px/cycle %5.0f %% of the roof\n", c->name,
               levels[i], median->ms, source_px / median->cycles, result_px / median->cycles,
               100 * roof(levels[i], picture) / median->cycles);
        bt_kernel_free(kernels[i]);
    }
    fflush(stdout);
}

static void
time_plan(int source, double pitch, int out, double sigma)
{
    BtAxis axis = {source, (int)(source / pitch), pitch, out, 1};
    double best = 1e9;
    int n_taps = 0;

    for (int n = 0; n < RUNS; n++) {
        BtWeights weights;
        double begun = now_ms();

        g_assert_true(bt_weights_init(&weights, &axis, sigma));
        best = MIN(best, now_ms() - begun);
        n_taps = weights.n_taps;
        bt_weights_clear(&weights);
    }
    printf("plan %d -> %d, pitch %g, sigma %g: %d taps, %.3f ms\n", source, out, pitch, sigma,
           n_taps, best);
}

int
main(int argc, char **argv)
{
    const char *only[] = {argc > 1 ? argv[1] : NULL, NULL};
    Timer timer = timer_open();

    printf("cycles: %s\n", timer.fd >= 0 ? "counted" : "estimated from a chain of additions");
    time_plan(6000, 8, 1200, 15);
    time_plan(5997, 8, 1199, 15);
    time_plan(6000, 64, 1200, 150);
    time_plan(6000, 1, 1200, 15);
    time_plan(6000, 1, 1199, 15);
    printf("%-16s %-6s %12s %7s %7s\n", "", "", "", "source", "result");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        time_case(&timer, &cases[i], argc > 1 ? only : bt_kernel_levels());
    return EXIT_SUCCESS;
}
