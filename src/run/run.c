/* SPDX-License-Identifier: MIT */
#include "run/run.h"

#include "base/clock.h"
#include "base/human.h"
#include "run/engine.h"
#include "run/window.h"
#include "scan/scan.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Sources that wait: enough to put a giant first, and about a megabyte. */
#define WINDOW_LIMIT 4096

/* How long the scan goes ahead before the first picture is started: enough for a few thousand
 * files, among which the largest goes first, and too short to notice. */
#define HEAD_START_NS (5 * BT_NS_PER_MS)

/* How long the scan goes on while pictures are in work: as long waits a worker that is done. */
#define SCAN_TIME_NS (BT_NS_PER_MS / 4)

/* How many sources are read ahead at most, and how much of each. One call asks for what a device
 * reads ahead by itself: the kernel cuts a longer wish down to that. */
#define LINE_LIMIT       16
#define AHEAD_BYTES      (4 * 1024 * 1024)
#define AHEAD_STEP_BYTES (128 * 1024)

/* Of scan, store, signals and the standard ones, with some to spare. */
#define DESCRIPTORS_OF_ROOMS  24
#define DESCRIPTORS_OF_WORKER 5

typedef struct Run {
    const BtRunOptions *options;
    BtReport *report;
    BtScan *scan;
    BtStore *store;
    GHashTable *claims; /* path of a source by its name, case folded; NULL where case counts */
    BtWindow *window;
    BtEngine *engine;
    GQueue line;     /* jobs that are next, their sources being read; owned */
    GPtrArray *jobs; /* in work; owned */
    GQueue heavy;    /* of BtSource: to be done alone, at the end */
    BtFd signal_fd;
    bool scanned;
    GError *fatal; /* found where there was no way to say so; ends the batch */
} Run;

/* A source that is open, or in work. */
typedef struct Job {
    BtSource *source;
    BtFd in_fd;         /* until it is in work */
    struct stat opened; /* the source when its descriptor was opened */
    bool again;         /* the source changed once already */
    BtTarget *target;   /* once it is in work */
    bool prepared;      /* the worker had libvips */
    bool alone;         /* no other picture is in work */
    uint64_t start_ns;  /* when it was put into work */
} Job;

