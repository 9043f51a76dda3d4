/* SPDX-License-Identifier: MIT */
#include "sandbox/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What C libraries start a thread with, to the bit: no process, and no namespace for a thread
 * alone. musl adds a flag that the kernel has long ignored. */
#define THREAD                                                                                     \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define IGNORED_FLAG ((scmp_datum_t)CLONE_DETACHED)

/* MAP_DROPPABLE of Linux 6.11, newer than Debian 12: getrandom() of glibc 2.41 maps so. */
#define DROPPABLE 0x08

const char bt_filter_missing[] = "";

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What works on open descriptors, memory, time and the process itself. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(ftruncate),
    SCMP_SYS(close),
    SCMP_SYS(dup),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(fadvise64),
    SCMP_SYS(munmap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getrusage),
    SCMP_SYS(getcpu),
    SCMP_SYS(getpriority),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* What libraries try and live without. */
static const struct {
    int call, answer;
} refused[] = {
    {SCMP_SYS(open), EACCES},
    {SCMP_SYS(openat), EACCES},
    {SCMP_SYS(openat2), EACCES},
    {SCMP_SYS(stat), EACCES},
    {SCMP_SYS(lstat), EACCES},
    {SCMP_SYS(statx), EACCES},
    {SCMP_SYS(newfstatat), EACCES}, /* even with AT_EMPTY_PATH: the path cannot be seen */
    {SCMP_SYS(access), EACCES},
    {SCMP_SYS(faccessat), EACCES},
    {SCMP_SYS(faccessat2), EACCES},
    {SCMP_SYS(readlink), EACCES},
    {SCMP_SYS(readlinkat), EACCES},
    {SCMP_SYS(getcwd), EACCES},
    {SCMP_SYS(getpeername), ENOTSOCK},
    {SCMP_SYS(getsockname), ENOTSOCK},
    {SCMP_SYS(ioctl), ENOTTY},
    {SCMP_SYS(clone3), ENOSYS}, /* its flags are behind a pointer; clone() is tried next */
    {SCMP_SYS(mremap), ENOMEM}, /* could enlarge the stack, uncounted; realloc() then copies */
    {SCMP_SYS(memfd_create), EPERM},
    {SCMP_SYS(setpriority), EPERM},
    {SCMP_SYS(sched_setaffinity), EPERM},
    {SCMP_SYS(sched_setscheduler), EPERM},
    {SCMP_SYS(mlock), EPERM},
    {SCMP_SYS(mbind), EPERM},
    {SCMP_SYS(set_mempolicy), EPERM},
    {SCMP_SYS(get_mempolicy), EPERM},
};

static int
add_list(scmp_filter_ctx filter)
{
    int failed = 0;

    for (size_t i = 0; i < N_OF(allowed); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < N_OF(refused); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)refused[i].answer),
                                   refused[i].call, 0);
    return failed;
}

/* What may be mapped. */
static const struct {
    scmp_datum_t forbidden; /* of the protection */
    scmp_datum_t looked_at, flags;
} mappings[] = {
    {PROT_EXEC, MAP_TYPE | MAP_GROWSDOWN, MAP_PRIVATE},
    {PROT_EXEC, MAP_TYPE | MAP_GROWSDOWN | MAP_ANONYMOUS, DROPPABLE | MAP_ANONYMOUS},
    {PROT_EXEC | PROT_WRITE, MAP_TYPE | MAP_GROWSDOWN | MAP_ANONYMOUS, MAP_SHARED},
};

/* Calls that are fine with some arguments. libseccomp compares 64 bits, and the kernel looks at 32
 * of an int: the rest is masked. */
static int
add_with_arguments(scmp_filter_ctx filter)
{
    static const int fcntls[] = {F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC};
    const scmp_datum_t whole_int = UINT32_MAX;
    int failed = 0;

    /* No executable memory, and none that the limit does not count: a shared mapping is one of a
     * file, to be read. */
    for (size_t i = 0; i < N_OF(mappings); i++)
        failed |=
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, mappings[i].forbidden, 0),
                             SCMP_A3(SCMP_CMP_MASKED_EQ, mappings[i].looked_at, mappings[i].flags));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, whole_int & ~IGNORED_FLAG, THREAD));
    /* A signal to itself: abort(). */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, whole_int, (scmp_datum_t)getpid()));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, whole_int, PR_SET_NAME));
    /* Its own limits, to be read, and to be moved below the hard ones. */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, whole_int, 0));
    for (size_t i = 0; i < N_OF(fcntls); i++)
        failed |= seccomp_rule_add(
            filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
            SCMP_A1(SCMP_CMP_MASKED_EQ, whole_int, (scmp_datum_t)(unsigned)fcntls[i]));
    return failed;
}

bool
bt_filter_is_available(void)
{
    const uint32_t kill = SECCOMP_RET_KILL_PROCESS;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill) == 0;
}

bool
bt_filter_enter(void)
{
    scmp_filter_ctx filter;
    int failed;

    if (!bt_filter_is_available())
        return false;
    if ((filter = seccomp_init(SCMP_ACT_KILL_PROCESS)) == NULL) {
        errno = ENOMEM;
        return false;
    }
    /* Calls of the other ABIs of this processor end the process too, not their thread alone. */
    failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) |
             seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1) | add_list(filter) |
             add_with_arguments(filter);
    if (failed == 0)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    errno = failed < 0 ? -failed : 0;
    return failed == 0;
}
