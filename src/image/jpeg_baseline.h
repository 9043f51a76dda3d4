/* SPDX-License-Identifier: MIT */
/*
 * Blocks that begin with a DC difference: those of sequential files, and of a progressive file's
 * first scan of DC coefficients. Worker; inside jpeg_low.h only.
 *
 * A run is decoded twice. First DC differences and ends of blocks are found, all else is passed
 * over, by several streams in step. Then, of blocks that keep AC coefficients, the first few
 * symbols are read again, for their values.
 *
 * Where there are restart markers each stream has a segment of its own. Within one segment streams
 * after the first begin at a place that is no block's beginning, as if it were one. Codes
 * that are read from a wrong place soon come to the right ones by themselves (after five blocks on
 * average); from then on such a stream decodes what a single one would have. That is not taken for
 * granted: the stream before goes on until one of its blocks ends where the later stream has begun
 * one of the same kind. From there on both must agree, since a block depends on nothing but its
 * place and its codes: differences are relative. A stream that is never met is dropped.
 */
#ifndef BT_IMAGE_JPEG_BASELINE_H
#define BT_IMAGE_JPEG_BASELINE_H

#include "image/jpeg_scan.h"

#include <stdbool.h>

/* False where the scan's tables are missing or it has too many blocks in an MCU. */
bool bt_jpeg_baseline_prepare(BtJpegScan *scan);
void bt_jpeg_baseline_free(BtJpegBaseline *self);

/* Gives a scan that is a copy of another one, which outlives it, buffers of its own. */
void bt_jpeg_baseline_copy(BtJpegScan *scan);

/* Takes what it can of a run, moves scan->mcu and run->at, and returns the number of MCUs; 0 for
 * any doubt. */
int bt_jpeg_baseline_run(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run);

/* Whether a stream has room for a segment of so many MCUs. */
bool bt_jpeg_baseline_has_room(const BtJpegScan *scan, int n_mcus);

/* Segments that follow each other, whole ones, each by a stream of its own; as many as the scan has
 * streams, at most. Moves scan->mcu and each at. False for any doubt. */
bool bt_jpeg_baseline_run_segments(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *runs,
                                   int n_runs);

/* Bytes of data that a run should have. */
size_t bt_jpeg_baseline_span(const BtJpegScan *scan);

/* Another thread's part of bt_jpeg_baseline_run(), in three steps: finds blocks of a run that is
 * `guessed`; joins them, once it is known where the run begins (run->at) and with which DC
 * coefficients, and returns how many MCUs there are, *out_at where they end, and in dc the last
 * coefficients; places them. Only the second step has to wait for the run before. The join may find
 * no MCUs, which is no doubt: bt_jpeg_baseline_run() can go on from there. */
void bt_jpeg_baseline_guess(BtJpegScan *scan, const BtJpegOps *ops, const BtJpegRun *run);
int bt_jpeg_baseline_join(const BtJpegScan *scan, const BtJpegRun *run, uint64_t *out_at,
                          uint16_t dc[BT_JPEG_LOW_COMPONENTS_MAX]);
void bt_jpeg_baseline_place(BtJpegScan *scan, BtJpegRun *run, int n_mcus);

#endif
