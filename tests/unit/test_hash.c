/* SPDX-License-Identifier: MIT */
/* Hashes stand in records and shares of many machines: they never change. */
#include "base/hash.h"

#include <glib.h>

static void
test_values(void)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } rows[] = {
        {"", 0xefd01f60ba992926},
        {"a.jpg", 0x57e45b66c4c401a7},
        {"2024/b c.jpg", 0xbd4a4b8ca24b0884},
        {"\xff\xfe.png", 0xdf406b9f922bd5d7},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmphex(bt_hash_text(rows[i].text), ==, rows[i].hash);
}

/* Every byte counts, zeros too, and no byte behind the size does. */
static void
test_bytes(void)
{
    g_assert_cmphex(bt_hash("a.jpg.png", 5), ==, bt_hash_text("a.jpg"));
    g_assert_cmphex(bt_hash("a\0b", 3), !=, bt_hash("a\0c", 3));
    g_assert_cmphex(bt_hash("\0", 1), !=, bt_hash("\0\0", 2));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hash/values", test_values);
    g_test_add_func("/hash/bytes", test_bytes);
    return g_test_run();
}
