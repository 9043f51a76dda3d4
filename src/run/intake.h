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

/* The path of another source that has the name of this one's result, or NULL. Asked when the format
 * was chosen by a worker. Owned. */
char *bt_intake_rival(const BtBatch *self, const BtSource *source, const char *name);

/* The name of the source's result if it is fresh, else NULL. Owned. */
char *bt_intake_fresh(const BtBatch *self, const BtSource *source);

/* Reports that a result's name is another source's. */
void bt_intake_fail_rival(BtBatch *self, const BtSource *source, const char *name,
                          const char *rival);

#endif
