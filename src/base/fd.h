/* SPDX-License-Identifier: MIT */
/*
 * Owned file descriptors. Pure; any process.
 *
 *   g_auto(BtFd) fd = open(...);     closed at the end of the scope
 *   return bt_fd_steal(&fd);         unless given away
 *
 * A closed or absent descriptor is -1. Descriptors are opened with O_CLOEXEC from birth.
 */
#ifndef BT_BASE_FD_H
#define BT_BASE_FD_H

#include <glib.h>

typedef int BtFd;

/* Closes *fd unless it is -1, and makes it -1. errno survives. */
void bt_fd_clear(BtFd *fd);

/* Gives *fd away: returns it and leaves -1 behind. */
BtFd bt_fd_steal(BtFd *fd);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BtFd, bt_fd_clear)

#endif
