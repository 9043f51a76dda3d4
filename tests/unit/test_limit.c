/* SPDX-License-Identifier: MIT */
/* Limits of control groups, from folders that look like the kernel's. */
#include "base/limit.h"
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
    return (int)bt_limit_of_groups(BT_LIMIT_CPUS, proc, mount);
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
    g_assert_cmpint(bt_limit_of_groups(BT_LIMIT_CPUS, "/nonexistent", "/nonexistent"), ==, 0);
}

static uint64_t
memory(const char *folder, const char *groups)
{
    g_autofree char *proc = g_build_filename(folder, "proc", NULL);
    g_autofree char *mount = g_build_filename(folder, "cgroup", NULL);

    write_text(folder, "proc", groups);
    return bt_limit_of_groups(BT_LIMIT_MEMORY, proc, mount);
}

static void
test_memory(void)
{
    g_autoptr(Scene) folder = scene_new();

    write_text(folder, "cgroup/a/b/memory.max", "max\n");
    g_assert_cmpuint(memory(folder, "0::/a/b\n"), ==, 0);
    write_text(folder, "cgroup/a/memory.max", "3000000000\n");
    g_assert_cmpuint(memory(folder, "0::/a/b\n"), ==, 3000000000);
    write_text(folder, "cgroup/a/b/memory.max", "1000000\n");
    g_assert_cmpuint(memory(folder, "0::/a/b\n"), ==, 1000000);
    g_assert_cmpint(quota(folder, "0::/a/b\n"), ==, 0);
    /* Version 1 has no word for no limit. */
    write_text(folder, "cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n");
    g_assert_cmpuint(memory(folder, "4:cpu:/x\n3:memory:/x\n"), ==, 0);
    write_text(folder, "cgroup/memory/memory.limit_in_bytes", "5000\n");
    g_assert_cmpuint(memory(folder, "4:cpu:/x\n3:memory:/x\n"), ==, 5000);
    g_assert_cmpuint(bt_limit_memory(), >, 1000000);
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
    g_assert_cmpint(bt_limit_cpus(), ==, 1);
}

static void
test_mask(void)
{
    g_assert_cmpint(bt_limit_cpus(), >=, 1);
    g_assert_cmpint(bt_limit_cpus(), <=, (int)g_get_num_processors());
    g_assert_true(scene_run(use_one_processor, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/limit/version-2", test_version_2);
    g_test_add_func("/limit/version-1", test_version_1);
    g_test_add_func("/limit/nonsense", test_nonsense);
    g_test_add_func("/limit/memory", test_memory);
    g_test_add_func("/limit/mask", test_mask);
    return g_test_run();
}
