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

    self->fd = bt_fd_steal(fd);
    self->path = g_strdup_printf("%s%.*s", output, (int)name_length, name);
    self->name = self->path + strlen(self->path) - name_length;
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

static BtLedger *
get_ledger(BtFolder *self)
{
    if (self->ledger == NULL)
        self->ledger = bt_ledger_new(self->fd);
    return self->ledger;
}

/* Linux 6.13; its number is the same on every machine. */
#ifndef SYS_getxattrat
#define SYS_getxattrat 464
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
        return bt_ledger_get(get_ledger(self), name, file, out_record);
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
    return errno != ENOSPC && errno != EDQUOT &&
           bt_ledger_put(get_ledger(self), name, record, durable);
}

bool
bt_folder_remove(BtFolder *self, const char *name)
{
    struct stat ledger;

    return unlinkat(self->fd, name, 0) == 0 &&
           (fstatat(self->fd, BT_LEDGER_NAME, &ledger, AT_SYMLINK_NOFOLLOW) != 0 ||
            bt_ledger_put(get_ledger(self), name, NULL, false));
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
    (void)bt_fd_steal(&fd);
    while ((entry = readdir(dir)) != NULL)
        if (is_stale(entry->d_name))
            unlinkat(self->fd, entry->d_name, 0);
    closedir(dir);
}
