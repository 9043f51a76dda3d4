/* SPDX-License-Identifier: MIT */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A folder on the way: needs no permission to read it. */
#define FOLDER_FLAGS (O_PATH | O_DIRECTORY)

typedef BtFd OpenPiece(int dirfd, const char *piece, int flags, mode_t mode);

/* Whether openat2() is there and let through, asked with a call that is always wrong: containers
 * with an old filter answer EPERM where an old kernel answers ENOSYS. */
static bool
has_openat2(void)
{
    static int known = -1;

    if (known < 0)
        known = syscall(SYS_openat2, -1, NULL, NULL, 0) < 0 && errno == EINVAL;
    return known != 0;
}

/* Several parts at once. RESOLVE_NO_SYMLINKS says ELOOP of any link; O_NOFOLLOW would turn that
 * into ENOTDIR for the last one. */
static BtFd
open_parts(int dirfd, const char *parts, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (unsigned)flags | O_CLOEXEC,
        .mode = mode,
        .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
    };

    return (BtFd)syscall(SYS_openat2, dirfd, parts, &how, sizeof how);
}

static BtFd
open_part(int dirfd, const char *part, int flags, mode_t mode)
{
    BtFd fd = openat(dirfd, part, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    struct stat what;

    if (fd < 0 && errno == ENOTDIR)
        errno = fstatat(dirfd, part, &what, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(what.st_mode)
                    ? ELOOP
                    : ENOTDIR;
    return fd;
}

static BtFd
open_followed(int dirfd, const char *parts, int flags, mode_t mode)
{
    return openat(dirfd, parts, flags | O_CLOEXEC, mode);
}

/* How much of a path one call takes: whole parts that fit into PATH_MAX with their NUL. A part
 * that does not fit is cut, to fail with ENAMETOOLONG. */
static size_t
piece_length(const char *path, bool several)
{
    size_t length = several ? strnlen(path, PATH_MAX) : strcspn(path, "/");
    const char *slash;

    if (length < PATH_MAX)
        return length;
    slash = memrchr(path, '/', PATH_MAX);
    return slash != NULL ? (size_t)(slash - path) : PATH_MAX - 1;
}

/* With `open_piece`, which takes several parts at once, or one. */
static BtFd
open_pieces(int dirfd, const char *path, int flags, mode_t mode, OpenPiece *open_piece,
            bool several)
{
    g_auto(BtFd) folder = -1;

    for (;;) {
        size_t length = piece_length(path, several);
        const char *rest = path + length + (path[length] == '/');
        bool last = *rest == '\0';
        int at = folder >= 0 ? folder : dirfd;
        char piece[PATH_MAX];
        BtFd next;

        memcpy(piece, path, length);
        piece[length] = '\0';
        next = open_piece(at, piece, last ? flags : FOLDER_FLAGS, last ? mode : 0);
        if (last || next < 0)
            return next;
        bt_fd_clear(&folder);
        folder = next;
        path = rest;
    }
}

BtFd
bt_path_open(int dirfd, const char *path, int flags, mode_t mode)
{
    bool several = has_openat2();

    if (*path == '\0')
        return openat(dirfd, ".", flags | O_NOFOLLOW | O_CLOEXEC, mode);
    return open_pieces(dirfd, path, flags, mode, several ? open_parts : open_part, several);
}

/* The part of path before its last slash (owned), and the part behind it. */
static char *
split(const char *path, const char **out_name)
{
    const char *slash = strrchr(path, '/');

    *out_name = slash != NULL ? slash + 1 : path;
    return g_strndup(path, slash != NULL ? (gsize)(slash - path) : 0);
}

BtFd
bt_path_open_parent(int dirfd, const char *path, const char **out_name)
{
    g_autofree char *parent = split(path, out_name);

    return bt_path_open(dirfd, parent, FOLDER_FLAGS, 0);
}

BtFd
bt_path_make_parent(int dirfd, const char *path, const char **out_name)
{
    g_autofree char *parent = split(path, out_name);
    g_auto(BtFd) folder = bt_path_open(dirfd, parent, FOLDER_FLAGS, 0);

    if (folder >= 0 || errno != ENOENT)
        return g_steal_fd(&folder);
    folder = bt_path_open(dirfd, "", FOLDER_FLAGS, 0);
    for (char *part = parent, *end; folder >= 0 && part != NULL; part = end) {
        BtFd next;

        if ((end = strchr(part, '/')) != NULL)
            *end++ = '\0';
        if (mkdirat(folder, part, 0777) < 0 && errno != EEXIST)
            return -1;
        next = bt_path_open(folder, part, FOLDER_FLAGS, 0);
        bt_fd_clear(&folder);
        folder = next;
    }
    return g_steal_fd(&folder);
}

int
bt_path_stat(int dirfd, const char *path, struct stat *out_stat)
{
    g_auto(BtFd) parent = -1;
    const char *name;

    if (strchr(path, '/') == NULL)
        return fstatat(dirfd, path, out_stat, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
    if ((parent = bt_path_open_parent(dirfd, path, &name)) < 0)
        return -1;
    return fstatat(parent, name, out_stat, AT_SYMLINK_NOFOLLOW);
}

/* Whether one call can walk a path: it is given, but for its last part at most, and not too long.
 */
static bool
takes_one_call(const char *path, size_t given)
{
    return given > 0 && strnlen(path, PATH_MAX) < PATH_MAX &&
           (path[given] == '\0' || strchr(path + given + 1, '/') == NULL);
}

BtFd
bt_path_open_given(int dirfd, const char *path, size_t given, int flags)
{
    g_autofree char *head = NULL;
    g_auto(BtFd) folder = -1;

    if (given == 0)
        return bt_path_open(dirfd, path, flags, 0);
    if (takes_one_call(path, given) && path[given] != '\0')
        return open_part(dirfd, path, flags, 0);
    if (path[given] == '\0')
        return open_pieces(dirfd, path, flags, 0, open_followed, true);
    head = g_strndup(path, given);
    folder = open_pieces(dirfd, head, FOLDER_FLAGS, 0, open_followed, true);
    return folder >= 0 ? bt_path_open(folder, path + given + 1, flags, 0) : -1;
}

int
bt_path_stat_given(int dirfd, const char *path, size_t given, struct stat *out_stat)
{
    g_autofree char *parent = NULL;
    g_auto(BtFd) folder = -1;
    bool is_followed = path[given] == '\0';
    const char *name;

    if (given == 0)
        return bt_path_stat(dirfd, path, out_stat);
    if (takes_one_call(path, given))
        return fstatat(dirfd, path, out_stat, is_followed ? 0 : AT_SYMLINK_NOFOLLOW);
    parent = split(path, &name);
    folder = bt_path_open_given(dirfd, parent, MIN(given, strlen(parent)), FOLDER_FLAGS);
    return folder >= 0 ? fstatat(folder, name, out_stat, is_followed ? 0 : AT_SYMLINK_NOFOLLOW)
                       : -1;
}
