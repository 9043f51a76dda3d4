/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void
refuse_options(BtPoolOptions options)
{
    GError *error = NULL;

    g_assert_null(bt_pool_new(&options, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
    g_clear_error(&error);
}

static void
test_options(void)
{
    refuse_options((BtPoolOptions){.n_slots = 1, .serve = obey});
    refuse_options((BtPoolOptions){.name = "", .n_slots = 1, .serve = obey});
    refuse_options((BtPoolOptions){.name = "eleven-byte", .n_slots = 1, .serve = obey});
    refuse_options((BtPoolOptions){.name = "x", .serve = obey});
    refuse_options((BtPoolOptions){.name = "x", .n_slots = -1, .serve = obey});
    refuse_options((BtPoolOptions){.name = "x", .n_slots = BT_POOL_SLOTS_MAX + 1, .serve = obey});
    refuse_options((BtPoolOptions){.name = "x", .n_slots = 1});
    refuse_options((BtPoolOptions){.name = "x", .n_slots = 1, .serve = obey, .retries = -1});
    refuse_options((BtPoolOptions){.name = "x", .n_slots = 1, .serve = obey, .queue_limit = -1});
    bt_pool_free(NULL);
}

/* A pool that could never open its channels is refused at once. */
static void
test_too_few_descriptors(void)
{
    struct rlimit saved, tight;

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &saved), ==, 0);
    tight = (struct rlimit){62 + BT_POOL_BESIDE_MAX, saved.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &tight), ==, 0);
    refuse_options((BtPoolOptions){.name = "x", .n_slots = 32, .serve = obey});
    bt_pool_free(make_pool((BtPoolOptions){.n_slots = 31}));
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &saved), ==, 0);
}

static void
refuse_task(BtPool *pool, BtTask task, BtErrorCode code)
{
    size_t room = bt_pool_room(pool);
    GError *error = NULL;
    uint64_t id = 77;

    g_assert_false(bt_pool_submit(pool, &task, &id, &error));
    g_assert_error(error, BT_ERROR, (int)code);
    g_clear_error(&error);
    g_assert_cmpuint(id, ==, 77);
    g_assert_cmpuint(bt_pool_room(pool), ==, room);
}

static void
test_bad_tasks(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1});
    g_autofree char *bytes = g_malloc0(BT_FRAME_BYTES_MAX + 1);
    int closed_fd = dup(STDIN_FILENO);

    close(closed_fd);
    refuse_task(pool, (BtTask){.bytes = bytes, .size = BT_FRAME_BYTES_MAX + 1}, BT_ERROR_INVALID);
    refuse_task(pool, (BtTask){.bytes = bytes, .size = SIZE_MAX}, BT_ERROR_INVALID);
    refuse_task(pool, (BtTask){.bytes = NULL, .size = 1}, BT_ERROR_INVALID);
    refuse_task(pool, (BtTask){.n_fds = -1}, BT_ERROR_INVALID);
    refuse_task(pool, (BtTask){.n_fds = BT_FRAME_FDS_MAX + 1}, BT_ERROR_INVALID);
    refuse_task(pool, (BtTask){.fds = {-1}, .n_fds = 1}, BT_ERROR_INVALID);
    refuse_task(pool, (BtTask){.fds = {0, closed_fd}, .n_fds = 2}, BT_ERROR_INVALID);
    assert_idle(pool);
    g_assert_false(has_children());
}

/* Replies with the task turned over. */
static size_t
turn_over(void *state, const BtTaskView *task, void *reply)
{
    const unsigned char *from = task->bytes;
    unsigned char *to = reply;

    (void)state;
    for (size_t i = 0; i < task->size; i++)
        to[i] = from[task->size - 1 - i];
    return task->size;
}

static void
test_bytes(void)
{
    size_t sizes[] = {0, 1, 2, 1000, BT_FRAME_BYTES_MAX - 1, BT_FRAME_BYTES_MAX};
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1, .serve = turn_over});
    g_autofree unsigned char *bytes = g_malloc(BT_FRAME_BYTES_MAX);
    g_autofree unsigned char *turned = g_malloc(BT_FRAME_BYTES_MAX);

    for (size_t i = 0; i < BT_FRAME_BYTES_MAX; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
        BtTask task = {.bytes = bytes, .size = sizes[k], .tag = &sizes[k]};
        g_auto(BtPoolOutcome) outcome = {0};

        for (size_t i = 0; i < sizes[k]; i++)
            turned[i] = bytes[sizes[k] - 1 - i];
        g_assert_true(bt_pool_submit(pool, &task, NULL, NULL));
        outcome = next_end(pool, BT_TASK_DONE);
        g_assert_true(outcome.tag == &sizes[k]);
        g_assert_cmpint(outcome.attempts, ==, 1);
        g_assert_cmpmem(outcome.bytes, outcome.size, turned, sizes[k]);
    }
}

