/* SPDX-License-Identifier: MIT */
/*
 * From blocks that were found (jpeg_baseline.h) to coefficients in planes: sums up DC differences,
 * reads those AC coefficients that are kept, and corrects what a decode at full size cuts off.
 * Worker; inside jpeg_low.h only.
 */
#ifndef BT_IMAGE_JPEG_PLACE_H
#define BT_IMAGE_JPEG_PLACE_H

#include "image/jpeg_scan.h"

/* Puts the blocks of n_mcus MCUs, 1 or more, where they belong, and moves scan->mcu and run->at
 * behind them. The first block begins at run->at; all are known to be sound. */
void bt_jpeg_place(BtJpegScan *scan, BtJpegRun *run, const BtJpegBlock *blocks, int n_mcus);

#endif
