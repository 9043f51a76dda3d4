/* SPDX-License-Identifier: MIT */
/* A pattern, and behind its first NUL the name that it is tried on. */
#include "fuzz.h"

#include "scan/rules.h"

#include <string.h>

/* The same by the definition: every way to share the name out among the parts is tried. Only for
 * what has neither sets nor escapes, and is short. */
static bool
matches_by_definition(const char *glob, const char *name, bool is_behind_slash)
{
    if (*glob == '\0')
        return *name == '\0' || *name == '/';
    if (is_behind_slash && strncmp(glob, "**/", 3) == 0) {
        if (matches_by_definition(glob + 3, name, true))
            return true;
        name = strchr(name, '/');
        return name != NULL && matches_by_definition(glob, name + 1, true);
    }
    if (*glob == '*')
        return matches_by_definition(glob + 1, name, false) ||
               (*name != '\0' && *name != '/' && matches_by_definition(glob, name + 1, false));
    return *name != '\0' && (*glob == *name || (*glob == '?' && *name != '/')) &&
           matches_by_definition(glob + 1, name + 1, *glob == '/');
}

static void
check_simple(const BtRules *rules, const char *pattern, const char *name)
{
    g_autofree char *loose = g_strconcat("**/", pattern, NULL);

    if (strlen(pattern) > 12 || strlen(name) > 20 || *pattern == '/' ||
        strspn(pattern, "ab*?/") < strlen(pattern) || strstr(pattern, "//") != NULL ||
        strspn(name, "ab/") < strlen(name) || g_str_has_suffix(pattern, "/") ||
        strcmp(pattern, "**") == 0 || g_str_has_suffix(pattern, "/**"))
        return;
    g_assert_true(
        bt_rules_exclude(rules, name, false) ==
        matches_by_definition(strchr(pattern, '/') != NULL ? pattern : loose, name, true));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    g_autofree char *pattern = g_strndup((const char *)bytes, size);
    size_t used = MIN(size, strlen(pattern) + 1);
    g_autofree char *name = g_strndup((const char *)bytes + used, size - used);
    g_autoptr(GError) error = NULL;
    g_autoptr(BtRules) rules = bt_rules_new();
    bool of_file, of_folder;

    if (!bt_rules_add(rules, BT_RULE_EXCLUDE, pattern, &error)) {
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
        return 0;
    }
    g_assert_no_error(error);
    if (*name == '\0' || *name == '/' || strstr(name, "//") != NULL || g_str_has_suffix(name, "/"))
        return 0;
    of_file = bt_rules_exclude(rules, name, false);
    of_folder = bt_rules_exclude(rules, name, true);
    g_assert_true(of_folder || !of_file);
    if (of_folder) {
        g_autofree char *below = g_strconcat(name, "/x", NULL);

        g_assert_true(bt_rules_exclude(rules, below, false));
    }
    check_simple(rules, pattern, name);
    return 0;
}
