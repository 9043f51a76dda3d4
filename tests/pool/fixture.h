/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the pool share: a worker that does as it is told, and a look at what a process
 * holds.
 *
 * A task is an Order, its reply an Answer. Submitting and waiting go through these functions, which
 * check what no test expects to fail.
 */
#ifndef POOL_FIXTURE_H
#define POOL_FIXTURE_H

#include "pool/pool.h"

typedef enum Deed {
    DEED_ANSWER,
    DEED_SLEEP, /* detail: milliseconds, then answers */
    DEED_RAISE, /* detail: signal; answers when that did not end it */
    DEED_EXIT,  /* detail: exit code */
    DEED_HANG,  /* for ever */
    DEED_WAIT,  /* for a byte from the task's descriptor, then answers */
} Deed;

typedef struct Order {
    Deed deed;
    int detail;
    int attempts; /* later ones simply answer; 0: all attempts do the deed */
} Order;

typedef struct Answer {
    uint64_t id;
    pid_t pid;
    int detail;
    int attempt;
} Answer;

/* A BtPoolServe, any state. */
size_t obey(void *state, const BtTaskView *task, void *reply);

/* options with a name, and obey() to serve when there is nothing else. */
BtPool *make_pool(BtPoolOptions options);

/* Returns the id; tag is NULL. */
uint64_t submit(BtPool *pool, Order order);

/* The next outcome, which must come; and the same with the end that it must have. */
BtPoolOutcome next_outcome(BtPool *pool);
BtPoolOutcome next_end(BtPool *pool, BtTaskEnd end);

/* The next outcome, which must be DONE, and its answer, which must belong to it. */
Answer next_answer(BtPool *pool, BtPoolOutcome *out_outcome);

/* Waits until the pool has nothing inside; all outcomes must have been taken. */
void assert_idle(BtPool *pool);

/* The pid of the worker in a slot. */
pid_t worker_pid(BtPool *pool, int slot);

int count_fds(void);

/* Any, dead ones that nobody reaped included. */
bool has_children(void);

/* Whether the process goes away within ten seconds. */
bool vanishes(int pidfd);

#endif
