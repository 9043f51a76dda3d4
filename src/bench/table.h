/* SPDX-License-Identifier: MIT */
/*
 * Columns of text. Pure.
 *
 *   g_autoptr(BtTable) table = bt_table_new((const char *[]){"row", "seconds", NULL});
 *   bt_table_add(table, "%s|%.3f", name, seconds);
 *   bt_table_print(table, BT_TABLE_TEXT, out);
 */
#ifndef BT_BENCH_TABLE_H
#define BT_BENCH_TABLE_H

#include <glib.h>

typedef struct BtTable BtTable;

typedef enum BtTableForm {
    BT_TABLE_TEXT,     /* the first column and one without a head to the left, others right */
    BT_TABLE_MARKDOWN, /* of GitHub */
    BT_TABLE_HTML,     /* cells are escaped */
} BtTableForm;

BtTable *bt_table_new(const char *const *heads);
void bt_table_free(BtTable *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtTable, bt_table_free)

/* A line of cells with '|' between them, which stands in no value; missing ones are empty, and more
 * than there are heads are dropped. */
void bt_table_add(BtTable *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Nothing where there are no lines. */
void bt_table_print(const BtTable *self, BtTableForm form, GString *out);

#endif
