/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include "base/clock.h"
#include "base/human.h"
#include "report/events.h"
#include "report/kinds.h"
#include "report/progress.h"
#include "report/terminal.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define FIRST_DRAW_NS (100 * BT_NS_PER_MS)
#define DRAW_NS       (100 * BT_NS_PER_MS)
#define PLAIN_NS      (10 * BT_NS_PER_S) /* from one line to the next where none is drawn again */
#define PLAIN_COLUMNS 100

/* A picture in work. */
typedef struct Work {
    char *path;
    uint64_t bytes;
} Work;

struct BtReport {
    BtReportOptions options;
    BtReportCounts counts;
    BtKinds *ignored;
    BtProgress *progress; /* NULL: none is shown */
    BtTerminal *terminal; /* NULL: where it is, plain lines are */
    BtProgressFigures figures;
    GArray *works; /* of Work */
    uint64_t next_ns;
    bool coloured;
    bool out_is_terminal;
};

static void
clear_work(gpointer data)
{
    Work *work = data;

    g_free(work->path);
}

static uint64_t
now_ns(const BtReport *self)
{
    return self->options.now_ns != NULL ? self->options.now_ns() : bt_clock_now_ns();
}

/* Prints a line to people, above the live one. */
static void G_GNUC_PRINTF(3, 4) say(BtReport *self, FILE *stream, const char *format, ...)
{
    bool beside = stream == self->options.err || self->out_is_terminal;
    va_list args;

    if (beside)
        bt_terminal_hide(self->terminal);
    if (stream == self->options.err)
        fflush(self->options.out);
    va_start(args, format);
    vfprintf(stream, format, args);
    va_end(args);
    if (beside && self->terminal != NULL) {
        fflush(stream);
        bt_terminal_show(self->terminal);
    }
}

static bool
tells_text(const BtReport *self, BtReportLevel level)
{
    return !self->options.json && self->options.level >= level;
}

static void
start_progress(BtReport *self)
{
    const BtReportOptions *options = &self->options;
    bool can_draw = bt_terminal_can_draw(options->err);
    const char *no_colour = g_getenv("NO_COLOR");

    if (options->progress == BT_REPORT_PROGRESS_NEVER ||
        (options->progress == BT_REPORT_PROGRESS_AUTO &&
         (!can_draw || options->json || options->level == BT_REPORT_QUIET)))
        return;
    self->progress = bt_progress_new(now_ns(self));
    self->next_ns = now_ns(self) + (can_draw ? FIRST_DRAW_NS : PLAIN_NS);
    self->coloured = can_draw && (no_colour == NULL || *no_colour == '\0');
    if (can_draw)
        self->terminal = bt_terminal_new(options->err);
}

BtReport *
bt_report_new(const BtReportOptions *options)
{
    BtReport *self = g_new0(BtReport, 1);

    self->options = *options;
    self->ignored = bt_kinds_new();
    self->works = g_array_new(FALSE, FALSE, sizeof(Work));
    g_array_set_clear_func(self->works, clear_work);
    self->out_is_terminal = fileno(options->out) >= 0 && isatty(fileno(options->out));
    start_progress(self);
    return self;
}

void
bt_report_free(BtReport *self)
{
    if (self == NULL)
        return;
    bt_terminal_free(self->terminal);
    bt_progress_free(self->progress);
    bt_kinds_free(self->ignored);
    g_array_unref(self->works);
    g_free(self);
}

void
bt_report_start(BtReport *self, const BtReportStart *start)
{
    if (self->options.json)
        bt_events_start(self->options.out, start);
}

void
bt_report_found(BtReport *self, uint64_t bytes)
{
    self->figures.n_found++;
    self->figures.bytes_found += bytes;
}

void
bt_report_scanned(BtReport *self)
{
    self->figures.scanned = true;
}

