/* SPDX-License-Identifier: MIT */
/*
 * The pictures that are next or in work: opened, read ahead, given to the engine, published.
 * Supervisor. Inside the room only.
 */
#ifndef BT_RUN_JOBS_H
#define BT_RUN_JOBS_H

#include "run/batch.h"

typedef struct BtJob BtJob;

/* A GDestroyNotify. */
void bt_job_free(gpointer job);

/* The path of its source, lent. */
const char *bt_job_path(const BtJob *self);

/* Whether a further source may be opened and read ahead; and that. */
bool bt_jobs_may_read_ahead(const BtBatch *self);
void bt_jobs_read_ahead(BtBatch *self);

/* Gives every idle worker a picture. False when the batch cannot go on. */
BT_MUST_CHECK bool bt_jobs_start(BtBatch *self, GError **error);

/* What a picture in work has come to. Frees the job. False when the batch cannot go on. */
BT_MUST_CHECK bool bt_jobs_finish(BtBatch *self, BtJob *job, const BtOutcome *outcome,
                                  GError **error);

#endif
