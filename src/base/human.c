/* SPDX-License-Identifier: MIT */
#include "base/human.h"

#include <glib.h>
#include <math.h>
#include <string.h>

char *
bt_human_bytes(uint64_t bytes)
{
    static const char units[] = "kMGTPE";
    uint64_t tenth = 100, tenths;
    size_t i = 0;

    if (bytes < 1000)
        return g_strdup_printf("%d %s", (int)bytes, bytes == 1 ? "byte" : "bytes");
    /* A value that rounds to 1000.0 is 1.0 of the next unit. */
    while ((tenths = bytes / tenth + (bytes % tenth >= tenth / 2)) >= 10000) {
        tenth *= 1000;
        i++;
    }
    return g_strdup_printf("%d.%d %cB", (int)(tenths / 10), (int)(tenths % 10), units[i]);
}

char *
bt_human_figure(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    GString *figure;
    int exponent;

    if (!isfinite(value) || value == 0)
        return g_strdup_printf("%g", fabs(value));
    /* "d.dde+xx" has done the rounding; what follows only moves the point. */
    g_ascii_formatd(text, sizeof text, "%.2e", fabs(value));
    exponent = (int)g_ascii_strtoll(text + strlen("d.dde"), NULL, 10);
    figure = g_string_new((char[]){text[0], text[2], text[3], '\0'});
    for (; exponent > 2; exponent--)
        g_string_append_c(figure, '0');
    for (; exponent < 0; exponent++)
        g_string_prepend_c(figure, '0');
    if (exponent < 2) {
        g_string_insert_c(figure, exponent + 1, '.');
        while (g_str_has_suffix(figure->str, "0"))
            g_string_truncate(figure, figure->len - 1);
        if (g_str_has_suffix(figure->str, "."))
            g_string_truncate(figure, figure->len - 1);
    }
    if (value < 0)
        g_string_prepend_c(figure, '-');
    return g_string_free(figure, FALSE);
}

/* Whether a terminal would act on this character, or show what follows elsewhere than it stands. */
static gboolean
is_control(gunichar c)
{
    return g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029 || c == 0x061c || c == 0x200e ||
           c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *
bt_human_text(const char *bytes)
{
    GString *text = g_string_new(NULL);

    while (*bytes != '\0') {
        gunichar c = g_utf8_get_char_validated(bytes, -1);
        gboolean valid = c != (gunichar)-1 && c != (gunichar)-2;
        int length = valid ? g_unichar_to_utf8(c, NULL) : 1;

        if (c == '\n')
            g_string_append(text, "\\n");
        else if (c == '\t')
            g_string_append(text, "\\t");
        else if (c == '\\')
            g_string_append(text, "\\\\");
        else if (valid && !is_control(c))
            g_string_append_len(text, bytes, length);
        else
            for (int i = 0; i < length; i++)
                g_string_append_printf(text, "\\x%02x", (unsigned char)bytes[i]);
        bytes += length;
    }
    return g_string_free(text, FALSE);
}
