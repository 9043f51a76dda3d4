/* SPDX-License-Identifier: MIT */
/*
 * A folder that results go to, held open, and the names of temporaries in it. Supervisor. Inside
 * the room only.
 *
 * A temporary's name is ".blurthumb-HOST-PID-N.tmp", where HOST is the name of the host and the
 * number of the PID namespace: a PID means nothing in the container next door.
 */
#ifndef BT_STORE_FOLDER_H
#define BT_STORE_FOLDER_H

#include "base/fd.h"
#include "store/ledger.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct BtFolder {
    BtFd fd;          /* O_PATH */
    char *path;       /* as shown, with a slash at its end */
    const char *name; /* inside path: below the output folder; "" for that itself */
    BtLedger *ledger; /* of records that could not become attributes; NULL: not yet asked for */
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

#endif
