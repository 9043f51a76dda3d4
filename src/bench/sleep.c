/* SPDX-License-Identifier: MIT */
#include "bench/sleep.h"

#include "base/clock.h"
#include "bench/statistics.h"
#include "bench/table.h"
#include "pool/pool.h"
#include "pool/process.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double
seconds_since(uint64_t begin_ns)
{
    return (double)(bt_clock_now_ns() - begin_ns) / (double)BT_NS_PER_S;
}

static void
print_finish(uint64_t begin_ns)
{
    printf("Finished in %.2f seconds\n", seconds_since(begin_ns));
}

/* Anywhere; what is printed goes out whole, since workers share the stream. */
static void
sleep_aloud(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    dprintf(STDOUT_FILENO, "Sleeping %g second(s)...\n", seconds);
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &time) != 0)
        ;
}

static void
print_done(double seconds)
{
    printf("Done sleeping %g\n", seconds);
}

static void
print_workers(const BtWorkerInfo *workers, size_t n)
{
    static const char *const states[] = {
        [BT_WORKER_NONE] = "none", [BT_WORKER_STARTING] = "starting", [BT_WORKER_IDLE] = "idle",
        [BT_WORKER_BUSY] = "busy", [BT_WORKER_ENDING] = "ending",
    };
    g_autoptr(BtTable) table =
        bt_table_new((const char *[]){"name", "pid", "parent", "state", NULL});
    g_autoptr(GString) text = g_string_new(NULL);

    for (size_t i = 0; i < n; i++)
        bt_table_add(table, "%s|%d|%d|%s", workers[i].name, (int)workers[i].pid, (int)getpid(),
                     states[workers[i].state]);
    bt_table_print(table, BT_TABLE_TEXT, text);
    fputs(text->str, stdout);
}

static bool
sleep_serially(const double *seconds, size_t n)
{
    uint64_t begin_ns = bt_clock_now_ns();

    for (size_t i = 0; i < n; i++) {
        sleep_aloud(seconds[i]);
        print_done(seconds[i]);
    }
    print_finish(begin_ns);
    return true;
}

/* In a process of its own. */
static int
say_hello(void *data)
{
    (void)data;
    dprintf(STDOUT_FILENO, "Hello from process %d without an argument, child of %d\n",
            (int)getpid(), (int)getppid());
    return 0;
}

static int
sleep_as_told(void *data)
{
    sleep_aloud(*(const double *)data);
    return 0;
}

static bool
join(BtProcess *process, GError **error)
{
    BtProcessEnd end;

    return bt_process_join(process, BT_PROCESS_FOREVER, &end, error) &&
           (end.fate == BT_PROCESS_EXITED ||
            bt_error_set(error, BT_ERROR_FAILED, "a process was killed by signal %d", end.detail));
}

static bool
greet(GError **error)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;

    return bt_process_start(&process, "hello", say_hello, NULL, error) && join(&process, error);
}

/* processes are empty; some may run when it fails. */
static bool
start_and_join(BtProcess *processes, double *seconds, size_t n, GError **error)
{
    g_autofree BtWorkerInfo *infos = g_new0(BtWorkerInfo, n);

    for (size_t i = 0; i < n; i++) {
        g_snprintf(infos[i].name, sizeof infos[i].name, "sleeper-%zu", i);
        if (!bt_process_start(&processes[i], infos[i].name, sleep_as_told, &seconds[i], error))
            return false;
        infos[i].pid = processes[i].pid;
        infos[i].state = BT_WORKER_BUSY;
    }
    print_workers(infos, n);
    for (size_t i = 0; i < n; i++) {
        if (!join(&processes[i], error))
            return false;
        print_done(seconds[i]);
    }
    return true;
}

static bool
sleep_in_processes(const double *seconds, size_t n, GError **error)
{
    g_autofree BtProcess *processes = g_new(BtProcess, n);
    g_autofree double *own = g_memdup2(seconds, n * sizeof *seconds);
    uint64_t begin_ns;
    bool is_done;

    for (size_t i = 0; i < n; i++)
        processes[i] = BT_PROCESS_INIT;
    if (!greet(error))
        return false;
    begin_ns = bt_clock_now_ns();
    is_done = start_and_join(processes, own, n, error);
    for (size_t i = 0; i < n; i++)
        bt_process_clear(&processes[i]);
    if (is_done)
        print_finish(begin_ns);
    return is_done;
}

