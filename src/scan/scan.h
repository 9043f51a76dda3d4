/* SPDX-License-Identifier: MIT */
/*
 * Folders, files and lists of them in, a stream of source paths out. Supervisor.
 *
 *   g_autoptr(BtScan) scan = bt_scan_new();
 *   bt_scan_configure(scan, &options);                    unless all of them are 0
 *   bt_scan_add(scan, "photos");                          once per PATH, in order
 *   bt_scan_add_list(scan, fd, "standard input", '\n', NULL);
 *   bt_scan_skip_folder(scan, device, inode);             the output folder, at any time
 *   while ((kind = bt_scan_next(scan, &source, &error)) != BT_SCAN_END) ...
 *   fd = bt_scan_open(scan, source, &error);              when its turn comes
 *
 * PATHs and entries of lists come one after the other (this file); walk.c has one folder and all
 * below it, list.c the entries of a list and where they lie in the tree of names, rules.c --include
 * and --exclude, shard.c whether a name is in this part.
 *
 * Memory does not grow with the number of files: one folder is open at a time, and what waits is
 * the names of folders on the way. There is no recursion, so depth has no limit; paths may be
 * longer than PATH_MAX. Nothing ever waits, not even for a FIFO.
 *
 * Found as a source: a regular file, not hidden, that has the extension of a picture format, or
 * has no known extension and begins with the bytes of a picture; those of a TIFF do not count,
 * since camera raw files begin like it. Hidden is what begins with "." in its name, or a folder's
 * below the root, and "@eaDir", where a Synology NAS keeps thumbnails. A PATH may be a symbolic
 * link; below it links are not followed. The options change that, and narrow it down.
 *
 * Given by name, as a PATH or an entry of a list: what is a picture is the same there; but it may
 * be hidden, no --include need ask for it, and links on its way are followed. Only what excludes it
 * (it, or a folder in its name), its size, its time and the shard keep it out. A folder that is
 * given is taken with all below it, by the rules for what is found.
 *
 * The name of a source, which is its place in the tree of results, is its path below the PATH. For
 * an entry of a list it is the path as written, tidied ("./a//b.jpg" is "a/b.jpg"), below the base
 * of the list. A ".." at its beginning is left out, as if that folder were the PATH:
 * "../card/a.jpg" is "card/a.jpg". An absolute path is named from the base if it lies below it,
 * else from "/". A file that is given twice is a source twice.
 *
 * Left out: a folder that holds results (options.marker), with all below it, but for a file in it
 * that is given as a PATH; the first is a notice. The skipped folder, the output of this run, is
 * left out in silence.
 *
 * Ignored, and told one by one, each by the one shard that it is in: all other files, what the
 * options keep out, entries in a folder that holds results, and links, when they are followed those
 * that lead nowhere or into a skipped folder.
 *
 * A problem (named, with a reason; the scan goes on): a PATH or entry that does not exist, is
 * neither file nor folder, or lies in a skipped folder (a result could take the place of its
 * source); a skipped folder as the only PATH (among others it is passed over: `blurthumb *`); a
 * folder that cannot be read or contains itself; a FIFO, socket or device with a picture's
 * extension; and what bt_list_next() has.
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
    const BtRules *rules;       /* lent; NULL: none */
    BtShard shard;              /* asked before a file that was found is looked at */
    uint64_t min_bytes;         /* a smaller file is ignored */
    uint64_t max_bytes;         /* a larger one too; 0: none is */
    struct timespec newer_than; /* a file whose content is not younger is ignored; 0: none is */
    unsigned max_depth;      /* 1: files directly in a folder that was given, 2: and in the folders
                                there, ... as find -maxdepth; 0: any */
    bool hidden;             /* take hidden files too, and enter hidden folders; but never
                                ".blurthumb*", which are our own */
    bool follow;             /* follow links that are found, to files and folders */
    bool one_file_system;    /* pass over folders that are on another than the one given */
    const char *marker;      /* a folder holds results if a regular file in it is called so ... */
    const char *marker_text; /* ... and begins so. Both lent; NULL: no folder is left out */
} BtScanOptions;

