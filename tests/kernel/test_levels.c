/* SPDX-License-Identifier: MIT */
/*
 * Every level of the kernel against the reference "c", on pictures of random shape and worst-case
 * content, in memory that ends at a page without access: neither rows nor result may be touched
 * outside.
 *
 * Bound: levels differ in how products are rounded before they are added. Each of n taps adds at
 * most 2^-24 of the range, so results differ by far less than a level before rounding, and by at
 * most one level after it. Where colours are divided by alpha the difference grows by the same
 * factor, so there it is measured times alpha.
 */
#include "kernel/kernel.h"
#include "kernel/plan.h"

#include <glib.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define N_PICTURES 150

typedef enum Fill {
    FILL_NOISE,
    FILL_EXTREMES,
    FILL_ALTERNATING,
    FILL_DOTS,
    FILL_LEAST,
    FILL_MOST,
    FILL_COUNT
} Fill;

/* Bytes between two pages without access; they touch the second, or the first. */
typedef struct Guarded {
    uint8_t *map;
    size_t map_bytes;
    uint8_t *data;
} Guarded;

static Guarded
guarded_new(size_t size_bytes, bool at_end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inner = (size_bytes + page - 1) / page * page;
    Guarded self = {.map_bytes = inner + 2 * page};

    self.map = mmap(NULL, self.map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(self.map != MAP_FAILED);
    g_assert_cmpint(mprotect(self.map + page, inner, PROT_READ | PROT_WRITE), ==, 0);
    self.data = self.map + page + (at_end ? inner - size_bytes : 0);
    return self;
}

static void
guarded_clear(Guarded *self)
{
    g_assert_cmpint(munmap(self->map, self->map_bytes), ==, 0);
}

static size_t
row_bytes(const BtKernelPicture *picture, int width)
{
    return (size_t)width * (size_t)picture->bands * picture->depth;
}

static BtKernelDepth
result_depth(const BtKernelPicture *picture)
{
    return picture->deep_result ? BT_KERNEL_U16 : picture->depth;
}

static int
merged(int out, int merge)
{
    return merge > 1 ? (out - 1) / merge + 1 : out;
}

static size_t
result_row_bytes(const BtKernelPicture *picture)
{
    return (size_t)merged(picture->out_width, picture->merge_x) * (size_t)picture->bands *
           result_depth(picture);
}

static size_t
result_bytes(const BtKernelPicture *picture)
{
    return result_row_bytes(picture) * (size_t)merged(picture->out_height, picture->merge_y);
}

static int
random_side(void)
{
    return g_test_rand_bit() ? g_test_rand_int_range(1, 12) : g_test_rand_int_range(1, 170);
}

static BtKernelPicture
random_picture(void)
{
    static const double sigmas[] = {0, 0.4, 1, 2.5, 6, 15, 60};
    BtKernelPicture picture = {
        .in_width = random_side(),
        .in_height = random_side(),
        .box = g_test_rand_int_range(1, 9),
        .bands = g_test_rand_int_range(1, BT_KERNEL_BANDS_MAX + 1),
        .depth = g_test_rand_bit() ? BT_KERNEL_U8 : BT_KERNEL_U16,
        .deep_result = g_test_rand_bit(),
        .merge_x = g_test_rand_int_range(0, 4),
        .merge_y = g_test_rand_int_range(0, 4),
        .alpha = g_test_rand_bit(),
        .linear = g_test_rand_bit(),
        .sigma = sigmas[g_test_rand_int_range(0, G_N_ELEMENTS(sigmas))],
    };

    picture.pitch_x = picture.pitch_y = 1 << g_test_rand_int_range(0, 4);
    if (g_test_rand_bit())
        picture.pitch_x += 0.3;
    picture.source_width = (int)(picture.in_width * picture.pitch_x);
    picture.source_height = (int)(picture.in_height * picture.pitch_y);
    picture.out_width = g_test_rand_int_range(1, MIN(picture.source_width, 150) + 1);
    picture.out_height = g_test_rand_int_range(1, MIN(picture.source_height, 150) + 1);
    return picture;
}

static void
fill(uint8_t *bytes, size_t n, Fill kind)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = kind == FILL_MOST          ? 255
                   : kind == FILL_LEAST       ? 0
                   : kind == FILL_DOTS        ? (uint8_t)(i % 1009 == 500 ? 255 : 0)
                   : kind == FILL_ALTERNATING ? (uint8_t)(i % 2 * 255)
                   : kind == FILL_EXTREMES    ? (uint8_t)(g_test_rand_bit() ? 255 : 0)
                                              : (uint8_t)g_test_rand_int_range(0, 256);
}

