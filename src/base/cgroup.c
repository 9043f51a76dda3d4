/* SPDX-License-Identifier: MIT */
#include "base/cgroup.h"

#include <glib.h>
#include <string.h>

static uint64_t
tighter(uint64_t left, uint64_t right)
{
    return left == 0 || (right != 0 && right < left) ? right : left;
}

/* The tightest limit from a group up to the root of its hierarchy. Inside a container the group may
 * be named as the host sees it: its folders are then missing here, but for the root, which is the
 * container's own. */
static uint64_t
limit_above(const char *mount, const char *group, BtCgroupLimit limit_in)
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

char *
bt_cgroup_read(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

uint64_t
bt_cgroup_limit(const char *proc_cgroup, const char *mount, const char *controller,
                BtCgroupLimit limit_v2, BtCgroupLimit limit_v1)
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
            limit = tighter(limit, limit_above(mount, fields[2], limit_v2));
        else if (g_strv_contains((const char *const *)controllers, controller))
            limit = tighter(limit, limit_above(hierarchy, fields[2], limit_v1));
    }
    return limit;
}