static void
test_room(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 2, .queue_limit = 3});
    g_autoptr(BtPool) even = make_pool((BtPoolOptions){.n_slots = 4});
    Order order = {.deed = DEED_ANSWER};

    g_assert_cmpuint(bt_pool_room(even), ==, 8);
    for (size_t n = 0; n < 5; n++) {
        g_assert_cmpuint(bt_pool_room(pool), ==, 5 - n);
        g_assert_cmpuint(bt_pool_idle(pool), ==, n < 2 ? 2 - n : 0);
        g_assert_cmpuint(submit(pool, order), ==, n + 1);
    }
    refuse_task(pool, (BtTask){.bytes = &order, .size = sizeof order}, BT_ERROR_FULL);
    for (int i = 0; i < 5; i++)
        next_answer(pool, NULL);
    assert_idle(pool);
    g_assert_cmpuint(bt_pool_room(pool), ==, 5);
    g_assert_cmpuint(bt_pool_idle(pool), ==, 2);
}

/* Fewer tasks than slots start fewer workers, and a worker that is idle is used again. */
static void
test_few_workers(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 8});
    uint64_t n_started, n_died;
    pid_t pid;

    submit(pool, (Order){.deed = DEED_ANSWER});
    pid = next_answer(pool, NULL).pid;
    for (int i = 0; i < 10; i++) {
        submit(pool, (Order){.deed = DEED_ANSWER});
        g_assert_cmpint(next_answer(pool, NULL).pid, ==, pid);
    }
    for (int i = 0; i < 3; i++)
        submit(pool, (Order){.deed = DEED_SLEEP, .detail = 10});
    for (int i = 0; i < 3; i++)
        next_answer(pool, NULL);
    bt_pool_counts(pool, &n_started, &n_died);
    g_assert_cmpuint(n_started, ==, 3);
    g_assert_cmpuint(n_died, ==, 0);
}

/* Submits a task that ends once a byte was written to *out_gate_fd. */
static uint64_t
submit_gated(BtPool *pool, int *out_gate_fd)
{
    Order order = {.deed = DEED_WAIT};
    BtTask task = {.bytes = &order, .size = sizeof order, .n_fds = 1};
    uint64_t id = 0;
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    task.fds[0] = ends[0];
    g_assert_true(bt_pool_submit(pool, &task, &id, NULL));
    *out_gate_fd = ends[1];
    return id;
}

static void
open_gate(int gate_fd)
{
    g_assert_cmpint(write(gate_fd, "", 1), ==, 1);
    close(gate_fd);
}

/* Outcomes come as tasks end, not as they were submitted. */
static void
test_order_of_completion(void)
{
    static const int order[] = {4, 2, 0, 3, 1};
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 5});
    uint64_t ids[5];
    int gate_fds[5];

    for (int i = 0; i < 5; i++)
        ids[i] = submit_gated(pool, &gate_fds[i]);
    for (int i = 0; i < 5; i++) {
        open_gate(gate_fds[order[i]]);
        g_assert_cmpuint(next_answer(pool, NULL).id, ==, ids[order[i]]);
    }
}

static void
test_timeout(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1});
    BtPoolOutcome outcome;
    uint64_t begin_ns;

    assert_idle(pool);
    submit(pool, (Order){.deed = DEED_HANG});
    g_assert_cmpint(bt_pool_next(pool, 0, NULL, 0, &outcome), ==, BT_POOL_TIMEOUT);
    begin_ns = bt_clock_now_ns();
    g_assert_cmpint(bt_pool_next(pool, 20 * BT_NS_PER_MS, NULL, 0, &outcome), ==, BT_POOL_TIMEOUT);
    g_assert_cmpuint(bt_clock_now_ns() - begin_ns, >=, 20 * BT_NS_PER_MS);
}

