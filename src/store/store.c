/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include "base/hash.h"
#include "base/path.h"
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define KEY_MIXED      "mixed\n"
#define KEY_BYTES_MAX  65536
#define MARK_BYTES_MAX 1024 /* a page's mark is looked for in so many */

struct BtStore {
    char *path;        /* with a slash at its end */
    char *key;         /* the settings as text */
    uint32_t settings; /* their hash */
    unsigned flags;
    BtFolder *top;       /* NULL: there is none yet */
    BtFolder *published; /* of the last result that was published, and of the last that was */
    BtFolder *looked;    /* looked for: most lie where the one before did */
    GHashTable *swept;   /* names of the folders that were rid of stale temporaries */
    GHashTable *claims;  /* names of results, by hash: who has each */
    GHashTable *given;   /* the same as far as they were published, where names fold */
    bool trusts_key;     /* what has no record may be fresh */
    bool folds_case;
    bool can_link;
};

typedef enum KeyState {
    KEY_NONE,
    KEY_SAME,    /* it says today's settings */
    KEY_OTHER,   /* it says others */
    KEY_FOREIGN, /* what has its name is not ours */
} KeyState;

typedef BtFd (*OpenParent)(int dirfd, const char *path, const char **out_name);

/* The folder of a result, and its name there: *last, if that is the one, else opened in its place.
 * Lent until the next call. NULL with errno. */
static BtFolder *
get_folder(const BtStore *self, BtFolder **last, OpenParent open_parent, const char *name,
           const char **out_base)
{
    const char *slash = strrchr(name, '/');
    size_t length = slash != NULL ? (size_t)(slash + 1 - name) : 0;
    g_auto(BtFd) fd = -1;

    *out_base = name + length;
    errno = ENOENT;
    if (self->top == NULL || length == 0)
        return self->top;
    if (*last != NULL && strlen((*last)->name) == length && g_str_has_prefix(name, (*last)->name))
        return *last;
    if ((fd = open_parent(self->top->fd, name, out_base)) < 0)
        return NULL;
    bt_folder_free(*last);
    return *last = bt_folder_new(self->path, name, length, &fd);
}

static BtFolder *
look_into(BtStore *self, const char *name, const char **out_base)
{
    return get_folder(self, &self->looked, bt_path_open_parent, name, out_base);
}

static bool
fail_name(const BtStore *self, const char *name, GError **error)
{
    int errnum = errno;

    bt_error_set_system(error, errnum, "%s%s", self->path, name);
    return bt_error_add_way_out(error, errnum, BT_TARGET_WAY_OUT);
}

/* Whether the output folder takes names that differ by case alone for one. Nobody else calls a file
 * like our key in capitals. */
static bool
folds_case(const BtStore *self)
{
    g_autofree char *capitals = g_ascii_strup(BT_STORE_KEY_NAME, -1);
    struct stat there;

    return bt_path_stat(self->top->fd, capitals, &there) == 0;
}

