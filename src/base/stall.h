/* SPDX-License-Identifier: MIT */
/*
 * What this process is waiting for a file system to answer, in memory that it shares with a process
 * that watches it: a call that hangs cannot say so itself. Supervisor.
 *
 *   bt_stall_init();                       before the watcher is forked; without it nothing is kept
 *   bt_stall_at("photos/a.jpg");           this is what comes next
 *   bt_stall_enter();                      calls may hang from here, at the last path
 *   bt_stall_leave();
 *   id = bt_stall_look(path);              in the watcher: 0 when nothing is waited for
 */
#ifndef BT_BASE_STALL_H
#define BT_BASE_STALL_H

#include <stdbool.h>
#include <stdint.h>

#define BT_STALL_PATH_BYTES 1024 /* of a longer path its beginning is kept */

/* False where there is no memory. */
bool bt_stall_init(void);

void bt_stall_at(const char *path);
void bt_stall_enter(void);
void bt_stall_leave(void);

/* Another number for each path and each time that one is waited for; 0 for none. The path may be of
 * another moment unless the number is the same again afterwards. */
uint64_t bt_stall_look(char out_path[BT_STALL_PATH_BYTES]);

#endif
