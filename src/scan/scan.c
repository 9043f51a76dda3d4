/* SPDX-License-Identifier: MIT */
#include "scan/scan.h"

#include "base/hash.h"
#include "base/path.h"
#include "base/stall.h"
#include "scan/list.h"
#include "scan/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Roots whose folder stays open, so that thousands of PATHs do not use up the descriptors of the
 * process. */
#define ROOTS_HELD 64

/* What this program's own files are called, to begin with. */
#define OWN_PREFIX ".blurthumb"

/* Where a Synology NAS keeps its own thumbnails of the pictures in a folder. */
#define THUMBNAILS "@eaDir"

#define NO_PICTURE "not a picture"
#define RULED_OUT  "excluded by --include or --exclude"
#define UNWANTED   "outside the limits of size or time"

typedef enum RootKind {
    ROOT_PATH, /* whose turn has not come, or of which nothing is taken */
    ROOT_FILE,
    ROOT_FOLDER,
    ROOT_LISTED /* a folder that entries of a list are below */
} RootKind;

/* What the names of sources are relative to. PATHs and bases of lists come first, in order; the
 * other folders of a list are added when an entry needs them. */
typedef struct Root {
    char *path;
    RootKind kind;
    BtList *list; /* of its base, until its turn comes */
    uint64_t n_sources;
    uint64_t n_problems;
    BtFd fd; /* of a folder that is held, O_PATH; else -1 */
} Root;

struct BtScan {
    BtScanOptions options;
    char *current; /* folder; absolute */
    GArray *roots; /* Root */
    int next_root;
    int held[ROOTS_HELD]; /* roots, in a ring */
    unsigned n_held;      /* so far */
    int root;             /* under which sources are found now */
    size_t root_length;   /* of their paths: what precedes the name */
    size_t given;         /* of their names: see BtSource */
    BtWalk *walk;         /* of the root, or of a folder that its list names */
    BtList *list;         /* that is being read, or NULL */
    int base;             /* of it: the first of its roots */
    char **bases;         /* absolute paths of that, NULL at the end */
    char *listed;         /* the folder that the last entry lies in; NULL: none yet */
    char *results; /* the nearest folder from there up to the root that holds some, or NULL */
    char *place;   /* the folder that the last PATH or link lies in; NULL: none yet */
    bool place_is_skipped;
    bool has_skipped;
    BtScanKind owed;       /* by the next step, since the last one had a notice; else MORE */
    BtScanIgnored ignored; /* by the last step that did */
    char *left_out;        /* its path; NULL: there was none yet */
    bool told_results;     /* of a folder of results that is left out */
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

/* The folder of a root, lent until another is held in its stead. -1 with errno. */
static int
hold_root(BtScan *self, int index)
{
    int *held = &self->held[self->n_held % ROOTS_HELD];
    Root *root = get_root(self, index);

    if (root->fd >= 0)
        return root->fd;
    if (self->n_held >= ROOTS_HELD)
        bt_fd_clear(&get_root(self, *held)->fd);
    root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    *held = index;
    self->n_held++;
    return root->fd;
}

static char *
trim(const char *path)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    return g_strndup(path, length);
}

/* What the paths of everything below a folder begin with: its own with one slash, or nothing for
 * the current one. */
static char *
prefix_of(const char *folder)
{
    g_autofree char *path = trim(folder);

    return strcmp(path, ".") == 0
               ? g_strdup("")
               : g_strconcat(path, path[0] == '/' && path[1] == '\0' ? "" : "/", NULL);
}

static bool
is_hidden(const BtScanOptions *options, const char *part)
{
    return ((*part == '.' || strcmp(part, THUMBNAILS) == 0) && !options->hidden) ||
           g_str_has_prefix(part, OWN_PREFIX);
}

/* Whether a regular file is a picture, by its extension or its first bytes. Looking leaves no trace
 * in the access time where that is allowed: to the owner. */
