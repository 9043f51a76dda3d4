/* SPDX-License-Identifier: MIT */
#include "bench/child.h"

#include "base/clock.h"
#include "base/fd.h"
#include "pool/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCH_NS    (5 * BT_NS_PER_MS)
#define BLOCK_BYTES 512 /* of ru_inblock */
#define NOT_STARTED 127 /* as shells have it */
#define SIGNALLED   128

typedef struct Launch {
    const char *const *argv;
    int in, out, err;
} Launch;

/* In the child. */
static int
launch(void *data)
{
    const Launch *self = data;

    if (dup2(self->in, STDIN_FILENO) >= 0 && dup2(self->out, STDOUT_FILENO) >= 0 &&
        dup2(self->err, STDERR_FILENO) >= 0)
        execvp(self->argv[0], (char **)(uintptr_t)self->argv);
    dprintf(self->err, "%s: %s\n", self->argv[0], strerror(errno));
    return NOT_STARTED;
}

static char *
read_output(int fd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

/* Adds the children of all threads of a process. */
static void
add_children(pid_t pid, GArray *pids)
{
    g_autofree char *folder = g_strdup_printf("/proc/%d/task", (int)pid);
    g_autoptr(GDir) threads = g_dir_open(folder, 0, NULL);

    for (const char *name; threads != NULL && (name = g_dir_read_name(threads)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, "children", NULL);
        g_autofree char *children = NULL;
        char *at, *end;

        if (!g_file_get_contents(path, &children, NULL, NULL))
            continue;
        at = children;
        for (gint64 value; (value = g_ascii_strtoll(at, &end, 10)) > 0; at = end) {
            pid_t child = (pid_t)value;

            g_array_append_val(pids, child);
        }
    }
}

/* 0 where the process is gone. */
static uint64_t
bytes_of(pid_t pid)
{
    g_autofree char *rollup_path = g_strdup_printf("/proc/%d/smaps_rollup", (int)pid);
    g_autofree char *statm_path = g_strdup_printf("/proc/%d/statm", (int)pid);
    g_autofree char *rollup = NULL, *statm = NULL;
    unsigned long size, resident;
    const char *pss;

    if (g_file_get_contents(rollup_path, &rollup, NULL, NULL) &&
        (pss = strstr(rollup, "\nPss:")) != NULL)
        return g_ascii_strtoull(pss + strlen("\nPss:"), NULL, 10) * 1024;
    if (!g_file_get_contents(statm_path, &statm, NULL, NULL) ||
        sscanf(statm, "%lu %lu", &size, &resident) != 2)
        return 0;
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* One look at a process and its descendants, which come and go meanwhile: an estimate. */
static void
watch(pid_t pid, BtChild *child)
{
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof pid);
    uint64_t bytes = 0;

    g_array_append_val(pids, pid);
    for (guint i = 0; i < pids->len; i++) {
        pid_t one = g_array_index(pids, pid_t, i);

        bytes += bytes_of(one);
        add_children(one, pids);
    }
    child->n_processes = MAX(child->n_processes, (int)pids->len);
    child->together_bytes = MAX(child->together_bytes, bytes);
}

/* Kills and reaps every descendant; the children of those that are killed become ours. */
static void
end_family(void)
{
    g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));

    do {
        g_array_set_size(pids, 0);
        add_children(getpid(), pids);
        for (guint i = 0; i < pids->len; i++) {
            kill(g_array_index(pids, pid_t, i), SIGKILL);
            waitpid(g_array_index(pids, pid_t, i), NULL, 0);
        }
    } while (pids->len > 0);
}

/* Until the process has ended. False when a signal came first. */
static bool
wait_for_end(const BtProcess *process, bool watched, int signal_fd, BtChild *child)
{
    struct pollfd fds[] = {{.fd = process->pidfd, .events = POLLIN},
                           {.fd = signal_fd, .events = POLLIN}};

    while ((fds[0].revents & POLLIN) == 0) {
        uint64_t now_ns = bt_clock_now_ns();

        if (fds[1].revents != 0)
            return false;
        if (watched)
            watch(process->pid, child);
        bt_clock_poll(fds, G_N_ELEMENTS(fds), watched ? now_ns + WATCH_NS : BT_CLOCK_FOREVER);
    }
    return true;
}

static double
seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

bool
bt_child_run(const char *const *argv, bool watched, int signal_fd, BtChild *out_child,
             GError **error)
{
    g_auto(BtFd) in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    g_auto(BtFd) out = memfd_create("out", MFD_CLOEXEC);
    g_auto(BtFd) err = memfd_create("err", MFD_CLOEXEC);
    g_auto(BtProcess) process = BT_PROCESS_INIT;
    Launch what = {argv, in, out, err};
    uint64_t begin_ns = bt_clock_now_ns();
    BtChild child = {0};
    struct rusage usage;
    bool is_done;
    int status;

    if (in < 0 || out < 0 || err < 0)
        return bt_error_set_system(error, errno, "cannot open the outputs of %s", argv[0]);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!bt_process_start(&process, "command", launch, &what, error))
        return false;
    /* Reaped here for its usage; the clean-up then finds nothing but the pidfd. */
    is_done = wait_for_end(&process, watched, signal_fd, &child) &&
              wait4(process.pid, &status, 0, &usage) == process.pid;
    child.wall_seconds = (double)(bt_clock_now_ns() - begin_ns) / (double)BT_NS_PER_S;
    end_family();
    if (!is_done)
        return bt_error_set_system(error, EINTR, "%s", argv[0]);
    child.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    child.largest_bytes = (uint64_t)usage.ru_maxrss * 1024;
    child.read_bytes = (uint64_t)usage.ru_inblock * BLOCK_BYTES;
    child.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
    child.out = read_output(out);
    child.err = read_output(err);
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
