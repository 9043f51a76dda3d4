/* SPDX-License-Identifier: MIT */
/* A line that somebody calls a report of ours; and any bytes as a text that we write and read
 * again. */
#include "fuzz.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

static void
check_line(const char *bytes, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BtJsonObject) object = bt_json_parse(bytes, size, &error);
    const char *text;

    g_assert_true((object == NULL) == (error != NULL));
    if (object == NULL)
        return;
    text = bt_json_text(object, "path");
    g_assert_true(text == NULL || g_utf8_validate(text, -1, NULL));
    g_assert_true(isfinite(bt_json_number(object, "settings.sigma", 0)));
}

static void
check_text(const char *bytes, size_t size)
{
    g_autofree char *text = g_strndup(bytes, size);
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(GString) line = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(BtJsonObject) object = NULL;
    BtJson json = {.text = line};

    if (size > BT_JSON_LINE_MAX / 16)
        return;
    bt_json_begin(&json, NULL);
    bt_json_put_text(&json, "text", text);
    bt_json_end(&json);
    g_assert_null(strchr(line->str, '\n'));
    object = bt_json_parse(line->str, line->len, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(bt_json_text(object, "text"), ==, valid);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    check_line((const char *)bytes, size);
    check_text((const char *)bytes, size);
    return 0;
}
