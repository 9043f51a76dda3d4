/* SPDX-License-Identifier: MIT */
/*
 * How far a batch is, in one line: figures and a time in, text out. Pure; supervisor.
 *
 *   BtProgress *progress = bt_progress_new(now_ns);
 *   text = bt_progress_text(progress, &figures, now_ns, 80, false);
 *
 *   312/1,204 pictures  41/s  182 MB/s  ETA 0:22  2 failed  IMG_0042.jpg (24.1 MB)
 *
 * "1,204+" while more may be found. Rates are those of the last five seconds. The ETA goes by
 * bytes, and is "?" until everything is found and there is a rate to reckon with. A line that is
 * too long loses what matters least, the picture first.
 */
#ifndef BT_REPORT_PROGRESS_H
#define BT_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct BtProgressFigures {
    uint64_t n_found, n_done; /* pictures to be done, and done: failed ones too */
    uint64_t bytes_found, bytes_done;
    uint64_t n_failed;
    bool scanned;        /* no more will be found */
    const char *largest; /* path of the largest picture in work; NULL: none */
    uint64_t largest_bytes;
} BtProgressFigures;

typedef struct BtProgress BtProgress;

BtProgress *bt_progress_new(uint64_t now_ns);
void bt_progress_free(BtProgress *self);

/* At most `columns` columns wide on a terminal. coloured: with escape sequences for colours, which
 * take none. Times must not go backwards. Owned (g_free). */
char *bt_progress_text(BtProgress *self, const BtProgressFigures *figures, uint64_t now_ns,
                       int columns, bool coloured);

#endif
