/* SPDX-License-Identifier: MIT */
#include "scan/choice.h"

#include "base/path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What this program's own files are called, to begin with. */
#define OWN_PREFIX ".blurthumb"

/* Where a Synology NAS keeps its own thumbnails of the pictures in a folder. */
#define THUMBNAILS "@eaDir"

bool
bt_choice_is_hidden(const BtScanOptions *options, const char *part)
{
    return ((*part == '.' || strcmp(part, THUMBNAILS) == 0) && !options->hidden) ||
           g_str_has_prefix(part, OWN_PREFIX);
}

bool
bt_choice_holds_results(const BtScanOptions *options, int dirfd, const char *folder)
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
    fd = bt_path_open_given(dirfd, path, strlen(folder), BT_CHOICE_FILE_FLAGS);
    return fd >= 0 && pread(fd, bytes, size, 0) == (ssize_t)size &&
           memcmp(bytes, options->marker_text, size) == 0;
}

/* Looking leaves no trace in the access time where that is allowed: to the owner. */
bool
bt_choice_is_picture(int dirfd, const char *path, size_t given)
{
    g_auto(BtFd) fd = -1;
    char bytes[BT_FORMAT_MAGIC_BYTES];
    BtFormat format;
    ssize_t n;

    if (bt_format_of_extension(path) != BT_FORMAT_NONE)
        return true;
    fd = bt_path_open_given(dirfd, path, given, BT_CHOICE_FILE_FLAGS | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = bt_path_open_given(dirfd, path, given, BT_CHOICE_FILE_FLAGS);
    if (fd < 0 || (n = pread(fd, bytes, sizeof bytes, 0)) <= 0)
        return false;
    format = bt_format_of_bytes(bytes, (size_t)n);
    return format != BT_FORMAT_NONE && format != BT_FORMAT_TIFF;
}

bool
bt_choice_is_wanted(const BtScanOptions *options, const struct stat *what)
{
    const struct timespec *limit = &options->newer_than, *time = &what->st_mtim;
    uint64_t bytes = (uint64_t)what->st_size;

    return bytes >= options->min_bytes &&
           (options->max_bytes == 0 || bytes <= options->max_bytes) &&
           ((limit->tv_sec == 0 && limit->tv_nsec == 0) || time->tv_sec > limit->tv_sec ||
            (time->tv_sec == limit->tv_sec && time->tv_nsec > limit->tv_nsec));
}