/* Without a task inside, with one that takes for ever, and after that. */
static void
test_beside(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1});
    struct pollfd beside[3] = {{.fd = -1, .events = POLLIN}};
    BtPoolOutcome outcome;
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    beside[1] = (struct pollfd){.fd = ends[0], .events = POLLIN, .revents = POLLERR};
    beside[2] = (struct pollfd){.fd = ends[1]};
    for (int i = 0; i < 2; i++) {
        uint64_t begin_ns = bt_clock_now_ns();

        g_assert_cmpint(bt_pool_next(pool, 20 * BT_NS_PER_MS, beside, 3, &outcome), ==,
                        BT_POOL_TIMEOUT);
        g_assert_cmpuint(bt_clock_now_ns() - begin_ns, >=, 20 * BT_NS_PER_MS);
        g_assert_cmpint(beside[1].revents, ==, 0);

        beside[2].events = POLLOUT;
        g_assert_cmpint(bt_pool_next(pool, BT_CLOCK_FOREVER, beside, 3, &outcome), ==,
                        BT_POOL_WOKEN);
        g_assert_cmpint(beside[1].revents, ==, 0);
        g_assert_cmpint(beside[2].revents, ==, POLLOUT);
        beside[2].events = 0;

        g_assert_cmpint(write(ends[1], "", 1), ==, 1);
        for (int k = 0; k < 2; k++)
            g_assert_cmpint(bt_pool_next(pool, BT_CLOCK_FOREVER, beside, 3, &outcome), ==,
                            BT_POOL_WOKEN);
        g_assert_cmpint(beside[1].revents, ==, POLLIN);
        g_assert_cmpint(beside[2].revents, ==, 0);
        g_assert_cmpint(read(ends[0], &(char){0}, 1), ==, 1);
        submit(pool, (Order){.deed = DEED_HANG});
    }
    close(ends[0]);
    close(ends[1]);
}

/* A descriptor that is always ready does not keep outcomes back. */
static void
test_outcome_before_beside(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1});
    g_auto(BtFd) always_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct pollfd always = {.fd = always_fd, .events = POLLIN};
    BtPoolOutcome outcome;
    BtPoolWait wait;

    for (int i = 0; i < 3; i++) {
        submit(pool, (Order){.deed = DEED_ANSWER});
        while ((wait = bt_pool_next(pool, BT_CLOCK_FOREVER, &always, 1, &outcome)) == BT_POOL_WOKEN)
            g_assert_cmpint(always.revents, ==, POLLIN);
        g_assert_cmpint(wait, ==, BT_POOL_OUTCOME);
        bt_pool_outcome_clear(&outcome);
    }
}

/* Where two have replied at once, the second outcome needs no wait. */
static void
test_no_look_beside(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 2});
    g_auto(BtFd) always_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct pollfd always = {.fd = always_fd, .events = POLLIN};
    BtPoolOutcome outcome;
    bool seen = false;

    for (int tries = 0; !seen; tries++) {
        g_assert_cmpint(tries, <, 50);
        for (int i = 0; i < 2; i++)
            submit(pool, (Order){.deed = DEED_SLEEP, .detail = 10});
        g_usleep(50000);
        next_answer(pool, NULL);
        always.revents = POLLERR;
        if (bt_pool_next(pool, BT_CLOCK_FOREVER, &always, 1, &outcome) == BT_POOL_OUTCOME) {
            seen = always.revents == 0; /* else it came while the pool waited */
            bt_pool_outcome_clear(&outcome);
        } else
            next_answer(pool, NULL);
    }
}

/* The parent of a process, as the kernel tells it. */
static pid_t
read_parent(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;
    int parent = -1;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(sscanf(strrchr(text, ')'), ") %*c %d", &parent), ==, 1);
    return parent;
}

