/* SPDX-License-Identifier: MIT */
/*
 * Which files the options of a scan let in. Supervisor. Inside the room only.
 *
 * Of a file that is found they are asked in this order, with the rules after the first, for these
 * two cost no call.
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

/* Whether a regular file is a picture, by its extension or its first bytes. Of its path, the first
 * `given` bytes may lead through links. */
bool bt_choice_is_picture(int dirfd, const char *path, size_t given);

/* Whether size and time of a file are those that are wanted. */
bool bt_choice_is_wanted(const BtScanOptions *options, const struct stat *what);

#endif
