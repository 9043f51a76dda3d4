/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include "base/clock.h"
#include "base/human.h"

#include <inttypes.h>

struct BtReport {
    BtReportOptions options;
    BtReportCounts counts;
};

BtReport *
bt_report_new(const BtReportOptions *options)
{
    BtReport *self = g_new0(BtReport, 1);

    self->options = *options;
    return self;
}

void
bt_report_free(BtReport *self)
{
    g_free(self);
}

void
bt_report_start(BtReport *self, const BtReportStart *start)
{
    (void)self;
    (void)start;
}

void
bt_report_found(BtReport *self, uint64_t bytes)
{
    (void)self;
    (void)bytes;
}

void
bt_report_scanned(BtReport *self)
{
    (void)self;
}

void
bt_report_began(BtReport *self, const char *path, uint64_t bytes)
{
    (void)self;
    (void)path;
    (void)bytes;
}

void
bt_report_dropped(BtReport *self, const char *path)
{
    (void)self;
    (void)path;
}

/* A line about one picture. */
static void
tell(BtReport *self, const char *path, const char *what, const char *why)
{
    g_autofree char *name = NULL;

    if (self->options.level < BT_REPORT_VERBOSE)
        return;
    name = bt_human_text(path);
    fprintf(self->options.out, "%s %s%s\n", name, what, why);
}

void
bt_report_processed(BtReport *self, const BtReportPicture *picture)
{
    BtReportCounts *counts = &self->counts;

    counts->n_processed++;
    counts->n_pixels += (uint64_t)picture->source_width * (uint64_t)picture->source_height;
    counts->source_bytes += picture->source_bytes;
    counts->result_bytes += picture->result_bytes;
    counts->decode_ns += picture->decode_ns;
    counts->kernel_ns += picture->kernel_ns;
    counts->encode_ns += picture->encode_ns;
    tell(self, picture->path, "was processed...", "");
}

void
bt_report_skipped(BtReport *self, const BtReportPicture *picture, const char *code, const char *why)
{
    (void)code;
    self->counts.n_skipped++;
    tell(self, picture->path, "was skipped: ", why);
}

void
bt_report_planned(BtReport *self, const BtReportPicture *picture, const char *code, const char *why)
{
    g_autofree char *name = bt_human_text(picture->path);
    g_autofree char *result = bt_human_text(picture->result);

    (void)code;
    self->counts.n_planned++;
    if (self->options.level >= BT_REPORT_NORMAL)
        fprintf(self->options.out, "%s -> %s (%s)\n", name, result, why);
}

void
bt_report_failed(BtReport *self, const BtReportPicture *picture, const char *code,
                 const char *reason)
{
    g_autofree char *who = picture->path != NULL ? bt_human_text(picture->path) : NULL;
    g_autofree char *why = bt_human_text(reason);

    (void)code;
    self->counts.n_failed++;
    fflush(self->options.out);
    fprintf(self->options.err, "blurthumb: %s%s%s\n", who != NULL ? who : "",
            who != NULL ? ": " : "", why);
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

    fflush(self->options.out);
    fprintf(self->options.err, "blurthumb: %s\n", text);
}

void
bt_report_workers(BtReport *self, const BtReportWorker *workers, int n)
{
    (void)self;
    (void)workers;
    (void)n;
}

uint64_t
bt_report_tick(BtReport *self)
{
    (void)self;
    return BT_REPORT_NEVER;
}

BtReportCounts
bt_report_counts(const BtReport *self)
{
    return self->counts;
}

void
bt_report_summary(BtReport *self, const BtReportEnd *end)
{
    const BtReportCounts *counts = &self->counts;
    double seconds = MAX(1e-9, (double)end->elapsed_ns / (double)BT_NS_PER_S);
    g_autofree char *pictures = bt_human_figure((double)counts->n_processed / seconds);
    g_autofree char *megapixels = bt_human_figure((double)counts->n_pixels / 1e6 / seconds);
    g_autofree char *ignored = NULL, *planned = NULL, *workers = NULL;

    if (self->options.level < BT_REPORT_NORMAL)
        return;
    planned = counts->n_planned > 0 ? g_strdup_printf(", %" PRIu64 " to do", counts->n_planned)
                                    : g_strdup("");
    ignored = counts->n_ignored > 0 ? g_strdup_printf(", %" PRIu64 " ignored", counts->n_ignored)
                                    : g_strdup("");
    workers = end->n_workers == BT_REPORT_SERIAL
                  ? g_strdup("serial")
                  : g_strdup_printf("%d worker%s", end->n_workers, end->n_workers == 1 ? "" : "s");
    fprintf(self->options.out,
            "%" PRIu64 " processed, %" PRIu64 " skipped, %" PRIu64
            " failed%s%s in %.2f seconds (%s pictures/s, %s MP/s, %s)\n",
            counts->n_processed, counts->n_skipped, counts->n_failed, planned, ignored, seconds,
            pictures, megapixels, workers);
    fflush(self->options.out);
}
