/* SPDX-License-Identifier: MIT */
/* Workers that die, hang, stop, lie, or cannot be started. */
#include "base/clock.h"
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void
assert_counts(BtPool *pool, uint64_t n_started, uint64_t n_died)
{
    uint64_t started, died;

    bt_pool_counts(pool, &started, &died);
    g_assert_cmpuint(started, ==, n_started);
    g_assert_cmpuint(died, ==, n_died);
}

static void
test_death_over_a_task(void)
{
    static const struct {
        Order order;
        BtTaskEnd end;
        int detail;
    } cases[] = {
        {{.deed = DEED_RAISE, .detail = SIGKILL}, BT_TASK_KILLED, SIGKILL},
        {{.deed = DEED_RAISE, .detail = SIGSEGV}, BT_TASK_KILLED, SIGSEGV},
        {{.deed = DEED_RAISE, .detail = SIGTERM}, BT_TASK_KILLED, SIGTERM},
        {{.deed = DEED_EXIT, .detail = 0}, BT_TASK_EXITED, 0},
        {{.deed = DEED_EXIT, .detail = 3}, BT_TASK_EXITED, 3},
    };

    for (int retries = 0; retries <= 2; retries++) {
        g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1, .retries = retries});

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            Order once = cases[i].order;
            BtPoolOutcome outcome;

            submit(pool, cases[i].order);
            outcome = next_end(pool, cases[i].end);
            g_assert_cmpint(outcome.detail, ==, cases[i].detail);
            g_assert_cmpint(outcome.attempts, ==, 1 + retries);
            g_assert_null(outcome.bytes);

            /* The same on the first attempts only. */
            once.attempts = retries;
            if (retries > 0) {
                submit(pool, once);
                g_assert_cmpint(next_answer(pool, NULL).attempt, ==, 1 + retries);
            }
        }
        assert_idle(pool);
    }
    g_assert_false(has_children());
}

/* A retry goes to a fresh worker even where others are idle. */
static void
test_retry_in_fresh_worker(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 2, .retries = 1});
    pid_t used[2], fresh;

    for (int i = 0; i < 2; i++)
        submit(pool, (Order){.deed = DEED_SLEEP, .detail = 30});
    for (int i = 0; i < 2; i++)
        used[i] = next_answer(pool, NULL).pid;
    submit(pool, (Order){.deed = DEED_RAISE, .detail = SIGKILL, .attempts = 1});
    fresh = next_answer(pool, NULL).pid;
    g_assert_cmpint(fresh, !=, used[0]);
    g_assert_cmpint(fresh, !=, used[1]);
    assert_counts(pool, 3, 1);
}

static void
test_overtime(void)
{
    g_autoptr(BtPool) pool =
        make_pool((BtPoolOptions){.n_slots = 2, .retries = 1, .task_limit_ns = 400 * BT_NS_PER_MS});
    Order orders[] = {{.deed = DEED_HANG}, {.deed = DEED_RAISE, .detail = SIGSTOP}};

    for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
        BtPoolOutcome outcome;

        submit(pool, orders[i]);
        submit(pool, (Order){.deed = DEED_ANSWER, .detail = 9});
        g_assert_cmpint(next_answer(pool, NULL).detail, ==, 9);
        outcome = next_end(pool, BT_TASK_OVERTIME);
        g_assert_cmpint(outcome.attempts, ==, 2);
        g_assert_cmpuint(outcome.ended_ns - outcome.started_ns, >=, 400 * BT_NS_PER_MS);
        orders[i].attempts = 1;
        submit(pool, orders[i]);
        g_assert_cmpint(next_answer(pool, NULL).attempt, ==, 2);
    }
}

/* A worker that was stopped while it was idle costs the task that it gets, and no more. */
static void
test_stopped_while_idle(void)
{
    g_autoptr(BtPool) pool =
        make_pool((BtPoolOptions){.n_slots = 1, .task_limit_ns = 400 * BT_NS_PER_MS});

    submit(pool, (Order){.deed = DEED_ANSWER});
    next_answer(pool, NULL);
    g_assert_cmpint(kill(worker_pid(pool, 0), SIGSTOP), ==, 0);
    submit(pool, (Order){.deed = DEED_ANSWER});
    submit(pool, (Order){.deed = DEED_ANSWER});
    next_end(pool, BT_TASK_OVERTIME);
    next_answer(pool, NULL);
    assert_counts(pool, 2, 1);
}

/* A caller that is seldom there puts the end of a task's time off, and not for ever. */
static void
test_overtime_with_seldom_turns(void)
{
    g_autoptr(BtPool) pool =
        make_pool((BtPoolOptions){.n_slots = 1, .task_limit_ns = 500 * BT_NS_PER_MS});
    BtPoolOutcome outcome;
    int n = 0;

    submit(pool, (Order){.deed = DEED_HANG});
    while (bt_pool_next(pool, 0, NULL, 0, &outcome) == BT_POOL_TIMEOUT) {
        g_assert_cmpint(++n, <, 20);
        g_usleep(150000);
    }
    g_assert_cmpint(outcome.end, ==, BT_TASK_OVERTIME);
}

#define STOP_LIMIT_NS (2 * BT_NS_PER_S)
#define STOP_US       (3 * G_USEC_PER_SEC) /* longer than that */
#define AWAKE_US      (G_USEC_PER_SEC / 2) /* shorter */

