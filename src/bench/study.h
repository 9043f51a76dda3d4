/* SPDX-License-Identifier: MIT */
/*
 * Rows, which are commands, measured in turns. Supervisor.
 *
 *   BtStudy *study = bt_study_new(&options);
 *   bt_study_run(study, signal_fd, &error);
 *   bt_row_seconds(row) ... bt_row_ratio(study, row)      what came out
 *
 * A round is A B C ..., so that what else the machine does meets all rows alike. The first round
 * counts for nothing: it fills the cache of files, and memory is watched in it. Then come at least
 * n_rounds, and more (ROUNDS_MAX in all) until each row has run for `seconds` in sum.
 *
 * Each run gets an empty folder for its results, which is removed afterwards. A row whose command
 * fails is left out from there on, and has no figures; pictures that fail are no failure of a row.
 */
#ifndef BT_BENCH_STUDY_H
#define BT_BENCH_STUDY_H

#include "bench/machine.h"
#include "bench/statistics.h"
#include "bench/tally.h"

#include <stddef.h>
#include <stdint.h>

typedef struct BtOther {
    char *name, *command; /* {in}, {out} and {jobs} in it are replaced; for a shell */
} BtOther;

typedef struct BtStudyOptions {
    const char *blurthumb; /* the program */
    char **paths;          /* NULL-terminated, at least one */
    char **passed;         /* further options of blurthumb, NULL-terminated */
    const int *jobs;       /* rising */
    size_t n_jobs;         /* at least one */
    const BtOther *others;
    size_t n_others;
    int n_rounds;
    double seconds;
    bool cold;           /* sources are not in memory when a run begins */
    bool quiet;          /* no word on standard error meanwhile */
    const char *scratch; /* where the folder of results is made */
} BtStudyOptions;

typedef enum BtRowKind {
    BT_ROW_SERIAL,
    BT_ROW_WORKERS,
    BT_ROW_OTHER
} BtRowKind;

typedef struct BtSample {
    double wall_seconds, cpu_seconds;
    uint64_t largest_bytes, read_bytes;
    BtTally tally; /* zero in others' rows */
} BtSample;

typedef struct BtRow {
    BtRowKind kind;
    char *name;
    int n_workers;
    char **argv;
    char *failure;           /* why it has no figures; NULL: it has */
    GArray *samples;         /* of BtSample, one a round */
    uint64_t together_bytes; /* the most of all processes at once */
    int n_processes;         /* the most at once */
    size_t n_results;        /* files that it left */
} BtRow;

typedef struct BtStudy {
    const BtStudyOptions *options;
    GPtrArray *rows; /* of BtRow: serial, workers in rising order, others */
    size_t n_rounds; /* that counted */
    BtMachine machine;
    char *version;       /* what blurthumb says of itself */
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

/* Whether a row's command failed. */
bool bt_study_has_failure(const BtStudy *self);

/* One figure of each sample of a row that did not fail. */
typedef double (*BtFigure)(const BtSample *sample);
double bt_figure_wall(const BtSample *sample);
double bt_figure_cpu(const BtSample *sample);
double bt_figure_elapsed(const BtSample *sample);
double bt_figure_decode(const BtSample *sample);
double bt_figure_kernel(const BtSample *sample);
double bt_figure_encode(const BtSample *sample);
double bt_figure_busy(const BtSample *sample);
double bt_figure_waiting(const BtSample *sample);
double bt_figure_longest(const BtSample *sample);
double bt_figure_largest(const BtSample *sample);
double bt_figure_read(const BtSample *sample);

/* Samples as numbers. Owned (g_free). */
double *bt_row_numbers(const BtRow *row, BtFigure figure);
double bt_row_median(const BtRow *row, BtFigure figure);
BtSpread bt_row_spread(const BtRow *row, BtFigure figure);

/* The figure of `above` over that of `below`, round by round. */
BtInterval bt_row_ratio(const BtRow *above, const BtRow *below, BtFigure figure);

/* The last sample's counts: they are the same in all. */
const BtTally *bt_row_tally(const BtRow *row);

#endif