/* The whole picture, pushed `at_a_time` rows at a time; result_stride is that of packed rows. */
static void
run(BtKernel *kernel, const BtKernelPicture *picture, const uint8_t *rows, uint8_t *result,
    int at_a_time)
{
    size_t stride = row_bytes(picture, picture->in_width);

    g_assert_true(bt_kernel_start(kernel, picture, result, (ptrdiff_t)result_row_bytes(picture)));
    for (int y = 0; y < picture->in_height; y += at_a_time)
        bt_kernel_push(kernel, rows + (size_t)y * stride, (ptrdiff_t)stride,
                       MIN(at_a_time, picture->in_height - y));
    bt_kernel_finish(kernel);
}

static int
level_at(const BtKernelPicture *picture, const uint8_t *samples, size_t i)
{
    uint16_t wide;

    if (result_depth(picture) == BT_KERNEL_U8)
        return samples[i];
    memcpy(&wide, samples + 2 * i, sizeof wide);
    return wide;
}

static void
compare(const BtKernelPicture *picture, const uint8_t *expected, const uint8_t *found)
{
    size_t bands = (size_t)picture->bands;
    size_t n = result_bytes(picture) / result_depth(picture);
    double most = result_depth(picture) == BT_KERNEL_U8 ? 255 : 65535;

    for (size_t i = 0; i < n; i++) {
        size_t alpha_at = i / bands * bands + bands - 1;
        bool is_colour = picture->alpha && i != alpha_at;
        double share = is_colour ? level_at(picture, expected, alpha_at) / most : 1;
        int difference = abs(level_at(picture, expected, i) - level_at(picture, found, i));

        g_assert_cmpfloat(difference * share, <=, 1);
    }
}

static void
check_picture(BtKernel *reference, BtKernel *kernel, const BtKernelPicture *picture)
{
    static const int pushes[] = {1, 7, G_MAXINT};
    size_t in_bytes = row_bytes(picture, picture->in_width) * (size_t)picture->in_height;
    size_t out_bytes = result_bytes(picture);
    Guarded rows = guarded_new(in_bytes, g_test_rand_bit());
    g_autofree uint8_t *expected = g_malloc(out_bytes), *first = g_malloc(out_bytes);

    fill(rows.data, in_bytes, (Fill)g_test_rand_int_range(0, FILL_COUNT));
    run(reference, picture, rows.data, expected, 5);
    for (size_t i = 0; i < G_N_ELEMENTS(pushes); i++) {
        Guarded result = guarded_new(out_bytes, i % 2 == 0);

        run(kernel, picture, rows.data, result.data, pushes[i]);
        compare(picture, expected, result.data);
        if (i == 0)
            memcpy(first, result.data, out_bytes);
        g_assert_cmpmem(first, out_bytes, result.data, out_bytes);
        guarded_clear(&result);
    }
    guarded_clear(&rows);
}

static void
test_level(const void *level)
{
    BtKernel *reference = bt_kernel_new("c"), *kernel = bt_kernel_new(level);

    for (int i = 0; i < N_PICTURES; i++) {
        BtKernelPicture picture = random_picture();

        check_picture(reference, kernel, &picture);
    }
    bt_kernel_free(kernel);
    bt_kernel_free(reference);
}

