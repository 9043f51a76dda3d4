/* SPDX-License-Identifier: MIT */
#include "scan/rules.h"

#include "scan/glob.h"

#include <string.h>

typedef struct Line {
    BtRule rule;
    BtGlob *glob;
} Line;

struct BtRules {
    GArray *lines;
    bool asks; /* one of them includes */
};

static void
clear_line(gpointer data)
{
    Line *line = data;

    bt_glob_free(line->glob);
}

/* The last line that matches, or NULL. */
static const Line *
find_line(const BtRules *self, const char *name, size_t length, bool is_folder)
{
    for (guint i = self->lines->len; i-- > 0;) {
        const Line *line = &g_array_index(self->lines, Line, i);

        if (bt_glob_matches(line->glob, name, length, is_folder))
            return line;
    }
    return NULL;
}

static bool
is_excluded(const BtRules *self, const char *name, size_t length, bool is_folder)
{
    const Line *line = find_line(self, name, length, is_folder);

    return line != NULL && line->rule == BT_RULE_EXCLUDE;
}

BtRules *
bt_rules_new(void)
{
    BtRules *self = g_new0(BtRules, 1);

    self->lines = g_array_new(FALSE, FALSE, sizeof(Line));
    g_array_set_clear_func(self->lines, clear_line);
    return self;
}

void
bt_rules_free(BtRules *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->lines);
    g_free(self);
}

bool
bt_rules_add(BtRules *self, BtRule rule, const char *pattern, GError **error)
{
    Line line = {.rule = rule, .glob = bt_glob_new(pattern, error)};

    if (line.glob == NULL)
        return false;
    g_array_append_val(self->lines, line);
    self->asks = self->asks || rule == BT_RULE_INCLUDE;
    return true;
}

bool
bt_rules_take(const BtRules *self, const char *name)
{
    const Line *line = self != NULL ? find_line(self, name, strlen(name), false) : NULL;

    return line != NULL ? line->rule == BT_RULE_INCLUDE : self == NULL || !self->asks;
}

bool
bt_rules_exclude(const BtRules *self, const char *name, bool is_folder)
{
    return self != NULL && is_excluded(self, name, strlen(name), is_folder);
}

bool
bt_rules_bar(const BtRules *self, const char *name)
{
    if (self == NULL)
        return false;
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        if (is_excluded(self, name, (size_t)(slash - name), true))
            return true;
    return false;
}