/* Looks whether the output folder has a key, and what it says. */
static KeyState
look_at_key(BtStore *self)
{
    g_auto(BtFd) fd =
        bt_path_open(self->top->fd, BT_STORE_KEY_NAME, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    g_autofree char *text = g_malloc(KEY_BYTES_MAX);
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT ? KEY_NONE : KEY_FOREIGN;
    n = bt_fd_read_at(fd, text, KEY_BYTES_MAX - 1, 0);
    text[MAX(n, 0)] = '\0';
    self->folds_case = folds_case(self);
    if (n < 0 || (n > 0 && !g_str_has_prefix(text, BT_STORE_KEY_START)))
        return KEY_FOREIGN;
    if (!g_str_has_prefix(text, self->key))
        return KEY_OTHER;
    self->trusts_key = strcmp(text + strlen(self->key), "") == 0;
    return self->trusts_key || strcmp(text + strlen(self->key), KEY_MIXED) == 0 ? KEY_SAME
                                                                                : KEY_OTHER;
}

/* Opens the output folder. False with errno. */
static bool
open_top(BtStore *self)
{
    g_auto(BtFd) fd = open(self->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return false;
    self->top = bt_folder_new(self->path, "", 0, &fd);
    return true;
}

/* Whether the output folder holds anything but temporaries. */
static bool
has_entries(const BtStore *self)
{
    GDir *dir = g_dir_open(self->path, 0, NULL);
    const char *name = NULL;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL &&
           g_str_has_prefix(name, BT_STORE_KEY_NAME "-"))
        ;
    g_clear_pointer(&dir, g_dir_close);
    return name != NULL;
}

/* Before the first result in a folder. */
static bool
first_meet(const BtStore *self, const BtFolder *folder, GError **error)
{
    if (!g_hash_table_add(self->swept, g_strdup(folder->name)))
        return true;
    bt_folder_sweep(folder);
    return (self->flags & BT_STORE_DURABLE) == 0 || bt_folder_sync_above(folder) ||
           bt_error_set_system(error, errno, "%s", folder->path);
}

/* Writes the key. False with errno: EEXIST where a first one came too late. */
static bool
write_key(const BtStore *self, bool first, BtTarget *target)
{
    g_autofree char *text = g_strconcat(self->key, first ? NULL : KEY_MIXED, NULL);
    ssize_t n = write(target->fd, text, strlen(text));

    if (n >= 0 && (size_t)n < strlen(text))
        errno = ENOSPC;
    return n == (ssize_t)strlen(text) &&
           ((self->flags & BT_STORE_DURABLE) == 0 || fsync(target->fd) == 0) &&
           (first ? bt_target_take : bt_target_replace)(target, BT_STORE_KEY_NAME);
}

/* Of two runs that write different keys the later is right, for what the earlier makes has records
 * of its own. */
static bool
make_key(BtStore *self, GError **error)
{
    for (;;) {
        bool empty = !has_entries(self); /* asked first: another's key is an entry */
        KeyState key = look_at_key(self);
        bool first = key == KEY_NONE && empty;
        g_auto(BtTarget) target = {.fd = -1};

        if (key == KEY_SAME)
            return true;
        if (key == KEY_FOREIGN && (self->flags & BT_STORE_FORCE) == 0)
            return bt_store_fail_foreign(self, BT_STORE_KEY_NAME, error);
        if (!bt_target_init(&target, self->top, self->can_link, 0666, error))
            return false;
        if (write_key(self, first, &target)) {
            self->folds_case = folds_case(self);
            return true;
        }
        if (!first || errno != EEXIST)
            return fail_name(self, BT_STORE_KEY_NAME, error);
    }
}

bool
bt_store_fail_foreign(const BtStore *self, const char *name, GError **error)
{
    return bt_error_set(error, BT_ERROR_TAKEN,
                        "%s%s is there already and was not made by blurthumb: move it away, "
                        "choose another folder with -o, or replace it with --force",
                        self->path, name);
}

BtStore *
bt_store_new(const char *path, const char *settings, unsigned flags, GError **error)
{
    g_autoptr(BtStore) self = g_new0(BtStore, 1);

    self->path = g_strconcat(path, g_str_has_suffix(path, "/") ? "" : "/", NULL);
    self->key = g_strdup(settings);
    self->settings = MAX(1, (uint32_t)bt_hash_text(settings));
    self->flags = flags;
    self->swept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->claims = g_hash_table_new(NULL, NULL);
    self->given = g_hash_table_new(NULL, NULL);
    if (open_top(self))
        (void)look_at_key(self);
    else if (errno != ENOENT) {
        bt_error_set_system(error, errno, "%s", path);
        return NULL;
    }
    return g_steal_pointer(&self);
}

void
bt_store_free(BtStore *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->claims);
    g_hash_table_unref(self->given);
    bt_folder_free(self->looked);
    bt_folder_free(self->published);
    bt_folder_free(self->top);
    g_hash_table_unref(self->swept);
    g_free(self->path);
    g_free(self->key);
    g_free(self);
}

/* Brings the names of new folders to the disk: any above the output folder may be one. */
static void
sync_way(const BtStore *self)
{
    g_autofree char *at = g_canonicalize_filename(self->path, NULL);

    for (char *slash; (slash = strrchr(at, '/')) != NULL; *slash = '\0') {
        g_auto(BtFd) fd = -1;

        slash[slash == at] = '\0';
        fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
            (void)!fsync(fd);
    }
}

bool
bt_store_make(BtStore *self, GError **error)
{
    bool was_there = self->top != NULL;

    if (!was_there && (g_mkdir_with_parents(self->path, 0777) != 0 || !open_top(self)))
        return bt_error_set_system(error, errno, "cannot make %s", self->path);
    if (!was_there && (self->flags & BT_STORE_DURABLE) != 0)
        sync_way(self);
    if (!first_meet(self, self->top, error))
        return false;
    self->can_link = bt_target_can_link(self->top);
    return make_key(self, error);
}

bool
bt_store_identity(const BtStore *self, dev_t *out_device, ino_t *out_inode)
{
    struct stat folder;

    if (self->top == NULL || fstat(self->top->fd, &folder) != 0)
        return false;
    *out_device = folder.st_dev;
    *out_inode = folder.st_ino;
    return true;
}