/* Rows of a larger picture, bottom up: strides are the caller's. */
static void
test_strides(void)
{
    BtKernelPicture picture = {.source_width = 40,
                               .source_height = 30,
                               .in_width = 40,
                               .in_height = 30,
                               .pitch_x = 1,
                               .pitch_y = 1,
                               .box = 1,
                               .out_width = 20,
                               .out_height = 15,
                               .bands = 3,
                               .depth = BT_KERNEL_U8,
                               .sigma = 1};
    BtKernel *kernel = bt_kernel_new(bt_kernel_level());
    uint8_t packed[30][120], apart[30][150], expected[15][60], found[15][70];

    fill(packed[0], sizeof packed, FILL_NOISE);
    for (int y = 0; y < 30; y++)
        memcpy(apart[29 - y], packed[y], 120);
    run(kernel, &picture, packed[0], expected[0], 30);
    memset(found, 7, sizeof found);
    g_assert_true(bt_kernel_start(kernel, &picture, found[14], -70));
    bt_kernel_push(kernel, apart[29], -150, 30);
    bt_kernel_finish(kernel);
    for (int y = 0; y < 15; y++) {
        g_assert_cmpmem(expected[y], 60, found[14 - y], 60);
        for (int x = 60; x < 70; x++)
            g_assert_cmpint(found[y][x], ==, 7);
    }
    bt_kernel_free(kernel);
}

/* A ramp that is wider than what is added up at once, each band with an offset of its own. */
static void
test_wide(void)
{
    enum {
        WIDTH = 3000,
        OUT = 100
    };
    BtKernelPicture picture = {.source_width = WIDTH,
                               .source_height = 2,
                               .in_width = WIDTH,
                               .in_height = 2,
                               .pitch_x = 1,
                               .pitch_y = 1,
                               .box = 2,
                               .out_width = OUT,
                               .out_height = 1,
                               .bands = 3,
                               .depth = BT_KERNEL_U16,
                               .sigma = 9};
    BtKernel *kernel = bt_kernel_new(bt_kernel_level());
    uint16_t rows[2 * WIDTH * 3], result[OUT * 3];

    for (int i = 0; i < 2 * WIDTH * 3; i++)
        rows[i] = (uint16_t)(i / 3 % WIDTH * 20 + i % 3 * 1000);
    run(kernel, &picture, (const uint8_t *)rows, (uint8_t *)result, 1);
    for (int i = 4 * 3; i < (OUT - 4) * 3; i++) {
        double x = (i / 3 + 0.5) * WIDTH / OUT - 0.5;

        g_assert_cmpfloat_with_epsilon(result[i], x * 20 + i % 3 * 1000, 1);
    }
    bt_kernel_free(kernel);
}

/* A picture that was dropped half way, and one that was refused, leave no trace in the next. */
static void
test_dropped(void)
{
    BtKernelPicture picture = {.source_width = 64,
                               .source_height = 64,
                               .in_width = 64,
                               .in_height = 64,
                               .pitch_x = 1,
                               .pitch_y = 1,
                               .box = 3,
                               .out_width = 9,
                               .out_height = 9,
                               .bands = 1,
                               .depth = BT_KERNEL_U8,
                               .sigma = 3};
    BtKernelPicture refused = picture;
    BtKernel *kernel = bt_kernel_new(bt_kernel_level()), *fresh = bt_kernel_new(bt_kernel_level());
    uint8_t rows[64 * 64], expected[81], found[81];

    fill(rows, sizeof rows, FILL_NOISE);
    run(fresh, &picture, rows, expected, 64);
    g_assert_true(bt_kernel_start(kernel, &picture, found, 9));
    bt_kernel_push(kernel, rows, 64, 31);
    refused.out_width = 65;
    g_assert_false(bt_kernel_start(kernel, &refused, found, 65));
    run(kernel, &picture, rows, found, 64);
    g_assert_cmpmem(expected, sizeof expected, found, sizeof found);
    bt_kernel_free(kernel);
    bt_kernel_free(fresh);
}

