/* SPDX-License-Identifier: MIT */
/* A temporary file in a folder of results, until it has its name. Supervisor. Inside the room only.
 */
#ifndef BT_STORE_TARGET_H
#define BT_STORE_TARGET_H

#include "base/error.h"
#include "store/folder.h"

#define BT_TARGET_WAY_OUT                                                                          \
    "write to a local disk with -o and copy the results from there, or mount with a cache for "    \
    "writes (rclone: --vfs-cache-mode writes)"

typedef struct BtTarget {
    BtFolder *folder; /* lent */
    BtFd fd;
    char *temporary; /* the name that it has for now; NULL while it has none, and once published */
} BtTarget;

/* Made nameless when that is wished for and the file system has such files, else with a dot-name.
 * mode: as of open(2). */
BT_MUST_CHECK bool bt_target_init(BtTarget *self, BtFolder *folder, bool nameless, mode_t mode,
                                  GError **error);

/* Leaves nothing behind of one that got no name. */
void bt_target_clear(BtTarget *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BtTarget, bt_target_clear)

/* Whether a nameless file can be made in a folder and given a name: tried, since there are file
 * systems that offer the one and refuse the other. */
bool bt_target_can_link(BtFolder *folder);

/* Gives it a name that nothing has. False with errno: EEXIST where something has. */
bool bt_target_take(BtTarget *self, const char *name);

/* Takes the place of a file or link that has the name. False with errno. */
bool bt_target_replace(BtTarget *self, const char *name);

#endif
