/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "image/exif.h"
#include "image/metadata.h"

#include <glib.h>

/* What is written again says nothing of the place and does not turn the picture. */
static void
check_clean(const uint8_t *bytes, size_t size)
{
    g_auto(BtMetadata) metadata = {.exif = g_bytes_new(bytes, size)};
    gsize cleaned_size;
    const void *cleaned;

    bt_metadata_clean(&metadata, BT_STRIP_GPS, size % 2 == 0);
    if (metadata.exif == NULL)
        return;
    cleaned = g_bytes_get_data(metadata.exif, &cleaned_size);
    g_assert_cmpint(bt_exif_orientation(cleaned, cleaned_size), ==, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int orientation = bt_exif_orientation(bytes, size);

    g_assert_true(orientation >= 1 && orientation <= 8);
    check_clean(bytes, size);
    return 0;
}
