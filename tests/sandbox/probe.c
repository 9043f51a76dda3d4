/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include "base/fd.h"
#include "sandbox/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_CANNOT_START 70

int
probe_call(const Probe *probe, int source_fd, int target_fd)
{
    int64_t a[PROBE_ARGUMENTS];

    for (int i = 0; i < PROBE_ARGUMENTS; i++) {
        int64_t argument = probe->arguments[i];

        a[i] = argument == PROBE_SOURCE   ? source_fd
               : argument == PROBE_TARGET ? target_fd
                                          : argument;
    }
    return syscall(probe->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
}

/* A BtPoolServe: the reply is an errno. */
static size_t
serve(void *state, const BtTaskView *task, void *reply)
{
    Probe probe;
    int answer;

    (void)state;
    memcpy(&probe, task->bytes, sizeof probe);
    if (probe.deed == NULL)
        answer = probe_call(&probe, task->fds[0], task->fds[1]);
    else
        answer = probe.deed(task->fds[0], task->fds[1]) < 0 ? errno : 0;
    memcpy(reply, &answer, sizeof answer);
    return sizeof answer;
}

static void
keep(int fd, int number)
{
    if (fd < 0 || dup2(fd, number) < 0)
        _exit(EXIT_CANNOT_START);
    close(fd);
}

/* A BtPoolStart, as that of the program; data is a mode. */
static void *
start(void *data, GString *notice, GError **error)
{
    const BtSandboxMode *mode = data;

    keep(open(g_get_tmp_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC), PROBE_FOLDER);
    keep(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), PROBE_SOCKET);
    keep(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC), PROBE_NAMESPACE);
    keep((int)syscall(SYS_pidfd_open, getppid(), 0), PROBE_SUPERVISOR);
    return bt_sandbox_enter(*mode, PROBE_MEMORY, PROBE_FILE_BYTES, notice, error) ? data : NULL;
}

/* A file without a name, to be read. */
static BtFd
make_source(const char *bytes)
{
    g_autofree char *path = NULL;
    g_auto(BtFd) fd = g_file_open_tmp(NULL, &path, NULL);
    BtFd again;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, bytes, strlen(bytes)), ==, strlen(bytes));
    again = open(path, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(again, >=, 0);
    unlink(path);
    return again;
}

static BtFd
make_target(void)
{
    BtFd fd = memfd_create("target", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

/* Writes what comes of sealing the target after the answer; NULL allowed. */
static BtPoolOutcome
try_in_worker(BtSandboxMode mode, const Probe *probe, int *out_seal_errno)
{
    BtPoolOptions options = {
        .name = "probe", .n_slots = 1, .start = start, .serve = serve, .data = &mode};
    g_autoptr(GError) error = NULL;
    g_autoptr(BtPool) pool = bt_pool_new(&options, &error);
    BtTask task = {.bytes = probe,
                   .size = sizeof *probe,
                   .fds = {make_source(PROBE_BYTES), make_target()},
                   .n_fds = 2};
    g_auto(BtFd) target = dup(task.fds[1]);
    BtPoolOutcome outcome = {0};
    bool submitted = bt_pool_submit(pool, &task, NULL, &error);

    g_assert_no_error(error);
    g_assert_true(submitted);
    g_assert_cmpint(bt_pool_next(pool, BT_CLOCK_FOREVER, NULL, 0, &outcome), ==, BT_POOL_OUTCOME);
    if (out_seal_errno != NULL)
        *out_seal_errno =
            fcntl(target, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) == 0 ? 0 : errno;
    return outcome;
}

static void
check_answer(const BtPoolOutcome *outcome, int answer)
{
    int given;

    g_assert_cmpint(outcome->end, ==, BT_TASK_DONE);
    g_assert_cmpuint(outcome->size, ==, sizeof given);
    memcpy(&given, outcome->bytes, sizeof given);
    g_assert_cmpstr(g_strerror(given), ==, g_strerror(answer));
}

void
probe_answers(BtSandboxMode mode, Probe probe, int answer)
{
    g_auto(BtPoolOutcome) outcome = try_in_worker(mode, &probe, NULL);

    check_answer(&outcome, answer);
}

int
probe_seals(Probe probe)
{
    int seal_errno = -1;
    g_auto(BtPoolOutcome) outcome = try_in_worker(BT_SANDBOX_REQUIRE, &probe, &seal_errno);

    check_answer(&outcome, 0);
    return seal_errno;
}

void
probe_dies(Probe probe, int signal_number)
{
    g_auto(BtPoolOutcome) outcome = try_in_worker(BT_SANDBOX_REQUIRE, &probe, NULL);

    g_assert_cmpint(outcome.end, ==, BT_TASK_KILLED);
    g_assert_cmpint(outcome.detail, ==, signal_number);
}

bool
probe_can_lock_in(void)
{
    const char *lacking = bt_landlock_version() == 0 ? "Landlock" : "seccomp filters";

    if (bt_landlock_version() > 0 && bt_filter_is_available())
        return true;
    if (g_strcmp0(g_getenv("MUST_WORK"), "1") == 0)
        g_test_fail_printf("this kernel lacks %s", lacking);
    else
        g_test_skip(lacking);
    return false;
}
