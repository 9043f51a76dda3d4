/* SPDX-License-Identifier: MIT */
#include "image/metadata.h"

#include "image/exif.h"

#ifdef BT_WITH_LIBEXIF
#include <libexif/exif-data.h>
#endif
#include <stdlib.h>
#include <string.h>

void
bt_metadata_clear(BtMetadata *self)
{
    g_clear_pointer(&self->exif, g_bytes_unref);
    g_clear_pointer(&self->xmp, g_bytes_unref);
    g_clear_pointer(&self->iptc, g_bytes_unref);
}

#ifdef BT_WITH_LIBEXIF
static void
remove_all(ExifContent *content)
{
    while (content->count > 0)
        exif_content_remove_entry(content, content->entries[0]);
}

static void
remove_entry(ExifData *data, ExifIfd ifd, ExifTag tag)
{
    ExifEntry *entry = exif_content_get_entry(data->ifd[ifd], tag);

    if (entry != NULL)
        exif_content_remove_entry(data->ifd[ifd], entry);
}

static void
remove_unfit(ExifData *data, bool strip_gps, bool converted)
{
    ExifEntry *orientation = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);

    free(data->data); /* the preview */
    data->data = NULL;
    data->size = 0;
    remove_all(data->ifd[EXIF_IFD_1]);
    if (strip_gps)
        remove_all(data->ifd[EXIF_IFD_GPS]);
    if (converted) {
        remove_all(data->ifd[EXIF_IFD_INTEROPERABILITY]); /* "R03" is Adobe RGB */
        remove_entry(data, EXIF_IFD_EXIF, EXIF_TAG_COLOR_SPACE);
    }
    remove_entry(data, EXIF_IFD_EXIF, EXIF_TAG_MAKER_NOTE);
    remove_entry(data, EXIF_IFD_EXIF, EXIF_TAG_PIXEL_X_DIMENSION);
    remove_entry(data, EXIF_IFD_EXIF, EXIF_TAG_PIXEL_Y_DIMENSION);
    remove_entry(data, EXIF_IFD_0, EXIF_TAG_IMAGE_WIDTH);
    remove_entry(data, EXIF_IFD_0, EXIF_TAG_IMAGE_LENGTH);
    if (orientation == NULL || orientation->format != EXIF_FORMAT_SHORT || orientation->size < 2)
        remove_entry(data, EXIF_IFD_0, EXIF_TAG_ORIENTATION);
    else
        exif_set_short(orientation->data, exif_data_get_byte_order(data), 1);
}

static GBytes *
save_exif(ExifData *data)
{
    unsigned char *bytes = NULL;
    unsigned size = 0;

    exif_data_save_data(data, &bytes, &size);
    if (bytes == NULL || size > BT_METADATA_SIZE_MAX) {
        free(bytes);
        return NULL;
    }
    return g_bytes_new_with_free_func(bytes, size, free, bytes);
}

/* The block with the prefix that libexif asks for, and some decoders leave out. */
static GBytes *
with_prefix(GBytes *exif)
{
    gsize size;
    const char *bytes = g_bytes_get_data(exif, &size);
    GByteArray *whole;

    if (size >= BT_EXIF_PREFIX_BYTES && memcmp(bytes, BT_EXIF_PREFIX, BT_EXIF_PREFIX_BYTES) == 0)
        return g_bytes_ref(exif);
    whole = g_byte_array_new();
    g_byte_array_append(whole, (const guint8 *)BT_EXIF_PREFIX, BT_EXIF_PREFIX_BYTES);
    g_byte_array_append(whole, (const guint8 *)bytes, (guint)size);
    return g_byte_array_free_to_bytes(whole);
}

/* A new block with its prefix; NULL where the old one cannot be parsed or is too large. */
static GBytes *
clean_exif(GBytes *exif, bool strip_gps, bool converted)
{
    g_autoptr(GBytes) whole = with_prefix(exif);
    ExifData *data = exif_data_new();
    GBytes *cleaned = NULL;
    gsize size;
    const unsigned char *bytes = g_bytes_get_data(whole, &size);

    /* As it is: without it libexif would add what it thinks is missing. */
    exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    if (size <= BT_METADATA_SIZE_MAX) {
        exif_data_load_data(data, bytes, (unsigned)size);
        remove_unfit(data, strip_gps, converted);
        cleaned = save_exif(data);
    }
    exif_data_unref(data);
    return cleaned;
}
#else
static GBytes *
clean_exif(GBytes *exif, bool strip_gps, bool converted)
{
    (void)exif, (void)strip_gps, (void)converted;
    return NULL; /* what cannot be parsed cannot be kept */
}
#endif

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
        self->exif = clean_exif(exif, strip == BT_STRIP_GPS, converted);
    if (strip != BT_STRIP_NONE || (self->xmp != NULL && !is_fit_xmp(self->xmp)))
        g_clear_pointer(&self->xmp, g_bytes_unref);
    if (strip != BT_STRIP_NONE ||
        (self->iptc != NULL && g_bytes_get_size(self->iptc) > BT_METADATA_SIZE_MAX))
        g_clear_pointer(&self->iptc, g_bytes_unref);
}
