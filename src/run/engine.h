/* SPDX-License-Identifier: MIT */
/*
 * What turns opened pictures into outcomes: a pool of forked workers, or this process itself. The
 * same picture gives the same bytes either way. Supervisor. Inside the room only.
 *
 *   engine = bt_engine_new(options, ...);               before anything else decodes here
 *   while (bt_engine_idle(engine) > 0)
 *       bt_engine_submit(engine, item, &error);
 *   bt_engine_next(engine, timeout_ns, beside, n_beside, &item, &outcome);
 *
 * Every submitted item yields one outcome, but for those inside when the engine is freed. With
 * n_jobs 0 nothing is forked and bt_engine_submit() does the work. A process either forks workers
 * or decodes, never both.
 *
 * Workers have libvips where this process had loaded it when they were forked. One that has not is
 * replaced before it gets a picture that needs libvips; and so are all before one that may have
 * more memory than they were started with.
 */
#ifndef BT_RUN_ENGINE_H
#define BT_RUN_ENGINE_H

#include "run/item.h"
#include "run/signals.h"

#include <poll.h>

/* Of an answer that cannot be. */
#define BT_ENGINE_NONSENSE "the worker's answer makes no sense"

typedef struct BtEngine BtEngine;

/* n_jobs: workers at most; 0: pictures are processed in this process, and signals ask whether to go
 * on. report hears what workers had to go without. All are lent. */
BT_MUST_CHECK BtEngine *bt_engine_new(const BtRunOptions *options, int n_jobs, BtSignals *signals,
                                      BtReport *report, GError **error);
void bt_engine_free(BtEngine *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtEngine, bt_engine_free)

/* Tells the report what each worker does. */
void bt_engine_tell_workers(const BtEngine *self);

/* How many workers there are now; BT_REPORT_SERIAL where pictures are processed in this process. */
int bt_engine_workers(const BtEngine *self);

/* How many items would be taken into work at once. */
size_t bt_engine_idle(const BtEngine *self);

/* Loads libvips, the first time, for items that need it. */
BT_MUST_CHECK bool bt_engine_load_vips(BtEngine *self, GError **error);

/* Takes an item into work: in_fd goes to the engine (also on failure), and where the work is not to
 * check, out_fd is made; the item stays the caller's, and has to stay until the outcome. */
BT_MUST_CHECK bool bt_engine_submit(BtEngine *self, BtItem *item, GError **error);

/* The next outcome, while descriptors `beside` are waited for, too: as bt_pool_next(). */
BtPoolWait bt_engine_next(BtEngine *self, uint64_t timeout_ns, struct pollfd *beside,
                          size_t n_beside, BtItem **out_item, BtOutcome *out_outcome);

/* A worker has given what cannot be: those of now get no other picture. */
void bt_engine_distrust(BtEngine *self);

/* Why workers cannot be; NULL while they can. Lent. */
const GError *bt_engine_failure(const BtEngine *self);

#endif