typedef struct BtSource {
    char *path; /* as a person would write it: the PATH given, "/", name; for the PATH "." the
                   name alone. Any bytes. */
    const char
        *name;    /* inside path: relative to its root; of a PATH that is a file, its last part */
    size_t given; /* of name, whose first so many bytes may lead through links */
    int root;     /* what it is relative to: index of bt_scan_root() */
    BtFormat format;  /* by extension; NONE where that does not say */
    struct stat stat; /* as the scan saw it */
} BtSource;

void bt_source_free(BtSource *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtSource, bt_source_free)

typedef enum BtScanKind {
    BT_SCAN_SOURCE,
    BT_SCAN_PROBLEM, /* *error says what; the scan goes on */
    BT_SCAN_IGNORED, /* bt_scan_ignored() says what and why */
    BT_SCAN_NOTICE,  /* nothing is wrong, but *error says what people should know */
    BT_SCAN_MORE,    /* nothing yet: call again, once bt_scan_wait_fd() is ready */
    BT_SCAN_END
} BtScanKind;

/* What the last step has left out. Lent until the next one. */
typedef struct BtScanIgnored {
    const char *path;
    bool is_folder;
    const char *why; /* "a symbolic link" */
} BtScanIgnored;

/* Asks for the current folder, which must stay it. */
BtScan *bt_scan_new(void);
void bt_scan_free(BtScan *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtScan, bt_scan_free)

/* Before the first PATH. What the options lend outlives the scan. */
void bt_scan_configure(BtScan *self, const BtScanOptions *options);

/* What is wrong with a PATH is a problem of the scan. */
void bt_scan_add(BtScan *self, const char *path);

/* Adds a list of files and folders (scan/list.h). Takes fd, which may be a pipe. shown_name: what
 * it is called in sentences. separator: '\n' or '\0'. base: the folder that relative entries are
 * relative to; NULL: the current one. */
void bt_scan_add_list(BtScan *self, BtFd fd, const char *shown_name, char separator,
                      const char *base);

/* Never enters this folder from now on, under whatever name it is met. */
void bt_scan_skip_folder(BtScan *self, dev_t device, ino_t inode);

/* One step of bounded work: a directory entry, a folder entered or left, an entry of a list or a
 * piece of it read. out_source is written on SOURCE, *error on PROBLEM and NOTICE. */
BT_MUST_CHECK BtScanKind bt_scan_next(BtScan *self, BtSource **out_source, GError **error);

/* After BT_SCAN_IGNORED. */
BtScanIgnored bt_scan_ignored(const BtScan *self);

/* What to wait for (POLLIN) before the next step, where a list has nothing to tell yet; else -1. A
 * step that is made earlier does no harm. */
int bt_scan_wait_fd(const BtScan *self);

/* Opens a source read-only and checks that it is still a regular file, without following a link
 * below its root, but for what was given and with `follow`. out_stat as of now. -1 with *error,
 * whose message calls the source "it". */
BT_MUST_CHECK BtFd bt_scan_open(BtScan *self, const BtSource *source, struct stat *out_stat,
                                GError **error);

/* What is at the source's place now: whatever has taken it, too. False when nothing is. */
BT_MUST_CHECK bool bt_scan_stat(BtScan *self, const BtSource *source, struct stat *out_stat);

/* What sources are relative to, as far as the scan has come. */
typedef struct BtScanRoot {
    const char *path; /* as given; of a list, a folder that entries are below. Lent by the scan. */
    uint64_t id;      /* bt_scan_root_id() */
    uint64_t n_sources;
    uint64_t n_problems;  /* with any, there may be more sources than were found */
    bool is_whole_folder; /* a PATH that is a folder, and was entered; not a file, not a list */
} BtScanRoot;

/* For index 0 up: first the PATHs and lists as they were added. False beyond the last. */
bool bt_scan_root(const BtScan *self, int index, BtScanRoot *out_root);

/* A number that tells one root from another in records: bt_hash_text() of its absolute path as
 * written, without ".." and links resolved; for a PATH that is a file, of the folder it lies in. */
uint64_t bt_scan_root_id(const BtScan *self, int index);

#endif
