/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "image/exif.h"

#include <glib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int orientation = bt_exif_orientation(bytes, size);

    g_assert_true(orientation >= 1 && orientation <= 8);
    return 0;
}
