/* SPDX-License-Identifier: MIT */
/* What a locked-in worker can still do, how it ends, and ways around the lock that do not lead out.
 */
#include "probe.h"

#include "pool/process.h"
#include "sandbox/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
    static const unsigned limited[] = {RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_STACK, RLIMIT_FSIZE};
    struct rlimit limit;

    (void)source_fd, (void)target_fd;
    for (size_t i = 0; i < G_N_ELEMENTS(limited); i++) {
        if (getrlimit(limited[i], &limit) != 0 || limit.rlim_max == RLIM_INFINITY)
            return 0;
        limit.rlim_max++;
        if (setrlimit(limited[i], &limit) == 0)
            return 0;
    }
    return -1;
}

/* What libraries map, and how. */
static long
map_memory(int source_fd, int target_fd)
{
    static const struct {
        int protection, flags, file; /* 0: none, 1: the source, 2: the target */
    } rows[] = {
        {PROT_READ, MAP_SHARED, 1},
        {PROT_READ, MAP_PRIVATE, 1},
        {PROT_READ | PROT_WRITE, MAP_PRIVATE, 2},
        {PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0},
        {PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, 0},
        {PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        int fd = rows[i].file == 0 ? -1 : rows[i].file == 1 ? source_fd : target_fd;

        if (mmap(NULL, 4096, rows[i].protection, rows[i].flags, fd, 0) == MAP_FAILED)
            return -1;
    }
    /* MAP_DROPPABLE: getrandom() of newer C libraries, on newer kernels. */
    mmap(NULL, 4096, PROT_READ | PROT_WRITE, 0x08 | MAP_ANONYMOUS, -1, 0);
    return 0;
}

/* Keeps the target mapped and writes by that: the filter sees no harm in either call. */
static long
hold_mapping(int source_fd, int target_fd)
{
    char *bytes = mmap(NULL, 4096, PROT_READ, MAP_SHARED, target_fd, 0);

    (void)source_fd;
    if (bytes == MAP_FAILED || ftruncate(target_fd, 4096) != 0 ||
        mprotect(bytes, 4096, PROT_READ | PROT_WRITE) != 0)
        return -1;
    memset(bytes, 1, 4096);
    return 0;
}

/* Up to the limit and not beyond. */
static long
write_beyond(int source_fd, int target_fd)
{
    (void)source_fd;
    if (pwrite(target_fd, "ab", 2, PROBE_FILE_BYTES - 1) != 1)
        return 0;
    return pwrite(target_fd, "b", 1, PROBE_FILE_BYTES);
}

static long
grow_beyond(int source_fd, int target_fd)
{
    (void)source_fd;
    if (ftruncate(target_fd, PROBE_FILE_BYTES) != 0)
        return 0;
    return ftruncate(target_fd, PROBE_FILE_BYTES + 1);
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
    g_assert_true(bt_process_join(&process, BT_CLOCK_FOREVER, &end, NULL));
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
    {"works/map", map_memory, 0, 0},
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

/* In every mode. */
static void
test_file_bytes(void)
{
    static const ProbeDeed deeds[] = {write_beyond, grow_beyond};

    for (size_t i = 0; i < G_N_ELEMENTS(deeds); i++) {
        probe_answers(BT_SANDBOX_OFF, (Probe){.deed = deeds[i]}, EFBIG);
        if (probe_can_lock_in())
            probe_answers(BT_SANDBOX_REQUIRE, (Probe){.deed = deeds[i]}, EFBIG);
    }
}

/* What was written can be sealed, unless the worker could still change it. */
static void
test_seals(void)
{
    if (!probe_can_lock_in())
        return;
    g_assert_cmpint(probe_seals((Probe){.deed = write_target}), ==, 0);
    g_assert_cmpint(probe_seals((Probe){.deed = hold_mapping}), ==, EBUSY);
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

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !bt_landlock_enter())
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
              bt_process_join(&process, BT_CLOCK_FOREVER, &end, &error);

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

/* A system call of a layer that an outer sandbox refuses. */
typedef struct Refused {
    int call;
    int errnum;
    bool has_first; /* only with this first argument: */
    scmp_datum_t first;
    const char *lacking; /* begins with this */
    BtSandboxMode mode;
} Refused;

static int
enter_where_refused(void *data)
{
    const Refused *refused = data;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    g_autoptr(GString) lacking = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    if (geteuid() == 0) /* needs no no_new_privs */
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
    g_assert_cmpint(seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)refused->errnum),
                                     refused->call, refused->has_first ? 1 : 0,
                                     SCMP_A0(SCMP_CMP_MASKED_EQ, UINT64_MAX, refused->first)),
                    ==, 0);
    g_assert_cmpint(seccomp_load(filter), ==, 0);
    if (refused->mode == BT_SANDBOX_AUTO) {
        g_assert_true(bt_sandbox_enter(refused->mode, 0, 0, lacking, &error));
        g_assert_no_error(error);
        g_assert_true(g_str_has_prefix(lacking->str, refused->lacking));
        /* What is left is there. */
        if (refused->call != SCMP_SYS(prctl))
            g_assert_true(open("/dev/null", O_RDONLY) < 0 && errno == EACCES);
    } else {
        g_assert_false(bt_sandbox_enter(refused->mode, 0, 0, lacking, &error));
        g_assert_error(error, BT_ERROR_SYSTEM, refused->errnum);
        g_assert_nonnull(strstr(error->message, refused->lacking));
        g_assert_nonnull(strstr(error->message, g_strerror(refused->errnum)));
        g_assert_cmpstr(lacking->str, ==, "");
    }
    return 0;
}

