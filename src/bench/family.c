/* SPDX-License-Identifier: MIT */
#include "bench/family.h"

#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH_MAX 64

void
bt_family_adopt(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* False where there is no such process any more, or it does not let us look. */
static bool
read_of(pid_t pid, const char *name, char **out_text)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, name);

    return g_file_get_contents(path, out_text, NULL, NULL);
}

static uint64_t
bytes_of(pid_t pid)
{
    g_autofree char *rollup = NULL, *statm = NULL;
    unsigned long size, resident;
    const char *pss;

    if (read_of(pid, "smaps_rollup", &rollup) && (pss = strstr(rollup, "\nPss:")) != NULL)
        return g_ascii_strtoull(pss + strlen("\nPss:"), NULL, 10) * 1024;
    if (!read_of(pid, "statm", &statm) || sscanf(statm, "%lu %lu", &size, &resident) != 2)
        return 0;
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

typedef void (*Visit)(pid_t pid, void *user);

/* The children of all threads of a process. */
static void
visit_children(pid_t pid, Visit visit, void *user)
{
    g_autofree char *folder = g_strdup_printf("/proc/%d/task", (int)pid);
    g_autoptr(GDir) tasks = g_dir_open(folder, 0, NULL);

    for (const char *task; tasks != NULL && (task = g_dir_read_name(tasks)) != NULL;) {
        g_autofree char *name = g_strdup_printf("task/%s/children", task);
        g_autofree char *children = NULL;
        char *at, *end;

        if (!read_of(pid, name, &children))
            continue;
        at = children;
        for (gint64 child; (child = g_ascii_strtoll(at, &end, 10)) > 0; at = end)
            visit((pid_t)child, user);
    }
}

typedef struct Look {
    BtFamily family;
    int depth;
} Look;

static void
look_at(pid_t pid, void *user)
{
    Look *self = user;

    if (self->depth == DEPTH_MAX)
        return;
    self->family.n_processes++;
    self->family.bytes += bytes_of(pid);
    self->depth++;
    visit_children(pid, look_at, self);
    self->depth--;
}

BtFamily
bt_family_look(pid_t pid)
{
    Look look = {0};

    look_at(pid, &look);
    return look.family;
}

static void
kill_and_reap(pid_t pid, void *user)
{
    int *n = user;

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    (*n)++;
}

void
bt_family_end(void)
{
    int n;

    /* The children of those that are killed are ours the next time. */
    do {
        n = 0;
        visit_children(getpid(), kill_and_reap, &n);
    } while (n > 0);
}
