/* SPDX-License-Identifier: MIT */
/* Quotas of control groups, from folders that look like the kernel's. */
#include "base/cpus.h"
#include "unit/scene.h"

#include <sched.h>
#include <string.h>

static void
write_text(const char *folder, const char *name, const char *text)
{
    scene_write(folder, name, text, strlen(text));
}

static int
quota(const char *folder, const char *groups)
{
    g_autofree char *proc = g_build_filename(folder, "proc", NULL);
    g_autofree char *mount = g_build_filename(folder, "cgroup", NULL);

    write_text(folder, "proc", groups);
    return bt_cpus_quota(proc, mount);
}

static void
test_version_2(void)
{
    g_autoptr(Scene) folder = scene_new();

    g_assert_cmpint(quota(folder, "0::/\n"), ==, 0);
    write_text(folder, "cgroup/a/b/cpu.max", "max 100000\n");
    g_assert_cmpint(quota(folder, "0::/a/b\n"), ==, 0);
    write_text(folder, "cgroup/a/cpu.max", "250000 100000\n");
    g_assert_cmpint(quota(folder, "0::/a/b\n"), ==, 3);
    g_assert_cmpint(quota(folder, "0::/a/b/missing/deeper\n"), ==, 3);
    write_text(folder, "cgroup/a/b/cpu.max", "400000 100000\n");
    g_assert_cmpint(quota(folder, "0::/a/b\n"), ==, 3);
    write_text(folder, "cgroup/a/b/cpu.max", "10000 100000\n");
    g_assert_cmpint(quota(folder, "0::/a/b\n"), ==, 1);
    g_assert_cmpint(quota(folder, "0::/a\n"), ==, 3);
    /* A container sees its own group as the root, and may be told its name outside. */
    write_text(folder, "cgroup/cpu.max", "200000 100000\n");
    g_assert_cmpint(quota(folder, "0::/docker/0123456789ab\n"), ==, 2);
    write_text(folder, "cpu.max", "50000 100000\n"); /* not below the mount */
    g_assert_cmpint(quota(folder, "0::/../../a/b\n"), ==, 2);
}

static void
test_version_1(void)
{
    g_autoptr(Scene) folder = scene_new();
    const char *groups = "12:memory:/m\n4:cpu,cpuacct:/x:y/z\n1:name=systemd:/\n0::/\n";

    write_text(folder, "cgroup/cpu,cpuacct/x:y/cpu.cfs_quota_us", "150000\n");
    g_assert_cmpint(quota(folder, groups), ==, 0);
    write_text(folder, "cgroup/cpu,cpuacct/x:y/cpu.cfs_period_us", "50000\n");
    g_assert_cmpint(quota(folder, groups), ==, 3);
    write_text(folder, "cgroup/cpu,cpuacct/x:y/z/cpu.cfs_quota_us", "-1\n");
    write_text(folder, "cgroup/cpu,cpuacct/x:y/z/cpu.cfs_period_us", "50000\n");
    g_assert_cmpint(quota(folder, groups), ==, 3);
    g_assert_cmpint(quota(folder, "5:cpuset:/x:y\n"), ==, 0);
}

static void
test_nonsense(void)
{
    static const char *const limits[] = {"",       "\n",  "0 100000", "-5 100000",
                                         "100000", "1 0", "x y z",    "100000 -1"};
    g_autoptr(Scene) folder = scene_new();

    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        write_text(folder, "cgroup/cpu.max", limits[i]);
        g_assert_cmpint(quota(folder, "0::/\n"), ==, 0);
    }
    write_text(folder, "cgroup/cpu.max", "99999999999999999999999 1");
    g_assert_cmpint(quota(folder, "0::/\n"), >, 0);
    g_assert_cmpint(quota(folder, ""), ==, 0);
    g_assert_cmpint(quota(folder, "\n:\n::\nno colon"), >=, 0);
    g_assert_cmpint(bt_cpus_quota("/nonexistent", "/nonexistent"), ==, 0);
}

static void
use_one_processor(const char *folder)
{
    cpu_set_t all, one;

    (void)folder;
    g_assert_cmpint(sched_getaffinity(0, sizeof all, &all), ==, 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    g_assert_cmpint(sched_setaffinity(0, sizeof one, &one), ==, 0);
    g_assert_cmpint(bt_cpus_usable(), ==, 1);
}

static void
test_mask(void)
{
    g_assert_cmpint(bt_cpus_usable(), >=, 1);
    g_assert_cmpint(bt_cpus_usable(), <=, (int)g_get_num_processors());
    g_assert_true(scene_run(use_one_processor, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpus/version-2", test_version_2);
    g_test_add_func("/cpus/version-1", test_version_1);
    g_test_add_func("/cpus/nonsense", test_nonsense);
    g_test_add_func("/cpus/mask", test_mask);
    return g_test_run();
}
