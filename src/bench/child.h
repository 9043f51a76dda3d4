/* SPDX-License-Identifier: MIT */
/*
 * One command, run to its end, and what it took. Supervisor.
 *
 * The command has its own process group, nothing to read, and its outputs go to memory, so that
 * reading them takes no time from it. Its orphans become children of this process
 * (PR_SET_CHILD_SUBREAPER), so nothing that it started is left afterwards, whatever happens.
 *
 *   wall     from just before the fork to its end, by the monotonic clock
 *   CPU      user and system, of the command and all descendants that were waited for (wait4())
 *   largest  the most that one of these processes had in memory (ru_maxrss); as Linux counts what a
 *            process had before exec, it is never less than what this program has itself
 *   together the most that all processes had at once, and how many there were: only when watched,
 *            every WATCH_NS in child.c, which costs the command a little time
 */
#ifndef BT_BENCH_CHILD_H
#define BT_BENCH_CHILD_H

#include "base/error.h"

#include <stdint.h>

typedef struct BtChild {
    double wall_seconds, cpu_seconds;
    uint64_t largest_bytes;
    uint64_t read_bytes;     /* from a disk */
    uint64_t together_bytes; /* shared pages are divided (Pss); unreadable processes count whole */
    int n_processes;
    int exit_code; /* 128 + the signal that ended it, as shells count */
    char *out;     /* standard output; owned: bt_child_clear() */
    char *err;
} BtChild;

/* argv[0] is looked up in PATH. signal_fd: a signalfd that ends it all. False when it could not be
 * started or was interrupted (BT_ERROR_SYSTEM, EINTR). True for a command that fails: see its exit
 * code. */
BT_MUST_CHECK bool bt_child_run(const char *const *argv, bool watched, int signal_fd,
                                BtChild *out_child, GError **error);

void bt_child_clear(BtChild *self);

/* "exit status 3: the last line that it printed". Owned (g_free). */
char *bt_child_complaint(const BtChild *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BtChild, bt_child_clear)

#endif
