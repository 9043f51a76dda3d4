/* SPDX-License-Identifier: MIT */
/* What the pool itself costs: tasks that do nothing, with and without descriptors. */
#include "base/clock.h"
#include "pool/pool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define N_TASKS  30000
#define N_ROUNDS 5

static size_t
serve_nothing(void *state, const BtTaskView *task, void *reply)
{
    (void)state;
    (void)task;
    (void)reply;
    return 0;
}

static void
submit(BtPool *pool, int n_fds)
{
    BtTask task = {.n_fds = n_fds};

    for (int i = 0; i < n_fds; i++)
        task.fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (!bt_pool_submit(pool, &task, NULL, NULL))
        abort();
}

static uint64_t
run_tasks(BtPool *pool, size_t n_ahead, int n_fds)
{
    uint64_t begin_ns = bt_clock_now_ns();
    size_t n_submitted = 0;
    BtPoolOutcome outcome;

    for (size_t n_done = 0; n_done < N_TASKS; n_done++) {
        while (n_submitted < N_TASKS && n_submitted - n_done < n_ahead) {
            submit(pool, n_fds);
            n_submitted++;
        }
        if (bt_pool_next(pool, BT_CLOCK_FOREVER, NULL, 0, &outcome) != BT_POOL_OUTCOME ||
            outcome.end != BT_TASK_DONE)
            abort();
    }
    return bt_clock_now_ns() - begin_ns;
}

/* Of several rounds the fastest: whatever else the machine does only slows it down. */
static void
measure(const char *what, int n_slots, size_t n_ahead, int n_fds)
{
    BtPoolOptions options = {.name = "bench", .n_slots = n_slots, .serve = serve_nothing};
    g_autoptr(BtPool) pool = bt_pool_new(&options, NULL);
    uint64_t best_ns = UINT64_MAX;

    for (int i = 0; i < N_ROUNDS; i++)
        best_ns = MIN(best_ns, run_tasks(pool, n_ahead, n_fds));
    printf("%-36s %8.0f tasks/s %8.2f us each\n", what,
           N_TASKS / ((double)best_ns / (double)BT_NS_PER_S), (double)best_ns / N_TASKS / 1000.0);
}

int
main(void)
{
    measure("1 worker, one at a time", 1, 1, 0);
    measure("1 worker, one at a time, 2 fds", 1, 1, 2);
    measure("1 worker, one waiting", 1, 2, 0);
    measure("2 workers, two waiting", 2, 4, 0);
    measure("2 workers, two waiting, 2 fds", 2, 4, 2);
    measure("4 workers, four waiting", 4, 8, 0);
    return EXIT_SUCCESS;
}
