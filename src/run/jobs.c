/* SPDX-License-Identifier: MIT */
#include "run/jobs.h"

#include "base/clock.h"
#include "run/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* How many sources are read ahead at most, and how much of each. One call asks for what a device
 * reads ahead by itself: the kernel cuts a longer wish down to that. */
#define LINE_LIMIT       16
#define AHEAD_BYTES      (4 * 1024 * 1024)
#define AHEAD_STEP_BYTES (128 * 1024)

/* A source that is open, or in work. */
struct BtJob {
    BtSource *source;
    BtFd in_fd;         /* until it is in work; of its result, where that is verified */
    struct stat opened; /* what in_fd is of, when it was opened */
    bool again;         /* the source changed once already */
    BtTarget *target;   /* once it is in work */
    bool prepared;      /* the worker had libvips */
    bool alone;         /* no other picture is in work */
    uint64_t start_ns;  /* when it was put into work */
};

void
bt_job_free(gpointer job)
{
    BtJob *self = job;

    bt_source_free(self->source);
    bt_fd_clear(&self->in_fd);
    bt_target_free(self->target);
    g_free(self);
}

const char *
bt_job_path(const BtJob *self)
{
    return self->source->path;
}

/* Errors that every further picture would meet too. */
static bool
is_fatal(const GError *error)
{
    return error->domain == BT_ERROR_SYSTEM &&
           (error->code == ENOSPC || error->code == EDQUOT || error->code == EROFS ||
            error->code == EMFILE || error->code == ENFILE);
}

/* Reports the failure of one picture; false when it is the batch that failed. */
static bool
fail_job(BtBatch *self, const BtJob *job, GError **failure, GError **error)
{
    if (is_fatal(*failure)) {
        g_propagate_error(error, g_steal_pointer(failure));
        return false;
    }
    bt_batch_fail(self, job->source, "store", (*failure)->message);
    return true;
}

static bool
verifies(const BtBatch *self)
{
    return self->options->task == BT_RUN_VERIFY;
}

/* A source's result, which was fresh a moment ago. */
static BtFd
open_result(const BtBatch *self, const BtSource *source, struct stat *out_stat, GError **error)
{
    g_autofree char *name = bt_intake_fresh(self, source);
    g_auto(BtFd) fd = -1;

    if (name == NULL) {
        bt_error_set(error, BT_ERROR_INVALID, "its result is not up to date any more");
        return -1;
    }
    if ((fd = bt_store_open_result(self->store, name, error)) < 0)
        return -1;
    if (fstat(fd, out_stat) != 0 || !S_ISREG(out_stat->st_mode)) {
        bt_error_set(error, BT_ERROR_INVALID, "its result is not a file any more");
        return -1;
    }
    return bt_fd_steal(&fd);
}

/* Takes the source. NULL when it cannot be opened, which is reported. */
static BtJob *
open_job(BtBatch *self, BtSource *source, bool again, bool alone)
{
    g_autoptr(GError) failure = NULL;
    BtJob *job = g_new0(BtJob, 1);

    job->source = source;
    job->again = again;
    job->alone = alone;
    job->in_fd = verifies(self) ? open_result(self, source, &job->opened, &failure)
                                : bt_scan_open(self->scan, source, &job->opened, &failure);
    if (job->in_fd >= 0)
        return job;
    if (is_fatal(failure) && self->fatal == NULL)
        self->fatal = g_error_copy(failure);
    bt_report_began(self->report, source->path, (uint64_t)source->stat.st_size);
    bt_batch_fail(self, source, "open", failure->message);
    bt_job_free(job);
    return NULL;
}

/* Puts the source of a job that was in work at the head of the line. */
static void
redo(BtBatch *self, BtJob *done, bool again)
{
    BtJob *job;

    bt_report_dropped(self->report, done->source->path);
    job = open_job(self, g_steal_pointer(&done->source), again, done->alone);
    if (job != NULL)
        g_queue_push_head(&self->line, job);
}

bool
bt_jobs_may_read_ahead(const BtBatch *self)
{
    return !self->ending &&
           self->line.length < CLAMP((guint)self->options->n_jobs, 1, LINE_LIMIT) &&
           !bt_window_is_empty(self->window);
}

