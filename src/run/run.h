/* SPDX-License-Identifier: MIT */
/*
 * One batch: scan, open, submit, publish, report. Supervisor.
 *
 * Sources that were found wait in a window of bounded size, from which the largest file goes first,
 * so that no giant is left for the end; a full window stops the scan, so memory does not grow with
 * the folder. Fresh results are skipped as they are found. A picture's source is opened when it is
 * among the next, as many as there are workers, and is read ahead from then on; its target is made
 * when a worker is free for it; its result gets its name after a valid outcome only. A source whose
 * change time or size moved since it was opened is done again, once.
 *
 * Scan and read-ahead go on in pieces of less than a millisecond, files and folders that are slow
 * to answer excepted, so that no worker waits for them.
 *
 * A picture that takes more memory than one worker may have waits until the others are done, and
 * has what is meant for all workers to itself then; one that takes even more fails undecoded.
 *
 * SIGINT, SIGTERM and SIGHUP end the batch at once: workers are killed, unfinished targets vanish,
 * what was published stays.
 */
#ifndef BT_RUN_RUN_H
#define BT_RUN_RUN_H

#include "base/error.h"
#include "image/image.h"
#include "report/report.h"
#include "sandbox/sandbox.h"

#include <stdint.h>

typedef struct BtRunOptions {
    const char *const *paths; /* NULL-terminated, at least one */
    const char *output;       /* folder of the results */
    int n_jobs;               /* workers at most; 0: everything in this process, without forking */
    uint64_t limit_ns;        /* per picture; 0: none. Not in force without workers. */
    bool isolate;             /* a new worker for each picture */
    BtSandboxMode sandbox;    /* of workers */
    uint64_t memory;          /* bytes that each worker may have; 0: no limit */
    uint64_t max_file_size;   /* bytes; a larger source fails; 0: none is */
    bool force;               /* nothing is fresh */
    bool durable;             /* each result is on the disk when it is counted */
    BtImageSettings image;    /* `cancelled` is set by the run */
} BtRunOptions;

/* Runs the batch and tells the report all about it, its summary included. No other thread may
 * exist. False when the batch could not run, or not go on (exit
 * 3). *out_signal is the signal that ended it, or 0. */
BT_MUST_CHECK bool bt_run(const BtRunOptions *options, BtReport *report, int *out_signal,
                          GError **error);

#endif
