/* SPDX-License-Identifier: MIT */
#include "bench/child.h"

#include "base/clock.h"
#include "base/fd.h"
#include "pool/process.h"
#include "pool/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCH_NS    (5 * BT_NS_PER_MS)
#define BLOCK_BYTES 512 /* of ru_inblock */
#define OUTPUT_MAX  (INT64_C(1) << 30)

enum {
    NOT_STARTED = 127,
    SIGNALLED = 128
};

typedef struct Launch {
    char *const *argv;
    BtFd in, out, err;
} Launch;

static void
clear_launch(Launch *self)
{
    bt_fd_clear(&self->in);
    bt_fd_clear(&self->out);
    bt_fd_clear(&self->err);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Launch, clear_launch)

/* In the child. */
static int
launch(void *data)
{
    const Launch *self = data;

    if (dup2(self->in, STDIN_FILENO) >= 0 && dup2(self->out, STDOUT_FILENO) >= 0 &&
        dup2(self->err, STDERR_FILENO) >= 0)
        execvp(self->argv[0], self->argv);
    dprintf(self->err, "%s: %s\n", self->argv[0], strerror(errno));
    return NOT_STARTED;
}

static char *
read_output(int fd)
{
    off_t end = lseek(fd, 0, SEEK_END);
    size_t size = (size_t)CLAMP(end, 0, OUTPUT_MAX), done = 0;
    char *text = g_malloc0(size + 1);

    for (ssize_t n;
         done < size && (n = bt_fd_read_at(fd, text + done, size - done, (off_t)done)) > 0;)
        done += (size_t)n;
    return text;
}

/* Until the process has ended. False when a signal came first. */
static bool
wait_for_end(const BtProcess *process, bool watched, int signal_fd, BtFamily *most)
{
    struct pollfd fds[] = {{.fd = process->pidfd, .events = POLLIN},
                           {.fd = signal_fd, .events = POLLIN}};

    while ((fds[0].revents & POLLIN) == 0) {
        uint64_t now_ns = bt_clock_now_ns();

        if (fds[1].revents != 0)
            return false;
        if (watched) {
            BtFamily family = bt_family_look(process->pid);

            most->n_processes = MAX(most->n_processes, family.n_processes);
            most->bytes = MAX(most->bytes, family.bytes);
        }
        bt_wait_poll(fds, G_N_ELEMENTS(fds), watched ? now_ns + WATCH_NS : BT_WAIT_FOREVER);
    }
    return true;
}

static double
seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void
take_usage(BtChild *child, int status, const struct rusage *usage)
{
    child->cpu_seconds = seconds_of(usage->ru_utime) + seconds_of(usage->ru_stime);
    child->largest_bytes = (uint64_t)usage->ru_maxrss * 1024;
    child->read_bytes = (uint64_t)usage->ru_inblock * BLOCK_BYTES;
    child->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

static bool
run_launched(Launch *what, bool watched, int signal_fd, BtChild *child, GError **error)
{
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    uint64_t begin_ns = bt_clock_now_ns();
    struct rusage usage;
    int status;

    if (!bt_process_start(&process, "command", launch, what, error))
        return false;
    if (!wait_for_end(&process, watched, signal_fd, &child->together)) {
        kill(-process.pid, SIGKILL);
        return bt_error_set_system(error, EINTR, "a signal came");
    }
    /* Reaped here for its usage; the clean-up then finds nothing but the pidfd. */
    if (wait4(process.pid, &status, 0, &usage) < 0)
        return bt_error_set_system(error, errno, "cannot wait for %s", what->argv[0]);
    child->wall_seconds = (double)(bt_clock_now_ns() - begin_ns) / (double)BT_NS_PER_S;
    take_usage(child, status, &usage);
    return true;
}

bool
bt_child_run(char *const *argv, bool watched, int signal_fd, BtChild *out_child, GError **error)
{
    g_auto(Launch) what = {
        .argv = argv,
        .in = open("/dev/null", O_RDONLY | O_CLOEXEC),
        .out = memfd_create("out", MFD_CLOEXEC),
        .err = memfd_create("err", MFD_CLOEXEC),
    };
    BtChild child = {0};
    bool is_done;

    if (what.in < 0 || what.out < 0 || what.err < 0)
        return bt_error_set_system(error, errno, "cannot open what %s writes to", argv[0]);
    is_done = run_launched(&what, watched, signal_fd, &child, error);
    bt_family_end();
    if (!is_done)
        return false;
    child.out = read_output(what.out);
    child.err = read_output(what.err);
    *out_child = child;
    return true;
}

void
bt_child_clear(BtChild *self)
{
    g_clear_pointer(&self->out, g_free);
    g_clear_pointer(&self->err, g_free);
}

char *
bt_child_complaint(const BtChild *self)
{
    g_autofree char *said = g_strdup(self->err);
    const char *last;

    g_strchomp(said);
    last = strrchr(said, '\n');
    last = last != NULL ? last + 1 : said;
    return *last != '\0' ? g_strdup_printf("exit status %d: %s", self->exit_code, last)
                         : g_strdup_printf("exit status %d", self->exit_code);
}
