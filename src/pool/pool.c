/* SPDX-License-Identifier: MIT */
#include "pool/pool.h"

#include "base/clock.h"
#include "pool/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define NAME_BYTES_MAX 10
#define CRASH_LIMIT    16
/* How many deaths one before a worker was ready counts as: no task is to blame for it, so the next
 * start will hardly end better. With pauses of up to a second and a batch's limit of 64 the pool
 * gives up after some six seconds so, and not after a minute. */
#define UNREADY_DEATHS 4
#define PAUSE_FIRST_NS BT_NS_PER_MS
#define PAUSE_LAST_NS  BT_NS_PER_S
/* A refused start is tried again: as long as another worker is running, otherwise this often. */
#define REFUSED_PAUSE_NS (100 * BT_NS_PER_MS)
#define REFUSED_LIMIT    6
/* While a limit runs: the longest wait, and the most that a gap between looks at the clock counts.
 */
#define TICK_NS (100 * BT_NS_PER_MS)

struct BtPool {
    BtPoolOptions options; /* points to: */
    char *name;
    BtSlot *slots;
    struct pollfd *polled; /* all channels, all pidfds, those of the caller */
    void *buffer;          /* for one frame */
    uint64_t seen_ns;      /* the last look at the clock */

    GQueue waiting;  /* of BtPoolTask: no worker has it yet */
    GQueue ended;    /* of BtPoolTask: its outcome was not yet collected */
    size_t n_inside; /* tasks that have not ended */
    uint64_t last_id;

    int n_deaths;           /* since the last DONE */
    uint64_t pause_ns;      /* after the last of them */
    int n_refused;          /* starts in a row that failed while no worker was there */
    uint64_t next_start_ns; /* no worker is started before */
    GError *failure;        /* the pool gave up */
    uint64_t n_started, n_died;
    uint64_t n_old; /* of the started, those that get no further task */
};

/* A map that runs. Outcome number i waits at ring[i % window] for those before it. */
typedef struct Map {
    BtPool *pool;
    BtPoolSource source;
    BtPoolSink sink;
    void *user;
    BtPoolOutcome *ring; /* id 0: empty */
    size_t window;
    uint64_t first_id;
    uint64_t n_pulled, n_sunk;
    bool more; /* the source may have more */
} Map;

/* The time now. What exceeds a tick since the last look does not count towards limits. */
static uint64_t
look_at_clock(BtPool *self)
{
    uint64_t now_ns = bt_clock_now_ns(), gap_ns = now_ns - self->seen_ns;

    self->seen_ns = now_ns;
    for (int i = 0; gap_ns > TICK_NS && i < self->options.n_slots; i++) {
        BtSlot *slot = &self->slots[i];

        slot->until_ns = bt_clock_moment(slot->until_ns, gap_ns - TICK_NS);
    }
    return now_ns;
}

/* The task leaves the pool, but for its outcome. */
static void
finish(BtPool *self, BtPoolTask *task, BtTaskEnd end, int detail, uint64_t now_ns)
{
    bt_pool_task_end(task, end, detail, now_ns);
    g_queue_push_tail(&self->ended, task);
    self->n_inside--;
}

static void
abandon(BtPool *self, BtPoolTask *task, uint64_t now_ns)
{
    if (task != NULL)
        finish(self, task, BT_TASK_ABANDONED, 0, now_ns);
}

/* Takes the reason. */
static void
give_up(BtPool *self, GError *reason, uint64_t now_ns)
{
    self->failure = reason;
    for (int i = 0; i < self->options.n_slots; i++) {
        BtSlot *slot = &self->slots[i];

        abandon(self, g_steal_pointer(&slot->task), now_ns);
        abandon(self, g_steal_pointer(&slot->retry), now_ns);
        if (slot->state != BT_WORKER_NONE)
            bt_slot_condemn(slot, BT_TASK_DONE);
    }
    while (self->waiting.length > 0)
        abandon(self, g_queue_pop_head(&self->waiting), now_ns);
}

/* A worker died, which counts as so many deaths. */
static void
note_death(BtPool *self, int n_deaths, uint64_t now_ns)
{
    bool first = self->n_deaths == 0;

    self->n_deaths += n_deaths;
    if (!first)
        self->pause_ns = CLAMP(2 * self->pause_ns, PAUSE_FIRST_NS, PAUSE_LAST_NS);
    else
        self->pause_ns = 0;
    self->next_start_ns = now_ns + self->pause_ns;
    if (self->n_deaths >= self->options.crash_limit)
        give_up(self, g_error_new(BT_ERROR, BT_ERROR_EXHAUSTED, "giving up: workers keep crashing"),
                now_ns);
}

