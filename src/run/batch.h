/* SPDX-License-Identifier: MIT */
/*
 * What one batch holds while it runs. Supervisor. Inside the room only: run.c is the loop, intake.c
 * what comes before work, jobs.c the pictures in work.
 */
#ifndef BT_RUN_BATCH_H
#define BT_RUN_BATCH_H

#include "run/engine.h"
#include "run/run.h"
#include "run/window.h"
#include "scan/scan.h"
#include "store/store.h"

typedef struct BtBatch {
    const BtRunOptions *options;
    BtReport *report;
    BtScan *scan;
    BtStore *store;
    GHashTable *claims; /* path of the source that has it by name of a result; NULL where no two
                           sources can come to one */
    bool folds_case;    /* names that differ by case alone are one */
    BtWindow *window;   /* sources to be done */
    BtEngine *engine;
    GQueue line;     /* of BtJob: next, their sources being read */
    GPtrArray *jobs; /* of BtJob: in work */
    GQueue heavy;    /* of BtSource: to be done alone, at the end */
    bool scanned;    /* there are no further sources */
    bool ending;     /* no further picture is started */
    GError *fatal;   /* found where there was no way to say so; ends the batch */
} BtBatch;

/* What is known of a source before it is opened. Texts are lent. */
BtReportPicture bt_batch_describe(const BtSource *source);

void bt_batch_fail(BtBatch *self, const BtSource *source, const char *code, const char *reason);

/* The path of a result, as shown. Owned (g_free). */
char *bt_batch_result_path(const BtBatch *self, const char *name);

/* Bytes that a picture may take: all workers' share where it is alone. 0: no limit. */
uint64_t bt_batch_memory(const BtBatch *self, bool alone);

#endif
