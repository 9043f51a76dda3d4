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
 * what was published stays. With a time of grace the first SIGTERM lets the pictures in work be
 * finished. SIGUSR1 has the workers told.
 */
#ifndef BT_RUN_RUN_H
#define BT_RUN_RUN_H

#include "base/error.h"
#include "image/image.h"
#include "report/report.h"
#include "sandbox/sandbox.h"
#include "scan/scan.h"
#include "store/naming.h"

#include <stdint.h>

typedef enum BtRunTask {
    BT_RUN_PROCESS,
    BT_RUN_PLAN,   /* tells what would be done, and does nothing */
    BT_RUN_VERIFY, /* sees whether each source has a fresh result that can be decoded wholly */
} BtRunTask;

typedef struct BtRunOptions {
    BtRunTask task;
    const char *version;      /* of the program, for its report */
    const char *const *paths; /* NULL-terminated, at least one where there is no list */
    BtScanOptions scan;       /* of what is found below them */
    const char *list;         /* file of further ones, "-": standard input; NULL: none */
    char separator;           /* between those, '\n' or '\0' */
    const char *output;       /* folder of the results */
    BtNaming naming;          /* of the results */
    BtFormat format;          /* of all results; NONE: their sources', as far as possible */
    int n_jobs;               /* workers at most; 0: everything in this process, without forking */
    uint64_t limit_ns;        /* per picture; 0: none. Not in force without workers. */
    uint64_t grace_ns;        /* after SIGTERM, for the pictures that are in work */
    bool isolate;             /* a new worker for each picture */
    BtSandboxMode sandbox;    /* of workers */
    uint64_t memory;          /* bytes that each worker may have; 0: no limit */
    uint64_t max_file_size;   /* bytes; a larger source fails; 0: none is */
    bool force;               /* nothing is fresh */
    bool durable;             /* each result is on the disk when it is counted */
    bool keep_dates;          /* results show their sources' times */
    BtGallery *gallery;       /* written into the output folder at the end; lent, or NULL */
    BtImageSettings image;    /* `cancelled` is set by the run */
} BtRunOptions;

/* How a batch has ended. */
typedef struct BtRunEnd {
    int signal; /* that ended it at once, or 0 */
    bool
        again; /* a later run may well do what this one has left: the disk was full, workers kept
                  being killed, or it was asked to stop and had the time to finish what it was at */
} BtRunEnd;

/* Writes options->gallery into the output folder, which must be there. */
BT_MUST_CHECK bool bt_run_publish_gallery(const BtRunOptions *options, GError **error);

/* Runs the batch and tells the report all about it, its summary included. No other thread may
 * exist. False when the batch could not run, or not go on (exit 3, or 75 where `again`). out_end is
 * always written. */
BT_MUST_CHECK bool bt_run(const BtRunOptions *options, BtReport *report, BtRunEnd *out_end,
                          GError **error);

#endif
