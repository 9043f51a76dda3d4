/* SPDX-License-Identifier: MIT */
#include "vips/module.h"

#include <stdint.h>

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

bool
bt_plain_is_wide(VipsImage *image)
{
    return is_device_space(vips_image_guess_interpretation(image)) &&
           (image->BandFmt == VIPS_FORMAT_UINT || image->BandFmt == VIPS_FORMAT_INT ||
            image->BandFmt == VIPS_FORMAT_FLOAT || image->BandFmt == VIPS_FORMAT_DOUBLE);
}

double
bt_plain_white(const VipsImage *image, double largest)
{
    bool whole = image->BandFmt == VIPS_FORMAT_UINT || image->BandFmt == VIPS_FORMAT_INT;

    if (!(largest > 0))
        return 1; /* all black */
    if (largest <= 1 && !whole)
        return 1;
    if (largest <= UINT8_MAX)
        return UINT8_MAX;
    if (largest <= UINT16_MAX)
        return UINT16_MAX;
    return image->BandFmt == VIPS_FORMAT_UINT  ? UINT32_MAX
           : image->BandFmt == VIPS_FORMAT_INT ? INT32_MAX
                                               : 0;
}

/* `white` becomes the greatest value of 8 bits, where there are no more, else of 16. */
static int
scale(VipsImage *in, double white, VipsImage **out)
{
    bool narrow = in->BandFmt == VIPS_FORMAT_UCHAR;
    double most = narrow ? UINT8_MAX : UINT16_MAX;
    BT_OWNED VipsImage *scaled = NULL;

    if (vips_linear1(in, &scaled, most / white, 0.5, NULL) != 0)
        return -1;
    return vips_cast(scaled, out, narrow ? VIPS_FORMAT_UCHAR : VIPS_FORMAT_USHORT, NULL);
}

static int
to_depth(VipsImage *in, double white, VipsImage **out)
{
    if (white > 0)
        return scale(in, white, out);
    switch (in->BandFmt) {
    case VIPS_FORMAT_UCHAR:
    case VIPS_FORMAT_USHORT:
        return vips_copy(in, out, NULL);
    case VIPS_FORMAT_SHORT:
        return vips_cast(in, out, VIPS_FORMAT_USHORT, NULL);
    default:
        return vips_cast(in, out, VIPS_FORMAT_UCHAR, NULL);
    }
}

/* Colour bands and one alpha: CMYK has no room for alpha in four bands, so it goes without. */
static int
to_bands(VipsImage *in, bool opaque, VipsImage **out)
{
    if (opaque && in->Bands != 3 && vips_image_guess_interpretation(in) != VIPS_INTERPRETATION_CMYK)
        return vips_extract_band(in, out, 0, "n", in->Bands > 3 ? 3 : 1, NULL);
    if (in->Bands <= 4)
        return vips_copy(in, out, NULL);
    return vips_extract_band(in, out, 0, "n", 4, NULL);
}

bool
bt_plain(VipsImage *in, double white, bool opaque, VipsImage **out)
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
    if (to_depth(t[1], white, &t[2]) != 0 || to_bands(t[2], opaque, &t[3]) != 0)
        return false;
    return vips_copy(t[3], out, "interpretation", plain_interpretation(t[3]), NULL) == 0;
}
