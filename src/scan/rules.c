/* SPDX-License-Identifier: MIT */
#include "scan/rules.h"

#include <string.h>

/* What a byte that belongs to no character counts as, beyond the last one of Unicode. */
#define STRAY_BYTE 0x110000

typedef struct Pattern {
    BtRule rule;
    char *glob; /* tidied: without empty and "." parts; begins with a "**" where it may begin at any
                   part, and ends with a slash where it is for folders */
} Pattern;

struct BtRules {
    GArray *patterns;
    bool asks; /* one of them includes */
};

static void
clear_pattern(gpointer data)
{
    Pattern *pattern = data;

    g_free(pattern->glob);
}

/* Steps past a character in `length` bytes; -1: up to a NUL. */
static gunichar
next_char(const char **text, gssize length)
{
    unsigned char byte = (unsigned char)**text;
    gunichar character = byte < 0x80 ? byte : g_utf8_get_char_validated(*text, length);

    if (character >= STRAY_BYTE) {
        *text += 1;
        return STRAY_BYTE + byte;
    }
    *text += g_utf8_skip[byte];
    return character;
}

static gunichar
next_literal(const char **glob)
{
    if (**glob == '\\' && (*glob)[1] != '\0')
        *glob += 1;
    return next_char(glob, -1);
}

/* Whether a character is in the set that begins behind a "[". The end of the set, behind its "]",
 * or NULL where there is none. */
static const char *
look_in_set(const char *set, gunichar character, bool *out_is_in)
{
    bool negated = *set == '!' || *set == '^', is_in = false;
    const char *at = set + negated;

    do {
        gunichar low, high;

        if (*at == '\0')
            return NULL;
        low = high = next_literal(&at);
        if (*at == '-' && at[1] != ']' && at[1] != '\0') {
            at++;
            high = next_literal(&at);
        }
        is_in = is_in || (low <= character && character <= high);
    } while (*at != ']');
    *out_is_in = is_in != negated;
    return at + 1;
}

/* One character against what is no star; steps past both where they match. */
static bool
match_one(const char **glob, const char **text, const char *end)
{
    const char *next = *text, *behind = *glob;
    bool is_slash = *next == '/', is_match = true;
    gunichar character;

    if (next == end || *behind == '\0')
        return false;
    character = next_char(&next, end - next);
    if (*behind == '?' && !is_slash)
        behind++;
    else if (*behind == '[' && !is_slash)
        behind = look_in_set(behind + 1, character, &is_match);
    else
        is_match = next_literal(&behind) == character;
    if (is_match) {
        *glob = behind;
        *text = next;
    }
    return is_match;
}

/* Whether a glob matches a name that ends at `end`, or a folder on the way there. A star takes as
 * little as it can, and one character more each time that what is behind it fails; a "**", parts.
 * What came before the last of them is not tried again, for a longer beginning leaves it no more
 * to find. So time is at most the product of the lengths. */
static bool
matches(const char *glob, const char *name, const char *end, bool is_folder)
{
    const char *star = NULL, *star_from = NULL, *any = NULL, *any_from = NULL, *at = name;
    bool begins_part = true;

    for (;;) {
        if (begins_part && g_str_has_prefix(glob, "**/")) {
            any = glob += strlen("**/");
            any_from = at;
            continue;
        }
        begins_part = false;
        if (*glob == '*') {
            star = ++glob;
            star_from = at;
        } else if ((at == end || *at == '/') &&
                   (*glob == '\0' || (strcmp(glob, "/") == 0 && (at < end || is_folder)))) {
            return true;
        } else if (match_one(&glob, &at, end)) {
            begins_part = at[-1] == '/';
            if (begins_part)
                star = NULL;
        } else if (star != NULL && star_from < end && *star_from != '/') {
            next_char(&star_from, end - star_from);
            glob = star;
            at = star_from;
        } else {
            if (any == NULL || (at = memchr(any_from, '/', (size_t)(end - any_from))) == NULL)
                return false;
            any_from = ++at;
            glob = any;
            star = NULL;
            begins_part = true;
        }
    }
}

