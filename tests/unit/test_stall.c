/* SPDX-License-Identifier: MIT */
/* What one process waits for, another sees. */
#include "base/stall.h"

#include <glib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Without memory to share nothing is kept, and nothing goes wrong. */
static void
test_without(void)
{
    bt_stall_at("a");
    bt_stall_enter();
    bt_stall_at("b");
    bt_stall_leave();
}

/* What a process sees that was forked before anything was waited for: its path, "-" for none. */
typedef struct Reader {
    int ask[2], answer[2];
    pid_t pid;
} Reader;

static void
serve(const Reader *reader)
{
    char byte;

    while (read(reader->ask[0], &byte, 1) == 1) {
        struct {
            uint64_t id;
            char path[BT_STALL_PATH_BYTES];
        } seen;

        seen.id = bt_stall_look(seen.path);
        if (write(reader->answer[1], &seen, sizeof seen) != sizeof seen)
            break;
    }
    _exit(0);
}

static uint64_t
look(const Reader *reader, char out_path[BT_STALL_PATH_BYTES])
{
    struct {
        uint64_t id;
        char path[BT_STALL_PATH_BYTES];
    } seen;

    g_assert_cmpint(write(reader->ask[1], "?", 1), ==, 1);
    g_assert_cmpint(read(reader->answer[0], &seen, sizeof seen), ==, sizeof seen);
    memcpy(out_path, seen.path, sizeof seen.path);
    return seen.id;
}

static void
test_reader(void)
{
    g_autofree char *long_path = g_strnfill(2 * BT_STALL_PATH_BYTES, 'x');
    char path[BT_STALL_PATH_BYTES];
    uint64_t first, second, third;
    Reader reader;

    g_assert_true(bt_stall_init());
    g_assert_cmpint(pipe(reader.ask), ==, 0);
    g_assert_cmpint(pipe(reader.answer), ==, 0);
    if ((reader.pid = fork()) == 0) {
        close(reader.ask[1]);
        serve(&reader);
    }
    g_assert_cmpuint(look(&reader, path), ==, 0);
    bt_stall_at("photos/a.jpg");
    bt_stall_enter();
    g_assert_cmpuint(first = look(&reader, path), !=, 0);
    g_assert_cmpstr(path, ==, "photos/a.jpg");
    g_assert_cmpuint(look(&reader, path), ==, first);
    bt_stall_at("photos/b.jpg");
    g_assert_cmpuint(second = look(&reader, path), !=, first);
    g_assert_cmpuint(second, !=, 0);
    g_assert_cmpstr(path, ==, "photos/b.jpg");
    bt_stall_leave();
    g_assert_cmpuint(look(&reader, path), ==, 0);
    bt_stall_at("noted, but not waited for");
    g_assert_cmpuint(look(&reader, path), ==, 0);
    g_assert_true(bt_stall_init()); /* a second time keeps the reader */
    bt_stall_at("photos/b.jpg");
    bt_stall_enter(); /* the same path, waited for anew */
    g_assert_cmpuint(third = look(&reader, path), !=, second);
    g_assert_cmpuint(third, !=, 0);
    bt_stall_at(long_path);
    bt_stall_enter();
    g_assert_cmpuint(look(&reader, path), !=, third);
    g_assert_cmpuint(strlen(path), ==, BT_STALL_PATH_BYTES - 1);
    g_assert_true(g_str_has_prefix(long_path, path));
    close(reader.ask[1]);
    g_assert_cmpint(waitpid(reader.pid, NULL, 0), ==, reader.pid);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stall/without", test_without);
    g_test_add_func("/stall/reader", test_reader);
    return g_test_run();
}