/* In a worker: the task is a number of seconds; without one there is nothing to do. */
static size_t
serve_sleep(void *state, const BtTaskView *task, void *reply)
{
    (void)state;
    (void)reply;
    if (task->size == sizeof(double))
        sleep_aloud(*(const double *)task->bytes);
    return 0;
}

static bool
check_outcome(const BtPoolOutcome *outcome, GError **error)
{
    g_autofree char *reason = bt_pool_outcome_reason(outcome);

    return reason == NULL || bt_error_set(error, BT_ERROR_FAILED, "%s", reason);
}

/* The next outcome's tag in *out_tag. */
static bool
take_outcome(BtPool *pool, void **out_tag, GError **error)
{
    g_auto(BtPoolOutcome) outcome = {0};

    if (bt_pool_next(pool, BT_POOL_FOREVER, NULL, 0, &outcome) != BT_POOL_OUTCOME)
        return bt_error_set(error, BT_ERROR_FAILED, "the pool is empty");
    *out_tag = outcome.tag;
    return check_outcome(&outcome, error);
}

static bool
run_nothing(BtPool *pool, int n_tasks, GError **error)
{
    void *tag;

    for (int i = 0; i < n_tasks; i++)
        if (!bt_pool_submit(pool, &(BtTask){0}, NULL, error))
            return false;
    for (int i = 0; i < n_tasks; i++)
        if (!take_outcome(pool, &tag, error))
            return false;
    return true;
}

static bool
are_idle(const BtPool *pool, int n_workers)
{
    g_autofree BtWorkerInfo *infos = g_new(BtWorkerInfo, (gsize)n_workers);
    bool idle = true;

    bt_pool_workers(pool, infos, n_workers);
    for (int i = 0; i < n_workers; i++)
        idle = idle && infos[i].state == BT_WORKER_IDLE;
    return idle;
}

/* A pool whose workers are all ready. As many tasks as workers start them all, but the first may
 * have done every task before the last is ready. */
static BtPool *
start_pool(size_t n_tasks, int n_workers, GError **error)
{
    BtPoolOptions options = {
        .name = "sleeper", .n_slots = n_workers, .queue_limit = n_tasks, .serve = serve_sleep};
    uint64_t begin_ns = bt_clock_now_ns();
    g_autoptr(BtPool) pool = bt_pool_new(&options, error);

    if (pool == NULL)
        return NULL;
    do
        if (!run_nothing(pool, n_workers, error))
            return NULL;
    while (!are_idle(pool, n_workers));
    printf("%d worker%s started in %.3f seconds\n", n_workers, n_workers == 1 ? "" : "s",
           seconds_since(begin_ns));
    return g_steal_pointer(&pool);
}

static BtTask
task_of(const double *seconds)
{
    return (BtTask){.bytes = seconds, .size = sizeof *seconds, .tag = (void *)(uintptr_t)seconds};
}

static bool
sleep_as_completed(const double *seconds, size_t n, int n_workers, GError **error)
{
    g_autoptr(BtPool) pool = start_pool(n, n_workers, error);
    g_autofree BtWorkerInfo *infos = g_new0(BtWorkerInfo, (gsize)n_workers);
    uint64_t begin_ns = bt_clock_now_ns();
    void *tag = NULL;

    if (pool == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        BtTask task = task_of(&seconds[i]);

        if (!bt_pool_submit(pool, &task, NULL, error))
            return false;
    }
    bt_pool_workers(pool, infos, n_workers);
    print_workers(infos, (size_t)n_workers);
    for (size_t i = 0; i < n; i++) {
        if (!take_outcome(pool, &tag, error))
            return false;
        print_done(*(const double *)tag);
    }
    print_finish(begin_ns);
    return true;
}

typedef struct Map {
    const double *seconds;
    size_t n, n_given;
    GError **error;
    bool is_done;
} Map;

static bool
give_task(void *user, BtTask *out_task)
{
    Map *self = user;

    if (self->n_given == self->n)
        return false;
    *out_task = task_of(&self->seconds[self->n_given++]);
    return true;
}

static bool
take_result(void *user, uint64_t index, const BtPoolOutcome *outcome)
{
    Map *self = user;

    if (!check_outcome(outcome, self->error))
        return self->is_done = false;
    print_done(self->seconds[index]);
    return true;
}

