/* SPDX-License-Identifier: MIT */
/*
 * The kernel against the definition of its result, computed here in double from dense matrices that
 * share nothing with it: a Gaussian at full size (taps to 6 sigma, edge pixels repeated), then a
 * Lanczos-3 shrink (taps outside dropped, rows made to sum to 1).
 *
 * Errors are in levels of 255. "Inside" is 3 sigma and 4 output px from the edge: nearer, a shrunk
 * picture repeats averages instead of its outermost pixels.
 */
#include "kernel/kernel.h"
#include "kernel/plan.h"

#include <glib.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define SAMPLED 48 /* rows and columns of a result that are compared, at most */

typedef struct Gauge {
    double greatest; /* error */
    double psnr;     /* dB; 8-bit results against the unrounded oracle: 58.9 for rounding alone */
    int n;
} Gauge;

static double
lanczos_3(double x)
{
    double a = G_PI * x;

    return fabs(x) >= 3 ? 0 : fabs(x) < 1e-9 ? 1 : 3 * sin(a) * sin(a / 3) / (a * a);
}

/* Rows `step` apart of the product of the two matrices. */
static double *
oracle_axis(int source, int out, double sigma, int step)
{
    int reach = (int)ceil(6 * sigma), n = (out - 1) / step + 1;
    double scale = (double)source / out, whole = 0;
    double *matrix = g_new0(double, (gsize)n *(gsize)source);
    g_autofree double *bell = g_new(double, 2 * reach + 1);

    for (int d = -reach; d <= reach; d++)
        whole += bell[reach + d] = d == 0 ? 1 : exp(-d * d / (2 * sigma * sigma));
    for (int i = 0; i < n; i++) {
        double centre = (i * step + 0.5) * scale, total = 0;
        double *row = matrix + (gsize)i * (gsize)source;

        for (int j = 0; j < source; j++)
            total += lanczos_3((j + 0.5 - centre) / scale);
        for (int j = 0; j < source; j++) {
            double tap = lanczos_3((j + 0.5 - centre) / scale) / total / whole;

            for (int d = -reach; tap != 0 && d <= reach; d++)
                row[CLAMP(j + d, 0, source - 1)] += tap * bell[reach + d];
        }
    }
    return matrix;
}

/* The oracle's values of one band at rows and columns `step` apart; they lie `bands` apart. */
static double *
oracle(const double *values, int bands, const BtKernelPicture *p, int step)
{
    int nx = (p->out_width - 1) / step + 1, ny = (p->out_height - 1) / step + 1;
    g_autofree double *across = oracle_axis(p->source_width, p->out_width, p->sigma, step);
    g_autofree double *down = oracle_axis(p->source_height, p->out_height, p->sigma, step);
    g_autofree double *tall = g_new0(double, (gsize)ny *(gsize)p->source_width);
    double *result = g_new0(double, (gsize)nx *(gsize)ny);
    int w = p->source_width, h = p->source_height;

    for (int i = 0; i < ny; i++)
        for (int j = 0; j < h; j++)
            for (int x = 0; down[i * h + j] != 0 && x < w; x++)
                tall[i * w + x] += down[i * h + j] * values[(j * w + x) * bands];
    for (int i = 0; i < ny; i++)
        for (int k = 0; k < nx; k++)
            for (int x = 0; x < w; x++)
                result[i * nx + k] += across[k * w + x] * tall[i * w + x];
    return result;
}

static double
noise(int x, int y)
{
    uint32_t h = (uint32_t)x * 2654435761u ^ (uint32_t)y * 2246822519u;

    h = (h ^ h >> 15) * 2654435769u;
    h = (h ^ h >> 13) * 3266489917u;
    return (double)(h >> 8) / (1 << 24) - 0.5;
}

static double
smooth_noise(double x, double y)
{
    int i = (int)floor(x), j = (int)floor(y);
    double u = x - i, v = y - j;

    u *= u * (3 - 2 * u);
    v *= v * (3 - 2 * v);
    return (1 - v) * ((1 - u) * noise(i, j) + u * noise(i + 1, j)) +
           v * ((1 - u) * noise(i, j + 1) + u * noise(i + 1, j + 1));
}

