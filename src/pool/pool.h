/* SPDX-License-Identifier: MIT */
/*
 * A pool of forked workers. Tasks are bytes and descriptors; the pool knows nothing of what they
 * mean. It runs in the supervisor: one thread, one ppoll() over pidfds and channels, no signal
 * handlers, no main loop.
 *
 *   BtPoolOptions options = {.name = "photo", .n_slots = 4, .serve = serve, .data = &settings};
 *   g_autoptr(BtPool) pool = bt_pool_new(&options, &error);    forks nothing yet
 *   bt_pool_submit(pool, &task, &id, &error);                  starts a worker when one is needed
 *   bt_pool_next(pool, BT_CLOCK_FOREVER, NULL, 0, &outcome)     outcomes as they complete
 *   bt_pool_map(pool, ...)                                     or: all of them, in order
 *   bt_pool_free(pool)                                         kills what still runs, reaps all
 *
 * Invariants
 *   - Every submitted task yields exactly one outcome, whatever happens to workers, but for the
 *     tasks that are in the pool when it is freed.
 *   - A slot holds at most one worker, and a worker at most one task. A worker that dies, speaks
 *     nonsense or runs past the time limit costs its own task at most: it is killed, reaped and
 *     replaced, and the task is tried once more in a fresh worker (`retries`). A reply that was
 *     sent before dying counts. A task is blamed only for what happened after a worker read it.
 *   - A worker is started when a task waits and no idle worker exists, so fewer tasks than slots
 *     start fewer workers. It is replaced before it gets a task that it is unfit for (n_unfit), or
 *     any where it was idle longer than idle_limit_ns.
 *   - The pool gives up for one of three reasons, and bt_pool_failure() says which:
 *       workers keep crashing (BT_ERROR_EXHAUSTED): `crash_limit` deaths in a row without one DONE
 *       between them, with a growing pause (1 ms doubling to 1 s) between starts from the second
 *       death on;
 *       no worker can be started (BT_ERROR_SYSTEM): the system refused for half a second, and no
 *       other worker was running. While one is running, tasks wait for it;
 *       a worker reports that it cannot start (BT_ERROR_FAILED): the next could not either.
 *     Then every task inside ends as ABANDONED, and submit fails with that reason.
 *   - Time in which the batch was stopped (Ctrl-Z, SIGSTOP, a frozen cgroup) does not count towards
 *     limits. While a limit runs, the pool looks at the clock at least every 100 ms; of a longer
 *     gap between two looks only 100 ms count. A caller that stays away looks like a stop; each of
 *     its calls still counts up to 100 ms, so a limit always ends.
 *   - The process that forks has one thread: checked at each fork.
 *
 * A worker keeps the descriptors 0, 1 and 2 and its channel, and leaves when that closes. In the
 * supervisor 0, 1 and 2 must be open, so that no channel gets one of these numbers.
 */
#ifndef BT_POOL_POOL_H
#define BT_POOL_POOL_H

#include "base/error.h"
#include "pool/channel.h"
#include "pool/process.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define BT_POOL_SLOTS_MAX        4096
#define BT_POOL_QUEUE_MAX        1048576
#define BT_POOL_BESIDE_MAX       8    /* descriptors of the caller's */
#define BT_POOL_NOTICE_BYTES_MAX 1024 /* of what a start has to say, without its 0 */

typedef struct BtPool BtPool;

/* A task as a worker sees it. Everything is lent: bytes and descriptors go after serve returns. */
typedef struct BtTaskView {
    uint64_t id;
    const void *bytes;
    size_t size;
    const int *fds;
    int n_fds;
    int attempt; /* 1, or 2 when an earlier worker died over it */
} BtTaskView;

/* In the worker, once, before its first task: data as in the options; what it returns is handed to
 * serve as its state. What it appends to notice (up to BT_POOL_NOTICE_BYTES_MAX bytes of it) is for
 * the supervisor. NULL with *error when it cannot start: the pool gives up with that sentence.
 * NULL in the options: the state is data itself. */
typedef void *(*BtPoolStart)(void *data, GString *notice, GError **error);

/* In the supervisor, from within bt_pool_next(): what the start of a worker had to say, unless that
 * was nothing. Any bytes but 0, of any meaning. */
typedef void (*BtPoolNotice)(void *user, const char *text);

/* In the worker, for each task: writes at most BT_FRAME_BYTES_MAX bytes into reply and returns
 * their number. It may be run again on the same task in another process: file offsets are where the
 * dead worker left them. */
typedef size_t (*BtPoolServe)(void *state, const BtTaskView *task, void *reply);

typedef struct BtPoolOptions {
    const char *name;   /* workers are NAME-0, NAME-1, ...; at most 10 bytes; copied */
    int n_slots;        /* >= 1 */
    size_t queue_limit; /* tasks that may wait for a slot; 0: as many as slots */
    BtPoolStart start;  /* or NULL */
    BtPoolServe serve;
    void *data;
    BtPoolNotice notice;    /* or NULL: dropped */
    void *user;             /* for notice */
    int retries;            /* further tries after a worker died over a task; usually 1 */
    uint64_t task_limit_ns; /* kill a worker that is longer at one task, or at starting; 0: none */
    uint64_t idle_limit_ns; /* 0: none */
    uint64_t tasks_per_worker; /* replace a worker after so many; 0: no limit */
    int crash_limit;           /* 0: 16, or twice n_slots where that is more */
} BtPoolOptions;

