/* SPDX-License-Identifier: MIT */
/*
 * Columns of text. Pure.
 *
 *   g_autoptr(BtTable) table = bt_table_new("row|seconds");
 *   bt_table_add(table, "%s|%.3f", name, seconds);
 *   bt_table_print(table, false, out);
 */
#ifndef BT_BENCH_TABLE_H
#define BT_BENCH_TABLE_H

#include <glib.h>
#include <stdbool.h>

typedef struct BtTable BtTable;

BtTable *bt_table_new(const char *heads);
void bt_table_free(BtTable *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtTable, bt_table_free)

/* A line of as many cells as there are heads, with '|' between them, which stands in no value. */
void bt_table_add(BtTable *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* As text, the first column to the left, the others to the right, and an empty line behind it; or
 * as HTML, with cells escaped. Nothing where there are no lines. */
void bt_table_print(const BtTable *self, bool html, GString *out);

#endif
