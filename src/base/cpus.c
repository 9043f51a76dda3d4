/* SPDX-License-Identifier: MIT */
#include "base/cpus.h"

#include <errno.h>
#include <glib.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

/* More processors than any kernel is built for. */
#define CPUS_LIMIT (1 << 16)

/* The whole processors that a quota of a period needs; 0 where the figures make no sense. */
static int
cpus_of(int64_t quota, int64_t period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    return (int)MIN(quota / period + (quota % period != 0), CPUS_LIMIT);
}

/* The content of a small file as text; NULL where it cannot be read. Owned (g_free). */
static char *
read_text(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* Version 2: "QUOTA PERIOD" or "max PERIOD", where "max" reads as 0. */
static int
quota_in_max(const char *folder)
{
    g_autofree char *text = read_text(folder, "cpu.max");
    char *end = NULL;
    int64_t quota = text != NULL ? g_ascii_strtoll(text, &end, 10) : 0;

    return cpus_of(quota, quota > 0 ? g_ascii_strtoll(end, NULL, 10) : 0);
}

/* Version 1: two files, -1 for no quota. */
static int
quota_in_cfs(const char *folder)
{
    g_autofree char *quota = read_text(folder, "cpu.cfs_quota_us");
    g_autofree char *period = read_text(folder, "cpu.cfs_period_us");

    if (quota == NULL || period == NULL)
        return 0;
    return cpus_of(g_ascii_strtoll(quota, NULL, 10), g_ascii_strtoll(period, NULL, 10));
}

static int
tighter(int left, int right)
{
    return left == 0 || (right != 0 && right < left) ? right : left;
}

/* The tightest quota from a group up to the root of its hierarchy. Inside a container the group may
 * be named as the host sees it: its folders are then missing here, but for the root, which is the
 * container's own. */
static int
quota_above(const char *mount, const char *group, int (*quota_in)(const char *folder))
{
    g_autofree char *folder = g_strconcat(mount, group, NULL);
    size_t root = strlen(mount);
    int quota = 0;

    if (strstr(group, "/..") != NULL)
        folder[root] = '\0';
    for (;;) {
        char *slash;

        quota = tighter(quota, quota_in(folder));
        if ((slash = strrchr(folder + root, '/')) == NULL)
            return quota;
        *slash = '\0';
    }
}

/* One line of /proc/self/cgroup, "ID:CONTROLLERS:GROUP"; no controllers are named in version 2. */
static int
quota_of_line(const char *line, const char *cgroup_mount)
{
    g_auto(GStrv) fields = g_strsplit(line, ":", 3);
    g_auto(GStrv) controllers = NULL;
    g_autofree char *mount = NULL;

    if (g_strv_length(fields) != 3)
        return 0;
    if (*fields[1] == '\0')
        return quota_above(cgroup_mount, fields[2], quota_in_max);
    controllers = g_strsplit(fields[1], ",", -1);
    if (!g_strv_contains((const char *const *)controllers, "cpu"))
        return 0;
    mount = g_build_filename(cgroup_mount, fields[1], NULL);
    return quota_above(mount, fields[2], quota_in_cfs);
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
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    int quota = 0;

    if (!g_file_get_contents(proc_cgroup, &text, NULL, NULL))
        return 0;
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        quota = tighter(quota, quota_of_line(*line, cgroup_mount));
    return quota;
}

int
bt_cpus_usable(void)
{
    return tighter(count_mask(), bt_cpus_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
}
