/* SPDX-License-Identifier: MIT */
#include "pool/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How many threads this process has; 1 where /proc cannot tell. */
static int
count_threads(void)
{
    DIR *threads = opendir("/proc/self/task");
    int n = 0;

    if (threads == NULL)
        return 1;
    for (const struct dirent *entry; (entry = readdir(threads)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(threads);
    return n;
}

/* With SIGCHLD ignored the kernel reaps children unseen, and with it their fate. */
static void
heed_children(void)
{
    struct sigaction action;

    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
}

/* advice: what to do about it; NULL: what the system says is enough. */
static bool
fail_start(int errnum, const char *advice, GError **error)
{
    g_set_error(error, BT_ERROR_SYSTEM, errnum, "cannot start a worker process: %s",
                advice != NULL ? advice : g_strerror(errnum));
    return false;
}

/* The child's whole life. Signals are blocked when it begins: none may meet a handler that was
 * meant for the parent. */
static _Noreturn void
live(pid_t parent, const char *name, BtProcessFunction function, void *data)
{
    sigset_t none;

    sigemptyset(&none);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(EXIT_FAILURE);
    sigprocmask(SIG_SETMASK, &none, NULL);
    _exit(function(data) & 0xff);
}

bool
bt_process_start(BtProcess *self, const char *name, BtProcessFunction function, void *data,
                 GError **error)
{
    pid_t parent = getpid();
    int n_threads = count_threads();
    sigset_t all, saved;
    int errnum;

    if (n_threads > 1)
        return bt_error_set_system(error, EDEADLK, "cannot fork with %d threads", n_threads);
    g_strlcpy(self->name, name, sizeof self->name);
    heed_children();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &saved);
    self->pid = fork();
    if (self->pid == 0)
        live(parent, self->name, function, data);
    errnum = errno;
    sigprocmask(SIG_SETMASK, &saved, NULL);
    if (self->pid < 0) {
        self->pid = 0;
        return fail_start(errnum,
                          errnum == EAGAIN ? "the limit on processes is reached (ulimit -u, or the "
                                             "container's pids limit)"
                                           : NULL,
                          error);
    }
    if ((self->pidfd = (int)syscall(SYS_pidfd_open, self->pid, 0)) < 0) {
        bool passes = errno == EMFILE || errno == ENFILE || errno == ENOMEM;

        fail_start(errno,
                   passes
                       ? NULL
                       : "this kernel or container does not allow pidfd_open (Linux 5.4 or later "
                         "has it; a container's seccomp profile may refuse it)",
                   error);
        kill(self->pid, SIGKILL);
        while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        self->pid = 0;
        return false;
    }
    return true;
}

static void
forget(BtProcess *self)
{
    bt_fd_clear(&self->pidfd);
    self->pid = 0;
}

bool
bt_process_join(BtProcess *self, uint64_t timeout_ns, BtProcessEnd *out_end, GError **error)
{
    siginfo_t info = {0};
    struct pollfd ended = {.fd = self->pidfd, .events = POLLIN};
    uint64_t until_ns = bt_clock_moment(bt_clock_now_ns(), timeout_ns);

    if (self->pid == 0)
        return bt_error_set(error, BT_ERROR_INVALID, "there is no process to join");
    if (bt_clock_poll(&ended, 1, until_ns) <= 0) {
        *out_end = (BtProcessEnd){BT_PROCESS_RUNNING, 0};
        return true;
    }
    if (waitid(P_PIDFD, (id_t)self->pidfd, &info, WEXITED) != 0) {
        bt_error_set_system(error, errno, "cannot join process %d", (int)self->pid);
        forget(self);
        return false;
    }
    forget(self);
    *out_end = (BtProcessEnd){info.si_code == CLD_EXITED ? BT_PROCESS_EXITED : BT_PROCESS_KILLED,
                              info.si_status};
    return true;
}

bool
bt_process_signal(BtProcess *self, int signal_number)
{
    if (self->pid == 0)
        return false;
    /* A container may know pidfd_open() alone. The process is not reaped, so its PID is its own. */
    return syscall(SYS_pidfd_send_signal, self->pidfd, signal_number, NULL, 0) == 0 ||
           kill(self->pid, signal_number) == 0;
}

/* close_range(), one by one where the kernel (before 5.9) or a filter refuses it: what a worker
 * inherits are other pictures and results. */
static void
close_from_to(unsigned first, unsigned last)
{
    struct rlimit files;

    if (first > last || syscall(SYS_close_range, first, last, 0) == 0 ||
        getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    for (unsigned fd = first; fd <= last && fd < files.rlim_cur; fd++)
        close((int)fd);
}

void
bt_process_let_go(int kept_fd)
{
    unsigned kept = (unsigned)MAX(kept_fd, STDERR_FILENO);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null_fd >= 0)
        dup2(null_fd, STDIN_FILENO);
    close_from_to(STDERR_FILENO + 1, kept - 1);
    close_from_to(kept + 1, ~0U);
}

void
bt_process_clear(BtProcess *self)
{
    BtProcessEnd end;

    if (self == NULL || self->pid == 0)
        return;
    bt_process_signal(self, SIGKILL);
    /* A failure means that somebody else has reaped it: then it is gone too. */
    (void)!bt_process_join(self, BT_CLOCK_FOREVER, &end, NULL);
}
