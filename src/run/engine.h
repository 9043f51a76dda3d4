/* SPDX-License-Identifier: MIT */
/*
 * What turns opened pictures into outcomes: a pool of forked workers, or this process itself. The
 * same picture gives the same bytes either way.
 *
 *   engine = bt_engine_new(&options, &error);          before anything else decodes here
 *   while (bt_engine_idle(engine) > 0)
 *       bt_engine_submit(engine, &in_fd, out_fd, &task, tag, &error);
 *   bt_engine_next(engine, timeout_ns, &tag, &outcome);
 *
 * Every submitted picture yields one outcome, but for those inside when the engine is freed. With
 * n_jobs 0 nothing is forked and bt_engine_submit() does the work. A process either forks workers
 * or decodes, never both.
 *
 * Workers start without libvips. Once this process has loaded it (bt_image_prepare()) they are
 * replaced by such as have it, before they get another picture.
 */
#ifndef BT_RUN_ENGINE_H
#define BT_RUN_ENGINE_H

#include "base/error.h"
#include "base/fd.h"
#include "pool/pool.h"
#include "report/report.h"
#include "run/worker.h"

typedef struct BtEngine BtEngine;

typedef struct BtEngineOptions {
    BtWorkerOptions worker;
    int n_jobs;        /* workers at most; 0: in this process */
    uint64_t limit_ns; /* a worker that is longer at one picture is killed; 0: never */
    bool isolate;      /* a new worker for each picture */
    int wake_fd;       /* ends a wait when it becomes readable; -1: none */
} BtEngineOptions;

/* options are copied. */
BT_MUST_CHECK BtEngine *bt_engine_new(const BtEngineOptions *options, GError **error);
void bt_engine_free(BtEngine *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtEngine, bt_engine_free)

/* How many workers there are now; BT_REPORT_SERIAL where pictures are processed in this process. */
int bt_engine_workers(const BtEngine *self);

/* Writes up to n places of the pool, or this process itself; returns how many there are. A busy
 * one's task_tag is the picture's. */
int bt_engine_table(const BtEngine *self, BtWorkerInfo *out_infos, int n);

/* How many pictures would be taken into work at once. */
size_t bt_engine_idle(const BtEngine *self);

/* Takes one picture: *in_fd is owned by the engine from here on (also on failure), out_fd stays the
 * caller's and must stay open until the outcome; -1 for one that is to be checked. */
BT_MUST_CHECK bool bt_engine_submit(BtEngine *self, BtFd *in_fd, int out_fd,
                                    const BtWorkerTask *task, void *tag, GError **error);

/* The next outcome. BT_POOL_OUTCOME: *out_tag and *out_outcome are written. */
BT_MUST_CHECK BtPoolWait bt_engine_next(BtEngine *self, uint64_t timeout_ns, void **out_tag,
                                        BtOutcome *out_outcome);

#endif