/* Like a photo: a gradient, noise whose power falls with its frequency, objects with hard edges, a
 * window of black and white bars, and noise of the sensor. */
static uint16_t
photo_level(int x, int y)
{
    double level = 90 + 60 * sin(x / 300.0) + 0.05 * y;

    for (double size = 256, power = 90; size >= 2; size /= 2, power /= 1.7)
        level += power * smooth_noise(x / size, y / size);
    if (hypot(x % 310 - 150.0, y % 290 - 140.0) < 60)
        level = 235;
    if (x % 170 > 120 && y % 230 > 170)
        level = (x / 7 + y / 90) % 2 != 0 ? 250 : 8;
    level += 12 * noise(x + 5, y + 9);
    return (uint16_t)CLAMP(lround(level), 0, 255);
}

static uint16_t *
photo(int width, int height)
{
    uint16_t *levels = g_new(uint16_t, (gsize)width * (gsize)height);

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            levels[(gsize)y * (gsize)width + (gsize)x] = photo_level(x, y);
    return levels;
}

/* Any picture, as 16-bit samples; the result as 16-bit samples too, whatever the depth. */
static uint16_t *
run(const BtKernelPicture *picture, const uint16_t *levels)
{
    gsize n = (gsize)picture->in_width * (gsize)picture->in_height * (gsize)picture->bands;
    gsize n_out = (gsize)picture->out_width * (gsize)picture->out_height * (gsize)picture->bands;
    BtKernel *kernel = bt_kernel_new(bt_kernel_level());
    uint16_t *result = g_new0(uint16_t, n_out);
    g_autofree uint8_t *narrow = g_new(uint8_t, n), *narrow_result = g_new0(uint8_t, n_out);
    bool is_narrow = picture->depth == BT_KERNEL_U8, is_flat = is_narrow && !picture->deep_result;
    ptrdiff_t out_sample = picture->bands * (is_flat ? 1 : 2);
    int merge_x = MAX(picture->merge_x, 1);

    for (gsize i = 0; is_narrow && i < n; i++)
        narrow[i] = (uint8_t)levels[i];
    g_assert_true(bt_kernel_start(kernel, picture, is_flat ? (void *)narrow_result : (void *)result,
                                  ((picture->out_width - 1) / merge_x + 1) * out_sample));
    bt_kernel_push(kernel, is_narrow ? (const void *)narrow : (const void *)levels,
                   (ptrdiff_t)picture->depth * picture->bands * picture->in_width,
                   picture->in_height);
    bt_kernel_finish(kernel);
    for (gsize i = 0; is_flat && i < n_out; i++)
        result[i] = narrow_result[i];
    bt_kernel_free(kernel);
    return result;
}

static BtKernelPicture
grey(int width, int height, double scale, double sigma, int box)
{
    int longest = (int)lround(MAX(width, height) / scale);
    BtKernelPicture picture = {
        .source_width = width,
        .source_height = height,
        .in_width = width,
        .in_height = height,
        .pitch_x = 1,
        .pitch_y = 1,
        .box = box,
        .bands = 1,
        .depth = BT_KERNEL_U8,
        .sigma = sigma,
    };

    bt_plan_fit(width, height, longest, longest, &picture.out_width, &picture.out_height);
    return picture;
}

static bool
is_inside(int i, int source, int out, double sigma)
{
    double scale = (double)source / out, margin = 3 * sigma + 4 * scale;
    double centre = (i + 0.5) * scale;

    return centre >= margin && centre <= source - margin;
}

/* Compares where inside_only allows; the greatest error is of a 16-bit twin of the picture, so
 * that rounding has no part in it. */