/* A supervisor that is stopped, and how. */
typedef struct Stop {
    bool outside;  /* not within bt_pool_next() */
    bool worker;   /* its worker, too */
    bool starting; /* while that is starting, and not at its task */
    BtProcess supervisor;
    int gate[2]; /* what the worker waits for */
    int told[2]; /* the worker's pid */
} Stop;

static void *
start_at_gate(void *data, GString *notice, GError **error)
{
    const Stop *stop = data;
    g_autofree char *path = g_strdup_printf("/proc/%d/fd/%d", (int)getppid(), stop->gate[0]);
    g_auto(BtFd) gate_fd = open(path, O_RDONLY | O_CLOEXEC);

    (void)notice, (void)error;
    return read(gate_fd, &(char){0}, 1) == 1 ? data : NULL;
}

static int
supervise_through_stop(void *data)
{
    const Stop *stop = data;
    g_autoptr(BtPool) pool =
        make_pool((BtPoolOptions){.n_slots = 1,
                                  .start = stop->starting ? start_at_gate : NULL,
                                  .data = data,
                                  .task_limit_ns = STOP_LIMIT_NS});
    Order order = {.deed = stop->starting ? DEED_ANSWER : DEED_WAIT};
    BtTask task = {.bytes = &order, .size = sizeof order, .fds = {dup(stop->gate[0])}, .n_fds = 1};
    BtPoolOutcome outcome;
    BtWorkerInfo info;

    g_assert_true(bt_pool_submit(pool, &task, NULL, NULL));
    do {
        g_assert_cmpint(bt_pool_next(pool, BT_NS_PER_MS, NULL, 0, &outcome), ==, BT_POOL_TIMEOUT);
        bt_pool_workers(pool, &info, 1);
    } while (info.state != (stop->starting ? BT_WORKER_STARTING : BT_WORKER_BUSY));
    g_assert_cmpint(write(stop->told[1], &info.pid, sizeof info.pid), ==, sizeof info.pid);
    if (stop->outside)
        raise(SIGSTOP);
    g_assert_cmpint(next_answer(pool, NULL).pid, ==, info.pid);
    assert_counts(pool, 1, 0);

    /* The limit holds as before. */
    submit(pool, (Order){.deed = DEED_HANG});
    next_end(pool, BT_TASK_OVERTIME);
    return 21;
}

/* All at once. The gates open after the supervisors had time to kill their workers. */
static void
test_stopped_supervisor(void)
{
    Stop stops[] = {
        {.outside = false}, {.worker = true},
        {.starting = true}, {.starting = true, .worker = true},
        {.outside = true},  {.outside = true, .worker = true},
    };
    pid_t workers[G_N_ELEMENTS(stops)];

    for (size_t i = 0; i < G_N_ELEMENTS(stops); i++) {
        Stop *stop = &stops[i];
        siginfo_t info;

        stop->supervisor = BT_PROCESS_INIT;
        g_assert_true(pipe2(stop->gate, O_CLOEXEC) == 0 && pipe2(stop->told, O_CLOEXEC) == 0);
        g_assert_true(
            bt_process_start(&stop->supervisor, "stopped", supervise_through_stop, stop, NULL));
        g_assert_cmpint(read(stop->told[0], &workers[i], sizeof *workers), ==, sizeof *workers);
        if (!stop->outside)
            g_assert_true(bt_process_signal(&stop->supervisor, SIGSTOP));
        g_assert_cmpint(waitid(P_PID, (id_t)stop->supervisor.pid, &info, WSTOPPED | WNOWAIT), ==,
                        0);
        if (stop->worker)
            g_assert_cmpint(kill(workers[i], SIGSTOP), ==, 0);
    }
    g_usleep(STOP_US);
    for (size_t i = 0; i < G_N_ELEMENTS(stops); i++) {
        g_assert_true(bt_process_signal(&stops[i].supervisor, SIGCONT));
        if (stops[i].worker)
            g_assert_cmpint(kill(workers[i], SIGCONT), ==, 0);
    }
    g_usleep(AWAKE_US);
    for (size_t i = 0; i < G_N_ELEMENTS(stops); i++)
        g_assert_cmpint(write(stops[i].gate[1], "", 1), ==, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(stops); i++) {
        BtProcessEnd end;

        g_assert_true(bt_process_join(&stops[i].supervisor, BT_CLOCK_FOREVER, &end, NULL));
        g_assert_cmpint(end.fate, ==, BT_PROCESS_EXITED);
        g_assert_cmpint(end.detail, ==, 21);
        for (int k = 0; k < 2; k++) {
            close(stops[i].gate[k]);
            close(stops[i].told[k]);
        }
    }
}

/* A worker that dies before it has read its task costs no attempt. */
static void
test_death_before_reading(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1});
    pid_t pid;

    submit(pool, (Order){.deed = DEED_ANSWER});
    pid = next_answer(pool, NULL).pid;
    for (int i = 0; i < 3; i++) {
        pid_t fresh;
        siginfo_t info;

        g_assert_cmpint(kill(pid, SIGSTOP), ==, 0);
        g_assert_cmpint(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), ==, 0);
        submit(pool, (Order){.deed = DEED_ANSWER});
        g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
        fresh = next_answer(pool, NULL).pid;
        g_assert_cmpint(fresh, !=, pid);
        pid = fresh;
    }
    assert_counts(pool, 4, 3);
}

