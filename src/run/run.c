/* SPDX-License-Identifier: MIT */
#include "run/run.h"

#include "base/clock.h"
#include "run/intake.h"
#include "run/jobs.h"
#include "run/key.h"

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

/* How long a list that tells nothing is not looked at while pictures are in work. */
#define LIST_WAIT_NS (10 * BT_NS_PER_MS)

/* Of scan, store, signals and the standard ones, with some to spare. */
#define DESCRIPTORS_OF_ROOMS  24
#define DESCRIPTORS_OF_WORKER 5

typedef struct Run {
    BtBatch batch; /* first */
    BtFd signal_fd;
    uint64_t ending_ns; /* when a signal has asked for the end, with a time of grace */
} Run;

BtReportPicture
bt_batch_describe(const BtSource *source)
{
    return (BtReportPicture){
        .path = source->path,
        .source_bytes = (uint64_t)source->stat.st_size,
        .source_time = source->stat.st_mtim.tv_sec,
    };
}

void
bt_batch_fail(BtBatch *self, const BtSource *source, const char *code, const char *reason)
{
    BtReportPicture picture = bt_batch_describe(source);

    bt_report_failed(self->report, &picture, code, reason);
}

char *
bt_batch_result_path(const BtBatch *self, const char *name)
{
    const char *output = self->options->output;

    return g_strconcat(output, g_str_has_suffix(output, "/") ? "" : "/", name, NULL);
}

uint64_t
bt_batch_memory(const BtBatch *self, bool alone)
{
    uint64_t share = self->options->memory;

    return alone ? share * (uint64_t)MAX(1, self->options->n_jobs) : share;
}

