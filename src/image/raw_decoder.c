/* SPDX-License-Identifier: MIT */
#include "image/raw.h"

#include "image/jpeg_decoder.h"

#include <glib.h>
#include <lcms2.h>
#include <math.h>
#include <stdio.h>

/* How much larger the photo may be said to be than a preview at full size, which cameras cut out of
 * the sensor's borders. */
#define BORDERS 1.05

struct BtDecode {
    BtDecode *jpeg; /* the preview, as bt_jpeg_decoder has it */
    void *profile;  /* of the space that tags say; or NULL */
    GBytes *exif;   /* of the file beside the preview */
};

/* The profile of a space that is not sRGB, or NULL. Owned. */
static void *
make_profile(BtRawSpace space, size_t *out_size)
{
    static const struct {
        cmsCIExyY white;
        cmsCIExyYTRIPLE primaries;
        int type;
        double curve[5];
    } spaces[] = {
        [BT_RAW_ADOBE_RGB] = {{0.3127, 0.3290, 1},
                              {{0.64, 0.33, 1}, {0.21, 0.71, 1}, {0.15, 0.06, 1}},
                              1,
                              {563.0 / 256}},
        [BT_RAW_PROPHOTO_RGB] = {{0.3457, 0.3585, 1},
                                 {{0.7347, 0.2653, 1}, {0.1596, 0.8404, 1}, {0.0366, 0.0001, 1}},
                                 4,
                                 {1.8, 1, 0, 1.0 / 16, 1.0 / 32}},
    };
    cmsToneCurve *curve, *curves[3];
    cmsHPROFILE made;
    cmsUInt32Number size = 0;
    void *bytes = NULL;

    if (space < BT_RAW_ADOBE_RGB)
        return NULL;
    curve = cmsBuildParametricToneCurve(NULL, spaces[space].type, spaces[space].curve);
    curves[0] = curves[1] = curves[2] = curve;
    made = cmsCreateRGBProfile(&spaces[space].white, &spaces[space].primaries, curves);
    if (cmsSaveProfileToMem(made, NULL, &size)) {
        bytes = g_malloc(size);
        if (!cmsSaveProfileToMem(made, bytes, &size))
            g_clear_pointer(&bytes, g_free);
    }
    cmsCloseProfile(made);
    cmsFreeToneCurve(curve);
    *out_size = size;
    return bytes;
}

/* The photo's size where the preview is smaller, lying as that does. A preview of other proportions
 * is one of the middle of the photo, as large as it fits in. */
static void
describe_photo(const BtRaw *raw, BtPicture *picture)
{
    int longer = MAX(raw->photo_width, raw->photo_height);
    int shorter = MIN(raw->photo_width, raw->photo_height);
    double along = (double)longer / MAX(picture->width, picture->height);
    double across = (double)shorter / MIN(picture->width, picture->height);
    double pitch = MIN(along, across);

    if (pitch <= BORDERS)
        return;
    if (MAX(along, across) > BORDERS * pitch) {
        longer = (int)lround(pitch * MAX(picture->width, picture->height));
        shorter = (int)lround(pitch * MIN(picture->width, picture->height));
    }
    picture->photo_width = picture->width >= picture->height ? longer : shorter;
    picture->photo_height = picture->width >= picture->height ? shorter : longer;
}

static BtDecode *
open_raw(int fd, BtPicture *out_picture, BtOutcome *outcome)
{
    BtDecode *self, *jpeg;
    BtRaw raw;
    bool found = bt_raw_find(fd, &raw);
    g_autoptr(GBytes) exif = raw.exif;

    g_strlcpy(outcome->loader, "raw-preview", sizeof outcome->loader);
    if (!found && raw.cut_width > 0)
        bt_outcome_fail(outcome, BT_REASON_PREVIEW, "its preview of %d x %d pixels is cut short",
                        raw.cut_width, raw.cut_height);
    else if (!found)
        bt_outcome_fail(outcome, BT_REASON_PREVIEW,
                        "it has no JPEG preview, and raw samples are not developed");
    if (!found)
        return NULL;
    snprintf(outcome->loader, sizeof outcome->loader, "raw-preview %dx%d", raw.width, raw.height);
    if ((jpeg = bt_jpeg_open_at(fd, raw.at, out_picture, outcome)) == NULL)
        return NULL;
    self = g_new0(BtDecode, 1);
    self->jpeg = jpeg;
    self->exif = g_steal_pointer(&exif);
    out_picture->orientation = raw.orientation;
    describe_photo(&raw, out_picture);
    if (out_picture->profile == NULL)
        out_picture->profile = self->profile = make_profile(raw.space, &out_picture->profile_size);
    return self;
}

static bool
begin_raw(BtDecode *self, const BtReduction *reduction, BtBand *out_band, BtOutcome *outcome)
{
    return bt_jpeg_decoder.begin(self->jpeg, reduction, out_band, outcome);
}

static bool
next_band(BtDecode *self, BtBand *band, BtOutcome *outcome)
{
    return bt_jpeg_decoder.next(self->jpeg, band, outcome);
}

static void
read_metadata(const BtDecode *self, BtMetadata *out_metadata)
{
    bt_jpeg_decoder.metadata(self->jpeg, out_metadata);
    if (out_metadata->exif == NULL)
        out_metadata->exif = g_bytes_ref(self->exif);
}

static void
close_raw(BtDecode *self)
{
    if (self == NULL)
        return;
    bt_jpeg_decoder.close(self->jpeg);
    g_free(self->profile);
    g_bytes_unref(self->exif);
    g_free(self);
}

const BtDecoder bt_raw_decoder = {
    .open = open_raw,
    .begin = begin_raw,
    .next = next_band,
    .metadata = read_metadata,
    .close = close_raw,
};
