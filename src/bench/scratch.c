/* SPDX-License-Identifier: MIT */
#include "bench/scratch.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

typedef bool (*Visit)(const FTSENT *entry);

/* How many entries visit() was true for. */
static size_t
walk(char *const *paths, Visit visit)
{
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    size_t n = 0;

    if (tree == NULL)
        return 0;
    for (const FTSENT *entry; (entry = fts_read(tree)) != NULL;)
        n += visit(entry);
    fts_close(tree);
    return n;
}

char *
bt_scratch_new(const char *parent, GError **error)
{
    char *folder = g_build_filename(parent, "blurthumb-bench-XXXXXX", NULL);

    if (g_mkdtemp(folder) != NULL)
        return folder;
    bt_error_set_system(error, errno, "cannot make a folder in %s", parent);
    g_free(folder);
    return NULL;
}

static bool
remove_entry(const FTSENT *entry)
{
    if (entry->fts_info != FTS_D)
        remove(entry->fts_accpath);
    return entry->fts_info == FTS_F && entry->fts_name[0] != '.';
}

size_t
bt_scratch_remove(char *folder)
{
    return walk((char *const[]){folder, NULL}, remove_entry);
}

static bool
stays_warm(const FTSENT *entry)
{
    g_auto(BtFd) fd =
        entry->fts_info == FTS_F ? open(entry->fts_accpath, O_RDONLY | O_CLOEXEC) : -1;
    char byte;
    struct iovec one = {&byte, 1};

    if (fd < 0)
        return false;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    /* Only what is in memory can be read without waiting. */
    return preadv2(fd, &one, 1, 0, RWF_NOWAIT) == 1;
}

size_t
bt_scratch_make_cold(char *const *paths)
{
    return walk(paths, stays_warm);
}