/* What a kernel keeps from picture to picture changes no byte: each picture differs from the one
 * before in one thing. */
static void
test_reused(void)
{
    BtKernelPicture picture = {.source_width = 48,
                               .source_height = 48,
                               .in_width = 48,
                               .in_height = 48,
                               .pitch_x = 1,
                               .pitch_y = 1,
                               .box = 1,
                               .out_width = 9,
                               .out_height = 9,
                               .bands = 2,
                               .depth = BT_KERNEL_U8,
                               .sigma = 3};
    BtKernel *kernel = bt_kernel_new(bt_kernel_level());
    uint8_t rows[48 * 48 * 4 * 2], expected[48 * 48 * 4 * 2], found[48 * 48 * 4 * 2];

    fill(rows, sizeof rows, FILL_NOISE);
    for (int i = 0; i <= 12; i++) {
        BtKernel *fresh = bt_kernel_new(bt_kernel_level());

        picture.sigma = i == 1 ? 8 : picture.sigma;
        picture.out_width = i == 2 ? 31 : picture.out_width;
        picture.out_height = i == 3 ? 31 : picture.out_height;
        picture.box = i == 4 ? 3 : picture.box;
        picture.pitch_x = i == 5 ? 1.5 : picture.pitch_x;
        picture.alpha = i >= 6;
        picture.linear = i >= 7;
        picture.depth = i >= 8 && i < 12 ? BT_KERNEL_U16 : BT_KERNEL_U8;
        picture.source_height = i >= 9 ? 60 : 48;
        picture.in_height = i >= 10 ? 44 : 48;
        picture.merge_x = i >= 11 ? 2 : 0;
        picture.deep_result = i >= 12;
        run(fresh, &picture, rows, expected, 48);
        run(kernel, &picture, rows, found, 48);
        g_assert_cmpmem(expected, result_bytes(&picture), found, result_bytes(&picture));
        bt_kernel_free(fresh);
    }
    bt_kernel_free(kernel);
}

static void
test_bounds(void)
{
    BtKernelPicture good = {.source_width = 8,
                            .source_height = 8,
                            .in_width = 8,
                            .in_height = 8,
                            .pitch_x = 1,
                            .pitch_y = 1,
                            .box = 1,
                            .out_width = 8,
                            .out_height = 8,
                            .bands = 1,
                            .depth = BT_KERNEL_U8,
                            .sigma = 1};
    BtKernelPicture bad[15];
    BtKernel *kernel = bt_kernel_new("c");
    uint8_t result[64];

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        bad[i] = good;
    bad[0].out_width = 0;
    bad[1].out_height = 9;
    bad[2].in_width = 0;
    bad[3].in_height = -1;
    bad[4].box = 0;
    bad[5].pitch_x = 0.99;
    bad[6].pitch_y = (double)INFINITY;
    bad[7].bands = 5;
    bad[8].depth = (BtKernelDepth)4;
    bad[9].sigma = -1;
    bad[10].sigma = (double)NAN;
    bad[11].sigma = 2 * BT_KERNEL_SIGMA_MAX;
    bad[12].merge_x = -1;
    bad[13].merge_y = BT_KERNEL_MERGE_MAX + 1;
    bad[14].box = BT_KERNEL_BOX_MAX + 1;
    g_assert_true(bt_kernel_start(kernel, &good, result, 8));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(bt_kernel_start(kernel, &bad[i], result, 8));
    bt_kernel_free(kernel);
    bt_kernel_free(NULL);
}

