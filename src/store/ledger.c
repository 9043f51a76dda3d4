/* SPDX-License-Identifier: MIT */
#include "store/ledger.h"

#include "base/fd.h"
#include "base/path.h"
#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PIECE_BYTES   65536
#define OLD_LINES_MIN 64                  /* fewer are not worth writing anew */
#define FAT_FIRST_S   INT64_C(315532800)  /* 1980-01-01 */
#define FAT_LAST_S    INT64_C(4354819198) /* 2107-12-31 23:59:58 */
#define QUARTER_S     (15 * 60)
#define ZONES_S       (26 * 3600)
#define TRIES_MAX     100 /* to lock a file that is replaced; inodes may mean nothing there */

/* The last two records of a name; the newer first. */
typedef struct Entry {
    BtRecord records[2];
    int n_records;
} Entry;

struct BtLedger {
    int dirfd;
    BtFd fd;             /* of what was read; -1: none */
    off_t read_to;       /* of it: behind the last whole line */
    GHashTable *entries; /* name => Entry */
    guint n_lines;
};

static void
forget_all(BtLedger *self)
{
    bt_fd_clear(&self->fd);
    g_hash_table_remove_all(self->entries);
    self->read_to = 0;
    self->n_lines = 0;
}

static void
remember(BtLedger *self, const char *name, BtRecord record)
{
    Entry *entry = g_hash_table_lookup(self->entries, name);

    if (entry == NULL) {
        entry = g_new0(Entry, 1);
        g_hash_table_insert(self->entries, g_strdup(name), entry);
    }
    if (entry->n_records > 0 && memcmp(&entry->records[0], &record, sizeof record) == 0)
        return; /* made again after a crash: the other may be that of what is there */
    entry->records[1] = entry->records[0];
    entry->records[0] = record;
    entry->n_records = MIN(entry->n_records + 1, 2);
}

/* A line without its end. A record of a later version does not push out one of ours. */
static void
take_line(BtLedger *self, char *line)
{
    char *space = strrchr(line, ' ');
    g_autofree char *name = space != NULL ? g_uri_unescape_string(space + 1, NULL) : NULL;
    BtRecord record;

    self->n_lines++;
    if (name == NULL)
        return;
    *space = '\0';
    if (strcmp(line, "-") == 0)
        g_hash_table_remove(self->entries, name);
    else if ((record = bt_record_parse(line)).settings != 0)
        remember(self, name, record);
}

/* All whole lines that were written since the last time. */
static void
read_on(BtLedger *self)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *piece = g_malloc(PIECE_BYTES);
    ssize_t n;

    while ((n = bt_fd_read_at(self->fd, piece, PIECE_BYTES, self->read_to + (off_t)text->len)) > 0)
        g_string_append_len(text, piece, n);
    for (char *line = text->str, *end;
         (end = memchr(line, '\n', text->len - (gsize)(line - text->str))) != NULL;
         line = end + 1) {
        *end = '\0';
        self->read_to += end + 1 - line;
        take_line(self, line);
    }
}

static bool
is_same_file(int fd, const struct stat *named)
{
    struct stat own;

    return fd >= 0 && fstat(fd, &own) == 0 && own.st_dev == named->st_dev &&
           own.st_ino == named->st_ino;
}

