/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

size_t
obey(void *state, const BtTaskView *task, void *reply)
{
    Answer answer = {.id = task->id, .pid = getpid(), .attempt = task->attempt};
    Order order;

    (void)state;
    g_assert_cmpuint(task->size, ==, sizeof order);
    memcpy(&order, task->bytes, sizeof order);
    answer.detail = order.detail;
    if (order.attempts == 0 || task->attempt <= order.attempts) {
        if (order.deed == DEED_SLEEP)
            g_usleep((gulong)order.detail * 1000);
        if (order.deed == DEED_RAISE)
            raise(order.detail);
        if (order.deed == DEED_EXIT)
            _exit(order.detail);
        while (order.deed == DEED_HANG)
            pause();
        if (order.deed == DEED_WAIT && read(task->fds[0], &(char){0}, 1) != 1)
            _exit(99);
    }
    memcpy(reply, &answer, sizeof answer);
    return sizeof answer;
}

BtPool *
make_pool(BtPoolOptions options)
{
    GError *error = NULL;
    BtPool *pool;

    options.name = "test";
    if (options.serve == NULL)
        options.serve = obey;
    pool = bt_pool_new(&options, &error);
    g_assert_no_error(error);
    return pool;
}

uint64_t
submit(BtPool *pool, Order order)
{
    BtTask task = {.bytes = &order, .size = sizeof order};
    GError *error = NULL;
    uint64_t id = 0;
    bool good = bt_pool_submit(pool, &task, &id, &error);

    g_assert_no_error(error);
    g_assert_true(good);
    return id;
}

BtPoolOutcome
next_outcome(BtPool *pool)
{
    BtPoolOutcome outcome = {0};

    g_assert_cmpint(bt_pool_next(pool, BT_CLOCK_FOREVER, NULL, 0, &outcome), ==, BT_POOL_OUTCOME);
    return outcome;
}

BtPoolOutcome
next_end(BtPool *pool, BtTaskEnd end)
{
    BtPoolOutcome outcome = next_outcome(pool);

    g_assert_cmpint(outcome.end, ==, end);
    return outcome;
}

Answer
next_answer(BtPool *pool, BtPoolOutcome *out_outcome)
{
    BtPoolOutcome outcome = next_end(pool, BT_TASK_DONE);
    Answer answer;

    g_assert_cmpuint(outcome.size, ==, sizeof answer);
    memcpy(&answer, outcome.bytes, sizeof answer);
    bt_pool_outcome_clear(&outcome);
    g_assert_cmpuint(answer.id, ==, outcome.id);
    g_assert_cmpint(answer.pid, ==, outcome.pid);
    g_assert_cmpint(answer.attempt, ==, outcome.attempts);
    g_assert_cmpuint(outcome.started_ns, >, 0);
    g_assert_cmpuint(outcome.started_ns, <=, outcome.ended_ns);
    if (out_outcome != NULL)
        *out_outcome = outcome;
    return answer;
}

void
assert_idle(BtPool *pool)
{
    BtPoolOutcome outcome;

    g_assert_cmpint(bt_pool_next(pool, BT_CLOCK_FOREVER, NULL, 0, &outcome), ==, BT_POOL_IDLE);
}

pid_t
worker_pid(BtPool *pool, int slot)
{
    BtWorkerInfo infos[16];

    g_assert_cmpint(bt_pool_workers(pool, infos, G_N_ELEMENTS(infos)), >, slot);
    return infos[slot].pid;
}

int
count_fds(void)
{
    DIR *fds = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(fds) != NULL)
        n++;
    closedir(fds);
    return n;
}

bool
has_children(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool
vanishes(int pidfd)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};

    return poll(&end, 1, 10000) == 1;
}
