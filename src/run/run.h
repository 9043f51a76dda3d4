/* SPDX-License-Identifier: MIT */
/*
 * One batch: scan, decode, publish, report. Supervisor. run.c tells it from top to bottom.
 *
 * Sources that were found wait in a window of bounded size, from which the largest file goes first,
 * so that no giant is left for the end; a full window stops the scan, so memory does not grow with
 * the folder, but for some 30 bytes a name. The next few are opened and read ahead; their results
 * are looked at once more then, for another run may have made them. A worker writes into memory;
 * after a valid answer that is sealed, copied and published. A source whose change time or size
 * moved since it was opened is done again, once.
 *
 * A picture that takes more memory than one worker may have waits until the others are done, and
 * has what is meant for all workers to itself then; one that takes even more fails undecoded.
 *
 * SIGINT, SIGTERM and SIGHUP, unless they were ignored at the start, end the batch at once: workers
 * are killed, and what was published stays. With a time of grace the first SIGTERM lets the
 * pictures in work be finished. SIGUSR1 has a table of the workers printed.
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

typedef enum BtRunMode {
    BT_RUN_PROCESS,
    BT_RUN_PLAN,   /* says what would be done, and does nothing */
    BT_RUN_VERIFY, /* checks that each source has a fresh result that can be decoded wholly */
} BtRunMode;

typedef struct BtRunOptions {
    BtRunMode mode;
    const char *version;      /* of the program, for its report */
    const char *const *paths; /* NULL-terminated, at least one where there is no list */
    BtScanOptions scan;       /* of what is found below them */
    const char *list;         /* file of further ones, "-": standard input; NULL: none */
    char separator;           /* between those, '\n' or '\0' */
    const char *output;       /* folder of the results */
    BtNaming naming;          /* of the results */
    BtFormat format;          /* of all results; NONE: their sources', as far as possible, but: */
    bool keeps_heic;          /* else HEIC becomes JPEG, which every browser shows */
    int n_jobs;               /* workers at most; 0: everything in this process, without forking */
    bool jobs_given;          /* else fewer will do where limits do not allow so many */
    uint64_t limit_ns;        /* per picture; 0: none. Not in force without workers. */
    uint64_t grace_ns;        /* after SIGTERM, for the pictures that are in work */
    bool isolate;             /* a new worker for each picture */
    BtSandboxMode sandbox;    /* of workers */
    uint64_t memory;          /* bytes that each worker may have; 0: no limit */
    uint64_t max_file_size;   /* bytes; a larger source fails; 0: none is */
    bool force;               /* nothing is fresh, and foreign files are replaced */
    bool prune;               /* results whose source is gone are removed */
    bool durable;             /* each result is on the disk when it is counted */
    BtGallery *gallery;       /* written into the output folder at the end; lent, or NULL */
    BtImageSettings image;    /* `cancelled` is set by the run */
} BtRunOptions;

/* How a batch has ended. */
typedef struct BtRunEnd {
    int signal; /* that ended it at once, or 0; SIGPIPE where nobody reads what it prints */
    bool again; /* a later run may do what this one has left: the disk was full, workers were killed
                   or could not be started, or it was asked to stop and had the time to finish what
                   it was at */
} BtRunEnd;

/* The path of a result, as shown. Owned (g_free). */
char *bt_run_result_path(const BtRunOptions *options, const char *name);

/* Whether the run meets all sources below the folders that it is given. */
bool bt_run_sees_all(const BtRunOptions *options);

/* Writes options->gallery into the output folder; a plan only sees whether it could. BT_ERROR_TAKEN
 * where a page that is not ours has its name. */
BT_MUST_CHECK bool bt_run_publish_gallery(const BtRunOptions *options, GError **error);

/* Runs the batch and tells the report all about it, its summary included. No other thread may
 * exist. False when the batch could not run, or not go on (exit 3, or 75 where `again`). out_end is
 * always written. */
BT_MUST_CHECK bool bt_run(const BtRunOptions *options, BtReport *report, BtRunEnd *out_end,
                          GError **error);

#endif
