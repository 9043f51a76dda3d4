/* SPDX-License-Identifier: MIT */
/*
 * Results as JPEG files, decoded again by libjpeg as planes.
 *
 * How much a plane may differ: the transform of a block of 8 x 8 is orthonormal and a coefficient
 * is off by at most half of its quantizer step, so the squares of the errors of a block sum up to
 * at most the sum of the squares of half the steps, whatever the picture; what is rounded before
 * and after adds at most ROUNDED a sample.
 */
#include "image/jpeg_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* This one needs size_t and FILE from above. */
#include <jpeglib.h>

#define BLOCK   8
#define PLANES  3
#define MCU     (2 * BLOCK) /* rows at most, with chroma halved */
#define ROUNDED 1.5         /* levels: to YCbCr, the mean of four, and the decoder's result */

static const BtMetadata no_metadata;

typedef struct Plane {
    int width, height; /* of what the picture covers */
    int stride;
    uint8_t *samples;
    double block_error; /* that the quantizer accounts for, root of the sum of squares */
} Plane;

/* A decoded file. */
typedef struct File {
    int width, height, n_planes;
    J_COLOR_SPACE space;
    Plane planes[PLANES];
} File;

typedef struct Size {
    int width, height;
} Size;

static const Size sizes[] = {{1, 1},   {1, 40},  {37, 1},  {2, 2},   {15, 15}, {16, 16},
                             {17, 17}, {31, 33}, {33, 31}, {32, 15}, {24, 25}, {50, 18}};

static BtRaster
make_raster(int width, int height, int bands)
{
    BtRaster raster = {0};

    g_assert_true(bt_raster_reshape(&raster, width, height, bands, false));
    return raster;
}

/* Soft waves, or anything at all. */
static BtRaster
make_picture(Size size, int bands, bool noise)
{
    BtRaster raster = make_raster(size.width, size.height, bands);
    uint8_t *to = raster.pixels;

    for (int y = 0; y < size.height; y++)
        for (int x = 0; x < size.width; x++)
            for (int band = 0; band < bands; band++)
                *to++ = (uint8_t)(noise ? g_test_rand_int_range(0, 256)
                                        : 128 + 100 * sin(x / (5.0 + band) + y / 7.0));
    return raster;
}

/* Steps of the quantizer as the root of the sum of the squares of their halves. */
static double
half_steps(const JQUANT_TBL *table)
{
    double sum = 0;

    for (int i = 0; i < DCTSIZE2; i++)
        sum += table->quantval[i] * table->quantval[i] / 4.0;
    return sqrt(sum);
}

static void
prepare_plane(Plane *plane, const jpeg_component_info *component)
{
    *plane = (Plane){
        .width = (int)component->downsampled_width,
        .height = (int)component->downsampled_height,
        .stride = (int)component->width_in_blocks * BLOCK,
        .block_error = half_steps(component->quant_table),
    };
    plane->samples = g_malloc((size_t)plane->stride * component->height_in_blocks * BLOCK);
}

/* Rows of one band of MCUs; those beyond a plane's last block go nowhere. */
static void
point_rows(const File *file, const struct jpeg_decompress_struct *jpeg, int band,
           JSAMPROW rows[PLANES][MCU], uint8_t *nowhere)
{
    for (int i = 0; i < file->n_planes; i++) {
        const jpeg_component_info *component = &jpeg->comp_info[i];
        int n = component->v_samp_factor * BLOCK;

        for (int row = 0; row < n; row++) {
            int y = band * n + row;
            bool inside = y < (int)component->height_in_blocks * BLOCK;

            rows[i][row] =
                inside ? file->planes[i].samples + (size_t)y * (size_t)file->planes[i].stride
                       : nowhere;
        }
    }
}

