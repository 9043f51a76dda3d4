/* SPDX-License-Identifier: MIT */
#include "scan/glob.h"

#include <string.h>

/* What a byte that belongs to no character counts as, beyond the last one of Unicode. */
#define STRAY_BYTE 0x110000

struct BtGlob {
    GPtrArray *parts; /* "**", or a pattern for one part of a name */
    bool only_folders;
};

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
    gunichar character = next_char(&next, end - next);
    bool is_match = true;

    if (*behind == '\0')
        return false;
    if (*behind == '?')
        behind++;
    else if (*behind == '[')
        behind = look_in_set(behind + 1, character, &is_match);
    else
        is_match = next_literal(&behind) == character;
    if (is_match) {
        *glob = behind;
        *text = next;
    }
    return is_match;
}

static bool
match_part(const char *glob, const char *text, const char *end)
{
    const char *star = NULL, *from = NULL;

    while (text < end) {
        if (*glob == '*') {
            star = ++glob;
            from = text;
        } else if (!match_one(&glob, &text, end)) {
            if (star == NULL)
                return false;
            next_char(&from, end - from);
            glob = star;
            text = from;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

/* The sentence about a part that is no pattern, or NULL. */
static const char *
find_fault(const char *part)
{
    bool is_in;

    if (strcmp(part, "..") == 0)
        return "has a part \"..\"";
    for (const char *at = part; *at != '\0';) {
        if (g_str_has_prefix(at, "[[:"))
            return "has a class like [:alpha:], which is not known here";
        if (*at == '[') {
            if ((at = look_in_set(at + 1, 0, &is_in)) == NULL)
                return "has a [ that is not closed";
        } else if (*at == '\\' && at[1] == '\0')
            return "has a \\ with nothing behind it";
        else
            next_literal(&at);
    }
    return NULL;
}

static bool
is_any_parts(const BtGlob *self, guint i)
{
    return strcmp(g_ptr_array_index(self->parts, i), "**") == 0;
}

/* Whether no slash but at the end says where it begins. */
static bool
is_loose(const char *pattern)
{
    const char *slash = strchr(pattern, '/');

    return slash == NULL || slash[strspn(slash, "/")] == '\0';
}

static bool
read_parts(BtGlob *self, const char *pattern, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(pattern, "/", -1);

    for (char **part = parts; *part != NULL; part++) {
        const char *fault = find_fault(*part);

        if (fault != NULL)
            return bt_error_set(error, BT_ERROR_INVALID, "the pattern %s %s", pattern, fault);
        if (**part != '\0' && strcmp(*part, ".") != 0)
            g_ptr_array_add(self->parts, g_strdup(*part));
    }
    return self->parts->len > 0 ||
           bt_error_set(error, BT_ERROR_INVALID, "the pattern \"%s\" is empty", pattern);
}

BtGlob *
bt_glob_new(const char *pattern, GError **error)
{
    g_autoptr(BtGlob) self = g_new0(BtGlob, 1);

    self->parts = g_ptr_array_new_with_free_func(g_free);
    self->only_folders = g_str_has_suffix(pattern, "/");
    if (!read_parts(self, pattern, error))
        return NULL;
    if (is_loose(pattern))
        g_ptr_array_insert(self->parts, 0, g_strdup("**"));
    if (is_any_parts(self, self->parts->len - 1))
        g_ptr_array_add(self->parts, g_strdup("*"));
    return g_steal_pointer(&self);
}

void
bt_glob_free(BtGlob *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->parts);
    g_free(self);
}

/* The part behind the one that begins at `at`, of a name that ends at `end`; beyond it when there
 * is none. */
static const char *
next_part(const char *at, const char *end)
{
    const char *slash = memchr(at, '/', (size_t)(end - at));

    return slash != NULL ? slash + 1 : end + 1;
}

/* As match_part(), with parts for characters and "**" for stars. */
bool
bt_glob_matches(const BtGlob *self, const char *name, size_t length, bool is_folder)
{
    const char *end = name + length, *at = name, *from = NULL;
    guint part = 0, behind_any = 0;

    while (part < self->parts->len) {
        const char *next;

        if (is_any_parts(self, part)) {
            behind_any = ++part;
            from = at;
            continue;
        }
        if (at > end)
            return false;
        next = next_part(at, end);
        if (match_part(g_ptr_array_index(self->parts, part), at, next - 1)) {
            at = next;
            part++;
            continue;
        }
        if (behind_any == 0)
            return false;
        at = from = next_part(from, end);
        part = behind_any;
    }
    return at <= end || !self->only_folders || is_folder;
}
