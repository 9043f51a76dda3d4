/* SPDX-License-Identifier: MIT */
#include "run/watch.h"

#include "base/human.h"
#include "base/stall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_US     250000
#define STEPS_WAIT  12 /* in one call, until it is told */
#define STEPS_ABORT 2  /* in one call, until a signal may end it */

typedef struct Args {
    pid_t supervisor;
    const sigset_t *signals;
} Args;

/* What the kernel says of the supervisor: whether it is stopped (Ctrl-Z: then no file system is to
 * blame), and whether one of the signals waits to be read by it. */
static void
look_at_supervisor(const Args *args, bool *out_stopped, bool *out_pending)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)args->supervisor);
    g_autofree char *text = NULL;
    const char *state = NULL, *signals = NULL;
    uint64_t pending;

    if (g_file_get_contents(path, &text, NULL, NULL)) {
        state = strstr(text, "State:\t");
        signals = strstr(text, "ShdPnd:");
    }
    *out_stopped = state != NULL && g_ascii_tolower(state[strlen("State:\t")]) == 't';
    *out_pending = false;
    pending = signals != NULL ? g_ascii_strtoull(signals + strlen("ShdPnd:"), NULL, 16) : 0;
    for (int i = 1; i <= 64; i++)
        *out_pending |= (pending >> (i - 1) & 1) != 0 && sigismember(args->signals, i) == 1;
}

static void
tell(const char *path)
{
    g_autofree char *text = bt_human_text(path);

    fprintf(stderr, "blurthumb: waiting for %s: its file system does not answer\n", text);
}

static _Noreturn int
watch(void *data)
{
    const Args *args = data;
    char path[BT_STALL_PATH_BYTES];
    uint64_t last = 0;
    int n_steps = 0;

    /* Standard error alone stays open: a reader of the supervisor's output must see its end. */
    bt_process_let_go(-1);
    dup2(STDIN_FILENO, STDOUT_FILENO);
    for (;;) {
        uint64_t now = bt_stall_look(path);
        bool stopped = true, pending = false;

        if (now != 0 && now == last)
            look_at_supervisor(args, &stopped, &pending);
        n_steps = stopped ? 0 : n_steps + 1;
        last = now;
        if (n_steps == STEPS_WAIT)
            tell(path);
        if (n_steps >= STEPS_ABORT && pending)
            kill(args->supervisor, SIGKILL);
        usleep(STEP_US);
    }
}

void
bt_watch_start(BtProcess *out_watcher, const sigset_t *signals)
{
    Args args = {getpid(), signals};

    *out_watcher = BT_PROCESS_INIT;
    if (bt_stall_init())
        (void)!bt_process_start(out_watcher, "blurthumb-watch", watch, &args, NULL);
}
