/* SPDX-License-Identifier: MIT */
#include "base/template.h"

#include <string.h>

void
bt_template_fill(GString *out, const char *text, const BtTemplateValue *values)
{
    for (const char *open; (open = strstr(text, "{{")) != NULL;) {
        const char *close = strstr(open, "}}");
        size_t length = (size_t)(close - open) - 2;
        const BtTemplateValue *value = values;

        while (strlen(value->name) != length || strncmp(value->name, open + 2, length) != 0)
            value++;
        g_string_append_len(out, text, open - text);
        if (value->is_html) {
            g_string_append(out, value->value);
        } else {
            g_autofree char *escaped = g_markup_escape_text(value->value, -1);

            g_string_append(out, escaped);
        }
        text = close + 2;
    }
    g_string_append(out, text);
}
