/* SPDX-License-Identifier: MIT */
/*
 * Sources that were found and wait for a worker: bounded, the largest file first, and among equals
 * the first found. Supervisor.
 */
#ifndef BT_RUN_WINDOW_H
#define BT_RUN_WINDOW_H

#include "scan/scan.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct BtWindow BtWindow;

BtWindow *bt_window_new(size_t limit);
void bt_window_free(BtWindow *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtWindow, bt_window_free)

bool bt_window_is_full(const BtWindow *self);
bool bt_window_is_empty(const BtWindow *self);

/* Takes the source. Not when full (asserted). */
void bt_window_add(BtWindow *self, BtSource *source);

/* Gives the largest source away; NULL when empty. */
BtSource *bt_window_take(BtWindow *self);

#endif
