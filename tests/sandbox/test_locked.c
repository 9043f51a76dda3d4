/* SPDX-License-Identifier: MIT */
/* What a locked-in worker can still do, how it ends, and ways around the lock that do not lead out.
 */
#include "probe.h"

#include "pool/process.h"
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N_THREADS 4

static long
refuse(int errnum)
{
    errno = errnum;
    return -1;
}

static long
read_source(int source_fd, int target_fd)
{
    char bytes[sizeof PROBE_BYTES] = "";
    const ssize_t size = sizeof bytes - 1;

    (void)target_fd;
    if (lseek(source_fd, 0, SEEK_END) != size || pread(source_fd, bytes, sizeof bytes, 0) != size)
        return -1;
    return strcmp(bytes, PROBE_BYTES) == 0 ? 0 : refuse(EIO);
}

static long
write_target(int source_fd, int target_fd)
{
    char byte;

    (void)source_fd;
    return pwrite(target_fd, "abc", 3, 0) == 3 && ftruncate(target_fd, 2) == 0 &&
                   pread(target_fd, &byte, 1, 1) == 1 && byte == 'b'
               ? 0
               : -1;
}

static void *
work(void *unused)
{
    void *block = calloc(1, 1 << 20);

    prctl(PR_SET_NAME, "thread");
    free(block);
    return block != NULL ? NULL : unused;
}

static long
start_threads(int source_fd, int target_fd)
{
    pthread_t threads[N_THREADS];

    (void)source_fd, (void)target_fd;
    for (int i = 0; i < N_THREADS; i++)
        if ((errno = pthread_create(&threads[i], NULL, work, threads)) != 0)
            return -1;
    for (int i = 0; i < N_THREADS; i++) {
        void *failed;

        if (pthread_join(threads[i], &failed) != 0 || failed != NULL)
            return refuse(ECANCELED);
    }
    return 0;
}

/* Up to the limit and not beyond, and then on as before. */
static long
allocate(int source_fd, int target_fd)
{
    /* Volatile, or a compiler may find that nothing is ever done with it. */
    void *most = malloc(PROBE_MEMORY / 2), *volatile beyond = malloc(PROBE_MEMORY);
    int errnum = errno;

    (void)source_fd, (void)target_fd;
    if (most == NULL)
        return -1;
    memset(most, 1, PROBE_MEMORY / 2);
    free(most);
    free(beyond);
    most = malloc(PROBE_MEMORY / 2);
    free(most);
    return beyond == NULL && most != NULL ? refuse(errnum) : 0;
}

