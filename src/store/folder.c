/* SPDX-License-Identifier: MIT */
#include "store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
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

static void
clear_folder(gpointer data)
{
    BtFolder *self = data;

    bt_fd_clear(&self->fd);
    g_free(self->path);
}

BtFolder *
bt_folder_new(const char *output, const char *name, size_t name_length, BtFd *fd)
{
    BtFolder *self = g_rc_box_new0(BtFolder);
    const char *slash = g_str_has_suffix(output, "/") ? "" : "/";

    self->fd = bt_fd_steal(fd);
    self->path = g_strdup_printf("%s%s%.*s", output, slash, (int)name_length, name);
    self->name = self->path + strlen(self->path) - name_length;
    return self;
}

BtFolder *
bt_folder_ref(BtFolder *self)
{
    return g_rc_box_acquire(self);
}

void
bt_folder_unref(BtFolder *self)
{
    if (self != NULL)
        g_rc_box_release_full(self, clear_folder);
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
