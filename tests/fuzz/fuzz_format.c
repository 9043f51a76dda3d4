/* SPDX-License-Identifier: MIT */
/* The first bytes of a file, and the name of one. */
#include "fuzz.h"

#include "base/format.h"

#include <glib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    g_autofree char *name = size > 0 ? g_strndup((const char *)bytes, size) : g_strdup("");
    BtFormat format = bt_format_of_bytes(bytes, size);

    g_assert_cmpint(format, <, BT_FORMAT_COUNT);
    g_assert_cmpint(bt_format_of_bytes(bytes, MIN(size, BT_FORMAT_MAGIC_BYTES)), ==, format);
    g_assert_cmpint(bt_format_of_extension(name), <, BT_FORMAT_COUNT);
    g_assert_cmpint(bt_format_of_name(name), <, BT_FORMAT_COUNT);
    return 0;
}
