/* SPDX-License-Identifier: MIT */
#include "store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TEMPORARY_SUFFIX ".tmp"

static const char *
temporary_prefix(void)
{
    static char *prefix;

    if (prefix == NULL) {
        g_autofree char *host = g_strdelimit(g_strdup(g_get_host_name()), "/", '_');
        struct stat pids = {0};

        stat("/proc/self/ns/pid", &pids);
        prefix = g_strdup_printf(".blurthumb-%s.%lu-", host, (unsigned long)pids.st_ino);
    }
    return prefix;
}

/* Whether this is the name of a temporary whose process is no more. */
static gboolean
is_stale(const char *name)
{
    const char *prefix = temporary_prefix();
    gint64 pid;
    char *end;

    if (!g_str_has_prefix(name, prefix) || !g_str_has_suffix(name, TEMPORARY_SUFFIX))
        return FALSE;
    pid = g_ascii_strtoll(name + strlen(prefix), &end, 10);
    return *end == '-' && pid > 0 && pid <= INT_MAX && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

BtFolder *
bt_folder_new(const char *output, const char *name, size_t name_length, BtFd *fd)
{
    BtFolder *self = g_new0(BtFolder, 1);

    self->fd = g_steal_fd(fd);
    self->path = g_strdup_printf("%s%.*s", output, (int)name_length, name);
    self->name = self->path + strlen(self->path) - name_length;
    self->ledger = bt_ledger_new(self->fd);
    return self;
}

void
bt_folder_free(BtFolder *self)
{
    if (self == NULL)
        return;
    bt_ledger_free(self->ledger);
    bt_fd_clear(&self->fd);
    g_free(self->path);
    g_free(self);
}

/* Linux 6.13; its number is the same on every machine. */
#ifndef SYS_getxattrat
#define SYS_getxattrat 464
#endif

#ifndef RENAME_NOREPLACE /* musl */
#define RENAME_NOREPLACE 1
#define renameat2(...)   syscall(SYS_renameat2, __VA_ARGS__)
#endif

typedef struct XattrArgs {
    uint64_t value; /* a pointer */
    uint32_t size, flags;
} XattrArgs;

/* The attribute of a file, by its name: in one call, or by way of /proc, or of the open file. Its
 * length; -1 with errno. */
static ssize_t
get_attribute(const BtFolder *self, const char *name, char *text, size_t size)
{
    static bool is_old; /* the kernel, or a filter around us */
    char path[sizeof "/proc/self/fd//" + 3 * sizeof self->fd + NAME_MAX];
    XattrArgs args = {.value = (uintptr_t)text, .size = (uint32_t)size};
    g_auto(BtFd) fd = -1;
    ssize_t n;

    if (!is_old) {
        n = syscall(SYS_getxattrat, self->fd, name, AT_SYMLINK_NOFOLLOW, BT_RECORD_ATTRIBUTE, &args,
                    sizeof args);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM))
            return n;
        is_old = true;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", self->fd, name);
    if ((n = lgetxattr(path, BT_RECORD_ATTRIBUTE, text, size)) >= 0 || errno != ENOENT)
        return n;
    fd = openat(self->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? fgetxattr(fd, BT_RECORD_ATTRIBUTE, text, size) : -1;
}

bool
bt_folder_get_record(BtFolder *self, const char *name, const struct stat *file,
                     BtRecord *out_record)
{
    char text[BT_RECORD_BYTES_MAX] = "";
    ssize_t n = get_attribute(self, name, text, sizeof text - 1);

    if (n < 0 && errno != ERANGE)
        return bt_ledger_get(self->ledger, name, file, out_record);
    text[MAX(n, 0)] = '\0';
    *out_record = bt_record_parse(text);
    return true;
}

bool
bt_folder_put_record(BtFolder *self, int fd, const char *name, const BtRecord *record, bool durable)
{
    char text[BT_RECORD_BYTES_MAX];

    bt_record_print(record, text);
    if (fsetxattr(fd, BT_RECORD_ATTRIBUTE, text, strlen(text), 0) == 0)
        return true;
    /* EIO, too, may say that there are no attributes: on mounts by rclone. */
    return errno != ENOSPC && errno != EDQUOT && bt_ledger_put(self->ledger, name, record, durable);
}

bool
bt_folder_remove(BtFolder *self, const char *name)
{
    struct stat ledger;

    return unlinkat(self->fd, name, 0) == 0 &&
           (fstatat(self->fd, BT_LEDGER_NAME, &ledger, AT_SYMLINK_NOFOLLOW) != 0 ||
            bt_ledger_put(self->ledger, name, NULL, false));
}

char *
bt_folder_temporary_name(void)
{
    static unsigned n;

    return g_strdup_printf("%s%d-%u" TEMPORARY_SUFFIX, temporary_prefix(), (int)getpid(), n++);
}

/* The folder is open without the right to read it, as fsync() wants it. */
static BtFd
reopen(int fd, const char *name)
{
    return openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool
bt_folder_sync(const BtFolder *self)
{
    g_auto(BtFd) fd = reopen(self->fd, ".");

    return fd >= 0 && fsync(fd) == 0;
}

bool
bt_folder_sync_above(const BtFolder *self)
{
    g_auto(BtFd) fd = reopen(self->fd, ".");

    /* One more than there are slashes: a new output folder has a name, too. */
    for (const char *rest = self->name; rest != NULL; rest = strchr(rest, '/')) {
        BtFd above = fd >= 0 ? reopen(fd, "..") : -1;

        bt_fd_clear(&fd);
        fd = above;
        if (fd < 0 || fsync(fd) != 0)
            return false;
        rest += *rest == '/';
    }
    return true;
}

void
bt_folder_sweep(const BtFolder *self)
{
    g_auto(BtFd) fd = reopen(self->fd, ".");
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (dir == NULL)
        return;
    (void)g_steal_fd(&fd);
    while ((entry = readdir(dir)) != NULL)
        if (is_stale(entry->d_name))
            unlinkat(self->fd, entry->d_name, 0);
    closedir(dir);
}

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
