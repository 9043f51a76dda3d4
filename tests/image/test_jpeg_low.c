/* SPDX-License-Identifier: MIT */
/* The low coefficients of every kind of JPEG file, and of broken ones, against libjpeg's; the loops
 * of every level against the reference. */
#include "image/jpeg_low.h"
#include "jpeg_truth.h"
#include "kernel/kernel.h"

#include <stdio.h>
#include <string.h>
/* This one needs size_t and FILE from above. */
#include <jpeglib.h>

#define PX_MAX    100000000L
#define MUTANT_PX 1000000

typedef enum Content {
    CONTENT_NOISE, /* long blocks */
    CONTENT_MIXED, /* flat, smooth and rough parts */
    CONTENT_FLAT   /* a few bits for each block */
} Content;

/* How a file is to be made. */
typedef struct Make {
    int width, height;
    int n_components;
    int factors[3]; /* across * 10 + down; 0: 11 */
    Content content;
    const jpeg_scan_info *scans; /* a script; NULL: the usual ones */
    int n_scans;
    bool progressive, optimized, arithmetic;
    int interval; /* MCUs from restart to restart */
    int quality;  /* 0: 90 */
} Make;

static uint8_t
draw(const Make *make, int x, int y, int band)
{
    if (make->content == CONTENT_NOISE || (make->content == CONTENT_MIXED && (x ^ y) & 64))
        return (uint8_t)g_test_rand_int_range(0, 256);
    if (make->content == CONTENT_FLAT || (x & 128))
        return (uint8_t)(40 * band + 20);
    return (uint8_t)(x * (band + 1) / 2 + y);
}

static void
write_rows(struct jpeg_compress_struct *jpeg, const Make *make)
{
    g_autofree uint8_t *row = g_malloc((size_t)(make->width * make->n_components));
    JSAMPROW rows[] = {row};

    while (jpeg->next_scanline < jpeg->image_height) {
        for (int x = 0; x < make->width; x++)
            for (int band = 0; band < make->n_components; band++)
                row[x * make->n_components + band] = draw(make, x, (int)jpeg->next_scanline, band);
        jpeg_write_scanlines(jpeg, rows, 1);
    }
}

static GBytes *
make_jpeg(const Make *make)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;

    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = (JDIMENSION)make->width;
    jpeg.image_height = (JDIMENSION)make->height;
    jpeg.input_components = make->n_components;
    jpeg.in_color_space = make->n_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, make->quality > 0 ? make->quality : 90, TRUE);
    for (int i = 0; i < make->n_components; i++) {
        int factors = make->factors[i] > 0 ? make->factors[i] : 11;

        jpeg.comp_info[i].h_samp_factor = factors / 10;
        jpeg.comp_info[i].v_samp_factor = factors % 10;
    }
    jpeg.restart_interval = (unsigned)make->interval;
    jpeg.optimize_coding = make->optimized;
    jpeg.arith_code = make->arithmetic;
    if (make->progressive)
        jpeg_simple_progression(&jpeg);
    if (make->scans != NULL) {
        jpeg.scan_info = make->scans;
        jpeg.num_scans = make->n_scans;
    }
    jpeg_start_compress(&jpeg, TRUE);
    write_rows(&jpeg, make);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return g_bytes_new_with_free_func(bytes, size, free, bytes);
}

/* At every level, by one stream and by several, by one thread and by several. */
static GArray *
all_ways(void)
{
    GArray *ways = g_array_new(FALSE, FALSE, sizeof(JpegWay));

    for (const char *const *level = bt_kernel_levels(); *level != NULL; level++)
        for (int n_streams = 1; n_streams <= BT_JPEG_STREAMS_MAX; n_streams++)
            g_array_append_val(ways, ((JpegWay){*level, n_streams, 1}));
    for (int n_threads = 2; n_threads <= 4; n_threads++)
        g_array_append_val(ways,
                           ((JpegWay){bt_kernel_levels()[0], n_threads == 2 ? 4 : 1, n_threads}));
    return ways;
}

/* The reference against libjpeg, and all ways against the reference. */
static void
check(const Make *make, int shrink, JpegTruth expected)
{
    g_autoptr(GBytes) jpeg = make_jpeg(make);
    g_autoptr(GArray) ways = all_ways();
    gsize size;
    const void *bytes = g_bytes_get_data(jpeg, &size);

    g_assert_cmpint(jpeg_truth_check(bytes, size, shrink, "c", 1, 1, PX_MAX), ==, expected);
    jpeg_truth_check_ways(bytes, size, shrink, (const JpegWay *)ways->data, ways->len);
}

