/* SPDX-License-Identifier: MIT */
/*
 * Opening below a folder, for names of any length and any bytes. Any process.
 *
 * Every path here is relative to an open folder, has no empty, "." or ".." part, and is walked
 * without following a symbolic link in any of its parts: what a scan has seen as a folder cannot
 * be turned into a way out of the tree. Only where it is said to be given, a link is followed.
 * Paths longer than PATH_MAX are walked in pieces.
 *
 * By openat2() where the kernel has it (Linux 5.6), else part by part with O_NOFOLLOW.
 */
#ifndef BT_BASE_PATH_H
#define BT_BASE_PATH_H

#include "base/fd.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Opens path below dirfd, close-on-exec. O_PATH only with O_DIRECTORY; mode is 0 without O_CREAT.
 * "" is dirfd itself. -1 with errno (ELOOP where a part is a symbolic link). */
BtFd bt_path_open(int dirfd, const char *path, int flags, mode_t mode);

/* Opens the folder that holds the last part of path, with O_PATH; *out_name points at that part
 * inside path, also on failure. -1 with errno on failure. */
BtFd bt_path_open_parent(int dirfd, const char *path, const char **out_name);

/* The same, making each missing folder on the way with mode 0777 less umask. */
BtFd bt_path_make_parent(int dirfd, const char *path, const char **out_name);

/* fstatat() without following links; "" is dirfd itself. 0, or -1 with errno. */
int bt_path_stat(int dirfd, const char *path, struct stat *out_stat);

/* The same two for a path of which the first `given` bytes are given, by somebody who wrote them or
 * wants links followed: they may lead anywhere. 0, all of the path, or all before one of its
 * slashes. */
BtFd bt_path_open_given(int dirfd, const char *path, size_t given, int flags);
int bt_path_stat_given(int dirfd, const char *path, size_t given, struct stat *out_stat);

#endif
