/* SPDX-License-Identifier: MIT */
/*
 * Rows, which are commands, measured in turns. Supervisor.
 *
 *   BtStudy *study = bt_study_new(&options);
 *   bt_study_run(study, signal_fd, &error);
 *   bt_row_median(row, BT_FIGURE_WALL) ...                 what came out
 *
 * A round is A B C ..., so that whatever else the machine does affects all rows alike. The first
 * round does not count: it fills the cache of files, and memory is watched in it. Then come at
 * least n_rounds, and more (ROUNDS_MAX in all) until each row has run for `seconds` in sum.
 *
 * Each run gets an empty folder for its results, which is removed afterwards. A row whose command
 * fails is left out from there on, and has no figures; a picture that fails does not fail its row.
 */
#ifndef BT_BENCH_STUDY_H
#define BT_BENCH_STUDY_H

#include "base/error.h"
#include "bench/machine.h"
#include "bench/statistics.h"

#include <stdint.h>

typedef struct BtStudyOptions {
    const char *blurthumb; /* the program */
    char **paths;          /* NULL-terminated, at least one */
    char **passed;         /* further options of blurthumb, NULL-terminated */
    GArray *jobs;          /* of int, rising, at least one */
    GPtrArray *others;     /* of "NAME=COMMAND"; {in}, {out} and {jobs} are for a shell */
    int n_rounds;
    double seconds;
    bool cold;           /* sources are not in memory when a run begins */
    bool quiet;          /* no live line on standard error */
    const char *scratch; /* where the folder of results is made */
} BtStudyOptions;

typedef enum BtRowKind {
    BT_ROW_SERIAL,
    BT_ROW_WORKERS,
    BT_ROW_OTHER
} BtRowKind;

/* Of one run. From PROCESSED on, only blurthumb reports it: 0 in rows of other programs. */
typedef enum BtFigure {
    BT_FIGURE_WALL,
    BT_FIGURE_CPU,
    BT_FIGURE_LARGEST,
    BT_FIGURE_READ,
    BT_FIGURE_PROCESSED,
    BT_FIGURE_FAILED,
    BT_FIGURE_PIXELS,
    BT_FIGURE_SOURCE,
    BT_FIGURE_DECODE,
    BT_FIGURE_KERNEL,
    BT_FIGURE_ENCODE,
    BT_FIGURE_ELAPSED, /* without the program's own start */
    BT_FIGURE_LONGEST, /* the picture that took longest */
    BT_FIGURE_USED,    /* workers that were started; 1 where serial */
    BT_FIGURE_BUSY,    /* decoding, kernel and encoding, of all workers together */
    BT_FIGURE_WAITING, /* worker-seconds of the batch in which a worker did none of these */
    BT_FIGURE_COUNT
} BtFigure;

/* Its name in JSON; in blurthumb's own last event too, where that has it. */
const char *bt_figure_name(BtFigure figure);

typedef struct BtSample {
    double of[BT_FIGURE_COUNT];
} BtSample;

typedef struct BtRow {
    BtRowKind kind;
    char *name;
    int n_workers;
    const char *command;     /* of BT_ROW_OTHER, lent */
    char *failure;           /* why it has no figures; NULL: it has */
    GArray *samples;         /* of BtSample, one a round */
    double total_seconds;    /* of these */
    uint64_t together_bytes; /* the most of all processes at once */
    int n_processes;         /* the most at once */
    size_t n_results;        /* files that it left */
} BtRow;

typedef struct BtStudy {
    const BtStudyOptions *options;
    GPtrArray *rows; /* of BtRow: serial, workers in rising order, others */
    size_t n_rounds; /* that counted */
    BtMachine machine;
    char *version;       /* that blurthumb reports */
    double others_share; /* 0 to 1 of the processors' time: taken by other programs */
    double stolen_share; /* ... and by other machines on the same hardware */
    size_t n_warm;       /* files that could not be made cold */
} BtStudy;

/* options are lent for the study's life. */
BtStudy *bt_study_new(const BtStudyOptions *options);
void bt_study_free(BtStudy *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtStudy, bt_study_free)

/* False when nothing can be measured, or it was interrupted (BT_ERROR_SYSTEM, EINTR). */
BT_MUST_CHECK bool bt_study_run(BtStudy *self, int signal_fd, GError **error);

/* The serial row and the last of workers; NULL where it failed. */
const BtRow *bt_study_serial(const BtStudy *self);
const BtRow *bt_study_most_workers(const BtStudy *self);

/* The command of a row, with `output` in the place of the folder of results. Owned (g_strfreev). */
char **bt_study_command(const BtStudy *self, const BtRow *row, const char *output);

/* What the events of blurthumb --json say, from PROCESSED on. False without a last event. */
BT_MUST_CHECK bool bt_sample_read(const char *events, BtSample *sample, GError **error);

/* Of a row that did not fail. Ratios are those of `above` over `below` in each round. */
double bt_row_median(const BtRow *row, BtFigure figure);
BtSpread bt_row_spread(const BtRow *row, BtFigure figure);
BtSpread bt_row_ratio(const BtRow *above, const BtRow *below, BtFigure figure);

#endif
