/* SPDX-License-Identifier: MIT */
/*
 * Owned file descriptors. Pure; any process.
 *
 *   g_auto(BtFd) fd = open(...);     closed at the end of the scope
 *   return g_steal_fd(&fd);          unless given away
 *
 * A closed or absent descriptor is -1. Descriptors are opened with O_CLOEXEC from birth.
 */
#ifndef BT_BASE_FD_H
#define BT_BASE_FD_H

#include <glib.h>
#include <sys/types.h>

typedef int BtFd;

/* Closes *fd unless it is -1, and makes it -1. errno survives. */
void bt_fd_clear(BtFd *fd);

/* pread() that an interruption does not end. */
ssize_t bt_fd_read_at(int fd, void *bytes, size_t size, off_t at);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BtFd, bt_fd_clear)

#endif
