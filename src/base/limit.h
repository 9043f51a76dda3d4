/* SPDX-License-Identifier: MIT */
/*
 * What this process and its children may really use: the least of what the machine has, what the
 * affinity mask allows, and what the control group and its ancestors allow (both versions: cpu.max
 * and memory.max, cpu.cfs_* and memory.limit_in_bytes). Supervisor.
 */
#ifndef BT_BASE_LIMIT_H
#define BT_BASE_LIMIT_H

#include <stdint.h>

/* Processors, a part of one counted as one; bytes. At least 1. */
int bt_limit_cpus(void);
uint64_t bt_limit_memory(void);

typedef enum BtLimit {
    BT_LIMIT_CPUS,
    BT_LIMIT_MEMORY,
} BtLimit;

/* What control groups alone allow; 0: they set no limit. proc_cgroup: a file as /proc/self/cgroup.
 * mount: the folder that is, or holds, the mounted hierarchies, as /sys/fs/cgroup. */
uint64_t bt_limit_of_groups(BtLimit which, const char *proc_cgroup, const char *mount);

#endif