static void
test_worker_table(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 3});
    BtWorkerInfo infos[3];
    BtPoolOutcome outcome;
    BtTask task = {.bytes = &(Order){.deed = DEED_HANG}, .size = sizeof(Order), .tag = infos};

    g_assert_cmpint(bt_pool_workers(pool, NULL, 0), ==, 3);
    bt_pool_workers(pool, infos, 3);
    g_assert_cmpstr(infos[2].name, ==, "test-2");
    g_assert_cmpint(infos[2].state, ==, BT_WORKER_NONE);
    g_assert_cmpint(infos[2].pid, ==, 0);

    g_assert_true(bt_pool_submit(pool, &task, NULL, NULL));
    bt_pool_workers(pool, infos, 3);
    g_assert_cmpint(infos[0].state, ==, BT_WORKER_STARTING);
    do {
        g_assert_cmpint(bt_pool_next(pool, BT_NS_PER_MS, NULL, 0, &outcome), ==, BT_POOL_TIMEOUT);
        bt_pool_workers(pool, infos, 3);
    } while (infos[0].state == BT_WORKER_STARTING);
    for (int i = 0; i < 2; i++) {
        submit(pool, (Order){.deed = DEED_ANSWER});
        next_answer(pool, NULL);
    }

    g_assert_cmpint(bt_pool_workers(pool, infos, 2), ==, 3);
    g_assert_cmpint(infos[0].state, ==, BT_WORKER_BUSY);
    g_assert_true(infos[0].task_tag == infos);
    g_assert_cmpint(infos[1].state, ==, BT_WORKER_IDLE);
    g_assert_null(infos[1].task_tag);
    for (int i = 0; i < 2; i++) {
        g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)infos[i].pid);
        g_autofree char *name = NULL;

        g_assert_true(g_file_get_contents(path, &name, NULL, NULL));
        g_assert_cmpstr(g_strchomp(name), ==, infos[i].name);
        g_assert_cmpint(read_parent(infos[i].pid), ==, getpid());
        g_assert_cmpuint(infos[i].since_ns, <=, bt_clock_now_ns());
    }
}

/* Writes a word to the second descriptor that it has read from the first. */
static size_t
pass_word(void *state, const BtTaskView *task, void *reply)
{
    char word[16];
    ssize_t n = read(task->fds[0], word, sizeof word);

    (void)state;
    g_assert_cmpint(task->n_fds, ==, 2);
    g_assert_cmpint(write(task->fds[1], word, (size_t)n), ==, n);
    memcpy(reply, &n, sizeof n);
    return sizeof n;
}

static void
test_descriptors(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1, .serve = pass_word});
    int n_fds = 0;

    for (int i = 0; i < 3; i++) {
        g_auto(BtPoolOutcome) outcome = {0};
        int to[2], from[2];
        BtTask task = {.n_fds = 2};
        char word[16];

        g_assert_cmpint(pipe2(to, O_CLOEXEC), ==, 0);
        g_assert_cmpint(pipe2(from, O_CLOEXEC), ==, 0);
        g_assert_cmpint(write(to[1], "word", 4), ==, 4);
        task.fds[0] = to[0];
        task.fds[1] = from[1];
        g_assert_true(bt_pool_submit(pool, &task, NULL, NULL));
        outcome = next_end(pool, BT_TASK_DONE);
        g_assert_cmpint(read(from[0], word, sizeof word), ==, 4);
        g_assert_cmpmem(word, 4, "word", 4);
        g_assert_cmpint(read(from[0], word, 1), ==, 0); /* neither side holds the other end */
        close(to[1]);
        close(from[0]);
        if (i == 0)
            n_fds = count_fds();
    }
    g_assert_cmpint(count_fds(), ==, n_fds);
}

/* The numbers of its open descriptors, and where standard input leads. */
static size_t
list_fds(void *state, const BtTaskView *task, void *reply)
{
    char *text = reply;
    g_autofree char *input = g_file_read_link("/proc/self/fd/0", NULL);
    size_t n = 0;

    (void)state;
    (void)task;
    for (int fd = 3; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            n += (size_t)sprintf(text + n, "%d ", fd);
    return n + (size_t)sprintf(text + n, "%s", input);
}

static void
test_worker_lets_go(void)
{
    int others[] = {fcntl(0, F_DUPFD, 50), fcntl(0, F_DUPFD, 101), fcntl(0, F_DUPFD, 300)};
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 3, .serve = list_fds});

    for (int i = 0; i < 3; i++)
        g_assert_true(bt_pool_submit(pool, &(BtTask){.n_fds = 0}, NULL, NULL));
    for (int i = 0; i < 3; i++) {
        g_auto(BtPoolOutcome) outcome = next_end(pool, BT_TASK_DONE);
        g_autofree char *text = g_strndup(outcome.bytes, outcome.size);
        g_auto(GStrv) words = g_strsplit(text, " ", 0);

        g_assert_cmpuint(g_strv_length(words), ==, 2); /* its channel, the input */
        g_assert_cmpint(atoi(words[0]), <, 50);
        g_assert_cmpstr(words[1], ==, "/dev/null");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        close(others[i]);
}

