/* SPDX-License-Identifier: MIT */
#include "image/metadata.h"

#include "image/exif_clean.h"

#include <string.h>

void
bt_metadata_clear(BtMetadata *self)
{
    g_clear_pointer(&self->exif, g_bytes_unref);
    g_clear_pointer(&self->xmp, g_bytes_unref);
    g_clear_pointer(&self->iptc, g_bytes_unref);
}

/* A packet with a preview in it goes, since what was blurred would be seen there, and one that
 * tells how to turn the picture, or of what stood behind it in the file: the gain map of an Ultra
 * HDR photo, the video of a motion photo. */
static bool
is_fit_xmp(GBytes *xmp)
{
    static const char *const unfit[] = {"Thumbnails", "Orientation", "/hdr-gain-map/",
                                        "/photos/1.0/container/", "/photos/1.0/camera/"};
    gsize size;
    const char *text = g_bytes_get_data(xmp, &size);

    for (size_t i = 0; i < G_N_ELEMENTS(unfit); i++)
        if (memmem(text, size, unfit[i], strlen(unfit[i])) != NULL)
            return false;
    return size <= BT_METADATA_SIZE_MAX;
}

uint32_t
bt_metadata_left_out(const BtMetadata *self)
{
    static const struct {
        const char *text;
        uint32_t left_out;
    } signs[] = {
        {"hdrgm:Version", BT_LEFT_OUT_GAIN_MAP}, {":MotionPhoto=\"1\"", BT_LEFT_OUT_VIDEO},
        {":MotionPhoto>1<", BT_LEFT_OUT_VIDEO},  {":MicroVideo=\"1\"", BT_LEFT_OUT_VIDEO},
        {":MicroVideo>1<", BT_LEFT_OUT_VIDEO},
    };
    uint32_t left_out = self->left_out;
    gsize size;
    const char *text = self->xmp != NULL ? g_bytes_get_data(self->xmp, &size) : NULL;

    for (size_t i = 0; text != NULL && i < G_N_ELEMENTS(signs); i++)
        if (memmem(text, size, signs[i].text, strlen(signs[i].text)) != NULL)
            left_out |= signs[i].left_out;
    return left_out;
}

void
bt_metadata_clean(BtMetadata *self, BtStrip strip, bool converted)
{
    g_autoptr(GBytes) exif = g_steal_pointer(&self->exif);

    if (strip != BT_STRIP_ALL && exif != NULL)
        self->exif = bt_exif_clean(exif, strip == BT_STRIP_GPS, converted);
    if (strip != BT_STRIP_NONE || (self->xmp != NULL && !is_fit_xmp(self->xmp)))
        g_clear_pointer(&self->xmp, g_bytes_unref);
    if (strip != BT_STRIP_NONE ||
        (self->iptc != NULL && g_bytes_get_size(self->iptc) > BT_METADATA_SIZE_MAX))
        g_clear_pointer(&self->iptc, g_bytes_unref);
}
