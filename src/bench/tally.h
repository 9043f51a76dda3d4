/* SPDX-License-Identifier: MIT */
/*
 * What blurthumb --json says of a batch, from its events (report/events.h). Pure.
 */
#ifndef BT_BENCH_TALLY_H
#define BT_BENCH_TALLY_H

#include "base/error.h"

typedef struct BtTally {
    double n_processed, n_failed, pixels, source_bytes;
    double decode_seconds, kernel_seconds, encode_seconds; /* of all workers together */
    double elapsed_seconds;                                /* without the program's own start */
    double longest_seconds;                                /* the picture that took longest */
    int n_workers;                                         /* 1 where serial */
} BtTally;

/* text is all that was written. False without a whole last event. */
BT_MUST_CHECK bool bt_tally_parse(const char *text, BtTally *out_tally, GError **error);

/* Decoding, kernel and encoding. */
double bt_tally_busy(const BtTally *self);

/* Worker-seconds of the batch in which a worker had none of these to do. */
double bt_tally_waiting(const BtTally *self);

#endif
