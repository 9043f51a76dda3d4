/* SPDX-License-Identifier: MIT */
/* Small pictures in memory: turned, flattened and rounded exactly, against plain definitions. */
#include "image/raster.h"

#include <glib.h>
#include <string.h>

typedef struct Size {
    int width, height;
} Size;

/* Where a stored picture's first row and first column are to be seen (TIFF 6.0, tag 274). */
typedef struct Sides {
    bool on_side;     /* rows stand upright: the first one is at the left or right */
    bool row_last;    /* the first row is at the bottom or right */
    bool column_last; /* the first column is at the right or bottom */
} Sides;

static const Sides sides_of[9] = {
    [1] = {false, false, false}, [2] = {false, false, true}, [3] = {false, true, true},
    [4] = {false, true, false},  [5] = {true, false, false}, [6] = {true, true, false},
    [7] = {true, true, true},    [8] = {true, false, true},
};

static size_t
pixel_size(const BtRaster *raster)
{
    return bt_raster_size(raster) / bt_raster_pixels(raster);
}

static BtRaster
make_raster(int width, int height, int bands, bool deep)
{
    BtRaster raster = {0};

    g_assert_true(bt_raster_reshape(&raster, width, height, bands, deep));
    return raster;
}

static BtRaster
make_random(int width, int height, int bands, bool deep)
{
    BtRaster raster = make_raster(width, height, bands, deep);

    for (size_t i = 0; i < bt_raster_size(&raster); i++)
        raster.pixels[i] = (uint8_t)g_test_rand_int_range(0, 256);
    return raster;
}

static void
assert_same(const BtRaster *one, const BtRaster *other)
{
    g_assert_cmpint(one->width, ==, other->width);
    g_assert_cmpint(one->height, ==, other->height);
    g_assert_cmpint(one->bands, ==, other->bands);
    g_assert_cmpint(one->deep, ==, other->deep);
    g_assert_cmpint(one->alpha, ==, other->alpha);
    g_assert_cmpmem(one->pixels, bt_raster_size(one), other->pixels, bt_raster_size(other));
}

/* Each stored pixel is put where it is to be seen. */
static BtRaster
turn_plainly(const BtRaster *in, int orientation)
{
    Sides sides = sides_of[orientation];
    int width = in->width, height = in->height;
    size_t size = pixel_size(in);
    BtRaster out = make_raster(sides.on_side ? height : width, sides.on_side ? width : height,
                               in->bands, in->deep);

    out.alpha = in->alpha;
    for (int row = 0; row < height; row++) {
        for (int column = 0; column < width; column++) {
            int along_rows = sides.column_last ? width - 1 - column : column;
            int along_columns = sides.row_last ? height - 1 - row : row;
            int x = sides.on_side ? along_columns : along_rows;
            int y = sides.on_side ? along_rows : along_columns;

            memcpy(out.pixels + (size_t)(y * out.width + x) * size,
                   in->pixels + (size_t)(row * width + column) * size, size);
        }
    }
    return out;
}

static void
check_turns(const BtRaster *raster)
{
    static const int inverse[9] = {0, 1, 2, 3, 4, 5, 8, 7, 6};

    for (int orientation = 1; orientation <= 8; orientation++) {
        BtRaster expected = turn_plainly(raster, orientation), turned = {0}, back = {0};

        g_assert_true(bt_raster_turn(raster, orientation, &turned));
        assert_same(&turned, &expected);
        g_assert_true(bt_raster_turn(&turned, inverse[orientation], &back));
        assert_same(&back, raster);
        bt_raster_clear(&expected);
        bt_raster_clear(&turned);
        bt_raster_clear(&back);
    }
}

static void
test_turn(void)
{
    static const Size sizes[] = {{1, 1},   {1, 37},  {41, 1},  {2, 3},  {15, 16},
                                 {16, 17}, {33, 31}, {16, 16}, {50, 71}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (int bands = 1; bands <= 4; bands++) {
            for (int deep = 0; deep < 2; deep++) {
                BtRaster raster = make_random(sizes[i].width, sizes[i].height, bands, deep != 0);

                raster.alpha = bands % 2 == 0;
                check_turns(&raster);
                bt_raster_clear(&raster);
            }
        }
    }
}

