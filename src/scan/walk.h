/* SPDX-License-Identifier: MIT */
/*
 * All that lies in and below a folder, one directory entry at a time. Supervisor. Inside the room
 * only.
 *
 *   bt_walk_skip(walk, device, inode);                    never enter this one
 *   kind = bt_walk_start(walk, fd, "photos/", &entry, &error);
 *   while ((kind = bt_walk_next(walk, &entry, &error)) != BT_WALK_END)
 *       if (kind == BT_WALK_ENTRY && ...)
 *           bt_walk_enter(walk, &entry);                  a folder, when its turn comes
 *
 * The entries of a folder come before those of the folders in it. One folder is open at a time, and
 * the root once a folder in it was entered; what waits is the names of folders that are to be
 * entered. A walk that has ended may start again.
 */
#ifndef BT_SCAN_WALK_H
#define BT_SCAN_WALK_H

#include "base/error.h"
#include "base/fd.h"
#include "scan/scan.h"

#include <fcntl.h>
#include <sys/stat.h>

/* How a file and a folder are opened to be read. Nothing waits: not for the writer of a FIFO, nor
 * for a lease to be given back. */
#define BT_WALK_FILE_FLAGS   (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define BT_WALK_FOLDER_FLAGS (O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC)

/* Whether a folder below dirfd ("": this one itself) has the mark of one that holds results. Links
 * on the way there are followed. */
bool bt_walk_holds_results(const BtScanOptions *options, int dirfd, const char *folder);

typedef struct BtWalk BtWalk;

/* All of it is lent until the next call. */
typedef struct BtWalkEntry {
    int dirfd;          /* the folder that it is in */
    const char *part;   /* its name there */
    const char *path;   /* all of its path, as shown */
    unsigned char type; /* DT_REG, DT_DIR, DT_LNK, ...; never DT_UNKNOWN */
    unsigned depth;     /* 1 in the root */
} BtWalkEntry;

typedef enum BtWalkKind {
    BT_WALK_ENTRY,
    BT_WALK_RESULTS, /* the path of the entry is a folder that is left out, as it holds results */
    BT_WALK_PROBLEM, /* *error names a folder that could not be entered or read; the walk goes on */
    BT_WALK_MORE,    /* nothing this time */
    BT_WALK_END
} BtWalkKind;

/* options: lent, and outlive the walk; they say whether links and mounts are entered, and which
 * folders hold results. */
BtWalk *bt_walk_new(const BtScanOptions *options);
void bt_walk_free(BtWalk *self);

/* Never enters the folder with this identity: it is as if it were not there. */
void bt_walk_skip(BtWalk *self, dev_t device, ino_t inode);
bool bt_walk_is_skipped(const BtWalk *self, const struct stat *folder);

/* Whether a folder that is given is a skipped one, or lies in one at any depth. */
bool bt_walk_is_in_skipped(const BtWalk *self, const char *folder);

/* Begins at a folder, and takes fd, which was opened with BT_WALK_FOLDER_FLAGS. prefix: what the
 * shown paths begin with. */
BT_MUST_CHECK BtWalkKind bt_walk_start(BtWalk *self, BtFd fd, const char *prefix,
                                       BtWalkEntry *out_entry, GError **error);

/* One step of bounded work. */
BT_MUST_CHECK BtWalkKind bt_walk_next(BtWalk *self, BtWalkEntry *out_entry, GError **error);

/* The entry of the last step is a folder that is to be entered. */
void bt_walk_enter(BtWalk *self, const BtWalkEntry *entry);

#endif