static void
find_largest(BtReport *self)
{
    self->figures.largest = NULL;
    self->figures.largest_bytes = 0;
    for (guint i = 0; i < self->works->len; i++) {
        const Work *work = &g_array_index(self->works, Work, i);

        if (self->figures.largest == NULL || work->bytes > self->figures.largest_bytes) {
            self->figures.largest = work->path;
            self->figures.largest_bytes = work->bytes;
        }
    }
}

void
bt_report_began(BtReport *self, const char *path, uint64_t bytes)
{
    Work work = {.bytes = bytes};

    if (self->progress == NULL)
        return;
    work.path = g_strdup(path);
    g_array_append_val(self->works, work);
    find_largest(self);
}

/* Takes a picture out of those in work; false when it was in none. */
static bool
end_work(BtReport *self, const char *path, uint64_t *out_bytes)
{
    for (guint i = 0; i < self->works->len && path != NULL; i++) {
        const Work *work = &g_array_index(self->works, Work, i);

        if (strcmp(work->path, path) == 0) {
            *out_bytes = work->bytes;
            g_array_remove_index_fast(self->works, i);
            find_largest(self);
            return true;
        }
    }
    return false;
}

void
bt_report_dropped(BtReport *self, const char *path)
{
    uint64_t bytes;

    (void)end_work(self, path, &bytes);
}

static void
count_done(BtReport *self, const char *path)
{
    uint64_t bytes;

    if (end_work(self, path, &bytes)) {
        self->figures.n_done++;
        self->figures.bytes_done += bytes;
    }
}

static void
count_work(BtReportCounts *counts, const BtReportPicture *picture)
{
    counts->n_pixels += (uint64_t)picture->source_width * (uint64_t)picture->source_height;
    counts->source_bytes += picture->source_bytes;
    counts->result_bytes += picture->result_bytes;
    counts->decode_ns += picture->decode_ns;
    counts->kernel_ns += picture->kernel_ns;
    counts->encode_ns += picture->encode_ns;
}

static void
tell_done(BtReport *self, const BtReportPicture *picture, const char *done)
{
    g_autofree char *name = NULL;

    count_done(self, picture->path);
    if (self->options.gallery != NULL && picture->result != NULL)
        bt_gallery_add(self->options.gallery, picture);
    if (self->options.json)
        bt_events_picture(self->options.out, done, picture, NULL, NULL);
    if (!tells_text(self, BT_REPORT_VERBOSE))
        return;
    name = bt_human_text(picture->path);
    say(self, self->options.out, "%s was %s...\n", name, done);
}

void
bt_report_processed(BtReport *self, const BtReportPicture *picture)
{
    self->counts.n_processed++;
    self->counts.n_paged += picture->n_pages > 1;
    if (picture->left_out != NULL) {
        self->counts.n_gain_maps += strstr(picture->left_out, "gain-map") != NULL;
        self->counts.n_videos += strstr(picture->left_out, "video") != NULL;
    }
    count_work(&self->counts, picture);
    tell_done(self, picture, "processed");
}

void
bt_report_verified(BtReport *self, const BtReportPicture *picture)
{
    self->counts.n_verified++;
    count_work(&self->counts, picture);
    tell_done(self, picture, "verified");
}

void
bt_report_skipped(BtReport *self, const BtReportPicture *picture, const char *code, const char *why)
{
    g_autofree char *name = NULL;

    self->counts.n_skipped++;
    if (self->options.gallery != NULL && picture->result != NULL)
        bt_gallery_add(self->options.gallery, picture);
    if (self->options.json)
        bt_events_picture(self->options.out, "skipped", picture, code, why);
    if (!tells_text(self, BT_REPORT_VERBOSE))
        return;
    name = bt_human_text(picture->path);
    say(self, self->options.out, "%s was skipped: %s\n", name, why);
}

void
bt_report_planned(BtReport *self, const BtReportPicture *picture, const char *code, const char *why)
{
    g_autofree char *name = NULL, *result = NULL;

    self->counts.n_planned++;
    if (self->options.json)
        bt_events_picture(self->options.out, "planned", picture, code, why);
    if (!tells_text(self, BT_REPORT_NORMAL))
        return;
    name = bt_human_text(picture->path);
    result = bt_human_text(picture->result);
    say(self, self->options.out, "%s -> %s (%s)\n", name, result, why);
}

