/* SPDX-License-Identifier: MIT */
/* The name of a file on its way to a terminal: one line of printable text that maps back. */
#include "fuzz.h"

#include "base/human.h"

#include <glib.h>

static void
check_line(const char *text)
{
    g_assert_true(g_utf8_validate(text, -1, NULL));
    for (const char *at = text; *at != '\0'; at += g_utf8_skip[(uint8_t)*at])
        g_assert_false(g_unichar_iscntrl(g_utf8_get_char(at)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    g_autofree char *name = g_strndup((const char *)bytes, size), *text = bt_human_text(name);
    g_autoptr(GString) back = g_string_new(NULL);

    check_line(text);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '\\') {
            g_string_append_c(back, *at);
        } else if (*++at == 'x') {
            g_string_append_c(
                back, (char)(g_ascii_xdigit_value(at[1]) * 16 + g_ascii_xdigit_value(at[2])));
            at += 2;
        } else {
            g_string_append_c(back, *at == 'n' ? '\n' : *at == 't' ? '\t' : *at);
        }
    }
    g_assert_cmpstr(back->str, ==, name);
    return 0;
}
