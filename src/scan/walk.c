/* SPDX-License-Identifier: MIT */
#include "scan/walk.h"

#include "base/path.h"
#include "base/stall.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A folder on the way from the root to the one that is being read. */
typedef struct Stage {
    struct stat what;
    size_t path_length; /* of the walk's path that names this folder, its slash included */
    GPtrArray *folders; /* names of those in it that wait */
} Stage;

struct BtWalk {
    const BtScanOptions *options;
    GArray *skipped;    /* of struct stat */
    GArray *way;        /* of Stage, the root's first; empty: the walk has ended */
    BtFd root_fd;       /* O_PATH; -1: no folder in the root was entered yet */
    GString *path;      /* of what is being looked at, as shown */
    size_t root_length; /* of path that is the prefix */
    DIR *dir;           /* the last folder on the way; NULL where it had to be closed */
    bool reading;       /* dir has not come to its end */
};

static void
clear_stage(gpointer data)
{
    Stage *stage = data;

    g_ptr_array_unref(stage->folders);
}

static Stage *
last_stage(const BtWalk *self)
{
    return &g_array_index(self->way, Stage, self->way->len - 1);
}

static bool
is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

static bool
is_on_the_way(const BtWalk *self, const struct stat *folder)
{
    for (guint i = 0; i < self->way->len; i++)
        if (is_same(&g_array_index(self->way, Stage, i).what, folder))
            return true;
    return false;
}

/* The path in a sentence: a root that is the current folder has an empty one. */
static const char *
shown_path(const BtWalk *self)
{
    return self->path->len > 0 ? self->path->str : ".";
}

static BtWalkKind
find_problem(const BtWalk *self, GError **error)
{
    bt_error_set_system(error, errno, "%s", shown_path(self));
    return BT_WALK_PROBLEM;
}

/* Takes fd, which may be the failure to open the folder that the path names. */
static BtWalkKind
enter_folder(BtWalk *self, BtFd fd, BtWalkEntry *out_entry, GError **error)
{
    g_auto(BtFd) own = fd;
    struct stat what;
    Stage stage;
    DIR *dir;

    if (own < 0 || fstat(own, &what) < 0)
        return find_problem(self, error);
    if (bt_walk_is_skipped(self, &what) ||
        (self->options->one_file_system && self->way->len > 0 &&
         g_array_index(self->way, Stage, 0).what.st_dev != what.st_dev))
        return BT_WALK_MORE;
    if (is_on_the_way(self, &what)) {
        bt_error_set(error, BT_ERROR_INVALID, "%s is a folder that contains itself",
                     shown_path(self));
        return BT_WALK_PROBLEM;
    }
    if (bt_walk_holds_results(self->options, own, "")) {
        *out_entry = (BtWalkEntry){.path = shown_path(self)};
        return BT_WALK_RESULTS;
    }
    if ((dir = fdopendir(own)) == NULL)
        return find_problem(self, error);
    (void)g_steal_fd(&own);
    g_clear_pointer(&self->dir, closedir);
    self->dir = dir;
    self->reading = true;
    if (self->way->len > 0)
        g_string_append_c(self->path, '/');
    stage.what = what;
    stage.path_length = self->path->len;
    stage.folders = g_ptr_array_new_with_free_func(g_free);
    g_array_append_val(self->way, stage);
    return BT_WALK_MORE;
}

