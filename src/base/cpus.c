/* SPDX-License-Identifier: MIT */
#include "base/cpus.h"

#include "base/cgroup.h"

#include <glib.h>
#include <sched.h>

/* More processors than any kernel is built for. */
#define CPUS_LIMIT (1 << 16)

/* The whole processors that a quota of a period needs; 0 where the figures make no sense. */
static uint64_t
cpus_of(int64_t quota, int64_t period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    return (uint64_t)MIN(quota / period + (quota % period != 0), CPUS_LIMIT);
}

/* "QUOTA PERIOD" or "max PERIOD", where "max" reads as 0. */
static uint64_t
quota_v2(const char *folder)
{
    g_autofree char *text = bt_cgroup_read(folder, "cpu.max");
    char *end = NULL;
    int64_t quota = text != NULL ? g_ascii_strtoll(text, &end, 10) : 0;

    return cpus_of(quota, quota > 0 ? g_ascii_strtoll(end, NULL, 10) : 0);
}

/* Two files, -1 for no quota. */
static uint64_t
quota_v1(const char *folder)
{
    g_autofree char *quota = bt_cgroup_read(folder, "cpu.cfs_quota_us");
    g_autofree char *period = bt_cgroup_read(folder, "cpu.cfs_period_us");

    if (quota == NULL || period == NULL)
        return 0;
    return cpus_of(g_ascii_strtoll(quota, NULL, 10), g_ascii_strtoll(period, NULL, 10));
}

/* The processors of the affinity mask, which must be given room for as many as the kernel knows. */
static int
count_mask(void)
{
    for (int n = 1024; n <= CPUS_LIMIT; n *= 2) {
        size_t size = CPU_ALLOC_SIZE(n);
        cpu_set_t *mask = CPU_ALLOC(n);
        int count =
            mask != NULL && sched_getaffinity(0, size, mask) == 0 ? CPU_COUNT_S(size, mask) : 0;

        CPU_FREE(mask);
        if (count > 0)
            return count;
    }
    return 1;
}

int
bt_cpus_quota(const char *proc_cgroup, const char *cgroup_mount)
{
    return (int)bt_cgroup_limit(proc_cgroup, cgroup_mount, "cpu", quota_v2, quota_v1);
}

int
bt_cpus_usable(void)
{
    int mask = count_mask(), quota = bt_cpus_quota(BT_CGROUP_PROC, BT_CGROUP_MOUNT);

    return quota != 0 && quota < mask ? quota : mask;
}
