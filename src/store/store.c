/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include "base/clock.h"
#include "base/path.h"
#include "store/folder.h"
#include "store/target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* How long to wait until a file system's clock moves: the coarsest there are tick every 2 s. */
#define CLOCK_LIMIT_NS (5 * BT_NS_PER_S / 2)
#define CLOCK_STEP_US  1000

/* How long another run may be at the key, and how many runs may write other keys in our way. */
#define LOCK_LIMIT_NS (5 * BT_NS_PER_S)
#define LOCK_TRIES    100

struct BtStore {
    char *path;
    char *key;
    BtFolder *top;
    BtFolder *target;  /* of the last target, and of the last result that was looked for: most */
    BtFolder *looked;  /* results lie where the one before did */
    GHashTable *swept; /* names of the folders that were rid of stale temporaries */
    struct timespec key_time;
    bool other_key; /* the results that are there were made with other settings */
    unsigned flags;
    bool probed; /* can_link is known */
    bool can_link;
};

static bool
is_later(struct timespec left, struct timespec right)
{
    return left.tv_sec != right.tv_sec ? left.tv_sec > right.tv_sec : left.tv_nsec > right.tv_nsec;
}

typedef BtFd (*OpenParent)(int dirfd, const char *path, const char **out_name);

/* How much of a result's name is that of its folder, the slash included. */
static size_t
folder_length(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash != NULL ? (size_t)(slash + 1 - name) : 0;
}

/* The folder of a result: *last, if that is the one, else opened in its place. Lent until the next
 * call. NULL with errno. */
static BtFolder *
get_folder(const BtStore *self, BtFolder **last, const char *name, OpenParent open_parent)
{
    size_t length = folder_length(name);
    const char *base;
    g_auto(BtFd) fd = -1;

    if (strlen((*last)->name) == length && strncmp((*last)->name, name, length) == 0)
        return *last;
    if ((fd = open_parent(self->top->fd, name, &base)) < 0)
        return NULL;
    bt_folder_unref(*last);
    return *last = bt_folder_new(self->path, name, length, &fd);
}

static bool
has_key(const BtStore *self, const char *key)
{
    g_auto(BtFd) fd =
        bt_path_open(self->top->fd, BT_STORE_KEY_NAME, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    size_t size = strlen(key);
    g_autofree char *text = g_malloc(size + 1);

    return fd >= 0 && read(fd, text, size + 1) == (ssize_t)size && memcmp(text, key, size) == 0;
}

/* may_replace: as bt_target_publish(); else as bt_target_publish_new(). */
static bool
write_key(BtStore *self, const char *key, bool may_replace, GError **error)
{
    g_autoptr(BtTarget) target = bt_store_open(self, BT_STORE_KEY_NAME, error);
    size_t size = strlen(key);
    ssize_t n;

    if (target == NULL)
        return false;
    if ((n = write(bt_target_fd(target), key, size)) != (ssize_t)size)
        return bt_error_set_system(error, n < 0 ? errno : ENOSPC, "%s" BT_STORE_KEY_NAME,
                                   self->top->path);
    return may_replace ? bt_target_publish(target, BT_STORE_KEY_NAME, error)
                       : bt_target_publish_new(target, BT_STORE_KEY_NAME, error);
}

/* Waits until a file that is made now is later than the key. A clock that does not get there costs
 * work that is done again, no more. */
static bool
wait_past_key(BtStore *self, GError **error)
{
    uint64_t end_ns = bt_clock_now_ns() + CLOCK_LIMIT_NS;

    while (bt_clock_now_ns() < end_ns) {
        g_autoptr(BtTarget) probe = bt_store_open(self, BT_STORE_KEY_NAME, error);
        struct stat made;

        if (probe == NULL)
            return false;
        if (fstat(bt_target_fd(probe), &made) == 0 && is_later(made.st_ctim, self->key_time))
            return true;
        g_usleep(CLOCK_STEP_US);
    }
    return true;
}

/* Until no other run is at the key, for as long as that may take; a file system that has no locks,
 * or a run that stands still, is not waited for. */
static void
lock(int fd)
{
    uint64_t end_ns = bt_clock_now_ns() + LOCK_LIMIT_NS;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR) &&
           bt_clock_now_ns() < end_ns)
        g_usleep(CLOCK_STEP_US);
}

