/* SPDX-License-Identifier: MIT */
/* Landlock (file system, TCP and signals, by what a process could name) and seccomp (the system
 * calls that a decoder may make). no_new_privs must be set before they are entered. False is with
 * errno. Inside the room only. */
#ifndef BT_SANDBOX_LAYERS_H
#define BT_SANDBOX_LAYERS_H

#include <stdbool.h>

/* The version of the kernel's interface, 1 and up; 0 where there is none. */
int bt_landlock_version(void);

/* Denies all that this kernel's version can deny. */
bool bt_landlock_enter(void);

/* Why there is no filter whatever the kernel has; "" where this build has one. */
extern const char bt_filter_missing[];

/* Whether this kernel has filters. */
bool bt_filter_is_available(void);

/* Loads the filter for the calling thread and those it starts. */
bool bt_filter_enter(void);

#endif