static void
test_refused_layers(void)
{
    static const BtSandboxMode modes[] = {BT_SANDBOX_AUTO, BT_SANDBOX_REQUIRE};
    Refused rows[] = {
        {SCMP_SYS(landlock_create_ruleset), ENOSYS, false, 0, "Landlock", 0},
        {SCMP_SYS(landlock_create_ruleset), EPERM, false, 0, "Landlock", 0},
        {SCMP_SYS(landlock_restrict_self), EPERM, false, 0, "Landlock", 0},
        {SCMP_SYS(landlock_restrict_self), EINVAL, false, 0, "Landlock", 0},
        {SCMP_SYS(seccomp), EPERM, false, 0, "seccomp filters", 0},
        {SCMP_SYS(seccomp), EINVAL, true, SECCOMP_SET_MODE_FILTER, "seccomp filters", 0},
        {SCMP_SYS(capset), EPERM, false, 0, "dropped capabilities", 0},
        {SCMP_SYS(prctl), EPERM, true, PR_SET_NO_NEW_PRIVS, "no_new_privs", 0},
    };

    if (!probe_can_lock_in())
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(modes); k++) {
            rows[i].mode = modes[k];
            g_assert_cmpint(run_process(enter_where_refused, &rows[i]), ==, 0);
        }
    }
}

static int
enter_without_limits(void *unused)
{
    struct rlimit before, after;

    (void)unused;
    return getrlimit(RLIMIT_FSIZE, &before) == 0 &&
                   bt_sandbox_enter(BT_SANDBOX_OFF, 0, 0, NULL, NULL) &&
                   getrlimit(RLIMIT_FSIZE, &after) == 0 &&
                   memcmp(&before, &after, sizeof after) == 0
               ? 0
               : EXIT_FAILURE;
}

static void
test_no_limit_of_files(void)
{
    g_assert_cmpint(run_process(enter_without_limits, NULL), ==, 0);
}

/* A secret that is nowhere but where it was put: it is compared letter by letter. */
#define SECRET_BYTES 40

static char
letter(size_t i)
{
    return (char)('a' + (7 * i + 3) % 26);
}

static void
put_secret(char *out_text)
{
    for (size_t i = 0; i < SECRET_BYTES; i++)
        out_text[i] = letter(i);
    out_text[SECRET_BYTES] = '\0';
}

/* How often it is in this process's writable memory. */
static int
count_secrets(void)
{
    g_autoptr(GString) maps = g_string_new(NULL);
    FILE *file = fopen("/proc/self/maps", "re");
    char line[512];
    int n = 0;

    while (fgets(line, sizeof line, file) != NULL)
        g_string_append(maps, strstr(line, " rw-p ") != NULL ? line : "");
    fclose(file);
    for (const char *at = maps->str; *at != '\0'; at = strchr(at, '\n') + 1) {
        unsigned long begin, end;

        g_assert_cmpint(sscanf(at, "%lx-%lx", &begin, &end), ==, 2);
        for (const char *text = (const char *)begin; text + SECRET_BYTES <= (const char *)end;
             text++) {
            size_t i = 0;

            while (i < SECRET_BYTES && text[i] == letter(i))
                i++;
            n += i == SECRET_BYTES;
        }
    }
    return n;
}

/* In a program that was begun with the secret in its environment. */
static int
forget(void)
{
    g_autofree char *area = NULL;
    char text[SECRET_BYTES + 1];
    size_t size = 0;

    put_secret(text);
    setenv("ANOTHER", text, 1);
    explicit_bzero(text, sizeof text);
    g_assert_cmpint(count_secrets(), ==, 2);
    bt_sandbox_forget_environment();
    g_assert_cmpint(count_secrets(), ==, 0);
    g_assert_null(getenv("SECRET"));
    g_assert_null(getenv("ANOTHER"));
    g_assert_true(environ == NULL || *environ == NULL);

    /* Names, too, and all else that its owner can read from outside. */
    g_assert_true(g_file_get_contents("/proc/self/environ", &area, &size, NULL));
    g_assert_cmpuint(size, >, SECRET_BYTES);
    for (size_t i = 0; i < size; i++)
        g_assert_cmpint(area[i], ==, 0);

    /* It can be used again. */
    setenv("LATER", "text", 1);
    g_assert_cmpstr(getenv("LATER"), ==, "text");
    return 0;
}

static int
exec_to_forget(void *unused)
{
    char secret[] = "SECRET="
                    "0123456789012345678901234567890123456789";
    char program[] = "test", argument[] = "forget", other[] = "OTHER=thing";
    char *arguments[] = {program, argument, NULL}, *environment[] = {secret, other, NULL};

    (void)unused;
    put_secret(strchr(secret, '=') + 1);
    execve("/proc/self/exe", arguments, environment);
    return EXIT_FAILURE;
}

static void
test_forget_environment(void)
{
    if (!BT_SANDBOX_LIMITS_MEMORY)
        g_test_skip("AddressSanitizer keeps a copy of the environment");
    else
        g_assert_cmpint(run_process(exec_to_forget, NULL), ==, 0);
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
    return bt_sandbox_enter(BT_SANDBOX_AUTO, 0, 0, NULL, &error) ||
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
    if (argc == 2 && strcmp(argv[1], "forget") == 0)
        return forget();
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/locked/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/locked/memory", test_memory);
    g_test_add_func("/locked/file-bytes", test_file_bytes);
    g_test_add_func("/locked/no-limit-of-files", test_no_limit_of_files);
    g_test_add_func("/locked/seals", test_seals);
    g_test_add_func("/locked/refused-layers", test_refused_layers);
    g_test_add_func("/locked/forget-environment", test_forget_environment);
    g_test_add_func("/locked/landlock-alone", test_landlock_alone);
    g_test_add_func("/locked/threads-of-before", test_threads_of_before);
    return g_test_run();
}