void
bt_report_orphan(BtReport *self, const char *result, bool removed)
{
    BtReportPicture picture = {.result = result};
    g_autofree char *name = bt_human_text(result);

    self->counts.n_orphans++;
    self->counts.n_removed += removed;
    if (self->options.json)
        bt_events_picture(self->options.out, removed ? "removed" : "orphan", &picture, NULL, NULL);
    if (tells_text(self, removed ? BT_REPORT_VERBOSE : BT_REPORT_NORMAL))
        say(self, self->options.out, "%s%s\n", name,
            removed ? " was removed: its source is gone" : " has no source");
}

void
bt_report_failed(BtReport *self, const BtReportPicture *picture, const char *code,
                 const char *reason)
{
    g_autofree char *who = picture->path != NULL ? bt_human_text(picture->path) : NULL;
    g_autofree char *why = bt_human_text(reason);

    self->counts.n_failed++;
    self->figures.n_failed++;
    count_done(self, picture->path);
    if (self->options.gallery != NULL)
        bt_gallery_add_failed(self->options.gallery, picture, reason);
    if (self->options.json)
        bt_events_picture(self->options.out, "failed", picture, code, reason);
    say(self, self->options.err, "blurthumb: %s%s%s\n", who != NULL ? who : "",
        who != NULL ? ": " : "", why);
}

void
bt_report_ignored(BtReport *self, const char *path, bool is_folder, const char *why)
{
    g_autofree char *kind = bt_kinds_of(path, is_folder), *name = NULL;

    bt_report_add_ignored(self, kind, 1);
    if (!tells_text(self, BT_REPORT_VERBOSE))
        return;
    name = bt_human_text(path);
    say(self, self->options.out, "%s was ignored: %s\n", name, why);
}

void
bt_report_add_ignored(BtReport *self, const char *kind, uint64_t n)
{
    bt_kinds_add(self->ignored, kind, n);
    if (self->options.gallery != NULL)
        bt_gallery_add_ignored(self->options.gallery, kind, n);
}

void
bt_report_notice(BtReport *self, const char *sentence)
{
    g_autofree char *text = bt_human_text(sentence);

    if (self->options.json)
        bt_events_notice(self->options.out, sentence);
    say(self, self->options.err, "blurthumb: %s\n", text);
}

void
bt_report_workers(BtReport *self, const BtReportWorker *workers, int n)
{
    g_autoptr(GString) table = g_string_new(NULL);

    g_string_append_printf(table, "%-16s %8s  %-9s %9s  %s\n", "WORKER", "PID", "STATE", "SECONDS",
                           "FILE");
    for (int i = 0; i < n; i++) {
        const BtReportWorker *worker = &workers[i];
        g_autofree char *path = worker->path != NULL ? bt_human_text(worker->path) : g_strdup("-");

        g_string_append_printf(table, "%-16s %8ld  %-9s %9.1f  %s\n", worker->name,
                               (long)worker->pid, worker->state,
                               (double)worker->for_ns / (double)BT_NS_PER_S, path);
        if (self->options.json)
            bt_events_worker(self->options.out, worker);
    }
    say(self, self->options.err, "%s", table->str);
}

static void
show_progress(BtReport *self, uint64_t time_ns)
{
    int columns = self->terminal != NULL ? bt_terminal_columns(self->terminal) : PLAIN_COLUMNS;
    g_autofree char *text =
        bt_progress_text(self->progress, &self->figures, time_ns, columns, self->coloured);

    if (self->terminal != NULL)
        bt_terminal_draw(self->terminal, text);
    else
        say(self, self->options.err, "%s\n", text);
}

uint64_t
bt_report_tick(BtReport *self)
{
    uint64_t time_ns;

    if (self->progress == NULL)
        return BT_REPORT_NEVER;
    time_ns = now_ns(self);
    if (time_ns >= self->next_ns) {
        show_progress(self, time_ns);
        self->next_ns = time_ns + (self->terminal != NULL ? DRAW_NS : PLAIN_NS);
    }
    return self->next_ns - time_ns;
}

