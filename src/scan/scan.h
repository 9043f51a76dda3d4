/* SPDX-License-Identifier: MIT */
/*
 * Folders and files in, a stream of source paths out. Supervisor.
 *
 *   g_autoptr(BtScan) scan = bt_scan_new();
 *   bt_scan_add(scan, "photos", &error);                  once per PATH, in order
 *   bt_scan_skip_folder(scan, device, inode);             the output folder
 *   while ((kind = bt_scan_next(scan, &source, &error)) != BT_SCAN_END) ...
 *   fd = bt_scan_open(scan, source, &error);              when its turn comes
 *
 * Memory does not grow with the number of files: one folder is open at a time, and what waits is
 * the names of folders on the way, not files. There is no recursion, so depth has no limit; paths
 * may be longer than PATH_MAX.
 *
 * What is a source: a regular file, not hidden (its name, or a folder's below the root, begins with
 * "."), whose extension is that of a picture format (bt_format_of_extension), or which has an
 * extension that tells nothing (none, or an unknown one) and whose first bytes are a picture's; a
 * TIFF by bytes alone is not taken, since camera raw files begin like it. A PATH that is a file is
 * a source whatever its name. A PATH may be a symbolic link; below it links are not followed.
 *
 * What is ignored (counted, with its kind): other files, hidden names, symbolic links, and special
 * files without a picture's extension.
 *
 * What is a problem (named, with a reason; the scan goes on): a PATH that does not exist or is
 * neither file nor folder, a PATH that lies in a skipped folder (a result could take the place of
 * its source), a skipped folder as the only PATH (among others it is passed over: `blurthumb *`), a
 * folder that cannot be read, a folder that is its own ancestor, a FIFO, socket or device with a
 * picture's extension. Nothing is ever waited on.
 */
#ifndef BT_SCAN_SCAN_H
#define BT_SCAN_SCAN_H

#include "base/error.h"
#include "base/fd.h"
#include "base/format.h"

#include <stdint.h>
#include <sys/stat.h>

typedef struct BtScan BtScan;

/* One source. Free with bt_source_free(). */
typedef struct BtSource {
    char *path;       /* as a person would write it: the PATH given, "/", name; for the PATH "." the
                         name alone. Any bytes. */
    const char *name; /* inside path: relative to its root folder; for a PATH that is a file, its
                         last part. Where its result goes in the tree. */
    int root;         /* index of the PATH it was found under */
    BtFormat format;  /* by extension; NONE when the extension tells nothing */
    struct stat stat; /* as the scan saw it */
} BtSource;

void bt_source_free(BtSource *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtSource, bt_source_free)

typedef enum BtScanKind {
    BT_SCAN_SOURCE,
    BT_SCAN_PROBLEM, /* *error says what; the scan goes on */
    BT_SCAN_MORE,    /* nothing yet: a bounded amount of work was done, call again */
    BT_SCAN_END
} BtScanKind;

typedef struct BtScanCounts {
    uint64_t n_sources;
    uint64_t n_problems;
    uint64_t n_ignored; /* of which: */
    uint64_t n_hidden;
    uint64_t n_links;
} BtScanCounts;

BtScan *bt_scan_new(void);
void bt_scan_free(BtScan *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtScan, bt_scan_free)

/* Adds a PATH, which is only remembered here; what is wrong with it is a problem of the scan. */
void bt_scan_add(BtScan *self, const char *path);

/* Never enters this folder, under whatever name it is met; a PATH that is this folder is passed
 * over in silence. May be called several times. */
void bt_scan_skip_folder(BtScan *self, dev_t device, ino_t inode);

/* One step of bounded work: a directory entry, or a folder entered or left. out_source is written
 * on SOURCE, *error on PROBLEM. */
BT_MUST_CHECK BtScanKind bt_scan_next(BtScan *self, BtSource **out_source, GError **error);

/* Opens a source read-only and checks that it is still a regular file, without ever blocking (not
 * even on a FIFO that took its place) and without following a link below its root. out_stat as of
 * now. -1 with *error on failure, whose message calls the source "it". */
BT_MUST_CHECK BtFd bt_scan_open(BtScan *self, const BtSource *source, struct stat *out_stat,
                                GError **error);

/* What is at the source's place now: whatever has taken it, too. False when nothing is. */
BT_MUST_CHECK bool bt_scan_stat(BtScan *self, const BtSource *source, struct stat *out_stat);

/* The path of a source that claims the same place in the result tree before this one: a regular
 * file called `name` below a root before source's own, or below any root when name is not source's
 * own name (a result that is called otherwise than its source gives way). No state is kept: it
 * looks at the folders. NULL when there is none, or when it is the very same file. Owned (g_free).
 */
char *bt_scan_rival(BtScan *self, const BtSource *source, const char *name);

BtScanCounts bt_scan_counts(const BtScan *self);

#endif
