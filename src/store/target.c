/* SPDX-License-Identifier: MIT */
#include "store/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROOM_BYTES (1 << 20)

struct BtTarget {
    BtFolder *folder;
    BtFd fd;
    bool durable;
    uint64_t bytes;       /* once it was published */
    struct timespec time; /* that it is to show, if timed */
    bool timed;
    char *temporary; /* the name that it has for now; NULL while it has none, and once published */
};

/* Gives a nameless file a name: without privileges only /proc can. False with errno. */
static bool
link_as(const BtTarget *self, const char *name)
{
    char path[sizeof "/proc/self/fd/" + 3 * sizeof self->fd];

    if (linkat(self->fd, "", self->folder->fd, name, AT_EMPTY_PATH) == 0)
        return true;
    if (errno == EEXIST)
        return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", self->fd);
    return linkat(AT_FDCWD, path, self->folder->fd, name, AT_SYMLINK_FOLLOW) == 0;
}

/* Makes a file that has a temporary name from the start, or links one that has none. */
static bool
take_temporary_name(BtTarget *self)
{
    bool done;

    do {
        g_free(self->temporary);
        self->temporary = bt_folder_temporary_name();
        if (self->fd < 0)
            done = (self->fd = openat(self->folder->fd, self->temporary,
                                      O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666)) >= 0;
        else
            done = link_as(self, self->temporary);
    } while (!done && errno == EEXIST);
    if (!done)
        g_clear_pointer(&self->temporary, g_free);
    return done;
}

/* The answers of file systems and kernels that do not know O_TMPFILE. */
static bool
is_unknown(int errnum)
{
    return errnum == EOPNOTSUPP || errnum == EISDIR || errnum == EINVAL || errnum == ENOENT ||
           errnum == ENOSYS;
}

BtTarget *
bt_target_new(BtFolder *folder, bool nameless, bool durable, GError **error)
{
    g_autoptr(BtTarget) self = g_new0(BtTarget, 1);

    self->folder = bt_folder_ref(folder);
    self->durable = durable;
    self->fd = nameless ? openat(folder->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666) : -1;
    if (self->fd >= 0 || ((!nameless || is_unknown(errno)) && take_temporary_name(self)))
        return g_steal_pointer(&self);
    bt_error_set_system(error, errno, "%s: no file can be made in it", folder->path);
    return NULL;
}

bool
bt_target_can_link(BtFolder *folder)
{
    g_autoptr(BtTarget) target = bt_target_new(folder, true, false, NULL);

    return target != NULL && target->temporary == NULL && take_temporary_name(target);
}

int
bt_target_fd(const BtTarget *self)
{
    return self->fd;
}

bool
bt_target_has_room(BtTarget *self, GError **error)
{
    int errnum = posix_fallocate(self->fd, 0, ROOM_BYTES);

    if (errnum == 0 && ftruncate(self->fd, 0) != 0)
        errnum = errno;
    return errnum == 0 || bt_error_set_system(error, errnum, "%s", self->folder->path);
}

/* Takes the place of what stands under a name, if anything does: an earlier result, or a link. */
static bool
replace(BtTarget *self, const char *name, GError **error)
{
    const char *folder = self->folder->path;
    struct stat old;

    if (fstatat(self->folder->fd, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(old.st_mode) &&
        !S_ISLNK(old.st_mode))
        return bt_error_set(error, BT_ERROR_TAKEN, "%s%s is there and is not a file", folder, name);
    if ((self->temporary == NULL && !take_temporary_name(self)) ||
        renameat(self->folder->fd, self->temporary, self->folder->fd, name) < 0)
        return bt_error_set_system(error, errno, "%s%s", folder, name);
    g_clear_pointer(&self->temporary, g_free);
    return true;
}

/* Takes a name that nothing has; a file system that cannot tell takes it in any case. */
static bool
take_new(BtTarget *self, const char *name, GError **error)
{
    const char *folder = self->folder->path;

    if (self->temporary != NULL && renameat2(self->folder->fd, self->temporary, self->folder->fd,
                                             name, RENAME_NOREPLACE) == 0) {
        g_clear_pointer(&self->temporary, g_free);
        return true;
    }
    if (self->temporary == NULL || errno == EEXIST)
        return bt_error_set(error, BT_ERROR_TAKEN, "%s%s is there already", folder, name);
    return replace(self, name, error);
}

static bool
give_name(BtTarget *self, const char *base, bool may_replace, GError **error)
{
    if (self->temporary == NULL && link_as(self, base))
        return true;
    if (self->temporary == NULL && errno != EEXIST)
        return bt_error_set_system(error, errno, "%s%s", self->folder->path, base);
    return may_replace ? replace(self, base, error) : take_new(self, base, error);
}

void
bt_target_set_time(BtTarget *self, struct timespec time)
{
    self->time = time;
    self->timed = true;
}

static bool
publish(BtTarget *self, const char *name, bool may_replace, GError **error)
{
    const char *folder = self->folder->path;
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    struct stat written;

    if (fstat(self->fd, &written) < 0)
        return bt_error_set_system(error, errno, "%s%s", folder, base);
    self->bytes = (uint64_t)written.st_size;
    if (written.st_size == 0)
        return bt_error_set(error, BT_ERROR_INVALID, "%s%s would be empty", folder, base);
    if (self->timed &&
        futimens(self->fd, (struct timespec[]){{.tv_nsec = UTIME_OMIT}, self->time}) != 0)
        return bt_error_set_system(error, errno, "%s%s", folder, base);
    if (self->durable && fsync(self->fd) != 0)
        return bt_error_set_system(error, errno, "%s%s", folder, base);
    if (!give_name(self, base, may_replace, error))
        return false;
    if (self->durable && !bt_folder_sync(self->folder))
        return bt_error_set_system(error, errno, "%s%s", folder, base);
    return true;
}

bool
bt_target_publish(BtTarget *self, const char *name, GError **error)
{
    return publish(self, name, true, error);
}

bool
bt_target_publish_new(BtTarget *self, const char *name, GError **error)
{
    return publish(self, name, false, error);
}

uint64_t
bt_target_bytes(const BtTarget *self)
{
    return self->bytes;
}

void
bt_target_free(BtTarget *self)
{
    if (self == NULL)
        return;
    if (self->temporary != NULL)
        unlinkat(self->folder->fd, self->temporary, 0);
    bt_folder_unref(self->folder);
    bt_fd_clear(&self->fd);
    g_free(self->temporary);
    g_free(self);
}
