/* SPDX-License-Identifier: MIT */
/*
 * How many files of each kind were ignored. Supervisor. Inside the room only.
 *
 *   g_autoptr(BtKinds) kinds = bt_kinds_new();
 *   kind = bt_kinds_of("in/IMG_1.MOV", false);            "mov"
 *   bt_kinds_add(kinds, kind, 1);
 *   text = bt_kinds_text(kinds);                          "4 ignored (3 mov, 1 xmp)"
 *
 * A kind is an extension in lower case: up to 16 bytes of UTF-8, letters, digits, "_", "-", "+" and
 * "~". A name without one is of the kind "", a folder of the kind "/". Memory is bounded: 1000
 * kinds are told apart, and files of further ones count in the total alone.
 */
#ifndef BT_REPORT_KINDS_H
#define BT_REPORT_KINDS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct BtKinds BtKinds;

typedef struct BtKind {
    const char *name;
    uint64_t n;
} BtKind;

BtKinds *bt_kinds_new(void);
void bt_kinds_free(BtKinds *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtKinds, bt_kinds_free)

/* The kind of a path, any bytes. Owned (g_free). */
char *bt_kinds_of(const char *path, bool is_folder);

/* kind NULL, or none: in the total alone. */
void bt_kinds_add(BtKinds *self, const char *kind, uint64_t n);

uint64_t bt_kinds_total(const BtKinds *self);

/* BtKind, the commonest first. Owned (g_array_unref); names are lent until more is added. */
GArray *bt_kinds_sorted(const BtKinds *self);

/* With the five commonest kinds. "" where nothing was ignored. Owned (g_free). */
char *bt_kinds_text(const BtKinds *self);

#endif
