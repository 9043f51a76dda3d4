/* SPDX-License-Identifier: MIT */
/* Colours by their profiles: against the matrices and curves that define them, in double precision;
 * what makes no sense is ignored. */
#include "image/colour.h"

#include <glib.h>
#include <lcms2.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <vips/vips.h>

#define RGB          3
#define CUBE         17 /* values tried of each colour */
#define CUBE_SAMPLES (CUBE * CUBE * CUBE * RGB)

/* Levels that a result may be off by: the nearest one of 8 bits, or of 16 and the one beside it;
 * with a matrix, which lcms2 takes to 14 bits for 8, and which a profile holds to 1/65536
 * (which sRGB's curve makes 13 times as much in the dark). */
#define NEAREST           0.51
#define NEAREST_DEEP      2
#define MATRIX_ERROR      1
#define MATRIX_ERROR_DEEP 26

static const BtColourShape rgb_8 = {.colours = 3}, rgb_16 = {.colours = 3, .deep = true},
                           grey_8 = {.colours = 1}, grey_16 = {.colours = 1, .deep = true},
                           cmyk_8 = {.colours = 4};

/* Linear light in Display P3 to linear light in sRGB: both have the white of D65. */
static const double p3_to_srgb[RGB][RGB] = {
    {1.2249401, -0.2249402, 0},
    {-0.0420569, 1.0420571, 0},
    {-0.0196376, -0.0786361, 1.0982735},
};

static void
free_colour(BtColour **colour)
{
    bt_colour_free(*colour);
}

#define OWNED_COLOUR __attribute__((cleanup(free_colour))) BtColour

/* IEC 61966-2-1. */
static double
to_light(double level)
{
    return level <= 0.04045 ? level / 12.92 : pow((level + 0.055) / 1.055, 2.4);
}

static double
from_light(double light)
{
    light = CLAMP(light, 0, 1);
    return light <= 0.0031308 ? light * 12.92 : 1.055 * pow(light, 1 / 2.4) - 0.055;
}

static GBytes *
save(cmsHPROFILE profile)
{
    cmsUInt32Number size = 0;
    void *bytes;

    g_assert_true(cmsSaveProfileToMem(profile, NULL, &size));
    bytes = g_malloc(size);
    g_assert_true(cmsSaveProfileToMem(profile, bytes, &size));
    cmsCloseProfile(profile);
    return g_bytes_new_take(bytes, size);
}

