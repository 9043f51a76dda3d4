/* SPDX-License-Identifier: MIT */
#include "bench/table.h"

#include <stdarg.h>

struct BtTable {
    GPtrArray *lines; /* of char **, each with n_columns cells; the first are the heads */
    guint n_columns;
};

static void
free_line(gpointer line)
{
    g_strfreev(line);
}

BtTable *
bt_table_new(const char *const *heads)
{
    BtTable *self = g_new0(BtTable, 1);
    g_autoptr(GStrvBuilder) line = g_strv_builder_new();

    for (; heads[self->n_columns] != NULL; self->n_columns++)
        g_strv_builder_add(line, heads[self->n_columns]);
    self->lines = g_ptr_array_new_with_free_func(free_line);
    g_ptr_array_add(self->lines, g_strv_builder_end(line));
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
    g_auto(GStrv) cells = NULL;
    char **line = g_new0(char *, self->n_columns + 1);
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    cells = g_strsplit(text, "|", -1);
    for (guint i = 0; i < self->n_columns; i++)
        line[i] = g_strdup(i < g_strv_length(cells) ? cells[i] : "");
    g_ptr_array_add(self->lines, line);
}

static glong
width_of(const BtTable *self, guint column)
{
    glong width = 0;

    for (guint i = 0; i < self->lines->len; i++) {
        char **line = self->lines->pdata[i];

        width = MAX(width, g_utf8_strlen(line[column], -1));
    }
    return width;
}

static void
print_cell(const BtTable *self, guint column, const char *cell, GString *out)
{
    char **heads = self->lines->pdata[0];
    int padding = (int)(width_of(self, column) - g_utf8_strlen(cell, -1));

    if (column == 0)
        g_string_append_printf(out, "%s%*s", cell, padding, "");
    else
        g_string_append_printf(out, "%*s%s", heads[column][0] != '\0' ? padding : 0, "", cell);
}

static void
print_line(const BtTable *self, BtTableForm form, char **line, GString *out)
{
    for (guint i = 0; i < self->n_columns; i++) {
        g_string_append(out, form == BT_TABLE_MARKDOWN ? "| " : i > 0 ? "  " : "");
        print_cell(self, i, line[i], out);
        g_string_append(out, form == BT_TABLE_MARKDOWN ? " " : "");
    }
    g_string_append(out, form == BT_TABLE_MARKDOWN ? "|\n" : "\n");
}

static void
print_html_line(const BtTable *self, char **line, const char *element, GString *out)
{
    g_string_append(out, "<tr>");
    for (guint i = 0; i < self->n_columns; i++) {
        g_autofree char *safe = g_markup_escape_text(line[i], -1);

        g_string_append_printf(out, "<%s>%s</%s>", element, safe, element);
    }
    g_string_append(out, "</tr>\n");
}

static void
print_html(const BtTable *self, GString *out)
{
    g_string_append(out, "<div class=\"wide\"><table>\n");
    for (guint i = 0; i < self->lines->len; i++)
        print_html_line(self, self->lines->pdata[i], i == 0 ? "th" : "td", out);
    g_string_append(out, "</table></div>\n");
}

void
bt_table_print(const BtTable *self, BtTableForm form, GString *out)
{
    if (self->lines->len == 1)
        return;
    if (form == BT_TABLE_HTML) {
        print_html(self, out);
        return;
    }
    for (guint i = 0; i < self->lines->len; i++) {
        print_line(self, form, self->lines->pdata[i], out);
        if (i > 0 || form == BT_TABLE_TEXT)
            continue;
        for (guint k = 0; k < self->n_columns; k++)
            g_string_append(out, k == 0 ? "|---" : "|---:");
        g_string_append(out, "|\n");
    }
}
