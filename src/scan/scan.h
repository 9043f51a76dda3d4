/* SPDX-License-Identifier: MIT */
/*
 * Folders, files and lists of them in, a stream of source paths out. Supervisor.
 *
 *   g_autoptr(BtScan) scan = bt_scan_new();
 *   bt_scan_configure(scan, &options);                    unless all of them are 0
 *   bt_scan_add(scan, "photos");                          once per PATH, in order
 *   bt_scan_add_list(scan, fd, "standard input", '\n', NULL);
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
 * TIFF by bytes alone is not taken, since camera raw files begin like it. A PATH may be a symbolic
 * link; below it links are not followed. The options change that, and narrow it down.
 *
 * What is given by name, a PATH or an entry of a list, is taken as it is: a file is a source
 * whatever its name is, hidden or not, and no --include need ask for it; links on its way are
 * followed. Only what excludes it (it, or a folder in its name), its size, its time and the shard
 * keep it out. A folder that is given is taken with all below it, by the rules for what is found.
 *
 * The place of a source in the tree of results is its name. Of an entry it is the whole path as
 * written, tidied ("./a//b.jpg" is "a/b.jpg"), below the base of the list; an absolute path loses
 * that of the base where it begins so, else the slash at its beginning (bt_list_place).
 *
 * A file that is given or found twice is a source twice: what was found is not remembered. Both go
 * to one result, and mostly the second finds it fresh. Two files with one name are another matter:
 * see bt_scan_rival().
 *
 * What is ignored (counted, with its kind): other files, hidden names, symbolic links, special
 * files without a picture's extension, and what the options keep out. With them as without, a link
 * that leads nowhere, or into a skipped folder, is ignored.
 *
 * What is a problem (named, with a reason; the scan goes on): a PATH or entry that does not exist
 * or is neither file nor folder, or that lies in a skipped folder (a result could take the place of
 * its source), a skipped folder as the only PATH (among others it is passed over: `blurthumb *`), a
 * folder that cannot be read, a folder that is its own ancestor, a FIFO, socket or device with a
 * picture's extension, an entry that leads out of the base, and what bt_list_next() has. Nothing is
 * ever waited on.
 */
#ifndef BT_SCAN_SCAN_H
#define BT_SCAN_SCAN_H

#include "base/error.h"
#include "base/fd.h"
#include "base/format.h"
#include "scan/rules.h"
#include "scan/shard.h"

#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

typedef struct BtScan BtScan;

/* Zeroed: everything, as above. */
typedef struct BtScanOptions {
    const BtRules *rules;       /* lent, and outlives the scan; NULL: none */
    BtShard shard;              /* asked before a file that was found is looked at */
    uint64_t min_bytes;         /* a smaller file is ignored */
    uint64_t max_bytes;         /* a larger one too; 0: none is */
    struct timespec newer_than; /* a file whose content is not younger is ignored; 0: none is */
    unsigned max_depth;   /* 1: files directly in a folder that was given, 2: and in the folders
                             there, ... as find -maxdepth; 0: any */
    bool hidden;          /* take hidden files too, and enter hidden folders; but never
                             ".blurthumb*", which are our own */
    bool follow;          /* follow links that are found, to files and folders */
    bool one_file_system; /* pass over folders that are on another than the one given */
} BtScanOptions;

/* One source. Free with bt_source_free(). */
typedef struct BtSource {
    char *path;       /* as a person would write it: the PATH given, "/", name; for the PATH "." the
                         name alone. Any bytes. */
    const char *name; /* inside path: relative to its root folder; for a PATH that is a file, its
                         last part. Where its result goes in the tree. */
    size_t given;     /* of name, whose first so many bytes may lead through links */
    int root;         /* index of the PATH it was found under; a list has two */
    BtFormat format;  /* by extension; NONE when the extension tells nothing */
    struct stat stat; /* as the scan saw it */
} BtSource;

void bt_source_free(BtSource *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtSource, bt_source_free)

typedef enum BtScanKind {
    BT_SCAN_SOURCE,
    BT_SCAN_PROBLEM, /* *error says what; the scan goes on */
    BT_SCAN_MORE,    /* nothing yet: a bounded amount of work was done, call again, if
                        bt_scan_wait_fd() does not say what to wait for */
    BT_SCAN_END
} BtScanKind;

typedef struct BtScanCounts {
    uint64_t n_sources;
    uint64_t n_problems;
    uint64_t n_ignored; /* of which: */
    uint64_t n_hidden;
    uint64_t n_links;
    uint64_t n_filtered;
    uint64_t n_elsewhere; /* not ignored: files of other shards, be they pictures or not */
} BtScanCounts;

BtScan *bt_scan_new(void);
void bt_scan_free(BtScan *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtScan, bt_scan_free)

/* Before the first PATH. */
void bt_scan_configure(BtScan *self, const BtScanOptions *options);

/* Adds a PATH, which is only remembered here; what is wrong with it is a problem of the scan. */
void bt_scan_add(BtScan *self, const char *path);

/* Adds a list of files and folders (scan/list.h), which is read as the scan goes on. Takes fd,
 * which may be a pipe. shown_name: what it is called in sentences. separator: '\n' or '\0'. base:
 * the folder that relative entries are below; NULL: the current one.
 *
 * Lists are best added behind all PATHs: a picture that lies below the base has its name whether an
 * entry says so or not. */
void bt_scan_add_list(BtScan *self, BtFd fd, const char *shown_name, char separator,
                      const char *base);

/* Never enters this folder, under whatever name it is met; a PATH that is this folder is passed
 * over in silence. May be called several times. */
void bt_scan_skip_folder(BtScan *self, dev_t device, ino_t inode);

/* One step of bounded work: a directory entry, a folder entered or left, an entry of a list or a
 * piece of it read. out_source is written on SOURCE, *error on PROBLEM. */
BT_MUST_CHECK BtScanKind bt_scan_next(BtScan *self, BtSource **out_source, GError **error);

/* What to wait for (POLLIN) before the next step, where the last one found that a list has nothing
 * to tell yet; else -1. A step that is made earlier does no harm. */
int bt_scan_wait_fd(const BtScan *self);

/* Opens a source read-only and checks that it is still a regular file, without ever blocking (not
 * even on a FIFO that took its place) and without following a link below its root, but for what was
 * given and with `follow`. out_stat as of now. -1 with *error on failure, whose message calls the
 * source "it". */
BT_MUST_CHECK BtFd bt_scan_open(BtScan *self, const BtSource *source, struct stat *out_stat,
                                GError **error);

/* What is at the source's place now: whatever has taken it, too. False when nothing is. */
BT_MUST_CHECK bool bt_scan_stat(BtScan *self, const BtSource *source, struct stat *out_stat);

/* The path of a source that claims the same place in the result tree before this one: a regular
 * file called `name` below a root before source's own, or below any root when name is not source's
 * own name (a result that is called otherwise than its source gives way). What the options keep out
 * is none, but for the shard: two sources of one name are in one shard, and another task sees to a
 * file of another name. No state is kept: it looks at the folders, and a list counts as if it had
 * all that lies below its base, so that no result depends on the order of entries. NULL when there
 * is none, or when it is the very same file. Owned (g_free).
 */
char *bt_scan_rival(BtScan *self, const BtSource *source, const char *name);

BtScanCounts bt_scan_counts(const BtScan *self);

#endif