static GBytes *
make_p3(void)
{
    static const cmsCIExyY white = {0.3127, 0.3290, 1};
    static const cmsCIExyYTRIPLE primaries = {
        {0.680, 0.320, 1}, {0.265, 0.690, 1}, {0.150, 0.060, 1}};
    static const double parameters[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
    cmsToneCurve *curve = cmsBuildParametricToneCurve(NULL, 4, parameters);
    cmsToneCurve *curves[] = {curve, curve, curve};
    GBytes *profile = save(cmsCreateRGBProfile(&white, &primaries, curves));

    cmsFreeToneCurve(curve);
    return profile;
}

static GBytes *
make_grey(double gamma)
{
    cmsToneCurve *curve = cmsBuildGamma(NULL, gamma);
    GBytes *profile = save(cmsCreateGrayProfile(cmsD50_xyY(), curve));

    cmsFreeToneCurve(curve);
    return profile;
}

/* One of those that libvips brings with it: "srgb", "p3", "cmyk". */
static GBytes *
load_profile(const char *name)
{
    VipsBlob *blob = NULL;
    const void *bytes;
    GBytes *profile;
    size_t size;

    g_assert_cmpint(vips_profile_load(name, &blob, NULL), ==, 0);
    bytes = vips_blob_get(blob, &size);
    profile = g_bytes_new(bytes, size);
    vips_area_unref(VIPS_AREA(blob));
    return profile;
}

static bool
prepare(BtColour *colour, GBytes *profile, const BtColourShape *shape)
{
    gsize size;
    const void *bytes = g_bytes_get_data(profile, &size);

    return bt_colour_prepare(colour, bytes, size, shape);
}

/* Every colour of a cube, in levels of 8 bits. */
static void
fill_cube(uint8_t *out)
{
    for (int i = 0; i < CUBE * CUBE * CUBE; i++)
        for (int digit = i, band = 0; band < RGB; band++, digit /= CUBE)
            *out++ = (uint8_t)(digit % CUBE * UINT8_MAX / (CUBE - 1));
}

/* What the matrix makes of a colour of Display P3, 0 to 1. */
static void
convert_p3(const double in[RGB], double out[RGB])
{
    for (int row = 0; row < RGB; row++) {
        double light = 0;

        for (int column = 0; column < RGB; column++)
            light += p3_to_srgb[row][column] * to_light(in[column]);
        out[row] = from_light(light);
    }
}

static void
test_p3(void)
{
    g_autoptr(GBytes) profile = make_p3();
    OWNED_COLOUR *colour = bt_colour_new();
    uint8_t in[CUBE_SAMPLES], out[CUBE_SAMPLES];

    fill_cube(in);
    g_assert_true(prepare(colour, profile, &rgb_8));
    g_assert_cmpint(bt_colour_bands(colour), ==, RGB);
    bt_colour_apply(colour, in, out, CUBE_SAMPLES / RGB);
    for (size_t i = 0; i < CUBE_SAMPLES; i += RGB) {
        double stored[RGB] = {in[i] / 255.0, in[i + 1] / 255.0, in[i + 2] / 255.0}, expected[RGB];

        convert_p3(stored, expected);
        for (size_t band = 0; band < RGB; band++)
            g_assert_cmpfloat_with_epsilon(out[i + band], 255 * expected[band], MATRIX_ERROR);
    }
    bt_colour_apply(colour, in, in, CUBE_SAMPLES / RGB);
    g_assert_cmpmem(in, sizeof in, out, sizeof out);
}

static void
test_p3_16_bits(void)
{
    g_autoptr(GBytes) profile = make_p3();
    OWNED_COLOUR *colour = bt_colour_new();

    g_assert_true(prepare(colour, profile, &rgb_16));
    for (int i = 0; i < 20000; i++) {
        uint16_t in[RGB], out[RGB];
        double stored[RGB], expected[RGB];

        for (int band = 0; band < RGB; band++) {
            in[band] = (uint16_t)g_test_rand_int_range(0, 65536);
            stored[band] = in[band] / 65535.0;
        }
        convert_p3(stored, expected);
        bt_colour_apply(colour, in, out, 1);
        for (int band = 0; band < RGB; band++)
            g_assert_cmpfloat_with_epsilon(out[band], 65535 * expected[band], MATRIX_ERROR_DEEP);
    }
}

/* Grey stays one band: with sRGB's curve instead of its own. */
static void
test_grey(void)
{
    static const double gammas[] = {1, 1.8, 2.2, 2.4};

    for (size_t i = 0; i < G_N_ELEMENTS(gammas); i++) {
        g_autoptr(GBytes) profile = make_grey(gammas[i]);
        OWNED_COLOUR *colour = bt_colour_new();
        uint16_t in, out;

        g_assert_true(prepare(colour, profile, &grey_8));
        g_assert_cmpint(bt_colour_bands(colour), ==, 1);
        for (int level = 0; level <= UINT8_MAX; level++) {
            uint8_t sample = (uint8_t)level;

            bt_colour_apply(colour, &sample, &sample, 1);
            g_assert_cmpfloat_with_epsilon(sample, 255 * from_light(pow(level / 255.0, gammas[i])),
                                           NEAREST);
        }
        g_assert_true(prepare(colour, profile, &grey_16));
        g_assert_cmpint(bt_colour_bands(colour), ==, 1);
        for (uint32_t level = 0; level <= UINT16_MAX; level += 51) {
            in = (uint16_t)level;
            bt_colour_apply(colour, &in, &out, 1);
            g_assert_cmpfloat_with_epsilon(out, 65535 * from_light(pow(level / 65535.0, gammas[i])),
                                           NEAREST_DEEP);
        }
    }
}

/* More pixels than lcms2 is given at a time. */
static void
test_many_pixels(void)
{
    size_t n = ((size_t)1 << 24) + 3;
    g_autofree uint8_t *samples = g_malloc(n), *first = g_malloc(256);
    g_autoptr(GBytes) profile = make_grey(1);
    OWNED_COLOUR *colour = bt_colour_new();

    for (size_t i = 0; i < n; i++)
        samples[i] = (uint8_t)i;
    g_assert_true(prepare(colour, profile, &grey_8));
    bt_colour_apply(colour, samples, first, 256);
    bt_colour_apply(colour, samples, samples, n);
    for (size_t i = 0; i < n; i += 256)
        g_assert_cmpmem(samples + i, MIN(256, n - i), first, MIN(256, n - i));
}

/* sRGB's own profile, as lcms2 makes it and as libvips brings it. */
static void
test_nothing_to_apply(void)
{
    g_autoptr(GBytes) own = save(cmsCreate_sRGBProfile()), brought = load_profile("srgb");
    OWNED_COLOUR *colour = bt_colour_new();

    for (int deep = 0; deep < 2; deep++) {
        for (int alpha = 0; alpha < 2; alpha++) {
            BtColourShape shape = {.colours = RGB, .deep = deep != 0, .alpha = alpha != 0};

            g_assert_false(prepare(colour, own, &shape));
            g_assert_false(prepare(colour, own, &shape));
            g_assert_false(prepare(colour, brought, &shape));
        }
    }
}

static void
test_other_samples(void)
{
    g_autoptr(GBytes) p3 = make_p3(), grey = make_grey(1), cmyk = load_profile("cmyk");
    g_autoptr(GBytes) lab = save(cmsCreateLab4Profile(NULL));
    OWNED_COLOUR *colour = bt_colour_new();

    g_assert_false(prepare(colour, p3, &grey_8));
    g_assert_false(prepare(colour, p3, &cmyk_8));
    g_assert_false(prepare(colour, grey, &rgb_8));
    g_assert_false(prepare(colour, grey, &cmyk_8));
    g_assert_false(prepare(colour, cmyk, &rgb_8));
    g_assert_false(prepare(colour, cmyk, &grey_8));
    g_assert_false(prepare(colour, lab, &rgb_8));
    g_assert_true(prepare(colour, p3, &rgb_8));
}

/* Without a table, in floating point. */
static cmsHTRANSFORM
link_exactly(GBytes *cmyk)
{
    gsize size;
    const void *bytes = g_bytes_get_data(cmyk, &size);
    cmsHPROFILE from = cmsOpenProfileFromMem(bytes, (cmsUInt32Number)size);
    cmsHPROFILE srgb = cmsCreate_sRGBProfile();
    cmsHTRANSFORM transform =
        cmsCreateTransform(from, TYPE_CMYK_DBL, srgb, TYPE_RGB_DBL, INTENT_RELATIVE_COLORIMETRIC,
                           cmsFLAGS_BLACKPOINTCOMPENSATION | cmsFLAGS_NOOPTIMIZE);

    cmsCloseProfile(srgb);
    cmsCloseProfile(from);
    return transform;
}

static void
test_cmyk(void)
{
    static const uint8_t paper[4] = {0, 0, 0, 0}, white[RGB] = {255, 255, 255};
    g_autoptr(GBytes) profile = load_profile("cmyk");
    OWNED_COLOUR *colour = bt_colour_new();
    cmsHTRANSFORM exact = link_exactly(profile);
    uint8_t in[4], out[RGB];

    g_assert_true(prepare(colour, profile, &cmyk_8));
    g_assert_cmpint(bt_colour_bands(colour), ==, RGB);
    bt_colour_apply(colour, paper, out, 1);
    g_assert_cmpmem(out, RGB, white, RGB);
    for (int i = 0; i < 10000; i++) {
        double ink[4], expected[RGB];

        for (int band = 0; band < 4; band++) {
            in[band] = (uint8_t)g_test_rand_int_range(0, 256);
            ink[band] = in[band] * 100 / 255.0;
        }
        bt_colour_apply(colour, in, out, 1);
        cmsDoTransform(exact, ink, expected, 1);
        for (int band = 0; band < RGB; band++)
            g_assert_cmpfloat_with_epsilon(out[band], 255 * CLAMP(expected[band], 0, 1), NEAREST);
    }
    cmsDeleteTransform(exact);
}

/* Of one pixel: colours as without alpha, alpha as it was. */
static void
check_alpha(GBytes *profile, BtColourShape shape)
{
    BtColourShape with_alpha = {shape.colours, shape.deep, true};
    OWNED_COLOUR *plain = bt_colour_new(), *colour = bt_colour_new();
    size_t sample = shape.deep ? 2 : 1, in_size = (size_t)shape.colours * sample;

    g_assert_true(prepare(plain, profile, &shape));
    g_assert_true(prepare(colour, profile, &with_alpha));
    g_assert_cmpint(bt_colour_bands(colour), ==, bt_colour_bands(plain) + 1);
    for (int i = 0; i < 2000; i++) {
        size_t out_size = (size_t)bt_colour_bands(plain) * sample;
        uint16_t in[5], out[4], expected[4];

        for (size_t k = 0; k < G_N_ELEMENTS(in); k++)
            in[k] = (uint16_t)g_test_rand_int_range(0, 65536);
        bt_colour_apply(plain, in, expected, 1);
        bt_colour_apply(colour, in, out, 1);
        g_assert_cmpmem(out, out_size, expected, out_size);
        g_assert_cmpmem((uint8_t *)out + out_size, sample, (uint8_t *)in + in_size, sample);
        if (shape.colours == 4)
            continue;
        bt_colour_apply(colour, in, in, 1);
        g_assert_cmpmem(in, out_size + sample, out, out_size + sample);
    }
}

static void
test_alpha(void)
{
    g_autoptr(GBytes) p3 = make_p3(), grey = make_grey(1), cmyk = load_profile("cmyk");

    check_alpha(p3, rgb_8);
    check_alpha(p3, rgb_16);
    check_alpha(grey, grey_8);
    check_alpha(grey, grey_16);
    check_alpha(cmyk, cmyk_8);
}

/* What one profile makes of the cube; false where there is nothing to apply. */
static bool
convert_cube(BtColour *colour, GBytes *profile, const BtColourShape *shape, uint8_t *out)
{
    uint8_t in[CUBE_SAMPLES];
    int bands = shape->colours + shape->alpha;

    if (!prepare(colour, profile, shape))
        return false;
    fill_cube(in);
    bt_colour_apply(colour, in, out, (size_t)(CUBE_SAMPLES / bands / (shape->deep ? 2 : 1)));
    return true;
}

/* What was prepared before has no effect, however alike it was, and whether it came to anything. */
static void
test_one_after_the_other(void)
{
    static const BtColourShape rgba_8 = {.colours = 3, .alpha = true};
    g_autoptr(GBytes) p3 = make_p3(), srgb = save(cmsCreate_sRGBProfile()), grey = make_grey(1);
    g_autoptr(GBytes) dark = make_grey(2.4);
    const struct {
        GBytes *profile;
        const BtColourShape *shape;
    } steps[] = {{p3, &rgb_8},    {p3, &rgba_8},  {p3, &rgb_16},  {p3, &rgb_8},
                 {srgb, &rgb_8},  {p3, &rgb_8},   {p3, &grey_8},  {grey, &grey_8},
                 {dark, &grey_8}, {grey, &rgb_8}, {grey, &grey_8}};
    OWNED_COLOUR *used = bt_colour_new();

    g_assert_cmpuint(g_bytes_get_size(grey), ==, g_bytes_get_size(dark));
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        OWNED_COLOUR *fresh = bt_colour_new();
        uint8_t expected[CUBE_SAMPLES] = {0}, out[CUBE_SAMPLES] = {0};

        for (int times = 0; times < 2; times++)
            g_assert_cmpint(convert_cube(used, steps[i].profile, steps[i].shape, out), ==,
                            convert_cube(fresh, steps[i].profile, steps[i].shape, expected));
        g_assert_cmpmem(out, sizeof out, expected, sizeof expected);
    }
}

