/* SPDX-License-Identifier: MIT */
/*
 * The pool by itself, without pictures: tasks that sleep, and tasks that do nothing. Supervisor,
 * and the workers it forks. Prints on standard output as things happen.
 *
 * Ways of sleeping, each with the same times, and what each shows
 *   serial     one after the other in this process: takes the sum
 *   process    first a process that gets no argument, then one for each time: started, looked at,
 *              joined: takes the longest
 *   completed  tasks submitted to a pool, their outcomes as they complete: the shortest first
 *   map        the same tasks by bt_pool_map(): outcomes in the order of the tasks
 *
 * A pool's workers are started before its clock is, which says how long that took.
 */
#ifndef BT_BENCH_SLEEP_H
#define BT_BENCH_SLEEP_H

#include "base/error.h"

#include <stddef.h>

typedef enum BtSleepWay {
    BT_SLEEP_SERIAL,
    BT_SLEEP_PROCESS,
    BT_SLEEP_COMPLETED,
    BT_SLEEP_MAP,
    BT_SLEEP_WAYS
} BtSleepWay;

/* The name of a way, as above. */
const char *bt_sleep_way_name(BtSleepWay way);

/* seconds: of each task, n >= 1 of them. n_workers >= 1 of a pool. */
BT_MUST_CHECK bool bt_sleep_run(BtSleepWay way, const double *seconds, size_t n, int n_workers,
                                GError **error);

/* n_tasks >= 1 empty tasks, one at a time, then as many at once as there are workers: tasks a
 * second, and quantiles of the time from handing one to a worker to its outcome. */
BT_MUST_CHECK bool bt_sleep_noop(size_t n_tasks, int n_workers, GError **error);

#endif