/* Puts the largest source in line, and has it read while the workers compute. */
void
bt_jobs_read_ahead(BtBatch *self)
{
    BtJob *job = open_job(self, bt_window_take(self->window), false, false);

    if (job == NULL)
        return;
    g_queue_push_tail(&self->line, job);
    for (off_t at = 0; at < MIN(job->opened.st_size, AHEAD_BYTES); at += AHEAD_STEP_BYTES)
        posix_fadvise(job->in_fd, at, AHEAD_STEP_BYTES, POSIX_FADV_WILLNEED);
}

/* Whether all that may share the machine is done, and something waits that may not. */
static bool
may_go_alone(const BtBatch *self)
{
    return self->scanned && self->jobs->len == 0 && self->heavy.length > 0;
}

/* The job whose turn it is; NULL when nothing waits. */
static BtJob *
next_job(BtBatch *self)
{
    BtJob *job = g_queue_pop_head(&self->line);

    while (job == NULL && !bt_window_is_empty(self->window))
        job = open_job(self, bt_window_take(self->window), false, false);
    while (job == NULL && may_go_alone(self))
        job = open_job(self, g_queue_pop_head(&self->heavy), false, true);
    return job;
}

/* The target of a picture, in the folder where its result will be. */
static BtTarget *
open_target(BtBatch *self, const BtSource *source, BtFormat format, GError **error)
{
    g_autofree char *name =
        bt_intake_name(self, source, format != BT_FORMAT_NONE ? format : BT_FORMAT_JPEG, error);

    return name != NULL ? bt_store_open(self->store, name, error) : NULL;
}

/* Gives the picture to the engine. False when the batch cannot go on. */
static bool
start_job(BtBatch *self, BtJob *job, GError **error)
{
    g_autoptr(GError) failure = NULL;
    BtWorkerTask task = {
        .format = bt_intake_format(self, job->source),
        .check = verifies(self),
        .memory = bt_batch_memory(self, job->alone),
    };

    job->prepared = bt_image_is_prepared();
    job->start_ns = bt_clock_now_ns();
    g_ptr_array_add(self->jobs, job);
    bt_report_began(self->report, job->source->path, (uint64_t)job->opened.st_size);
    if (task.check)
        return bt_engine_submit(self->engine, &job->in_fd, -1, &task, job, error);
    if ((job->target = open_target(self, job->source, task.format, &failure)) != NULL)
        return bt_engine_submit(self->engine, &job->in_fd, bt_target_fd(job->target), &task, job,
                                error);
    return fail_job(self, job, &failure, error) && g_ptr_array_remove_fast(self->jobs, job);
}

/* Gives every idle worker a picture. False when the batch cannot go on. */
bool
bt_jobs_start(BtBatch *self, GError **error)
{
    BtJob *job;

    while (!self->ending && bt_engine_idle(self->engine) > 0 && (job = next_job(self)) != NULL)
        if (!start_job(self, job, error))
            return false;
    return true;
}

/* Whether the source is not what was opened any more: written to, replaced or gone. */
static bool
has_changed(BtBatch *self, const BtJob *job)
{
    struct stat now;

    return !bt_scan_stat(self->scan, job->source, &now) || now.st_ino != job->opened.st_ino ||
           now.st_size != job->opened.st_size || now.st_ctim.tv_sec != job->opened.st_ctim.tv_sec ||
           now.st_ctim.tv_nsec != job->opened.st_ctim.tv_nsec;
}

static void
tell_done(BtBatch *self, const BtJob *job, const char *name, const BtOutcome *outcome)
{
    g_autofree char *result = bt_batch_result_path(self, name);
    BtReportPicture picture = bt_batch_describe(job->source);

    picture.result = result;
    picture.result_bytes =
        job->target != NULL ? bt_target_bytes(job->target) : (uint64_t)job->opened.st_size;
    picture.source_width = outcome->source_width;
    picture.source_height = outcome->source_height;
    picture.width = outcome->out_width;
    picture.height = outcome->out_height;
    picture.shrink = outcome->shrink;
    picture.n_pages = outcome->n_pages;
    picture.decoder = outcome->loader;
    picture.format = bt_format_name(outcome->format);
    picture.decode_ns = outcome->decode_ns;
    picture.kernel_ns = outcome->kernel_ns;
    picture.encode_ns = outcome->encode_ns;
    picture.elapsed_ns = bt_clock_now_ns() - job->start_ns;
    if (verifies(self))
        bt_report_verified(self->report, &picture);
    else
        bt_report_processed(self->report, &picture);
}

