/* SPDX-License-Identifier: MIT */
#include "store/naming.h"

#include <string.h>

#define OWN_PREFIX ".blurthumb"

#define SAME_FORMAT       "{dir}/{stem}{suffix}.{ext}"
#define OTHER_FORMAT      "{dir}/{name}{suffix}.{ext}"
#define FLAT_SAME_FORMAT  "{flat}{stem}{suffix}.{ext}"
#define FLAT_OTHER_FORMAT "{flat}{name}{suffix}.{ext}"

/* A source's name in its parts, lent. */
typedef struct Parts {
    const char *whole;
    int dir_length; /* without the slash */
    const char *file;
    int stem_length;
    const char *ext; /* behind the dot; "" */
    const char *suffix;
    BtFormat from, to;
} Parts;

typedef void (*Field)(const Parts *parts, GString *out);

static void
put_dir(const Parts *parts, GString *out)
{
    g_string_append_len(out, parts->whole, parts->dir_length);
}

static void
put_flat(const Parts *parts, GString *out)
{
    for (const char *at = parts->whole; at < parts->file; at++) {
        if (*at == '/')
            g_string_append(out, "__");
        else
            g_string_append_c(out, *at);
    }
}

static void
put_stem(const Parts *parts, GString *out)
{
    g_string_append_len(out, parts->file, parts->stem_length);
}

static void
put_name(const Parts *parts, GString *out)
{
    g_string_append(out, parts->file);
}

static void
put_suffix(const Parts *parts, GString *out)
{
    g_string_append(out, parts->suffix);
}

static void
put_ext(const Parts *parts, GString *out)
{
    g_string_append(out, parts->from == parts->to && parts->ext[0] != '\0'
                             ? parts->ext
                             : bt_format_extension(parts->to));
}

static void
put_hash(const Parts *parts, GString *out)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, parts->whole, -1);

    g_string_append_len(out, digest, 8);
}

static const struct {
    const char *name;
    Field put;
    bool tells; /* one source of a folder from another */
} fields[] = {
    {"dir", put_dir, false},  {"flat", put_flat, false},     {"stem", put_stem, true},
    {"name", put_name, true}, {"suffix", put_suffix, false}, {"ext", put_ext, false},
    {"hash", put_hash, true},
};

static Parts
split(const BtNaming *naming, const char *name, BtFormat from, BtFormat to)
{
    const char *slash = strrchr(name, '/');
    Parts parts = {
        .whole = name,
        .file = name,
        .ext = "",
        .suffix = naming->suffix != NULL ? naming->suffix : "",
        .from = from,
        .to = to,
    };
    const char *dot;

    if (slash != NULL) {
        parts.file = slash + 1;
        parts.dir_length = (int)(slash - name);
    }
    parts.stem_length = (int)strlen(parts.file);
    dot = strrchr(parts.file, '.');
    if (dot != NULL && dot != parts.file) {
        parts.stem_length = (int)(dot - parts.file);
        parts.ext = dot + 1;
    }
    return parts;
}

/* The index of the field that "{" at `at` begins, and its length with both braces; -1: none. */
static int
find_field(const char *at, size_t *out_length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        size_t length = strlen(fields[i].name);

        if (strncmp(at + 1, fields[i].name, length) == 0 && at[length + 1] == '}') {
            *out_length = length + 2;
            return (int)i;
        }
    }
    return -1;
}

static bool
is_brace(const char *at)
{
    return (at[0] == '{' || at[0] == '}') && at[1] == at[0];
}

/* Slashes that a {dir} of nothing has left, at the beginning or twice in a row. */
static void
tidy(GString *text)
{
    gsize to = 0;

    for (gsize from = 0; from < text->len; from++)
        if (text->str[from] != '/' || (to > 0 && text->str[to - 1] != '/'))
            text->str[to++] = text->str[from];
    g_string_truncate(text, to);
}

