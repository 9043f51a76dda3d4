/* SPDX-License-Identifier: MIT */
/*
 * A folder that results go to, held open, and the names of temporaries in it. Supervisor. Inside
 * the room only.
 *
 * Reference counted: the store holds the last one, and each target the one that it was made in.
 *
 * A temporary's name is ".blurthumb-HOST-PID-N.tmp", where HOST is the name of the host and the
 * number of the PID namespace: a PID means nothing in the container next door.
 */
#ifndef BT_STORE_FOLDER_H
#define BT_STORE_FOLDER_H

#include "base/fd.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct BtFolder {
    BtFd fd;          /* O_PATH */
    char *path;       /* as shown, with a slash at its end */
    const char *name; /* inside path: below the output folder; "" for that itself */
} BtFolder;

/* Takes *fd. name: as in the struct, in the first name_length bytes. */
BtFolder *bt_folder_new(const char *output, const char *name, size_t name_length, BtFd *fd);
BtFolder *bt_folder_ref(BtFolder *self);
void bt_folder_unref(BtFolder *self);

/* A name that no other temporary of any process has had. Owned (g_free). */
char *bt_folder_temporary_name(void);

/* Brings what was done to the names in the folder, or in those that it lies in up to and including
 * the output folder's own, to the disk. False with errno. */
bool bt_folder_sync(const BtFolder *self);
bool bt_folder_sync_above(const BtFolder *self);

/* Removes the temporaries of dead processes. Reads the whole folder. */
void bt_folder_sweep(const BtFolder *self);

#endif
