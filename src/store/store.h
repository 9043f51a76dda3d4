/* SPDX-License-Identifier: MIT */
/*
 * Where results go: names, freshness, and the atomic publish. Supervisor.
 *
 *   g_autoptr(BtStore) store = bt_store_new("processed", key, flags, &error);
 *   switch (bt_store_look(store, name, &source_stat)) ...       fresh, new, stale
 *   g_autoptr(BtTarget) target = bt_store_open(store, name, &error);   a nameless temporary
 *   ... a worker writes to bt_target_fd(target) ...
 *   bt_target_publish(target, name, &error);                    whole, under its name, at once
 *
 * Invariants
 *   - Under a final name there is never anything but a whole result: a temporary is made in the
 *     folder of its result by O_TMPFILE (which leaves nothing when we die), or, where the file
 *     system has none, under a dot-name ".blurthumb-HOST-PID-N.tmp" that is unlinked on failure;
 *     it gets its name by linkat() or rename(), after the worker has written it.
 *   - Results have mode 0666 less umask, folders 0777 less umask. Folders are made when the first
 *     result in them is opened. Below the output folder no link to a folder is followed: results
 *     behind one fail with ELOOP.
 *   - An existing result is replaced by rename(), so a reader sees the old one or the new one. A
 *     final name that is a folder, or anything but a regular file or a symbolic link, is an error
 *     and is left alone.
 *   - Temporaries by name that a dead process left in a folder (same host and PID namespace, no
 *     such PID) are removed when the first result is opened in that folder in this run.
 *   - A durable store loses nothing whole to a loss of power: each result is on the disk before it
 *     gets its name, and its name, with the folders above, before publish returns.
 *   - Any number of runs may share an output folder, and begin together: one of them writes the
 * key. Of two with different keys the earlier ends when it sees the other's.
 *
 * Freshness works as in make, by change times (st_ctime): a result is fresh when its own is later
 * than its source's and later than that of the key file OUTPUT/.blurthumb, which holds the settings
 * and is rewritten (by temporary and rename) only when they differ. After a rewrite bt_store_new()
 * waits until the file system's clock has moved past it (a few ms; 2 s where it has no finer
 * times), so that results of this run are later, never equal. An empty file is never fresh: that is
 * what a power cut makes of a result that had not reached the disk.
 */
#ifndef BT_STORE_STORE_H
#define BT_STORE_STORE_H

#include "base/error.h"
#include "base/fd.h"

#include <stdint.h>
#include <sys/stat.h>

#define BT_STORE_KEY_NAME ".blurthumb"

typedef enum BtStoreFlags {
    BT_STORE_FORCE = 1,   /* nothing is fresh */
    BT_STORE_DURABLE = 2, /* as above */
    BT_STORE_LOOK = 4,    /* the key stays as it is, and the folder need not be there */
} BtStoreFlags;

typedef struct BtStore BtStore;
typedef struct BtTarget BtTarget;

typedef enum BtStoreState {
    BT_STORE_NEW,      /* there is no result */
    BT_STORE_CHANGED,  /* its source is later */
    BT_STORE_SETTINGS, /* the settings are later, or others */
    BT_STORE_FORCED,   /* it is up to date, but force is set */
    BT_STORE_BROKEN,   /* what is there is empty or no regular file */
    BT_STORE_FRESH,
} BtStoreState;

/* Makes the folder (and its parents) where it is missing, and brings the key file up to date with
 * `key`, a text, not empty, that must differ when results would. flags: of BtStoreFlags. One that
 * only looks does neither. */
BT_MUST_CHECK BtStore *bt_store_new(const char *path, const char *key, unsigned flags,
                                    GError **error);
void bt_store_free(BtStore *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtStore, bt_store_free)

/* Whether the key is still this store's, which is to be asked before each publish: what is
 * published after another run has written other settings would look as if made with those. A key
 * that is gone makes everything stale, and is no error. */
BT_MUST_CHECK bool bt_store_check(const BtStore *self, GError **error);

/* Device and inode of the output folder, for the scan to keep out of it; 0 and 0 where there is
 * none. */
void bt_store_identity(const BtStore *self, dev_t *out_device, ino_t *out_inode);

/* Whether the output folder takes names that differ by case alone for one. */
bool bt_store_folds_case(const BtStore *self);

/* State of the result `name` (relative to the output folder) of a source with this stat.
 * *out_result: what is there, if anything is; may be NULL. */
BtStoreState bt_store_look(BtStore *self, const char *name, const struct stat *source,
                           struct stat *out_result);

/* Opens a result for reading, without following a link. -1 with *error. */
BT_MUST_CHECK BtFd bt_store_open_result(BtStore *self, const char *name, GError **error);

/* A temporary for a result that will be called `name` or another name in the same folder; makes the
 * folders on the way. May outlive the store. */
BT_MUST_CHECK BtTarget *bt_store_open(BtStore *self, const char *name, GError **error);

/* Where to write: O_RDWR, O_CLOEXEC, empty. Lent. */
int bt_target_fd(const BtTarget *self);

/* Whether the file system has room for another megabyte: tried, in the target's file, which is
 * empty afterwards. False with what the system says. */
BT_MUST_CHECK bool bt_target_has_room(BtTarget *self, GError **error);

/* The time of the last change that the result will show, in place of when it was written. */
void bt_target_set_time(BtTarget *self, struct timespec time);

/* Gives what was written its name, which must be in the folder that it was opened for. After
 * success the target is spent: only bt_target_free() remains. An empty file is refused. */
BT_MUST_CHECK bool bt_target_publish(BtTarget *self, const char *name, GError **error);

/* The same, but for a name that nothing has yet: BT_ERROR_TAKEN where something has. */
BT_MUST_CHECK bool bt_target_publish_new(BtTarget *self, const char *name, GError **error);

/* Size of what was published. */
uint64_t bt_target_bytes(const BtTarget *self);

/* Leaves nothing behind of a target that was not published. NULL allowed. */
void bt_target_free(BtTarget *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtTarget, bt_target_free)

#endif
