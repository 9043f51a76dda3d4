/* SPDX-License-Identifier: MIT */
/* Pages from files that embed.py made into strings. Pure; any process. */
#ifndef BT_BASE_TEMPLATE_H
#define BT_BASE_TEMPLATE_H

#include <glib.h>
#include <stdbool.h>

typedef struct BtTemplateValue {
    const char *name; /* NULL ends a list of them */
    const char *value;
    bool is_html; /* else it is escaped */
} BtTemplateValue;

/* Appends text with the value in the place of each {{name}}, which must be in the list. */
void bt_template_fill(GString *out, const char *text, const BtTemplateValue *values);

#endif