static void
test_death_while_idle(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 3});

    for (int i = 0; i < 3; i++)
        submit(pool, (Order){.deed = DEED_SLEEP, .detail = 30});
    for (int i = 0; i < 3; i++)
        next_answer(pool, NULL);
    for (int i = 0; i < 3; i++) {
        pid_t pid = worker_pid(pool, i);
        siginfo_t info;

        g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
        g_assert_cmpint(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), ==, 0);
    }
    for (int i = 0; i < 4; i++)
        submit(pool, (Order){.deed = DEED_ANSWER});
    for (int i = 0; i < 4; i++)
        g_assert_cmpint(next_answer(pool, NULL).attempt, ==, 1);
    bt_pool_free(g_steal_pointer(&pool));
    g_assert_false(has_children());
}

typedef enum Babble {
    SAY_ANOTHER_ID,
    SAY_ANOTHER_KIND,
    SAY_UNFIT,
    SAY_WITH_DESCRIPTORS,
    SAY_NOISE,
    SAY_TOO_LITTLE,
    SAY_TOO_MUCH,
    SAY_NOTHING,
    CLOSE_AND_STAY,
    N_NONSENSE,
    CLOSE_AND_EXIT = N_NONSENSE,
    ANSWER_AND_DIE,
    ANSWER_TWICE,
    LEAVE_CHANNEL_TO_CHILD,
    BEHAVE
} Babble;

/* The one socket that a worker has. */
static int
find_channel(void)
{
    for (int fd = 3; fd < 1024; fd++) {
        int type = 0;
        socklen_t size = sizeof type;

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET)
            return fd;
    }
    _exit(99);
}

static void
say(int fd, BtFrame frame)
{
    if (bt_channel_send(fd, &frame, true) != BT_CHANNEL_OK)
        _exit(98);
}

static void
say_raw(int fd, const void *bytes, size_t size)
{
    if (send(fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
        _exit(97);
}

static size_t
babble(void *state, const BtTaskView *task, void *reply)
{
    static const unsigned char noise[2 * BT_FRAME_BYTES_MAX] = {1, 2, 3};
    BtFrame good = {.kind = BT_FRAME_REPLY, .id = task->id};
    int fd = find_channel();
    Babble what;

    (void)state;
    (void)reply;
    memcpy(&what, task->bytes, sizeof what);
    switch (what) {
    case SAY_ANOTHER_ID:
        say(fd, (BtFrame){.kind = BT_FRAME_REPLY, .id = task->id + 1});
        break;
    case SAY_ANOTHER_KIND:
        say(fd, (BtFrame){.kind = BT_FRAME_READY, .id = task->id});
        break;
    case SAY_UNFIT:
        say(fd, (BtFrame){.kind = BT_FRAME_UNFIT, .id = task->id});
        break;
    case SAY_WITH_DESCRIPTORS:
        say(fd, (BtFrame){.kind = BT_FRAME_REPLY, .id = task->id, .fds = {0, 1}, .n_fds = 2});
        break;
    case SAY_NOISE:
        say_raw(fd, noise, 100);
        break;
    case SAY_TOO_LITTLE:
        say_raw(fd, noise, 3);
        break;
    case SAY_TOO_MUCH:
        say_raw(fd, noise, sizeof noise);
        break;
    case SAY_NOTHING:
        say_raw(fd, noise, 0);
        break;
    case CLOSE_AND_STAY:
        close(fd);
        break;
    case CLOSE_AND_EXIT:
        close(fd);
        g_usleep(50000);
        _exit(9);
    case ANSWER_AND_DIE:
        say(fd, good);
        raise(SIGKILL);
        break;
    case ANSWER_TWICE:
        say(fd, good);
        return 0;
    case LEAVE_CHANNEL_TO_CHILD:
        if (fork() != 0)
            raise(SIGKILL);
        alarm(3);
        break;
    case BEHAVE:
        return 0;
    }
    for (;;)
        pause();
}

static void
submit_babble(BtPool *pool, Babble what)
{
    BtTask task = {.bytes = &what, .size = sizeof what};

    g_assert_true(bt_pool_submit(pool, &task, NULL, NULL));
}

static void
test_nonsense(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1, .serve = babble});
    int n_fds;

    submit_babble(pool, BEHAVE);
    next_end(pool, BT_TASK_DONE);
    n_fds = count_fds();
    for (Babble what = 0; what < N_NONSENSE; what++) {
        BtPoolOutcome outcome;

        submit_babble(pool, what);
        outcome = next_end(pool, BT_TASK_NONSENSE);
        g_assert_cmpint(outcome.attempts, ==, 1);
        g_assert_null(outcome.bytes);
        g_assert_false(has_children());
        submit_babble(pool, BEHAVE);
        next_end(pool, BT_TASK_DONE);
        g_assert_cmpint(count_fds(), ==, n_fds);
    }
    assert_counts(pool, 1 + N_NONSENSE, N_NONSENSE);
}

static void
test_close_then_exit(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1, .serve = babble});

    submit_babble(pool, CLOSE_AND_EXIT);
    g_assert_cmpint(next_end(pool, BT_TASK_EXITED).detail, ==, 9);
}

static void
test_answer_then_die(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 2, .serve = babble});

    for (int i = 0; i < 20; i++) {
        submit_babble(pool, ANSWER_AND_DIE);
        next_end(pool, BT_TASK_DONE);
    }
    assert_idle(pool);
}

