/* SPDX-License-Identifier: MIT */
/*
 * Results whose source is gone. Supervisor. Inside the room only.
 *
 *   orphans = bt_orphans_new(scan);
 *   bt_orphans_see(orphans, root, name);              each source that is found
 *   bt_orphans_find(orphans, store, ...);           when all were found
 *
 * A result is one when it has our record, its source was found in an earlier run below a folder
 * that this run was given too, and is not there now. Results of a folder that could not be read
 * wholly, or has no pictures at all now, are kept: its disk may not be mounted.
 */
#ifndef BT_RUN_ORPHANS_H
#define BT_RUN_ORPHANS_H

#include "report/report.h"
#include "run/run.h"
#include "store/store.h"

typedef struct BtOrphans BtOrphans;

BtOrphans *bt_orphans_new(BtScan *scan);
void bt_orphans_free(BtOrphans *self);

/* What a record says of the place of a source. */
uint32_t bt_orphans_place(uint64_t root_id, const char *name);

/* NULL allowed, for a batch that does not look for them. */
void bt_orphans_see(BtOrphans *self, const BtSource *source);

/* Names them, and removes them where the options say so. False when the batch cannot go on. */
BT_MUST_CHECK bool bt_orphans_find(BtOrphans *self, BtStore *store, const BtRunOptions *options,
                                   BtReport *report, GError **error);

#endif