static bool
is_picture(int dirfd, const char *path, size_t given)
{
    g_auto(BtFd) fd = -1;
    char bytes[BT_FORMAT_MAGIC_BYTES];
    BtFormat format;
    ssize_t n;

    if (bt_format_of_extension(path) != BT_FORMAT_NONE)
        return true;
    fd = bt_path_open_given(dirfd, path, given, BT_WALK_FILE_FLAGS | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = bt_path_open_given(dirfd, path, given, BT_WALK_FILE_FLAGS);
    if (fd < 0 || (n = pread(fd, bytes, sizeof bytes, 0)) <= 0)
        return false;
    format = bt_format_of_bytes(bytes, (size_t)n);
    return format != BT_FORMAT_NONE && format != BT_FORMAT_TIFF;
}

static bool
is_wanted(const BtScanOptions *options, const struct stat *what)
{
    const struct timespec *limit = &options->newer_than, *time = &what->st_mtim;
    uint64_t bytes = (uint64_t)what->st_size;

    return bytes >= options->min_bytes &&
           (options->max_bytes == 0 || bytes <= options->max_bytes) &&
           ((limit->tv_sec == 0 && limit->tv_nsec == 0) || time->tv_sec > limit->tv_sec ||
            (time->tv_sec == limit->tv_sec && time->tv_nsec > limit->tv_nsec));
}

static bool
is_ours(const BtScan *self, const char *name)
{
    return bt_shard_holds(&self->options.shard, name);
}

static BtScanKind
found_problem(BtScan *self)
{
    get_root(self, self->root)->n_problems++;
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
    get_root(self, self->root)->n_sources++;
    *out_source = source;
    return BT_SCAN_SOURCE;
}

static BtScanKind
ignore(BtScan *self, const char *path, bool is_folder, const char *why)
{
    if (!is_ours(self, path + self->root_length))
        return BT_SCAN_MORE;
    g_free(self->left_out);
    self->left_out = g_strdup(path);
    self->ignored = (BtScanIgnored){self->left_out, is_folder, why};
    return BT_SCAN_IGNORED;
}

/* The first folder that is left out is told of. */
static BtScanKind
found_results(BtScan *self, const char *folder, GError **error)
{
    g_autofree char *shown = trim(*folder != '\0' ? folder : ".");

    if (self->told_results)
        return BT_SCAN_MORE;
    self->told_results = true;
    bt_error_set(error, BT_ERROR_INVALID, "%s holds results of blurthumb and is left out", shown);
    return BT_SCAN_NOTICE;
}

/* Whether what a path leads to lies in a skipped folder, which is asked once for the paths of one
 * folder. is_way: its last part is a link, or "." or "..". */
static bool
leads_to_skipped(BtScan *self, const char *path, bool is_way)
{
    g_autofree char *real = NULL, *folder = NULL;

    if (!self->has_skipped || (is_way && (real = realpath(path, NULL)) == NULL))
        return false;
    folder = g_path_get_dirname(is_way ? real : path);
    if (g_strcmp0(self->place, folder) != 0) {
        self->place_is_skipped = bt_walk_is_in_skipped(self->walk, folder);
        g_free(self->place);
        self->place = g_steal_pointer(&folder);
    }
    return self->place_is_skipped;
}

/* A regular file. One that has gone meanwhile was never there. */
static BtScanKind
judge_file(BtScan *self, const BtWalkEntry *entry, BtSource **out_source, GError **error)
{
    size_t given = self->options.follow ? strlen(entry->part) : 0;
    struct stat what;

    if (!is_picture(entry->dirfd, entry->part, given))
        return ignore(self, entry->path, false, NO_PICTURE);
    if (bt_path_stat_given(entry->dirfd, entry->part, given, &what) != 0)
        return errno == ENOENT ? BT_SCAN_MORE : found_failure(self, entry->path, error);
    return is_wanted(&self->options, &what) ? found_source(self, entry->path, &what, out_source)
                                            : ignore(self, entry->path, false, UNWANTED);
}

/* The d_type of what a link leads to; its own where that is not to be followed. */
static unsigned char
type_behind(BtScan *self, const BtWalkEntry *entry)
{
    struct stat what;

    return self->options.follow && fstatat(entry->dirfd, entry->part, &what, 0) == 0 &&
                   !leads_to_skipped(self, entry->path, true)
               ? IFTODT(what.st_mode)
               : DT_LNK;
}

static BtScanKind
judge_entry(BtScan *self, const BtWalkEntry *entry, BtSource **out_source, GError **error)
{
    const char *name = entry->path + self->root_length;
    unsigned char type = entry->type;

    if (is_hidden(&self->options, entry->part))
        return ignore(self, entry->path, type == DT_DIR, "hidden");
    if (type == DT_LNK)
        type = type_behind(self, entry);
    if (type == DT_DIR) {
        if (bt_rules_exclude(self->options.rules, name, true))
            return ignore(self, entry->path, true, RULED_OUT);
        if (self->options.max_depth == 0 || entry->depth < self->options.max_depth)
            bt_walk_enter(self->walk, entry);
        return BT_SCAN_MORE;
    }
    if (!is_ours(self, name))
        return BT_SCAN_MORE;
    if (!bt_rules_take(self->options.rules, name))
        return ignore(self, entry->path, false, RULED_OUT);
    if (type == DT_REG)
        return judge_file(self, entry, out_source, error);
    if (type == DT_LNK)
        return ignore(self, entry->path, false, "a symbolic link");
    return bt_format_of_extension(entry->part) == BT_FORMAT_NONE
               ? ignore(self, entry->path, false, "not a regular file")
               : found_bad(self, entry->path, "is not a regular file", error);
}

static BtScanKind
judge_step(BtScan *self, BtWalkKind kind, const BtWalkEntry *entry, BtSource **out_source,
           GError **error)
{
    if (kind == BT_WALK_ENTRY)
        return judge_entry(self, entry, out_source, error);
    if (kind == BT_WALK_RESULTS)
        return found_results(self, entry->path, error);
    return kind == BT_WALK_PROBLEM ? found_problem(self) : BT_SCAN_MORE;
}

/* Whether a rule excludes what is given, or a folder in its name. */
static bool
is_kept_out(const BtScan *self, const char *name, bool is_folder)
{
    return bt_rules_exclude(self->options.rules, name, is_folder) ||
           bt_rules_bar(self->options.rules, name);
}

static BtScanKind
take_file(BtScan *self, const char *path, const struct stat *what, BtSource **out_source,
          GError **error)
{
    const char *name = path + self->root_length;
    Root *root = get_root(self, self->root);

    if (root->kind == ROOT_PATH) {
        if (g_str_has_suffix(root->path, "/"))
            return found_bad(self, root->path, "is not a folder", error);
        root->kind = ROOT_FILE;
    }
    if (is_kept_out(self, name, false))
        return ignore(self, path, false, RULED_OUT);
    if (!is_wanted(&self->options, what))
        return ignore(self, path, false, UNWANTED);
    if (!is_ours(self, name))
        return BT_SCAN_MORE;
    return is_picture(AT_FDCWD, path, strlen(path)) ? found_source(self, path, what, out_source)
                                                    : ignore(self, path, false, NO_PICTURE);
}

/* Enters a folder that was given; what is found in it is shown with its path before. */
static BtScanKind
start_walk(BtScan *self, const char *path, GError **error)
{
    Root *root = get_root(self, self->root);
    bool is_path = root->kind == ROOT_PATH;
    g_autofree char *prefix = prefix_of(path);
    BtFd fd = bt_path_open_given(AT_FDCWD, path, strlen(path), BT_WALK_FOLDER_FLAGS);
    BtWalkEntry entry;
    BtWalkKind kind;

    if (fd < 0)
        return found_failure(self, path, error);
    if (is_path) {
        self->root_length = strlen(prefix);
        self->given = 0;
    }
    kind = bt_walk_start(self->walk, fd, prefix, &entry, error);
    if (is_path && kind == BT_WALK_MORE)
        root->kind = ROOT_FOLDER;
    return judge_step(self, kind, &entry, NULL, error);
}

/* What a path that was given leads to, and whether it is a link there. False with errno. */
static bool
look_at(const char *path, struct stat *out_what, bool *out_is_link)
{
    bool is_found = lstat(path, out_what) == 0;

    *out_is_link = is_found && S_ISLNK(out_what->st_mode);
    if (is_found ? !*out_is_link : errno != ENAMETOOLONG)
        return is_found;
    return bt_path_stat_given(AT_FDCWD, path, strlen(path), out_what) == 0;
}

/* Leaves out the last part of a name, and the slash before it. */
static void
cut_part(char *name)
{
    char *slash = strrchr(name, '/');

    *(slash != NULL ? slash : name) = '\0';
}

/* The nearest folder that holds results, from that of an entry up to the root, which is asked once
 * for the entries of one folder: *out_is_new. Lent; NULL: there is no such folder. */
static const char *
find_results(BtScan *self, const char *path, bool *out_is_new)
{
    g_autofree char *at = g_strdup(path);
    char *name = at + self->root_length;

    cut_part(name);
    *out_is_new = g_strcmp0(self->listed, at) != 0;
    if (!*out_is_new)
        return self->results;
    g_free(self->listed);
    self->listed = g_strdup(at);
    g_clear_pointer(&self->results, g_free);
    while (!bt_walk_holds_results(&self->options, AT_FDCWD, at)) {
        if (*name == '\0')
            return NULL;
        cut_part(name);
    }
    return self->results = g_steal_pointer(&at);
}

/* A PATH or an entry of a list; links on its way are followed. */
static BtScanKind
judge_given(BtScan *self, const char *path, BtSource **out_source, GError **error)
{
    const char *name = path + self->root_length;
    bool is_listed = self->list != NULL, is_link, is_new;
    const char *shown = is_listed && *path == '\0' ? "." : path;
    struct stat what;
    BtScanKind kind;

    bt_stall_at(shown);
    if (!look_at(shown, &what, &is_link))
        return is_listed && !is_ours(self, name) ? BT_SCAN_MORE : found_failure(self, shown, error);
    if (!S_ISDIR(what.st_mode) && !S_ISREG(what.st_mode))
        return found_bad(self, shown, "is neither a file nor a folder", error);
    if (bt_walk_is_skipped(self->walk, &what))
        return is_listed || self->roots->len > 1
                   ? BT_SCAN_MORE
                   : found_bad(self, shown, "is the output folder", error);
    if (leads_to_skipped(self, shown, is_link || name[strspn(name, ".")] == '\0'))
        return found_bad(self, shown, "is in the output folder", error);
    if (is_listed && find_results(self, path, &is_new) != NULL) {
        kind = ignore(self, shown, S_ISDIR(what.st_mode), "in a folder of results");
        if (!is_new || found_results(self, self->results, error) != BT_SCAN_NOTICE)
            return kind;
        self->owed = kind;
        return BT_SCAN_NOTICE;
    }
    if (S_ISREG(what.st_mode))
        return take_file(self, path, &what, out_source, error);
    if (is_listed && *name != '\0' && is_kept_out(self, name, true))
        return ignore(self, path, true, RULED_OUT);
    return start_walk(self, shown, error);
}

static BtScanKind
start_path(BtScan *self, BtSource **out_source, GError **error)
{
    g_autofree char *path = trim(get_root(self, self->root)->path);
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;

    self->root_length = (size_t)(name - path);
    self->given = strlen(name);
    return judge_given(self, path, out_source, error);
}

static BtScanKind
start_root(BtScan *self, BtSource **out_source, GError **error)
{
    Root *root = get_root(self, self->next_root);
    g_autoptr(BtList) list = g_steal_pointer(&root->list);

    self->root = self->next_root++;
    if (root->kind == ROOT_PATH)
        return start_path(self, out_source, error);
    if (list == NULL) /* it came up in a list that was read */
        return BT_SCAN_MORE;
    g_strfreev(self->bases);
    if ((self->bases = bt_list_bases(root->path, self->current)) == NULL)
        return found_failure(self, root->path, error);
    self->base = self->root;
    self->list = g_steal_pointer(&list);
    return BT_SCAN_MORE;
}

/* The root of the list that is called `way` from its base; it may be new. */
static int
find_listed_root(BtScan *self, const char *way)
{
    const char *base = get_root(self, self->base)->path;
    g_autofree char *prefix = prefix_of(base);
    Root root = {
        .path = *way == '\0'  ? g_strdup(base)
                : *way == '/' ? g_strdup(way)
                              : g_strconcat(prefix, way, NULL),
        .kind = ROOT_LISTED,
        .fd = -1,
    };

    for (guint i = (guint)self->base; i < self->roots->len; i++) {
        const Root *other = get_root(self, (int)i);

        if (other->kind == ROOT_LISTED && strcmp(other->path, root.path) == 0) {
            g_free(root.path);
            return (int)i;
        }
    }
    g_array_append_val(self->roots, root);
    return (int)self->roots->len - 1;
}

static BtScanKind
take_listed(BtScan *self, const char *entry, BtSource **out_source, GError **error)
{
    g_autofree char *way = NULL, *prefix = NULL, *path = NULL;
    g_autofree char *name = bt_list_place(entry, (const char *const *)self->bases, &way);

    self->root = find_listed_root(self, way);
    prefix = prefix_of(get_root(self, self->root)->path);
    path = g_strconcat(prefix, name, NULL);
    self->root_length = strlen(prefix);
    self->given = strlen(name);
    return judge_given(self, path, out_source, error);
}

static BtScanKind
next_listed(BtScan *self, BtSource **out_source, GError **error)
{
    const char *entry;
    BtListKind kind = bt_list_next(self->list, &entry, error);

    if (kind == BT_LIST_ENTRY)
        return take_listed(self, entry, out_source, error);
    if (kind == BT_LIST_PROBLEM)
        return found_problem(self);
    if (kind == BT_LIST_END) {
        g_clear_pointer(&self->list, bt_list_free);
        g_clear_pointer(&self->listed, g_free);
    }
    return BT_SCAN_MORE;
}

/* From where a source is reached, and by which path of which so much is given. Where no more than
 * its last part may not be a link, one call from the current folder does. -1 with errno. */
static int
find_way(BtScan *self, const BtSource *source, const char **out_path, size_t *out_given)
{
    size_t above = (size_t)(source->name - source->path);

    *out_path = source->path;
    *out_given = source->given > 0 ? above + source->given : above > 0 ? above - 1 : 0;
    if (source->given > 0 || (strchr(source->name, '/') == NULL && above != strlen("/")))
        return AT_FDCWD;
    *out_path = source->name;
    *out_given = 0;
    return hold_root(self, source->root);
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
    self->walk = bt_walk_new(&self->options);
    self->current = g_get_current_dir();
    self->owed = BT_SCAN_MORE;
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
    g_array_unref(self->roots);
    g_free(self->place);
    g_free(self->listed);
    g_free(self->results);
    g_free(self->current);
    g_free(self->left_out);
    g_free(self);
}

void
bt_scan_configure(BtScan *self, const BtScanOptions *options)
{
    self->options = *options;
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
        .kind = ROOT_LISTED,
        .list = bt_list_new(fd, shown_name, separator),
        .fd = -1,
    };

    g_array_append_val(self->roots, root);
}