/* Of the three components. */
static const int samplings[][3] = {
    {11, 11, 11}, {21, 11, 11}, {12, 11, 11}, {22, 11, 11}, {22, 21, 21}, {22, 12, 21},
    {21, 21, 11}, {11, 21, 12}, {41, 11, 11}, {14, 11, 11}, {42, 11, 11}, {41, 21, 11},
};

static bool
is_too_coarse(const int factors[3], int shrink)
{
    int across = 1, down = 1;

    for (int i = 0; i < 3; i++) {
        across = MAX(across, factors[i] / 10);
        down = MAX(down, factors[i] % 10);
    }
    for (int i = 0; i < 3; i++)
        if (across / (factors[i] / 10) * 8 > 4 * shrink ||
            down / (factors[i] % 10) * 8 > 4 * shrink)
            return true;
    return false;
}

static void
test_samplings(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(samplings); i++)
        for (int kind = 0; kind < 8; kind++) {
            int shrink = 4 << (i + (size_t)kind) % 3;
            Make make = {.width = 301,
                         .height = 187,
                         .n_components = 3,
                         .content = CONTENT_MIXED,
                         .progressive = kind & 1,
                         .optimized = kind & 2,
                         .interval = kind & 4 ? 3 : 0};

            memcpy(make.factors, samplings[i], sizeof make.factors);
            check(&make, shrink,
                  is_too_coarse(samplings[i], shrink) ? JPEG_TRUTH_LEFT : JPEG_TRUTH_EQUAL);
        }
}

/* What lies behind the last whole MCU, in each direction. */
static void
test_sizes(void)
{
    for (int size = 1; size <= 34; size++)
        for (int progressive = 0; progressive < 2; progressive++) {
            Make make = {.width = size,
                         .height = 36 - size,
                         .n_components = 3,
                         .factors = {22},
                         .progressive = progressive};
            Make grey = {.width = 35 - size, .height = size, .n_components = 1, .factors = {22}};

            check(&make, 8, JPEG_TRUTH_EQUAL);
            check(&grey, 8, JPEG_TRUTH_EQUAL);
        }
}

/* More than a window of data, with blocks of every length, and restarts near and far. */
static void
test_long_data(void)
{
    static const Make makes[] = {
        {900, 700, 3, {22}, CONTENT_NOISE, .interval = 0},
        {900, 700, 3, {22}, CONTENT_NOISE, .interval = 1},
        {900, 700, 3, {21}, CONTENT_NOISE, .interval = 57},
        {900, 700, 3, {11}, CONTENT_NOISE, .interval = 2000},
        {900, 700, 3, {22}, CONTENT_NOISE, .progressive = true},
        {900, 700, 3, {22}, CONTENT_NOISE, .progressive = true, .interval = 30},
        {900, 700, 3, {11}, CONTENT_MIXED, .quality = 100},
        {900, 700, 1, {11}, CONTENT_MIXED, .quality = 1},
        {4000, 3000, 3, {22}, CONTENT_FLAT, .interval = 0},
        {4000, 3000, 1, {11}, CONTENT_FLAT, .optimized = true},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(makes); i++)
        check(&makes[i], i % 2 == 0 ? 8 : 4, JPEG_TRUTH_EQUAL);
}

