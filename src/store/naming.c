/* SPDX-License-Identifier: MIT */
#include "store/naming.h"

#include <string.h>

#define OWN_PREFIX ".blurthumb"

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

typedef enum Field {
    FIELD_DIR,
    FIELD_FLAT,
    FIELD_STEM,
    FIELD_NAME,
    FIELD_SUFFIX,
    FIELD_EXT,
    FIELD_HASH,
    N_FIELDS,
} Field;

static const char *const field_names[N_FIELDS] = {
    "{dir}", "{flat}", "{stem}", "{name}", "{suffix}", "{ext}", "{hash}",
};

/* That tell one source of a folder from another. */
#define TELLING_FIELDS (1u << FIELD_STEM | 1u << FIELD_NAME | 1u << FIELD_HASH)

static void
put_field(Field field, const Parts *parts, GString *out)
{
    bool keeps_ext = parts->from == parts->to && parts->ext[0] != '\0';
    g_autofree char *digest = NULL;

    switch (field) {
    case FIELD_DIR:
        g_string_append_len(out, parts->whole, parts->dir_length);
        break;
    case FIELD_FLAT:
        for (const char *at = parts->whole; at < parts->file; at++)
            g_string_append_len(out, *at == '/' ? "__" : at, *at == '/' ? 2 : 1);
        break;
    case FIELD_STEM:
        g_string_append_len(out, parts->file, parts->stem_length);
        break;
    case FIELD_NAME:
        g_string_append(out, parts->file);
        break;
    case FIELD_SUFFIX:
        g_string_append(out, parts->suffix);
        break;
    case FIELD_EXT:
        g_string_append(out, keeps_ext ? parts->ext : bt_format_extension(parts->to));
        break;
    default:
        digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, parts->whole, -1);
        g_string_append_len(out, digest, 8);
    }
}

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

/* Makes a name by a pattern. Returns the set of its fields; 0 where it is wrong. */
static unsigned
expand(const char *pattern, const Parts *parts, GString *out, GError **error)
{
    unsigned fields = 0;
    size_t length;

    for (const char *at = pattern; *at != '\0'; at += length) {
        Field field = FIELD_DIR;

        length = is_brace(at) ? 2 : 1;
        if (length == 2 || (*at != '{' && *at != '}')) {
            g_string_append_c(out, *at);
            continue;
        }
        while (field < N_FIELDS && !g_str_has_prefix(at, field_names[field]))
            field++;
        if (field == N_FIELDS)
            return bt_error_set(error, BT_ERROR_INVALID,
                                "'%s' has no field {dir}, {flat}, {stem}, {name}, {suffix}, {ext} "
                                "or {hash} at '%s'",
                                pattern, at);
        put_field(field, parts, out);
        fields |= 1u << field;
        length = strlen(field_names[field]);
    }
    tidy(out);
    if ((fields & TELLING_FIELDS) != 0)
        return fields;
    return bt_error_set(error, BT_ERROR_INVALID,
                        "'%s' would give all results one name: it needs {stem}, {name} or {hash}",
                        pattern);
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

bool
bt_naming_check(const BtNaming *self, GError **error)
{
    g_autoptr(GString) sample = g_string_new(NULL);
    Parts parts = split(self, "dir/stem.ext", BT_FORMAT_NONE, BT_FORMAT_JPEG);

    if (self->suffix != NULL && strchr(self->suffix, '/') != NULL)
        return bt_error_set(error, BT_ERROR_INVALID, "a suffix must not contain a slash: '%s'",
                            self->suffix);
    if (self->pattern == NULL)
        return true;
    if (expand(self->pattern, &parts, sample, error) == 0)
        return false;
    return (self->pattern[0] != '/' && !has_bad_part(sample->str)) ||
           bt_error_set(error, BT_ERROR_INVALID, "'%s' is not a name below the output folder",
                        self->pattern);
}

bool
bt_naming_is_apart(const BtNaming *self)
{
    g_autoptr(GString) sample = g_string_new(NULL);
    Parts parts = split(self, "name", BT_FORMAT_NONE, BT_FORMAT_JPEG);

    return self->pattern != NULL
               ? (expand(self->pattern, &parts, sample, NULL) & 1u << FIELD_HASH) != 0
               : !self->flat;
}

char *
bt_naming_result(const BtNaming *self, const char *name, BtFormat from, BtFormat to, GError **error)
{
    bool same = from == to, has_suffix = self->suffix != NULL && *self->suffix != '\0';
    g_autofree char *usual = g_strconcat(self->flat ? "{flat}" : "{dir}/",
                                         same ? "{stem}" : "{name}", "{suffix}.{ext}", NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    Parts parts = split(self, name, from, to);
    const char *slash;

    if (self->pattern == NULL && same && !self->flat && !has_suffix)
        g_string_assign(text, name);
    else if (expand(self->pattern != NULL ? self->pattern : usual, &parts, text, error) == 0)
        return NULL;
    slash = strrchr(text->str, '/');
    if (!has_bad_part(text->str) &&
        !g_str_has_prefix(slash != NULL ? slash + 1 : text->str, OWN_PREFIX))
        return g_string_free(g_steal_pointer(&text), FALSE);
    bt_error_set(error, BT_ERROR_INVALID, "its result cannot be named '%s'", text->str);
    return NULL;
}
