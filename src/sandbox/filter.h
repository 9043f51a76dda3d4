/* SPDX-License-Identifier: MIT */
/* seccomp: the system calls that a decoder may make. Inside the room only. */
#ifndef BT_SANDBOX_FILTER_H
#define BT_SANDBOX_FILTER_H

#include <stdbool.h>

/* Whether this kernel has filters. False with errno. */
bool bt_filter_is_available(void);

/* Why there is no filter whatever the kernel has; "" where this build has one. */
extern const char bt_filter_missing[];

/* Loads the filter for the calling thread and those it starts. False with errno. no_new_privs must
 * be set. */
bool bt_filter_enter(void);

#endif
