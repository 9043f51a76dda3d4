/* SPDX-License-Identifier: MIT */
/*
 * Why more workers are not more speed, and what makes figures doubtful. Pure.
 *
 * n workers that take T seconds have n T worker-seconds. Serially the pictures alone took B of
 * processing. What is more than B was lost, and went, all of it, to one of these:
 *
 *     start       n (T - E)            before and after the batch, which lasted E
 *     idle        n E - b              no picture to work at, where pictures took b in all
 *     processors  c - C                CPU time that they took more than the C of the serial run
 *     waits       (b - B) - (c - C)    in the middle of a picture, for a disk or a processor
 *
 * (the last two at least 0). E, b, B come from blurthumb's own clock, T, c, C from the kernel's.
 */
#ifndef BT_BENCH_VERDICT_H
#define BT_BENCH_VERDICT_H

#include "bench/study.h"

typedef struct BtLosses {
    double work; /* worker-seconds, all: B */
    double start, idle, processors, waits;
} BtLosses;

/* row is one of workers. Medians of each. */
BtLosses bt_verdict_losses(const BtRow *serial, const BtRow *row);

/* Amdahl's law through serial and every row of workers that has a processor for each. False where
 * there is one number of workers only. */
BT_MUST_CHECK bool bt_verdict_fit(const BtStudy *study, BtAmdahl *out_fit);

/* Sentences: what was reached, and what stands in the way. Owned (g_strfreev). */
char **bt_verdict_tell(const BtStudy *study);

/* Sentences: commands that failed, noise, outliers, runs too short, a busy machine. The same. */
char **bt_verdict_warn(const BtStudy *study);

#endif
