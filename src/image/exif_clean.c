/* SPDX-License-Identifier: MIT */
#include "image/exif_clean.h"

#include "image/metadata.h"

#include <libexif/exif-data.h>
#include <stdlib.h>
#include <string.h>

#define EXIF_PREFIX      "Exif\0"
#define EXIF_PREFIX_SIZE 6

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
set_upright(ExifData *data)
{
    ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);

    if (entry == NULL || entry->format != EXIF_FORMAT_SHORT || entry->size < 2)
        remove_entry(data, EXIF_IFD_0, EXIF_TAG_ORIENTATION);
    else
        exif_set_short(entry->data, exif_data_get_byte_order(data), 1);
}

static void
remove_unfit(ExifData *data, bool strip_gps, bool converted)
{
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
    set_upright(data);
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

    if (size >= EXIF_PREFIX_SIZE && memcmp(bytes, EXIF_PREFIX, EXIF_PREFIX_SIZE) == 0)
        return g_bytes_ref(exif);
    whole = g_byte_array_new();
    g_byte_array_append(whole, (const guint8 *)EXIF_PREFIX, EXIF_PREFIX_SIZE);
    g_byte_array_append(whole, (const guint8 *)bytes, (guint)size);
    return g_byte_array_free_to_bytes(whole);
}

GBytes *
bt_exif_clean(GBytes *exif, bool strip_gps, bool converted)
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
