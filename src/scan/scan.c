/* SPDX-License-Identifier: MIT */
#include "scan/scan.h"

#include "base/path.h"
#include "scan/choice.h"
#include "scan/list.h"
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

typedef struct Root {
    char *path;
    bool is_folder; /* as the scan found it */
    bool is_listed; /* a folder of which a list tells the sources */
    BtList *list;   /* that one, until its turn comes; of its base, behind which "/" follows */
    BtFd fd;        /* of a folder that is held, O_PATH; else -1 */
} Root;

/* Where the last entry of a list lies. Most lie where the one before does. */
typedef struct Place {
    int root;
    char *folder;    /* its name; NULL: none yet */
    BtFd fd;         /* O_PATH */
    bool is_skipped; /* it lies in a skipped folder, or is one */
} Place;

struct BtScan {
    BtScanOptions options;
    GArray *roots;      /* Root */
    GArray *folders;    /* int: the roots that were found to be folders, in order */
    GHashTable *claims; /* last part of a root that is a file => index of the first such root */
    int next_root;
    int root;           /* under which sources are found now */
    size_t root_length; /* of their paths: what precedes the name */
    size_t given;       /* of their names: see BtSource */
    BtWalk *walk;       /* of the root, or of a folder that its list names */
    BtList *list;       /* that is being read, or NULL */
    int list_root;      /* its base; "/" is the next */
    char **bases;       /* absolute paths of the base */
    Place place;
    BtScanCounts counts;
};