static long
lower_limit(int source_fd, int target_fd)
{
    struct rlimit limit;

    (void)source_fd, (void)target_fd;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -1;
    limit.rlim_cur /= 2;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

/* Also where root runs the program. */
static long
raise_limit(int source_fd, int target_fd)
{
    struct rlimit limit;

    (void)source_fd, (void)target_fd;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_max++;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

static long
reopen_source(int source_fd, int target_fd)
{
    char path[64];

    (void)target_fd;
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", source_fd);
    return open(path, O_RDWR | O_CLOEXEC);
}

static long
write_source(int source_fd, int target_fd)
{
    (void)target_fd;
    return write(source_fd, "a", 1);
}

static long
start_thread_by_clone3(int source_fd, int target_fd)
{
    (void)source_fd, (void)target_fd;
    return syscall(SYS_clone3, NULL, 0);
}

static long
abort_itself(int source_fd, int target_fd)
{
    (void)source_fd, (void)target_fd;
    abort();
}

static long
run_in_thread(void *(*function)(void *))
{
    pthread_t thread;

    if ((errno = pthread_create(&thread, NULL, function, NULL)) != 0)
        return -1;
    return pthread_join(thread, NULL);
}

static void *
call_what_is_forbidden(void *unused)
{
    syscall(SYS_setsid);
    return unused;
}

static long
offend_in_thread(int source_fd, int target_fd)
{
    (void)source_fd, (void)target_fd;
    return run_in_thread(call_what_is_forbidden);
}

/* The death cannot be put off. */
static long
offend_deaf(int source_fd, int target_fd)
{
    sigset_t all;

    (void)source_fd, (void)target_fd;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    signal(SIGSYS, SIG_IGN);
    call_what_is_forbidden(NULL);
    return 0;
}

#ifdef __x86_64__
/* The same kernel by its other doors, where calls have other numbers: getpid(). */
static void *
call_as_i386(void *unused)
{
    long number = 20;

    __asm__ volatile("int $0x80" : "+a"(number) : : "memory", "r8", "r9", "r10", "r11");
    return unused;
}

static void *
call_as_x32(void *unused)
{
    syscall(0x40000000 + SYS_getpid);
    return unused;
}

static int
try_as_i386(void *unused)
{
    call_as_i386(unused);
    return 0;
}

/* Kernels may be booted without: then the call ends any process. */
static bool
has_i386_door(void)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    BtProcessEnd end;

    g_assert_true(bt_process_start(&process, "i386", try_as_i386, NULL, NULL));
    g_assert_true(bt_process_join(&process, BT_PROCESS_FOREVER, &end, NULL));
    return end.fate == BT_PROCESS_EXITED;
}

static long
offend_as_i386(int source_fd, int target_fd)
{
    (void)source_fd, (void)target_fd;
    return run_in_thread(call_as_i386);
}

static long
offend_as_x32(int source_fd, int target_fd)
{
    (void)source_fd, (void)target_fd;
    return run_in_thread(call_as_x32);
}
#endif

typedef struct Case {
    const char *name;
    ProbeDeed deed;
    int answer;        /* errno, 0 for success */
    int signal_number; /* or the death that it ends in */
} Case;

static const Case cases[] = {
    {"works/read", read_source, 0, 0},
    {"works/write", write_target, 0, 0},
    {"works/threads", start_threads, 0, 0},
    {"works/lower-limit", lower_limit, 0, 0},
    {"refused/raise-limit", raise_limit, EPERM, 0},
    {"refused/reopen", reopen_source, EACCES, 0},
    {"refused/write-source", write_source, EBADF, 0},
    {"refused/clone3", start_thread_by_clone3, ENOSYS, 0},
    {"ends/abort", abort_itself, 0, SIGABRT},
    {"ends/thread", offend_in_thread, 0, SIGSYS},
    {"ends/deaf", offend_deaf, 0, SIGSYS},
#ifdef __x86_64__
    {"ends/i386", offend_as_i386, 0, SIGSYS},
    {"ends/x32", offend_as_x32, 0, SIGSYS},
#endif
};

static void
test_case(const void *data)
{
    const Case *self = data;
    Probe probe = {.deed = self->deed};

    if (!probe_can_lock_in())
        return;
#ifdef __x86_64__
    if (self->deed == offend_as_i386 && !has_i386_door()) {
        g_test_skip("this kernel has no calls of i386");
        return;
    }
#endif
    if (self->signal_number != 0)
        probe_dies(probe, self->signal_number);
    else
        probe_answers(BT_SANDBOX_REQUIRE, probe, self->answer);
}

/* In every mode. */
static void
test_memory(void)
{
    Probe probe = {.deed = allocate};

    if (!BT_SANDBOX_LIMITS_MEMORY) {
        g_test_skip("no limit of memory with AddressSanitizer");
        return;
    }
    probe_answers(BT_SANDBOX_OFF, probe, ENOMEM);
    if (probe_can_lock_in())
        probe_answers(BT_SANDBOX_REQUIRE, probe, ENOMEM);
}

/* What is refused where Landlock stands alone, from which of its versions on. */
typedef struct Denied {
    Probe probe;
    int version;
    int answer;
} Denied;

static int
try_under_landlock(void *data)
{
    const Denied *denied = data;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !bt_landlock_enter(bt_landlock_version()))
        return EXIT_FAILURE;
    return probe_call(&denied->probe, STDIN_FILENO, STDOUT_FILENO);
}

static int
run_process(BtProcessFunction function, void *data)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    g_autoptr(GError) error = NULL;
    BtProcessEnd end;
    bool ok = bt_process_start(&process, "landlock", function, data, &error) &&
              bt_process_join(&process, BT_PROCESS_FOREVER, &end, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpint(end.fate, ==, BT_PROCESS_EXITED);
    return end.detail;
}

static void
test_landlock_alone(void)
{
    static const struct sockaddr_in port = {.sin_family = AF_INET, .sin_port = 0x0100};
    g_auto(BtFd) tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int64_t path = (intptr_t) "/dev/null", folder = (intptr_t) "/tmp/nothing";
    Denied rows[] = {
        {{.number = SYS_openat, .arguments = {AT_FDCWD, path, O_RDONLY}}, 1, EACCES},
        {{.number = SYS_openat, .arguments = {AT_FDCWD, path, O_WRONLY}}, 1, EACCES},
        {{.number = SYS_mkdirat, .arguments = {AT_FDCWD, folder, 0700}}, 1, EACCES},
        {{.number = SYS_execve, .arguments = {(intptr_t) "/bin/true"}}, 1, EACCES},
        {{.number = SYS_connect, .arguments = {tcp, (intptr_t)&port, sizeof port}}, 4, EACCES},
        {{.number = SYS_kill, .arguments = {getpid(), 0}}, 6, EPERM},
    };

    if (!probe_can_lock_in())
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (bt_landlock_version() >= rows[i].version)
            g_assert_cmpstr(g_strerror(run_process(try_under_landlock, &rows[i])), ==,
                            g_strerror(rows[i].answer));
}

static void *
wait_for_ever(void *unused)
{
    pause();
    return unused;
}

static int
enter_with_threads(void *unused)
{
    g_autoptr(GError) error = NULL;
    pthread_t thread;

    (void)unused;
    if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
        return EXIT_FAILURE;
    return bt_sandbox_enter(BT_SANDBOX_AUTO, 0, &error) ||
           !g_error_matches(error, BT_ERROR, BT_ERROR_FAILED);
}

/* Threads of before would stay free. */
static void
test_threads_of_before(void)
{
    g_assert_cmpint(run_process(enter_with_threads, NULL), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/locked/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/locked/memory", test_memory);
    g_test_add_func("/locked/landlock-alone", test_landlock_alone);
    g_test_add_func("/locked/threads-of-before", test_threads_of_before);
    return g_test_run();
}
