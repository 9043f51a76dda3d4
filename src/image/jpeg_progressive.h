/* SPDX-License-Identifier: MIT */
/*
 * The scans of a progressive file that are not first scans of DC coefficients (jpeg_baseline.h has
 * those). Worker; inside jpeg_low.h only.
 *
 * A scan that refines AC coefficients has a bit for each one that is not zero yet, wherever they
 * are in the block, and so cannot be followed without knowing which these are: one bit for each of
 * a block's coefficients, which is what components keep in `nonzero`.
 *
 * Follows: ITU-T T.81, G.1.2 and G.2; libjpeg's jdphuff.c.
 */
#ifndef BT_IMAGE_JPEG_PROGRESSIVE_H
#define BT_IMAGE_JPEG_PROGRESSIVE_H

#include "image/jpeg_scan.h"

/* Each takes what it can of a run, moves scan->mcu and run->at, and returns the number of MCUs; 0
 * for any doubt. */
int bt_jpeg_refine_dc(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run);
int bt_jpeg_first_ac(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run);
int bt_jpeg_refine_ac(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run);

#endif