BtReportCounts
bt_report_counts(const BtReport *self)
{
    return self->counts;
}

bool
bt_report_is_deaf(const BtReport *self)
{
    struct pollfd out = {.fd = fileno(self->options.out)};

    return self->options.lists && ferror(self->options.out) && poll(&out, 1, 0) > 0 &&
           (out.revents & POLLERR) != 0;
}

/* ", 7 ignored", or nothing. */
static char *
count_text(uint64_t count, const char *word)
{
    return count > 0 ? g_strdup_printf(", %" PRIu64 " %s", count, word) : g_strdup("");
}

/* ", 12 gain maps left out", or nothing. */
static char *
count_left_out(uint64_t count, const char *word)
{
    g_autofree char *words = g_strdup_printf("%s%s left out", word, count == 1 ? "" : "s");

    return count_text(count, words);
}

static void
say_summary(BtReport *self, const BtReportEnd *end)
{
    const BtReportCounts *counts = &self->counts;
    uint64_t n_done = counts->n_processed + counts->n_verified;
    uint64_t n_met = n_done + counts->n_skipped + counts->n_failed + counts->n_planned;
    double seconds = MAX(1e-9, (double)end->elapsed_ns / (double)BT_NS_PER_S);
    g_autofree char *pictures = bt_human_figure((double)n_done / seconds);
    g_autofree char *megapixels = bt_human_figure((double)counts->n_pixels / 1e6 / seconds);
    g_autofree char *verified =
        count_text(self->options.verifies ? 0 : counts->n_verified, "verified");
    g_autofree char *planned = count_text(counts->n_planned, "to do");
    g_autofree char *orphans =
        count_text(counts->n_orphans - counts->n_removed, "without a source");
    g_autofree char *removed = count_text(counts->n_removed, "removed");
    g_autofree char *kinds = bt_kinds_text(self->ignored);
    g_autofree char *ignored = g_strconcat(*kinds != '\0' ? ", " : "", kinds, NULL);
    g_autofree char *paged = count_text(counts->n_paged, "reduced to their first page");
    g_autofree char *gain_maps = count_left_out(counts->n_gain_maps, "gain map");
    g_autofree char *videos = count_left_out(counts->n_videos, "motion trailer");
    g_autofree char *workers =
        end->n_workers == BT_REPORT_SERIAL
            ? g_strdup("serial")
            : g_strdup_printf("%d worker%s", end->n_workers, end->n_workers == 1 ? "" : "s");
    g_autofree char *output =
        self->options.output != NULL ? bt_human_text(self->options.output) : NULL;

    if (n_met == 0 && end->signal == 0 && end->error == NULL) {
        say(self, self->options.out, "no pictures found%s%s%s\n", ignored, orphans, removed);
        return;
    }
    say(self, self->options.out,
        "%" PRIu64 " %s, %" PRIu64 " skipped, %" PRIu64
        " failed%s%s%s%s%s%s%s%s in %.2f seconds (%s pictures/s, %s MP/s, %s)%s%s\n",
        self->options.verifies ? counts->n_verified : counts->n_processed,
        self->options.verifies ? "verified" : "processed", counts->n_skipped, counts->n_failed,
        verified, planned, orphans, removed, ignored, paged, gain_maps, videos, seconds, pictures,
        megapixels, workers, counts->n_processed > 0 && output != NULL ? "; results are in " : "",
        counts->n_processed > 0 && output != NULL ? output : "");
}

void
bt_report_summary(BtReport *self, const BtReportEnd *end)
{
    bt_terminal_free(g_steal_pointer(&self->terminal));
    g_clear_pointer(&self->progress, bt_progress_free);
    if (self->options.json)
        bt_events_end(self->options.out, end, &self->counts, self->ignored);
    else if (self->options.level >= BT_REPORT_NORMAL)
        say_summary(self, end);
    fflush(self->options.out);
}
