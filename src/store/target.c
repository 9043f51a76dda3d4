/* SPDX-License-Identifier: MIT */
#include "store/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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
take_temporary_name(BtTarget *self, mode_t mode)
{
    bool done;

    do {
        g_free(self->temporary);
        self->temporary = bt_folder_temporary_name();
        if (self->fd < 0)
            done = (self->fd = openat(self->folder->fd, self->temporary,
                                      O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode)) >= 0;
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

bool
bt_target_init(BtTarget *self, BtFolder *folder, bool nameless, mode_t mode, GError **error)
{
    int errnum;

    *self = (BtTarget){.folder = folder};
    self->fd = nameless ? openat(folder->fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode) : -1;
    if (self->fd >= 0 || ((!nameless || is_unknown(errno)) && take_temporary_name(self, mode)))
        return true;
    errnum = errno;
    bt_error_set_system(error, errnum, "cannot create a file in %s", folder->path);
    return bt_error_add_way_out(error, errnum, BT_TARGET_WAY_OUT);
}

void
bt_target_clear(BtTarget *self)
{
    if (self->temporary != NULL)
        unlinkat(self->folder->fd, self->temporary, 0);
    bt_fd_clear(&self->fd);
    g_clear_pointer(&self->temporary, g_free);
}

bool
bt_target_can_link(BtFolder *folder)
{
    g_auto(BtTarget) target = {.fd = -1};

    return bt_target_init(&target, folder, true, 0600, NULL) && target.temporary == NULL &&
           take_temporary_name(&target, 0600);
}

/* A name that a rename may take only while nothing has it; a file system that cannot do that is
 * asked first. */
static bool
rename_new(BtTarget *self, const char *name)
{
    int dirfd = self->folder->fd;
    struct stat there;

    if (renameat2(dirfd, self->temporary, dirfd, name, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (fstatat(dirfd, name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return false;
    }
    return renameat(dirfd, self->temporary, dirfd, name) == 0;
}

bool
bt_target_take(BtTarget *self, const char *name)
{
    if (self->temporary == NULL)
        return link_as(self, name);
    if (!rename_new(self, name))
        return false;
    g_clear_pointer(&self->temporary, g_free);
    return true;
}

bool
bt_target_replace(BtTarget *self, const char *name)
{
    int dirfd = self->folder->fd;

    if ((self->temporary == NULL && !take_temporary_name(self, 0)) ||
        renameat(dirfd, self->temporary, dirfd, name) != 0)
        return false;
    g_clear_pointer(&self->temporary, g_free);
    return true;
}
