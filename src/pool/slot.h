/* SPDX-License-Identifier: MIT */
/*
 * One place in the pool: at most one worker, with at most one task. It owns the worker's process,
 * the supervisor's end of its channel, and the tasks in it. Supervisor.
 *
 *   BtSlot slot;
 *   bt_slot_init(&slot, &options, index);
 *   bt_slot_start(&slot, now_ns, &error)        NONE -> STARTING
 *   bt_slot_hear(&slot, buffer, now_ns, &error) STARTING -> IDLE, BUSY -> IDLE with a task done
 *   bt_slot_give(&slot, task, now_ns)           IDLE -> BUSY
 *   bt_slot_bury(&slot, &end, &detail)          any -> NONE, once the process has ended
 *   bt_slot_clear(&slot)
 *
 * A worker whose time has come is ENDING until it is buried: nothing here waits for a process to
 * die. One that closes its channel has a second to leave by itself, so that its own exit code or
 * signal is what counts. Follows nginx's ngx_process_t.
 */
#ifndef BT_POOL_SLOT_H
#define BT_POOL_SLOT_H

#include "pool/pool.h"

/* A task inside a pool, from submit to outcome. Owns a copy of its bytes, its descriptors until it
 * ends (another attempt needs them again), and the outcome, which is filled in on the way. */
typedef struct BtPoolTask {
    BtPoolOutcome outcome;
    BtFrame frame; /* as a worker gets it */
    uint64_t n_unfit;
    unsigned char bytes[];
} BtPoolTask;

/* Copies the bytes and takes the descriptors of a task that was found valid. */
BtPoolTask *bt_pool_task_new(uint64_t id, const BtTask *task);

/* Nobody works on it from here on. */
void bt_pool_task_end(BtPoolTask *self, BtTaskEnd end, int detail, uint64_t now_ns);

void bt_pool_task_free(BtPoolTask *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtPoolTask, bt_pool_task_free)

typedef struct BtSlot {
    const BtPoolOptions *options; /* the pool's */
    char name[BT_PROCESS_NAME_BYTES];
    BtProcess process;
    BtFd channel_fd; /* -1 where the worker can say nothing any more */
    BtWorkerState state;
    bool ready;        /* the worker has said so */
    uint64_t number;   /* of the worker: how many were started before it, by the pool */
    BtTaskEnd verdict; /* on a worker that is ENDING: why; KILLED: what the process says itself */
    BtPoolTask *task;  /* the worker has it */
    BtPoolTask *retry; /* waits here for a fresh worker: an earlier one died with it */
    uint64_t since_ns; /* since when in this state */
    uint64_t until_ns; /* how long it may last; BT_CLOCK_FOREVER: no limit */
    uint64_t n_tasks;  /* done by this worker */
} BtSlot;

void bt_slot_init(BtSlot *self, const BtPoolOptions *options, int index);

/* Kills and reaps the worker, drops the tasks. */
void bt_slot_clear(BtSlot *self);

/* Forks a worker into the empty slot. On failure (BT_ERROR_SYSTEM) the slot stays empty. */
BT_MUST_CHECK bool bt_slot_start(BtSlot *self, uint64_t now_ns, GError **error);

/* Sends task to the idle worker. False when the worker does not take it: it is ENDING then, and the
 * task stays the caller's, without blame. */
BT_MUST_CHECK bool bt_slot_give(BtSlot *self, BtPoolTask *task, uint64_t now_ns);

/* Takes one frame, if there is one, into buffer (BT_FRAME_BYTES_MAX bytes): READY is due before the
 * first task, and one reply after each. Returns the task that is done, with the reply in its
 * outcome and yet to be ended; else NULL. *error is set, to FAILED, where the worker cannot start.
 */
BtPoolTask *bt_slot_hear(BtSlot *self, void *buffer, uint64_t now_ns, GError **error);

/* Kills the worker. verdict is DONE when it is simply not needed any more. */
void bt_slot_condemn(BtSlot *self, BtTaskEnd verdict);

/* Condemns the worker if its time is over. */
void bt_slot_expire(BtSlot *self, uint64_t now_ns);

/* Reaps the worker, whose process has ended. Writes what that means for the task it had, which is
 * returned; NULL when it had none. */
BtPoolTask *bt_slot_bury(BtSlot *self, BtTaskEnd *out_end, int *out_detail);

#endif