/* The next signal, or 0. */
static int
read_signal(const Run *self)
{
    struct signalfd_siginfo info;

    return read(self->signal_fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

/* Whether this process, which decodes itself, is to leave its picture. */
static bool
is_cancelled(void *user)
{
    Run *self = user;
    sigset_t pending;

    sigpending(&pending);
    if (sigismember(&pending, SIGTERM) == 1 && self->ending_ns == 0)
        self->ending_ns = bt_clock_now_ns();
    return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGHUP) == 1 ||
           (self->ending_ns > 0 &&
            bt_clock_now_ns() - self->ending_ns >= self->batch.options->grace_ns);
}

static const char *
state_name(BtWorkerState state)
{
    static const char *const names[] = {
        [BT_WORKER_NONE] = "none", [BT_WORKER_STARTING] = "starting", [BT_WORKER_IDLE] = "idle",
        [BT_WORKER_BUSY] = "busy", [BT_WORKER_ENDING] = "ending",
    };

    return names[state];
}

static void
tell_workers(const Run *self)
{
    int n = bt_engine_table(self->batch.engine, NULL, 0);
    g_autofree BtWorkerInfo *infos = g_new0(BtWorkerInfo, (gsize)n);
    g_autofree BtReportWorker *workers = g_new0(BtReportWorker, (gsize)n);
    uint64_t now_ns = bt_clock_now_ns();

    bt_engine_table(self->batch.engine, infos, n);
    for (int i = 0; i < n; i++)
        workers[i] = (BtReportWorker){
            .name = infos[i].name,
            .pid = infos[i].pid,
            .state = state_name(infos[i].state),
            .path = infos[i].task_tag != NULL ? bt_job_path(infos[i].task_tag) : NULL,
            .for_ns = infos[i].since_ns > 0 ? now_ns - infos[i].since_ns : 0,
        };
    bt_report_workers(self->batch.report, workers, n);
}

/* Does what signals ask for. The one that ends the batch at once, or 0. */
static int
obey_signals(Run *self)
{
    int number;

    while ((number = read_signal(self)) != 0) {
        if (number == SIGUSR1)
            tell_workers(self);
        else if (number != SIGTERM || self->batch.options->grace_ns == 0 || self->batch.ending)
            return number;
        else
            self->batch.ending = true;
        if (self->batch.ending && self->ending_ns == 0)
            self->ending_ns = bt_clock_now_ns();
    }
    return 0;
}

static bool
may_scan(const BtBatch *batch)
{
    return !batch->scanned && !batch->ending && !bt_window_is_full(batch->window);
}

/* Scans until the time is over, or while it may. False when the batch cannot go on. */
static bool
scan_for(BtBatch *batch, uint64_t time_ns, GError **error)
{
    uint64_t until_ns = bt_clock_now_ns() + time_ns;

    while (may_scan(batch) && bt_clock_now_ns() < until_ns)
        if (!bt_intake_step(batch, error))
            return false;
    return true;
}

/* Does a bounded piece of what comes before work. False when the batch cannot go on. */
static bool
look_ahead(BtBatch *batch, GError **error)
{
    if (bt_jobs_may_read_ahead(batch))
        bt_jobs_read_ahead(batch);
    return scan_for(batch, SCAN_TIME_NS, error);
}

/* Whether there is something to find now: a list that is a pipe may be silent for hours. */
static bool
may_find(const BtBatch *batch)
{
    struct pollfd list = {.fd = bt_scan_wait_fd(batch->scan), .events = POLLIN};

    return may_scan(batch) && (list.fd < 0 || poll(&list, 1, 0) != 0);
}

/* How long to wait for an outcome: no longer than the report can, than the time of grace, or than a
 * list that is silent should be left alone. */
static uint64_t
time_to_wait(const Run *self, uint64_t report_ns)
{
    uint64_t spent_ns = self->batch.ending ? bt_clock_now_ns() - self->ending_ns : 0;
    uint64_t grace_ns = self->batch.options->grace_ns;

    if (self->batch.ending)
        return MIN(report_ns, grace_ns - MIN(grace_ns, spent_ns));
    return may_scan(&self->batch) ? MIN(report_ns, LIST_WAIT_NS) : report_ns;
}

/* A pool without tasks does not wait. */
static void
wait_for_list(const Run *self, uint64_t wait_ns)
{
    struct pollfd fds[] = {
        {.fd = bt_scan_wait_fd(self->batch.scan), .events = POLLIN},
        {.fd = self->signal_fd, .events = POLLIN},
    };

    poll(fds, G_N_ELEMENTS(fds), (int)(MIN(wait_ns, BT_NS_PER_S) / BT_NS_PER_MS));
}

/* Waits for an outcome, and settles it. *out_done: there is nothing more to wait for. */
static bool
wait_and_settle(Run *self, uint64_t wait_ns, bool *out_done, GError **error)
{
    BtBatch *batch = &self->batch;
    BtOutcome outcome;
    void *job;

    switch (bt_engine_next(batch->engine, wait_ns, &job, &outcome)) {
    case BT_POOL_OUTCOME:
        return bt_jobs_finish(batch, job, &outcome, error);
    case BT_POOL_IDLE:
        *out_done = true;
        break;
    case BT_POOL_WOKEN:
    case BT_POOL_TIMEOUT:
        break;
    }
    return true;
}

static bool
is_over(const Run *self)
{
    return self->batch.ending &&
           bt_clock_now_ns() - self->ending_ns >= self->batch.options->grace_ns;
}

/* What remains when nothing is in work and nothing is to be found. */
static bool
check_rest(const BtBatch *batch, GError **error)
{
    return batch->ending || (batch->line.length == 0 && batch->heavy.length == 0) ||
           bt_error_set(error, BT_ERROR_EXHAUSTED,
                        "no more pictures can be done: the workers keep dying");
}

static bool
loop(Run *self, int *out_signal, GError **error)
{
    BtBatch *batch = &self->batch;
    bool idle = false;

    if (!scan_for(batch, HEAD_START_NS, error))
        return false;
    /* Asked in each turn: a pool without tasks does not look at signals, and there may be none for
     * as long as the scan finds nothing to do. */
    while ((*out_signal = obey_signals(self)) == 0 && !is_over(self)) {
        uint64_t report_ns = bt_report_tick(batch->report);
        bool ahead;

        if (!bt_jobs_start(batch, error))
            return false;
        if (batch->fatal != NULL) {
            g_propagate_error(error, g_steal_pointer(&batch->fatal));
            return false;
        }
        ahead = bt_jobs_may_read_ahead(batch) || may_find(batch);
        if (ahead && !look_ahead(batch, error))
            return false;
        idle = false;
        if (!wait_and_settle(self, ahead ? 0 : time_to_wait(self, report_ns), &idle, error))
            return false;
        if (idle && !ahead && !may_scan(batch))
            return check_rest(batch, error);
        if (idle && !ahead)
            wait_for_list(self, report_ns);
    }
    return true;
}

static unsigned
store_flags(const BtRunOptions *options)
{
    return (options->force ? BT_STORE_FORCE : 0u) | (options->durable ? BT_STORE_DURABLE : 0u) |
           (options->task != BT_RUN_PROCESS ? BT_STORE_LOOK : 0u);
}

static bool
add_list(BtBatch *batch, GError **error)
{
    const char *list = batch->options->list;
    bool is_input = strcmp(list, "-") == 0;
    BtFd fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                       : open(list, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return bt_error_set_system(error, errno, "%s", is_input ? "standard input" : list);
    bt_scan_add_list(batch->scan, fd, is_input ? "standard input" : list, batch->options->separator,
                     NULL);
    return true;
}

static bool
open_scan(BtBatch *batch, GError **error)
{
    const BtRunOptions *options = batch->options;
    dev_t device;
    ino_t inode;

    batch->scan = bt_scan_new();
    bt_scan_configure(batch->scan, &options->scan);
    for (const char *const *path = options->paths; *path != NULL; path++)
        bt_scan_add(batch->scan, *path);
    bt_store_identity(batch->store, &device, &inode);
    if (inode != 0)
        bt_scan_skip_folder(batch->scan, device, inode);
    return options->list == NULL || add_list(batch, error);
}

static void
tell_start(const BtBatch *batch, const char *key)
{
    const BtRunOptions *options = batch->options;
    BtReportStart start = {
        .version = options->version,
        .output = options->output,
        .settings = key,
        .n_workers = options->n_jobs > 0 ? options->n_jobs : BT_REPORT_SERIAL,
        .shard_index = options->scan.shard.index,
        .shard_count = MAX(1, options->scan.shard.count),
    };

    bt_report_start(batch->report, &start);
}

static bool
open_rooms(Run *self, GError **error)
{
    BtBatch *batch = &self->batch;
    const BtRunOptions *options = batch->options;
    g_autofree char *key = bt_run_key(options);
    BtEngineOptions engine = {
        .worker = {options->image, options->sandbox, bt_batch_memory(batch, true)},
        .n_jobs = options->n_jobs,
        .limit_ns = options->limit_ns,
        .isolate = options->isolate,
        .wake_fd = self->signal_fd,
    };

    if ((batch->store = bt_store_new(options->output, key, store_flags(options), error)) == NULL)
        return false;
    batch->folds_case = bt_store_folds_case(batch->store);
    if (batch->folds_case || options->format != BT_FORMAT_NONE ||
        !bt_naming_is_plain(&options->naming))
        batch->claims = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!open_scan(batch, error))
        return false;
    batch->window = bt_window_new(WINDOW_LIMIT);
    batch->jobs = g_ptr_array_new_with_free_func(bt_job_free);
    engine.worker.image.cancelled = is_cancelled;
    engine.worker.image.user = self;
    if ((batch->engine = bt_engine_new(&engine, error)) == NULL)
        return false;
    tell_start(batch, key);
    return true;
}

static void
free_source(void *source)
{
    bt_source_free(source);
}

static void
close_rooms(BtBatch *batch)
{
    bt_engine_free(batch->engine);
    g_clear_pointer(&batch->jobs, g_ptr_array_unref);
    g_clear_error(&batch->fatal);
    g_queue_clear_full(&batch->heavy, free_source);
    g_queue_clear_full(&batch->line, bt_job_free);
    g_clear_pointer(&batch->claims, g_hash_table_unref);
    bt_window_free(batch->window);
    bt_scan_free(batch->scan);
    bt_store_free(batch->store);
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

/* Errors that time may cure. */
static bool
may_pass(const GError *error)
{
    return g_error_matches(error, BT_ERROR, BT_ERROR_EXHAUSTED) ||
           g_error_matches(error, BT_ERROR_SYSTEM, ENOSPC) ||
           g_error_matches(error, BT_ERROR_SYSTEM, EDQUOT);
}

/* What is told at the end of a batch that has begun. */
static void
tell_end(const Run *self, int signal_number, const GError *error, uint64_t start_ns)
{
    const BtBatch *batch = &self->batch;
    BtReportEnd end = {
        .n_workers = bt_engine_workers(batch->engine),
        .signal = signal_number,
        .error = error != NULL ? error->message : NULL,
        .elapsed_ns = bt_clock_now_ns() - start_ns,
    };

    if (signal_number != 0)
        bt_report_notice(batch->report, "interrupted; run it again to do the rest");
    else if (batch->ending)
        bt_report_notice(batch->report, "asked to stop; run it again to do the rest");
    bt_report_ignored(batch->report, bt_scan_counts(batch->scan).n_ignored);
    bt_report_summary(batch->report, &end);
}

bool
bt_run_publish_gallery(const BtRunOptions *options, GError **error)
{
    g_autofree char *key = bt_run_key(options);
    g_autoptr(BtStore) store = bt_store_new(options->output, key, BT_STORE_LOOK, error);
    g_autoptr(BtTarget) target =
        store != NULL ? bt_store_open(store, BT_GALLERY_NAME, error) : NULL;

    return target != NULL && bt_gallery_write(options->gallery, bt_target_fd(target), error) &&
           bt_target_publish(target, BT_GALLERY_NAME, error);
}

static bool
publish_gallery(const BtRunOptions *options, GError **error)
{
    return options->gallery == NULL || options->task != BT_RUN_PROCESS ||
           bt_run_publish_gallery(options, error);
}

static BtFd
open_signals(sigset_t *out_before, GError **error)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    sigset_t signals;
    BtFd fd;

    sigemptyset(&signals);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        sigaddset(&signals, numbers[i]);
    sigprocmask(SIG_BLOCK, &signals, out_before);
    signal(SIGXFSZ, SIG_IGN); /* a write past the limit of files fails with EFBIG */
    if ((fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        bt_error_set_system(error, errno, "signals cannot be waited for");
    return fd;
}

bool
bt_run(const BtRunOptions *options, BtReport *report, BtRunEnd *out_end, GError **error)
{
    Run run = {.batch = {.options = options, .report = report}};
    uint64_t start_ns = bt_clock_now_ns();
    g_autoptr(GError) failure = NULL;
    sigset_t before;
    bool ok;

    *out_end = (BtRunEnd){0};
    g_queue_init(&run.batch.heavy);
    g_queue_init(&run.batch.line);
    run.signal_fd = open_signals(&before, &failure);
    ok = run.signal_fd >= 0 && reserve_descriptors(options->n_jobs, &failure) &&
         check_sandbox(options, report, &failure) && open_rooms(&run, &failure) &&
         loop(&run, &out_end->signal, &failure) && publish_gallery(options, &failure);
    out_end->again = ok ? run.batch.ending : may_pass(failure);
    if (run.batch.engine != NULL)
        tell_end(&run, out_end->signal, failure, start_ns);
    close_rooms(&run.batch);
    while (run.signal_fd >= 0 && read_signal(&run) != 0) /* further ones ask for what was done */
        ;
    bt_fd_clear(&run.signal_fd);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (!ok)
        g_propagate_error(error, g_steal_pointer(&failure));
    return ok;
}
