/* SPDX-License-Identifier: MIT */
#include "store/results.h"

#include "store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kernel's numbers: O_TMPFILE is made of several bits. */
#define NAMELESS_BIT (O_TMPFILE & ~O_DIRECTORY)

static void
refuse_nothing(void)
{
}

static void
refuse_tmpfile(void)
{
    scene_refuse(SYS_openat, 2, NAMELESS_BIT, EOPNOTSUPP);
}

/* As on kernels before 6.10 without privileges: only the way through /proc is left. */
static void
refuse_empty_path(void)
{
    scene_refuse(SYS_linkat, 4, AT_EMPTY_PATH, ENOENT);
}

/* As a file system that has nameless files but no hard links. */
static void
refuse_links(void)
{
    scene_refuse(SYS_linkat, 0, 0, EPERM);
}

void
refuse_attributes(void)
{
    scene_refuse(SYS_fsetxattr, 0, 0, EOPNOTSUPP);
    scene_refuse(SYS_lgetxattr, 0, 0, EOPNOTSUPP);
    scene_refuse(SYS_fgetxattr, 0, 0, EOPNOTSUPP);
}

/* As FAT through FUSE. */
static void
refuse_all(void)
{
    refuse_attributes();
    refuse_tmpfile();
    refuse_links();
    scene_refuse(SYS_renameat2, 0, 0, EINVAL);
}

/* As rclone mount, with a cache of writes. */
static void
refuse_as_rclone(void)
{
    refuse_all();
    scene_refuse(SYS_fsetxattr, 0, 0, EIO);
}

static const Fault faults[] = {
    {"linkat", refuse_nothing, true, true},
    {"no-tmpfile", refuse_tmpfile, false, true},
    {"proc", refuse_empty_path, true, true},
    {"no-links", refuse_links, false, true},
    {"no-attributes", refuse_attributes, true, false},
    {"as-fat", refuse_all, false, false},
    {"as-rclone", refuse_as_rclone, false, false},
};

typedef struct Case {
    void (*check)(const char *folder);
    const Fault *fault;
} Case;

static Case chosen;

static void
run_chosen(const char *folder)
{
    chosen.fault->refuse();
    chosen.check(folder);
}

static void
run_case(gconstpointer data)
{
    g_autoptr(Scene) folder = scene_new();

    chosen = *(const Case *)data;
    if (!scene_run(run_chosen, folder))
        g_test_skip("no system call can be refused here");
}

void
add_faulty_test(const char *prefix, const char *name, void (*check)(const char *folder))
{
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autofree char *path = g_strdup_printf("%s/%s/%s", prefix, faults[i].name, name);
        Case *data = g_new(Case, 1);

        *data = (Case){check, &faults[i]};
        g_test_add_data_func_full(path, data, run_case, g_free);
    }
}

const Fault *
current_fault(void)
{
    return chosen.fault;
}

static bool
run_command(const char *line, char **out)
{
    g_autofree char *text = NULL;
    int status;

    if (!g_spawn_command_line_sync(line, &text, NULL, &status, NULL) || status != 0)
        return false;
    if (out != NULL)
        *out = g_strstrip(g_steal_pointer(&text));
    return true;
}

static bool
mount_exfat(const char *folder)
{
    g_autofree char *image = g_strdup_printf("%s.exfat", folder);
    g_autofree char *make = g_strdup_printf("mkfs.exfat %s", image);
    g_autofree char *loop = g_strdup_printf("losetup -f --show %s", image);
    g_autofree char *device = NULL, *mount = NULL, *detach = NULL;
    g_auto(BtFd) fd = open(image, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    bool mounted = false;

    if (fd >= 0 && ftruncate(fd, 16 << 20) == 0 && scene_own_mounts() && run_command(make, NULL) &&
        run_command(loop, &device)) {
        mount = g_strdup_printf("mount.exfat-fuse %s %s", device, folder);
        detach = g_strdup_printf("losetup -d %s", device);
        mounted = run_command(mount, NULL);
        (void)run_command(detach, NULL); /* once it is not in use any more */
    }
    unlink(image);
    return mounted;
}

/* The driver holds this process's mounts: without the end of the mount it would live on. */
static void
run_mounted(const char *folder)
{
    pid_t child;
    int status = 0;

    if (!mount_exfat(folder))
        scene_skip();
    if ((child = fork()) == 0) {
        chosen.check(folder);
        _exit(0);
    }
    waitpid(child, &status, 0);
    umount2(folder, MNT_DETACH);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

void
run_on_exfat(void (*check)(const char *folder))
{
    g_autoptr(Scene) folder = scene_new();

    chosen.check = check;
    if (!scene_run(run_mounted, folder))
        g_test_skip("needs root, loop devices, exfatprogs and exfat-fuse");
}

BtStore *
look_only(const char *folder, const char *settings, unsigned flags)
{
    g_autoptr(GError) error = NULL;
    BtStore *store = bt_store_new(folder, settings, flags, &error);

    g_assert_no_error(error);
    return store;
}

BtStore *
open_store(const char *folder, const char *settings, unsigned flags)
{
    g_autoptr(GError) error = NULL;
    BtStore *store = look_only(folder, settings, flags);

    g_assert_true(bt_store_make(store, &error) || error != NULL);
    g_assert_no_error(error);
    return store;
}

struct stat
stat_of(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat what;

    g_assert_cmpint(lstat(path, &what), ==, 0);
    return what;
}

struct stat
source_of(off_t bytes, time_t seconds, long nanoseconds)
{
    return (struct stat){
        .st_mode = S_IFREG | 0644,
        .st_size = bytes,
        .st_mtim = {.tv_sec = seconds, .tv_nsec = nanoseconds},
    };
}

bool
try_put(BtStore *store, const char *name, const char *text, const struct stat *source,
        GError **error)
{
    g_auto(BtFd) fd = memfd_create("result", MFD_CLOEXEC);
    BtOrigin origin = {.stat = *source, .root = 1, .place = 2};
    BtStoreResult result = {.fd = fd, .bytes = strlen(text), .origin = &origin};

    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
    return bt_store_publish(store, name, &result, error);
}

void
put(BtStore *store, const char *name, const char *text, const struct stat *source)
{
    g_autoptr(GError) error = NULL;
    bool done = try_put(store, name, text, source, &error);

    g_assert_no_error(error);
    g_assert_true(done);
}

BtStoreState
state_of(BtStore *store, const char *name, const struct stat *source)
{
    struct stat result;

    return bt_store_look(store, name, source, &result);
}

void
assert_content(const char *folder, const char *name, const char *expected)
{
    g_autofree char *text = scene_read(folder, name);

    g_assert_cmpstr(text, ==, expected);
}

void
assert_listed(const char *folder, const char *expected)
{
    g_autofree char *names = scene_list(folder);
    g_autoptr(GString) rest = g_string_new(names);

    g_string_replace(rest, BT_LEDGER_NAME " ", "", 1);
    if (g_str_has_suffix(rest->str, BT_LEDGER_NAME))
        g_string_truncate(rest, rest->len - strlen(BT_LEDGER_NAME));
    g_assert_cmpstr(g_strchomp(rest->str), ==, expected);
}

void
remove_name(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_cmpint(g_remove(path), ==, 0);
}

void
set_time(const char *folder, const char *name, struct timespec time)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct timespec times[] = {time, time};

    g_assert_cmpint(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), ==, 0);
}
