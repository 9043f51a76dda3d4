/* SPDX-License-Identifier: MIT */
/*
 * How much memory this process and its children may use: the smaller of what the machine has and
 * the tightest limit of its control group and that group's ancestors. Supervisor.
 */
#ifndef BT_BASE_MEMORY_H
#define BT_BASE_MEMORY_H

#include <stdint.h>

/* Bytes, > 0. */
uint64_t bt_memory_usable(void);

/* The control groups' limit alone (cgroup.h); 0 where there is none. */
uint64_t bt_memory_limit(const char *proc_cgroup, const char *cgroup_mount);

#endif
