/* SPDX-License-Identifier: MIT */
#include "scan/scan.h"

#include "base/path.h"
#include "scan/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Roots whose folder stays open; those beyond are opened when they are needed, so that thousands of
 * PATHs do not use up the descriptors of the process. */
#define ROOTS_HELD 256

/* No open waits: not for the writer of a FIFO, nor for a lease to be given back. */
#define FILE_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

typedef struct Root {
    char *path;
    bool is_folder; /* as the scan found it */
    BtFd fd;        /* of a folder that is held, O_PATH; else -1 */
} Root;

struct BtScan {
    GArray *roots;      /* Root */
    GArray *folders;    /* int: the roots that were found to be folders, in order */
    GHashTable *claims; /* last part of a root that is a file => index of the first such root */
    int next_root;
    BtWalk *walk; /* of the root before it */
    BtScanCounts counts;
};

static void
clear_root(gpointer data)
{
    Root *root = data;

    g_free(root->path);
    bt_fd_clear(&root->fd);
}

static Root *
get_root(const BtScan *self, int index)
{
    return &g_array_index(self->roots, Root, index);
}

/* The folder of a root: lent where it is held, else opened into *own. -1 with errno. */
static int
open_root(const Root *root, BtFd *own)
{
    if (root->fd >= 0)
        return root->fd;
    return *own = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* What the paths of everything below a root begin with: its own with one slash, or nothing for the
 * current folder. */
static char *
shown_root(const Root *root)
{
    size_t length = strlen(root->path);

    while (length > 0 && root->path[length - 1] == '/')
        length--;
    if (length == 1 && root->path[0] == '.')
        return g_strdup("");
    return g_strdup_printf("%.*s/", (int)length, root->path);
}

/* Whether the first bytes of a file are a picture's. Looking leaves no trace in its access time
 * where that is allowed: to its owner. */
static bool
has_picture_bytes(int dirfd, const char *path)
{
    g_auto(BtFd) fd = bt_path_open(dirfd, path, FILE_FLAGS | O_NOATIME, 0);
    char bytes[BT_FORMAT_MAGIC_BYTES];
    BtFormat format;
    ssize_t n;

    if (fd < 0 && errno == EPERM)
        fd = bt_path_open(dirfd, path, FILE_FLAGS, 0);
    if (fd < 0 || (n = pread(fd, bytes, sizeof bytes, 0)) <= 0)
        return false;
    format = bt_format_of_bytes(bytes, (size_t)n);
    return format != BT_FORMAT_NONE && format != BT_FORMAT_TIFF;
}

/* Whether a regular file that is not hidden is a source. */
static bool
is_picture(int dirfd, const char *path)
{
    return bt_format_of_extension(path) != BT_FORMAT_NONE || has_picture_bytes(dirfd, path);
}

static BtScanKind
found_problem(BtScan *self)
{
    self->counts.n_problems++;
    return BT_SCAN_PROBLEM;
}

static BtScanKind
found_bad(BtScan *self, const char *path, const char *what, GError **error)
{
    bt_error_set(error, BT_ERROR_INVALID, "%s %s", path, what);
    return found_problem(self);
}

static BtScanKind
found_failure(BtScan *self, const char *path, GError **error)
{
    bt_error_set_system(error, errno, "%s", path);
    return found_problem(self);
}

static BtScanKind
found_source(BtScan *self, const char *path, const char *name, const struct stat *what,
             BtSource **out_source)
{
    BtSource *source = g_new0(BtSource, 1);

    source->path = g_strdup(path);
    source->name = source->path + (name - path);
    source->root = self->next_root - 1;
    source->format = bt_format_of_extension(name);
    source->stat = *what;
    self->counts.n_sources++;
    *out_source = source;
    return BT_SCAN_SOURCE;
}

static BtScanKind
ignore(BtScan *self)
{
    self->counts.n_ignored++;
    return BT_SCAN_MORE;
}

static BtScanKind
start_folder(BtScan *self, int index, GError **error)
{
    Root *root = get_root(self, index);
    g_autofree char *shown = shown_root(root);
    g_auto(BtFd) own = -1;
    int fd = open_root(root, &own);

    if (fd < 0)
        return found_failure(self, root->path, error);
    root->is_folder = true;
    if (self->folders->len < ROOTS_HELD)
        root->fd = bt_fd_steal(&own);
    g_array_append_val(self->folders, index);
    return bt_walk_start(self->walk, fd, shown, error) ? BT_SCAN_MORE : found_problem(self);
}

/* Whether what a PATH really names lies in a skipped folder, at any depth. */
static bool
lies_in_skipped(const BtScan *self, const char *path)
{
    g_autofree char *folder = realpath(path, NULL);
    char *slash;

    while (folder != NULL && (slash = strrchr(folder, '/')) != NULL) {
        struct stat what;

        *slash = '\0';
        if (stat(slash != folder ? folder : "/", &what) == 0 &&
            bt_walk_is_skipped(self->walk, &what))
            return true;
    }
    return false;
}

/* The PATH whose turn it is; links in it are followed. */
static BtScanKind
start_root(BtScan *self, BtSource **out_source, GError **error)
{
    int index = self->next_root++;
    const char *path = get_root(self, index)->path;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    struct stat what;

    if (stat(path, &what) < 0)
        return found_failure(self, path, error);
    if (!S_ISDIR(what.st_mode) && !S_ISREG(what.st_mode))
        return found_bad(self, path, "is neither a file nor a folder", error);
    if (bt_walk_is_skipped(self->walk, &what))
        return self->roots->len > 1 ? BT_SCAN_MORE
                                    : found_bad(self, path, "is the output folder itself", error);
    if (lies_in_skipped(self, path))
        return found_bad(self, path, "lies in the output folder", error);
    if (S_ISDIR(what.st_mode))
        return start_folder(self, index, error);
    if (!g_hash_table_contains(self->claims, name))
        g_hash_table_insert(self->claims, g_strdup(name), GINT_TO_POINTER(index));
    return found_source(self, path, name, &what, out_source);
}

/* A regular file. One that has gone meanwhile was never there. */
static BtScanKind
judge_file(BtScan *self, const BtWalkEntry *entry, BtSource **out_source, GError **error)
{
    struct stat what;

    if (!is_picture(entry->dirfd, entry->part))
        return ignore(self);
    if (bt_path_stat(entry->dirfd, entry->part, &what) == 0)
        return found_source(self, entry->path, entry->name, &what, out_source);
    return errno == ENOENT ? BT_SCAN_MORE : found_failure(self, entry->path, error);
}

static BtScanKind
judge_entry(BtScan *self, const BtWalkEntry *entry, BtSource **out_source, GError **error)
{
    if (*entry->part == '.') {
        self->counts.n_hidden++;
        return ignore(self);
    }
    if (entry->type == DT_REG)
        return judge_file(self, entry, out_source, error);
    if (entry->type == DT_LNK) {
        self->counts.n_links++;
        return ignore(self);
    }
    if (bt_format_of_extension(entry->part) != BT_FORMAT_NONE)
        return found_bad(self, entry->path, "is not a regular file", error);
    return ignore(self);
}

/* Whether the way to a file below a root leads through a skipped folder. */
static bool
leads_through_skipped(const BtScan *self, int dirfd, const char *name)
{
    g_autofree char *folder = g_strdup(name);
    char *slash;

    while ((slash = strrchr(folder, '/')) != NULL) {
        struct stat what;

        *slash = '\0';
        if (bt_path_stat(dirfd, folder, &what) == 0 && bt_walk_is_skipped(self->walk, &what))
            return true;
    }
    return false;
}

static bool
is_another_file(const struct stat *what, const BtSource *source)
{
    return S_ISREG(what->st_mode) &&
           (what->st_dev != source->stat.st_dev || what->st_ino != source->stat.st_ino);
}

/* Whether the scan of a root's folder meets another source of this name. The question that nearly
 * always ends the matter, whether there is such a file, comes first. */
static bool
has_rival(const BtScan *self, const Root *root, const BtSource *source, const char *name)
{
    g_auto(BtFd) own = -1;
    int fd = open_root(root, &own);
    struct stat what;

    return fd >= 0 && bt_path_stat(fd, name, &what) == 0 && is_another_file(&what, source) &&
           *name != '.' && strstr(name, "/.") == NULL && !leads_through_skipped(self, fd, name) &&
           is_picture(fd, name);
}

/* The first root that is a file of this name, when it lies before `end` and is another file. */
static const Root *
find_claim(const BtScan *self, int end, const BtSource *source, const char *name)
{
    const Root *root;
    struct stat what;
    gpointer index;

    if (!g_hash_table_lookup_extended(self->claims, name, NULL, &index) ||
        GPOINTER_TO_INT(index) >= end)
        return NULL;
    root = get_root(self, GPOINTER_TO_INT(index));
    return stat(root->path, &what) == 0 && is_another_file(&what, source) ? root : NULL;
}

void
bt_source_free(BtSource *self)
{
    if (self == NULL)
        return;
    g_free(self->path);
    g_free(self);
}

BtScan *
bt_scan_new(void)
{
    BtScan *self = g_new0(BtScan, 1);

    self->roots = g_array_new(FALSE, FALSE, sizeof(Root));
    self->folders = g_array_new(FALSE, FALSE, sizeof(int));
    self->claims = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->walk = bt_walk_new();
    g_array_set_clear_func(self->roots, clear_root);
    return self;
}

void
bt_scan_free(BtScan *self)
{
    if (self == NULL)
        return;
    bt_walk_free(self->walk);
    g_array_unref(self->roots);
    g_array_unref(self->folders);
    g_hash_table_unref(self->claims);
    g_free(self);
}

void
bt_scan_add(BtScan *self, const char *path)
{
    Root root = {.path = g_strdup(path), .fd = -1};

    g_array_append_val(self->roots, root);
}

void
bt_scan_skip_folder(BtScan *self, dev_t device, ino_t inode)
{
    bt_walk_skip(self->walk, device, inode);
}

BtScanKind
bt_scan_next(BtScan *self, BtSource **out_source, GError **error)
{
    BtWalkEntry entry;

    switch (bt_walk_next(self->walk, &entry, error)) {
    case BT_WALK_ENTRY:
        return judge_entry(self, &entry, out_source, error);
    case BT_WALK_PROBLEM:
        return found_problem(self);
    case BT_WALK_MORE:
        return BT_SCAN_MORE;
    case BT_WALK_END:
        break;
    }
    return (guint)self->next_root < self->roots->len ? start_root(self, out_source, error)
                                                     : BT_SCAN_END;
}

BtFd
bt_scan_open(BtScan *self, const BtSource *source, struct stat *out_stat, GError **error)
{
    const Root *root = get_root(self, source->root);
    g_auto(BtFd) own = -1;
    g_auto(BtFd) fd = -1;
    struct stat what;
    int root_fd;

    if (!root->is_folder)
        fd = open(root->path, FILE_FLAGS);
    else if ((root_fd = open_root(root, &own)) >= 0)
        fd = bt_path_open(root_fd, source->name, FILE_FLAGS, 0);
    if (fd < 0 || fstat(fd, &what) < 0) {
        bt_error_set_system(error, errno, "it cannot be opened");
        return -1;
    }
    if (!S_ISREG(what.st_mode)) {
        bt_error_set(error, BT_ERROR_INVALID, "it is not a regular file any more");
        return -1;
    }
    *out_stat = what;
    return bt_fd_steal(&fd);
}

bool
bt_scan_stat(BtScan *self, const BtSource *source, struct stat *out_stat)
{
    const Root *root = get_root(self, source->root);
    g_auto(BtFd) own = -1;
    int root_fd;

    if (!root->is_folder)
        return stat(root->path, out_stat) == 0;
    return (root_fd = open_root(root, &own)) >= 0 &&
           bt_path_stat(root_fd, source->name, out_stat) == 0;
}

char *
bt_scan_rival(BtScan *self, const BtSource *source, const char *name)
{
    int end = strcmp(name, source->name) == 0 ? source->root : INT_MAX;
    const Root *claim = find_claim(self, end, source, name);

    if (claim != NULL)
        return g_strdup(claim->path);
    for (guint i = 0; i < self->folders->len; i++) {
        int index = g_array_index(self->folders, int, i);
        const Root *root = get_root(self, index);

        if (index < end && has_rival(self, root, source, name)) {
            g_autofree char *shown = shown_root(root);

            return g_strconcat(shown, name, NULL);
        }
    }
    return NULL;
}

BtScanCounts
bt_scan_counts(const BtScan *self)
{
    return self->counts;
}
