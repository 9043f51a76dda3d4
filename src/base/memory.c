/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include "base/cgroup.h"

#include <glib.h>
#include <unistd.h>

/* Version 1 says "no limit" with a figure that no machine has. */
#define NO_LIMIT (UINT64_C(1) << 60)

static uint64_t
limit_in(const char *folder, const char *name)
{
    g_autofree char *text = bt_cgroup_read(folder, name);
    uint64_t limit = text != NULL ? g_ascii_strtoull(text, NULL, 10) : 0; /* "max" reads as 0 */

    return limit < NO_LIMIT ? limit : 0;
}

static uint64_t
limit_v2(const char *folder)
{
    return limit_in(folder, "memory.max");
}

static uint64_t
limit_v1(const char *folder)
{
    return limit_in(folder, "memory.limit_in_bytes");
}

uint64_t
bt_memory_limit(const char *proc_cgroup, const char *cgroup_mount)
{
    return bt_cgroup_limit(proc_cgroup, cgroup_mount, "memory", limit_v2, limit_v1);
}

uint64_t
bt_memory_usable(void)
{
    uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t limit = bt_memory_limit(BT_CGROUP_PROC, BT_CGROUP_MOUNT);

    return limit != 0 && limit < machine ? limit : machine;
}
