/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include "base/clock.h"
#include "base/human.h"

#include <inttypes.h>

struct BtReport {
    FILE *out, *err;
    BtReportLevel level;
    BtReportCounts counts;
};

BtReport *
bt_report_new(FILE *out, FILE *err, BtReportLevel level)
{
    BtReport *self = g_new0(BtReport, 1);

    self->out = out;
    self->err = err;
    self->level = level;
    return self;
}

void
bt_report_free(BtReport *self)
{
    g_free(self);
}

void
bt_report_processed(BtReport *self, const char *name, uint64_t n_pixels)
{
    self->counts.n_processed++;
    self->counts.n_pixels += n_pixels;
    if (self->level >= BT_REPORT_VERBOSE) {
        g_autofree char *text = bt_human_text(name);

        fprintf(self->out, "%s was processed...\n", text);
    }
}

void
bt_report_skipped(BtReport *self, const char *name, const char *why)
{
    self->counts.n_skipped++;
    if (self->level >= BT_REPORT_VERBOSE) {
        g_autofree char *text = bt_human_text(name);

        fprintf(self->out, "%s was skipped: %s\n", text, why);
    }
}

void
bt_report_failed(BtReport *self, const char *name, const char *reason)
{
    g_autofree char *who = name != NULL ? bt_human_text(name) : NULL;
    g_autofree char *why = bt_human_text(reason);

    self->counts.n_failed++;
    fflush(self->out);
    fprintf(self->err, "blurthumb: %s%s%s\n", who != NULL ? who : "", who != NULL ? ": " : "", why);
}

void
bt_report_ignored(BtReport *self, uint64_t n_ignored)
{
    self->counts.n_ignored = n_ignored;
}

void
bt_report_notice(BtReport *self, const char *sentence)
{
    g_autofree char *text = bt_human_text(sentence);

    fflush(self->out);
    fprintf(self->err, "blurthumb: %s\n", text);
}

BtReportCounts
bt_report_counts(const BtReport *self)
{
    return self->counts;
}

void
bt_report_summary(BtReport *self, int n_workers, uint64_t elapsed_ns)
{
    const BtReportCounts *counts = &self->counts;
    double seconds = MAX(1e-9, (double)elapsed_ns / (double)BT_NS_PER_S);
    g_autofree char *pictures = bt_human_figure((double)counts->n_processed / seconds);
    g_autofree char *megapixels = bt_human_figure((double)counts->n_pixels / 1e6 / seconds);
    g_autofree char *ignored = NULL, *workers = NULL;

    if (self->level < BT_REPORT_NORMAL)
        return;
    ignored = counts->n_ignored > 0 ? g_strdup_printf(", %" PRIu64 " ignored", counts->n_ignored)
                                    : g_strdup("");
    workers = n_workers == BT_REPORT_SERIAL
                  ? g_strdup("serial")
                  : g_strdup_printf("%d worker%s", n_workers, n_workers == 1 ? "" : "s");
    fprintf(self->out,
            "%" PRIu64 " processed, %" PRIu64 " skipped, %" PRIu64
            " failed%s in %.2f seconds (%s pictures/s, %s MP/s, %s)\n",
            counts->n_processed, counts->n_skipped, counts->n_failed, ignored, seconds, pictures,
            megapixels, workers);
    fflush(self->out);
}