/* Whether an open key is the one that has the name. */
static bool
is_current(const BtStore *self, int fd)
{
    struct stat own, named;

    return fstat(fd, &own) == 0 && bt_path_stat(self->top->fd, BT_STORE_KEY_NAME, &named) == 0 &&
           own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

/* Writes the key, unless another run that begins now has done so: a second time would make stale
 * what that one has published since. A key that is there is locked meanwhile; where there is none,
 * one run is the first to give it its name. */
static bool
write_key_once(BtStore *self, const char *key, GError **error)
{
    for (int i = 0; i < LOCK_TRIES && !has_key(self, key); i++) {
        g_auto(BtFd) old =
            bt_path_open(self->top->fd, BT_STORE_KEY_NAME, O_RDWR | O_NONBLOCK | O_NOCTTY, 0);
        g_autoptr(GError) taken = NULL;
        bool none = old < 0 && errno == ENOENT;

        if (old >= 0)
            lock(old);
        if (old >= 0 && !is_current(self, old))
            continue;
        if (has_key(self, key) || write_key(self, key, !none, &taken))
            return true;
        if (!g_error_matches(taken, BT_ERROR, BT_ERROR_TAKEN) || !none) {
            g_propagate_error(error, g_steal_pointer(&taken));
            return false;
        }
    }
    return has_key(self, key) || write_key(self, key, true, error);
}

static bool
update_key(BtStore *self, const char *key, GError **error)
{
    bool same = has_key(self, key);
    struct stat file;

    if (!same && !write_key_once(self, key, error))
        return false;
    if (bt_path_stat(self->top->fd, BT_STORE_KEY_NAME, &file) < 0)
        return bt_error_set_system(error, errno, "%s" BT_STORE_KEY_NAME, self->top->path);
    self->key_time = file.st_ctim;
    return same || wait_past_key(self, error);
}

/* What there is to look at: nothing is made. */
static bool
look_at_key(BtStore *self, const char *key)
{
    struct stat file;

    self->other_key = !has_key(self, key);
    if (bt_path_stat(self->top->fd, BT_STORE_KEY_NAME, &file) == 0)
        self->key_time = file.st_ctim;
    return true;
}

BtStore *
bt_store_new(const char *path, const char *key, unsigned flags, GError **error)
{
    g_autoptr(BtStore) self = g_new0(BtStore, 1);
    bool looks = (flags & BT_STORE_LOOK) != 0;
    g_auto(BtFd) fd = -1;

    self->flags = flags;
    self->path = g_strdup(path);
    self->key = g_strdup(key);
    self->swept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if ((!looks && g_mkdir_with_parents(path, 0777) < 0) ||
        ((fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0 && !(looks && errno == ENOENT))) {
        bt_error_set_system(error, errno, "%s", path);
        return NULL;
    }
    if (fd < 0)
        return g_steal_pointer(&self);
    self->top = bt_folder_new(path, "", 0, &fd);
    self->target = bt_folder_ref(self->top);
    self->looked = bt_folder_ref(self->top);
    return (looks ? look_at_key(self, key) : update_key(self, key, error)) ? g_steal_pointer(&self)
                                                                           : NULL;
}

void
bt_store_free(BtStore *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->looked, bt_folder_unref);
    g_clear_pointer(&self->target, bt_folder_unref);
    g_clear_pointer(&self->top, bt_folder_unref);
    g_clear_pointer(&self->swept, g_hash_table_unref);
    g_free(self->path);
    g_free(self->key);
    g_free(self);
}

bool
bt_store_check(const BtStore *self, GError **error)
{
    struct stat file;

    if (bt_path_stat(self->top->fd, BT_STORE_KEY_NAME, &file) != 0 ||
        (file.st_ctim.tv_sec == self->key_time.tv_sec &&
         file.st_ctim.tv_nsec == self->key_time.tv_nsec) ||
        has_key(self, self->key))
        return true;
    return bt_error_set(error, BT_ERROR_TAKEN,
                        "another run with other settings has taken %s over: this one ends",
                        self->path);
}

void
bt_store_identity(const BtStore *self, dev_t *out_device, ino_t *out_inode)
{
    struct stat folder = {0};

    if (self->top != NULL)
        fstat(self->top->fd, &folder);
    *out_device = folder.st_dev;
    *out_inode = folder.st_ino;
}

bool
bt_store_folds_case(const BtStore *self)
{
    g_autofree char *folded = g_ascii_strup(BT_STORE_KEY_NAME, -1);
    struct stat one, other;

    return self->top != NULL && bt_path_stat(self->top->fd, BT_STORE_KEY_NAME, &one) == 0 &&
           bt_path_stat(self->top->fd, folded, &other) == 0 && one.st_ino == other.st_ino;
}

static BtStoreState
judge(const BtStore *self, const struct stat *result, const struct stat *source)
{
    if (!S_ISREG(result->st_mode) || result->st_size == 0)
        return BT_STORE_BROKEN;
    if (!is_later(result->st_ctim, source->st_ctim))
        return BT_STORE_CHANGED;
    if (self->other_key || !is_later(result->st_ctim, self->key_time))
        return BT_STORE_SETTINGS;
    return (self->flags & BT_STORE_FORCE) != 0 ? BT_STORE_FORCED : BT_STORE_FRESH;
}

/* The folder of a result that is looked for. NULL with errno. */
static const BtFolder *
look_for_folder(BtStore *self, const char *name)
{
    errno = ENOENT;
    return self->top != NULL ? get_folder(self, &self->looked, name, bt_path_open_parent) : NULL;
}

BtStoreState
bt_store_look(BtStore *self, const char *name, const struct stat *source, struct stat *out_result)
{
    const BtFolder *folder = look_for_folder(self, name);
    struct stat result;

    if (folder == NULL || bt_path_stat(folder->fd, name + strlen(folder->name), &result) < 0)
        return BT_STORE_NEW;
    if (out_result != NULL)
        *out_result = result;
    return judge(self, &result, source);
}

BtFd
bt_store_open_result(BtStore *self, const char *name, GError **error)
{
    const BtFolder *folder = look_for_folder(self, name);
    BtFd fd = folder == NULL ? -1
                             : bt_path_open(folder->fd, name + strlen(folder->name),
                                            O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

    if (fd < 0)
        bt_error_set_system(error, errno, "its result %s/%s", self->path, name);
    return fd;
}

/* Before the first target in a folder. */
static bool
first_meet(const BtStore *self, const BtFolder *folder, GError **error)
{
    bt_folder_sweep(folder);
    if ((self->flags & BT_STORE_DURABLE) != 0 && !bt_folder_sync_above(folder))
        return bt_error_set_system(error, errno, "%s", folder->path);
    return true;
}

BtTarget *
bt_store_open(BtStore *self, const char *name, GError **error)
{
    BtFolder *folder;

    errno = ENOENT;
    folder = self->top != NULL ? get_folder(self, &self->target, name, bt_path_make_parent) : NULL;

    if (folder == NULL) {
        bt_error_set_system(error, errno, "%s/%.*s", self->path, (int)folder_length(name), name);
        return NULL;
    }
    if (g_hash_table_add(self->swept, g_strdup(folder->name)) && !first_meet(self, folder, error))
        return NULL;
    if (!self->probed)
        self->can_link = bt_target_can_link(self->top);
    self->probed = true;
    return bt_target_new(folder, self->can_link, (self->flags & BT_STORE_DURABLE) != 0, error);
}
