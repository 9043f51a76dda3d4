/* SPDX-License-Identifier: MIT */
#include "run/engine.h"

#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* libvips 8.14 can hang or abort on a task that reaches it 15 s after the last one. */
#define IDLE_LIMIT_NS (10 * BT_NS_PER_S)

/* Deaths in a row after which the machine is to blame and not the pictures: a folder may well begin
 * with some that kill their workers, twice each. */
#define CRASH_LIMIT 64

struct BtEngine {
    BtWorkerOptions worker; /* the pool points here */
    BtPool *pool;           /* or, where pictures are processed in this process: */
    BtImage *image;
    bool prepared; /* the workers' processes are */
    int wake_fd;
    bool waiting; /* the outcome of the one picture, not yet collected */
    void *tag;
    BtOutcome outcome;
};

BtEngine *
bt_engine_new(const BtEngineOptions *options, GError **error)
{
    g_autoptr(BtEngine) self = g_new0(BtEngine, 1);

    self->worker = options->worker;
    self->wake_fd = options->wake_fd;
    self->prepared = bt_image_is_prepared();
    if (options->n_jobs > 0) {
        BtPoolOptions pool = {
            .name = "blurthumb",
            .n_slots = options->n_jobs,
            .start = bt_worker_start,
            .serve = bt_worker_serve,
            .data = &self->worker,
            .retries = 1,
            .task_limit_ns = options->limit_ns,
            .idle_limit_ns = IDLE_LIMIT_NS,
            .tasks_per_worker = options->isolate ? 1 : 0,
            .crash_limit = CRASH_LIMIT,
        };

        /* Workers are killed, not asked. */
        self->worker.image.cancelled = NULL;
        if ((self->pool = bt_pool_new(&pool, error)) == NULL)
            return NULL;
    } else if ((self->image = bt_image_new(&options->worker.image)) == NULL) {
        bt_error_set(error, BT_ERROR_FAILED, "not enough memory to begin");
        return NULL;
    }
    return g_steal_pointer(&self);
}

void
bt_engine_free(BtEngine *self)
{
    if (self == NULL)
        return;
    bt_pool_free(self->pool);
    bt_image_free(self->image);
    g_free(self);
}

int
bt_engine_workers(const BtEngine *self)
{
    g_autofree BtWorkerInfo *infos = NULL;
    int n_slots, n = 0;

    if (self->pool == NULL)
        return BT_REPORT_SERIAL;
    n_slots = bt_pool_workers(self->pool, NULL, 0);
    infos = g_new0(BtWorkerInfo, (gsize)n_slots);
    bt_pool_workers(self->pool, infos, n_slots);
    for (int i = 0; i < n_slots; i++)
        n += infos[i].state != BT_WORKER_NONE;
    return n;
}

int
bt_engine_table(const BtEngine *self, BtWorkerInfo *out_infos, int n)
{
    if (self->pool != NULL)
        return bt_pool_workers(self->pool, out_infos, n);
    if (n > 0)
        *out_infos = (BtWorkerInfo){
            .name = "blurthumb", .pid = getpid(), .state = BT_WORKER_IDLE, .since_ns = 0};
    return 1;
}

size_t
bt_engine_idle(const BtEngine *self)
{
    return self->pool != NULL ? bt_pool_idle(self->pool) : !self->waiting;
}

static void
process_here(BtEngine *self, int in_fd, int out_fd, const BtWorkerTask *task, void *tag)
{
    if (task->check)
        bt_image_check(self->image, in_fd, task->memory, &self->outcome);
    else
        bt_image_process(self->image, in_fd, out_fd, task->format, task->memory, &self->outcome);
    self->tag = tag;
    self->waiting = true;
}

bool
bt_engine_submit(BtEngine *self, BtFd *in_fd, int out_fd, const BtWorkerTask *task, void *tag,
                 GError **error)
{
    g_auto(BtFd) in = bt_fd_steal(in_fd);
    g_auto(BtFd) out = -1;
    BtTask pool_task = {.bytes = task, .size = sizeof *task, .tag = tag};

    if (self->image != NULL) {
        process_here(self, in, out_fd, task, tag);
        return true;
    }
    if (!self->prepared && bt_image_is_prepared()) {
        bt_pool_renew(self->pool);
        self->prepared = true;
    }
    pool_task.fds[pool_task.n_fds++] = in;
    if (!task->check) {
        if ((out = fcntl(out_fd, F_DUPFD_CLOEXEC, 3)) < 0)
            return bt_error_set_system(error, errno, "a descriptor cannot be copied");
        pool_task.fds[pool_task.n_fds++] = out;
    }
    if (!bt_pool_submit(self->pool, &pool_task, NULL, error))
        return false;
    (void)bt_fd_steal(&in);
    (void)bt_fd_steal(&out);
    return true;
}

/* The outcome of a picture from the outcome of its task. Nothing a worker says is believed unseen.
 */
static void
judge(const BtPoolOutcome *pool_outcome, BtOutcome *out_outcome)
{
    g_autofree char *reason = bt_pool_outcome_reason(pool_outcome);

    if (pool_outcome->end == BT_TASK_DONE &&
        bt_outcome_is_valid(pool_outcome->bytes, pool_outcome->size, out_outcome) &&
        out_outcome->reason != BT_REASON_CANCELLED && out_outcome->reason != BT_REASON_WORKER)
        return;
    *out_outcome = (BtOutcome){.reason = BT_REASON_WORKER};
    g_strlcpy(out_outcome->sentence, reason != NULL ? reason : "the worker's answer makes no sense",
              sizeof out_outcome->sentence);
}

static BtPoolWait
next_in_process(BtEngine *self, void **out_tag, BtOutcome *out_outcome)
{
    struct pollfd wake = {.fd = self->wake_fd, .events = POLLIN};

    if (poll(&wake, 1, 0) > 0)
        return BT_POOL_WOKEN;
    if (!self->waiting)
        return BT_POOL_IDLE;
    self->waiting = false;
    *out_tag = self->tag;
    *out_outcome = self->outcome;
    return BT_POOL_OUTCOME;
}

/* No task is inside the pool. */
static bool
is_empty(const BtEngine *self)
{
    return bt_pool_failure(self->pool) != NULL ||
           bt_pool_idle(self->pool) == (size_t)bt_pool_workers(self->pool, NULL, 0);
}

BtPoolWait
bt_engine_next(BtEngine *self, uint64_t timeout_ns, void **out_tag, BtOutcome *out_outcome)
{
    struct pollfd wake = {.fd = self->wake_fd, .events = POLLIN};
    g_auto(BtPoolOutcome) outcome = {0};
    BtPoolWait wait;

    if (self->image != NULL)
        return next_in_process(self, out_tag, out_outcome);
    wait = bt_pool_next(self->pool, timeout_ns, &wake, is_empty(self) ? 0 : 1, &outcome);
    if (wait == BT_POOL_OUTCOME) {
        *out_tag = outcome.tag;
        judge(&outcome, out_outcome);
    }
    return wait;
}
