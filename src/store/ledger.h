/* SPDX-License-Identifier: MIT */
/*
 * The records of one folder's results on a file system without extended attributes: a text file in
 * the folder, BT_LEDGER_NAME. Supervisor. Inside the room only.
 *
 *   ledger = bt_ledger_new(dirfd);
 *   bt_ledger_put(ledger, "a.jpg", record, false);    before the result gets its name
 *   bt_ledger_get(ledger, "a.jpg", &file, record);
 *
 * A line is a record (store/record.h), a space and the name, escaped as in a URI; "- NAME" takes
 * all records of the name back. Lines are appended under a lock, so several runs may share a
 * folder. What a crash has left of a last line is passed over.
 *
 * Since a record is there before its result is, the last two of each name are kept: the one whose
 * size and time are those of the file counts, and where neither does, the file is not ours. The
 * file is written anew, and renamed, when more than half of its lines are old.
 */
#ifndef BT_STORE_LEDGER_H
#define BT_STORE_LEDGER_H

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "store/record.h"

#define BT_LEDGER_NAME ".blurthumb-results"

typedef struct BtLedger BtLedger;

/* dirfd: of the folder; lent, and outlives it. Nothing is read or made yet. */
BtLedger *bt_ledger_new(int dirfd);
void bt_ledger_free(BtLedger *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtLedger, bt_ledger_free)

/* The record of the file that has a name. False when there is none. Looks first whether another run
 * has written meanwhile. */
bool bt_ledger_get(BtLedger *self, const char *name, const struct stat *file, BtRecord *out_record);

/* Whether there are records of the name, as far as was read: where none is that of the file, it is
 * not one that has lost its record. */
bool bt_ledger_knows(const BtLedger *self, const char *name);

/* Adds a record; NULL: the name has no result any more. durable: waits for the disk. False with
 * errno. */
bool bt_ledger_put(BtLedger *self, const char *name, const BtRecord *record, bool durable);

#endif