/* Of a name, or of all that the output folder takes for the same. */
static uint64_t
hash_name(const BtStore *self, const char *name)
{
    g_autofree char *text = self->folds_case ? g_utf8_make_valid(name, -1) : NULL;
    g_autofree char *folded = text != NULL ? g_utf8_casefold(text, -1) : NULL;

    return bt_hash_text(folded != NULL ? folded : name);
}

/* Gives a name to an owner, unless it has one. Returns who has it now. Both are kept in pointers:
 * an entry is 20 bytes. */
static BtOwner
claim(const BtStore *self, GHashTable *names, const char *name, BtOwner owner)
{
    gpointer hash = GSIZE_TO_POINTER(hash_name(self, name)), had;

    if (g_hash_table_lookup_extended(names, hash, NULL, &had))
        return (BtOwner){(uint32_t)((uint64_t)GPOINTER_TO_SIZE(had) >> 32),
                         (uint32_t)GPOINTER_TO_SIZE(had)};
    g_hash_table_insert(names, hash, GSIZE_TO_POINTER((uint64_t)owner.root << 32 | owner.source));
    return owner;
}

BtOwner
bt_store_claim(BtStore *self, const char *name, BtOwner owner)
{
    return claim(self, self->claims, name, owner);
}

static bool
is_made_of(const BtRecord *record, const struct stat *source)
{
    return record->source_bytes == (uint64_t)source->st_size &&
           bt_record_is_same_time(record->source_time, source->st_mtim);
}

/* trusts_key: whether what has no record may be fresh. */
static BtStoreState
judge(const BtStore *self, BtFolder *folder, const char *base, const struct stat *file,
      const struct stat *source, bool trusts_key)
{
    bool forced = (self->flags & BT_STORE_FORCE) != 0;
    BtRecord record;

    if (S_ISREG(file->st_mode) && bt_folder_get_record(folder, base, file, &record)) {
        if (record.settings != self->settings)
            return BT_STORE_SETTINGS;
        if (record.bytes != (uint64_t)file->st_size)
            return BT_STORE_BROKEN;
        if (!is_made_of(&record, source))
            return BT_STORE_CHANGED;
    } else if (S_ISREG(file->st_mode) && file->st_size == 0) {
        return BT_STORE_BROKEN;
    } else if (!S_ISREG(file->st_mode) || !trusts_key || bt_ledger_knows(folder->ledger, base) ||
               !bt_record_is_same_time(file->st_mtim, source->st_mtim)) {
        return forced && !S_ISDIR(file->st_mode) ? BT_STORE_FORCED : BT_STORE_FOREIGN;
    }
    return forced ? BT_STORE_FORCED : BT_STORE_FRESH;
}

BtStoreState
bt_store_look(BtStore *self, const char *name, const struct stat *source, struct stat *out_result)
{
    const char *base;
    BtFolder *folder = look_into(self, name, &base);

    if (folder == NULL || bt_path_stat(folder->fd, base, out_result) != 0)
        return BT_STORE_NEW;
    return judge(self, folder, base, out_result, source, self->trusts_key);
}