/* The outcome and the descriptor are ready at once. */
static void
test_answer_comes_before_beside(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1, .serve = babble});
    g_auto(BtFd) always_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct pollfd always = {.fd = always_fd, .events = POLLIN};
    BtPoolOutcome outcome;
    BtWorkerInfo worker;
    siginfo_t info;

    submit_babble(pool, ANSWER_AND_DIE);
    do { /* in no turn it can have been heard after it had the task */
        g_assert_cmpint(bt_pool_next(pool, 0, NULL, 0, &outcome), ==, BT_POOL_TIMEOUT);
        bt_pool_workers(pool, &worker, 1);
    } while (worker.state == BT_WORKER_STARTING);
    g_assert_cmpint(waitid(P_PID, (id_t)worker.pid, &info, WEXITED | WNOWAIT), ==, 0);
    g_assert_cmpint(bt_pool_next(pool, BT_CLOCK_FOREVER, &always, 1, &outcome), ==,
                    BT_POOL_OUTCOME);
    g_assert_cmpint(always.revents, ==, POLLIN);
    g_assert_cmpint(outcome.end, ==, BT_TASK_DONE);
    g_assert_cmpint(bt_pool_next(pool, BT_CLOCK_FOREVER, &always, 1, &outcome), ==, BT_POOL_WOKEN);
}

/* The second reply may be taken for one to the next task, which is then tried again. */
static void
test_answer_twice(void)
{
    g_autoptr(BtPool) pool =
        make_pool((BtPoolOptions){.n_slots = 1, .serve = babble, .retries = 1});

    for (int i = 0; i < 20; i++) {
        submit_babble(pool, i % 2 == 0 ? ANSWER_TWICE : BEHAVE);
        next_end(pool, BT_TASK_DONE);
    }
    assert_idle(pool);
}

/* The channel stays open when its worker dies: the pidfd tells. */
static void
test_channel_outlives_worker(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1, .serve = babble});

    submit_babble(pool, LEAVE_CHANNEL_TO_CHILD);
    g_assert_cmpint(next_end(pool, BT_TASK_KILLED).detail, ==, SIGKILL);
}

/* What a worker does at its start: shared with all that come after it. */
typedef struct Starts {
    int n_bad; /* so many are still to fail */
    bool hang; /* rather than exit */
} Starts;

static Starts *starts;

static void *
start_badly(void *data, GString *notice, GError **error)
{
    (void)data, (void)notice, (void)error;
    if (starts->n_bad > 0) {
        starts->n_bad--;
        while (starts->hang)
            pause();
        _exit(4);
    }
    return starts;
}

static void
test_start_fails_sometimes(void)
{
    g_autoptr(BtPool) pool = make_pool(
        (BtPoolOptions){.n_slots = 1, .start = start_badly, .task_limit_ns = 400 * BT_NS_PER_MS});
    g_autoptr(BtPool) retrying =
        make_pool((BtPoolOptions){.n_slots = 1, .start = start_badly, .retries = 1});

    *starts = (Starts){.n_bad = 3};
    submit(pool, (Order){.deed = DEED_ANSWER});
    g_assert_cmpint(next_answer(pool, NULL).attempt, ==, 1);
    assert_counts(pool, 4, 3);
    bt_pool_free(g_steal_pointer(&pool));

    /* The task that killed its worker is not blamed for the starts that fail after that. */
    *starts = (Starts){.n_bad = 0};
    submit(retrying, (Order){.deed = DEED_ANSWER});
    next_answer(retrying, NULL);
    starts->n_bad = 3;
    submit(retrying, (Order){.deed = DEED_EXIT, .detail = 5, .attempts = 1});
    g_assert_cmpint(next_answer(retrying, NULL).attempt, ==, 2);
    assert_counts(retrying, 5, 4);
}

static void
test_start_hangs(void)
{
    g_autoptr(BtPool) pool = make_pool(
        (BtPoolOptions){.n_slots = 1, .start = start_badly, .task_limit_ns = 400 * BT_NS_PER_MS});

    *starts = (Starts){.n_bad = 1, .hang = true};
    submit(pool, (Order){.deed = DEED_ANSWER});
    g_assert_cmpint(next_answer(pool, NULL).attempt, ==, 1);
    assert_counts(pool, 2, 1);
}

/* Nothing runs, nothing is taken, all that was inside has ended; the reason has this code, and this
 * in its sentence. */
static void
assert_given_up(BtPool *pool, GQuark domain, int code, const char *words)
{
    GError *error = NULL;
    BtTask task = {.n_fds = 0};

    assert_idle(pool);
    g_assert_error(bt_pool_failure(pool), domain, code);
    g_assert_nonnull(strstr(bt_pool_failure(pool)->message, words));
    g_assert_false(bt_pool_submit(pool, &task, NULL, &error));
    g_assert_error(error, domain, code);
    g_assert_cmpstr(error->message, ==, bt_pool_failure(pool)->message);
    g_clear_error(&error);
    g_assert_cmpuint(bt_pool_room(pool), ==, 0);
    g_assert_cmpuint(bt_pool_idle(pool), ==, 0);
}