static File
decode_planes(GBytes *bytes)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    JSAMPROW rows[PLANES][MCU];
    JSAMPARRAY bands[PLANES] = {rows[0], rows[1], rows[2]};
    g_autofree uint8_t *nowhere = NULL;
    File file = {0};

    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    jpeg_read_header(&jpeg, TRUE);
    jpeg.raw_data_out = TRUE;
    jpeg_start_decompress(&jpeg);
    file.width = (int)jpeg.image_width;
    file.height = (int)jpeg.image_height;
    file.n_planes = jpeg.num_components;
    file.space = jpeg.jpeg_color_space;
    nowhere = g_malloc(jpeg.image_width + MCU);
    for (int i = 0; i < file.n_planes; i++)
        prepare_plane(&file.planes[i], &jpeg.comp_info[i]);
    for (int band = 0; jpeg.output_scanline < jpeg.output_height; band++) {
        point_rows(&file, &jpeg, band, rows, nowhere);
        jpeg_read_raw_data(&jpeg, bands, (JDIMENSION)(jpeg.max_v_samp_factor * BLOCK));
    }
    jpeg_finish_decompress(&jpeg);
    g_assert_cmpint((int)errors.num_warnings, ==, 0);
    jpeg_destroy_decompress(&jpeg);
    return file;
}

static void
clear_file(File *file)
{
    for (int i = 0; i < file->n_planes; i++)
        g_free(file->planes[i].samples);
}

/* Y, Cb or Cr of a pixel, or of the nearest one to it (JFIF 1.02). */
static double
plane_value(const BtRaster *raster, int plane, int x, int y)
{
    static const double weights[PLANES][PLANES] = {{0.299, 0.587, 0.114},
                                                   {-0.168735892, -0.331264108, 0.5},
                                                   {0.5, -0.418687589, -0.081312411}};
    int column = MIN(x, raster->width - 1), row = MIN(y, raster->height - 1);
    const uint8_t *pixel = raster->pixels + (row * raster->width + column) * raster->bands;
    double value = plane > 0 ? 128 : 0;

    if (raster->bands == 1)
        return pixel[0];
    for (int band = 0; band < PLANES; band++)
        value += weights[plane][band] * pixel[band];
    return value;
}

/* What a plane's sample should be: the mean of the pixels that it stands for. */
static double
expected_sample(const BtRaster *raster, int plane, int ratio, int x, int y)
{
    double sum = 0;

    for (int down = 0; down < ratio; down++)
        for (int across = 0; across < ratio; across++)
            sum += plane_value(raster, plane, x * ratio + across, y * ratio + down);
    return sum / (ratio * ratio);
}

/* One block of raster's plane number `plane`, whose samples stand for `ratio` pixels a side. */
static void
check_block(const Plane *decoded, int left, int top, const BtRaster *raster, int plane, int ratio)
{
    double sum = 0;

    for (int y = top; y < MIN(top + BLOCK, decoded->height); y++) {
        for (int x = left; x < MIN(left + BLOCK, decoded->width); x++) {
            double error = decoded->samples[y * decoded->stride + x] -
                           expected_sample(raster, plane, ratio, x, y);

            sum += error * error;
        }
    }
    g_assert_cmpfloat(sqrt(sum), <=, decoded->block_error + BLOCK * ROUNDED);
}

static void
check_plane(const Plane *decoded, const BtRaster *raster, int plane, int ratio)
{
    g_assert_cmpint(decoded->width, ==, (raster->width + ratio - 1) / ratio);
    g_assert_cmpint(decoded->height, ==, (raster->height + ratio - 1) / ratio);
    for (int top = 0; top < decoded->height; top += BLOCK)
        for (int left = 0; left < decoded->width; left += BLOCK)
            check_block(decoded, left, top, raster, plane, ratio);
}

static GBytes *
write_raster(const BtRaster *raster, int quality)
{
    BtOutcome outcome = {0};
    GBytes *bytes = bt_jpeg_write(raster, quality, &no_metadata, &outcome);

    g_assert_cmpstr(outcome.sentence, ==, "");
    g_assert_nonnull(bytes);
    return bytes;
}

