/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <math.h>
#include <string.h>

static void
put_escaped(GString *out, const char *bytes)
{
    while (*bytes != '\0') {
        gunichar c = g_utf8_get_char_validated(bytes, -1);

        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append(out, "\xef\xbf\xbd");
            bytes++;
            continue;
        }
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", (char)c);
        else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_unichar(out, c);
        bytes += g_utf8_skip[(unsigned char)*bytes];
    }
}

static void
put_name(BtJson *self, const char *name)
{
    if (self->follows)
        g_string_append_c(self->text, ',');
    self->follows = true;
    if (name != NULL)
        g_string_append_printf(self->text, "\"%s\":", name);
}

void
bt_json_begin(BtJson *self, const char *name)
{
    put_name(self, name);
    g_string_append_c(self->text, '{');
    self->follows = false;
}

void
bt_json_end(BtJson *self)
{
    g_string_append_c(self->text, '}');
    self->follows = true;
}

void
bt_json_put_text(BtJson *self, const char *name, const char *value)
{
    put_name(self, name);
    g_string_append_c(self->text, '"');
    put_escaped(self->text, value);
    g_string_append_c(self->text, '"');
}

void
bt_json_put_count(BtJson *self, const char *name, uint64_t value)
{
    put_name(self, name);
    g_string_append_printf(self->text, "%" G_GUINT64_FORMAT, (guint64)value);
}

void
bt_json_put_int(BtJson *self, const char *name, int64_t value)
{
    put_name(self, name);
    g_string_append_printf(self->text, "%" G_GINT64_FORMAT, (gint64)value);
}

/* The shortest of the usual precisions that reads back as the same number. */
static void
put_shortest(GString *out, double value)
{
    static const char *const formats[] = {"%.6g", "%.9g", "%.17g"};
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(text, sizeof text, formats[i], value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    g_string_append(out, text);
}

void
bt_json_put_number(BtJson *self, const char *name, double value)
{
    put_name(self, name);
    if (isfinite(value))
        put_shortest(self->text, value);
    else
        g_string_append(self->text, "null");
}

void
bt_json_put_bool(BtJson *self, const char *name, bool value)
{
    put_name(self, name);
    g_string_append(self->text, value ? "true" : "false");
}

typedef struct Value {
    char *text;    /* NULL: not a text */
    double number; /* NAN: not a number */
} Value;

typedef struct Parser {
    const char *at, *end;
    BtJsonObject *object;
} Parser;

static void
free_value(gpointer data)
{
    Value *value = data;

    g_free(value->text);
    g_free(value);
}

static void
skip_space(Parser *self)
{
    while (self->at < self->end && strchr(" \t\r\n", *self->at) != NULL && *self->at != '\0')
        self->at++;
}

/* Takes a character that may stand here, and the space around it. */
static bool
take(Parser *self, char c)
{
    skip_space(self);
    if (self->at == self->end || *self->at != c)
        return false;
    self->at++;
    skip_space(self);
    return true;
}

static bool
take_word(Parser *self, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(self->end - self->at) < length || memcmp(self->at, word, length) != 0)
        return false;
    self->at += length;
    return true;
}