/* The buffer is the same for every smaller shape, and holds what a greater one needs. */
static void
test_reshape(void)
{
    BtRaster raster = make_raster(30, 20, 3, true);
    const uint8_t *pixels = raster.pixels;

    g_assert_cmpuint(bt_raster_pixels(&raster), ==, 600);
    g_assert_cmpuint(bt_raster_size(&raster), ==, 3600);
    raster.alpha = true;
    g_assert_true(bt_raster_reshape(&raster, 1, 1, 1, false));
    g_assert_true(raster.pixels == pixels);
    g_assert_false(raster.alpha);
    g_assert_cmpuint(bt_raster_size(&raster), ==, 1);
    g_assert_true(bt_raster_reshape(&raster, 60, 30, 1, true));
    g_assert_true(raster.pixels == pixels);
    g_assert_true(bt_raster_reshape(&raster, 601, 3, 1, true));
    memset(raster.pixels, 1, bt_raster_size(&raster));
    bt_raster_clear(&raster);
    g_assert_null(raster.pixels);
    g_assert_cmpuint(raster.capacity, ==, 0);
    bt_raster_clear(&raster);
}

static void
test_too_large(void)
{
    BtRaster raster = make_raster(10, 10, 1, false);

    g_assert_false(bt_raster_reshape(&raster, 1 << 30, 1 << 29, 1, false));
    g_assert_null(raster.pixels);
    g_assert_true(bt_raster_reshape(&raster, 10, 10, 1, false));
    memset(raster.pixels, 1, bt_raster_size(&raster));
    bt_raster_clear(&raster);
}

static uint32_t
round_to_level(double level)
{
    return (uint32_t)(level + 0.5);
}

static uint32_t
on_white(uint32_t colour, uint32_t alpha, double white)
{
    return round_to_level(colour * (alpha / white) + white * (1 - alpha / white));
}

/* Every colour under every alpha. */
static void
test_flatten_8_bits(void)
{
    BtRaster raster = make_raster(256, 256, 2, false);

    raster.alpha = true;
    for (size_t i = 0; i < bt_raster_pixels(&raster); i++) {
        raster.pixels[2 * i] = (uint8_t)(i % 256);
        raster.pixels[2 * i + 1] = (uint8_t)(i / 256);
    }
    bt_raster_flatten(&raster);
    g_assert_cmpint(raster.bands, ==, 1);
    g_assert_false(raster.alpha);
    for (uint32_t i = 0; i < bt_raster_pixels(&raster); i++)
        g_assert_cmpuint(raster.pixels[i], ==, on_white(i % 256, i / 256, 255));
    bt_raster_clear(&raster);
}

/* Every colour of 16 bits, in three bands that differ. */
static void
flatten_deep(uint16_t alpha)
{
    BtRaster raster = make_raster(256, 256, 4, true);
    uint16_t *samples = (void *)raster.pixels;

    raster.alpha = true;
    for (uint32_t i = 0; i <= UINT16_MAX; i++, samples += 4) {
        samples[0] = (uint16_t)i;
        samples[1] = (uint16_t)~i;
        samples[2] = (uint16_t)(i * 40503);
        samples[3] = alpha;
    }
    bt_raster_flatten(&raster);
    g_assert_cmpint(raster.bands, ==, 3);
    g_assert_false(raster.alpha);
    samples = (void *)raster.pixels;
    for (uint32_t i = 0; i <= UINT16_MAX; i++, samples += 3) {
        g_assert_cmpuint(samples[0], ==, on_white(i, alpha, 65535));
        g_assert_cmpuint(samples[1], ==, on_white((uint16_t)~i, alpha, 65535));
        g_assert_cmpuint(samples[2], ==, on_white((uint16_t)(i * 40503), alpha, 65535));
    }
    bt_raster_clear(&raster);
}

static void
test_flatten_16_bits(void)
{
    static const uint16_t alphas[] = {0, 1, 2, 255, 256, 32767, 32768, 65533, 65534, 65535};

    for (size_t i = 0; i < G_N_ELEMENTS(alphas); i++)
        flatten_deep(alphas[i]);
    for (int i = 0; i < 20; i++)
        flatten_deep((uint16_t)g_test_rand_int_range(0, 65536));
}