static void
check_picture(Size size, int bands, int quality, bool noise)
{
    BtRaster raster = make_picture(size, bands, noise);
    g_autoptr(GBytes) bytes = write_raster(&raster, quality),
                      again = write_raster(&raster, quality);
    File file = decode_planes(bytes);

    g_assert_true(g_bytes_equal(bytes, again));
    g_assert_cmpint(file.width, ==, size.width);
    g_assert_cmpint(file.height, ==, size.height);
    g_assert_cmpint(file.n_planes, ==, bands);
    g_assert_cmpint(file.space, ==, bands == 1 ? JCS_GRAYSCALE : JCS_YCbCr);
    for (int i = 0; i < bands; i++)
        check_plane(&file.planes[i], &raster, i, i > 0 && quality < 90 ? 2 : 1);
    clear_file(&file);
    bt_raster_clear(&raster);
}

static void
test_pictures(void)
{
    static const int qualities[] = {1, 30, 50, 75, 89, 90, 95, 100};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(qualities); k++) {
            for (int noise = 0; noise < 2; noise++) {
                check_picture(sizes[i], 1, qualities[k], noise != 0);
                check_picture(sizes[i], PLANES, qualities[k], noise != 0);
            }
        }
    }
}

/* Files that outgrow whatever room there is at first. */
static void
test_large_pictures(void)
{
    for (int size = 100; size <= 800; size += 100) {
        check_picture((Size){size, size}, 1, 100, true);
        check_picture((Size){size, size - 1}, PLANES, 75, true);
    }
}

/* Chroma that was halved already is stored as it is. */
static void
check_planes(Size size, int quality)
{
    Size half = {(size.width + 1) / 2, (size.height + 1) / 2};
    BtRaster planes[PLANES];
    BtOutcome outcome = {0};
    g_autoptr(GBytes) bytes = NULL, again = NULL;
    File file;

    for (int i = 0; i < PLANES; i++)
        planes[i] = make_picture(i > 0 ? half : size, 1, i == 1);
    bytes = bt_jpeg_write_planes(planes, quality, &no_metadata, &outcome);
    again = bt_jpeg_write_planes(planes, quality, &no_metadata, &outcome);
    g_assert_cmpstr(outcome.sentence, ==, "");
    g_assert_true(g_bytes_equal(bytes, again));
    file = decode_planes(bytes);
    g_assert_cmpint(file.width, ==, size.width);
    g_assert_cmpint(file.height, ==, size.height);
    g_assert_cmpint(file.n_planes, ==, PLANES);
    g_assert_cmpint(file.space, ==, JCS_YCbCr);
    for (int i = 0; i < PLANES; i++) {
        check_plane(&file.planes[i], &planes[i], 0, 1);
        bt_raster_clear(&planes[i]);
    }
    clear_file(&file);
}

static void
test_planes(void)
{
    static const int qualities[] = {1, 30, 75, 89};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(qualities); k++)
            check_planes(sizes[i], qualities[k]);
}

/* A picture whose last column and row are repeated up to whole MCUs. */
static BtRaster
fill_up(const BtRaster *raster, int unit)
{
    BtRaster out = make_raster((raster->width + unit - 1) / unit * unit,
                               (raster->height + unit - 1) / unit * unit, 1);
    uint8_t *to = out.pixels;

    for (int y = 0; y < out.height; y++)
        for (int x = 0; x < out.width; x++)
            *to++ = raster->pixels[MIN(y, raster->height - 1) * raster->width +
                                   MIN(x, raster->width - 1)];
    return out;
}