static void
test_start_fails_always(void)
{
    g_autoptr(BtPool) pool = make_pool(
        (BtPoolOptions){.n_slots = 1, .queue_limit = 3, .start = start_badly, .crash_limit = 20});
    uint64_t begin_ns = bt_clock_now_ns();

    *starts = (Starts){.n_bad = 1000};
    for (int i = 0; i < 4; i++)
        submit(pool, (Order){.deed = DEED_ANSWER});
    for (int i = 0; i < 4; i++) {
        BtPoolOutcome outcome = next_end(pool, BT_TASK_ABANDONED);

        g_assert_cmpint(outcome.detail, ==, 0);
        g_assert_cmpint(outcome.attempts, ==, 0);
    }
    /* Five deaths, each counting four times as the worker was not ready; after the second, third
     * and fourth there were pauses of 1, 2 and 4 ms. */
    g_assert_cmpuint(bt_clock_now_ns() - begin_ns, >=, 7 * BT_NS_PER_MS);
    assert_counts(pool, 5, 5);
    assert_given_up(pool, BT_ERROR, BT_ERROR_EXHAUSTED, "crashing");
}

static bool
give_any(void *user, BtTask *out_task)
{
    static const Order order = {.deed = DEED_ANSWER};
    int *n = user;

    *out_task = (BtTask){.bytes = &order, .size = sizeof order};
    return ++*n < 1000;
}

static bool
take_abandoned(void *user, uint64_t index, const BtPoolOutcome *outcome)
{
    (void)user;
    (void)index;
    g_assert_cmpint(outcome->end, ==, BT_TASK_ABANDONED);
    return true;
}

static void
test_map_ends_with_pool(void)
{
    g_autoptr(BtPool) pool =
        make_pool((BtPoolOptions){.n_slots = 2, .start = start_badly, .crash_limit = 3});
    GError *error = NULL;
    int n = 0;

    *starts = (Starts){.n_bad = 1000};
    g_assert_false(bt_pool_map(pool, give_any, take_abandoned, &n, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_EXHAUSTED);
    g_clear_error(&error);
    g_assert_cmpint(n, <, 10);
    assert_given_up(pool, BT_ERROR, BT_ERROR_EXHAUSTED, "crashing");
}

static void
test_crash_limit(void)
{
    g_autoptr(BtPool) pool =
        make_pool((BtPoolOptions){.n_slots = 1, .queue_limit = 9, .crash_limit = 3});

    /* Deaths with a success between them do not add up. */
    for (int i = 0; i < 4; i++) {
        submit(pool, (Order){.deed = DEED_EXIT, .detail = 1});
        submit(pool, (Order){.deed = DEED_EXIT, .detail = 1});
        submit(pool, (Order){.deed = DEED_ANSWER});
        next_end(pool, BT_TASK_EXITED);
        next_end(pool, BT_TASK_EXITED);
        next_answer(pool, NULL);
    }
    for (int i = 0; i < 6; i++)
        submit(pool, (Order){.deed = DEED_RAISE, .detail = SIGKILL});
    for (int i = 0; i < 6; i++)
        next_end(pool, i < 3 ? BT_TASK_KILLED : BT_TASK_ABANDONED);
    assert_given_up(pool, BT_ERROR, BT_ERROR_EXHAUSTED, "crashing");
    bt_pool_free(g_steal_pointer(&pool));
    g_assert_false(has_children());
}

/* Giving up takes the task of a busy worker and that of a retry along. */
static void
test_give_up_takes_all(void)
{
    g_autoptr(BtPool) pool =
        make_pool((BtPoolOptions){.n_slots = 2, .crash_limit = 3, .retries = 9});
    int n_fds = count_fds();

    for (int i = 0; i < 3; i++)
        submit(pool, (Order){.deed = i == 1 ? DEED_EXIT : DEED_HANG, .detail = 1});
    for (int i = 0; i < 3; i++)
        next_end(pool, BT_TASK_ABANDONED);
    assert_given_up(pool, BT_ERROR, BT_ERROR_EXHAUSTED, "crashing");
    bt_pool_free(g_steal_pointer(&pool));
    g_assert_false(has_children());
    g_assert_cmpint(count_fds(), ==, n_fds);
}

static void
limit_processes(rlim_t n)
{
    struct rlimit limit;

    g_assert_cmpint(getrlimit(RLIMIT_NPROC, &limit), ==, 0);
    limit.rlim_cur = n;
    g_assert_cmpint(setrlimit(RLIMIT_NPROC, &limit), ==, 0);
}

/* Root may fork without limit, so as somebody else. */
static int
supervise_without_fork(void *data)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 3, .crash_limit = 1000});
    g_autoptr(BtPool) other = make_pool((BtPoolOptions){.n_slots = 2, .crash_limit = 1000});
    pid_t pid;

    (void)data;
    g_assert_cmpint(setuid(geteuid() == 0 ? 65534 : geteuid()), ==, 0);
    submit(pool, (Order){.deed = DEED_ANSWER});
    pid = next_answer(pool, NULL).pid;

    /* One worker is there: tasks wait for it, for as long as it takes. */
    limit_processes(1);
    for (int i = 0; i < 6; i++)
        submit(pool, (Order){.deed = DEED_SLEEP, .detail = 70});
    for (int i = 0; i < 6; i++)
        g_assert_cmpint(next_answer(pool, NULL).pid, ==, pid);
    assert_counts(pool, 1, 0);

    /* None is there. */
    for (int i = 0; i < 3; i++)
        submit(other, (Order){.deed = DEED_ANSWER});
    for (int i = 0; i < 3; i++)
        next_end(other, BT_TASK_ABANDONED);
    assert_given_up(other, BT_ERROR_SYSTEM, EAGAIN, "ulimit -u");
    assert_counts(other, 0, 0);
    return 21;
}