static void
expand(const char *pattern, const Parts *parts, GString *out)
{
    size_t length;

    for (const char *at = pattern; *at != '\0'; at += length) {
        int field;

        length = 1;
        if (is_brace(at))
            length = 2;
        else if (*at == '{' && (field = find_field(at, &length)) >= 0) {
            fields[field].put(parts, out);
            continue;
        }
        g_string_append_c(out, *at);
    }
    tidy(out);
}

/* Whether a part of a path is one of those that lead elsewhere, or nowhere. */
static bool
has_bad_part(const char *path)
{
    const char *end;

    for (const char *part = path;; part = end + 1) {
        size_t length;

        end = strchrnul(part, '/');
        length = (size_t)(end - part);
        if (length == 0 || (length <= 2 && strncmp(part, "..", length) == 0))
            return true;
        if (*end == '\0')
            return false;
    }
}

static bool
check_fields(const char *pattern, GError **error)
{
    bool tells = false;
    size_t length;

    for (const char *at = pattern; *at != '\0'; at += length) {
        int field = -1;

        length = is_brace(at) ? 2 : 1;
        if (length == 2)
            continue;
        if (*at == '}' || (*at == '{' && (field = find_field(at, &length)) < 0))
            return bt_error_set(error, BT_ERROR_INVALID,
                                "'%s' has no field {dir}, {flat}, {stem}, {name}, {suffix}, {ext} "
                                "or {hash} at '%s'",
                                pattern, at);
        tells |= field >= 0 && fields[field].tells;
    }
    return tells || bt_error_set(error, BT_ERROR_INVALID,
                                 "'%s' would give all results one name: it needs {stem}, {name} or "
                                 "{hash}",
                                 pattern);
}

bool
bt_naming_check(const BtNaming *self, GError **error)
{
    g_autoptr(GString) sample = NULL;
    Parts parts = split(self, "dir/stem.ext", BT_FORMAT_NONE, BT_FORMAT_JPEG);

    if (self->suffix != NULL && strchr(self->suffix, '/') != NULL)
        return bt_error_set(error, BT_ERROR_INVALID, "a suffix has no slash, and '%s' has one",
                            self->suffix);
    if (self->pattern == NULL)
        return true;
    if (!check_fields(self->pattern, error))
        return false;
    sample = g_string_new(NULL);
    expand(self->pattern, &parts, sample);
    return (self->pattern[0] != '/' && !has_bad_part(sample->str)) ||
           bt_error_set(error, BT_ERROR_INVALID, "'%s' is no name below the output folder",
                        self->pattern);
}

bool
bt_naming_is_plain(const BtNaming *self)
{
    return self->pattern == NULL && !self->flat && (self->suffix == NULL || *self->suffix == '\0');
}

bool
bt_naming_is_apart(const BtNaming *self)
{
    return self->pattern != NULL ? strstr(self->pattern, "{hash}") != NULL : !self->flat;
}

char *
bt_naming_result(const BtNaming *self, const char *name, BtFormat from, BtFormat to, GError **error)
{
    bool same = from == to;
    g_autoptr(GString) text = g_string_new(NULL);
    Parts parts = split(self, name, from, to);
    const char *slash;

    if (same && bt_naming_is_plain(self))
        g_string_assign(text, name);
    else if (self->pattern != NULL)
        expand(self->pattern, &parts, text);
    else if (self->flat)
        expand(same ? FLAT_SAME_FORMAT : FLAT_OTHER_FORMAT, &parts, text);
    else
        expand(same ? SAME_FORMAT : OTHER_FORMAT, &parts, text);
    slash = strrchr(text->str, '/');
    if (!has_bad_part(text->str) &&
        !g_str_has_prefix(slash != NULL ? slash + 1 : text->str, OWN_PREFIX))
        return g_string_free(g_steal_pointer(&text), FALSE);
    bt_error_set(error, BT_ERROR_INVALID, "its result cannot be called '%s'", text->str);
    return NULL;
}
