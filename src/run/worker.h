/* SPDX-License-Identifier: MIT */
/*
 * A worker's side of a batch: what a forked process does with its tasks. Worker.
 *
 * A task is a BtWorkerTask and two descriptors, the source (read) and the target (read and write),
 * or to check what is there the first alone; the reply is a BtOutcome. A worker's standard output
 * and error are /dev/null: decoders print bytes of the file, and nothing of a picture may reach the
 * terminal but through the report. With BT_WORKER_STDERR set in the environment standard error
 * stays, for debugging.
 */
#ifndef BT_RUN_WORKER_H
#define BT_RUN_WORKER_H

#include "image/image.h"
#include "pool/pool.h"
#include "sandbox/sandbox.h"

typedef struct BtWorkerTask {
    BtFormat format; /* of the result; BT_FORMAT_NONE: the worker chooses */
    bool check;      /* decode it only: there is no target */
    uint64_t memory; /* bytes that the worker may have for it; 0: no limit */
} BtWorkerTask;

typedef struct BtWorkerOptions {
    BtImageSettings image;
    BtSandboxMode sandbox;
    uint64_t memory; /* bytes that no task of the worker may go beyond; 0: no limit */
} BtWorkerOptions;

/* As BtPoolStart and BtPoolServe; data is a BtWorkerOptions. A worker locks itself in before its
 * first task. */
void *bt_worker_start(void *data, GString *notice, GError **error);
size_t bt_worker_serve(void *state, const BtTaskView *task, void *reply);

#endif
