/* SPDX-License-Identifier: MIT */
/*
 * The command line of blurthumb-bench. Supervisor, before anything else runs.
 *
 * One table in bench_options.c holds every option: parsing, --help and the check of the manual all
 * come from it.
 */
#ifndef BT_BENCH_BENCH_OPTIONS_H
#define BT_BENCH_BENCH_OPTIONS_H

#include "bench/sleep.h"
#include "bench/study.h"

typedef enum BtBenchCommand {
    BT_BENCH_STUDY,
    BT_BENCH_SLEEP,
    BT_BENCH_NOOP,
    BT_BENCH_HELP,
    BT_BENCH_VERSION
} BtBenchCommand;

typedef enum BtBenchForm {
    BT_BENCH_TEXT,
    BT_BENCH_MARKDOWN,
    BT_BENCH_JSON,
    BT_BENCH_CSV
} BtBenchForm;

typedef struct BtBenchOptions {
    BtBenchCommand command;
    BtBenchForm form;
    const char *html;     /* file of a page; NULL: none */
    BtStudyOptions study; /* blurthumb NULL: not given */
    size_t n_noop;
    GArray *sleeps; /* of double */
    bool ways[BT_SLEEP_WAYS];
    bool jobs_given;
    GArray *jobs, *others; /* what study points into */
} BtBenchOptions;

/* Reads argv (which is reordered). What stands behind "--" is for blurthumb. False with one
 * sentence when something is wrong with it (exit 2); out_options is to be cleared in any case. */
BT_MUST_CHECK bool bt_bench_options_parse(int argc, char **argv, BtBenchOptions *out_options,
                                          GError **error);
void bt_bench_options_clear(BtBenchOptions *self);

/* The text of --help. Owned (g_free). */
char *bt_bench_options_help(void);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BtBenchOptions, bt_bench_options_clear)

#endif
