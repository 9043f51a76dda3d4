/* SPDX-License-Identifier: MIT */
#include "run/run.h"

#include "base/clock.h"
#include "run/engine.h"
#include "run/window.h"
#include "scan/scan.h"
#include "store/store.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Sources that wait: enough to put a giant first, and about a megabyte. */
#define WINDOW_LIMIT 4096

/* How long the scan goes ahead before the first picture is started: enough for a few thousand
 * files, among which the largest goes first, and too short to notice. */
#define HEAD_START_NS (5 * BT_NS_PER_MS)

typedef struct Run {
    const BtRunOptions *options;
    BtReport *report;
    BtScan *scan;
    BtStore *store;
    BtWindow *window;
    BtEngine *engine;
    GPtrArray *jobs; /* in work; owned */
    BtFd signal_fd;
    bool scanned;
} Run;

/* A source in work. */
typedef struct Job {
    BtSource *source;
    BtTarget *target;
    struct stat opened; /* the source when its descriptor was opened */
    bool again;         /* the source changed once already */
    bool prepared;      /* the worker had libvips */
} Job;

static void
job_free(gpointer job)
{
    Job *self = job;

    bt_source_free(self->source);
    bt_target_free(self->target);
    g_free(self);
}

/* The settings that decide what a result looks like. The number is that of our own processing: it
 * goes up when the same settings give another picture. */