/* The same with a heap copy of exactly this size, so that a sanitizer sees a byte that is read
 * beyond. */
static bool
try_profile(BtColour *colour, const uint8_t *bytes, size_t size, uint8_t *out)
{
    g_autoptr(GBytes) copy = g_bytes_new(bytes, size);

    return convert_cube(colour, copy, &rgb_8, out);
}

/* A profile without its end is none, unless nothing is missing that counts. */
static void
test_truncated(void)
{
    g_autoptr(GBytes) profile = make_p3();
    OWNED_COLOUR *colour = bt_colour_new();
    gsize whole;
    const uint8_t *bytes = g_bytes_get_data(profile, &whole);
    uint8_t expected[CUBE_SAMPLES], out[CUBE_SAMPLES];

    g_assert_true(try_profile(colour, bytes, whole, expected));
    for (size_t size = 0; size < whole; size++)
        if (try_profile(colour, bytes, size, out))
            g_assert_cmpmem(out, sizeof out, expected, sizeof expected);
    g_assert_false(try_profile(colour, bytes, whole / 2, out));
}

static void
test_garbage(void)
{
    OWNED_COLOUR *colour = bt_colour_new();
    uint8_t bytes[1000], out[CUBE_SAMPLES];

    for (int i = 0; i < 1000; i++) {
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)g_test_rand_int_range(0, 256);
        memcpy(bytes + 36, "acsp", 4);
        g_assert_false(try_profile(colour, bytes, (size_t)g_test_rand_int_range(0, 1001), out));
    }
}