BtFd
bt_store_open_result(BtStore *self, const char *name, GError **error)
{
    const char *base;
    BtFolder *folder = look_into(self, name, &base);
    BtFd fd =
        folder == NULL ? -1 : bt_path_open(folder->fd, base, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

    if (fd < 0)
        fail_name(self, name, error);
    return fd;
}

/* False with errno. */
static bool
copy_bytes(int from, int to, uint64_t bytes)
{
    off_t at = 0;

    while ((uint64_t)at < bytes) {
        ssize_t n = sendfile(to, from, &at, (size_t)(bytes - (uint64_t)at));

        if (n == 0)
            errno = EIO; /* it is shorter than it was */
        if (n <= 0 && !(n < 0 && errno == EINTR))
            return false;
    }
    return true;
}

/* Takes from a result the rights that its source does not give; not before it has its attribute,
 * which only somebody who may write it can give. False with errno. */
static bool
keep_mode(int fd, mode_t source)
{
    struct stat file;

    return (source & 0600) == 0600 ||
           (fstat(fd, &file) == 0 && fchmod(fd, file.st_mode & source & 0666) == 0);
}

/* Fills the target, and tells what it was made of. False with errno. */
static bool
fill(const BtStore *self, BtTarget *target, const char *base, const BtStoreResult *result)
{
    const BtOrigin *origin = result->origin;
    bool durable = (self->flags & BT_STORE_DURABLE) != 0;

    if (!copy_bytes(result->fd, target->fd, result->bytes))
        return false;
    if (origin != NULL) {
        /* Both: file systems through libfuse 2 may let one alone pass without doing it. */
        struct timespec times[] = {{.tv_nsec = UTIME_NOW}, origin->stat.st_mtim};
        BtRecord record = {
            .settings = self->settings,
            .root = origin->root,
            .place = origin->place,
            .source_bytes = (uint64_t)origin->stat.st_size,
            .source_time = origin->stat.st_mtim,
            .bytes = result->bytes,
        };

        if (futimens(target->fd, times) != 0 ||
            !bt_folder_put_record(target->folder, target->fd, base, &record, durable) ||
            !keep_mode(target->fd, origin->stat.st_mode))
            return false;
    }
    return !durable || fsync(target->fd) == 0;
}

static bool
is_marked(const BtFolder *folder, const char *base, const char *mark)
{
    g_auto(BtFd) fd = bt_path_open(folder->fd, base, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    char text[MARK_BYTES_MAX];
    ssize_t n = fd >= 0 ? bt_fd_read_at(fd, text, sizeof text, 0) : 0;

    return n > 0 && memmem(text, (size_t)n, mark, strlen(mark)) != NULL;
}

/* Whether the name is free, or what has it may be replaced: a file without a record, which may be
 * taken for fresh, is not known to be ours. */
static bool
may_give(const BtStore *self, BtFolder *folder, const char *name, const char *base,
         const BtStoreResult *result, GError **error)
{
    struct stat file;
    bool ours;

    if (bt_path_stat(folder->fd, base, &file) != 0)
        return errno == ENOENT || fail_name(self, name, error);
    if (result->origin != NULL)
        ours = judge(self, folder, base, &file, &result->origin->stat, false) != BT_STORE_FOREIGN;
    else
        ours = !S_ISDIR(file.st_mode) &&
               ((self->flags & BT_STORE_FORCE) != 0 || is_marked(folder, base, result->mark));
    return ours || bt_store_fail_foreign(self, name, error);
}

/* Whether what this run has published under the name, or one that differs by case alone, was not
 * under this name. */
static bool
is_given(BtStore *self, const char *name)
{
    BtOwner own = {.source = (uint32_t)bt_hash_text(name)};

    return self->folds_case && claim(self, self->given, name, own).source != own.source;
}

bool
bt_store_publish(BtStore *self, const char *name, const BtStoreResult *result, GError **error)
{
    const char *base;
    BtFolder *folder = get_folder(self, &self->published, bt_path_make_parent, name, &base);
    bool durable = (self->flags & BT_STORE_DURABLE) != 0, given;
    mode_t mode = result->origin != NULL ? result->origin->stat.st_mode & 0666 : 0666;
    g_auto(BtTarget) target = {.fd = -1};

    if (folder == NULL)
        return fail_name(self, name, error);
    if (is_given(self, name))
        return bt_error_set(error, BT_ERROR_TAKEN,
                            "%s%s differs only in case from the result of another picture",
                            self->path, name);
    /* Asked first, too, for with a record in the ledger a file of this size and time is ours. */
    if (!may_give(self, folder, name, base, result, error) || !first_meet(self, folder, error) ||
        !bt_target_init(&target, folder, self->can_link, mode | 0600, error))
        return false;
    if (!fill(self, &target, base, result))
        return fail_name(self, name, error);
    given = bt_target_take(&target, base);
    if (!given && errno == EEXIST) {
        if (!may_give(self, folder, name, base, result, error))
            return false;
        given = bt_target_replace(&target, base);
    }
    return (given && (!durable || bt_folder_sync(folder))) || fail_name(self, name, error);
}

bool
bt_store_may_publish(BtStore *self, const char *name, const BtStoreResult *result, GError **error)
{
    const char *base;
    BtFolder *folder = look_into(self, name, &base);

    return folder == NULL || may_give(self, folder, name, base, result, error);
}

bool
bt_store_origin(BtStore *self, const char *name, uint32_t *out_root, uint32_t *out_place)
{
    const char *base;
    BtFolder *folder = look_into(self, name, &base);
    struct stat file;
    BtRecord record;

    if (folder == NULL || bt_path_stat(folder->fd, base, &file) != 0 || !S_ISREG(file.st_mode) ||
        !bt_folder_get_record(folder, base, &file, &record))
        return false;
    *out_root = (uint32_t)record.root;
    *out_place = (uint32_t)record.place;
    return true;
}

bool
bt_store_remove(BtStore *self, const char *name, GError **error)
{
    const char *base;
    BtFolder *folder = look_into(self, name, &base);

    return (folder != NULL && bt_folder_remove(folder, base)) || fail_name(self, name, error);
}