/* Reads what another run, or this one, has written meanwhile. */
static void
refresh(BtLedger *self)
{
    struct stat named;

    if (bt_path_stat(self->dirfd, BT_LEDGER_NAME, &named) != 0) {
        forget_all(self);
        return;
    }
    if (!is_same_file(self->fd, &named) || named.st_size < self->read_to) {
        forget_all(self);
        self->fd = bt_path_open(self->dirfd, BT_LEDGER_NAME, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    }
    if (self->fd >= 0 && named.st_size > self->read_to)
        read_on(self);
}

/* Opens the file that has the name, locked. -1 with errno. */
static BtFd
open_locked(const BtLedger *self)
{
    for (int tries = 0;; tries++) {
        g_auto(BtFd) fd = bt_path_open(self->dirfd, BT_LEDGER_NAME,
                                       O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0666);
        struct stat named;

        if (fd < 0)
            return -1;
        /* A file system without locks has no second writer that would mind. */
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
            ;
        if (tries == TRIES_MAX ||
            (bt_path_stat(self->dirfd, BT_LEDGER_NAME, &named) == 0 && is_same_file(fd, &named)))
            return g_steal_fd(&fd);
    }
}

static void
print_line(GString *out, const BtRecord *record, const char *name)
{
    g_autofree char *escaped = g_uri_escape_string(name, NULL, FALSE);
    char text[BT_RECORD_BYTES_MAX] = "-";

    if (record != NULL)
        bt_record_print(record, text);
    g_string_append_printf(out, "%s %s\n", text, escaped);
}

static bool
write_all(int fd, const GString *text)
{
    ssize_t n = write(fd, text->str, text->len);

    if (n >= 0 && (gsize)n < text->len)
        errno = ENOSPC;
    return n >= 0 && (gsize)n == text->len;
}

/* Writes the lines that count into a new file, which takes the old one's place. Where that fails
 * the old one is as good. */
static void
write_anew(BtLedger *self)
{
    g_autofree char *temporary = bt_folder_temporary_name();
    g_auto(BtFd) fd = bt_path_open(self->dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
    g_autoptr(GString) text = g_string_new(NULL);
    GHashTableIter entries;
    gpointer name, value;

    g_hash_table_iter_init(&entries, self->entries);
    while (g_hash_table_iter_next(&entries, &name, &value)) {
        const Entry *entry = value;

        for (int i = entry->n_records - 1; i >= 0; i--)
            print_line(text, &entry->records[i], name);
    }
    if (fd >= 0 && (!write_all(fd, text) || fsync(fd) != 0 ||
                    renameat(self->dirfd, temporary, self->dirfd, BT_LEDGER_NAME) != 0))
        unlinkat(self->dirfd, temporary, 0);
}

static bool
has_whole_lines(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char last = '\n';

    return size <= 0 || (bt_fd_read_at(fd, &last, 1, size - 1) == 1 && last == '\n');
}

/* Whether a file system without attributes may show a time so: FAT keeps none outside 1980 to 2107,
 * and it keeps local time, which moves by quarters of an hour, a day and two hours at most, with
 * the zone and the season. */
static bool
is_kept_time(struct timespec time, struct timespec shown)
{
    int64_t shift;

    if (bt_record_is_same_time(time, shown))
        return true;
    if (time.tv_sec < FAT_FIRST_S || time.tv_sec > FAT_LAST_S)
        time = (struct timespec){CLAMP(time.tv_sec, FAT_FIRST_S, FAT_LAST_S), 0};
    shift = CLAMP(shown.tv_sec, 0, 2 * FAT_LAST_S) - time.tv_sec;
    if (ABS(shift) > ZONES_S + 2)
        return false;
    /* To the nearest quarter: the grain may have cut up to two seconds. */
    shown.tv_sec -= (shift + ZONES_S + QUARTER_S / 2) / QUARTER_S * QUARTER_S - ZONES_S;
    return bt_record_is_same_time(time, shown);
}

BtLedger *
bt_ledger_new(int dirfd)
{
    BtLedger *self = g_new0(BtLedger, 1);

    self->dirfd = dirfd;
    self->fd = -1;
    self->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void
bt_ledger_free(BtLedger *self)
{
    if (self == NULL)
        return;
    bt_fd_clear(&self->fd);
    g_hash_table_unref(self->entries);
    g_free(self);
}

bool
bt_ledger_get(BtLedger *self, const char *name, const struct stat *file, BtRecord *out_record)
{
    const Entry *entry;

    refresh(self);
    entry = g_hash_table_lookup(self->entries, name);
    for (int i = 0; entry != NULL && i < entry->n_records; i++) {
        const BtRecord *record = &entry->records[i];

        if (record->bytes == (uint64_t)file->st_size &&
            is_kept_time(record->source_time, file->st_mtim)) {
            *out_record = *record;
            return true;
        }
    }
    return false;
}

bool
bt_ledger_knows(const BtLedger *self, const char *name)
{
    return g_hash_table_contains(self->entries, name);
}

bool
bt_ledger_put(BtLedger *self, const char *name, const BtRecord *record, bool durable)
{
    g_auto(BtFd) fd = open_locked(self);
    g_autoptr(GString) line = g_string_new(NULL);

    if (fd < 0)
        return false;
    if (!has_whole_lines(fd))
        g_string_append_c(line, '\n');
    print_line(line, record, name);
    if (!write_all(fd, line) || (durable && fsync(fd) != 0))
        return false;
    refresh(self);
    /* Never from a part of it, after a failure to read; if it fails the old one is as good. */
    if (self->n_lines > OLD_LINES_MIN + 4 * g_hash_table_size(self->entries) &&
        self->read_to == lseek(fd, 0, SEEK_END))
        write_anew(self);
    return true;
}
