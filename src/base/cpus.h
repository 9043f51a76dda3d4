/* SPDX-License-Identifier: MIT */
/*
 * How many processors this process may really use: the smaller of its affinity mask and the
 * tightest CPU quota of its control group and that group's ancestors (rounded up). Supervisor.
 * Reads /proc/self/cgroup and /sys/fs/cgroup (version 2 cpu.max, version 1 cpu.cfs_*), and trusts
 * the mask alone where they say nothing.
 */
#ifndef BT_BASE_CPUS_H
#define BT_BASE_CPUS_H

/* At least 1. */
int bt_cpus_usable(void);

/* The quota alone (cgroup.h), in whole processors; 0 where there is none. */
int bt_cpus_quota(const char *proc_cgroup, const char *cgroup_mount);

#endif
