/* SPDX-License-Identifier: MIT */
#include "base/limit.h"

#include <glib.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

/* More processors than any kernel is built for. */
#define CPUS_MAX (1 << 16)

/* Version 1 says "no limit" with a figure that no machine has. */
#define NO_MEMORY_LIMIT (UINT64_C(1) << 60)

/* The limit that one group's folder sets; 0: none. */
typedef uint64_t ReadLimit(const char *folder);

/* A small file of a group as text; NULL where it cannot be read. */
static char *
read_text(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* The whole processors that a quota of a period needs; 0 where the figures make no sense. */
static uint64_t
cpus_of(int64_t quota, int64_t period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    return (uint64_t)MIN(quota / period + (quota % period != 0), CPUS_MAX);
}

/* "QUOTA PERIOD" or "max PERIOD", where "max" reads as 0. */
static uint64_t
cpus_v2(const char *folder)
{
    g_autofree char *text = read_text(folder, "cpu.max");
    char *end = NULL;
    int64_t quota = text != NULL ? g_ascii_strtoll(text, &end, 10) : 0;

    return cpus_of(quota, quota > 0 ? g_ascii_strtoll(end, NULL, 10) : 0);
}

/* Two files, -1 for no quota. */
static uint64_t
cpus_v1(const char *folder)
{
    g_autofree char *quota = read_text(folder, "cpu.cfs_quota_us");
    g_autofree char *period = read_text(folder, "cpu.cfs_period_us");

    if (quota == NULL || period == NULL)
        return 0;
    return cpus_of(g_ascii_strtoll(quota, NULL, 10), g_ascii_strtoll(period, NULL, 10));
}

static uint64_t
memory_of(const char *folder, const char *name)
{
    g_autofree char *text = read_text(folder, name);
    uint64_t bytes = text != NULL ? g_ascii_strtoull(text, NULL, 10) : 0; /* "max" reads as 0 */

    return bytes < NO_MEMORY_LIMIT ? bytes : 0;
}

static uint64_t
memory_v2(const char *folder)
{
    return memory_of(folder, "memory.max");
}

static uint64_t
memory_v1(const char *folder)
{
    return memory_of(folder, "memory.limit_in_bytes");
}

static const struct {
    const char *controller; /* its name in version 1 */
    ReadLimit *v2, *v1;
} limits[] = {
    [BT_LIMIT_CPUS] = {"cpu", cpus_v2, cpus_v1},
    [BT_LIMIT_MEMORY] = {"memory", memory_v2, memory_v1},
};

static uint64_t
tighter(uint64_t left, uint64_t right)
{
    return left == 0 || (right != 0 && right < left) ? right : left;
}

/* The tightest limit from a group up to the root of its hierarchy. Inside a container the group may
 * be named as the host sees it: its folders are then missing here, but for the root, which is the
 * container's own. */
static uint64_t
limit_above(const char *mount, const char *group, ReadLimit *limit_in)
{
    g_autofree char *folder = g_strconcat(mount, group, NULL);
    size_t root = strlen(mount);
    uint64_t limit = 0;

    if (strstr(group, "/..") != NULL)
        folder[root] = '\0';
    for (;;) {
        char *slash;

        limit = tighter(limit, limit_in(folder));
        if ((slash = strrchr(folder + root, '/')) == NULL)
            return limit;
        *slash = '\0';
    }
}

uint64_t
bt_limit_of_groups(BtLimit which, const char *proc_cgroup, const char *mount)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    uint64_t limit = 0;

    if (!g_file_get_contents(proc_cgroup, &text, NULL, NULL))
        return 0;
    lines = g_strsplit(text, "\n", -1);
    /* "ID:CONTROLLERS:GROUP"; no controllers are named in version 2. */
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ":", 3);
        g_auto(GStrv) controllers = NULL;
        g_autofree char *hierarchy = NULL;

        if (g_strv_length(fields) != 3)
            continue;
        controllers = g_strsplit(fields[1], ",", -1);
        hierarchy = g_build_filename(mount, fields[1], NULL);
        if (*fields[1] == '\0')
            limit = tighter(limit, limit_above(mount, fields[2], limits[which].v2));
        else if (g_strv_contains((const char *const *)controllers, limits[which].controller))
            limit = tighter(limit, limit_above(hierarchy, fields[2], limits[which].v1));
    }
    return limit;
}

static uint64_t
own_limit(BtLimit which, uint64_t machine)
{
    return tighter(machine, bt_limit_of_groups(which, "/proc/self/cgroup", "/sys/fs/cgroup"));
}

/* The processors of the affinity mask, which must be given room for as many as the kernel knows. */
static uint64_t
count_mask(void)
{
    for (int n = 1024; n <= CPUS_MAX; n *= 2) {
        size_t size = CPU_ALLOC_SIZE(n);
        cpu_set_t *mask = CPU_ALLOC(n);
        int count =
            mask != NULL && sched_getaffinity(0, size, mask) == 0 ? CPU_COUNT_S(size, mask) : 0;

        CPU_FREE(mask);
        if (count > 0)
            return (uint64_t)count;
    }
    return 1;
}

int
bt_limit_cpus(void)
{
    return (int)own_limit(BT_LIMIT_CPUS, count_mask());
}

uint64_t
bt_limit_memory(void)
{
    return own_limit(BT_LIMIT_MEMORY,
                     (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
}
