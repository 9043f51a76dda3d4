/* SPDX-License-Identifier: MIT */
/*
 * One forked process: run a function with its argument, and join it.
 *
 * It owns the child and its pidfd. The process that forks must have a single thread (checked: a
 * copy of a process with threads can hang for ever on a lock that nobody holds).
 *
 *   BtProcess process = BT_PROCESS_INIT;
 *   bt_process_start(&process, "greeter", greet, &who, &error);     returns at once
 *   bt_process_join(&process, BT_CLOCK_FOREVER, &end, &error);    waits and reaps
 *   bt_process_clear(&process);                                     kills and reaps what still runs
 *
 * The child runs function(data) and leaves with _exit(result & 0xff): no atexit handlers, no
 * flush of inherited stdio buffers. It has its own process group (a terminal's Ctrl-C goes to the
 * supervisor alone), default signal handlers, an empty signal mask, and gets SIGKILL when its
 * parent dies. Follows nginx's ngx_process.c and bubblewrap (die with the parent).
 */
#ifndef BT_POOL_PROCESS_H
#define BT_POOL_PROCESS_H

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"

#include <stdint.h>
#include <sys/types.h>

#define BT_PROCESS_NAME_BYTES 16 /* what the kernel keeps of a name (PR_SET_NAME), with its 0 */

/* What a child does, in its copy of memory. Returns the exit code, 0 to 255. */
typedef int (*BtProcessFunction)(void *data);

typedef enum BtProcessFate {
    BT_PROCESS_RUNNING,
    BT_PROCESS_EXITED, /* detail is the exit code */
    BT_PROCESS_KILLED, /* detail is the signal */
} BtProcessFate;

typedef struct BtProcessEnd {
    BtProcessFate fate;
    int detail;
} BtProcessEnd;

typedef struct BtProcess {
    char name[BT_PROCESS_NAME_BYTES];
    pid_t pid;  /* 0 when there is none */
    BtFd pidfd; /* readable once the child has ended: for poll(); -1 when there is none */
} BtProcess;

#define BT_PROCESS_INIT ((BtProcess){.pid = 0, .pidfd = -1})

/* Forks. self must be empty. name is cut to what fits. On failure nothing runs and *error says why
 * and what to do (BT_ERROR_SYSTEM). EAGAIN (the limit on processes), ENOMEM, EMFILE and ENFILE may
 * pass; EDEADLK (this process has threads), ENOSYS, EPERM and EINVAL (no pidfd_open() here) do not.
 */
BT_MUST_CHECK bool bt_process_start(BtProcess *self, const char *name, BtProcessFunction function,
                                    void *data, GError **error);

/* Waits until the child has ended, at most timeout_ns, reaps it and empties self. Where the time is
 * over first: true, fate BT_PROCESS_RUNNING and self still holds the child. False where somebody
 * else has reaped it, or self is empty: self is empty then. */
BT_MUST_CHECK bool bt_process_join(BtProcess *self, uint64_t timeout_ns, BtProcessEnd *out_end,
                                   GError **error);

/* Sends a signal through the pidfd: never to a stranger that got the same pid. False when the child
 * has ended already. */
bool bt_process_signal(BtProcess *self, int signal_number);

/* In a child, of what it inherited: standard input becomes /dev/null, and every descriptor is
 * closed but 0, 1, 2 and kept_fd (-1: none). */
void bt_process_let_go(int kept_fd);

/* SIGKILL, reap, empty. NULL and empty allowed. */
void bt_process_clear(BtProcess *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BtProcess, bt_process_clear)

#endif
