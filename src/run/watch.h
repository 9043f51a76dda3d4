/* SPDX-License-Identifier: MIT */
/*
 * A process that watches the supervisor, which has one thread and cannot speak while a file system
 * does not answer: an NFS server that is away, a FUSE daemon that hangs. After three seconds in one
 * call (base/stall.h) it says which path is waited for; and when a signal that should end the batch
 * finds the supervisor in such a call, it is killed: its workers go with it, and what was published
 * is whole. Inside the room only.
 */
#ifndef BT_RUN_WATCH_H
#define BT_RUN_WATCH_H

#include "pool/process.h"

#include <signal.h>

/* Forks the watcher of this process. signals: those that end the batch, of which each is blocked.
 * Where that cannot be done nothing is watched. */
void bt_watch_start(BtProcess *out_watcher, const sigset_t *signals);

#endif