static Gauge
gauge(const BtKernelPicture *picture, const uint16_t *levels, bool inside_only)
{
    gsize n = (gsize)picture->in_width * (gsize)picture->in_height;
    int step = (MAX(picture->out_width, picture->out_height) - 1) / SAMPLED + 1;
    int nx = (picture->out_width - 1) / step + 1;
    BtKernelPicture twin = *picture;
    g_autofree double *values = g_new(double, n);
    g_autofree uint16_t *wide = g_new(uint16_t, n);
    g_autofree double *expected = NULL;
    g_autofree uint16_t *narrow_result = NULL, *wide_result = NULL;
    double squares = 0;
    Gauge self = {0};

    twin.depth = BT_KERNEL_U16;
    for (gsize i = 0; i < n; i++) {
        values[i] = levels[i];
        wide[i] = (uint16_t)(levels[i] * 257);
    }
    expected = oracle(values, 1, picture, step);
    narrow_result = run(picture, levels);
    wide_result = run(&twin, wide);
    for (int y = 0; y < picture->out_height; y += step) {
        for (int x = 0; x < picture->out_width; x += step) {
            gsize at = (gsize)y * (gsize)picture->out_width + (gsize)x;
            double level = CLAMP(expected[y / step * nx + x / step], 0, 255);

            if (inside_only &&
                !(is_inside(x, picture->source_width, picture->out_width, picture->sigma) &&
                  is_inside(y, picture->source_height, picture->out_height, picture->sigma)))
                continue;
            self.greatest = MAX(self.greatest, fabs(wide_result[at] / 257.0 - level));
            squares += (narrow_result[at] - level) * (narrow_result[at] - level);
            self.n++;
        }
    }
    g_assert_cmpint(self.n, >, 0);
    self.psnr = 10 * log10(255.0 * 255 / (squares / self.n));
    return self;
}

static const double scales[] = {1, 1.25, 1.7, 2, 2.5, 3.36, 4, 5, 6.4, 8, 9.1, 12};

/* Where nothing is averaged only rounding to 16 bits (1/2 level) and the tails that are left out
 * (1/4 level each, of the greatest contrast) remain, everywhere. */
#define EXACT (1.0 / 257)

/* With the shrink that the plan asks for, as box averages. */
static void
check_shrunk(double sigma, double greatest, double psnr)
{
    int side = (int)(2 * (3 * sigma + 4 * 12) + 360);
    g_autofree uint16_t *levels = photo(side, side - 37);

    for (gsize i = 0; i<G_N_ELEMENTS(scales); i += sigma> 100 ? 3 : 1) {
        int shrink = bt_plan_shrink(sigma, scales[i]);
        BtKernelPicture picture = grey(side, side - 37, scales[i], sigma, shrink);
        Gauge found = gauge(&picture, levels, shrink > 1);

        g_test_message("sigma %g scale %g shrink %d: %.4f levels, %.2f dB", sigma, scales[i],
                       shrink, found.greatest, found.psnr);
        g_assert_cmpfloat(found.greatest, <=, shrink > 1 ? greatest : EXACT);
        g_assert_cmpfloat(found.psnr, >=, shrink > 1 ? psnr : 58.5);
    }
}

/* Here averages have blurred more than was asked for: without what undoes it, 56.5 dB. */
static void
test_sigma_small(void)
{
    check_shrunk(0, 2, 57);
    check_shrunk(0.5, 2, 57);
    check_shrunk(1, 2.5, 57);
    check_shrunk(2, 2.5, 57);
}

static void
test_sigma_5(void)
{
    check_shrunk(5, 2, 56);
}

static void
test_sigma_15(void)
{
    check_shrunk(15, 2, 56);
}

static void
test_sigma_40(void)
{
    check_shrunk(40, 2, 56);
}

static void
test_sigma_150(void)
{
    check_shrunk(150, 2, 56);
}

/* Any sigma, scale and size: every ratio of sigma to the shrink. */
static void
test_sigma_sweep(void)
{
    for (int i = 0; i < 16; i++) {
        double sigma = i == 0 ? 10 : g_test_rand_double_range(0, i < 11 ? 10 : 40);
        double scale = g_test_rand_double_range(1, 12);
        int width = (int)(2 * (3 * sigma + 4 * scale)) + g_test_rand_int_range(120, 200);
        int height = (int)(2 * (3 * sigma + 4 * scale)) + g_test_rand_int_range(120, 200);
        g_autofree uint16_t *levels = photo(width, height);
        BtKernelPicture picture = grey(width, height, scale, sigma, bt_plan_shrink(sigma, scale));
        Gauge found = gauge(&picture, levels, picture.box > 1);

        g_test_message("%d x %d, sigma %g, scale %g, shrink %d: %.4f levels, %.2f dB", width,
                       height, sigma, scale, picture.box, found.greatest, found.psnr);
        g_assert_cmpfloat(found.greatest, <=, picture.box > 1 ? 4 : EXACT);
        g_assert_cmpfloat(found.psnr, >=, 50);
    }
}

