/* SPDX-License-Identifier: MIT */
#include "image/result.h"

#include "image/codecs.h"
#include "image/jpeg_writer.h"
#ifdef BT_WITH_ISAL
#include "image/png.h"
#endif
#include "image/thumbhash.h"
#include "kernel/plan.h"

#include <string.h>

/* Of a preview: px of its longer side, halved until its bytes have room. */
#define PREVIEW_SIDE    160
#define PREVIEW_QUALITY 60

/* What a format can hold, and the quality that is its own. */
static const struct {
    int quality;
    bool deep; /* 16 bits */
    bool alpha;
} holds[BT_FORMAT_COUNT] = {
    [BT_FORMAT_JPEG] = {75, false, false}, [BT_FORMAT_PNG] = {0, true, true},
    [BT_FORMAT_WEBP] = {75, false, true},  [BT_FORMAT_TIFF] = {0, true, true},
    [BT_FORMAT_GIF] = {0, false, true},    [BT_FORMAT_AVIF] = {50, true, true},
    [BT_FORMAT_HEIC] = {50, false, true},  [BT_FORMAT_JXL] = {75, true, true},
    [BT_FORMAT_JP2] = {48, true, true},    [BT_FORMAT_PPM] = {0, true, false},
};

bool
bt_result_is_made_here(BtFormat format)
{
#ifdef BT_WITH_ISAL
    if (format == BT_FORMAT_PNG)
        return true;
#endif
    return format == BT_FORMAT_JPEG;
}

static int
quality_of(const BtResult *self)
{
    return self->quality > 0 ? self->quality : holds[self->format].quality;
}

/* There must be nothing to do to colours, and no mirror that would pair up other columns or rows of
 * an odd number. */
bool
bt_result_can_merge(const BtResult *self, int width, int height)
{
    bool even = width % 2 == 0 && height % 2 == 0;

    return self->format == BT_FORMAT_JPEG && self->colour == NULL &&
           bt_jpeg_halves_chroma(quality_of(self)) && (even || self->orientation == 1);
}

/* The spare raster takes the place of the one that it was made of. */
static bool
take_spare(BtBlur *blur, BtRaster *raster, bool made, BtOutcome *outcome)
{
    BtRaster old = *raster;

    *raster = blur->spare;
    blur->spare = old;
    return made || bt_outcome_fail_memory(outcome);
}

static bool
transform(const BtColour *colour, BtBlur *blur, BtOutcome *outcome)
{
    BtRaster *from = &blur->result, *to = &blur->spare;
    bool made =
        bt_raster_reshape(to, from->width, from->height, bt_colour_bands(colour), from->deep);

    if (made)
        bt_colour_apply(colour, from->pixels, to->pixels, bt_raster_pixels(from));
    to->alpha = from->alpha;
    return take_spare(blur, from, made, outcome);
}

/* A JPEG of few px. */
static bool
make_preview(const BtRaster *result, BtOutcome *outcome)
{
    BtRaster small = {0};

    for (int side = PREVIEW_SIDE; outcome->preview_bytes == 0; side /= 2) {
        g_autoptr(GBytes) bytes = NULL;
        int width, height;

        bt_plan_fit(result->width, result->height, side, side, &width, &height);
        if (!bt_raster_resize(result, width, height, &small)) {
            bt_outcome_fail_memory(outcome);
            break;
        }
        bt_raster_flatten(&small);
        if ((bytes = bt_jpeg_write(&small, PREVIEW_QUALITY, &(BtMetadata){0}, outcome)) == NULL)
            break;
        if (g_bytes_get_size(bytes) > BT_PREVIEW_BYTES_MAX)
            continue;
        outcome->preview_bytes = (uint32_t)g_bytes_get_size(bytes);
        memcpy(outcome->preview, g_bytes_get_data(bytes, NULL), outcome->preview_bytes);
    }
    bt_raster_clear(&small);
    return outcome->preview_bytes > 0;
}

static GBytes *
encode_pixels(const BtResult *self, BtRaster *result, const BtMetadata *metadata,
              BtOutcome *outcome)
{
    if (!holds[self->format].alpha)
        bt_raster_flatten(result);
    if (!holds[self->format].deep)
        bt_raster_to_8_bits(result);
    if (!bt_thumbhash_make(result, 1, outcome) || (self->preview && !make_preview(result, outcome)))
        return NULL;
    if (self->format == BT_FORMAT_JPEG)
        return bt_jpeg_write(result, quality_of(self), metadata, outcome);
#ifdef BT_WITH_ISAL
    if (self->format == BT_FORMAT_PNG)
        return bt_png_write(result, metadata, outcome);
#endif
    return bt_codecs_loaded()->encode(result, self->format, quality_of(self), metadata, outcome);
}

GBytes *
bt_result_encode(const BtResult *self, BtBlur *blur, const BtMetadata *metadata, BtOutcome *outcome)
{
    BtRaster *rasters = blur->merged ? blur->planes : &blur->result;
    int n_rasters = blur->merged ? BT_PLANES_MAX : 1;

    outcome->format = self->format;
    if (self->colour != NULL && !transform(self->colour, blur, outcome))
        return NULL;
    for (int i = 0; self->orientation > 1 && i < n_rasters; i++)
        if (!take_spare(blur, &rasters[i],
                        bt_raster_turn(&rasters[i], self->orientation, &blur->spare), outcome))
            return NULL;
    outcome->out_width = rasters->width;
    outcome->out_height = rasters->height;
    if (!blur->merged)
        return encode_pixels(self, rasters, metadata, outcome);
    return bt_thumbhash_make(rasters, n_rasters, outcome)
               ? bt_jpeg_write_planes(rasters, quality_of(self), metadata, outcome)
               : NULL;
}
