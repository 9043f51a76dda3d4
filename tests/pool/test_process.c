/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "fixture.h"
#include "pool/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void
start(BtProcess *process, BtProcessFunction function, void *data)
{
    GError *error = NULL;
    bool good = bt_process_start(process, "test-process", function, data, &error);

    g_assert_no_error(error);
    g_assert_true(good);
    g_assert_cmpint(process->pid, >, 0);
    g_assert_cmpint(process->pidfd, >=, 0);
}

static BtProcessEnd
join(BtProcess *process)
{
    GError *error = NULL;
    BtProcessEnd end;
    bool good = bt_process_join(process, BT_CLOCK_FOREVER, &end, &error);

    g_assert_no_error(error);
    g_assert_true(good);
    g_assert_cmpint(process->pid, ==, 0);
    g_assert_cmpint(process->pidfd, ==, -1);
    return end;
}

static void
assert_exit(BtProcess *process, int code)
{
    BtProcessEnd end = join(process);

    g_assert_cmpint(end.fate, ==, BT_PROCESS_EXITED);
    g_assert_cmpint(end.detail, ==, code);
}

static int
return_argument(void *data)
{
    const int *code = data;

    return *code;
}

static int
return_whether_null(void *data)
{
    return data == NULL ? 42 : 1;
}

static void
test_exit_codes(void)
{
    static const int codes[][2] = {{0, 0}, {1, 1}, {7, 7}, {255, 255}, {256, 0}, {-1, 255}};
    g_auto(BtProcess) process = BT_PROCESS_INIT;

    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        int code = codes[i][0];

        start(&process, return_argument, &code);
        assert_exit(&process, codes[i][1]);
    }
    start(&process, return_whether_null, NULL);
    assert_exit(&process, 42);
    g_assert_false(has_children());
}

/* Writes into its copy of data, and to the pipe in it. */
static int
greet(void *data)
{
    int *fd = data;
    int greeted = dprintf(*fd, "hello from %d", (int)getpid()) > 0;

    *fd = -1;
    return greeted;
}

static void
test_memory_is_copied(void)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    g_autofree char *expected = NULL;
    int ends[2];
    int fd;
    char text[64] = "";

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    fd = ends[1];
    start(&process, greet, &fd);
    expected = g_strdup_printf("hello from %d", (int)process.pid);
    assert_exit(&process, 1);
    g_assert_cmpint(fd, ==, ends[1]);
    g_assert_cmpint(read(ends[0], text, sizeof text - 1), >, 0);
    g_assert_cmpstr(text, ==, expected);
    close(ends[0]);
    close(ends[1]);
}

static int
hang(void *data)
{
    (void)data;
    pause();
    return 1;
}

static int
die_by_argument(void *data)
{
    const int *signal_number = data;

    raise(*signal_number);
    return 0;
}

static void
test_signals(void)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGUSR1, SIGABRT};
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    struct rlimit no_core = {0, 0};

    setrlimit(RLIMIT_CORE, &no_core);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
        int signal_number = signals[i];
        BtProcessEnd end;

        start(&process, die_by_argument, &signal_number);
        end = join(&process);
        g_assert_cmpint(end.fate, ==, BT_PROCESS_KILLED);
        g_assert_cmpint(end.detail, ==, signal_number);
    }
}

static void
test_join_times_out(void)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    BtProcessEnd end;

    start(&process, hang, NULL);
    for (int i = 0; i < 3; i++) {
        g_assert_true(bt_process_join(&process, (uint64_t)i * BT_NS_PER_MS, &end, NULL));
        g_assert_cmpint(end.fate, ==, BT_PROCESS_RUNNING);
        g_assert_cmpint(process.pid, >, 0);
    }
    g_assert_true(bt_process_signal(&process, SIGTERM));
    end = join(&process);
    g_assert_cmpint(end.fate, ==, BT_PROCESS_KILLED);
    g_assert_cmpint(end.detail, ==, SIGTERM);
    g_assert_false(bt_process_signal(&process, SIGTERM));
}

static void
test_clear(void)
{
    int n_fds = count_fds();
    BtProcess process = BT_PROCESS_INIT;

    bt_process_clear(NULL);
    bt_process_clear(&process);
    start(&process, hang, NULL);
    g_assert_true(bt_process_signal(&process, SIGSTOP));
    bt_process_clear(&process);
    g_assert_cmpint(process.pid, ==, 0);
    g_assert_false(has_children());
    g_assert_cmpint(count_fds(), ==, n_fds);
}

static void
ignore_nothing(int signal_number)
{
    (void)signal_number;
}

/* Which of its promises the child finds broken, as a bit each. */
static int
check_promises(void *data)
{
    const int *sibling_group = data;
    struct sigaction action;
    sigset_t mask;
    char name[BT_PROCESS_NAME_BYTES];
    int death_signal, broken = 0;

    for (int i = 1; i < NSIG; i++)
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            broken |= 1;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    for (int i = 1; i < NSIG; i++)
        if (sigismember(&mask, i) == 1)
            broken |= 2;
    if (getpgrp() != getpid() || getpgrp() == *sibling_group)
        broken |= 4;
    prctl(PR_GET_NAME, name);
    if (strcmp(name, "a-name-that-is-") != 0)
        broken |= 8;
    prctl(PR_GET_PDEATHSIG, &death_signal);
    if (death_signal != SIGKILL)
        broken |= 16;
    return broken;
}