void
bt_scan_skip_folder(BtScan *self, dev_t device, ino_t inode)
{
    bt_walk_skip(self->walk, device, inode);
    g_clear_pointer(&self->place, g_free);
    self->has_skipped = true;
}

BtScanKind
bt_scan_next(BtScan *self, BtSource **out_source, GError **error)
{
    BtScanKind owed = self->owed;
    BtWalkEntry entry;
    BtWalkKind kind;

    self->owed = BT_SCAN_MORE;
    if (owed != BT_SCAN_MORE)
        return owed;
    kind = bt_walk_next(self->walk, &entry, error);
    if (kind != BT_WALK_END)
        return judge_step(self, kind, &entry, out_source, error);
    if (self->list != NULL)
        return next_listed(self, out_source, error);
    return (guint)self->next_root < self->roots->len ? start_root(self, out_source, error)
                                                     : BT_SCAN_END;
}

BtScanIgnored
bt_scan_ignored(const BtScan *self)
{
    return self->ignored;
}

int
bt_scan_wait_fd(const BtScan *self)
{
    return self->list != NULL ? bt_list_wait_fd(self->list) : -1;
}

BtFd
bt_scan_open(BtScan *self, const BtSource *source, struct stat *out_stat, GError **error)
{
    const char *path;
    size_t given;
    int dirfd = find_way(self, source, &path, &given);
    g_auto(BtFd) fd = -1;
    struct stat what;

    if (dirfd != -1)
        fd = bt_path_open_given(dirfd, path, given, BT_WALK_FILE_FLAGS);
    if (fd < 0 || fstat(fd, &what) < 0) {
        int errnum = errno;

        bt_error_set_system(error, errnum, "it cannot be opened");
        bt_error_add_way_out(error, errnum, "copy the pictures to a local disk first");
        return -1;
    }
    if (!S_ISREG(what.st_mode)) {
        bt_error_set(error, BT_ERROR_INVALID, "it is no longer a regular file");
        return -1;
    }
    *out_stat = what;
    return g_steal_fd(&fd);
}

bool
bt_scan_stat(BtScan *self, const BtSource *source, struct stat *out_stat)
{
    const char *path;
    size_t given;
    int dirfd = find_way(self, source, &path, &given);

    return dirfd != -1 && bt_path_stat_given(dirfd, path, given, out_stat) == 0;
}

uint64_t
bt_scan_root_id(const BtScan *self, int index)
{
    const Root *root = get_root(self, index);
    g_autofree char *path = g_canonicalize_filename(root->path, self->current);
    g_autofree char *parent = root->kind == ROOT_FILE ? g_path_get_dirname(path) : NULL;

    return bt_hash_text(parent != NULL ? parent : path);
}

bool
bt_scan_root(const BtScan *self, int index, BtScanRoot *out_root)
{
    const Root *root;

    if (index < 0 || (guint)index >= self->roots->len)
        return false;
    root = get_root(self, index);
    *out_root = (BtScanRoot){
        .path = root->path,
        .id = bt_scan_root_id(self, index),
        .n_sources = root->n_sources,
        .n_problems = root->n_problems,
        .is_whole_folder = root->kind == ROOT_FOLDER,
    };
    return true;
}
