/* SPDX-License-Identifier: MIT */
/*
 * Folders: that of the results while they are measured, and those of the sources. Supervisor.
 */
#ifndef BT_BENCH_SCRATCH_H
#define BT_BENCH_SCRATCH_H

#include "base/error.h"

#include <stddef.h>

/* A new folder below `parent`. NULL with *error. */
BT_MUST_CHECK char *bt_scratch_new(const char *parent, GError **error);

/* Removes a folder and all that is in it, without following links; returns how many files there
 * were whose names do not begin with a dot. What cannot be removed stays. */
size_t bt_scratch_remove(char *folder);

/* Takes every file below paths out of this machine's page cache (not out of the disk's own);
 * returns how many stay there, since they are in use or live in memory, as on tmpfs. */
size_t bt_scratch_make_cold(char *const *paths);

#endif