static void
test_child_is_clean(void)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    int group = getpgrp();
    sigset_t blocked, saved, after;

    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, ignore_nothing);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGHUP);
    sigprocmask(SIG_BLOCK, &blocked, &saved);
    g_assert_true(
        bt_process_start(&process, "a-name-that-is-cut-off", check_promises, &group, NULL));
    g_assert_cmpstr(process.name, ==, "a-name-that-is-");
    assert_exit(&process, 0);

    /* The parent keeps what it had. */
    sigprocmask(SIG_SETMASK, &saved, &after);
    g_assert_true(sigismember(&after, SIGUSR1));
    g_assert_true(sigismember(&after, SIGHUP));
    g_assert_false(sigismember(&after, SIGTERM));
    g_assert_true(signal(SIGINT, SIG_DFL) == SIG_IGN);
    g_assert_true(signal(SIGTERM, SIG_DFL) == ignore_nothing);
    g_assert_true(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
}

static int exit_notes_fd = -1;

static void
note_exit(void)
{
    if (exit_notes_fd >= 0)
        dprintf(exit_notes_fd, "atexit");
}

/* Neither atexit handlers nor inherited buffers run in the child. */
static void
test_leaves_quietly(void)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    int ends[2];
    FILE *stream;
    char text[64];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC | O_NONBLOCK), ==, 0);
    stream = fdopen(ends[1], "w");
    fputs("buffered", stream);
    exit_notes_fd = ends[1];
    g_assert_cmpint(atexit(note_exit), ==, 0);
    start(&process, return_whether_null, NULL);
    assert_exit(&process, 42);
    exit_notes_fd = -1;
    g_assert_cmpint(read(ends[0], text, sizeof text), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);
    fclose(stream);
    close(ends[0]);
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
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    GError *error = NULL;
    int ends[2];
    pthread_t thread;

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pthread_create(&thread, NULL, wait_for_byte, &ends[0]), ==, 0);
    g_assert_false(bt_process_start(&process, "no", hang, NULL, &error));
    g_assert_error(error, BT_ERROR_SYSTEM, EDEADLK);
    g_clear_error(&error);
    g_assert_cmpint(process.pid, ==, 0);
    g_assert_false(has_children());
    g_assert_cmpint(write(ends[1], "", 1), ==, 1);
    pthread_join(thread, NULL);
    close(ends[0]);
    close(ends[1]);
}

/* Starts a child, tells its pid, and hangs. */
static int
be_parent(void *data)
{
    const int *fd = data;
    BtProcess child = BT_PROCESS_INIT;

    if (!bt_process_start(&child, "grandchild", hang, NULL, NULL))
        return 1;
    if (write(*fd, &child.pid, sizeof child.pid) != sizeof child.pid)
        return 1;
    return hang(NULL);
}

static void
test_dies_with_parent(void)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    g_auto(BtFd) grandchild_fd = -1;
    int ends[2];
    pid_t grandchild;

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    start(&process, be_parent, &ends[1]);
    g_assert_cmpint(read(ends[0], &grandchild, sizeof grandchild), ==, sizeof grandchild);
    grandchild_fd = (int)syscall(SYS_pidfd_open, grandchild, 0);
    g_assert_cmpint(grandchild_fd, >=, 0);
    bt_process_clear(&process);
    g_assert_true(vanishes(grandchild_fd));
    close(ends[0]);
    close(ends[1]);
}

static void
test_ignored_sigchld(void)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    int code = 5;

    signal(SIGCHLD, SIG_IGN);
    start(&process, return_argument, &code);
    assert_exit(&process, 5);
}

static void
test_reaped_by_somebody_else(void)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    int n_fds = count_fds();
    GError *error = NULL;
    BtProcessEnd end;

    g_assert_false(bt_process_join(&process, 0, &end, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
    g_clear_error(&error);
    start(&process, return_whether_null, NULL);
    g_assert_cmpint(waitpid(process.pid, NULL, 0), ==, process.pid);
    g_assert_false(bt_process_join(&process, BT_CLOCK_FOREVER, &end, &error));
    g_assert_error(error, BT_ERROR_SYSTEM, ECHILD);
    g_clear_error(&error);
    g_assert_cmpint(process.pid, ==, 0);
    g_assert_cmpint(count_fds(), ==, n_fds);
}

/* Without a descriptor left for the pidfd the child must not stay. */
static void
test_no_descriptor_left(void)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    GError *error = NULL;
    struct rlimit saved, tight;
    int free_fd = dup(STDIN_FILENO);

    close(free_fd);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &saved), ==, 0);
    tight = (struct rlimit){(rlim_t)free_fd, saved.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &tight), ==, 0);
    g_assert_false(bt_process_start(&process, "no", hang, NULL, &error));
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &saved), ==, 0);
    g_assert_error(error, BT_ERROR_SYSTEM, EMFILE);
    g_clear_error(&error);
    g_assert_cmpint(process.pid, ==, 0);
    g_assert_false(has_children());
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/process/exit-codes", test_exit_codes);
    g_test_add_func("/process/memory-is-copied", test_memory_is_copied);
    g_test_add_func("/process/signals", test_signals);
    g_test_add_func("/process/join-times-out", test_join_times_out);
    g_test_add_func("/process/clear", test_clear);
    g_test_add_func("/process/child-is-clean", test_child_is_clean);
    g_test_add_func("/process/leaves-quietly", test_leaves_quietly);
    g_test_add_func("/process/threads-forbid-forking", test_threads_forbid_forking);
    g_test_add_func("/process/dies-with-parent", test_dies_with_parent);
    g_test_add_func("/process/ignored-sigchld", test_ignored_sigchld);
    g_test_add_func("/process/reaped-by-somebody-else", test_reaped_by_somebody_else);
    g_test_add_func("/process/no-descriptor-left", test_no_descriptor_left);
    return g_test_run();
}
