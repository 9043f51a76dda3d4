/* SPDX-License-Identifier: MIT */
/* Hashes of pictures that a formula makes, against those of the published program. */
#include "image/thumbhash.h"

#include <glib.h>
#include <string.h>

typedef struct Known {
    int width, height, bands; /* 2 and 4: with alpha */
    const char *hash;
} Known;

/* By https://github.com/evanw/thumbhash, js/thumbhash.js. None but 1 x 1 lacks a wave. */
static const Known known[] = {
    {1, 1, 1, "AAgCBwAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {100, 100, 1, "IAgCBwA3Zod1U2d3Y1YnVCYQAwAAAAAA"},
    {100, 67, 1, "HwgCBYBIdohmU1Z2YzcEQwAAAAAA"},
    {67, 100, 1, "IAgCBQBlh1d1hmV2REclUAAAAAAA"},
    {100, 1, 1, "HAg6AYBWaXiIiAipAAAAAAA="},
    {1, 100, 1, "HQg6AQAIh3iIh4aWAAAAAAA="},
    {100, 13, 1, "HggKAYAVUYhkwIuGAAAAAAA="},
    {37, 99, 1, "HwgGAwCFVmZ1RUUwAAAAAAA="},
    {50, 50, 1, "HwgKBwB1dnhnh3g1VUZzjPaEBAAAAAAA"},
    {1, 1, 2, "AAiCBQAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="},
    {100, 100, 2, "IQiCBQAHW3fXZ4CZZAAAAAAAZgN4R1Z2Jg=="},
    {100, 67, 2, "IgiCA4AHT3awaVYAAAAAAGcUZzdWFXA="},
    {67, 100, 2, "IgiCAwAHV7sGaXQAAAAAABdihzN0YQc="},
    {100, 13, 2, "HQiGAYAXS1CD0GkAAAAAAFYEV0doeYc="},
    {37, 99, 2, "IgiCAgAHdY8mOVUAAAAAADI2OXYmggI="},
    {50, 50, 2, "JAiCBQAXSGWSlwM3ogAAAAAARXV4hCRglQ=="},
    {1, 1, 3, "AAgCBwAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {7, 6, 3, "yPcFDoKAh4eAh3d4d3d3h4d3f4T4SIg="},
    {100, 100, 3, "3wcCBwBXRVRmRTRnVFQ1IgIRZmBZCnQH"},
    {100, 67, 3, "H/gBBYBXRVRnRUVVMyIBVQtRm0Bn"},
    {67, 100, 3, "3wcCBQBWVFdEdVVkNBMgYASHFXzQ"},
    {1, 100, 3, "3gc+GQIIh3iIhoaIyI+DcOg="},
    {100, 13, 3, "3/cFCYQkAFJVY4iGCHNsEHo="},
    {37, 99, 3, "3/cFAwJVR2VVNQNi0EiTDmc="},
    {50, 50, 3, "3/cFDwJVhXlndUYkIlhVf7ZnBraF8iUH"},
    {1, 1, 4, "AAiCBQAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="},
    {7, 6, 4, "yfeBBIASsofAh3l4+CSIT4IIeFd4iHeHCA=="},
    {100, 100, 4, "4PeBDQAHaVb1akWOI6If21awd2Z3Z3UGYQ=="},
    {100, 67, 4, "4PeBC4AHX1SFrkaAbTeAa3ZmdWYQYWc="},
    {67, 100, 4, "oAeCCwIHaMomilCmCn9Z8Wc3hnZ1BWI="},
    {100, 13, 4, "HwiCCYIHVgBUYlkglHswaDEQgpOHhnY="},
    {37, 99, 4, "oAeCCgIHRY9UDDWpU58K1keDhlN2A2M="},
    {50, 50, 4, "ofeBDQIIOnSkeQRjloBvCc+yh2RFBUeGVg=="},
};

static uint8_t
sample_of(int x, int y, int band)
{
    return (uint8_t)(x * (3 + 2 * band) + y * (7 - band) + x * y / (7 + band));
}

static void
fill(BtRaster *raster)
{
    int bands = raster->bands;

    for (int i = 0; i < raster->width * raster->height * bands; i++) {
        uint8_t sample = sample_of(i / bands % raster->width, i / bands / raster->width, i % bands);

        if (raster->deep)
            ((uint16_t *)(void *)raster->pixels)[i] = (uint16_t)(sample * 257);
        else
            raster->pixels[i] = sample;
    }
}

static void
assert_hash(const BtRaster *rasters, int n, const char *expected)
{
    BtOutcome outcome;

    g_assert_true(bt_thumbhash_make(rasters, n, &outcome));
    g_assert_cmpstr(outcome.thumbhash, ==, expected);
}

static void
test_known(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        for (int deep = 0; deep < 2; deep++) {
            BtRaster raster = {0};

            g_assert_true(bt_raster_reshape(&raster, known[i].width, known[i].height,
                                            known[i].bands, deep != 0));
            raster.alpha = known[i].bands % 2 == 0;
            fill(&raster);
            assert_hash(&raster, 1, known[i].hash);
            bt_raster_clear(&raster);
        }
    }
}

/* Each pixel of a picture of up to 100 x 100 becomes a block: that changes nothing. */
static void
test_large(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        int width = known[i].width, height = known[i].height, bands = known[i].bands;
        BtRaster small = {0}, large = {0};

        if (MAX(width, height) < 100)
            continue;
        g_assert_true(bt_raster_reshape(&small, width, height, bands, false));
        fill(&small);
        g_assert_true(bt_raster_reshape(&large, 11 * width, 11 * height, bands, false));
        large.alpha = bands % 2 == 0;
        for (int y = 0; y < large.height; y++)
            for (int x = 0; x < large.width; x++)
                memcpy(large.pixels + (y * large.width + x) * bands,
                       small.pixels + (y / 11 * width + x / 11) * bands, (size_t)bands);
        assert_hash(&large, 1, known[i].hash);
        bt_raster_clear(&small);
        bt_raster_clear(&large);
    }
}

