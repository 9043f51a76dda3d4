/* SPDX-License-Identifier: MIT */
/*
 * One task inside a pool, from submit to outcome. Supervisor.
 *
 * Owns: a copy of the task's bytes, its descriptors until it ends (another attempt needs them
 * again), and the outcome, which is filled in on the way.
 *
 *   task = bt_pool_task_new(id, &submitted, now_ns)
 *   bt_pool_task_end(task, BT_TASK_DONE, 0, now_ns)     closes the descriptors
 *   bt_pool_task_free(task)
 */
#ifndef BT_POOL_POOL_TASK_H
#define BT_POOL_POOL_TASK_H

#include "pool/pool.h"

typedef struct BtPoolTask {
    BtPoolOutcome outcome;
    BtFrame frame; /* as a worker gets it */
    uint64_t n_unfit;
    unsigned char bytes[];
} BtPoolTask;

/* Copies the bytes and takes the descriptors of a task that was found valid. */
BtPoolTask *bt_pool_task_new(uint64_t id, const BtTask *task, uint64_t now_ns);

/* Nobody works on it from here on. */
void bt_pool_task_end(BtPoolTask *self, BtTaskEnd end, int detail, uint64_t now_ns);

/* NULL allowed. */
void bt_pool_task_free(BtPoolTask *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtPoolTask, bt_pool_task_free)

#endif
