/* SPDX-License-Identifier: MIT */
/*
 * What a batch tells people. Supervisor. The only room that prints, and the place where text is
 * made safe: names and reasons may hold any bytes, and come out as bt_human_text().
 *
 *   g_autoptr(BtReport) report = bt_report_new(stdout, stderr, BT_REPORT_NORMAL);
 *   bt_report_processed(report, name, pixels);    one call per event, counted and told
 *   bt_report_summary(report, n_workers, elapsed_ns);
 *
 * Failures go to `err` as "blurthumb: NAME: REASON" and are told at every level; everything else
 * goes to `out`.
 */
#ifndef BT_REPORT_REPORT_H
#define BT_REPORT_REPORT_H

#include <glib.h>
#include <stdint.h>
#include <stdio.h>

#define BT_REPORT_SERIAL (-1)

typedef enum BtReportLevel {
    BT_REPORT_QUIET,   /* failures only */
    BT_REPORT_NORMAL,  /* and the summary */
    BT_REPORT_VERBOSE, /* and a line for each picture */
} BtReportLevel;

typedef struct BtReportCounts {
    uint64_t n_processed;
    uint64_t n_skipped;
    uint64_t n_failed;
    uint64_t n_ignored;
    uint64_t n_pixels; /* of the sources that were processed, at full size */
} BtReportCounts;

typedef struct BtReport BtReport;

/* The streams are lent. */
BtReport *bt_report_new(FILE *out, FILE *err, BtReportLevel level);
void bt_report_free(BtReport *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtReport, bt_report_free)

void bt_report_processed(BtReport *self, const char *name, uint64_t n_pixels);
void bt_report_skipped(BtReport *self, const char *name, const char *why);

/* name NULL: the reason names what it is about. */
void bt_report_failed(BtReport *self, const char *name, const char *reason);

/* How many files were no pictures: the total so far. */
void bt_report_ignored(BtReport *self, uint64_t n_ignored);

/* A sentence about the whole batch, to `err`. */
void bt_report_notice(BtReport *self, const char *sentence);

BtReportCounts bt_report_counts(const BtReport *self);

/* "14 processed, 2 skipped, 1 failed in 0.41 seconds (34 pictures/s, 470 MP/s, 2 workers)". Rates
 * are of processed pictures. n_workers BT_REPORT_SERIAL says "serial" instead. Files that were
 * ignored are added to the counts where there are any. */
void bt_report_summary(BtReport *self, int n_workers, uint64_t elapsed_ns);

#endif