static void
assert_succeeds(BtProcessFunction supervise)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    BtProcessEnd end;

    g_assert_true(bt_process_start(&process, "poor", supervise, NULL, NULL));
    g_assert_true(bt_process_join(&process, BT_CLOCK_FOREVER, &end, NULL));
    g_assert_cmpint(end.fate, ==, BT_PROCESS_EXITED);
    g_assert_cmpint(end.detail, ==, 21);
}

static void
test_fork_fails(void)
{
    assert_succeeds(supervise_without_fork);
}

/* A retry that gets no fresh worker goes to one that is there. */
static int
supervise_retry_without_fork(void *data)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 2, .retries = 1});

    (void)data;
    g_assert_cmpint(setuid(geteuid() == 0 ? 65534 : geteuid()), ==, 0);
    for (int i = 0; i < 2; i++)
        submit(pool, (Order){.deed = DEED_SLEEP, .detail = 30});
    for (int i = 0; i < 2; i++)
        next_answer(pool, NULL);
    limit_processes(1);
    submit(pool, (Order){.deed = DEED_RAISE, .detail = SIGKILL, .attempts = 1});
    g_assert_cmpint(next_answer(pool, NULL).attempt, ==, 2);
    assert_counts(pool, 2, 1);
    return 21;
}

static void
test_retry_without_fork(void)
{
    assert_succeeds(supervise_retry_without_fork);
}

static void
test_no_descriptors(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1, .crash_limit = 2});
    struct rlimit saved, tight;
    int free_fd = dup(STDIN_FILENO);

    close(free_fd);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &saved), ==, 0);
    tight = (struct rlimit){(rlim_t)free_fd + 1, saved.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &tight), ==, 0);
    submit(pool, (Order){.deed = DEED_ANSWER});
    next_end(pool, BT_TASK_ABANDONED);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &saved), ==, 0);
    assert_given_up(pool, BT_ERROR_SYSTEM, EMFILE, "channel");
}

/* A system call that an outer sandbox refuses. */
typedef struct Refused {
    int call;
    int errnum;
    bool has_first; /* only with this first argument: */
    scmp_datum_t first;
    GQuark domain; /* what comes of it */
    int code;
    const char *words;
} Refused;

static int
supervise_refused(void *data)
{
    const Refused *refused = data;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    g_autoptr(BtPool) pool =
        make_pool((BtPoolOptions){.n_slots = 2, .retries = 1, .crash_limit = 1000});

    g_assert_cmpint(seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)refused->errnum),
                                     refused->call, refused->has_first ? 1 : 0,
                                     SCMP_A0(SCMP_CMP_MASKED_EQ, UINT64_MAX, refused->first)),
                    ==, 0);
    g_assert_cmpint(seccomp_load(filter), ==, 0);
    for (int i = 0; i < 4; i++)
        submit(pool, (Order){.deed = DEED_ANSWER});
    for (int i = 0; i < 4; i++)
        g_assert_cmpint(next_end(pool, BT_TASK_ABANDONED).attempts, ==, 0);
    assert_given_up(pool, refused->domain, refused->code, refused->words);
    bt_pool_free(g_steal_pointer(&pool));
    g_assert_false(has_children());
    return 21;
}

static void
test_no_worker_can_be(void)
{
    Refused cases[] = {
        {SCMP_SYS(pidfd_open), ENOSYS, false, 0, BT_ERROR_SYSTEM, ENOSYS, "pidfd_open"},
        {SCMP_SYS(pidfd_open), EPERM, false, 0, BT_ERROR_SYSTEM, EPERM, "pidfd_open"},
        {SCMP_SYS(clone), EAGAIN, false, 0, BT_ERROR_SYSTEM, EAGAIN, "pids limit"},
        {SCMP_SYS(clone), ENOMEM, false, 0, BT_ERROR_SYSTEM, ENOMEM, "memory"},
        {SCMP_SYS(prctl), EPERM, true, PR_SET_PDEATHSIG, BT_ERROR, BT_ERROR_FAILED, "prctl"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(BtProcess) process = BT_PROCESS_INIT;
        BtProcessEnd end;

        g_assert_true(bt_process_start(&process, "refused", supervise_refused, &cases[i], NULL));
        g_assert_true(bt_process_join(&process, 20 * BT_NS_PER_S, &end, NULL));
        g_assert_cmpint(end.fate, ==, BT_PROCESS_EXITED);
        g_assert_cmpint(end.detail, ==, 21);
    }
}

static void *
start_unfit(void *data, GString *notice, GError **error)
{
    g_string_append(notice, "is not heard");
    if (g_atomic_int_add(&starts->n_bad, -1) > 0)
        return starts;
    if (data == NULL)
        bt_error_set(error, BT_ERROR_TAKEN, "no wrench here");
    return NULL;
}

static void
refuse_notice(void *user, const char *text)
{
    (void)user;
    g_error("heard: %s", text);
}

static void
test_unfit(void)
{
    for (int n_fit = 0; n_fit < 2; n_fit++) {
        g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 2, .start = start_unfit});
        uint64_t n_started, n_died;

        /* Even where another has started, and is at work. */
        *starts = (Starts){.n_bad = n_fit};
        for (int i = 0; i < 4; i++)
            submit(pool, (Order){.deed = DEED_HANG});
        for (int i = 0; i < 4; i++)
            next_end(pool, BT_TASK_ABANDONED);
        assert_given_up(pool, BT_ERROR, BT_ERROR_FAILED, "no wrench here");
        bt_pool_counts(pool, &n_started, &n_died);
        g_assert_cmpuint(n_started, ==, 2);
        g_assert_cmpuint(n_died, ==, 0);
    }
}