/* Any damage: no harm, which the sanitizers see, and the next profile is read as ever. */
static void
test_damaged(void)
{
    g_autoptr(GBytes) p3 = make_p3(), brought = load_profile("p3");
    OWNED_COLOUR *colour = bt_colour_new();
    uint8_t expected[CUBE_SAMPLES], out[CUBE_SAMPLES];

    g_assert_true(convert_cube(colour, p3, &rgb_8, expected));
    for (int i = 0; i < 500; i++) {
        gsize size;
        const uint8_t *whole = g_bytes_get_data(i % 2 == 0 ? p3 : brought, &size);
        g_autofree uint8_t *bytes = g_memdup2(whole, size);

        for (int n = g_test_rand_int_range(1, 8); n > 0; n--)
            bytes[g_test_rand_int_range(0, (int)size)] = (uint8_t)g_test_rand_int_range(0, 256);
        try_profile(colour, bytes, size, out);
    }
    g_assert_true(convert_cube(colour, p3, &rgb_8, out));
    g_assert_cmpmem(out, sizeof out, expected, sizeof expected);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (VIPS_INIT(argv[0]) != 0)
        g_error("%s", vips_error_buffer());
    g_test_add_func("/colour/p3", test_p3);
    g_test_add_func("/colour/p3-16-bits", test_p3_16_bits);
    g_test_add_func("/colour/grey", test_grey);
    g_test_add_func("/colour/many-pixels", test_many_pixels);
    g_test_add_func("/colour/nothing-to-apply", test_nothing_to_apply);
    g_test_add_func("/colour/other-samples", test_other_samples);
    g_test_add_func("/colour/cmyk", test_cmyk);
    g_test_add_func("/colour/alpha", test_alpha);
    g_test_add_func("/colour/one-after-the-other", test_one_after_the_other);
    g_test_add_func("/colour/truncated", test_truncated);
    g_test_add_func("/colour/garbage", test_garbage);
    g_test_add_func("/colour/damaged", test_damaged);
    return g_test_run();
}