/* Nothing averaged: the definition, up to and with the edges, for pictures of any shape, black and
 * white. */
static void
test_exact(void)
{
    static const double sigmas[] = {0, 0.3, 0.8, 2, 7, 15, 40, 150};

    for (int i = 0; i < 60; i++) {
        int width = g_test_rand_int_range(1, i % 3 == 0 ? 4 : 130);
        int height = g_test_rand_int_range(1, i % 5 == 0 ? 4 : 130);
        double scale = g_test_rand_double_range(1, i % 2 == 0 ? 3 : 20);
        BtKernelPicture picture = grey(width, height, scale, sigmas[i % 8], 1);
        g_autofree uint16_t *levels = g_new(uint16_t, (gsize)width * (gsize)height);
        int across = g_test_rand_int_range(0, width), down = g_test_rand_int_range(0, height);

        for (int k = 0; k < width * height; k++)
            levels[k] = k % width < across || k / width < down ? 255 : 0;
        g_assert_cmpfloat(gauge(&picture, levels, false).greatest, <=, EXACT);
    }
}

/* Boxes averaged beforehand, as a decoder does, are boxes averaged by the kernel; so are both, one
 * after the other. The last ones are not whole: odd sides, so that all hold the outermost pixel. */
static void
test_decoder_boxes(void)
{
    int width = 531, height = 401, half_width = 266, half_height = 201;
    BtKernelPicture boxes = grey(width, height, 3.1, 15, 8), pushed = boxes;
    gsize n_out = (gsize)boxes.out_width * (gsize)boxes.out_height;
    g_autofree uint16_t *levels = photo(width, height), *found = NULL, *expected = NULL;
    g_autofree uint16_t *halves = g_new(uint16_t, (gsize)half_width * (gsize)half_height);

    for (int k = 0; k < width * height; k++)
        levels[k] = (uint16_t)(levels[k] * 257);
    for (int y = 0; y < half_height; y++)
        for (int x = 0; x < half_width; x++) {
            const uint16_t *above = levels + 2 * y * width;
            const uint16_t *below = levels + MIN(2 * y + 1, height - 1) * width;
            int left = 2 * x, right = MIN(2 * x + 1, width - 1);

            halves[y * half_width + x] =
                (uint16_t)((above[left] + above[right] + below[left] + below[right] + 2) / 4);
        }
    boxes.depth = pushed.depth = BT_KERNEL_U16;
    pushed.in_width = half_width;
    pushed.in_height = half_height;
    pushed.pitch_x = pushed.pitch_y = 2;
    pushed.box = 4;
    expected = run(&boxes, levels);
    found = run(&pushed, halves);
    for (gsize i = 0; i < n_out; i++)
        g_assert_cmpint(ABS(expected[i] - found[i]), <=, 2);
}

/* A constant picture stays what it is, to the level. */
static void
test_constant(void)
{
    static const double sigmas[] = {0, 1, 10, 15, 33};

    for (int i = 0; i < 400; i++) {
        BtKernelPicture picture = grey(g_test_rand_int_range(1, 120), g_test_rand_int_range(1, 120),
                                       g_test_rand_double_range(1, 14), sigmas[i % 5], 1 << i % 6);
        g_autofree uint16_t *levels = NULL, *result = NULL;
        int level, n, n_out;

        picture.depth = i % 2 == 0 ? BT_KERNEL_U8 : BT_KERNEL_U16;
        picture.bands = g_test_rand_int_range(1, 5);
        picture.alpha = picture.bands % 2 == 0 && g_test_rand_bit();
        picture.linear = g_test_rand_bit();
        level = i % 7 == 0 ? (i % 2 == 0 ? 255 : 65535)
                           : g_test_rand_int_range(1, i % 2 == 0 ? 256 : 65536);
        n = picture.source_width * picture.source_height * picture.bands;
        n_out = picture.out_width * picture.out_height * picture.bands;
        levels = g_new(uint16_t, (gsize)n);
        for (int k = 0; k < n; k++)
            levels[k] = (uint16_t)level;
        result = run(&picture, levels);
        for (int k = 0; k < n_out; k++)
            g_assert_cmpint(result[k], ==, level);
    }
}