static void
test_nothing_to_flatten(void)
{
    BtRaster raster = make_random(9, 7, 4, false), same = {0};

    g_assert_true(bt_raster_turn(&raster, 1, &same));
    bt_raster_flatten(&raster);
    assert_same(&raster, &same);
    bt_raster_to_8_bits(&raster);
    assert_same(&raster, &same);
    bt_raster_clear(&raster);
    bt_raster_clear(&same);
}

static void
test_to_8_bits(void)
{
    BtRaster raster = make_raster(128, 256, 2, true);
    uint16_t *samples = (void *)raster.pixels;

    raster.alpha = true;
    for (uint32_t i = 0; i <= UINT16_MAX; i++)
        samples[i] = (uint16_t)i;
    bt_raster_to_8_bits(&raster);
    g_assert_false(raster.deep);
    g_assert_true(raster.alpha);
    for (uint32_t i = 0; i <= UINT16_MAX; i++)
        g_assert_cmpuint(raster.pixels[i], ==, round_to_level(i * 255.0 / 65535.0));
    bt_raster_clear(&raster);
}

/* Means of 3 x 2 pixels, from both depths; and a pixel for several. */
static void
test_resize(void)
{
    for (int deep = 0; deep < 2; deep++) {
        BtRaster raster = make_random(9, 8, 3, deep != 0), small = {0}, large = {0};
        BtRaster eight = {0};

        g_assert_true(bt_raster_turn(&raster, 1, &eight));
        bt_raster_to_8_bits(&eight);
        g_assert_true(bt_raster_resize(&raster, 3, 4, &small));
        for (int i = 0; i < 3 * 4 * 3; i++) {
            int x = i / 3 % 3, y = i / 9, band = i % 3, sum = 0;

            for (int k = 0; k < 6; k++)
                sum += eight.pixels[((2 * y + k / 3) * 9 + 3 * x + k % 3) * 3 + band];
            g_assert_cmpint(small.pixels[i], ==, (sum + 3) / 6);
        }
        g_assert_true(bt_raster_resize(&raster, 18, 16, &large));
        for (int i = 0; i < 18 * 16 * 3; i++)
            g_assert_cmpint(large.pixels[i], ==,
                            eight.pixels[(i / 108 * 9 + i / 3 % 18 / 2) * 3 + i % 3]);
        bt_raster_clear(&raster);
        bt_raster_clear(&eight);
        bt_raster_clear(&small);
        bt_raster_clear(&large);
    }
}

/* A colour counts as much as it is seen. */
static void
test_resize_alpha(void)
{
    static const uint8_t pixels[] = {200, 255, 10, 0, 100, 85, 10, 0};
    BtRaster raster = make_raster(4, 1, 2, false), small = {0};

    raster.alpha = true;
    memcpy(raster.pixels, pixels, sizeof pixels);
    g_assert_true(bt_raster_resize(&raster, 1, 1, &small));
    g_assert_true(small.alpha);
    g_assert_cmpint(small.pixels[0], ==, 175);
    g_assert_cmpint(small.pixels[1], ==, 85);
    memset(raster.pixels, 0, sizeof pixels);
    g_assert_true(bt_raster_resize(&raster, 1, 1, &small));
    g_assert_cmpint(small.pixels[0], ==, 0);
    bt_raster_clear(&raster);
    bt_raster_clear(&small);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/raster/turn", test_turn);
    g_test_add_func("/raster/reshape", test_reshape);
    g_test_add_func("/raster/too-large", test_too_large);
    g_test_add_func("/raster/flatten-8-bits", test_flatten_8_bits);
    g_test_add_func("/raster/flatten-16-bits", test_flatten_16_bits);
    g_test_add_func("/raster/nothing-to-flatten", test_nothing_to_flatten);
    g_test_add_func("/raster/to-8-bits", test_to_8_bits);
    g_test_add_func("/raster/resize", test_resize);
    g_test_add_func("/raster/resize-alpha", test_resize_alpha);
    return g_test_run();
}