/* Four hexadecimal digits, or -1. */
static int
take_hex(Parser *self)
{
    int value = 0;

    if (self->end - self->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(*self->at++);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* What follows "\u": one code unit, or a pair of them. */
static bool
parse_unicode(Parser *self, GString *out)
{
    int first = take_hex(self), second;
    gunichar c = (gunichar)first;

    if (first >= 0xd800 && first < 0xdc00) {
        if (!take_word(self, "\\u") || (second = take_hex(self)) < 0xdc00 || second > 0xdfff)
            return false;
        c = 0x10000 + (gunichar)((first - 0xd800) << 10) + (gunichar)(second - 0xdc00);
    }
    /* No zero: texts end there. */
    if (first <= 0 || (first >= 0xdc00 && first <= 0xdfff))
        return false;
    g_string_append_unichar(out, c);
    return true;
}

static bool
parse_escape(Parser *self, GString *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *found;

    if (self->at == self->end)
        return false;
    if (*self->at == 'u') {
        self->at++;
        return parse_unicode(self, out);
    }
    if (*self->at == '\0' || (found = strchr(names, *self->at)) == NULL)
        return false;
    g_string_append_c(out, values[found - names]);
    self->at++;
    return true;
}

static bool
parse_text(Parser *self, char **out_text)
{
    g_autoptr(GString) text = g_string_new(NULL);

    self->at++; /* the quote */
    while (self->at < self->end && *self->at != '"') {
        if ((unsigned char)*self->at < 0x20)
            return false;
        if (*self->at != '\\')
            g_string_append_c(text, *self->at++);
        else if (self->at++, !parse_escape(self, text))
            return false;
    }
    if (self->at == self->end || !g_utf8_validate(text->str, (gssize)text->len, NULL))
        return false;
    self->at++; /* the other quote */
    *out_text = g_string_free(g_steal_pointer(&text), FALSE);
    return true;
}

static bool
parse_number(Parser *self, double *out_number)
{
    char digits[64];
    size_t length = 0;
    char *end;

    while (self->at < self->end && length < sizeof digits - 1 &&
           (g_ascii_isdigit(*self->at) || strchr("+-.eE", *self->at) != NULL) && *self->at != '\0')
        digits[length++] = *self->at++;
    digits[length] = '\0';
    *out_number = g_ascii_strtod(digits, &end);
    return length > 0 && *end == '\0' && isfinite(*out_number);
}

static bool parse_members(Parser *self, const char *prefix);

static bool
parse_value(Parser *self, const char *name, bool is_inner)
{
    Value *value;

    if (self->at < self->end && *self->at == '{') {
        g_autofree char *prefix = g_strconcat(name, ".", NULL);

        return !is_inner && parse_members(self, prefix);
    }
    value = g_new0(Value, 1);
    value->number = NAN;
    g_hash_table_insert(self->object, g_strdup(name), value);
    if (take_word(self, "true") || take_word(self, "false") || take_word(self, "null"))
        return true;
    return self->at < self->end && *self->at == '"' ? parse_text(self, &value->text)
                                                    : parse_number(self, &value->number);
}

static bool
parse_member(Parser *self, const char *prefix)
{
    g_autofree char *last = NULL, *name = NULL;

    if (self->at == self->end || *self->at != '"' || !parse_text(self, &last) || !take(self, ':'))
        return false;
    name = g_strconcat(prefix, last, NULL);
    return parse_value(self, name, prefix[0] != '\0');
}

static bool
parse_members(Parser *self, const char *prefix)
{
    if (!take(self, '{'))
        return false;
    if (take(self, '}'))
        return true;
    do
        if (!parse_member(self, prefix))
            return false;
    while (take(self, ','));
    return take(self, '}');
}

BtJsonObject *
bt_json_parse(const char *text, size_t length, GError **error)
{
    g_autoptr(BtJsonObject) self =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_value);
    Parser parser = {.at = text, .end = text + length, .object = self};

    if (length <= BT_JSON_LINE_MAX && parse_members(&parser, "") && parser.at == parser.end)
        return g_steal_pointer(&self);
    bt_error_set(error, BT_ERROR_INVALID, "not a line of a report by blurthumb --json");
    return NULL;
}

const char *
bt_json_text(BtJsonObject *self, const char *name)
{
    const Value *value = g_hash_table_lookup(self, name);

    return value != NULL ? value->text : NULL;
}

double
bt_json_number(BtJsonObject *self, const char *name, double missing)
{
    const Value *value = g_hash_table_lookup(self, name);

    return value != NULL && !isnan(value->number) ? value->number : missing;
}

GPtrArray *
bt_json_names(BtJsonObject *self, const char *prefix)
{
    GPtrArray *names = g_ptr_array_new();
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, self);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (g_str_has_prefix(name, prefix))
            g_ptr_array_add(names, name);
    return names;
}
