/* SPDX-License-Identifier: MIT */
/*
 * Limits that control groups set, of both versions. Supervisor.
 *
 * proc_cgroup is a file as /proc/self/cgroup; mount the folder that is, or holds, the mounted
 * hierarchies, as /sys/fs/cgroup.
 */
#ifndef BT_BASE_CGROUP_H
#define BT_BASE_CGROUP_H

#include <stdint.h>

#define BT_CGROUP_PROC  "/proc/self/cgroup"
#define BT_CGROUP_MOUNT "/sys/fs/cgroup"

/* The limit that one group's folder sets; 0: none. */
typedef uint64_t (*BtCgroupLimit)(const char *folder);

/* The tightest limit of this process' group and its ancestors; 0 where there is none. controller
 * is the name in version 1; limit_v2 and limit_v1 read a folder of each version. */
uint64_t bt_cgroup_limit(const char *proc_cgroup, const char *mount, const char *controller,
                         BtCgroupLimit limit_v2, BtCgroupLimit limit_v1);

/* The content of a small file of a group as text; NULL where it cannot be read. Owned (g_free). */
char *bt_cgroup_read(const char *folder, const char *name);

#endif