/* It has no words. */
static void
test_unfit_silent(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){
        .n_slots = 1, .start = start_unfit, .data = starts, .notice = refuse_notice});

    *starts = (Starts){.n_bad = 0};
    submit(pool, (Order){.deed = DEED_ANSWER});
    next_end(pool, BT_TASK_ABANDONED);
    assert_given_up(pool, BT_ERROR, BT_ERROR_FAILED, "cannot start");
}

/* A worker that does not go through the pool's own side of it. */
static void *
start_babbling(void *data, GString *notice, GError **error)
{
    static char much[BT_FRAME_BYTES_MAX];

    (void)notice, (void)error;
    memset(much, 'a', sizeof much);
    say(find_channel(), (BtFrame){.kind = data != NULL ? BT_FRAME_UNFIT : BT_FRAME_READY,
                                  .bytes = much,
                                  .size = sizeof much});
    pause();
    return NULL;
}

static void
count_bytes(void *user, const char *text)
{
    size_t *n_bytes = user;

    *n_bytes = strlen(text);
}

static void
test_start_says_too_much(void)
{
    size_t n_bytes = 0;
    BtPoolOptions options = {.n_slots = 1,
                             .start = start_babbling,
                             .notice = count_bytes,
                             .user = &n_bytes,
                             .task_limit_ns = 400 * BT_NS_PER_MS};
    g_autoptr(BtPool) pool = make_pool(options);
    g_autoptr(BtPool) unfit = NULL;

    submit(pool, (Order){.deed = DEED_ANSWER});
    next_end(pool, BT_TASK_OVERTIME);
    g_assert_cmpuint(n_bytes, ==, BT_POOL_NOTICE_BYTES_MAX);

    options.data = &n_bytes;
    unfit = make_pool(options);
    submit(unfit, (Order){.deed = DEED_ANSWER});
    next_end(unfit, BT_TASK_ABANDONED);
    g_assert_cmpuint(strlen(bt_pool_failure(unfit)->message), ==, BT_POOL_NOTICE_BYTES_MAX);
}

static void *
wait_for_byte(void *data)
{
    const int *fd = data;
    char byte;

    return read(*fd, &byte, 1) == 1 ? data : NULL;
}

static void
test_threads_forbid_forking(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1, .crash_limit = 2});
    int ends[2];
    pthread_t thread;

    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint(pthread_create(&thread, NULL, wait_for_byte, &ends[0]), ==, 0);
    submit(pool, (Order){.deed = DEED_ANSWER});
    next_end(pool, BT_TASK_ABANDONED);
    assert_given_up(pool, BT_ERROR_SYSTEM, EDEADLK, "threads");
    g_assert_cmpint(write(ends[1], "", 1), ==, 1);
    pthread_join(thread, NULL);
    close(ends[0]);
    close(ends[1]);
}

enum {
    N_TASKS = 1000
};

/* One task in 8 kills its worker once, one in 50 always. */
static Order
make_suicide_order(int i)
{
    Order order = {.deed = DEED_ANSWER, .detail = i};

    if (i % 50 == 49)
        order = (Order){.deed = DEED_RAISE, .detail = SIGKILL};
    else if (i % 8 == 3)
        order = (Order){.deed = DEED_RAISE, .detail = SIGKILL, .attempts = 1};
    return order;
}

static void
test_many_suicides(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 4, .retries = 1});
    g_autofree bool *seen = g_new0(bool, N_TASKS + 1);
    int n_submitted = 0;
    uint64_t n_started, n_died, n_expected = 0;

    for (int n_ended = 0; n_ended < N_TASKS; n_ended++) {
        BtPoolOutcome outcome;
        Order order;

        while (n_submitted < N_TASKS && bt_pool_room(pool) > 0)
            submit(pool, make_suicide_order(n_submitted++));
        outcome = next_outcome(pool);
        g_assert_cmpuint(outcome.id, <=, N_TASKS);
        g_assert_false(seen[outcome.id]);
        seen[outcome.id] = true;

        order = make_suicide_order((int)outcome.id - 1);
        n_expected += order.deed == DEED_ANSWER ? 0 : order.attempts == 1 ? 1 : 2;
        g_assert_cmpint(outcome.attempts, ==, order.deed == DEED_ANSWER ? 1 : 2);
        if (order.deed == DEED_ANSWER || order.attempts == 1) {
            g_assert_cmpint(outcome.end, ==, BT_TASK_DONE);
        } else {
            g_assert_cmpint(outcome.end, ==, BT_TASK_KILLED);
            g_assert_cmpint(outcome.detail, ==, SIGKILL);
        }
        bt_pool_outcome_clear(&outcome);
    }
    assert_idle(pool);
    bt_pool_counts(pool, &n_started, &n_died);
    g_assert_cmpuint(n_died, ==, n_expected);
    g_assert_cmpuint(n_started, <=, n_died + 4);
}