static bool
has_worker(const BtPool *self)
{
    for (int i = 0; i < self->options.n_slots; i++) {
        BtWorkerState state = self->slots[i].state;

        if (state != BT_WORKER_NONE && state != BT_WORKER_ENDING)
            return true;
    }
    return false;
}

static bool
start_worker(BtPool *self, BtSlot *slot, uint64_t now_ns)
{
    g_autoptr(GError) error = NULL;

    if (bt_slot_start(slot, now_ns, &error)) {
        slot->number = self->n_started++;
        self->n_refused = 0;
        return true;
    }
    if (slot->retry != NULL) /* a worker that is not fresh is better than none */
        g_queue_push_head(&self->waiting, g_steal_pointer(&slot->retry));
    self->next_start_ns = now_ns + REFUSED_PAUSE_NS;
    self->n_refused = has_worker(self) ? 0 : self->n_refused + 1;
    if (self->n_refused == REFUSED_LIMIT)
        give_up(self, g_steal_pointer(&error), now_ns);
    return false;
}

/* Gives the idle worker the task that is next for it, if any. */
static void
feed(BtPool *self, BtSlot *slot, uint64_t now_ns)
{
    uint64_t limit_ns = self->options.idle_limit_ns;
    BtPoolTask *task = slot->retry != NULL ? slot->retry : g_queue_peek_head(&self->waiting);

    if (task == NULL)
        return;
    if (slot->number < MAX(task->n_unfit, self->n_old) ||
        (limit_ns > 0 && now_ns - slot->since_ns > limit_ns))
        bt_slot_condemn(slot, BT_TASK_DONE);
    else if (!bt_slot_give(slot, task, now_ns))
        return;
    else if (task == slot->retry)
        slot->retry = NULL;
    else
        g_queue_pop_head(&self->waiting);
}

/* Hands tasks to idle workers, and starts workers for those that remain. Returns the moment at
 * which it can do more without anything else happening. */
static uint64_t
dispatch(BtPool *self, uint64_t now_ns)
{
    size_t n_coming = 0; /* workers that will take a waiting task once they are ready */

    for (int i = 0; i < self->options.n_slots; i++) {
        BtSlot *slot = &self->slots[i];

        if (slot->state == BT_WORKER_IDLE)
            feed(self, slot, now_ns);
        n_coming += slot->state == BT_WORKER_STARTING && slot->retry == NULL;
    }
    for (int i = 0; i < self->options.n_slots; i++) {
        BtSlot *slot = &self->slots[i];
        bool needed = slot->retry != NULL || n_coming < self->waiting.length;

        if (slot->state != BT_WORKER_NONE || !needed)
            continue;
        if (now_ns < self->next_start_ns)
            return self->next_start_ns;
        if (!start_worker(self, slot, now_ns))
            return now_ns;
        n_coming += slot->retry == NULL;
    }
    return BT_CLOCK_FOREVER;
}

static void
bury(BtPool *self, BtSlot *slot, uint64_t now_ns)
{
    BtTaskEnd end;
    int detail;
    BtPoolTask *task = bt_slot_bury(slot, &end, &detail);

    if (task != NULL) {
        if (task->outcome.attempts > self->options.retries)
            finish(self, task, end, detail, now_ns);
        else
            slot->retry = task;
    }
    if (end != BT_TASK_DONE) {
        self->n_died++;
        note_death(self, slot->ready ? 1 : UNREADY_DEATHS, now_ns);
    }
}

static void
hear(BtPool *self, BtSlot *slot, uint64_t now_ns)
{
    uint64_t n_tasks_limit = self->options.tasks_per_worker;
    GError *unfit = NULL;
    BtPoolTask *done = bt_slot_hear(slot, self->buffer, now_ns, &unfit);

    if (unfit != NULL)
        give_up(self, unfit, now_ns);
    if (done == NULL)
        return;
    self->n_deaths = 0;
    finish(self, done, BT_TASK_DONE, 0, now_ns);
    if (n_tasks_limit > 0 && slot->n_tasks >= n_tasks_limit)
        bt_slot_condemn(slot, BT_TASK_DONE);
}

