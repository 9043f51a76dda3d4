/* SPDX-License-Identifier: MIT */
/*
 * The command line of blurthumb. Supervisor, before anything else runs.
 *
 * One table in options.c holds every option with its group, argument, default and help: parsing,
 * --help and the checks of the manual all come from it.
 */
#ifndef BT_CLI_OPTIONS_H
#define BT_CLI_OPTIONS_H

#include "report/report.h"
#include "run/run.h"

typedef enum BtCommand {
    BT_COMMAND_RUN,
    BT_COMMAND_MERGE, /* of the reports that run.paths are */
    BT_COMMAND_HELP,
    BT_COMMAND_VERSION
} BtCommand;

typedef struct BtOptions {
    BtCommand command;
    BtRunOptions run; /* paths point into argv */
    BtReportOptions report;
    BtRules *rules;     /* of run.scan; owned, or NULL */
    char *shard_origin; /* where --shard auto has found it; owned, or NULL */
    int n_paths;        /* that were given */
    uint64_t given;     /* a bit for each option that was given */
    bool gallery;       /* one is to be made */
} BtOptions;

/* Reads argv (which is reordered: options first). False with one sentence in *error when something
 * is wrong with it (exit 2). */
BT_MUST_CHECK bool bt_options_parse(int argc, char **argv, BtOptions *out_options, GError **error);

/* Frees what is owned, in options that were parsed. */
void bt_options_clear(BtOptions *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BtOptions, bt_options_clear)

/* The text of --help. Owned (g_free). */
char *bt_options_help(void);

#endif