static void
clear_root(gpointer data)
{
    Root *root = data;

    g_free(root->path);
    bt_list_free(root->list);
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

/* Whether a file is of this shard; counted if it is not. */
static bool
is_ours(BtScan *self, const char *name)
{
    if (bt_shard_holds(&self->options.shard, name))
        return true;
    self->counts.n_elsewhere++;
    return false;
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
found_source(BtScan *self, const char *path, const struct stat *what, BtSource **out_source)
{
    BtSource *source = g_new0(BtSource, 1);

    source->path = g_strdup(path);
    source->name = source->path + self->root_length;
    source->given = self->options.follow ? strlen(source->name) : self->given;
    source->root = self->root;
    source->format = bt_format_of_extension(source->name);
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
filter_out(BtScan *self)
{
    self->counts.n_filtered++;
    return ignore(self);
}

/* Makes a root a folder in which sources are found. What is returned is lent, or opened into *own;
 * -1 with errno. */
static int
add_folder(BtScan *self, int index, BtFd *own)
{
    Root *root = get_root(self, index);
    int fd = open_root(root, own);

    if (fd < 0)
        return -1;
    root->is_folder = true;
    if (self->folders->len < ROOTS_HELD)
        root->fd = bt_fd_steal(own);
    g_array_append_val(self->folders, index);
    return fd;
}

static BtScanKind
start_walk(BtScan *self, int dirfd, const char *prefix, GError **error)
{
    return bt_walk_start(self->walk, dirfd, prefix, error) ? BT_SCAN_MORE : found_problem(self);
}

static BtScanKind
start_folder(BtScan *self, GError **error)
{
    const char *path = get_root(self, self->root)->path;
    g_autofree char *shown = shown_root(get_root(self, self->root));
    g_auto(BtFd) own = -1;
    int fd = add_folder(self, self->root, &own);

    self->root_length = strlen(shown);
    return fd >= 0 ? start_walk(self, fd, shown, error) : found_failure(self, path, error);
}

/* The absolute paths that a folder is known by: the real one, and the one that a shell shows for
 * the current folder, if that led here through links. */
static char **
absolute_paths(const char *folder)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    g_autofree char *shown = g_canonicalize_filename(folder, NULL);
    g_autofree char *real = realpath(folder, NULL);
    struct stat what, other;

    if (real != NULL)
        g_ptr_array_add(paths, g_strdup(real));
    if (stat(folder, &what) == 0 && stat(shown, &other) == 0 && what.st_dev == other.st_dev &&
        what.st_ino == other.st_ino)
        g_ptr_array_add(paths, g_strdup(shown));
    g_ptr_array_add(paths, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&paths), FALSE);
}

/* Begins with a list, whose two roots are its base and "/". */
static BtScanKind
start_list(BtScan *self, GError **error)
{
    g_autoptr(BtList) list = g_steal_pointer(&get_root(self, self->root)->list);

    self->list_root = self->root;
    self->next_root = self->root + 2;
    for (int index = self->root; index < self->next_root; index++) {
        g_auto(BtFd) own = -1;

        if (add_folder(self, index, &own) < 0)
            return found_failure(self, get_root(self, index)->path, error);
    }
    g_strfreev(self->bases);
    self->bases = absolute_paths(get_root(self, self->root)->path);
    self->list = g_steal_pointer(&list);
    return BT_SCAN_MORE;
}

/* Whether what a path really names lies in a skipped folder, at any depth. */
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

static BtScanKind
start_file(BtScan *self, const char *name, const struct stat *what, BtSource **out_source)
{
    const char *path = get_root(self, self->root)->path;

    if (!bt_choice_lets_in(&self->options, name, what))
        return filter_out(self);
    if (!g_hash_table_contains(self->claims, name))
        g_hash_table_insert(self->claims, g_strdup(name), GINT_TO_POINTER(self->root));
    self->root_length = (size_t)(name - path);
    return is_ours(self, name) ? found_source(self, path, what, out_source) : BT_SCAN_MORE;
}

/* The PATH whose turn it is; links in it are followed. */
static BtScanKind
start_path(BtScan *self, BtSource **out_source, GError **error)
{
    const char *path = get_root(self, self->root)->path;
    const char *slash = strrchr(path, '/');
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
        return start_folder(self, error);
    return start_file(self, slash != NULL ? slash + 1 : path, &what, out_source);
}

static BtScanKind
start_root(BtScan *self, BtSource **out_source, GError **error)
{
    self->root = self->next_root++;
    self->given = 0;
    return get_root(self, self->root)->list != NULL ? start_list(self, error)
                                                    : start_path(self, out_source, error);
}

/* A regular file. One that has gone meanwhile was never there. */
static BtScanKind
judge_file(BtScan *self, const BtWalkEntry *entry, BtSource **out_source, GError **error)
{
    struct stat what;

    if (!bt_choice_is_picture(&self->options, entry->dirfd, entry->part))
        return ignore(self);
    if (bt_path_stat_given(entry->dirfd, entry->part,
                           bt_choice_followed(&self->options, entry->part), &what) != 0)
        return errno == ENOENT ? BT_SCAN_MORE : found_failure(self, entry->path, error);
    return bt_choice_is_wanted(&self->options, &what)
               ? found_source(self, entry->path, &what, out_source)
               : filter_out(self);
}

static BtScanKind
judge_folder(BtScan *self, const BtWalkEntry *entry)
{
    unsigned most = self->options.max_depth;

    if (bt_rules_exclude(self->options.rules, entry->path + self->root_length, true))
        return filter_out(self);
    if (most == 0 || entry->depth < most)
        bt_walk_enter(self->walk, entry);
    return BT_SCAN_MORE;
}

/* The d_type of what a link leads to; its own where that is not to be followed. */
static unsigned char
type_behind(const BtScan *self, const BtWalkEntry *entry)
{
    struct stat what;

    return self->options.follow && fstatat(entry->dirfd, entry->part, &what, 0) == 0 &&
                   !lies_in_skipped(self, entry->path)
               ? IFTODT(what.st_mode)
               : DT_LNK;
}

static BtScanKind
judge_entry(BtScan *self, const BtWalkEntry *entry, BtSource **out_source, GError **error)
{
    const char *name = entry->path + self->root_length;
    unsigned char type = entry->type;

    if (bt_choice_is_hidden(&self->options, entry->part)) {
        self->counts.n_hidden++;
        return ignore(self);
    }
    if (type == DT_LNK)
        type = type_behind(self, entry);
    if (type == DT_DIR)
        return judge_folder(self, entry);
    if (!is_ours(self, name))
        return BT_SCAN_MORE;
    if (!bt_rules_take(self->options.rules, name))
        return filter_out(self);
    if (type == DT_REG)
        return judge_file(self, entry, out_source, error);
    if (type == DT_LNK) {
        self->counts.n_links++;
        return ignore(self);
    }
    if (bt_format_of_extension(entry->part) != BT_FORMAT_NONE)
        return found_bad(self, entry->path, "is not a regular file", error);
    return ignore(self);
}

static void
clear_place(Place *place)
{
    g_clear_pointer(&place->folder, g_free);
    bt_fd_clear(&place->fd);
}

/* Goes to the folder, below the root, that a path lies in. False with errno. */
static bool
go_to_place(BtScan *self, const char *path)
{
    const char *name = path + self->root_length;
    const char *slash = strrchr(name, '/');
    g_autofree char *folder = g_strndup(name, slash != NULL ? (gsize)(slash - name) : 0);
    g_autofree char *shown = NULL;
    g_auto(BtFd) own = -1;
    Place *place = &self->place;
    struct stat what;
    int root_fd;

    if (place->folder != NULL && place->root == self->root && strcmp(place->folder, folder) == 0)
        return true;
    clear_place(place);
    root_fd = open_root(get_root(self, self->root), &own);
    if (root_fd >= 0)
        place->fd = bt_path_open_given(root_fd, folder, strlen(folder), O_PATH | O_DIRECTORY);
    if (place->fd < 0 || fstat(place->fd, &what) < 0)
        return false;
    shown = slash != NULL ? g_strndup(path, (gsize)(slash - path))
                          : g_strdup(get_root(self, self->root)->path);
    place->is_skipped = bt_walk_is_skipped(self->walk, &what) || lies_in_skipped(self, shown);
    place->folder = g_steal_pointer(&folder);
    place->root = self->root;
    return true;
}

/* What a list names by this path, and whether it lies in a skipped folder. False with errno. */
static bool
stat_listed(BtScan *self, const char *path, const char *part, struct stat *out_what,
            bool *out_is_skipped)
{
    if (!go_to_place(self, path) ||
        fstatat(self->place.fd, part, out_what, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    *out_is_skipped =
        S_ISLNK(out_what->st_mode) ? lies_in_skipped(self, path) : self->place.is_skipped;
    return !S_ISLNK(out_what->st_mode) || fstatat(self->place.fd, part, out_what, 0) == 0;
}

static BtScanKind
start_listed(BtScan *self, const char *path, const char *part, GError **error)
{
    const char *name = path + self->root_length;
    g_autofree char *prefix = *name != '\0' ? g_strconcat(path, "/", NULL) : g_strdup(path);
    g_auto(BtFd) fd = -1;

    if (*name != '\0' && (bt_rules_exclude(self->options.rules, name, true) ||
                          bt_rules_bar(self->options.rules, name)))
        return filter_out(self);
    fd = openat(self->place.fd, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 ? start_walk(self, fd, prefix, error) : found_failure(self, path, error);
}

static BtScanKind
judge_listed(BtScan *self, const char *path, BtSource **out_source, GError **error)
{
    const char *name = path + self->root_length;
    const char *slash = strrchr(name, '/');
    const char *part = *name == '\0' ? "." : slash != NULL ? slash + 1 : name;
    const char *shown = *path == '\0' ? "." : path;
    struct stat what;
    bool is_skipped;

    if (!stat_listed(self, path, part, &what, &is_skipped))
        return is_ours(self, name) ? found_failure(self, shown, error) : BT_SCAN_MORE;
    if (!S_ISDIR(what.st_mode) && !S_ISREG(what.st_mode))
        return found_bad(self, shown, "is neither a file nor a folder", error);
    if (is_skipped)
        return found_bad(self, shown, "lies in the output folder", error);
    if (S_ISDIR(what.st_mode))
        return start_listed(self, path, part, error);
    if (!bt_choice_lets_in(&self->options, name, &what))
        return filter_out(self);
    return is_ours(self, name) ? found_source(self, path, &what, out_source) : BT_SCAN_MORE;
}

static BtScanKind
take_listed(BtScan *self, const char *entry, BtSource **out_source, GError **error)
{
    bool is_below_base = false;
    g_autofree char *name =
        bt_list_place(entry, (const char *const *)self->bases, &is_below_base, error);
    g_autofree char *shown = NULL;
    g_autofree char *path = NULL;

    if (name == NULL)
        return found_problem(self);
    self->root = self->list_root + (is_below_base ? 0 : 1);
    shown = shown_root(get_root(self, self->root));
    path = g_strconcat(shown, name, NULL);
    self->root_length = strlen(shown);
    self->given = strlen(name);
    return judge_listed(self, path, out_source, error);
}

static BtScanKind
next_listed(BtScan *self, BtSource **out_source, GError **error)
{
    const char *entry;

    switch (bt_list_next(self->list, &entry, error)) {
    case BT_LIST_ENTRY:
        return take_listed(self, entry, out_source, error);
    case BT_LIST_PROBLEM:
        return found_problem(self);
    case BT_LIST_MORE:
        break;
    case BT_LIST_END:
        g_clear_pointer(&self->list, bt_list_free);
        clear_place(&self->place);
    }
    return BT_SCAN_MORE;
}

static bool
is_another_file(const struct stat *what, const BtSource *source)
{
    return S_ISREG(what->st_mode) &&
           (what->st_dev != source->stat.st_dev || what->st_ino != source->stat.st_ino);
}

/* Whether the scan enters each folder on the way to a file below a root. */
static bool
is_way_open(const BtScan *self, int dirfd, const char *name, size_t given)
{
    g_autofree char *folder = g_strdup(name);
    struct stat what, root;
    char *slash;

    if (fstat(dirfd, &root) < 0)
        return false;
    while ((slash = strrchr(folder, '/')) != NULL) {
        *slash = '\0';
        if (bt_path_stat_given(dirfd, folder, MIN(given, strlen(folder)), &what) != 0 ||
            bt_walk_is_skipped(self->walk, &what) ||
            (self->options.one_file_system && what.st_dev != root.st_dev))
            return false;
    }
    return true;
}

/* Whether the scan of a root's folder meets another source of this name. The question that nearly
 * always ends the matter, whether there is such a file, comes first. What a list has is not known:
 * it may have all. */
static bool
has_rival(const BtScan *self, const Root *root, const BtSource *source, const char *name)
{
    size_t given = root->is_listed ? strlen(name) : bt_choice_followed(&self->options, name);
    g_auto(BtFd) own = -1;
    int fd = open_root(root, &own);
    struct stat what;

    if (fd < 0 || bt_path_stat_given(fd, name, given, &what) != 0 ||
        !is_another_file(&what, source) || !is_way_open(self, fd, name, given))
        return false;
    return root->is_listed ? bt_choice_lets_in(&self->options, name, &what)
                           : bt_choice_is_met(&self->options, name) &&
                                 bt_choice_is_wanted(&self->options, &what) &&
                                 bt_choice_is_picture(&self->options, fd, name);
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
    self->place.fd = -1;
    g_array_set_clear_func(self->roots, clear_root);
    return self;
}

void
bt_scan_free(BtScan *self)
{
    if (self == NULL)
        return;
    bt_walk_free(self->walk);
    bt_list_free(self->list);
    g_strfreev(self->bases);
    clear_place(&self->place);
    g_array_unref(self->roots);
    g_array_unref(self->folders);
    g_hash_table_unref(self->claims);
    g_free(self);
}

void
bt_scan_configure(BtScan *self, const BtScanOptions *options)
{
    self->options = *options;
    bt_walk_configure(self->walk, options->follow, options->one_file_system);
}

void
bt_scan_add(BtScan *self, const char *path)
{
    Root root = {.path = g_strdup(path), .fd = -1};

    g_array_append_val(self->roots, root);
}

void
bt_scan_add_list(BtScan *self, BtFd fd, const char *shown_name, char separator, const char *base)
{
    Root root = {
        .path = g_strdup(base != NULL ? base : "."),
        .is_listed = true,
        .list = bt_list_new(fd, shown_name, separator),
        .fd = -1,
    };
    Root slash = {.path = g_strdup("/"), .is_listed = true, .fd = -1};

    g_array_append_val(self->roots, root);
    g_array_append_val(self->roots, slash);
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
    if (self->list != NULL)
        return next_listed(self, out_source, error);
    return (guint)self->next_root < self->roots->len ? start_root(self, out_source, error)
                                                     : BT_SCAN_END;
}

int
bt_scan_wait_fd(const BtScan *self)
{
    return self->list != NULL ? bt_list_wait_fd(self->list) : -1;
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
        fd = open(root->path, BT_CHOICE_FILE_FLAGS);
    else if ((root_fd = open_root(root, &own)) >= 0)
        fd = bt_path_open_given(root_fd, source->name, source->given, BT_CHOICE_FILE_FLAGS);
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
           bt_path_stat_given(root_fd, source->name, source->given, out_stat) == 0;
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