/* A flat picture has no waves, whatever its colour is, rather than those of rounding. */
static void
test_flat(void)
{
    for (int grey = 0; grey < 256; grey++) {
        BtRaster raster = {0};
        BtOutcome outcome;
        g_autofree uint8_t *bytes = NULL;
        gsize size;

        g_assert_true(bt_raster_reshape(&raster, 90, 61, 1, false));
        memset(raster.pixels, grey, bt_raster_size(&raster));
        g_assert_true(bt_thumbhash_make(&raster, 1, &outcome));
        bytes = g_base64_decode(outcome.thumbhash, &size);
        g_assert_cmpuint(bytes[0] & 63, ==, (unsigned)(grey / 255.0 * 63 + 0.5));
        for (gsize i = 5; i < size; i++)
            g_assert_cmpuint(bytes[i], ==, 0);
        bt_raster_clear(&raster);
    }
}

/* Colour planes of half the size, as a JPEG has them: red at the left, blue at the right. */
static void
test_planes(void)
{
    static const uint8_t left[3] = {76, 85, 255}, right[3] = {29, 255, 107};
    BtRaster planes[3] = {0}, joined = {0};
    BtOutcome outcome;

    for (int i = 0; i < 3; i++) {
        int width = i == 0 ? 300 : 150, height = i == 0 ? 201 : 101;

        g_assert_true(bt_raster_reshape(&planes[i], width, height, 1, false));
        for (int at = 0; at < width * height; at++)
            planes[i].pixels[at] = at % width < width / 2 ? left[i] : right[i];
    }
    g_assert_true(bt_raster_reshape(&joined, 300, 201, 3, false));
    for (int at = 0; at < 300 * 201; at++)
        memcpy(joined.pixels + 3 * at, at % 300 < 150 ? "\376\0\0" : "\0\0\376", 3);
    g_assert_true(bt_thumbhash_make(&joined, 1, &outcome));
    assert_hash(planes, 3, outcome.thumbhash);
    for (int i = 0; i < 3; i++)
        bt_raster_clear(&planes[i]);
    bt_raster_clear(&joined);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/thumbhash/known", test_known);
    g_test_add_func("/thumbhash/large", test_large);
    g_test_add_func("/thumbhash/flat", test_flat);
    g_test_add_func("/thumbhash/planes", test_planes);
    return g_test_run();
}
