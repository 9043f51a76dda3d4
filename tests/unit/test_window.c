/* SPDX-License-Identifier: MIT */
/* The window gives what it was given, the largest first, and among equals the first found. */
#include "run/window.h"

static BtSource *
make_source(off_t size, int number)
{
    BtSource *source = g_new0(BtSource, 1);

    source->path = g_strdup_printf("%d", number);
    source->name = source->path;
    source->root = number;
    source->stat.st_size = size;
    return source;
}

static void
test_order(void)
{
    g_autoptr(BtWindow) window = bt_window_new(1000);
    off_t last_size = G_MAXINT64;
    int last_number = -1, n = 0;

    g_assert_true(bt_window_is_empty(window));
    g_assert_null(bt_window_take(window));
    for (int i = 0; i < 1000; i++)
        bt_window_add(window, make_source(g_test_rand_int_range(0, 20), i));
    g_assert_true(bt_window_is_full(window));
    while (!bt_window_is_empty(window)) {
        g_autoptr(BtSource) source = bt_window_take(window);

        g_assert_cmpint(source->stat.st_size, <=, last_size);
        if (source->stat.st_size == last_size)
            g_assert_cmpint(source->root, >, last_number);
        last_size = source->stat.st_size;
        last_number = source->root;
        n++;
    }
    g_assert_cmpint(n, ==, 1000);
}

/* What is left inside goes with the window (seen by the sanitizers). */
static void
test_free(void)
{
    BtWindow *window = bt_window_new(2);

    bt_window_add(window, make_source(1, 0));
    g_assert_false(bt_window_is_full(window));
    bt_window_add(window, make_source(2, 1));
    g_assert_true(bt_window_is_full(window));
    bt_window_free(window);
    bt_window_free(NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/window/order", test_order);
    g_test_add_func("/window/free", test_free);
    return g_test_run();
}
