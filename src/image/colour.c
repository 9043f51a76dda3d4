/* SPDX-License-Identifier: MIT */
#include "image/colour.h"

#include "image/light.h"

#include <glib.h>
#include <lcms2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PIXELS_AT_A_TIME ((size_t)1 << 24)

/* Colours that are tried to see whether a transform does anything: a cube of so many a side. */
#define CUBE         9
#define CUBE_SAMPLES (CUBE * CUBE * CUBE * 3)

/* What rounding alone does to a sample of 8 bits. */
#define NOTHING 1

struct BtColour {
    void *profile; /* of the transform; owned */
    size_t size;
    BtColourShape shape;
    cmsHTRANSFORM transform; /* NULL: nothing to apply */
    BtCoding coding;
    BtLight *light; /* by the coding. NULL: nothing to apply */
};

BtColour *
bt_colour_new(void)
{
    return g_new0(BtColour, 1);
}

static void
forget(BtColour *self)
{
    g_clear_pointer(&self->profile, g_free);
    g_clear_pointer(&self->transform, cmsDeleteTransform);
    self->coding = (BtCoding){0};
    g_clear_pointer(&self->light, g_free);
}

void
bt_colour_free(BtColour *self)
{
    if (self == NULL)
        return;
    forget(self);
    g_free(self);
}

static cmsUInt32Number
pixel_type(int space, int colours, bool deep, bool alpha)
{
    return COLORSPACE_SH((unsigned)space) | CHANNELS_SH((unsigned)colours) |
           EXTRA_SH((unsigned)alpha) | BYTES_SH(deep ? 2u : 1u);
}

/* Grey with the curve of sRGB. */
static cmsHPROFILE
make_grey(void)
{
    cmsHPROFILE srgb = cmsCreate_sRGBProfile(), grey;

    grey = cmsCreateGrayProfile(cmsD50_xyY(), cmsReadTag(srgb, cmsSigRedTRCTag));
    cmsCloseProfile(srgb);
    return grey;
}

/* For RGB of 8 bits lcms2 has a fast way that is right to 0.7 of 255. For all else it would make a
 * coarse table, which is off by up to 15 of 255 (Display P3 in 16 bits; grey; CMYK):
 * there each pixel goes through the profiles, at 80 to 400 ns. */
static cmsHTRANSFORM
link_to_srgb(cmsHPROFILE from, const BtColourShape *shape, bool deep, bool alpha)
{
    static const struct {
        cmsColorSpaceSignature signature;
        int type;
    } spaces[] = {[1] = {cmsSigGrayData, PT_GRAY},
                  [3] = {cmsSigRgbData, PT_RGB},
                  [4] = {cmsSigCmykData, PT_CMYK}};
    bool grey = shape->colours == 1;
    cmsHTRANSFORM transform = NULL;
    cmsHPROFILE srgb;

    if (cmsGetColorSpace(from) != spaces[shape->colours].signature)
        return NULL;
    srgb = grey ? make_grey() : cmsCreate_sRGBProfile();
    if (srgb != NULL)
        transform = cmsCreateTransform(
            from, pixel_type(spaces[shape->colours].type, shape->colours, deep, alpha), srgb,
            pixel_type(grey ? PT_GRAY : PT_RGB, grey ? 1 : 3, deep, alpha),
            INTENT_RELATIVE_COLORIMETRIC,
            cmsFLAGS_BLACKPOINTCOMPENSATION | (alpha ? cmsFLAGS_COPY_ALPHA : 0) |
                (shape->colours == 3 && !deep ? 0 : cmsFLAGS_NOOPTIMIZE));
    g_clear_pointer(&srgb, cmsCloseProfile);
    return transform;
}

/* A cube of colours, in 8 bits. The number of samples. */
static size_t
fill_cube(uint8_t out[CUBE_SAMPLES])
{
    size_t n = 0;

    for (int i = 0; i < CUBE * CUBE * CUBE; i++)
        for (int digit = i, band = 0; band < 3; band++, digit /= CUBE)
            out[n++] = (uint8_t)(digit % CUBE * UINT8_MAX / (CUBE - 1));
    return n;
}

static bool
is_near(const uint8_t *in, const uint8_t *out, size_t n)
{
    while (n > 0 && abs(in[n - 1] - out[n - 1]) <= NOTHING)
        n--;
    return n == 0;
}

/* Whether colours stay what they are: tried in 8 bits. */
static bool
is_idle(cmsHPROFILE from, const BtColourShape *shape)
{
    uint8_t in[CUBE_SAMPLES], out[CUBE_SAMPLES];
    cmsHTRANSFORM transform = shape->colours < 4 ? link_to_srgb(from, shape, false, false) : NULL;
    size_t n = fill_cube(in);

    if (transform == NULL)
        return false;
    cmsDoTransform(transform, in, out, (cmsUInt32Number)(n / (size_t)shape->colours));
    cmsDeleteTransform(transform);
    return is_near(in, out, n);
}

static bool
is_same_shape(const BtColour *self, const BtColourShape *shape)
{
    return self->shape.colours == shape->colours && self->shape.deep == shape->deep &&
           self->shape.alpha == shape->alpha;
}

bool
bt_colour_prepare(BtColour *self, const void *profile, size_t size, const BtColourShape *shape)
{
    cmsHPROFILE from;

    if (self->profile != NULL && self->size == size && memcmp(self->profile, profile, size) == 0 &&
        is_same_shape(self, shape))
        return self->transform != NULL;
    forget(self);
    self->profile = g_memdup2(profile, size);
    self->size = size;
    self->shape = *shape;
    if ((from = cmsOpenProfileFromMem(self->profile, (cmsUInt32Number)size)) == NULL)
        return false;
    if (!is_idle(from, shape))
        self->transform = link_to_srgb(from, shape, shape->deep, shape->alpha);
    cmsCloseProfile(from);
    return self->transform != NULL;
}

bool
bt_colour_prepare_coded(BtColour *self, const BtCoding *coding, const BtColourShape *shape)
{
    uint8_t in[CUBE_SAMPLES], out[CUBE_SAMPLES];
    size_t n = fill_cube(in);

    if (memcmp(&self->coding, coding, sizeof *coding) == 0 && is_same_shape(self, shape))
        return self->light != NULL;
    forget(self);
    self->coding = *coding;
    self->shape = *shape;
    self->light = g_new(BtLight, 1);
    if (bt_light_prepare(self->light, coding, false)) {
        bt_light_apply(self->light, in, out, n / (size_t)shape->colours, shape->colours, false);
        if (!is_near(in, out, n) && bt_light_prepare(self->light, coding, shape->deep))
            return true;
    }
    g_clear_pointer(&self->light, g_free);
    return false;
}

int
bt_colour_bands(const BtColour *self)
{
    return MIN(self->shape.colours, 3) + self->shape.alpha;
}

void
bt_colour_apply(const BtColour *self, const void *in, void *out, size_t n_px)
{
    size_t sample = self->shape.deep ? 2 : 1;
    size_t in_size = (size_t)(self->shape.colours + self->shape.alpha) * sample;
    size_t out_size = (size_t)bt_colour_bands(self) * sample;
    const uint8_t *from = in;
    uint8_t *to = out;

    if (self->light != NULL) {
        bt_light_apply(self->light, in, out, n_px, self->shape.colours, self->shape.alpha);
        return;
    }
    while (n_px > 0) {
        size_t n = MIN(n_px, PIXELS_AT_A_TIME);

        cmsDoTransform(self->transform, from, to, (cmsUInt32Number)n);
        from += n * in_size;
        to += n * out_size;
        n_px -= n;
    }
}
