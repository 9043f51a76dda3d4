/* SPDX-License-Identifier: MIT */
/* Opening below a folder: every property holds with openat2() and without it. */
#include "base/path.h"
#include "unit/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static BtFd
open_folder(const char *path)
{
    BtFd fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void
assert_fails(int dirfd, const char *path, int flags, int errnum)
{
    g_assert_cmpint(bt_path_open(dirfd, path, flags, 0), ==, -1);
    g_assert_cmpint(errno, ==, errnum);
}

static void
check_open(const char *folder)
{
    g_auto(BtFd) dirfd = open_folder(folder);
    g_auto(BtFd) file = -1;
    g_auto(BtFd) made = -1;
    g_auto(BtFd) itself = -1;
    struct stat what, root;
    char byte;

    scene_write(folder, "a/b/\xff \n]", "x", 1);
    file = bt_path_open(dirfd, "a/b/\xff \n]", O_RDONLY, 0);
    g_assert_cmpint(file, >=, 0);
    g_assert_cmpint(fcntl(file, F_GETFD) & FD_CLOEXEC, !=, 0);
    g_assert_cmpint(read(file, &byte, 1), ==, 1);
    made = bt_path_open(dirfd, "a/new", O_WRONLY | O_CREAT | O_EXCL, 0600);
    g_assert_cmpint(made, >=, 0);
    assert_fails(dirfd, "a/new", O_WRONLY | O_CREAT | O_EXCL, EEXIST);
    itself = bt_path_open(dirfd, "", O_RDONLY | O_DIRECTORY, 0);
    g_assert_cmpint(fstat(itself, &what), ==, 0);
    g_assert_cmpint(fstat(dirfd, &root), ==, 0);
    g_assert_cmpuint(what.st_ino, ==, root.st_ino);
    g_assert_cmpint(bt_path_stat(dirfd, "", &what), ==, 0);
    g_assert_cmpuint(what.st_ino, ==, root.st_ino);
    assert_fails(dirfd, "a/none", O_RDONLY, ENOENT);
    assert_fails(dirfd, "none/b", O_RDONLY, ENOENT);
    assert_fails(dirfd, "a/new/c", O_RDONLY, ENOTDIR);
    assert_fails(dirfd, "a/new", O_RDONLY | O_DIRECTORY, ENOTDIR);
}

/* No part of a path may be a link: not the first, not the last, not one to a folder that is wished
 * for, and a link is never created through. */
static void
check_links(const char *folder)
{
    g_auto(BtFd) dirfd = open_folder(folder);
    struct stat what;
    const char *name;

    scene_write(folder, "real/file", "x", 1);
    g_assert_cmpint(symlinkat("real", dirfd, "link"), ==, 0);
    g_assert_cmpint(symlinkat("file", dirfd, "real/link"), ==, 0);
    g_assert_cmpint(symlinkat("nowhere", dirfd, "dangling"), ==, 0);
    assert_fails(dirfd, "link", O_RDONLY, ELOOP);
    assert_fails(dirfd, "link", O_RDONLY | O_DIRECTORY, ELOOP);
    assert_fails(dirfd, "link", O_PATH | O_DIRECTORY, ELOOP);
    assert_fails(dirfd, "link/file", O_RDONLY, ELOOP);
    assert_fails(dirfd, "real/link", O_RDONLY, ELOOP);
    assert_fails(dirfd, "dangling", O_WRONLY | O_CREAT, ELOOP);
    g_assert_cmpint(bt_path_open_parent(dirfd, "link/file", &name), ==, -1);
    g_assert_cmpint(errno, ==, ELOOP);
    g_assert_cmpint(bt_path_make_parent(dirfd, "link/new/file", &name), ==, -1);
    g_assert_cmpint(errno, ==, ELOOP);
    g_assert_cmpint(bt_path_make_parent(dirfd, "dangling/file", &name), ==, -1);
    g_assert_cmpint(errno, ==, ELOOP);
    g_assert_cmpint(faccessat(dirfd, "real/new", F_OK, 0), ==, -1);
    g_assert_cmpint(faccessat(dirfd, "nowhere", F_OK, 0), ==, -1);
    g_assert_cmpint(bt_path_stat(dirfd, "link/file", &what), ==, -1);
    g_assert_cmpint(errno, ==, ELOOP);
    g_assert_cmpint(bt_path_stat(dirfd, "real/link", &what), ==, 0);
    g_assert_true(S_ISLNK(what.st_mode));
}

static void
check_parents(const char *folder)
{
    g_auto(BtFd) dirfd = open_folder(folder);
    g_auto(BtFd) top = -1;
    g_auto(BtFd) made = -1;
    g_auto(BtFd) again = -1;
    const char *path = "x/y/z/name", *name = NULL;
    struct stat what, root;
    mode_t before = umask(027);

    top = bt_path_open_parent(dirfd, "name", &name);
    g_assert_cmpstr(name, ==, "name");
    g_assert_cmpint(fstat(top, &what), ==, 0);
    g_assert_cmpint(fstat(dirfd, &root), ==, 0);
    g_assert_cmpuint(what.st_ino, ==, root.st_ino);
    g_assert_cmpint(bt_path_open_parent(dirfd, path, &name), ==, -1);
    g_assert_cmpint(errno, ==, ENOENT);
    made = bt_path_make_parent(dirfd, path, &name);
    g_assert_cmpint(made, >=, 0);
    g_assert_true(name == path + strlen("x/y/z/"));
    again = bt_path_make_parent(dirfd, path, &name);
    g_assert_cmpint(again, >=, 0);
    g_assert_cmpint(bt_path_stat(dirfd, "x/y", &what), ==, 0);
    g_assert_cmpint(what.st_mode, ==, S_IFDIR | 0750);
    scene_write(folder, "file", "x", 1);
    g_assert_cmpint(bt_path_make_parent(dirfd, "file/a/b", &name), ==, -1);
    g_assert_cmpint(errno, ==, ENOTDIR);
    umask(before);
}

/* A path of `length` bytes in parts of 99, the first shorter by `shift`. The name at its end is
 * that of no folder of another. Owned (g_free). */
static char *
make_long(size_t length, size_t shift)
{
    char *path = g_strnfill(length, 'x');

    for (size_t i = 1; i + 1 < length; i++)
        if ((i + shift) % 100 == 99)
            path[i] = '/';
    path[length - 1] = 'y';
    return path;
}

static void
check_one_long(int dirfd, const char *path)
{
    g_auto(BtFd) parent = -1;
    g_auto(BtFd) file = -1;
    struct stat what, same;
    const char *last;

    parent = bt_path_make_parent(dirfd, path, &last);
    g_assert_cmpint(parent, >=, 0);
    file = bt_path_open(dirfd, path, O_CREAT | O_EXCL | O_RDWR, 0666);
    g_assert_cmpint(file, >=, 0);
    g_assert_cmpint(fstat(file, &what), ==, 0);
    g_assert_cmpint(bt_path_stat(dirfd, path, &same), ==, 0);
    g_assert_cmpuint(what.st_ino, ==, same.st_ino);
    g_assert_cmpint(fstatat(parent, last, &same, 0), ==, 0);
    g_assert_cmpuint(what.st_ino, ==, same.st_ino);
}

/* A long path is cut into pieces: every length, and every place of a slash, around the cut. */
static void
check_long(const char *folder)
{
    g_auto(BtFd) dirfd = open_folder(folder);
    g_autofree char *long_part = g_strnfill(PATH_MAX + 10, 'x');
    g_autofree char *long_below = g_strconcat("d/", long_part, NULL);
    g_autofree char *longest = make_long(10 * PATH_MAX, 50);

    for (size_t length = PATH_MAX - 55; length < PATH_MAX + 55; length++) {
        g_autofree char *path = make_long(length, 0);

        check_one_long(dirfd, path);
    }
    for (size_t shift = 1; shift < 9; shift++) {
        g_autofree char *path = make_long(PATH_MAX + 150, shift);

        check_one_long(dirfd, path);
    }
    check_one_long(dirfd, longest);
    assert_fails(dirfd, long_part, O_RDONLY, ENAMETOOLONG);
    g_assert_cmpint(mkdirat(dirfd, "d", 0777), ==, 0);
    assert_fails(dirfd, long_below, O_RDONLY, ENAMETOOLONG);
}

typedef void (*Check)(const char *folder);

static const Check checks[] = {check_open, check_links, check_parents, check_long};

static void
test_with(gconstpointer check)
{
    g_autoptr(Scene) folder = scene_new();

    (*(const Check *)check)(folder);
}

static Check chosen;

static void
check_without(const char *folder)
{
    scene_refuse(SYS_openat2, 0, 0, ENOSYS);
    chosen(folder);
}

static void
test_without(gconstpointer check)
{
    g_autoptr(Scene) folder = scene_new();

    chosen = *(const Check *)check;
    if (!scene_run(check_without, folder))
        g_test_skip("no system call can be refused here");
}

int
main(int argc, char **argv)
{
    static const char *const names[] = {"open", "links", "parents", "long"};

    g_test_init(&argc, &argv, NULL);
    /* Whether there is openat2() is asked once per process: those without it come first. */
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
        g_autofree char *path = g_strconcat("/path/without-openat2/", names[i], NULL);

        g_test_add_data_func(path, &checks[i], test_without);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
        g_autofree char *path = g_strconcat("/path/with-openat2/", names[i], NULL);

        g_test_add_data_func(path, &checks[i], test_with);
    }
    return g_test_run();
}
