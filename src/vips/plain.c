/* SPDX-License-Identifier: MIT */
#include "vips/plain.h"

#include "vips/owned.h"

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
bt_plain(VipsImage *in, VipsImage **out)
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