static void
test_forced(void)
{
    const char *const *levels = bt_kernel_levels();
    g_autofree char *forced = g_strdup(g_getenv("BT_CPU"));
    int n = 0;

    while (levels[n] != NULL)
        n++;
    g_assert_cmpstr(levels[n - 1], ==, "c");
#if defined __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        bool wide = __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");

        g_assert_cmpstr(levels[0], ==, wide ? "avx512" : "avx2");
    }
#endif
    for (int i = 0; i < n; i++) {
        g_setenv("BT_CPU", levels[i], true);
        g_assert_cmpstr(bt_kernel_level(), ==, levels[i]);
        g_assert_true(bt_kernel_level_is_valid());
    }
    g_setenv("BT_CPU", "abacus", true);
    g_assert_cmpstr(bt_kernel_level(), ==, levels[0]);
    g_assert_false(bt_kernel_level_is_valid());
    g_unsetenv("BT_CPU");
    g_assert_cmpstr(bt_kernel_level(), ==, levels[0]);
    g_assert_true(bt_kernel_level_is_valid());
    if (forced != NULL)
        g_setenv("BT_CPU", forced, true);
}

/* Every level joins to the same bytes, within a rounding of the formula in doubles, and writes
 * nothing beyond: any number of pixels, extremes included. */
static void
test_join(void)
{
    enum {
        MOST = 300
    };
    static const uint16_t extremes[] = {0, 1, 32767, 32896, 65534, 65535};
    uint16_t y[MOST], cb[MOST], cr[MOST];
    uint8_t expected[3 * MOST], first[3 * MOST], rgb[3 * MOST + 1];

    for (int n = 0; n < MOST; n += 1 + n / 8) {
        for (int i = 0; i < n; i++) {
            y[i] = i < 6 ? extremes[i] : (uint16_t)g_test_rand_int_range(0, 65536);
            cb[i] = i < 6 ? extremes[5 - i] : (uint16_t)g_test_rand_int_range(0, 65536);
            cr[i] = i < 6 ? extremes[(i + 3) % 6] : (uint16_t)g_test_rand_int_range(0, 65536);
        }
        for (int i = 0; i < n; i++) {
            double luma = y[i] / 257.0, blue = cb[i] / 257.0 - 128, red = cr[i] / 257.0 - 128;
            double levels[] = {luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red,
                               luma + 1.772 * blue};

            for (int c = 0; c < 3; c++)
                expected[3 * i + c] = (uint8_t)(CLAMP(levels[c], 0, 255) + 0.5);
        }
        for (const char *const *level = bt_kernel_levels(); *level != NULL; level++) {
            BtKernel *kernel = bt_kernel_new(*level);

            rgb[3 * n] = 0xa5;
            bt_kernel_join_ycc(kernel, rgb, y, cb, cr, (size_t)n);
            g_assert_cmpint(rgb[3 * n], ==, 0xa5);
            for (int i = 0; i < 3 * n; i++)
                g_assert_cmpint(ABS(rgb[i] - expected[i]), <=, 1);
            if (level != bt_kernel_levels())
                g_assert_cmpmem(rgb, 3 * (size_t)n, first, 3 * (size_t)n);
            memcpy(first, rgb, 3 * (size_t)n);
            bt_kernel_free(kernel);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (const char *const *level = bt_kernel_levels(); *level != NULL; level++) {
        g_autofree char *path = g_strdup_printf("/kernel/levels/%s", *level);

        g_test_add_data_func(path, *level, test_level);
    }
    g_test_add_func("/kernel/levels/strides", test_strides);
    g_test_add_func("/kernel/levels/wide", test_wide);
    g_test_add_func("/kernel/levels/dropped", test_dropped);
    g_test_add_func("/kernel/levels/reused", test_reused);
    g_test_add_func("/kernel/levels/bounds", test_bounds);
    g_test_add_func("/kernel/levels/forced", test_forced);
    g_test_add_func("/kernel/levels/join", test_join);
    return g_test_run();
}