static void *
start_counting(void *data, GString *notice, GError **error)
{
    int *state = g_new(int, 1);

    (void)notice, (void)error;
    *state = *(const int *)data;
    return state;
}

/* Replies with how often it was called in this process, counted from what start made. */
static size_t
serve_count(void *state, const BtTaskView *task, void *reply)
{
    int *count = state;

    (void)task;
    memcpy(reply, count, sizeof *count);
    *count += 1;
    return sizeof *count;
}

static void
test_start_and_tasks_per_worker(void)
{
    static const int expected[] = {10, 11, 12, 10, 11, 12, 10};
    int first = 10;
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1,
                                                       .start = start_counting,
                                                       .serve = serve_count,
                                                       .data = &first,
                                                       .tasks_per_worker = 3});
    uint64_t n_started, n_died;

    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_auto(BtPoolOutcome) outcome = {0};

        g_assert_true(bt_pool_submit(pool, &(BtTask){.n_fds = 0}, NULL, NULL));
        outcome = next_end(pool, BT_TASK_DONE);
        g_assert_cmpmem(outcome.bytes, outcome.size, &expected[i], sizeof expected[i]);
    }
    bt_pool_counts(pool, &n_started, &n_died);
    g_assert_cmpuint(n_started, ==, 3);
    g_assert_cmpuint(n_died, ==, 0); /* a replacement is not a death */
}

static void *
start_with_words(void *data, GString *notice, GError **error)
{
    const GString *words = data;

    (void)error;
    g_string_append_len(notice, words->str, (gssize)words->len);
    return data;
}

static void
take_notice(void *user, const char *text)
{
    g_ptr_array_add(user, g_strdup(text));
}

/* Starts two workers that say so; the one after the other, if at all, what the supervisor hears. */
static void
assert_notice(const char *words, gssize n, const char *heard)
{
    g_autoptr(GPtrArray) notices = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) said = g_string_new_len(words, n);
    g_autoptr(BtPool) deaf =
        make_pool((BtPoolOptions){.n_slots = 1, .start = start_with_words, .data = said});
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 1,
                                                       .start = start_with_words,
                                                       .data = said,
                                                       .notice = take_notice,
                                                       .user = notices,
                                                       .tasks_per_worker = 2});

    submit(deaf, (Order){.deed = DEED_ANSWER});
    next_answer(deaf, NULL);
    for (int i = 0; i < 4; i++) {
        submit(pool, (Order){.deed = DEED_ANSWER});
        next_answer(pool, NULL);
    }
    g_assert_cmpuint(notices->len, ==, heard != NULL ? 2 : 0);
    for (guint i = 0; i < notices->len; i++)
        g_assert_cmpstr(notices->pdata[i], ==, heard);
}

static void
test_notice(void)
{
    g_autofree char *most = g_strnfill(BT_POOL_NOTICE_BYTES_MAX, 'a');
    g_autofree char *more = g_strnfill(100 * BT_POOL_NOTICE_BYTES_MAX, 'a');

    assert_notice("", -1, NULL);
    assert_notice("no wrench", -1, "no wrench");
    assert_notice("\xff\n\033[2J", -1, "\xff\n\033[2J");
    assert_notice("no\0wrench", 9, "no");
    assert_notice("\0wrench", 7, NULL);
    assert_notice(most, -1, most);
    assert_notice(more, -1, most);
}

static void
test_idle_limit(void)
{
    g_autoptr(BtPool) patient =
        make_pool((BtPoolOptions){.n_slots = 1, .idle_limit_ns = 3600 * BT_NS_PER_S});
    g_autoptr(BtPool) pool =
        make_pool((BtPoolOptions){.n_slots = 1, .idle_limit_ns = 20 * BT_NS_PER_MS});
    uint64_t n_started, n_died;
    pid_t pid, patient_pid;

    submit(pool, (Order){.deed = DEED_ANSWER});
    submit(patient, (Order){.deed = DEED_ANSWER});
    pid = next_answer(pool, NULL).pid;
    patient_pid = next_answer(patient, NULL).pid;
    g_usleep(40000);
    submit(pool, (Order){.deed = DEED_ANSWER});
    submit(patient, (Order){.deed = DEED_ANSWER});
    g_assert_cmpint(next_answer(pool, NULL).pid, !=, pid);
    g_assert_cmpint(next_answer(patient, NULL).pid, ==, patient_pid);
    bt_pool_counts(pool, &n_started, &n_died);
    g_assert_cmpuint(n_started, ==, 2);
    g_assert_cmpuint(n_died, ==, 0);
}