/* Waits until until_ns, or until something happens, and deals with it. Every worker is heard before
 * a death is judged: a reply that was sent before dying counts. Returns whether one of the caller's
 * descriptors is ready. */
static bool
turn(BtPool *self, uint64_t until_ns, struct pollfd *beside, size_t n_beside)
{
    int n_slots = self->options.n_slots;
    struct pollfd *channels = self->polled, *processes = channels + n_slots,
                  *callers = processes + n_slots;
    bool ready = false;
    uint64_t now_ns;

    for (int i = 0; i < n_slots; i++) {
        const BtSlot *slot = &self->slots[i];

        channels[i] = (struct pollfd){.fd = slot->channel_fd, .events = POLLIN};
        processes[i] = (struct pollfd){.fd = slot->process.pidfd, .events = POLLIN};
        until_ns = MIN(until_ns, slot->until_ns);
        if (slot->until_ns != BT_CLOCK_FOREVER)
            until_ns = MIN(until_ns, self->seen_ns + TICK_NS);
    }
    for (size_t i = 0; i < n_beside; i++)
        callers[i] = beside[i];
    if (bt_clock_poll(self->polled, 2 * (nfds_t)n_slots + n_beside, until_ns) < 0)
        return false;
    for (size_t i = 0; i < n_beside; i++) {
        beside[i].revents = callers[i].revents;
        ready |= callers[i].revents != 0;
    }
    now_ns = look_at_clock(self);
    for (int i = 0; i < n_slots; i++)
        if (channels[i].revents != 0 || processes[i].revents != 0)
            hear(self, &self->slots[i], now_ns);
    for (int i = 0; i < n_slots; i++) {
        if (processes[i].revents != 0)
            bury(self, &self->slots[i], now_ns);
        else
            bt_slot_expire(&self->slots[i], now_ns);
    }
    return ready;
}

static bool
set_failure(const BtPool *self, GError **error)
{
    g_propagate_error(error, g_error_copy(self->failure));
    return false;
}

