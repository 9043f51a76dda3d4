/* SPDX-License-Identifier: MIT */
/*
 * All that lies in and below a folder, one directory entry at a time. Supervisor. Inside the room
 * only.
 *
 *   bt_walk_skip(walk, &folder);                          never enter this one
 *   if (bt_walk_start(walk, dirfd, "photos/", &error))
 *       while ((kind = bt_walk_next(walk, &entry, &error)) != BT_WALK_END) ...
 *
 * The entries of a folder come before those of the folders in it. One folder is open at a time, and
 * the root; what waits is the names of folders that were seen on the way and not entered yet.
 * Hidden folders are not entered, links are not followed. A walk that has ended may start again.
 */
#ifndef BT_SCAN_WALK_H
#define BT_SCAN_WALK_H

#include "base/error.h"

#include <sys/stat.h>

typedef struct BtWalk BtWalk;

/* All of it is lent until the next call. */
typedef struct BtWalkEntry {
    int dirfd;          /* the folder that it is in */
    const char *part;   /* its name there */
    const char *path;   /* all of its path, as shown */
    const char *name;   /* inside path: below the root */
    unsigned char type; /* DT_REG, DT_LNK, ...; never DT_UNKNOWN; DT_DIR only if it is hidden */
} BtWalkEntry;

typedef enum BtWalkKind {
    BT_WALK_ENTRY,
    BT_WALK_PROBLEM, /* *error names a folder that could not be entered or read; the walk goes on */
    BT_WALK_MORE,    /* nothing this time */
    BT_WALK_END
} BtWalkKind;

BtWalk *bt_walk_new(void);
void bt_walk_free(BtWalk *self);

/* Never enters the folder with this stat: it is as if it were not there. */
void bt_walk_skip(BtWalk *self, dev_t device, ino_t inode);
bool bt_walk_is_skipped(const BtWalk *self, const struct stat *folder);

/* Begins at the folder dirfd (lent for the call; O_PATH will do). prefix: what the shown paths
 * begin with. */
BT_MUST_CHECK bool bt_walk_start(BtWalk *self, int dirfd, const char *prefix, GError **error);

/* One step of bounded work. */
BT_MUST_CHECK BtWalkKind bt_walk_next(BtWalk *self, BtWalkEntry *out_entry, GError **error);

#endif
