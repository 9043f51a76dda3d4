/* SPDX-License-Identifier: MIT */
#include "run/engine.h"

#include "base/clock.h"
#include "image/codecs.h"

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
    BtReport *report;
    BtPool *pool; /* or, where pictures are processed in this process: */
    BtImage *image;
    bool loaded;        /* libvips is */
    uint64_t n_without; /* workers that were started before */
    bool noticed;       /* what workers lack was told */
    BtItem *item;       /* whose outcome was not yet collected, of this process */
    BtOutcome outcome;
};

/* Workers lack the same things: told once. */
static void
take_notice(void *user, const char *text)
{
    BtEngine *self = user;
    g_autofree char *sentence = g_strdup_printf("workers run without %s", text);

    if (!self->noticed)
        bt_report_notice(self->report, sentence);
    self->noticed = true;
}

BtEngine *
bt_engine_new(const BtRunOptions *options, int n_jobs, BtSignals *signals, BtReport *report,
              GError **error)
{
    g_autoptr(BtEngine) self = g_new0(BtEngine, 1);
    BtPoolOptions pool = {
        .name = "blurthumb",
        .n_slots = n_jobs,
        .start = bt_worker_start,
        .serve = bt_worker_serve,
        .data = &self->worker,
        .notice = take_notice,
        .user = self,
        .retries = 1,
        .task_limit_ns = options->limit_ns,
        .idle_limit_ns = IDLE_LIMIT_NS,
        .tasks_per_worker = options->isolate ? 1 : 0,
        .crash_limit = CRASH_LIMIT,
    };

    self->worker = (BtWorkerOptions){options->image, options->sandbox, options->memory};
    self->report = report;
    if (n_jobs > 0)
        return (self->pool = bt_pool_new(&pool, error)) != NULL ? g_steal_pointer(&self) : NULL;
    self->worker.image.cancelled = bt_signals_cancel; /* workers are killed, not asked */
    self->worker.image.user = signals;
    if ((self->image = bt_image_new(&self->worker.image)) != NULL)
        return g_steal_pointer(&self);
    bt_error_set(error, BT_ERROR_FAILED, "not enough memory to start");
    return NULL;
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

/* The places of the pool, or this process itself. Owned (g_free). */
static BtWorkerInfo *
list_workers(const BtEngine *self, int *out_n)
{
    int n = *out_n = self->pool != NULL ? bt_pool_workers(self->pool, NULL, 0) : 1;
    BtWorkerInfo *infos = g_new0(BtWorkerInfo, (gsize)n);

    if (self->pool != NULL)
        bt_pool_workers(self->pool, infos, n);
    else
        *infos = (BtWorkerInfo){.name = "blurthumb", .pid = getpid(), .state = BT_WORKER_IDLE};
    return infos;
}

int
bt_engine_workers(const BtEngine *self)
{
    int n_slots, n = 0;
    g_autofree BtWorkerInfo *infos = list_workers(self, &n_slots);

    for (int i = 0; i < n_slots; i++)
        n += infos[i].state != BT_WORKER_NONE;
    return self->pool != NULL ? n : BT_REPORT_SERIAL;
}

void
bt_engine_tell_workers(const BtEngine *self)
{
    static const char *const states[] = {
        [BT_WORKER_NONE] = "none", [BT_WORKER_STARTING] = "starting", [BT_WORKER_IDLE] = "idle",
        [BT_WORKER_BUSY] = "busy", [BT_WORKER_ENDING] = "ending",
    };
    uint64_t now_ns = bt_clock_now_ns();
    int n;
    g_autofree BtWorkerInfo *infos = list_workers(self, &n);
    g_autofree BtReportWorker *workers = g_new0(BtReportWorker, (gsize)n);

    for (int i = 0; i < n; i++) {
        const BtItem *item = infos[i].task_tag;

        workers[i] = (BtReportWorker){
            .name = infos[i].name,
            .pid = infos[i].pid,
            .state = states[infos[i].state],
            .path = item != NULL ? item->source->path : NULL,
            .for_ns = infos[i].since_ns > 0 ? now_ns - infos[i].since_ns : 0,
        };
    }
    bt_report_workers(self->report, workers, n);
}

size_t
bt_engine_idle(const BtEngine *self)
{
    return self->pool != NULL ? bt_pool_idle(self->pool) : self->item == NULL;
}

bool
bt_engine_load_vips(BtEngine *self, GError **error)
{
    uint64_t n_died;

    if (self->pool != NULL && !self->loaded)
        bt_pool_counts(self->pool, &self->n_without, &n_died);
    return self->loaded = bt_codecs_load(error) != NULL;
}

bool
bt_engine_submit(BtEngine *self, BtItem *item, GError **error)
{
    BtTask task = {.bytes = &item->work, .size = sizeof item->work, .tag = item};
    g_auto(BtFd) in = -1, out = -1;

    if (!item->work.check && (item->out_fd = bt_worker_result_new(error)) < 0)
        return false;
    item->start_ns = bt_clock_now_ns();
    if (self->image != NULL) {
        in = g_steal_fd(&item->in_fd);
        bt_worker_do(self->image, &item->work, in, item->out_fd, &self->outcome);
        self->item = item;
        return true;
    }
    if (self->worker.memory < item->work.memory)
        bt_pool_renew(self->pool);
    self->worker.memory = MAX(self->worker.memory, item->work.memory);
    if (item->needs_vips)
        task.n_unfit = self->n_without;
    task.fds[task.n_fds++] = in = g_steal_fd(&item->in_fd);
    if (!item->work.check) {
        if ((out = fcntl(item->out_fd, F_DUPFD_CLOEXEC, 3)) < 0)
            return bt_error_set_system(error, errno, "cannot copy a descriptor");
        task.fds[task.n_fds++] = out;
    }
    if (!bt_pool_submit(self->pool, &task, NULL, error))
        return false;
    (void)g_steal_fd(&in);
    (void)g_steal_fd(&out);
    return true;
}

/* The outcome of a picture from the outcome of its task. Nothing a worker says is believed unseen.
 * A task that the pool gave up on was not done, and nothing is wrong with its picture. */
static void
judge(BtEngine *self, const BtPoolOutcome *pool_outcome, BtOutcome *out_outcome)
{
    const BtItem *item = pool_outcome->tag;
    g_autofree char *reason = bt_pool_outcome_reason(pool_outcome);

    if (pool_outcome->end == BT_TASK_DONE) {
        if (bt_worker_read_reply(&item->work, &self->worker.image,
                                 bt_clock_now_ns() - item->start_ns, pool_outcome->bytes,
                                 pool_outcome->size, out_outcome))
            return;
        bt_engine_distrust(self);
    }
    *out_outcome = (BtOutcome){0};
    bt_outcome_fail(out_outcome,
                    pool_outcome->end == BT_TASK_ABANDONED ? BT_REASON_CANCELLED : BT_REASON_WORKER,
                    "%s", reason != NULL ? reason : BT_ENGINE_NONSENSE);
}

/* A picture of this process is done when it was submitted. */
static BtPoolWait
next_here(BtEngine *self, uint64_t timeout_ns, struct pollfd *beside, size_t n_beside,
          BtItem **out_item, BtOutcome *out_outcome)
{
    uint64_t until_ns = bt_clock_moment(bt_clock_now_ns(), self->item != NULL ? 0 : timeout_ns);
    bool woken = bt_clock_poll(beside, n_beside, until_ns) > 0;

    if (self->item == NULL)
        return woken ? BT_POOL_WOKEN : BT_POOL_TIMEOUT;
    *out_item = g_steal_pointer(&self->item);
    *out_outcome = self->outcome;
    return BT_POOL_OUTCOME;
}

BtPoolWait
bt_engine_next(BtEngine *self, uint64_t timeout_ns, struct pollfd *beside, size_t n_beside,
               BtItem **out_item, BtOutcome *out_outcome)
{
    g_auto(BtPoolOutcome) outcome = {0};
    BtPoolWait wait;

    if (self->image != NULL)
        return next_here(self, timeout_ns, beside, n_beside, out_item, out_outcome);
    wait = bt_pool_next(self->pool, timeout_ns, beside, n_beside, &outcome);
    if (wait == BT_POOL_OUTCOME) {
        *out_item = outcome.tag;
        judge(self, &outcome, out_outcome);
    }
    return wait;
}

void
bt_engine_distrust(BtEngine *self)
{
    if (self->pool != NULL)
        bt_pool_renew(self->pool);
}

const GError *
bt_engine_failure(const BtEngine *self)
{
    return self->pool != NULL ? bt_pool_failure(self->pool) : NULL;
}