static bool
check_options(const BtPoolOptions *options, GError **error)
{
    struct rlimit files;
    size_t name_bytes = options->name != NULL ? strlen(options->name) : 0;

    if (name_bytes == 0 || name_bytes > NAME_BYTES_MAX)
        return bt_error_set(error, BT_ERROR_INVALID, "a pool's name has 1 to %d bytes",
                            NAME_BYTES_MAX);
    if (options->n_slots < 1 || options->n_slots > BT_POOL_SLOTS_MAX)
        return bt_error_set(error, BT_ERROR_INVALID, "a pool has 1 to %d slots", BT_POOL_SLOTS_MAX);
    /* ppoll() refuses more entries than a process may have descriptors. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
        files.rlim_cur < 2 * (rlim_t)options->n_slots + BT_POOL_BESIDE_MAX)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%d slots need twice as many descriptors and %d, and the limit is %lu",
                            options->n_slots, BT_POOL_BESIDE_MAX, (unsigned long)files.rlim_cur);
    if (options->queue_limit > BT_POOL_QUEUE_MAX)
        return bt_error_set(error, BT_ERROR_INVALID, "a pool's queue has room for %d tasks at most",
                            BT_POOL_QUEUE_MAX);
    if (options->serve == NULL)
        return bt_error_set(error, BT_ERROR_INVALID, "a pool needs something to serve");
    if (options->retries < 0 || options->crash_limit < 0)
        return bt_error_set(error, BT_ERROR_INVALID, "a pool's options are not negative");
    return true;
}

static bool
check_task(const BtTask *task, GError **error)
{
    if (task->size > BT_FRAME_BYTES_MAX || (task->size > 0 && task->bytes == NULL))
        return bt_error_set(error, BT_ERROR_INVALID, "a task has at most %d bytes",
                            BT_FRAME_BYTES_MAX);
    if (task->n_fds < 0 || task->n_fds > BT_FRAME_FDS_MAX)
        return bt_error_set(error, BT_ERROR_INVALID, "a task has at most %d descriptors",
                            BT_FRAME_FDS_MAX);
    for (int i = 0; i < task->n_fds; i++)
        if (fcntl(task->fds[i], F_GETFD) < 0 && errno == EBADF)
            return bt_error_set(error, BT_ERROR_INVALID, "descriptor %d of a task is not open",
                                task->fds[i]);
    return true;
}

static size_t
capacity(const BtPool *self)
{
    return (size_t)self->options.n_slots + self->options.queue_limit;
}

static void
free_task(void *task)
{
    bt_pool_task_free(task);
}

/* Empties the pool: what waits is dropped, what runs is finished. */
static void
drop_tasks(BtPool *self)
{
    BtPoolTask *task;
    BtPoolWait wait;

    while ((task = g_queue_pop_head(&self->waiting)) != NULL)
        abandon(self, task, look_at_clock(self));
    do {
        g_auto(BtPoolOutcome) outcome = {0};

        wait = bt_pool_next(self, BT_CLOCK_FOREVER, NULL, 0, &outcome);
    } while (wait != BT_POOL_IDLE);
}

static bool
pull(Map *map, GError **error)
{
    while (map->more && map->n_pulled - map->n_sunk < map->window && bt_pool_room(map->pool) > 0) {
        BtTask task = {0};

        map->more = map->source(map->user, &task);
        if (!map->more)
            break;
        if (!bt_pool_submit(map->pool, &task, NULL, error)) {
            for (int i = 0; i < MIN(task.n_fds, BT_FRAME_FDS_MAX); i++)
                bt_fd_clear(&task.fds[i]);
            return false;
        }
        map->n_pulled++;
    }
    return true;
}

/* Hands on the outcomes whose turn it is. False when the sink has had enough. */
static bool
sink_due(Map *map)
{
    BtPoolOutcome *due;
    bool go_on = true;

    while (go_on && (due = &map->ring[map->n_sunk % map->window])->id != 0) {
        go_on = map->sink(map->user, map->n_sunk++, due);
        bt_pool_outcome_clear(due);
        due->id = 0;
    }
    return go_on;
}

static bool
run_map(Map *map, GError **error)
{
    BtPoolOutcome outcome;

    do {
        if (!pull(map, error))
            return false;
        if (bt_pool_next(map->pool, BT_CLOCK_FOREVER, NULL, 0, &outcome) == BT_POOL_IDLE)
            return !map->more || set_failure(map->pool, error);
        map->ring[(outcome.id - map->first_id) % map->window] = outcome;
    } while (sink_due(map));
    return true;
}

BtPool *
bt_pool_new(const BtPoolOptions *options, GError **error)
{
    BtPool *self;
    size_t n_slots;

    if (!check_options(options, error))
        return NULL;
    self = g_new0(BtPool, 1);
    n_slots = (size_t)options->n_slots;
    self->options = *options;
    self->options.name = self->name = g_strdup(options->name);
    if (options->queue_limit == 0)
        self->options.queue_limit = n_slots;
    if (options->crash_limit == 0)
        self->options.crash_limit = MAX(CRASH_LIMIT, 2 * options->n_slots);
    self->slots = g_new(BtSlot, n_slots);
    for (size_t i = 0; i < n_slots; i++)
        bt_slot_init(&self->slots[i], &self->options, (int)i);
    self->polled = g_new(struct pollfd, 2 * n_slots + BT_POOL_BESIDE_MAX);
    self->buffer = g_malloc(BT_FRAME_BYTES_MAX);
    self->seen_ns = bt_clock_now_ns();
    g_queue_init(&self->waiting);
    g_queue_init(&self->ended);
    return self;
}

void
bt_pool_free(BtPool *self)
{
    if (self == NULL)
        return;
    /* All at once, then one after the other. */
    for (int i = 0; i < self->options.n_slots; i++)
        bt_process_signal(&self->slots[i].process, SIGKILL);
    for (int i = 0; i < self->options.n_slots; i++)
        bt_slot_clear(&self->slots[i]);
    g_queue_clear_full(&self->waiting, free_task);
    g_queue_clear_full(&self->ended, free_task);
    g_clear_error(&self->failure);
    g_free(self->slots);
    g_free(self->polled);
    g_free(self->buffer);
    g_free(self->name);
    g_free(self);
}

const GError *
bt_pool_failure(const BtPool *self)
{
    return self->failure;
}

void
bt_pool_renew(BtPool *self)
{
    self->n_old = self->n_started;
}

size_t
bt_pool_room(const BtPool *self)
{
    return self->failure != NULL ? 0 : capacity(self) - self->n_inside;
}

size_t
bt_pool_idle(const BtPool *self)
{
    size_t n_slots = (size_t)self->options.n_slots;

    return self->failure != NULL || self->n_inside > n_slots ? 0 : n_slots - self->n_inside;
}

bool
bt_pool_submit(BtPool *self, const BtTask *task, uint64_t *out_id, GError **error)
{
    uint64_t now_ns = look_at_clock(self);

    if (!check_task(task, error))
        return false;
    if (self->failure != NULL)
        return set_failure(self, error);
    if (bt_pool_room(self) == 0)
        return bt_error_set(error, BT_ERROR_FULL, "the pool is full");
    g_queue_push_tail(&self->waiting, bt_pool_task_new(++self->last_id, task));
    self->n_inside++;
    if (out_id != NULL)
        *out_id = self->last_id;
    dispatch(self, now_ns);
    return true;
}

BtPoolWait
bt_pool_next(BtPool *self, uint64_t timeout_ns, struct pollfd *beside, size_t n_beside,
             BtPoolOutcome *out_outcome)
{
    uint64_t now_ns = look_at_clock(self);
    uint64_t until_ns = bt_clock_moment(now_ns, timeout_ns);
    bool woken = false;

    g_assert(n_beside <= BT_POOL_BESIDE_MAX);
    for (size_t i = 0; i < n_beside; i++)
        beside[i].revents = 0;
    for (bool first = true;; first = false) {
        uint64_t wake_ns = dispatch(self, now_ns);
        g_autoptr(BtPoolTask) task = g_queue_pop_head(&self->ended);

        if (task != NULL) {
            *out_outcome = task->outcome;
            task->outcome.bytes = NULL;
            return BT_POOL_OUTCOME;
        }
        if (woken)
            return BT_POOL_WOKEN;
        if (self->n_inside == 0 && n_beside == 0)
            return BT_POOL_IDLE;
        if (!first && now_ns >= until_ns)
            return BT_POOL_TIMEOUT;
        woken = turn(self, MIN(until_ns, wake_ns), beside, n_beside);
        now_ns = look_at_clock(self);
    }
}

void
bt_pool_outcome_clear(BtPoolOutcome *self)
{
    g_clear_pointer(&self->bytes, g_free);
    self->size = 0;
}

bool
bt_pool_map(BtPool *self, BtPoolSource source, BtPoolSink sink, void *user, GError **error)
{
    size_t window = capacity(self) + (size_t)self->options.n_slots;
    g_autofree BtPoolOutcome *ring = g_new0(BtPoolOutcome, window);
    Map map = {
        .pool = self,
        .source = source,
        .sink = sink,
        .user = user,
        .ring = ring,
        .window = window,
        .first_id = self->last_id + 1,
        .more = true,
    };
    bool good;

    if (self->n_inside > 0 || self->ended.length > 0)
        return bt_error_set(error, BT_ERROR_INVALID, "a map needs an empty pool");
    good = run_map(&map, error);
    drop_tasks(self);
    for (size_t i = 0; i < window; i++)
        bt_pool_outcome_clear(&ring[i]);
    return good;
}

int
bt_pool_workers(const BtPool *self, BtWorkerInfo *out_infos, int n)
{
    for (int i = 0; i < MIN(n, self->options.n_slots); i++) {
        const BtSlot *slot = &self->slots[i];
        BtWorkerInfo *info = &out_infos[i];

        *info = (BtWorkerInfo){
            .pid = slot->process.pid,
            .state = slot->state,
            .task_tag = slot->task != NULL ? slot->task->outcome.tag : NULL,
            .since_ns = slot->since_ns,
        };
        g_strlcpy(info->name, slot->name, sizeof info->name);
    }
    return self->options.n_slots;
}

void
bt_pool_counts(const BtPool *self, uint64_t *out_started, uint64_t *out_died)
{
    *out_started = self->n_started;
    *out_died = self->n_died;
}

char *
bt_pool_outcome_reason(const BtPoolOutcome *outcome)
{
    switch (outcome->end) {
    case BT_TASK_DONE:
        return NULL;
    case BT_TASK_KILLED:
        return g_strdup_printf("the worker was killed by signal %d (%s)", outcome->detail,
                               g_strsignal(outcome->detail));
    case BT_TASK_EXITED:
        return g_strdup_printf("the worker exited with code %d", outcome->detail);
    case BT_TASK_OVERTIME:
        return g_strdup("the worker took longer than allowed and was killed");
    case BT_TASK_NONSENSE:
        return g_strdup("the worker sent an invalid reply and was killed");
    case BT_TASK_ABANDONED:
        return g_strdup("the pool gave up before it was done");
    }
    return g_strdup("it ended for an unknown reason");
}