static void
job_free(gpointer job)
{
    Job *self = job;

    bt_source_free(self->source);
    bt_fd_clear(&self->in_fd);
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

/* What is known of a source before it is opened. */
static BtReportPicture
describe(const BtSource *source)
{
    return (BtReportPicture){
        .path = source->path,
        .source_bytes = (uint64_t)source->stat.st_size,
        .source_time = source->stat.st_mtim.tv_sec,
    };
}

static void
fail_source(Run *self, const BtSource *source, const char *code, const char *reason)
{
    BtReportPicture picture = describe(source);

    bt_report_failed(self->report, &picture, code, reason);
}

static void
fail_rival(Run *self, const BtSource *source, const char *name, const char *rival)
{
    g_autofree char *reason =
        g_strdup_printf("its result %s/%s belongs to %s", self->options->output, name, rival);

    fail_source(self, source, "name-taken", reason);
}

static void
fail_size(Run *self, const BtSource *source)
{
    g_autofree char *size = bt_human_bytes((uint64_t)source->stat.st_size);
    g_autofree char *limit = bt_human_bytes(self->options->max_file_size);
    g_autofree char *reason =
        g_strdup_printf("the file has %s, over the limit of %s (--max-file-size)", size, limit);

    fail_source(self, source, "too-large", reason);
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

/* The path of a source found before whose result would be the same file, in a folder where case
 * does not count; else NULL, and the name is this source's. */
static const char *
claim(Run *self, const BtSource *source)
{
    g_autofree char *text = g_utf8_make_valid(source->name, -1);
    g_autofree char *folded = g_utf8_casefold(text, -1);
    const char *rival;

    if (self->claims == NULL)
        return NULL;
    if ((rival = g_hash_table_lookup(self->claims, folded)) == NULL)
        g_hash_table_insert(self->claims, g_steal_pointer(&folded), g_strdup(source->path));
    return rival;
}

static void
skip_fresh(Run *self, const BtSource *source)
{
    BtReportPicture picture = describe(source);

    bt_report_skipped(self->report, &picture, "fresh", "its result is up to date");
}

/* A source that was found: to be done, or not. False when the batch cannot go on. */
static bool
accept_source(Run *self, BtSource *found, GError **error)
{
    g_autoptr(BtSource) source = found;
    g_autofree char *rival = bt_scan_rival(self->scan, source, source->name);
    const char *owner;
    uint64_t size = (uint64_t)source->stat.st_size;

    if (source->format != BT_FORMAT_JPEG && !bt_image_prepare(error))
        return false;
    if (rival != NULL)
        fail_rival(self, source, source->name, rival);
    else if ((owner = claim(self, source)) != NULL)
        fail_rival(self, source, source->name, owner);
    else if (self->options->max_file_size > 0 && size > self->options->max_file_size)
        fail_size(self, source);
    else if (is_fresh(self, source))
        skip_fresh(self, source);
    else {
        bt_report_found(self->report, size);
        bt_window_add(self->window, g_steal_pointer(&source));
    }
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
        bt_report_failed(self->report, &(BtReportPicture){0}, "scan", problem->message);
        break;
    case BT_SCAN_MORE:
        break;
    case BT_SCAN_END:
        self->scanned = true;
        bt_report_scanned(self->report);
        break;
    }
    return true;
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
fail_job(Run *self, const Job *job, GError **failure, GError **error)
{
    if (is_fatal(*failure)) {
        g_propagate_error(error, g_steal_pointer(failure));
        return false;
    }
    fail_source(self, job->source, "store", (*failure)->message);
    return true;
}

/* Bytes that a picture may take: all workers' share where it is alone. */
static uint64_t
memory_for(const Run *self, bool alone)
{
    uint64_t share = self->options->memory;

    return alone ? share * (uint64_t)MAX(1, self->options->n_jobs) : share;
}

/* Takes the source. NULL when it cannot be opened, which is reported. */
static Job *
open_job(Run *self, BtSource *source, bool again, bool alone)
{
    g_autoptr(GError) failure = NULL;
    Job *job = g_new0(Job, 1);

    job->source = source;
    job->again = again;
    job->alone = alone;
    job->in_fd = bt_scan_open(self->scan, source, &job->opened, &failure);
    if (job->in_fd >= 0)
        return job;
    if (is_fatal(failure) && self->fatal == NULL)
        self->fatal = g_error_copy(failure);
    fail_source(self, source, "open", failure->message);
    job_free(job);
    return NULL;
}

/* Puts the source of a job that was in work at the head of the line. */
static void
redo(Run *self, Job *done, bool again)
{
    Job *job;

    bt_report_dropped(self->report, done->source->path);
    job = open_job(self, g_steal_pointer(&done->source), again, done->alone);
    if (job != NULL)
        g_queue_push_head(&self->line, job);
}

static bool
may_read_ahead(const Run *self)
{
    return self->line.length < CLAMP((guint)self->options->n_jobs, 1, LINE_LIMIT) &&
           !bt_window_is_empty(self->window);
}

/* Puts the largest source in line, and has it read while the workers compute. */
static void
read_ahead(Run *self)
{
    Job *job = open_job(self, bt_window_take(self->window), false, false);

    if (job == NULL)
        return;
    g_queue_push_tail(&self->line, job);
    for (off_t at = 0; at < MIN(job->opened.st_size, AHEAD_BYTES); at += AHEAD_STEP_BYTES)
        posix_fadvise(job->in_fd, at, AHEAD_STEP_BYTES, POSIX_FADV_WILLNEED);
}

/* Whether all that may share the machine is done, and something waits that may not. */
static bool
may_go_alone(const Run *self)
{
    return self->scanned && self->jobs->len == 0 && self->heavy.length > 0;
}

/* The job whose turn it is; NULL when nothing waits. */
static Job *
next_job(Run *self)
{
    Job *job = g_queue_pop_head(&self->line);

    while (job == NULL && !bt_window_is_empty(self->window))
        job = open_job(self, bt_window_take(self->window), false, false);
    while (job == NULL && may_go_alone(self))
        job = open_job(self, g_queue_pop_head(&self->heavy), false, true);
    return job;
}

/* Opens the target and gives the picture to the engine. False when the batch cannot go on. */
static bool
start_job(Run *self, Job *job, GError **error)
{
    g_autoptr(GError) failure = NULL;
    BtFormat format = result_format(self, job->source);
    g_autofree char *name = result_name(job->source, format, BT_FORMAT_JPEG);

    job->prepared = bt_image_is_prepared();
    job->start_ns = bt_clock_now_ns();
    g_ptr_array_add(self->jobs, job);
    bt_report_began(self->report, job->source->path, (uint64_t)job->opened.st_size);
    if ((job->target = bt_store_open(self->store, name, &failure)) != NULL)
        return bt_engine_submit(self->engine, &job->in_fd, bt_target_fd(job->target), format,
                                memory_for(self, job->alone), job, error);
    return fail_job(self, job, &failure, error) && g_ptr_array_remove_fast(self->jobs, job);
}

/* Gives every idle worker a picture. False when the batch cannot go on. */
static bool
start_jobs(Run *self, GError **error)
{
    Job *job;

    while (bt_engine_idle(self->engine) > 0 && (job = next_job(self)) != NULL)
        if (!start_job(self, job, error))
            return false;
    return true;
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

static void
tell_processed(Run *self, const Job *job, const char *name, const BtOutcome *outcome)
{
    g_autofree char *result = g_strconcat(self->options->output, "/", name, NULL);
    BtReportPicture picture = describe(job->source);

    picture.result = result;
    picture.source_bytes = (uint64_t)job->opened.st_size;
    picture.source_time = job->opened.st_mtim.tv_sec;
    picture.result_bytes = bt_target_bytes(job->target);
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
    bt_report_processed(self->report, &picture);
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
    tell_processed(self, job, name, outcome);
    return true;
}

/* Why a picture failed. libvips from 8.15 on does not look for formats that are not allowed, and so
 * cannot tell that a file has one; its name can. */
static void
report_failure(Run *self, const BtSource *source, const BtOutcome *outcome)
{
    BtFormat format = source->format;
    bool closed = format != BT_FORMAT_NONE && !bt_format_is_trusted(format) &&
                  (self->options->image.allowed & (1u << format)) == 0;
    g_autofree char *reason = g_strdup(outcome->sentence);

    if (outcome->reason == BT_REASON_UNKNOWN && closed) {
        g_free(reason);
        reason = g_strdup_printf("%s; %s is one only when allowed (--allow %s)", outcome->sentence,
                                 bt_format_name(format), bt_format_name(format));
    }
    fail_source(self, source, bt_reason_name(outcome->reason), reason);
}

/* A result that a worker could not write: the end of the batch where there is no room for any. That
 * is looked at, since a worker's word should not end a batch. */
static bool
settle_unwritten(Run *self, const Job *job, const BtOutcome *outcome, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!bt_target_has_room(job->target, &failure) && is_fatal(failure)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    fail_source(self, job->source, bt_reason_name(outcome->reason), outcome->sentence);
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
            redo(self, job, true);
        else
            fail_source(self, job->source, "changed", "it changed while it was read, twice");
        return true;
    }
    if (outcome->reason == BT_REASON_UNPREPARED && !job->prepared) {
        redo(self, job, job->again);
        return bt_image_prepare(error);
    }
    if (outcome->reason == BT_REASON_HEAVY && !job->alone &&
        outcome->memory <= memory_for(self, true)) {
        bt_report_dropped(self->report, job->source->path);
        g_queue_push_tail(&self->heavy, g_steal_pointer(&job->source));
        return true;
    }
    if (outcome->reason == BT_REASON_OK)
        return publish(self, job, outcome, error);
    if (outcome->reason == BT_REASON_WRITE)
        return settle_unwritten(self, job, outcome, error);
    report_failure(self, job->source, outcome);
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
may_scan(const Run *self)
{
    return !self->scanned && !bt_window_is_full(self->window);
}

/* Scans until the time is over, or while it may. False when the batch cannot go on. */
static bool
scan_for(Run *self, uint64_t time_ns, GError **error)
{
    uint64_t until_ns = bt_clock_now_ns() + time_ns;

    while (may_scan(self) && bt_clock_now_ns() < until_ns)
        if (!scan_step(self, error))
            return false;
    return true;
}

/* Does a bounded piece of what comes before work. False when the batch cannot go on. */
static bool
look_ahead(Run *self, GError **error)
{
    if (may_read_ahead(self))
        read_ahead(self);
    return scan_for(self, SCAN_TIME_NS, error);
}

static bool
loop(Run *self, int *out_signal, GError **error)
{
    if (!scan_for(self, HEAD_START_NS, error))
        return false;
    /* Asked in each turn: a pool without tasks does not look at signals, and there may be none for
     * as long as the scan finds nothing to do. */
    while ((*out_signal = read_signal(self)) == 0) {
        BtOutcome outcome;
        bool ahead;
        void *job;

        if (!start_jobs(self, error))
            return false;
        if (self->fatal != NULL) {
            g_propagate_error(error, g_steal_pointer(&self->fatal));
            return false;
        }
        ahead = may_read_ahead(self) || may_scan(self);
        if (ahead && !look_ahead(self, error))
            return false;
        switch (bt_engine_next(self->engine, ahead ? 0 : BT_POOL_FOREVER, &job, &outcome)) {
        case BT_POOL_OUTCOME:
            if (!finish_job(self, job, &outcome, error))
                return false;
            break;
        case BT_POOL_IDLE:
            if (!ahead)
                return (self->line.length == 0 && self->heavy.length == 0) ||
                       bt_error_set(error, BT_ERROR_EXHAUSTED,
                                    "no more pictures can be done: the workers keep dying");
            break;
        case BT_POOL_WOKEN:
        case BT_POOL_TIMEOUT:
            break;
        }
    }
    return true;
}

static bool
open_rooms(Run *self, GError **error)
{
    const BtRunOptions *options = self->options;
    g_autofree char *key = make_key(&options->image);
    BtEngineOptions engine = {
        .worker = {options->image, options->sandbox, memory_for(self, true)},
        .n_jobs = options->n_jobs,
        .limit_ns = options->limit_ns,
        .isolate = options->isolate,
        .wake_fd = self->signal_fd,
    };
    dev_t device;
    ino_t inode;

    self->store = bt_store_new(
        options->output, key,
        (options->force ? BT_STORE_FORCE : 0u) | (options->durable ? BT_STORE_DURABLE : 0u), error);
    if (self->store == NULL)
        return false;
    if (bt_store_folds_case(self->store))
        self->claims = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->scan = bt_scan_new();
    for (const char *const *path = options->paths; *path != NULL; path++)
        bt_scan_add(self->scan, *path);
    bt_store_identity(self->store, &device, &inode);
    bt_scan_skip_folder(self->scan, device, inode);
    self->window = bt_window_new(WINDOW_LIMIT);
    self->jobs = g_ptr_array_new_with_free_func(job_free);
    engine.worker.image.cancelled = is_signalled;
    engine.worker.image.user = self;
    return (self->engine = bt_engine_new(&engine, error)) != NULL;
}

static void
free_source(void *source)
{
    bt_source_free(source);
}

static void
close_rooms(Run *self)
{
    bt_engine_free(self->engine);
    g_clear_pointer(&self->jobs, g_ptr_array_unref);
    g_clear_error(&self->fatal);
    g_queue_clear_full(&self->heavy, free_source);
    g_queue_clear_full(&self->line, job_free);
    g_clear_pointer(&self->claims, g_hash_table_unref);
    bt_window_free(self->window);
    bt_scan_free(self->scan);
    bt_store_free(self->store);
}

/* What the user should know of the sandbox, or false where it must be and cannot. */
static bool
check_sandbox(const BtRunOptions *options, BtReport *report, GError **error)
{
    const char *lacking = bt_sandbox_lacking();
    g_autofree char *notice = NULL;

    if (options->sandbox == BT_SANDBOX_REQUIRE && options->n_jobs == 0)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "--sandbox=require needs workers, and --serial has none");
    if (options->sandbox == BT_SANDBOX_OFF || options->n_jobs == 0 || lacking == NULL)
        return true;
    if (options->sandbox == BT_SANDBOX_REQUIRE)
        return bt_error_set(error, BT_ERROR_FAILED, "workers cannot be locked in: no %s here",
                            lacking);
    notice = g_strdup_printf("workers are not wholly locked in: this kernel lacks %s", lacking);
    bt_report_notice(report, notice);
    return true;
}

/* Descriptors for all that may be open at once: the rooms', and of each worker two for its process
 * and three for its picture and the next. */
static bool
reserve_descriptors(int n_jobs, GError **error)
{
    rlim_t needed = DESCRIPTORS_OF_ROOMS + DESCRIPTORS_OF_WORKER * (rlim_t)MAX(1, n_jobs);
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return true;
    limit.rlim_cur = MIN(needed, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur >= needed ||
           bt_error_set(error, BT_ERROR_FAILED,
                        "%d workers take up to %lu descriptors, and the limit is %lu (ulimit -n)",
                        n_jobs, (unsigned long)needed, (unsigned long)limit.rlim_max);
}

bool
bt_run(const BtRunOptions *options, BtReport *report, int *out_signal, GError **error)
{
    Run run = {.options = options, .report = report, .signal_fd = -1};
    uint64_t start_ns = bt_clock_now_ns();
    sigset_t signals, before;
    BtReportEnd end;
    bool ok;

    *out_signal = 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, &before);
    run.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (run.signal_fd < 0) {
        bt_error_set_system(error, errno, "signals cannot be waited for");
        sigprocmask(SIG_SETMASK, &before, NULL);
        return false;
    }
    g_queue_init(&run.heavy);
    ok = reserve_descriptors(options->n_jobs, error) && check_sandbox(options, report, error) &&
         open_rooms(&run, error) && loop(&run, out_signal, error);
    if (*out_signal != 0)
        bt_report_notice(report, "interrupted; run it again to do the rest");
    if (run.engine != NULL) {
        bt_report_ignored(report, bt_scan_counts(run.scan).n_ignored);
        end = (BtReportEnd){
            .n_workers = bt_engine_workers(run.engine),
            .signal = *out_signal,
            .error = ok ? NULL : (*error)->message,
            .elapsed_ns = bt_clock_now_ns() - start_ns,
        };
        bt_report_summary(report, &end);
    }
    close_rooms(&run);
    while (read_signal(&run) != 0) /* further ones ask for what was done */
        ;
    bt_fd_clear(&run.signal_fd);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ok;
}