/* Sequential, in several scans. */
static const jpeg_scan_info apart[] = {
    {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
static const jpeg_scan_info paired[] = {{2, {0, 2}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}};

/* Without refinement; with much of it, in odd bands; DC coefficients apart. */
static const jpeg_scan_info spectral[] = {{3, {0, 1, 2}, 0, 0, 0, 0},
                                          {1, {2}, 1, 2, 0, 0},
                                          {1, {2}, 3, 63, 0, 0},
                                          {1, {1}, 1, 63, 0, 0},
                                          {1, {0}, 1, 63, 0, 0}};
static const jpeg_scan_info successive[] = {
    {3, {0, 1, 2}, 0, 0, 0, 2}, {1, {0}, 1, 63, 0, 3}, {1, {1}, 1, 2, 0, 1},
    {1, {1}, 3, 63, 0, 0},      {1, {2}, 1, 63, 0, 2}, {1, {2}, 1, 4, 2, 1},
    {1, {2}, 5, 63, 2, 1},      {1, {2}, 1, 63, 1, 0}, {1, {1}, 1, 2, 1, 0},
    {2, {0, 1}, 0, 0, 2, 1},    {1, {2}, 0, 0, 2, 1},  {3, {0, 1, 2}, 0, 0, 1, 0},
    {1, {0}, 1, 63, 3, 2},      {1, {0}, 1, 63, 2, 1}, {1, {0}, 1, 63, 1, 0}};
static const jpeg_scan_info separate[] = {
    {1, {0}, 0, 0, 0, 0},  {1, {1}, 0, 0, 0, 1},  {1, {2}, 0, 0, 0, 0}, {1, {1}, 0, 0, 1, 0},
    {1, {0}, 1, 63, 0, 0}, {1, {1}, 1, 63, 0, 0}, {1, {2}, 1, 63, 0, 0}};

/* Chroma's detail is never told: libjpeg guesses it. */
static const jpeg_scan_info unfinished[] = {{3, {0, 1, 2}, 0, 0, 0, 0}, {1, {0}, 1, 63, 0, 0}};

static void
test_scripts(void)
{
    static const struct {
        const jpeg_scan_info *scans;
        int n_scans;
        JpegTruth expected;
    } scripts[] = {
        {apart, G_N_ELEMENTS(apart), JPEG_TRUTH_EQUAL},
        {paired, G_N_ELEMENTS(paired), JPEG_TRUTH_EQUAL},
        {spectral, G_N_ELEMENTS(spectral), JPEG_TRUTH_EQUAL},
        {successive, G_N_ELEMENTS(successive), JPEG_TRUTH_EQUAL},
        {separate, G_N_ELEMENTS(separate), JPEG_TRUTH_EQUAL},
        {unfinished, G_N_ELEMENTS(unfinished), JPEG_TRUTH_LEFT},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++)
        for (size_t sampling = 0; sampling < 6; sampling++)
            for (int interval = 0; interval <= 7; interval += 7) {
                Make make = {.width = 203,
                             .height = 150,
                             .n_components = 3,
                             .content = CONTENT_MIXED,
                             .scans = scripts[i].scans,
                             .n_scans = scripts[i].n_scans,
                             .interval = interval,
                             .quality = 98};

                memcpy(make.factors, samplings[sampling], sizeof make.factors);
                check(&make, interval > 0 ? 4 : 8, scripts[i].expected);
            }
}

/* What is left to libjpeg, or refused by it. */
static void
test_not_for_here(void)
{
    Make make = {.width = 200, .height = 100, .n_components = 3, .factors = {22}};
    g_autoptr(GBytes) plain = make_jpeg(&make);
    g_autofree uint8_t *bytes = g_memdup2(g_bytes_get_data(plain, NULL), g_bytes_get_size(plain));
    size_t size = g_bytes_get_size(plain), at = 0;

    make.arithmetic = true;
    check(&make, 8, JPEG_TRUTH_LEFT);
    while (memcmp(bytes + at, "\xff\xc0", 2) != 0)
        at++;
    bytes[at + 4] = 12; /* bits of a sample */
    g_assert_cmpint(jpeg_truth_check(bytes, size, 8, "c", 1, 1, PX_MAX), ==, JPEG_TRUTH_UNKNOWN);
    bytes[at + 4] = 8;
    /* Every cut of the end, and bits or bytes that are too many. */
    for (size_t cut = 1; cut < 300; cut++)
        g_assert_cmpint(jpeg_truth_check(bytes, size - cut, 8, "c", 4, 1, PX_MAX), !=,
                        JPEG_TRUTH_EQUAL);
    memmove(bytes + size - 3, "\x55\xff", 2);
    g_assert_cmpint(jpeg_truth_check(bytes, size - 1, 8, "c", 4, 1, PX_MAX), !=, JPEG_TRUTH_EQUAL);
}

/* A picture of one block, and data for thousands. */
static void
test_too_much_data(void)
{
    Make make = {.width = 8, .height = 8, .n_components = 1};
    g_autoptr(GBytes) plain = make_jpeg(&make);
    g_autoptr(GByteArray) longer = g_byte_array_new();

    g_byte_array_append(longer, g_bytes_get_data(plain, NULL), (guint)g_bytes_get_size(plain) - 2);
    for (int i = 0; i < 60000; i++)
        g_byte_array_append(longer, &(uint8_t){(uint8_t)g_test_rand_int_range(0, 255)}, 1);
    g_byte_array_append(longer, (const uint8_t *)"\xff\xd9", 2);
    for (int i = 1; i <= 4; i++)
        g_assert_cmpint(
            jpeg_truth_check(longer->data, longer->len, 8, bt_kernel_levels()[0], i, 5 - i, PX_MAX),
            ==, JPEG_TRUTH_LEFT);
}

/* Fill bytes before markers, and what may follow the picture. */
static void
test_fill_bytes(void)
{
    Make make = {.width = 200, .height = 100, .n_components = 3, .interval = 5, .content = 1};
    g_autoptr(GBytes) plain = make_jpeg(&make);
    g_autoptr(GByteArray) filled = g_byte_array_new();
    gsize size;
    const uint8_t *bytes = g_bytes_get_data(plain, &size);

    for (size_t i = 0; i < size; i++) {
        bool is_marker = i + 1 < size && bytes[i] == 0xff &&
                         ((bytes[i + 1] & 0xf8) == 0xd0 || bytes[i + 1] == 0xd9);

        for (int n = 0; is_marker && n < 3; n++)
            g_byte_array_append(filled, (const uint8_t *)"\xff", 1);
        g_byte_array_append(filled, bytes + i, 1);
    }
    g_byte_array_append(filled, (const uint8_t *)"more", 4);
    g_assert_cmpint(jpeg_truth_check(filled->data, filled->len, 8, "c", 4, 1, PX_MAX), ==,
                    JPEG_TRUTH_EQUAL);
}

/* Where both read a damaged file they agree, and what we read libjpeg reads without an error. */
static void
test_mutants(void)
{
    static const Make makes[] = {
        {160, 120, 3, {22}, CONTENT_MIXED, .interval = 0},
        {160, 120, 3, {21}, CONTENT_MIXED, .interval = 2},
        {160, 120, 3, {22}, CONTENT_MIXED, .progressive = true},
        {160, 120, 3, {21}, CONTENT_MIXED, .scans = successive, .n_scans = 15, .interval = 9},
        {160, 120, 3, {11}, CONTENT_MIXED, .scans = apart, .n_scans = 3},
        {320, 240, 3, {22}, CONTENT_NOISE, .quality = 98},
        {320, 240, 3, {11}, CONTENT_NOISE, .quality = 98, .interval = 40},
    };
    int n_equal = 0, n_left = 0, n_mutants = g_test_slow() ? 20000 : 120;

    for (size_t i = 0; i < G_N_ELEMENTS(makes); i++) {
        g_autoptr(GBytes) plain = make_jpeg(&makes[i]);
        gsize size;
        const uint8_t *bytes = g_bytes_get_data(plain, &size);

        for (int k = 0; k < n_mutants; k++) {
            g_autofree uint8_t *mutant = g_memdup2(bytes, size);
            JpegTruth truth;
            int n_streams = 1 + k % 4, n_threads = 2 + k / 4 % 3;

            for (int n = g_test_rand_int_range(1, 4); n > 0; n--)
                mutant[g_test_rand_int_range(2, (int)size)] ^=
                    (uint8_t)(1 << g_test_rand_int_range(0, 8));
            truth =
                jpeg_truth_check(mutant, size, 8, bt_kernel_levels()[0], n_streams, 1, MUTANT_PX);
            g_assert_cmpint(jpeg_truth_check(mutant, size, 8, bt_kernel_levels()[0], n_streams,
                                             n_threads, MUTANT_PX),
                            ==, truth);
            if (truth != JPEG_TRUTH_UNKNOWN)
                jpeg_truth_check_clips(mutant, size,
                                       &(JpegWay){bt_kernel_levels()[0], n_streams, n_threads}, 1);
            n_equal += truth == JPEG_TRUTH_EQUAL;
            n_left += truth == JPEG_TRUTH_LEFT;
        }
    }
    g_test_message("%d equal, %d left to libjpeg", n_equal, n_left);
    g_assert_cmpint(n_equal, >, n_mutants / 8);
    g_assert_cmpint(n_left, >, n_mutants / 8);
}

/* copy_plain() from every place in a vector to every other, whatever the end is; means() over all
 * coefficients, those that wrap included. */
static void
test_levels(void)
{
    g_autofree int16_t *dc = g_new(int16_t, 65536);
    g_autofree uint8_t *expected = g_malloc(65536), *means = g_malloc(65536);
    uint8_t in[200], out[200], kept[200];

    for (int i = 0; i < 65536; i++)
        dc[i] = (int16_t)(i - 32768);
    for (const char *const *level = bt_kernel_levels(); *level != NULL; level++) {
        const BtJpegOps *ops = bt_jpeg_ops(*level);

        for (size_t n = 0; n < 100; n++)
            for (size_t plain = 0; plain <= n; plain++) {
                for (size_t i = 0; i < sizeof in; i++)
                    in[i] = (uint8_t)g_test_rand_int_range(0, 255);
                memset(out, 7, sizeof out);
                memcpy(kept, out, sizeof out);
                in[plain] = 0xff;
                g_assert_cmpuint(ops->copy_plain(out, in, n), ==, MIN(plain, n));
                g_assert_cmpmem(out, plain, in, plain);
                g_assert_cmpmem(out + n, sizeof out - n, kept + n, sizeof kept - n);
            }
        for (int quantizer = 1; quantizer < 40000; quantizer = quantizer * 5 / 3 + 1) {
            int factor = MIN(quantizer, 32767);

            bt_jpeg_ops_c.means(expected, dc, factor, 65536);
            ops->means(means, dc, factor, 65536);
            g_assert_cmpmem(means, 65536, expected, 65536);
        }
    }
}

/* Corrections for what is cut off: the same however a file is decoded; none of progressive files.
 */
static void
test_clips(void)
{
    static const Make makes[] = {
        {.factors = {22}, .n_components = 3},
        {.factors = {21}, .n_components = 3, .interval = 5},
        {.factors = {12}, .n_components = 3, .optimized = true},
        {.n_components = 3},
        {.n_components = 1, .interval = 7},
        {.factors = {41}, .n_components = 3},
        {.factors = {22}, .n_components = 3, .progressive = true},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(makes); i++) {
        Make make = makes[i];
        g_autoptr(GBytes) jpeg = NULL;
        g_autoptr(GArray) ways = g_array_new(FALSE, FALSE, sizeof(JpegWay));
        bool clips = make.factors[0] != 41 && !make.progressive && make.n_components > 1;
        const void *bytes;
        gsize size;

        make.width = 1021;
        make.height = 701;
        make.content = CONTENT_MIXED;
        jpeg = make_jpeg(&make);
        bytes = g_bytes_get_data(jpeg, &size);
        for (const char *const *level = bt_kernel_levels(); *level != NULL; level++)
            for (int n_streams = 1; n_streams <= BT_JPEG_STREAMS_MAX; n_streams += 3)
                for (int n_threads = 1; n_threads <= 3; n_threads++)
                    g_array_append_val(ways, ((JpegWay){*level, n_streams, n_threads}));
        g_assert_true(jpeg_truth_check_clips(bytes, size, (const JpegWay *)ways->data, ways->len) ==
                      clips);
    }
}

static void
to_rgb(const uint8_t ycc[3], double out_rgb[3])
{
    out_rgb[0] = ycc[0] + 1.402 * (ycc[2] - 128);
    out_rgb[1] = ycc[0] - 0.344136 * (ycc[1] - 128) - 0.714136 * (ycc[2] - 128);
    out_rgb[2] = ycc[0] + 1.772 * (ycc[1] - 128);
}

/* Colours inside of RGB stay as they are; others have their bands cut off, to a rounding. */
static void
test_clip(void)
{
    for (int y = 0; y < 256; y += 3)
        for (int cb = 0; cb < 256; cb += 5)
            for (int cr = 0; cr < 256; cr += 5) {
                uint8_t samples[3] = {(uint8_t)y, (uint8_t)cb, (uint8_t)cr};
                double was[3], is[3];
                bool inside = true;

                to_rgb(samples, was);
                bt_jpeg_low_clip(&samples[0], &samples[1], &samples[2], 1, 1);
                to_rgb(samples, is);
                for (int i = 0; i < 3; i++) {
                    inside = inside && was[i] >= -1 && was[i] <= 256;
                    g_assert_cmpfloat_with_epsilon(is[i], CLAMP(was[i], 0, 255), 1.5);
                }
                if (inside)
                    g_assert_true(samples[0] == y && samples[1] == cb && samples[2] == cr);
            }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jpeg-low/levels", test_levels);
    g_test_add_func("/jpeg-low/clip", test_clip);
    g_test_add_func("/jpeg-low/clips", test_clips);
    g_test_add_func("/jpeg-low/samplings", test_samplings);
    g_test_add_func("/jpeg-low/sizes", test_sizes);
    g_test_add_func("/jpeg-low/scripts", test_scripts);
    g_test_add_func("/jpeg-low/long-data", test_long_data);
    g_test_add_func("/jpeg-low/not-for-here", test_not_for_here);
    g_test_add_func("/jpeg-low/too-much-data", test_too_much_data);
    g_test_add_func("/jpeg-low/fill-bytes", test_fill_bytes);
    g_test_add_func("/jpeg-low/mutants", test_mutants);
    return g_test_run();
}
