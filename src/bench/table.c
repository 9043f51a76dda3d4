/* SPDX-License-Identifier: MIT */
#include "bench/table.h"

#include <stdarg.h>

struct BtTable {
    GPtrArray *lines; /* of char **, as many cells in each; the first are the heads */
};

static void
free_line(gpointer line)
{
    g_strfreev(line);
}

BtTable *
bt_table_new(const char *heads)
{
    BtTable *self = g_new0(BtTable, 1);

    self->lines = g_ptr_array_new_with_free_func(free_line);
    g_ptr_array_add(self->lines, g_strsplit(heads, "|", -1));
    return self;
}

void
bt_table_free(BtTable *self)
{
    g_ptr_array_unref(self->lines);
    g_free(self);
}

void
bt_table_add(BtTable *self, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(self->lines, g_strsplit(text, "|", -1));
}

static int
width_of(const BtTable *self, guint column)
{
    glong width = 0;

    for (guint i = 0; i < self->lines->len; i++)
        width = MAX(width, g_utf8_strlen(((char **)self->lines->pdata[i])[column], -1));
    return (int)width;
}

static void
print_text(const BtTable *self, char **cells, GString *out)
{
    for (guint i = 0; cells[i] != NULL; i++) {
        int padding = width_of(self, i) - (int)g_utf8_strlen(cells[i], -1);

        if (i == 0)
            g_string_append_printf(out, "%s%*s", cells[i], padding, "");
        else
            g_string_append_printf(out, "  %*s%s", padding, "", cells[i]);
    }
    g_string_append_c(out, '\n');
}

static void
print_html(char **cells, const char *element, GString *out)
{
    g_string_append(out, "<tr>");
    for (; *cells != NULL; cells++) {
        g_autofree char *safe = g_markup_escape_text(*cells, -1);

        g_string_append_printf(out, "<%s>%s</%s>", element, safe, element);
    }
    g_string_append(out, "</tr>\n");
}

void
bt_table_print(const BtTable *self, bool html, GString *out)
{
    if (self->lines->len == 1)
        return;
    g_string_append(out, html ? "<div class=\"wide\"><table>\n" : "");
    for (guint i = 0; i < self->lines->len; i++)
        if (html)
            print_html(self->lines->pdata[i], i == 0 ? "th" : "td", out);
        else
            print_text(self, self->lines->pdata[i], out);
    g_string_append(out, html ? "</table></div>\n" : "\n");
}