static bool
sleep_in_map(const double *seconds, size_t n, int n_workers, GError **error)
{
    g_autoptr(BtPool) pool = start_pool(n, n_workers, error);
    Map map = {.seconds = seconds, .n = n, .error = error, .is_done = true};
    uint64_t begin_ns = bt_clock_now_ns();

    if (pool == NULL || !bt_pool_map(pool, give_task, take_result, &map, error) || !map.is_done)
        return false;
    print_finish(begin_ns);
    return true;
}

const char *
bt_sleep_way_name(BtSleepWay way)
{
    static const char *const names[BT_SLEEP_WAYS] = {
        [BT_SLEEP_SERIAL] = "serial",
        [BT_SLEEP_PROCESS] = "process",
        [BT_SLEEP_COMPLETED] = "completed",
        [BT_SLEEP_MAP] = "map",
    };

    return names[way];
}

bool
bt_sleep_run(BtSleepWay way, const double *seconds, size_t n, int n_workers, GError **error)
{
    static const char *const headings[BT_SLEEP_WAYS] = {
        [BT_SLEEP_SERIAL] = "Serial: one after the other, in this process",
        [BT_SLEEP_PROCESS] = "Process: one for each, started and joined",
        [BT_SLEEP_COMPLETED] = "Completed: a pool, results as they complete",
        [BT_SLEEP_MAP] = "Map: a pool, results in order",
    };

    printf("%s\n", headings[way]);
    switch (way) {
    case BT_SLEEP_SERIAL:
        return sleep_serially(seconds, n);
    case BT_SLEEP_PROCESS:
        return sleep_in_processes(seconds, n, error);
    case BT_SLEEP_COMPLETED:
        return sleep_as_completed(seconds, n, n_workers, error);
    default:
        return sleep_in_map(seconds, n, n_workers, error);
    }
}

/* At most n_ahead tasks are in the pool. */
static bool
run_empty_tasks(BtPool *pool, size_t n_tasks, size_t n_ahead, double *latencies, GError **error)
{
    size_t n_given = 0;

    for (size_t n_done = 0; n_done < n_tasks; n_done++) {
        g_auto(BtPoolOutcome) outcome = {0};

        for (; n_given < n_tasks && n_given - n_done < n_ahead; n_given++)
            if (!bt_pool_submit(pool, &(BtTask){0}, NULL, error))
                return false;
        if (bt_pool_next(pool, BT_POOL_FOREVER, NULL, 0, &outcome) != BT_POOL_OUTCOME)
            return bt_error_set(error, BT_ERROR_FAILED, "the pool is empty");
        if (!check_outcome(&outcome, error))
            return false;
        latencies[n_done] = (double)(outcome.ended_ns - outcome.started_ns) / 1000;
    }
    return true;
}

static bool
add_noop(BtTable *table, BtPool *pool, size_t n_tasks, size_t n_ahead, GError **error)
{
    g_autofree double *latencies = g_new(double, n_tasks);
    uint64_t begin_ns = bt_clock_now_ns();
    double seconds;

    if (!run_empty_tasks(pool, n_tasks, n_ahead, latencies, error))
        return false;
    seconds = seconds_since(begin_ns);
    bt_table_add(table, "%zu at once|%.0f|%.1f|%.1f|%.1f|%.1f", n_ahead, (double)n_tasks / seconds,
                 bt_statistics_quantile(latencies, n_tasks, 0.5),
                 bt_statistics_quantile(latencies, n_tasks, 0.9),
                 bt_statistics_quantile(latencies, n_tasks, 0.99),
                 bt_statistics_quantile(latencies, n_tasks, 1));
    return true;
}

bool
bt_sleep_noop(size_t n_tasks, int n_workers, GError **error)
{
    size_t at_once = (size_t)n_workers;
    g_autoptr(BtPool) pool = start_pool(at_once, n_workers, error);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(BtTable) table = bt_table_new((const char *[]){
        "empty tasks", "a second", "50 % us", "90 % us", "99 % us", "most us", NULL});

    if (pool == NULL || !add_noop(table, pool, n_tasks, 1, error) ||
        !add_noop(table, pool, n_tasks, 2 * at_once, error))
        return false;
    bt_table_print(table, BT_TABLE_TEXT, text);
    fputs(text->str, stdout);
    return true;
}
