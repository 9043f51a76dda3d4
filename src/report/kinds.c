/* SPDX-License-Identifier: MIT */
#include "report/kinds.h"

#include <inttypes.h>
#include <string.h>

#define KINDS_MAX  1000
#define BYTES_MAX  16
#define KINDS_TOLD 5

#define FOLDER "/" /* no extension has it */

struct BtKinds {
    uint64_t total;
    GHashTable *counts; /* uint64_t by name */
};

BtKinds *
bt_kinds_new(void)
{
    BtKinds *self = g_new0(BtKinds, 1);

    self->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void
bt_kinds_free(BtKinds *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->counts);
    g_free(self);
}

static bool
is_kind(const char *text)
{
    if (strcmp(text, FOLDER) == 0)
        return true;
    if (strlen(text) > BYTES_MAX || !g_utf8_validate(text, -1, NULL))
        return false;
    for (; *text != '\0'; text += g_utf8_skip[(unsigned char)*text]) {
        gunichar c = g_utf8_get_char(text);

        if (!g_unichar_isalnum(c) && (c >= 0x80 || strchr("_-+~", (int)c) == NULL))
            return false;
    }
    return true;
}

char *
bt_kinds_of(const char *path, bool is_folder)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    g_autofree char *kind = NULL;

    if (is_folder)
        return g_strdup(FOLDER);
    if (dot != NULL && dot != name && is_kind(dot + 1))
        kind = g_utf8_strdown(dot + 1, -1); /* which may be longer */
    return kind != NULL && is_kind(kind) ? g_steal_pointer(&kind) : g_strdup("");
}

void
bt_kinds_add(BtKinds *self, const char *kind, uint64_t n)
{
    uint64_t *count = kind != NULL ? g_hash_table_lookup(self->counts, kind) : NULL;

    self->total += n;
    if (count == NULL &&
        (kind == NULL || n == 0 || !is_kind(kind) || g_hash_table_size(self->counts) >= KINDS_MAX))
        return;
    if (count == NULL) {
        count = g_new0(uint64_t, 1);
        g_hash_table_insert(self->counts, g_strdup(kind), count);
    }
    *count += n;
}

uint64_t
bt_kinds_total(const BtKinds *self)
{
    return self->total;
}

static int
compare(gconstpointer a, gconstpointer b)
{
    const BtKind *one = a, *other = b;

    return one->n != other->n ? (one->n < other->n ? 1 : -1) : strcmp(one->name, other->name);
}

GArray *
bt_kinds_sorted(const BtKinds *self)
{
    GArray *kinds = g_array_new(FALSE, FALSE, sizeof(BtKind));
    GHashTableIter iter;
    gpointer name, n;

    g_hash_table_iter_init(&iter, self->counts);
    while (g_hash_table_iter_next(&iter, &name, &n)) {
        BtKind kind = {name, *(uint64_t *)n};

        g_array_append_val(kinds, kind);
    }
    g_array_sort(kinds, compare);
    return kinds;
}

char *
bt_kinds_text(const BtKinds *self)
{
    g_autoptr(GArray) kinds = bt_kinds_sorted(self);
    GString *text = g_string_new(NULL);
    uint64_t n_told = 0;

    if (self->total > 0)
        g_string_append_printf(text, "%" PRIu64 " ignored", self->total);
    for (guint i = 0; i < MIN(kinds->len, KINDS_TOLD); i++) {
        const BtKind *kind = &g_array_index(kinds, BtKind, i);
        bool is_folder = strcmp(kind->name, FOLDER) == 0;

        g_string_append_printf(text, "%s%" PRIu64 " %s", i == 0 ? " (" : ", ", kind->n,
                               is_folder               ? (kind->n == 1 ? "folder" : "folders")
                               : kind->name[0] == '\0' ? "without extension"
                                                       : kind->name);
        n_told += kind->n;
    }
    if (n_told > 0 && n_told < self->total)
        g_string_append_printf(text, " and %" PRIu64 " more", self->total - n_told);
    if (n_told > 0)
        g_string_append_c(text, ')');
    return g_string_free(text, FALSE);
}
