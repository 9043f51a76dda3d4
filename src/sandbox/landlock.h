/* SPDX-License-Identifier: MIT */
/* Landlock: file system, TCP and signals, by what a process could name. Inside the room only. */
#ifndef BT_SANDBOX_LANDLOCK_H
#define BT_SANDBOX_LANDLOCK_H

#include <stdbool.h>

/* The version of the kernel's interface, 1 and up; 0 where there is none. */
int bt_landlock_version(void);

/* Denies all that this kernel's version can deny. False with errno. no_new_privs must be set. */
bool bt_landlock_enter(void);

#endif