/* One worker is idle, one busy, one stopped. Tells their pids, and hangs. */
static int
supervise_and_hang(void *data)
{
    const int *fd = data;
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 3});
    BtWorkerInfo infos[3];
    BtPoolOutcome outcome;

    for (int i = 0; i < 3; i++)
        submit(pool, (Order){.deed = DEED_SLEEP, .detail = 30});
    for (int i = 0; i < 3; i++)
        next_answer(pool, NULL);
    submit(pool, (Order){.deed = DEED_HANG});
    submit(pool, (Order){.deed = DEED_RAISE, .detail = SIGSTOP});
    g_assert_cmpint(bt_pool_next(pool, 0, NULL, 0, &outcome), ==, BT_POOL_TIMEOUT);
    bt_pool_workers(pool, infos, 3);
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(write(*fd, &infos[i].pid, sizeof(pid_t)), ==, sizeof(pid_t));
    return bt_pool_next(pool, BT_CLOCK_FOREVER, NULL, 0, &outcome) == BT_POOL_OUTCOME;
}

static void
test_no_orphans(void)
{
    g_auto(BtProcess) supervisor = BT_PROCESS_INIT;
    BtFd workers[3];
    int ends[2];

    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_true(bt_process_start(&supervisor, "doomed", supervise_and_hang, &ends[1], NULL));
    for (int i = 0; i < 3; i++) {
        pid_t pid;

        g_assert_cmpint(read(ends[0], &pid, sizeof pid), ==, sizeof pid);
        workers[i] = (int)syscall(SYS_pidfd_open, pid, 0);
        g_assert_cmpint(workers[i], >=, 0);
    }
    g_assert_true(bt_process_signal(&supervisor, SIGKILL));
    for (int i = 0; i < 3; i++) {
        g_assert_true(vanishes(workers[i]));
        bt_fd_clear(&workers[i]);
    }
    close(ends[0]);
    close(ends[1]);
}

static void
test_reasons(void)
{
    static const struct {
        BtTaskEnd end;
        int detail;
        const char *reason;
    } cases[] = {
        {BT_TASK_DONE, 0, NULL},
        {BT_TASK_KILLED, SIGSEGV, "the worker was killed by signal 11 (Segmentation fault)"},
        {BT_TASK_EXITED, 3, "the worker exited with code 3"},
        {BT_TASK_OVERTIME, 0, "the worker took longer than allowed and was killed"},
        {BT_TASK_NONSENSE, 0, "the worker sent an invalid reply and was killed"},
        {BT_TASK_ABANDONED, 0, "the pool gave up before it was done"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        BtPoolOutcome outcome = {.end = cases[i].end, .detail = cases[i].detail};
        g_autofree char *reason = bt_pool_outcome_reason(&outcome);

        g_assert_cmpstr(reason, ==, cases[i].reason);
    }
}

int
main(int argc, char **argv)
{
    struct rlimit no_core = {0, 0};

    g_test_init(&argc, &argv, NULL);
    setrlimit(RLIMIT_CORE, &no_core);
    starts = mmap(NULL, sizeof *starts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(starts != MAP_FAILED);
    g_test_add_func("/faults/death-over-a-task", test_death_over_a_task);
    g_test_add_func("/faults/retry-in-fresh-worker", test_retry_in_fresh_worker);
    g_test_add_func("/faults/overtime", test_overtime);
    g_test_add_func("/faults/overtime-with-seldom-turns", test_overtime_with_seldom_turns);
    g_test_add_func("/faults/stopped-supervisor", test_stopped_supervisor);
    g_test_add_func("/faults/stopped-while-idle", test_stopped_while_idle);
    g_test_add_func("/faults/death-while-idle", test_death_while_idle);
    g_test_add_func("/faults/death-before-reading", test_death_before_reading);
    g_test_add_func("/faults/nonsense", test_nonsense);
    g_test_add_func("/faults/close-then-exit", test_close_then_exit);
    g_test_add_func("/faults/answer-then-die", test_answer_then_die);
    g_test_add_func("/faults/answer-comes-before-beside", test_answer_comes_before_beside);
    g_test_add_func("/faults/answer-twice", test_answer_twice);
    g_test_add_func("/faults/channel-outlives-worker", test_channel_outlives_worker);
    g_test_add_func("/faults/start-fails-sometimes", test_start_fails_sometimes);
    g_test_add_func("/faults/start-hangs", test_start_hangs);
    g_test_add_func("/faults/start-fails-always", test_start_fails_always);
    g_test_add_func("/faults/map-ends-with-pool", test_map_ends_with_pool);
    g_test_add_func("/faults/crash-limit", test_crash_limit);
    g_test_add_func("/faults/give-up-takes-all", test_give_up_takes_all);
    g_test_add_func("/faults/fork-fails", test_fork_fails);
    g_test_add_func("/faults/retry-without-fork", test_retry_without_fork);
    g_test_add_func("/faults/no-descriptors", test_no_descriptors);
    g_test_add_func("/faults/no-worker-can-be", test_no_worker_can_be);
    g_test_add_func("/faults/unfit", test_unfit);
    g_test_add_func("/faults/unfit-silent", test_unfit_silent);
    g_test_add_func("/faults/start-says-too-much", test_start_says_too_much);
    g_test_add_func("/faults/threads-forbid-forking", test_threads_forbid_forking);
    g_test_add_func("/faults/many-suicides", test_many_suicides);
    g_test_add_func("/faults/no-orphans", test_no_orphans);
    g_test_add_func("/faults/reasons", test_reasons);
    return g_test_run();
}
