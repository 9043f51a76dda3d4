/* SPDX-License-Identifier: MIT */
/* A list: the first byte says of which kind, and in what pieces it comes through a pipe. */
#include "fuzz.h"

#include "base/fd.h"
#include "scan/list.h"

#include <string.h>
#include <unistd.h>

/* Below PIPE_BUF, so that a pipe takes a piece at once. */
#define PIECE_MAX 4096

/* A name is tidy, leads nowhere else, and is its own name. */
static void
check_place(const char *entry)
{
    static const char *const bases[] = {"/a/b", "/", NULL};

    for (int i = 0; i < 2; i++) {
        g_autofree char *way = NULL, *no_way = NULL;
        g_autofree char *name = bt_list_place(entry, &bases[i], &way);
        g_autofree char *again = bt_list_place(name, &bases[i], &no_way);
        g_auto(GStrv) parts = g_strsplit(name, "/", -1);

        g_assert_cmpint(way[strspn(way, *entry == '/' ? "/" : "./")], ==, '\0');
        for (char **part = parts; *part != NULL; part++) {
            g_assert_true(**part != '\0' || *name == '\0');
            g_assert_cmpstr(*part, !=, ".");
            g_assert_cmpstr(*part, !=, "..");
        }
        g_assert_cmpstr(again, ==, name);
        g_assert_cmpstr(no_way, ==, "");
    }
}

/* What the list must say of an entry that is whole. */
static void
check_entry(BtListKind kind, const char *entry, const char *expected, size_t size, char separator)
{
    if (separator == '\n' && size > 0 && expected[size - 1] == '\r')
        size--;
    if (memchr(expected, '\0', size) != NULL || size > BT_LIST_ENTRY_MAX) {
        g_assert_cmpint(kind, ==, BT_LIST_PROBLEM);
        return;
    }
    g_assert_cmpint(kind, ==, BT_LIST_ENTRY);
    g_assert_cmpmem(entry, strlen(entry), expected, size);
    check_place(entry);
}

/* The next entry that is not empty, of `size` bytes; steps past it. */
static bool
next_expected(const char **text, const char *end, char separator, const char **out_entry,
              size_t *out_size)
{
    while (*text < end) {
        const char *stop = memchr(*text, separator, (size_t)(end - *text));

        *out_entry = *text;
        *out_size = (size_t)((stop != NULL ? stop : end) - *text);
        *text += *out_size + (stop != NULL);
        if (*out_size > 1 || (*out_size == 1 && !(separator == '\n' && **out_entry == '\r')))
            return true;
    }
    return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char separator = size > 0 && bytes[0] & 1 ? '\0' : '\n';
    size_t piece = size > 0 ? 1 + (size_t)(bytes[0] >> 1) * PIECE_MAX / 128 : 1, given = 1;
    const char *text = (const char *)bytes + (size > 0), *end = (const char *)bytes + size;
    bool has_mark = end - text >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
    g_autoptr(BtList) list = NULL;
    g_auto(BtFd) in = -1;
    int ends[2];
    BtListKind kind;
    const char *entry, *expected = NULL;
    size_t expected_size = 0;

    g_assert_cmpint(pipe(ends), ==, 0);
    list = bt_list_new(ends[0], "LIST", separator);
    in = ends[1];
    text += has_mark ? 3 : 0;
    while ((kind = bt_list_next(list, &entry, NULL)) != BT_LIST_END) {
        if (kind != BT_LIST_MORE) {
            g_assert_true(next_expected(&text, end, separator, &expected, &expected_size));
            check_entry(kind, entry, expected, expected_size, separator);
        } else if (given >= size) {
            bt_fd_clear(&in);
        } else if (bt_list_wait_fd(list) >= 0) {
            size_t n = MIN(piece, size - given);

            g_assert_cmpint(write(in, bytes + given, n), ==, (ssize_t)n);
            given += n;
        }
    }
    g_assert_cmpuint(given, >=, size);
    g_assert_false(next_expected(&text, end, separator, &expected, &expected_size));
    return 0;
}
