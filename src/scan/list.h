/* SPDX-License-Identifier: MIT */
/*
 * A list of files and folders, read while it is being written. Supervisor. Inside the room only.
 *
 *   BtList *list = bt_list_new(fd, "standard input", '\n');
 *   while ((kind = bt_list_next(list, &entry, &error)) != BT_LIST_END) ...
 *   name = bt_list_place(entry, bases, &way);             bases: bt_list_bases()
 *
 * Entries end with a newline (or CR and newline), or with a NUL; the last one need not. Empty ones
 * are passed over, as is a byte order mark (UTF-8) at the beginning. One that is longer than
 * BT_LIST_ENTRY_MAX bytes, or has a NUL in a list of lines, is a problem, told by its number, and
 * the list goes on. A list that cannot be read is a problem, and ends.
 *
 * No call waits for a pipe that has nothing to tell, and what is held is one entry's worth of
 * bytes.
 */
#ifndef BT_SCAN_LIST_H
#define BT_SCAN_LIST_H

#include "base/error.h"
#include "base/fd.h"

#define BT_LIST_ENTRY_MAX 65536

typedef struct BtList BtList;

typedef enum BtListKind {
    BT_LIST_ENTRY,
    BT_LIST_PROBLEM, /* *error says what; the list goes on */
    BT_LIST_MORE,    /* nothing this time */
    BT_LIST_END
} BtListKind;

/* As in bt_scan_add_list(); takes fd. */
BtList *bt_list_new(BtFd fd, const char *shown_name, char separator);
void bt_list_free(BtList *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtList, bt_list_free)

/* One step: one read at most. out_entry, which is not empty, is lent until the next. */
BT_MUST_CHECK BtListKind bt_list_next(BtList *self, const char **out_entry, GError **error);

/* The descriptor to wait for when the last step found nothing to read yet; else -1. */
int bt_list_wait_fd(const BtList *self);

/* The absolute paths that the base of a list is known by, NULL at the end: the real one, and the
 * one that a shell shows for the current folder, if that led here through links. Owned; NULL with
 * errno. */
char **bt_list_bases(const char *folder, const char *current);

/* The name of what an entry is about, without empty and "." parts, and with each ".." taking back
 * the part before it, as written, whatever links there are; "" for the folder itself that it is
 * below. *out_way leads there from the base: "" for an entry below it, be it relative or absolute
 * and below one of `bases`; ".." or "../.." or further for one
 * that leads out of it; "/" for another absolute one. Both owned. */
char *bt_list_place(const char *entry, const char *const *bases, char **out_way);

#endif
