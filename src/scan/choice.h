/* SPDX-License-Identifier: MIT */
/*
 * Which files the options of a scan let in. Supervisor. Inside the room only.
 *
 * A file that is found has a name that is not hidden, that the rules take, is a picture, and has
 * the size and time that are wanted; these are asked in this order, for the first two cost no call.
 * Of a file that is given by name, less is asked.
 */
#ifndef BT_SCAN_CHOICE_H
#define BT_SCAN_CHOICE_H

#include "scan/scan.h"

#include <fcntl.h>

/* How a file is opened. Nothing waits: not for the writer of a FIFO, nor for a lease to be given
 * back. */
#define BT_CHOICE_FILE_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Whether a part of a name hides what is called by it. */
bool bt_choice_is_hidden(const BtScanOptions *options, const char *part);

/* Whether a folder below dirfd ("": this one itself) has the mark of one that holds results. Links
 * on the way there are followed. */
bool bt_choice_holds_results(const BtScanOptions *options, int dirfd, const char *folder);

/* How much of the name of what is found may lead through links. */
size_t bt_choice_followed(const BtScanOptions *options, const char *name);

/* Whether a regular file that is found is a picture, by its extension or its first bytes. */
bool bt_choice_is_picture(const BtScanOptions *options, int dirfd, const char *path);

/* Whether size and time of a file are those that are wanted. */
bool bt_choice_is_wanted(const BtScanOptions *options, const struct stat *what);

/* Whether nothing keeps out a file that is given by name. */
bool bt_choice_lets_in(const BtScanOptions *options, const char *name, const struct stat *what);

#endif
