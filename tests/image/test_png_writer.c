/* SPDX-License-Identifier: MIT */
/* PNG files that are written, read again by libvips: the same samples, and the same metadata. */
#include "image/png.h"

#include <string.h>
#include <vips/vips.h>

static GBytes *
write_png(const BtRaster *raster, const BtMetadata *metadata)
{
    BtOutcome outcome = {0};
    GBytes *file = bt_png_write(raster, metadata, &outcome);

    g_assert_cmpstr(outcome.sentence, ==, "");
    g_assert_nonnull(file);
    return file;
}

static VipsImage *
read_png(GBytes *file)
{
    VipsImage *image = NULL;
    gsize size;
    const void *bytes = g_bytes_get_data(file, &size);

    if (vips_pngload_buffer((void *)(uintptr_t)bytes, size, &image, "fail_on", VIPS_FAIL_ON_WARNING,
                            NULL) != 0)
        g_error("%s", vips_error_buffer());
    return image;
}

/* noisy: bytes that deflate makes nothing shorter of; else slopes. */
static void
check(int width, int height, int bands, bool deep, bool noisy)
{
    BtRaster raster = {0};
    g_autoptr(GBytes) file = NULL;
    VipsImage *image;
    size_t size, got_size;
    void *got;

    g_assert_true(bt_raster_reshape(&raster, width, height, bands, deep));
    raster.alpha = bands % 2 == 0;
    size = bt_raster_size(&raster);
    for (size_t i = 0; i < size; i++)
        raster.pixels[i] = (uint8_t)(noisy ? (size_t)g_test_rand_int() : i / 7);
    file = write_png(&raster, &(BtMetadata){0});
    image = read_png(file);
    got = vips_image_write_to_memory(image, &got_size);
    g_assert_nonnull(got);
    g_assert_cmpint(image->Xsize, ==, width);
    g_assert_cmpint(image->Bands, ==, bands);
    g_assert_cmpint(vips_image_hasalpha(image), ==, raster.alpha);
    g_assert_cmpint(image->BandFmt, ==, deep ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR);
    g_assert_cmpmem(got, got_size, raster.pixels, size);
    g_free(got);
    g_object_unref(image);
    bt_raster_clear(&raster);
}

static void
test_pixels(void)
{
    static const int sides[][2] = {{1, 1}, {1, 300}, {300, 1}, {64, 48}, {601, 407}};

    for (size_t i = 0; i < G_N_ELEMENTS(sides); i++)
        for (int bands = 1; bands <= 4; bands++)
            for (int kind = 0; kind < 4; kind++)
                check(sides[i][0], sides[i][1], bands, kind & 1, kind & 2);
}

/* skipped: bytes that libvips leaves out. */
static void
assert_blob(VipsImage *image, const char *name, GBytes *expected, size_t skipped)
{
    const void *bytes;
    size_t size;
    gsize expected_size;
    const char *expected_bytes = g_bytes_get_data(expected, &expected_size);

    g_assert_cmpint(vips_image_get_blob(image, name, &bytes, &size), ==, 0);
    g_assert_cmpmem(bytes, size, expected_bytes + skipped, expected_size - skipped);
}

static void
test_metadata(void)
{
    static const char exif[] = "Exif\0\0MM\0*\0\0\0\10\0\0\0\0\0";
    static const char xmp[] = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"/>";
    g_auto(BtMetadata) metadata = {
        .exif = g_bytes_new(exif, sizeof exif - 1),
        .xmp = g_bytes_new(xmp, sizeof xmp - 1),
    };
    uint8_t pixels[12] = {0};
    BtRaster raster = {.pixels = pixels, .width = 2, .height = 2, .bands = 3};
    g_autoptr(GBytes) file = write_png(&raster, &metadata);
    VipsImage *image = read_png(file);

    assert_blob(image, VIPS_META_EXIF_NAME, metadata.exif, 6);
    assert_blob(image, VIPS_META_XMP_NAME, metadata.xmp, 0);
    g_object_unref(image);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (VIPS_INIT(argv[0]) != 0)
        return 1;
    g_test_add_func("/png-writer/pixels", test_pixels);
    g_test_add_func("/png-writer/metadata", test_metadata);
    return g_test_run();
}