static const char *
find_fault(const char *part)
{
    bool is_in;

    if (strcmp(part, "..") == 0)
        return "must not contain \"..\"";
    for (const char *at = part; *at != '\0';) {
        if (g_str_has_prefix(at, "[[:"))
            return "has a class such as [:alpha:], which is not supported";
        if (*at == '[') {
            if ((at = look_in_set(at + 1, 0, &is_in)) == NULL)
                return "has a [ without a ]";
        } else if (*at == '\\' && at[1] == '\0')
            return "has a \\ with nothing after it";
        else
            next_literal(&at);
    }
    return NULL;
}

static char *
make_glob(const char *pattern, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(pattern, "/", -1);
    const char *slash = strchr(pattern, '/'), *last = NULL;
    bool is_loose = slash == NULL || slash[strspn(slash, "/")] == '\0';
    g_autoptr(GString) glob = g_string_new(is_loose ? "**/" : "");

    for (char **part = parts; *part != NULL; part++) {
        const char *fault = find_fault(*part);

        if (fault != NULL) {
            bt_error_set(error, BT_ERROR_INVALID, "the pattern %s %s", pattern, fault);
            return NULL;
        }
        if (**part != '\0' && strcmp(*part, ".") != 0)
            g_string_append_printf(glob, "%s/", last = *part);
    }
    if (last == NULL) {
        bt_error_set(error, BT_ERROR_INVALID, "the pattern \"%s\" is empty", pattern);
        return NULL;
    }
    if (strcmp(last, "**") == 0)
        g_string_append(glob, "*/");
    if (!g_str_has_suffix(pattern, "/"))
        g_string_truncate(glob, glob->len - 1);
    return g_string_free(g_steal_pointer(&glob), FALSE);
}

static const Pattern *
find_pattern(const BtRules *self, const char *name, size_t length, bool is_folder)
{
    for (guint i = self != NULL ? self->patterns->len : 0; i-- > 0;) {
        const Pattern *pattern = &g_array_index(self->patterns, Pattern, i);

        if (matches(pattern->glob, name, name + length, is_folder))
            return pattern;
    }
    return NULL;
}

static bool
is_excluded(const BtRules *self, const char *name, size_t length, bool is_folder)
{
    const Pattern *pattern = find_pattern(self, name, length, is_folder);

    return pattern != NULL && pattern->rule == BT_RULE_EXCLUDE;
}

BtRules *
bt_rules_new(void)
{
    BtRules *self = g_new0(BtRules, 1);

    self->patterns = g_array_new(FALSE, FALSE, sizeof(Pattern));
    g_array_set_clear_func(self->patterns, clear_pattern);
    return self;
}

void
bt_rules_free(BtRules *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->patterns);
    g_free(self);
}

bool
bt_rules_add(BtRules *self, BtRule rule, const char *pattern, GError **error)
{
    Pattern added = {.rule = rule, .glob = make_glob(pattern, error)};

    if (added.glob == NULL)
        return false;
    g_array_append_val(self->patterns, added);
    self->asks = self->asks || rule == BT_RULE_INCLUDE;
    return true;
}

bool
bt_rules_take(const BtRules *self, const char *name)
{
    const Pattern *pattern = find_pattern(self, name, strlen(name), false);

    return pattern != NULL ? pattern->rule == BT_RULE_INCLUDE : self == NULL || !self->asks;
}

bool
bt_rules_exclude(const BtRules *self, const char *name, bool is_folder)
{
    return is_excluded(self, name, strlen(name), is_folder);
}

bool
bt_rules_bar(const BtRules *self, const char *name)
{
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        if (is_excluded(self, name, (size_t)(slash - name), true))
            return true;
    return false;
}
