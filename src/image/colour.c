/* SPDX-License-Identifier: MIT */
#include "image/colour.h"

#include "image/owned.h"

static bool
is_deep(const VipsImage *image)
{
    return image->BandFmt == VIPS_FORMAT_USHORT;
}

/* The space that samples of this shape are in, whatever the file's header would have it called. */
static VipsInterpretation
plain_interpretation(VipsImage *image)
{
    if (vips_image_guess_interpretation(image) == VIPS_INTERPRETATION_CMYK && image->Bands == 4)
        return VIPS_INTERPRETATION_CMYK;
    if (image->Bands < 3)
        return is_deep(image) ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W;
    return is_deep(image) ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB;
}

static bool
is_device_space(VipsInterpretation space)
{
    switch (space) {
    case VIPS_INTERPRETATION_MULTIBAND:
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16:
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB16:
    case VIPS_INTERPRETATION_CMYK:
        return true;
    default:
        return false;
    }
}

/* To 8 or 16 bits. Wider integers keep their upper 16 bits; floats in a device space count 0 to
 * 255, as libvips has them. */
static int
to_depth(VipsImage *in, VipsImage **out)
{
    switch (in->BandFmt) {
    case VIPS_FORMAT_UCHAR:
    case VIPS_FORMAT_USHORT:
        return vips_copy(in, out, NULL);
    case VIPS_FORMAT_UINT:
    case VIPS_FORMAT_INT:
        return vips_cast(in, out, VIPS_FORMAT_USHORT, "shift", TRUE, NULL);
    case VIPS_FORMAT_SHORT:
        return vips_cast(in, out, VIPS_FORMAT_USHORT, NULL);
    default:
        return vips_cast(in, out, VIPS_FORMAT_UCHAR, NULL);
    }
}

/* Colour bands and one alpha: CMYK has no room for alpha in four bands, so it goes without. */
static int
to_bands(VipsImage *in, VipsImage **out)
{
    if (in->Bands <= 4)
        return vips_copy(in, out, NULL);
    return vips_extract_band(in, out, 0, "n", 4, NULL);
}

bool
bt_colour_plain(VipsImage *in, VipsImage **out)
{
    BT_OWNED VipsObject *owner = VIPS_OBJECT(vips_image_new());
    VipsImage **t = (VipsImage **)vips_object_local_array(owner, 4);

    if (vips_image_decode(in, &t[0]) != 0)
        return false;
    if (is_device_space(vips_image_guess_interpretation(t[0]))) {
        t[1] = g_object_ref(t[0]);
    } else {
        if (vips_colourspace(t[0], &t[1], VIPS_INTERPRETATION_RGB16, NULL) != 0)
            return false;
        vips_image_remove(t[1], VIPS_META_ICC_NAME);
    }
    if (to_depth(t[1], &t[2]) != 0 || to_bands(t[2], &t[3]) != 0)
        return false;
    return vips_copy(t[3], out, "interpretation", plain_interpretation(t[3]), NULL) == 0;
}

bool
bt_colour_needs_transform(VipsImage *in)
{
    return in->Type == VIPS_INTERPRETATION_CMYK ||
           vips_image_get_typeof(in, VIPS_META_ICC_NAME) != 0;
}

/* Through the embedded profile, or where there is none that fits, libvips' own for the space. */
static int
transform(VipsImage *in, VipsImage **out)
{
    bool cmyk = in->Type == VIPS_INTERPRETATION_CMYK;

    return vips_icc_transform(in, out, "srgb", "embedded", TRUE, "input_profile",
                              cmyk ? "cmyk" : "srgb", "intent", VIPS_INTENT_RELATIVE,
                              "black_point_compensation", TRUE, "depth", is_deep(in) ? 16 : 8,
                              NULL);
}

/* A grey picture with a grey profile comes out of the transform with three equal bands. */
static int
back_to_grey(VipsImage *in, bool alpha, VipsImage **out)
{
    BT_OWNED VipsImage *grey = NULL, *last = NULL;

    if (vips_extract_band(in, &grey, 1, NULL) != 0)
        return -1;
    if (!alpha) {
        *out = g_steal_pointer(&grey);
        return 0;
    }
    if (vips_extract_band(in, &last, in->Bands - 1, NULL) != 0)
        return -1;
    return vips_bandjoin2(grey, last, out, NULL);
}

bool
bt_colour_to_srgb(VipsImage *in, VipsImage **out)
{
    BT_OWNED VipsImage *srgb = NULL, *same = NULL;

    if (!bt_colour_needs_transform(in))
        return vips_copy(in, out, NULL) == 0;
    if (transform(in, &srgb) != 0) {
        if (in->Type == VIPS_INTERPRETATION_CMYK)
            return false;
        /* A profile that makes no sense is as good as none. */
        vips_error_clear();
        g_clear_object(&srgb);
        if (vips_copy(in, &srgb, NULL) != 0)
            return false;
    }
    if (in->Bands < 3 && srgb->Bands >= 3) {
        if (back_to_grey(srgb, in->Bands == 2, &same) != 0)
            return false;
    } else {
        same = g_object_ref(srgb);
    }
    if (vips_copy(same, out, "interpretation", plain_interpretation(same), NULL) != 0)
        return false;
    vips_image_remove(*out, VIPS_META_ICC_NAME);
    return true;
}