/* Of the process that forks; a worker keeps that of the moment of its fork. */
static int age;

/* Obeys, and answers with the worker's age. */
static size_t
tell_age(void *state, const BtTaskView *task, void *reply)
{
    size_t size = obey(state, task, reply);
    Answer answer;

    memcpy(&answer, reply, sizeof answer);
    answer.detail = age;
    memcpy(reply, &answer, sizeof answer);
    return size;
}

static BtPool *
make_ageing_pool(int n_slots, size_t queue_limit)
{
    age = 0;
    return make_pool((BtPoolOptions){
        .n_slots = n_slots, .queue_limit = queue_limit, .serve = tell_age, .retries = 1});
}

static void
renew(BtPool *pool)
{
    age++;
    bt_pool_renew(pool);
}

/* The next answer comes from a worker of this age, which is the first that had the task. */
static void
assert_answer_of(BtPool *pool, int worker_age)
{
    BtPoolOutcome outcome;

    g_assert_cmpint(next_answer(pool, &outcome).detail, ==, worker_age);
    g_assert_cmpint(outcome.attempts, ==, 1);
}

/* How many workers were started so far; so many died. */
static uint64_t
count_started(const BtPool *pool, uint64_t n_died)
{
    uint64_t started, died;

    bt_pool_counts(pool, &started, &died);
    g_assert_cmpuint(died, ==, n_died);
    return started;
}

static bool
are_busy(const BtPool *pool, int n_slots)
{
    BtWorkerInfo infos[16];
    int n_busy = 0;

    bt_pool_workers(pool, infos, n_slots);
    for (int i = 0; i < n_slots; i++)
        n_busy += infos[i].state == BT_WORKER_BUSY;
    return n_busy == n_slots;
}

/* What is in work is finished by who has it, what waits goes to others; nobody is blamed. */
static void
test_renew(void)
{
    g_autoptr(BtPool) pool = make_ageing_pool(2, 8);
    BtPoolOutcome outcome;
    int gate_fds[2];

    for (int i = 0; i < 2; i++)
        submit_gated(pool, &gate_fds[i]);
    for (int i = 0; i < 4; i++)
        submit(pool, (Order){.deed = DEED_ANSWER});
    while (!are_busy(pool, 2))
        g_assert_cmpint(bt_pool_next(pool, BT_NS_PER_MS, NULL, 0, &outcome), ==, BT_POOL_TIMEOUT);
    renew(pool);
    g_assert_cmpint(bt_pool_next(pool, 20 * BT_NS_PER_MS, NULL, 0, &outcome), ==, BT_POOL_TIMEOUT);
    g_assert_true(are_busy(pool, 2));
    for (int i = 0; i < 2; i++)
        open_gate(gate_fds[i]);
    for (int n_old = 2, n_new = 4; n_old + n_new > 0;) {
        int from = next_answer(pool, &outcome).detail;

        n_old -= from == 0;
        n_new -= from == 1;
        g_assert_cmpint(MIN(n_old, n_new), >=, 0);
        g_assert_cmpint(outcome.attempts, ==, 1);
    }
    g_assert_cmpuint(count_started(pool, 0), >=, 3);
}

/* Workers that have not begun, or wait, get no other task, and are replaced when there is one. */
static void
test_renew_idle_and_starting(void)
{
    g_autoptr(BtPool) pool = make_ageing_pool(2, 8);
    uint64_t n_started;

    renew(pool);
    g_assert_cmpuint(count_started(pool, 0), ==, 0);
    for (int i = 0; i < 6; i++)
        submit(pool, (Order){.deed = DEED_ANSWER});
    g_assert_cmpuint(count_started(pool, 0), ==, 2);
    renew(pool);
    for (int i = 0; i < 6; i++)
        assert_answer_of(pool, 2);
    n_started = count_started(pool, 0);
    renew(pool);
    assert_idle(pool);
    g_assert_cmpuint(count_started(pool, 0), ==, n_started);
    submit(pool, (Order){.deed = DEED_ANSWER});
    assert_answer_of(pool, 3);
}

