/* SPDX-License-Identifier: MIT */
/* What one batch holds while it runs: the rooms that it goes through, opened and closed, and the
 * places where items wait. Supervisor. Inside the room only. */
#ifndef BT_RUN_BATCH_H
#define BT_RUN_BATCH_H

#include "pool/process.h"
#include "run/engine.h"
#include "run/orphans.h"
#include "run/signals.h"

typedef struct BtBatch {
    const BtRunOptions *options;
    BtReport *report;
    int n_jobs; /* workers at most; 0: this process decodes */
    uint64_t start_ns;
    BtSignals signals;
    BtProcess watcher;
    BtStore *store;
    BtScan *scan;
    BtOrphans *orphans; /* NULL: they are not looked for */
    BtEngine *engine;
    GSequence *window;  /* of BtItem: to be done, the smallest file first */
    GQueue next;        /* of BtItem: their files are open and being read */
    GPtrArray *working; /* of BtItem */
    GQueue heavy;       /* of BtItem: to be done alone, at the end */
    bool scanned;       /* there are no further sources */
    bool list_ready;    /* a list that was waited for has more */
    bool has_output;    /* the output folder is there, and the scan keeps out of it */
} BtBatch;

/* The settings that decide what results look like and how they are called, as lines "NAME VALUE":
 * what the store compares, and reports show. Two texts differ where results would. Owned (g_free).
 */
char *bt_batch_settings(const BtRunOptions *options);

/* Opens everything, and tells the report that the batch begins. In any case to be closed. */
BT_MUST_CHECK bool bt_batch_open(BtBatch *self, const BtRunOptions *options, BtReport *report,
                                 GError **error);
void bt_batch_close(BtBatch *self);

/* Makes the output folder, which is done when there is something to put there, and has the scan
 * keep out of it. */
BT_MUST_CHECK bool bt_batch_make_output(BtBatch *self, GError **error);

/* The item with the largest file of the window, given away; NULL when none waits there. */
BtItem *bt_batch_take_largest(BtBatch *self);

/* Bytes that a picture may take: all workers' share where it is alone. 0: no limit. */
uint64_t bt_batch_memory(const BtBatch *self, bool alone);

/* Tells the report what came of it all, error NULL where that is well. */
void bt_batch_tell_end(const BtBatch *self, const GError *error);

#endif