static bool
publish(BtBatch *self, BtJob *job, const BtOutcome *outcome, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *name = bt_intake_name(self, job->source, outcome->format, &failure);

    if (name == NULL)
        return fail_job(self, job, &failure, error);
    if (self->options->keep_dates)
        bt_target_set_time(job->target, job->opened.st_mtim);
    if (!bt_store_check(self->store, error))
        return false;
    if (!bt_target_publish(job->target, name, &failure))
        return fail_job(self, job, &failure, error);
    tell_done(self, job, name, outcome);
    return true;
}

static void
tell_verified(BtBatch *self, const BtJob *job, const BtOutcome *outcome)
{
    g_autofree char *name = bt_intake_fresh(self, job->source);

    if (name != NULL)
        tell_done(self, job, name, outcome);
    else
        bt_batch_fail(self, job->source, "changed", "its result is not up to date any more");
}

/* Why a picture failed. libvips from 8.15 on does not look for formats that are not allowed, and so
 * cannot tell that a file has one; its name can. */
static void
report_failure(BtBatch *self, const BtSource *source, const BtOutcome *outcome)
{
    BtFormat format = source->format;
    bool closed = format != BT_FORMAT_NONE && !bt_format_is_trusted(format) &&
                  (self->options->image.allowed & (1u << format)) == 0;
    g_autofree char *reason =
        g_strconcat(verifies(self) ? "its result: " : "", outcome->sentence, NULL);

    if (outcome->reason == BT_REASON_UNKNOWN && closed) {
        g_free(reason);
        reason = g_strdup_printf("%s; %s is one only when allowed (--allow %s)", outcome->sentence,
                                 bt_format_name(format), bt_format_name(format));
    }
    bt_batch_fail(self, source, bt_reason_name(outcome->reason), reason);
}

/* A result that a worker could not write: the end of the batch where there is no room for any. That
 * is looked at, since a worker's word should not end a batch. */
static bool
settle_unwritten(BtBatch *self, const BtJob *job, const BtOutcome *outcome, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!bt_target_has_room(job->target, &failure) && is_fatal(failure)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    bt_batch_fail(self, job->source, bt_reason_name(outcome->reason), outcome->sentence);
    return true;
}

/* What one picture has come to. False when the batch cannot go on. */
static bool
settle_job(BtBatch *self, BtJob *job, const BtOutcome *outcome, GError **error)
{
    if (outcome->reason == BT_REASON_CANCELLED)
        return true;
    if (!verifies(self) && has_changed(self, job)) {
        if (!job->again)
            redo(self, job, true);
        else
            bt_batch_fail(self, job->source, "changed", "it changed while it was read, twice");
        return true;
    }
    if (outcome->reason == BT_REASON_UNPREPARED && !job->prepared) {
        redo(self, job, job->again);
        return bt_image_prepare(error);
    }
    if (outcome->reason == BT_REASON_HEAVY && !job->alone &&
        outcome->memory <= bt_batch_memory(self, true)) {
        bt_report_dropped(self->report, job->source->path);
        g_queue_push_tail(&self->heavy, g_steal_pointer(&job->source));
        return true;
    }
    if (outcome->reason == BT_REASON_OK && !verifies(self))
        return publish(self, job, outcome, error);
    if (outcome->reason == BT_REASON_OK)
        tell_verified(self, job, outcome);
    else if (outcome->reason == BT_REASON_WRITE && job->target != NULL)
        return settle_unwritten(self, job, outcome, error);
    else
        report_failure(self, job->source, outcome);
    return true;
}

bool
bt_jobs_finish(BtBatch *self, BtJob *job, const BtOutcome *outcome, GError **error)
{
    bool ok = settle_job(self, job, outcome, error);

    g_ptr_array_remove_fast(self->jobs, job);
    return ok;
}