typedef struct BtTask {
    const void *bytes; /* copied by submit */
    size_t size;       /* <= BT_FRAME_BYTES_MAX */
    int fds[BT_FRAME_FDS_MAX];
    int n_fds;
    uint64_t n_unfit; /* not for the first so many workers that were started (bt_pool_counts) */
    void *tag;        /* handed back with the outcome, never touched */
} BtTask;

typedef enum BtTaskEnd {
    BT_TASK_DONE,      /* bytes hold the reply */
    BT_TASK_KILLED,    /* the worker was killed by signal `detail` */
    BT_TASK_EXITED,    /* the worker left with exit code `detail` */
    BT_TASK_OVERTIME,  /* longer than task_limit_ns: the worker was killed by us */
    BT_TASK_NONSENSE,  /* the worker said something that is not a reply to its task */
    BT_TASK_ABANDONED, /* the pool gave up: bt_pool_failure() */
} BtTaskEnd;

typedef struct BtPoolOutcome {
    uint64_t id;
    void *tag;
    BtTaskEnd end;
    int detail;
    void *bytes; /* owned: bt_pool_outcome_clear() */
    size_t size;
    int attempts;                  /* workers that had it: 0, 1 or more */
    pid_t pid;                     /* the last of them */
    uint64_t started_ns, ended_ns; /* of the last attempt; started 0 if none */
} BtPoolOutcome;

typedef enum BtPoolWait {
    BT_POOL_OUTCOME, /* one outcome was written */
    BT_POOL_IDLE,    /* no task is inside, and nothing beside: there is nothing to wait for */
    BT_POOL_TIMEOUT,
    BT_POOL_WOKEN, /* one of the caller's descriptors is ready */
} BtPoolWait;

typedef enum BtWorkerState {
    BT_WORKER_NONE,     /* the slot is empty */
    BT_WORKER_STARTING, /* forked, and not yet ready */
    BT_WORKER_IDLE,
    BT_WORKER_BUSY,
    BT_WORKER_ENDING, /* killed, or without its channel; to be reaped */
} BtWorkerState;

typedef struct BtWorkerInfo {
    char name[BT_PROCESS_NAME_BYTES];
    pid_t pid; /* 0 in an empty slot */
    BtWorkerState state;
    void *task_tag;    /* when busy, and when ending over a task; else NULL */
    uint64_t since_ns; /* since when in this state */
} BtWorkerInfo;

/* Checks the options; forks nothing. */
BT_MUST_CHECK BtPool *bt_pool_new(const BtPoolOptions *options, GError **error);

/* Kills and reaps every worker, drops every task, closes what it holds. NULL allowed. */
void bt_pool_free(BtPool *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtPool, bt_pool_free)

/* Why the pool gave up; NULL while it works. Lent, until it is freed. */
const GError *bt_pool_failure(const BtPool *self);

/* Every worker of now is replaced before it gets another task: by a fork of this process as it is
 * then. */
void bt_pool_renew(BtPool *self);

/* How many tasks submit takes now: free slots and room in the queue. */
size_t bt_pool_room(const BtPool *self);

/* How many tasks would start at once: slots without a task, less tasks that wait. */
size_t bt_pool_idle(const BtPool *self);

/* Takes a task: copies its bytes, and owns its descriptors from here on. On failure (BT_ERROR_FULL
 * when there is no room, BT_ERROR_INVALID, that of bt_pool_failure()) the descriptors stay the
 * caller's. Never waits. out_id may be NULL. */
BT_MUST_CHECK bool bt_pool_submit(BtPool *self, const BtTask *task, uint64_t *out_id,
                                  GError **error);

/* Waits at most timeout_ns for the next outcome, in the order of completion; does all the pool's
 * work meanwhile. It waits for the n_beside descriptors of beside (a signalfd, say) as well, and
 * writes their revents, 0 where it had no need to wait. An outcome comes before WOKEN, so whoever
 * takes a row of them looks at revents too. out_outcome is written on OUTCOME only. */
BT_MUST_CHECK BtPoolWait bt_pool_next(BtPool *self, uint64_t timeout_ns, struct pollfd *beside,
                                      size_t n_beside, BtPoolOutcome *out_outcome);

void bt_pool_outcome_clear(BtPoolOutcome *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BtPoolOutcome, bt_pool_outcome_clear)

/* Gives the next task, or false when there are no more. Runs in the supervisor. */
typedef bool (*BtPoolSource)(void *user, BtTask *out_task);

/* Takes outcome number `index`; its bytes are lent. Returns false to stop the map early. */
typedef bool (*BtPoolSink)(void *user, uint64_t index, const BtPoolOutcome *outcome);

/* Runs every task of source through the pool and hands the outcomes to sink in the order of the
 * tasks, in constant memory. The pool must be empty before, and is after: tasks that a map which
 * ends early leaves behind are dropped, or finished and forgotten. False with *error when a task
 * could not be submitted; its descriptors are closed. */
BT_MUST_CHECK bool bt_pool_map(BtPool *self, BtPoolSource source, BtPoolSink sink, void *user,
                               GError **error);

/* Writes up to n slots' states, in slot order; returns the number of slots. */
int bt_pool_workers(const BtPool *self, BtWorkerInfo *out_infos, int n);

/* How many workers were started so far, and how many of them died over a task or while idle. */
void bt_pool_counts(const BtPool *self, uint64_t *out_started, uint64_t *out_died);

/* One clause for people: "the worker was killed by signal 11 (Segmentation fault)". Owned (g_free).
 * NULL for DONE. */
char *bt_pool_outcome_reason(const BtPoolOutcome *outcome);

#endif
