/* SPDX-License-Identifier: MIT */
/*
 * A process and all that descend from it. Supervisor.
 *
 * Orphans among our descendants become our own children (bt_family_adopt()), so none is lost from
 * sight: after a command has ended, what it left behind is found and ended here.
 */
#ifndef BT_BENCH_FAMILY_H
#define BT_BENCH_FAMILY_H

#include <stdint.h>
#include <sys/types.h>

typedef struct BtFamily {
    int n_processes;
    uint64_t bytes; /* in memory; pages of several processes are shared out among them (Pss). Of a
                     * process that does not let us look, all that it has (resident in statm). */
} BtFamily;

/* From now on orphans come to this process. */
void bt_family_adopt(void);

/* One look at pid and its descendants. They come and go meanwhile: an estimate. */
BtFamily bt_family_look(pid_t pid);

/* Kills and reaps every descendant of this process. */
void bt_family_end(void);

#endif