static char *
make_key(const BtImageSettings *image)
{
    char sigma[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup_printf("blurthumb 1\nsigma %s\nsize %dx%d\nquality %d\nexact %d\nlinear %d\n",
                           g_ascii_dtostr(sigma, sizeof sigma, image->sigma), image->box_width,
                           image->box_height, image->quality, image->exact, image->linear);
}

/* The format of a source's result, known from its name; NONE where the worker chooses between JPEG
 * and PNG, and the result is called as its source with the chosen extension added. */
static BtFormat
result_format(const Run *self, const BtSource *source)
{
    return bt_image_can_write(source->format, self->options->image.allowed) ? source->format
                                                                            : BT_FORMAT_NONE;
}

static char *
result_name(const BtSource *source, BtFormat by_name, BtFormat format)
{
    return by_name != BT_FORMAT_NONE
               ? g_strdup(source->name)
               : g_strconcat(source->name, format == BT_FORMAT_PNG ? ".png" : ".jpg", NULL);
}

static void
fail_rival(Run *self, const BtSource *source, const char *name, const char *rival)
{
    g_autofree char *reason =
        g_strdup_printf("its result %s/%s belongs to %s", self->options->output, name, rival);

    bt_report_failed(self->report, source->path, reason);
}

static bool
is_fresh(Run *self, const BtSource *source)
{
    static const BtFormat chosen[] = {BT_FORMAT_JPEG, BT_FORMAT_PNG};

    if (result_format(self, source) != BT_FORMAT_NONE)
        return bt_store_look(self->store, source->name, &source->stat) == BT_STORE_FRESH;
    for (size_t i = 0; i < G_N_ELEMENTS(chosen); i++) {
        g_autofree char *name = result_name(source, BT_FORMAT_NONE, chosen[i]);
        g_autofree char *rival = NULL;

        if (bt_store_look(self->store, name, &source->stat) == BT_STORE_FRESH &&
            (rival = bt_scan_rival(self->scan, source, name)) == NULL)
            return true;
    }
    return false;
}

/* A source that was found: to be done, or not. False when the batch cannot go on. */
static bool
accept_source(Run *self, BtSource *found, GError **error)
{
    g_autoptr(BtSource) source = found;
    g_autofree char *rival = bt_scan_rival(self->scan, source, source->name);

    if (source->format != BT_FORMAT_JPEG && !bt_image_prepare(error))
        return false;
    if (rival != NULL)
        fail_rival(self, source, source->name, rival);
    else if (is_fresh(self, source))
        bt_report_skipped(self->report, source->path, "its result is up to date");
    else
        bt_window_add(self->window, g_steal_pointer(&source));
    return true;
}

/* False when the batch cannot go on. */
static bool
scan_step(Run *self, GError **error)
{
    g_autoptr(GError) problem = NULL;
    BtSource *source = NULL;

    switch (bt_scan_next(self->scan, &source, &problem)) {
    case BT_SCAN_SOURCE:
        return accept_source(self, source, error);
    case BT_SCAN_PROBLEM:
        bt_report_failed(self->report, NULL, problem->message);
        break;
    case BT_SCAN_MORE:
        break;
    case BT_SCAN_END:
        self->scanned = true;
        break;
    }
    return true;
}

/* Errors of the output folder that every further picture would meet too. */
static bool
is_fatal(const GError *error)
{
    return error->domain == BT_ERROR_SYSTEM &&
           (error->code == ENOSPC || error->code == EDQUOT || error->code == EROFS);
}

/* Reports the failure of one picture; false when it is the batch that failed. */
static bool
fail_job(Run *self, const Job *job, GError **failure, GError **error)
{
    if (is_fatal(*failure)) {
        g_propagate_error(error, g_steal_pointer(failure));
        return false;
    }
    bt_report_failed(self->report, job->source->path, (*failure)->message);
    return true;
}

/* Opens source and target and gives the picture to the engine. False when the batch cannot go on.
 */
static bool
start_job(Run *self, BtSource *source, bool again, GError **error)
{
    g_autoptr(GError) failure = NULL;
    BtFormat format = result_format(self, source);
    g_autofree char *name = result_name(source, format, BT_FORMAT_JPEG);
    g_auto(BtFd) in_fd = -1;
    Job *job = g_new0(Job, 1);

    job->source = source;
    job->again = again;
    job->prepared = bt_image_is_prepared();
    g_ptr_array_add(self->jobs, job);
    in_fd = bt_scan_open(self->scan, source, &job->opened, &failure);
    if (in_fd >= 0 && (job->target = bt_store_open(self->store, name, &failure)) != NULL)
        return bt_engine_submit(self->engine, &in_fd, bt_target_fd(job->target), format, job,
                                error);
    return fail_job(self, job, &failure, error) && g_ptr_array_remove_fast(self->jobs, job);
}

/* Whether the source is not what was opened any more: written to, replaced or gone. */
static bool
has_changed(Run *self, const Job *job)
{
    struct stat now;

    return !bt_scan_stat(self->scan, job->source, &now) || now.st_ino != job->opened.st_ino ||
           now.st_size != job->opened.st_size || now.st_ctim.tv_sec != job->opened.st_ctim.tv_sec ||
           now.st_ctim.tv_nsec != job->opened.st_ctim.tv_nsec;
}

static bool
publish(Run *self, Job *job, const BtOutcome *outcome, GError **error)
{
    g_autoptr(GError) failure = NULL;
    BtFormat by_name = result_format(self, job->source);
    g_autofree char *name = result_name(job->source, by_name, outcome->format);
    g_autofree char *rival =
        by_name == BT_FORMAT_NONE ? bt_scan_rival(self->scan, job->source, name) : NULL;

    if (rival != NULL) {
        fail_rival(self, job->source, name, rival);
        return true;
    }
    if (!bt_target_publish(job->target, name, &failure))
        return fail_job(self, job, &failure, error);
    bt_report_processed(self->report, job->source->path,
                        (uint64_t)outcome->source_width * (uint64_t)outcome->source_height);
    return true;
}

/* What one picture has come to. False when the batch cannot go on. */
static bool
settle_job(Run *self, Job *job, const BtOutcome *outcome, GError **error)
{
    if (outcome->reason == BT_REASON_CANCELLED)
        return true;
    if (has_changed(self, job)) {
        if (!job->again)
            return start_job(self, g_steal_pointer(&job->source), true, error);
        bt_report_failed(self->report, job->source->path, "it changed while it was read, twice");
        return true;
    }
    if (outcome->reason == BT_REASON_UNPREPARED && !job->prepared)
        return bt_image_prepare(error) &&
               start_job(self, g_steal_pointer(&job->source), job->again, error);
    if (outcome->reason == BT_REASON_OK)
        return publish(self, job, outcome, error);
    bt_report_failed(self->report, job->source->path, outcome->sentence);
    return true;
}

static bool
finish_job(Run *self, Job *job, const BtOutcome *outcome, GError **error)
{
    bool ok = settle_job(self, job, outcome, error);

    g_ptr_array_remove_fast(self->jobs, job);
    return ok;
}

/* The signal that asks the batch to end, or 0. */
static int
read_signal(const Run *self)
{
    struct signalfd_siginfo info;

    return read(self->signal_fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

static bool
is_signalled(void *user)
{
    const Run *self = user;
    struct pollfd signals = {.fd = self->signal_fd, .events = POLLIN};

    return poll(&signals, 1, 0) > 0;
}

static bool
scan_ahead(Run *self, GError **error)
{
    uint64_t until_ns = bt_clock_now_ns() + HEAD_START_NS;

    while (!self->scanned && !bt_window_is_full(self->window) && bt_clock_now_ns() < until_ns)
        if (!scan_step(self, error))
            return false;
    return true;
}

static bool
loop(Run *self, int *out_signal, GError **error)
{
    if (!scan_ahead(self, error))
        return false;
    for (;;) {
        BtOutcome outcome;
        bool may_scan;
        void *job;

        while (bt_engine_idle(self->engine) > 0 && !bt_window_is_empty(self->window))
            if (!start_job(self, bt_window_take(self->window), false, error))
                return false;
        may_scan = !self->scanned && !bt_window_is_full(self->window);
        if (may_scan && !scan_step(self, error))
            return false;
        switch (bt_engine_next(self->engine, may_scan ? 0 : BT_POOL_FOREVER, &job, &outcome)) {
        case BT_POOL_OUTCOME:
            if (!finish_job(self, job, &outcome, error))
                return false;
            break;
        case BT_POOL_WOKEN:
            if ((*out_signal = read_signal(self)) != 0)
                return true;
            break;
        case BT_POOL_IDLE:
            if (self->scanned && bt_window_is_empty(self->window))
                return true;
            break;
        case BT_POOL_TIMEOUT:
            break;
        }
    }
}

static bool
open_rooms(Run *self, BtImageSettings *settings, GError **error)
{
    const BtRunOptions *options = self->options;
    g_autofree char *key = make_key(&options->image);
    dev_t device;
    ino_t inode;

    self->store = bt_store_new(options->output, key, options->force, error);
    if (self->store == NULL)
        return false;
    self->scan = bt_scan_new();
    for (const char *const *path = options->paths; *path != NULL; path++)
        bt_scan_add(self->scan, *path);
    bt_store_identity(self->store, &device, &inode);
    bt_scan_skip_folder(self->scan, device, inode);
    self->window = bt_window_new(WINDOW_LIMIT);
    self->jobs = g_ptr_array_new_with_free_func(job_free);
    self->engine =
        bt_engine_new(settings, options->n_jobs, options->limit_ns, self->signal_fd, error);
    return self->engine != NULL;
}

static void
close_rooms(Run *self)
{
    bt_engine_free(self->engine);
    g_clear_pointer(&self->jobs, g_ptr_array_unref);
    bt_window_free(self->window);
    bt_scan_free(self->scan);
    bt_store_free(self->store);
}

bool
bt_run(const BtRunOptions *options, BtReport *report, int *out_signal, GError **error)
{
    Run run = {.options = options, .report = report, .signal_fd = -1};
    BtImageSettings settings = options->image;
    uint64_t start_ns = bt_clock_now_ns();
    sigset_t signals, before;
    bool ok;

    *out_signal = 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, &before);
    run.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    settings.cancelled = is_signalled;
    settings.user = &run;
    ok = open_rooms(&run, &settings, error) && loop(&run, out_signal, error);
    if (*out_signal != 0)
        bt_report_notice(report, "interrupted; run it again to do the rest");
    if (run.engine != NULL) {
        bt_report_ignored(report, bt_scan_counts(run.scan).n_ignored);
        bt_report_summary(report, bt_engine_workers(run.engine), bt_clock_now_ns() - start_ns);
    }
    close_rooms(&run);
    bt_fd_clear(&run.signal_fd);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ok;
}