static BtWalkKind
read_entry(BtWalk *self, BtWalkEntry *out_entry, GError **error)
{
    const struct dirent *entry;
    unsigned char type;
    struct stat what;

    g_string_truncate(self->path, last_stage(self)->path_length);
    errno = 0;
    if ((entry = readdir(self->dir)) == NULL) {
        self->reading = false;
        return errno == 0 ? BT_WALK_MORE : find_problem(self, error);
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return BT_WALK_MORE;
    type = entry->d_type; /* which some file systems do not tell */
    if (type == DT_UNKNOWN && bt_path_stat(dirfd(self->dir), entry->d_name, &what) == 0)
        type = IFTODT(what.st_mode);
    if (type == DT_UNKNOWN) /* it is gone */
        return BT_WALK_MORE;
    g_string_append(self->path, entry->d_name);
    bt_stall_at(self->path->str);
    *out_entry = (BtWalkEntry){
        .dirfd = dirfd(self->dir),
        .part = entry->d_name,
        .path = self->path->str,
        .type = type,
        .depth = self->way->len,
    };
    return BT_WALK_ENTRY;
}

/* A folder in the one that was just read is opened from there, so that a long chain of folders is
 * not walked from its root again and again. */
static BtFd
open_folder(BtWalk *self, const char *part)
{
    const char *path = self->dir != NULL ? part : self->path->str + self->root_length;

    if (self->root_fd < 0)
        self->root_fd = bt_path_open(dirfd(self->dir), "", O_PATH | O_DIRECTORY, 0);
    if (self->root_fd < 0)
        return -1;
    return bt_path_open_given(self->dir != NULL ? dirfd(self->dir) : self->root_fd, path,
                              self->options->follow ? strlen(path) : 0, BT_WALK_FOLDER_FLAGS);
}

/* Enters a folder that waits in the last folder on the way, or leaves that one. */
static BtWalkKind
next_folder(BtWalk *self, BtWalkEntry *out_entry, GError **error)
{
    GPtrArray *folders = last_stage(self)->folders;
    g_autofree char *part = NULL;

    g_string_truncate(self->path, last_stage(self)->path_length);
    if (folders->len == 0) {
        g_array_set_size(self->way, self->way->len - 1);
        g_clear_pointer(&self->dir, closedir);
        return BT_WALK_MORE;
    }
    part = g_ptr_array_steal_index_fast(folders, folders->len - 1);
    g_string_append(self->path, part);
    bt_stall_at(self->path->str);
    return enter_folder(self, open_folder(self, part), out_entry, error);
}

bool
bt_walk_holds_results(const BtScanOptions *options, int dirfd, const char *folder)
{
    g_autofree char *path = NULL, *bytes = NULL;
    g_auto(BtFd) fd = -1;
    struct stat what;
    size_t size;

    if (options->marker == NULL)
        return false;
    path = g_strconcat(folder, *folder != '\0' ? "/" : "", options->marker, NULL);
    if (bt_path_stat_given(dirfd, path, strlen(folder), &what) != 0 || !S_ISREG(what.st_mode))
        return false;
    size = strlen(options->marker_text);
    bytes = g_malloc(size);
    fd = bt_path_open_given(dirfd, path, strlen(folder), BT_WALK_FILE_FLAGS);
    return fd >= 0 && pread(fd, bytes, size, 0) == (ssize_t)size &&
           memcmp(bytes, options->marker_text, size) == 0;
}

BtWalk *
bt_walk_new(const BtScanOptions *options)
{
    BtWalk *self = g_new0(BtWalk, 1);

    self->options = options;
    self->skipped = g_array_new(FALSE, FALSE, sizeof(struct stat));
    self->way = g_array_new(FALSE, FALSE, sizeof(Stage));
    self->path = g_string_new(NULL);
    self->root_fd = -1;
    g_array_set_clear_func(self->way, clear_stage);
    return self;
}

void
bt_walk_free(BtWalk *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->dir, closedir);
    bt_fd_clear(&self->root_fd);
    g_array_unref(self->skipped);
    g_array_unref(self->way);
    g_string_free(self->path, TRUE);
    g_free(self);
}

void
bt_walk_skip(BtWalk *self, dev_t device, ino_t inode)
{
    struct stat what = {.st_dev = device, .st_ino = inode};

    g_array_append_val(self->skipped, what);
}

bool
bt_walk_is_skipped(const BtWalk *self, const struct stat *folder)
{
    for (guint i = 0; i < self->skipped->len; i++)
        if (is_same(&g_array_index(self->skipped, struct stat, i), folder))
            return true;
    return false;
}

bool
bt_walk_is_in_skipped(const BtWalk *self, const char *folder)
{
    g_auto(BtFd) fd = bt_path_open_given(AT_FDCWD, folder, strlen(folder), O_PATH | O_DIRECTORY);
    g_autoptr(GString) up = g_string_new(".");
    struct stat what, below = {0};

    while (fd >= 0 && fstatat(fd, up->str, &what, 0) == 0 &&
           !is_same(&what, &below)) { /* above "/" is "/" */
        if (bt_walk_is_skipped(self, &what))
            return true;
        below = what;
        g_string_append(up, "/..");
    }
    return false;
}

BtWalkKind
bt_walk_start(BtWalk *self, BtFd fd, const char *prefix, BtWalkEntry *out_entry, GError **error)
{
    g_string_assign(self->path, prefix);
    self->root_length = self->path->len;
    bt_fd_clear(&self->root_fd);
    return enter_folder(self, fd, out_entry, error);
}

BtWalkKind
bt_walk_next(BtWalk *self, BtWalkEntry *out_entry, GError **error)
{
    if (self->reading)
        return read_entry(self, out_entry, error);
    return self->way->len > 0 ? next_folder(self, out_entry, error) : BT_WALK_END;
}

void
bt_walk_enter(BtWalk *self, const BtWalkEntry *entry)
{
    g_ptr_array_add(last_stage(self)->folders, g_strdup(entry->part));
}
