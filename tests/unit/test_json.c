/* SPDX-License-Identifier: MIT */
/* JSON, written and read. */
#include "base/json.h"

#include <math.h>
#include <string.h>

/* An object with one text and one number, read again. */
static void
check_text(const char *value, const char *expected)
{
    g_autoptr(GString) line = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(BtJsonObject) object = NULL;
    BtJson json = {.text = line};

    bt_json_begin(&json, NULL);
    bt_json_put_text(&json, "text", value);
    bt_json_end(&json);
    g_assert_true(g_utf8_validate(line->str, (gssize)line->len, NULL));
    for (gsize i = 0; i < line->len; i++)
        g_assert_cmpint((unsigned char)line->str[i], >=, 0x20);
    object = bt_json_parse(line->str, line->len, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(bt_json_text(object, "text"), ==, expected);
}

static void
test_texts(void)
{
    static const char *const same[] = {
        "",    "a",         "\"", "\\", "/", "\n\t\r\b\f\x01\x1f\x7f", "\xc2\x9b", "\xe2\x80\xa8",
        "ü€𝄞", "{\"a\":1}",
    };
    g_autofree char *letters = g_strnfill(100000, 'x');

    for (size_t i = 0; i < G_N_ELEMENTS(same); i++)
        check_text(same[i], same[i]);
    check_text(letters, letters);
    check_text("a\xff\xfe"
               "b",
               "a\xef\xbf\xbd\xef\xbf\xbd"
               "b");
    check_text("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");
    check_text("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

/* No control character is written as it is: not C0, DEL or C1, which terminals take for commands,
 * nor what is an end of a line to some readers. */
static void
test_controls(void)
{
    for (gunichar c = 1; c < 0x3000; c++) {
        bool is_escaped = c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
        g_autoptr(GString) line = g_string_new(NULL);
        g_autofree char *expected = NULL;
        BtJson json = {.text = line};
        char text[8] = "";

        text[g_unichar_to_utf8(c, text)] = '\0';
        bt_json_begin(&json, NULL);
        bt_json_put_text(&json, "a", text);
        bt_json_end(&json);
        if (is_escaped)
            expected = g_strdup_printf("{\"a\":\"\\u%04x\"}", c);
        else
            expected = g_strdup_printf("{\"a\":\"%s%s\"}", c == '"' || c == '\\' ? "\\" : "", text);
        g_assert_cmpstr(line->str, ==, expected);
    }
}

static void
test_numbers(void)
{
    static const double values[] = {0,     1,       -1,     0.1,   1e-9, 123456789.123,
                                    1e300, 1 / 3.0, 5e-324, 2.5e15};

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(GString) line = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(BtJsonObject) object = NULL;
        BtJson json = {.text = line};

        bt_json_begin(&json, NULL);
        bt_json_put_number(&json, "x", values[i]);
        bt_json_put_number(&json, "none", NAN);
        bt_json_end(&json);
        object = bt_json_parse(line->str, line->len, &error);
        g_assert_no_error(error);
        g_assert_cmpfloat(bt_json_number(object, "x", -7), ==, values[i]);
        g_assert_cmpfloat(bt_json_number(object, "none", -7), ==, -7);
    }
}

static void
test_whole(void)
{
    g_autoptr(GString) line = g_string_new("# ");
    g_autoptr(GError) error = NULL;
    g_autoptr(BtJsonObject) object = NULL;
    BtJson json = {.text = line};

    bt_json_begin(&json, NULL);
    bt_json_put_count(&json, "n", UINT64_MAX);
    bt_json_begin(&json, "in");
    bt_json_end(&json);
    bt_json_begin(&json, "set");
    bt_json_put_text(&json, "a", "x");
    bt_json_put_bool(&json, "b", true);
    bt_json_end(&json);
    bt_json_put_int(&json, "i", -5);
    bt_json_end(&json);
    g_assert_cmpstr(
        line->str, ==,
        "# {\"n\":18446744073709551615,\"in\":{},\"set\":{\"a\":\"x\",\"b\":true},\"i\":-5}");
    object = bt_json_parse(line->str + 2, line->len - 2, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(bt_json_text(object, "set.a"), ==, "x");
    g_assert_cmpfloat(bt_json_number(object, "i", 0), ==, -5);
    g_assert_null(bt_json_text(object, "i"));
    g_assert_null(bt_json_text(object, "set.b"));
    g_assert_null(bt_json_text(object, "none"));
}

static void
test_read(void)
{
    static const char text[] =
        " {\r\n\"a\" : \"\\u00fc\\ud834\\udd1e\\/\", \"a\":\t\"2\" ,\"n\":null } ";
    g_autoptr(GError) error = NULL;
    g_autoptr(BtJsonObject) object = bt_json_parse(text, strlen(text), &error);

    g_assert_no_error(error);
    g_assert_cmpstr(bt_json_text(object, "a"), ==, "2");
}

static void
test_refused(void)
{
    static const char *const texts[] = {
        "",
        " ",
        "[]",
        "1",
        "{",
        "}",
        "{}x",
        "{}{}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":[1]}",
        "{\"a\":{\"b\":{}}}",
        "{\"a\":tru}",
        "{\"a\":1e999}",
        "{\"a\":0x10}",
        "{\"a\":nan}",
        "{\"a\":\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\\ud834\"}",
        "{\"a\":\"\\udd1e\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\" \"b\"}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":--1}",
    };
    g_autofree char *deep = g_strnfill(100000, '{');
    g_autofree char *large = g_strnfill(BT_JSON_LINE_MAX + 1, ' ');
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (bt_json_parse(texts[i], strlen(texts[i]), &error) != NULL)
            g_error("taken: %s", texts[i]);
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
        g_clear_error(&error);
    }
    g_assert_null(bt_json_parse(deep, strlen(deep), NULL));
    g_assert_null(bt_json_parse(large, strlen(large), NULL));
    g_assert_null(bt_json_parse("{\"a\":1}", 3, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/texts", test_texts);
    g_test_add_func("/json/controls", test_controls);
    g_test_add_func("/json/numbers", test_numbers);
    g_test_add_func("/json/whole", test_whole);
    g_test_add_func("/json/read", test_read);
    g_test_add_func("/json/refused", test_refused);
    return g_test_run();
}
