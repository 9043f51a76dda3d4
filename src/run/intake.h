/* SPDX-License-Identifier: MIT */
/*
 * What comes before work: a step of the scan, and whether what it found is to be done. Supervisor.
 * Inside the room only.
 *
 * A source goes into the window when it is to be done; else it is reported: it fails when its
 * result's name is another's, is skipped when its result is fresh, is planned by a dry run. A batch
 * that verifies takes those whose result is fresh, and fails the others.
 */
#ifndef BT_RUN_INTAKE_H
#define BT_RUN_INTAKE_H

#include "run/batch.h"

/* One step. False when the batch cannot go on. */
BT_MUST_CHECK bool bt_intake_step(BtBatch *self, GError **error);

/* The format of a source's result, known from its name; NONE where the worker chooses between JPEG
 * and PNG. */
BtFormat bt_intake_format(const BtBatch *self, const BtSource *source);

/* The name of a source's result in this format; NULL with a sentence where it has none. Owned. */
char *bt_intake_name(const BtBatch *self, const BtSource *source, BtFormat format, GError **error);

/* The name of the source's result if it is fresh, else NULL. Owned. */
char *bt_intake_fresh(const BtBatch *self, const BtSource *source);

#endif