static void
check_filling(Size size, int quality)
{
    Size half = {(size.width + 1) / 2, (size.height + 1) / 2};
    BtRaster planes[PLANES], filled[PLANES];
    BtOutcome outcome = {0};
    g_autoptr(GBytes) bytes = NULL, whole_bytes = NULL;
    File file, whole;

    for (int i = 0; i < PLANES; i++) {
        planes[i] = make_picture(i > 0 ? half : size, 1, true);
        filled[i] = fill_up(&planes[i], i > 0 ? BLOCK : MCU);
    }
    bytes = bt_jpeg_write_planes(planes, quality, &no_metadata, &outcome);
    whole_bytes = bt_jpeg_write_planes(filled, quality, &no_metadata, &outcome);
    file = decode_planes(bytes);
    whole = decode_planes(whole_bytes);
    for (int i = 0; i < PLANES; i++) {
        for (int y = 0; y < file.planes[i].height; y++)
            g_assert_cmpint(memcmp(file.planes[i].samples + y * file.planes[i].stride,
                                   whole.planes[i].samples + y * whole.planes[i].stride,
                                   (size_t)file.planes[i].width),
                            ==, 0);
        bt_raster_clear(&planes[i]);
        bt_raster_clear(&filled[i]);
    }
    clear_file(&file);
    clear_file(&whole);
}

/* What lies outside of the picture in its last blocks is what costs its edge the least. */
static void
test_filling(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        check_filling(sizes[i], 30);
        check_filling(sizes[i], 85);
    }
}

/* Colours mean what they meant, to a reader that knows nothing of planes. */
static void
check_colour(const uint8_t colour[PLANES], int quality)
{
    BtRaster raster = make_raster(20, 20, PLANES);
    g_autoptr(GBytes) bytes = NULL;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    uint8_t row[20 * PLANES];
    JSAMPROW rows[] = {row};

    for (size_t i = 0; i < bt_raster_size(&raster); i++)
        raster.pixels[i] = colour[i % PLANES];
    bytes = write_raster(&raster, quality);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_RGB;
    jpeg_start_decompress(&jpeg);
    while (jpeg.output_scanline < jpeg.output_height) {
        jpeg_read_scanlines(&jpeg, rows, 1);
        for (size_t i = 0; i < sizeof row; i++)
            g_assert_cmpint(abs(row[i] - colour[i % PLANES]), <=, 3);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    bt_raster_clear(&raster);
}

static void
test_colours(void)
{
    static const uint8_t colours[][PLANES] = {{255, 0, 0},     {0, 255, 0},   {0, 0, 255},
                                              {255, 255, 255}, {0, 0, 0},     {128, 128, 128},
                                              {200, 90, 30},   {10, 140, 250}};

    for (size_t i = 0; i < G_N_ELEMENTS(colours); i++) {
        check_colour(colours[i], 89);
        check_colour(colours[i], 90);
        check_colour(colours[i], 100);
    }
}

static void
test_chroma_switch(void)
{
    for (int quality = 1; quality <= 100; quality++)
        g_assert_cmpint(bt_jpeg_halves_chroma(quality), ==, quality < 90);
}

/* More pixels than JPEG can count. */
static void
test_too_wide(void)
{
    BtRaster raster = make_raster(65536, 1, 1);
    BtOutcome outcome = {0};

    memset(raster.pixels, 100, bt_raster_size(&raster));
    g_assert_null(bt_jpeg_write(&raster, 75, &no_metadata, &outcome));
    g_assert_cmpint(outcome.reason, ==, BT_REASON_ENCODE);
    g_assert_nonnull(strstr(outcome.sentence, "65500"));
    bt_raster_clear(&raster);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jpeg-writer/pictures", test_pictures);
    g_test_add_func("/jpeg-writer/large-pictures", test_large_pictures);
    g_test_add_func("/jpeg-writer/planes", test_planes);
    g_test_add_func("/jpeg-writer/filling", test_filling);
    g_test_add_func("/jpeg-writer/colours", test_colours);
    g_test_add_func("/jpeg-writer/chroma-switch", test_chroma_switch);
    g_test_add_func("/jpeg-writer/too-wide", test_too_wide);
    return g_test_run();
}
