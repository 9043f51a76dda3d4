/* SPDX-License-Identifier: MIT */
#include "scan/choice.h"

#include "base/path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What this program's own files are called, to begin with. */
#define OWN_PREFIX ".blurthumb"

/* Whether the first bytes of a file are a picture's. Looking leaves no trace in its access time
 * where that is allowed: to its owner. */
static bool
has_picture_bytes(int dirfd, const char *path, size_t given)
{
    g_auto(BtFd) fd = bt_path_open_given(dirfd, path, given, BT_CHOICE_FILE_FLAGS | O_NOATIME);
    char bytes[BT_FORMAT_MAGIC_BYTES];
    BtFormat format;
    ssize_t n;

    if (fd < 0 && errno == EPERM)
        fd = bt_path_open_given(dirfd, path, given, BT_CHOICE_FILE_FLAGS);
    if (fd < 0 || (n = pread(fd, bytes, sizeof bytes, 0)) <= 0)
        return false;
    format = bt_format_of_bytes(bytes, (size_t)n);
    return format != BT_FORMAT_NONE && format != BT_FORMAT_TIFF;
}

static bool
is_later(const struct timespec *time, const struct timespec *other)
{
    return time->tv_sec != other->tv_sec ? time->tv_sec > other->tv_sec
                                         : time->tv_nsec > other->tv_nsec;
}

static bool
has_wanted_time(const BtScanOptions *options, const struct stat *what)
{
    const struct timespec *limit = &options->newer_than;

    return (limit->tv_sec == 0 && limit->tv_nsec == 0) || is_later(&what->st_mtim, limit);
}

bool
bt_choice_is_hidden(const BtScanOptions *options, const char *part)
{
    return *part == '.' && (!options->hidden || g_str_has_prefix(part, OWN_PREFIX));
}

bool
bt_choice_is_met(const BtScanOptions *options, const char *name)
{
    unsigned depth = 0;

    for (const char *part = name, *slash; part != NULL; part = slash != NULL ? slash + 1 : NULL) {
        if (bt_choice_is_hidden(options, part))
            return false;
        slash = strchr(part, '/');
        depth++;
    }
    return (options->max_depth == 0 || depth <= options->max_depth) &&
           bt_rules_take(options->rules, name) && !bt_rules_bar(options->rules, name);
}

size_t
bt_choice_followed(const BtScanOptions *options, const char *name)
{
    return options->follow ? strlen(name) : 0;
}

bool
bt_choice_is_picture(const BtScanOptions *options, int dirfd, const char *path)
{
    return bt_format_of_extension(path) != BT_FORMAT_NONE ||
           has_picture_bytes(dirfd, path, bt_choice_followed(options, path));
}

bool
bt_choice_is_wanted(const BtScanOptions *options, const struct stat *what)
{
    uint64_t bytes = (uint64_t)what->st_size;

    return bytes >= options->min_bytes &&
           (options->max_bytes == 0 || bytes <= options->max_bytes) &&
           has_wanted_time(options, what);
}

bool
bt_choice_lets_in(const BtScanOptions *options, const char *name, const struct stat *what)
{
    return !bt_rules_exclude(options->rules, name, false) && !bt_rules_bar(options->rules, name) &&
           bt_choice_is_wanted(options, what);
}
