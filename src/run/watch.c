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

/* A line of what the kernel says of the supervisor; NULL where it says nothing. *out_text is what
 * it is part of: owned. */
static const char *
get_status(const Args *args, const char *name, char **out_text)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)args->supervisor);
    const char *line;

    if (!g_file_get_contents(path, out_text, NULL, NULL) ||
        (line = strstr(*out_text, name)) == NULL)
        return NULL;
    return line + strlen(name);
}

/* Whether it is stopped (Ctrl-Z): then no file system is to blame. */
static bool
is_stopped(const Args *args)
{
    g_autofree char *text = NULL;
    const char *state = get_status(args, "State:\t", &text);

    return state != NULL && (*state == 'T' || *state == 't');
}

static bool
has_pending(const Args *args)
{
    g_autofree char *text = NULL;
    const char *signals = get_status(args, "ShdPnd:", &text);
    uint64_t pending;

    if (signals == NULL)
        return false;
    pending = g_ascii_strtoull(signals, NULL, 16);
    for (int i = 1; i <= 64; i++)
        if ((pending >> (i - 1) & 1) != 0 && sigismember(args->signals, i) == 1)
            return true;
    return false;
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

        n_steps = now != 0 && now == last && !is_stopped(args) ? n_steps + 1 : 0;
        last = now;
        if (n_steps == STEPS_WAIT)
            tell(path);
        if (n_steps >= STEPS_ABORT && has_pending(args))
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
