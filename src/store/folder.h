/* SPDX-License-Identifier: MIT */
/*
 * A folder that results go to, held open, and the temporary files in it. Supervisor. Inside the
 * room only.
 *
 * A temporary's name is ".blurthumb-HOST-PID-N.tmp", where HOST is the name of the host and the
 * number of the PID namespace: a PID means nothing in the container next door.
 */
#ifndef BT_STORE_FOLDER_H
#define BT_STORE_FOLDER_H

#include "base/error.h"
#include "base/fd.h"
#include "store/ledger.h"

typedef struct BtFolder {
    BtFd fd;          /* O_PATH */
    char *path;       /* as shown, with a slash at its end */
    const char *name; /* inside path: below the output folder; "" for that itself */
    BtLedger *ledger; /* of records that could not become attributes */
} BtFolder;

/* Takes *fd. output: with a slash at its end. name: as in the struct, in its first name_length
 * bytes. */
BtFolder *bt_folder_new(const char *output, const char *name, size_t name_length, BtFd *fd);
void bt_folder_free(BtFolder *self);

/* The record of the file that has a name in the folder: its attribute, else a line of the ledger.
 * False when it has none. */
bool bt_folder_get_record(BtFolder *self, const char *name, const struct stat *file,
                          BtRecord *out_record);

/* Writes the record of an open file that is to get this name: as its attribute, else as a line of
 * the ledger. False with errno. */
bool bt_folder_put_record(BtFolder *self, int fd, const char *name, const BtRecord *record,
                          bool durable);

/* Removes a result and its record. False with errno. */
bool bt_folder_remove(BtFolder *self, const char *name);

/* A name that no other temporary of any process has had. Owned (g_free). */
char *bt_folder_temporary_name(void);

/* Brings what was done to the names in the folder, or in those that it lies in up to and including
 * the output folder's own, to the disk. False with errno. */
bool bt_folder_sync(const BtFolder *self);
bool bt_folder_sync_above(const BtFolder *self);

/* Removes the temporaries of dead processes. Reads the whole folder. */
void bt_folder_sweep(const BtFolder *self);

#define BT_TARGET_WAY_OUT                                                                          \
    "write to a local disk with -o and copy the results from there, or mount with a cache for "    \
    "writes (rclone: --vfs-cache-mode writes)"

/* A temporary file, until it has its name. */
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