/* Merged px are the mean of those that would have been: both results round to 16 bits, and no more.
 * Levels keep off the ends, where the others would be cut off before they are averaged. */
static void
test_merge(void)
{
    static const double sigmas[] = {0, 1, 5, 15, 40};

    for (int i = 0; i < 60; i++) {
        int width = g_test_rand_int_range(1, 260), height = g_test_rand_int_range(1, 260);
        double sigma = sigmas[i % 5], scale = g_test_rand_double_range(1, 9);
        BtKernelPicture whole = grey(width, height, scale, sigma, bt_plan_shrink(sigma, scale));
        BtKernelPicture merged = whole;
        g_autofree uint16_t *levels = photo(width, height), *expected = NULL, *found = NULL;
        int across = g_test_rand_int_range(1, 4), down = g_test_rand_int_range(1, 4);

        for (int k = 0; k < width * height; k++)
            levels[k] = (uint16_t)(16384 + 128 * levels[k]);
        merged.merge_x = across;
        merged.merge_y = down;
        merged.depth = whole.depth = BT_KERNEL_U16;
        expected = run(&whole, levels);
        found = run(&merged, levels);
        for (int y = 0, k = 0; y < whole.out_height; y += down)
            for (int x = 0; x < whole.out_width; x += across, k++) {
                double total = 0;

                for (int n = 0; n < across * down; n++)
                    total += expected[MIN(y + n / across, whole.out_height - 1) * whole.out_width +
                                      MIN(x + n % across, whole.out_width - 1)];
                g_assert_cmpfloat(fabs(found[k] - total / (across * down)), <=, 1.01);
            }
    }
}

/* 8-bit rows to a 16-bit result are 16-bit rows to one, but for the order of rounding. */
static void
test_deep(void)
{
    for (int i = 0; i < 30; i++) {
        int width = g_test_rand_int_range(1, 260), height = g_test_rand_int_range(1, 260);
        BtKernelPicture wide = grey(width, height, 2.3, 5 * (i % 4), 1 << i % 4), narrow = wide;
        g_autofree uint16_t *levels = photo(width, height), *expected = NULL, *found = NULL;

        wide.depth = BT_KERNEL_U16;
        narrow.deep_result = true;
        found = run(&narrow, levels);
        for (int k = 0; k < width * height; k++)
            levels[k] = (uint16_t)(257 * levels[k]);
        expected = run(&wide, levels);
        for (int k = 0; k < wide.out_width * wide.out_height; k++)
            g_assert_cmpint(ABS(found[k] - expected[k]), <=, 1);
    }
}

/* With flat borders nothing is lost over the edge: the mean survives, to rounding (1/4 level is
 * generous for the mean of many roundings). */
static void
test_mean(void)
{
    static const int boxes[] = {1, 2, 8};

    for (gsize i = 0; i < G_N_ELEMENTS(boxes); i++) {
        BtKernelPicture picture = grey(640, 560, 4, 15, boxes[i]);
        g_autofree uint16_t *levels = photo(640, 560), *result = NULL;
        double before = 0, after = 0;

        for (int y = 0; y < 560; y++)
            for (int x = 0; x < 640; x++)
                if (x < 120 || x >= 520 || y < 120 || y >= 440)
                    levels[y * 640 + x] = 100;
        result = run(&picture, levels);
        for (int k = 0; k < 640 * 560; k++)
            before += levels[k] / (640.0 * 560);
        for (int k = 0; k < 160 * 140; k++)
            after += result[k] / (160.0 * 140);
        g_assert_cmpfloat(fabs(before - after), <=, 0.25);
    }
}

/* A bright dot stays where it is: its centroid moves by less than 1/50 output px where all that is
 * averaged is its own box (one sample wide, so that the average does not move it either). */