/* Of the workers that are unfit for a task the one is replaced that would get it; others stay. */
static void
test_unfit(void)
{
    g_autoptr(BtPool) pool = make_ageing_pool(2, 8);
    int gate_fds[2];
    BtPoolOutcome outcome;
    Order order = {.deed = DEED_ANSWER};
    BtTask task = {.bytes = &order, .size = sizeof order, .n_unfit = 2};

    for (int i = 0; i < 2; i++)
        submit_gated(pool, &gate_fds[i]);
    for (int i = 0; i < 2; i++)
        open_gate(gate_fds[i]);
    for (int i = 0; i < 2; i++)
        assert_answer_of(pool, 0);
    age++;
    g_assert_true(bt_pool_submit(pool, &task, NULL, NULL));
    assert_answer_of(pool, 1);
    for (int i = 0; i < 2; i++) {
        submit(pool, order);
        g_assert_cmpint(next_answer(pool, &outcome).detail, >=, 0);
    }
    g_assert_true(bt_pool_submit(pool, &task, NULL, NULL));
    assert_answer_of(pool, 1);
    g_assert_cmpuint(count_started(pool, 0), <=, 4);
}

/* More of them than a pool forgives deaths, and none is taken for one: no pause, no giving up. */
static void
test_renew_often(void)
{
    g_autoptr(BtPool) pool = make_ageing_pool(2, 8);

    for (int i = 0; i < 200; i++) {
        for (int times = i % 3; times >= 0; times--)
            renew(pool);
        submit(pool, (Order){.deed = DEED_ANSWER});
        submit(pool, (Order){.deed = DEED_ANSWER});
        if (i % 2 == 0)
            renew(pool);
        assert_answer_of(pool, age);
        assert_answer_of(pool, age);
    }
    assert_idle(pool);
    bt_pool_free(g_steal_pointer(&pool));
    g_assert_false(has_children());
}

/* A worker that dies over its task when it was to be replaced anyway is a death like any other. */
static void
test_renew_and_death(void)
{
    g_autoptr(BtPool) pool = make_ageing_pool(1, 2);
    BtPoolOutcome outcome;

    submit(pool, (Order){.deed = DEED_ANSWER});
    assert_answer_of(pool, 0);
    submit(pool, (Order){.deed = DEED_RAISE, .detail = SIGKILL, .attempts = 1});
    renew(pool);
    g_assert_cmpint(next_answer(pool, &outcome).detail, ==, 1);
    g_assert_cmpint(outcome.attempts, ==, 2);
    g_assert_cmpuint(count_started(pool, 1), ==, 2);
}

/* Busy, stopped, idle and starting workers, waiting tasks, descriptors and an outcome that nobody
 * took: all gone. */
static void
test_free_leaves_nothing(void)
{
    int n_fds = count_fds();
    BtPool *pool = make_pool((BtPoolOptions){.n_slots = 4});
    Order hang = {.deed = DEED_HANG};

    for (int i = 0; i < 2; i++)
        submit(pool, (Order){.deed = DEED_SLEEP, .detail = 30});
    for (int i = 0; i < 2; i++)
        next_answer(pool, NULL);
    for (int i = 0; i < 2; i++)
        submit(pool, (Order){.deed = DEED_ANSWER});
    g_usleep(50000);
    next_answer(pool, NULL); /* the other's outcome is left */
    g_assert_cmpint(kill(worker_pid(pool, 1), SIGSTOP), ==, 0);
    for (int i = 0; i < 5; i++) {
        BtTask task = {.bytes = &hang, .size = sizeof hang, .fds = {dup(0), dup(0)}, .n_fds = 2};

        g_assert_true(bt_pool_submit(pool, &task, NULL, NULL));
    }
    g_assert_cmpint(count_fds(), >, n_fds + 10);
    bt_pool_free(pool);
    g_assert_false(has_children());
    g_assert_cmpint(count_fds(), ==, n_fds);
}

typedef struct Counting {
    BtPool *pool;
    uint64_t n, n_given, n_taken;
    uint64_t stop_at;  /* the sink stops after so many; 0: never */
    uint64_t bad_at;   /* this task is too long; 0: none */
    uint64_t held_max; /* most tasks that were given and not yet taken */
} Counting;

