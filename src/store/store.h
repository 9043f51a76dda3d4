/* SPDX-License-Identifier: MIT */
/*
 * Where results go and what they were made of: claims, records, freshness, and the atomic publish.
 * Supervisor.
 *
 *   g_autoptr(BtStore) store = bt_store_new("processed", settings, flags, &error);   only looks
 *   owner = bt_store_claim(store, name, owner);              two sources, one name?
 *   state = bt_store_look(store, name, &source_stat, &result_stat);   fresh, stale, foreign
 *   bt_store_make(store, &error);                            the folder and its key
 *   bt_store_publish(store, name, &result, &error);          whole, under its name, at once
 *
 * Invariants
 *   - Under a final name there is never anything but a whole result. It is copied into a temporary
 *     in its folder, made by O_TMPFILE (which leaves nothing when we die), or, where the file
 *     system has none, under a dot-name ".blurthumb-HOST-PID-N.tmp"; it gets its time, its record
 *     and then its name, by linkat() or rename(). A reader sees the old result or the new one.
 *   - A file that is not ours is never replaced: what has no record is foreign, unless forced.
 *     Looked at again right before the name is given.
 *   - A result has its source's modification time and its mode & 0666 & ~umask; folders have 0777 &
 *     ~umask. Below the output folder no link to a folder is followed (ELOOP).
 *   - Temporaries by name that a dead process left in a folder (same host and PID namespace, no
 *     such PID) are removed when the first result goes there in this run.
 *   - A durable store loses nothing to a loss of power: each result is on the disk before it gets
 *     its name, and its name, with the folders above, before publish returns.
 *   - Any number of runs may share an output folder.
 *
 * The key, OUTPUT/.blurthumb, marks an output folder and holds the settings as text; its times mean
 * nothing. A result whose record was lost (copied without attributes) is taken for fresh if it has
 * its source's time and the key says today's settings and never said others: a key that replaces
 * another, or is put among files of somebody else's, gets a last line "mixed".
 */
#ifndef BT_STORE_STORE_H
#define BT_STORE_STORE_H

#include "base/error.h"
#include "base/fd.h"

#include <stdint.h>
#include <sys/stat.h>

#define BT_STORE_KEY_NAME  ".blurthumb"
#define BT_STORE_KEY_START "blurthumb " /* how every key begins */

typedef enum BtStoreFlags {
    BT_STORE_FORCE = 1,   /* nothing is fresh, and what is foreign may be replaced */
    BT_STORE_DURABLE = 2, /* as above */
} BtStoreFlags;

typedef struct BtStore BtStore;

typedef enum BtStoreState {
    BT_STORE_NEW,      /* nothing has the name */
    BT_STORE_CHANGED,  /* ours: its source had another size or time */
    BT_STORE_SETTINGS, /* ours: made with other settings */
    BT_STORE_BROKEN,   /* ours, or empty: it has not the size that it was published with */
    BT_STORE_FORCED,   /* fresh or foreign, but force is set */
    BT_STORE_FOREIGN,  /* not ours */
    BT_STORE_FRESH,
} BtStoreState;

/* What a result is made of. */
typedef struct BtOrigin {
    struct stat stat; /* of the source, as it was opened */
    uint32_t root;    /* see store/record.h */
    uint32_t place;
} BtOrigin;

typedef struct BtStoreResult {
    int fd; /* a sealed file: its bytes, from 0 on, are copied */
    uint64_t bytes;
    const BtOrigin *origin; /* NULL: a page, which */
    const char *mark; /* replaces nothing but files that hold this text near their beginning */
} BtStoreResult;

/* settings: a text that begins with BT_STORE_KEY_START and differs when results would. flags: of
 * BtStoreFlags. The folder need not be there; nothing is made. NULL where it is there and cannot be
 * opened. */
BT_MUST_CHECK BtStore *bt_store_new(const char *path, const char *settings, unsigned flags,
                                    GError **error);
void bt_store_free(BtStore *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtStore, bt_store_free)

/* Makes the folder, with its parents, and the key, as far as they are missing. BT_ERROR_TAKEN where
 * something else has the key's name, unless forced. */
BT_MUST_CHECK bool bt_store_make(BtStore *self, GError **error);

/* Device and inode of the output folder, for the scan to keep out of it. False while there is none.
 */
bool bt_store_identity(const BtStore *self, dev_t *out_device, ino_t *out_inode);

/* Who has claimed a name. */
typedef struct BtOwner {
    uint32_t root;   /* index of the PATH that it was found under */
    uint32_t source; /* what tells one source from another */
} BtOwner;

/* Gives a result's name to a source, unless another has claimed it: names that differ by case alone
 * are one where the output folder takes them for one. Returns who has it now.
 * Names are kept as their hashes (base/hash.h), in some 30 bytes each; two of a million names have
 * the same once in 10^7 runs. (Where a pointer has 32 bits, so have these, and it is not so rare.)
 */
BtOwner bt_store_claim(BtStore *self, const char *name, BtOwner owner);

/* What has the name (relative to the output folder) of the result of a source with this stat.
 * *out_result: its stat, if anything is there. */
BtStoreState bt_store_look(BtStore *self, const char *name, const struct stat *source,
                           struct stat *out_result);

/* Opens a result for reading, without following a link. -1 with *error. */
BT_MUST_CHECK BtFd bt_store_open_result(BtStore *self, const char *name, GError **error);

/* Copies the result into its folder, which is made where it is missing, and gives it its name.
 * BT_ERROR_TAKEN where a foreign file has that, or, if names fold, another result of this run.
 * After bt_store_make(). */
BT_MUST_CHECK bool bt_store_publish(BtStore *self, const char *name, const BtStoreResult *result,
                                    GError **error);

/* Says in *error (TAKEN) that a foreign file has the name, and what to do about it. False. */
bool bt_store_fail_foreign(const BtStore *self, const char *name, GError **error);

/* Whether that would find the name free, or what may be replaced. */
BT_MUST_CHECK bool bt_store_may_publish(BtStore *self, const char *name,
                                        const BtStoreResult *result, GError **error);

/* Whether a result has a record; which says of what root and place its source was. */
bool bt_store_origin(BtStore *self, const char *name, uint32_t *out_root, uint32_t *out_place);

/* Removes a result. */
BT_MUST_CHECK bool bt_store_remove(BtStore *self, const char *name, GError **error);

#endif