static void
test_centroid(void)
{
    static const int boxes[] = {1, 2, 4, 8};
    int side = 400;

    for (gsize i = 0; i < G_N_ELEMENTS(boxes); i++) {
        int box = boxes[i], corner = 176;
        BtKernelPicture picture = grey(side, side, 3.7, 15, box);
        g_autofree uint16_t *levels = g_new0(uint16_t, (gsize)side * (gsize)side), *result = NULL;
        double total = 0, across = 0, down = 0,
               expected = (corner + box / 2.0) * picture.out_width / side;

        picture.depth = BT_KERNEL_U16;
        for (int y = corner; y < corner + box; y++)
            for (int x = corner; x < corner + box; x++)
                levels[y * side + x] = 65535;
        result = run(&picture, levels);
        for (int k = 0; k < picture.out_width * picture.out_height; k++) {
            total += result[k];
            across += result[k] * (k % picture.out_width + 0.5);
            down += result[k] * (k / picture.out_width + 0.5);
        }
        g_assert_cmpfloat(fabs(across / total - expected), <=, 0.02);
        g_assert_cmpfloat(fabs(down / total - expected), <=, 0.02);
    }
}

static double
decode_srgb(double x)
{
    return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
}

static double
encode_srgb(double x)
{
    return x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
}

/* Grey and alpha, 16 bits, exact: blurred premultiplied, in linear light too. */
static void
check_alpha(bool linear)
{
    int width = 97, height = 61, n = width * height;
    BtKernelPicture picture = grey(width, height, 2.3, 4, 1);
    g_autofree uint16_t *levels = g_new(uint16_t, 2 * (gsize)n), *result = NULL;
    g_autofree double *values = g_new(double, 2 * (gsize)n);
    g_autofree double *colour = NULL, *alpha = NULL;

    picture.bands = 2;
    picture.depth = BT_KERNEL_U16;
    picture.alpha = true;
    picture.linear = linear;
    for (int k = 0; k < n; k++) {
        levels[2 * k] = (uint16_t)g_test_rand_int_range(0, 65536);
        levels[2 * k + 1] = k % width < 40 ? 0 : (uint16_t)g_test_rand_int_range(0, 65536);
        values[2 * k + 1] = levels[2 * k + 1] / 65535.0;
        values[2 * k] = levels[2 * k] / 65535.0;
        values[2 * k] = values[2 * k + 1] * (linear ? decode_srgb(values[2 * k]) : values[2 * k]);
    }
    colour = oracle(values, 2, &picture, 1);
    alpha = oracle(values + 1, 2, &picture, 1);
    result = run(&picture, levels);
    for (int k = 0; k < picture.out_width * picture.out_height; k++) {
        double share = CLAMP(alpha[k], 0, 1), level = CLAMP(colour[k] / share, 0, 1);

        g_assert_cmpfloat(fabs(result[2 * k + 1] - 65535 * share), <=, 1);
        if (result[2 * k + 1] == 0)
            g_assert_cmpint(result[2 * k], ==, 0);
        else if (share > 0.01)
            g_assert_cmpfloat(fabs(result[2 * k] - 65535 * (linear ? encode_srgb(level) : level)),
                              <=, 1 / share);
    }
}

static void
test_alpha(void)
{
    check_alpha(false);
}

static void
test_linear(void)
{
    check_alpha(true);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel/oracle/sigma-small", test_sigma_small);
    g_test_add_func("/kernel/oracle/sigma-5", test_sigma_5);
    g_test_add_func("/kernel/oracle/sigma-15", test_sigma_15);
    g_test_add_func("/kernel/oracle/sigma-40", test_sigma_40);
    g_test_add_func("/kernel/oracle/sigma-150", test_sigma_150);
    g_test_add_func("/kernel/oracle/sigma-sweep", test_sigma_sweep);
    g_test_add_func("/kernel/oracle/exact", test_exact);
    g_test_add_func("/kernel/oracle/decoder-boxes", test_decoder_boxes);
    g_test_add_func("/kernel/oracle/merge", test_merge);
    g_test_add_func("/kernel/oracle/deep", test_deep);
    g_test_add_func("/kernel/oracle/constant", test_constant);
    g_test_add_func("/kernel/oracle/mean", test_mean);
    g_test_add_func("/kernel/oracle/centroid", test_centroid);
    g_test_add_func("/kernel/oracle/alpha", test_alpha);
    g_test_add_func("/kernel/oracle/linear", test_linear);
    return g_test_run();
}