static bool
give_order(void *user, BtTask *out_task)
{
    static const Order orders[] = {
        {.deed = DEED_ANSWER},
        {.deed = DEED_SLEEP, .detail = 20},
        {.deed = DEED_SLEEP, .detail = 1},
        {.deed = DEED_RAISE, .detail = SIGKILL, .attempts = 1},
        {.deed = DEED_ANSWER},
    };
    Counting *counting = user;

    if (counting->n_given == counting->n)
        return false;
    g_assert_cmpuint(bt_pool_room(counting->pool), >, 0);
    out_task->bytes = &orders[counting->n_given % G_N_ELEMENTS(orders)];
    out_task->size = sizeof(Order);
    out_task->fds[0] = dup(STDIN_FILENO);
    out_task->n_fds = 1;
    counting->n_given++;
    if (counting->n_given == counting->bad_at)
        out_task->size = BT_FRAME_BYTES_MAX + 1;
    counting->held_max = MAX(counting->held_max, counting->n_given - counting->n_taken);
    return true;
}

static bool
take_answer(void *user, uint64_t index, const BtPoolOutcome *outcome)
{
    Counting *counting = user;

    g_assert_cmpuint(index, ==, counting->n_taken);
    g_assert_cmpint(outcome->end, ==, BT_TASK_DONE);
    g_assert_cmpuint(outcome->size, ==, sizeof(Answer));
    g_assert_cmpint(outcome->attempts, ==, index % 5 == 3 ? 2 : 1);
    counting->n_taken++;
    return counting->n_taken != counting->stop_at;
}

static void
test_map(void)
{
    g_autoptr(BtPool) pool = make_pool((BtPoolOptions){.n_slots = 3, .retries = 1});
    GError *error = NULL;
    int n_fds;

    /* Also with nothing to do, and again and again in one pool. */
    for (uint64_t n = 0; n <= 100; n += 50) {
        Counting counting = {.pool = pool, .n = n};

        g_assert_true(bt_pool_map(pool, give_order, take_answer, &counting, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(counting.n_given, ==, n);
        g_assert_cmpuint(counting.n_taken, ==, n);
        g_assert_cmpuint(counting.held_max, <=, bt_pool_room(pool) + 3);
        assert_idle(pool);
    }
    n_fds = count_fds();

    {
        Counting counting = {.pool = pool, .n = 100, .stop_at = 7};

        g_assert_true(bt_pool_map(pool, give_order, take_answer, &counting, &error));
        g_assert_cmpuint(counting.n_taken, ==, 7);
        g_assert_cmpuint(counting.n_given, <, 100);
        assert_idle(pool);
    }
    {
        Counting counting = {.pool = pool, .n = 100, .bad_at = 20};

        g_assert_false(bt_pool_map(pool, give_order, take_answer, &counting, &error));
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
        g_clear_error(&error);
        g_assert_cmpuint(counting.n_given, ==, 20);
        assert_idle(pool);
    }
    g_assert_cmpint(count_fds(), <=, n_fds);

    submit(pool, (Order){.deed = DEED_ANSWER});
    g_assert_false(bt_pool_map(pool, give_order, take_answer, NULL, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
    g_clear_error(&error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pool/options", test_options);
    g_test_add_func("/pool/too-few-descriptors", test_too_few_descriptors);
    g_test_add_func("/pool/bad-tasks", test_bad_tasks);
    g_test_add_func("/pool/bytes", test_bytes);
    g_test_add_func("/pool/room", test_room);
    g_test_add_func("/pool/few-workers", test_few_workers);
    g_test_add_func("/pool/order-of-completion", test_order_of_completion);
    g_test_add_func("/pool/timeout", test_timeout);
    g_test_add_func("/pool/beside", test_beside);
    g_test_add_func("/pool/outcome-before-beside", test_outcome_before_beside);
    g_test_add_func("/pool/no-look-beside", test_no_look_beside);
    g_test_add_func("/pool/worker-table", test_worker_table);
    g_test_add_func("/pool/descriptors", test_descriptors);
    g_test_add_func("/pool/worker-lets-go", test_worker_lets_go);
    g_test_add_func("/pool/start-and-tasks-per-worker", test_start_and_tasks_per_worker);
    g_test_add_func("/pool/notice", test_notice);
    g_test_add_func("/pool/idle-limit", test_idle_limit);
    g_test_add_func("/pool/renew", test_renew);
    g_test_add_func("/pool/renew-idle-and-starting", test_renew_idle_and_starting);
    g_test_add_func("/pool/unfit", test_unfit);
    g_test_add_func("/pool/renew-often", test_renew_often);
    g_test_add_func("/pool/renew-and-death", test_renew_and_death);
    g_test_add_func("/pool/free-leaves-nothing", test_free_leaves_nothing);
    g_test_add_func("/pool/map", test_map);
    return g_test_run();
}
