/* SPDX-License-Identifier: MIT */
/*
 * One scan of DC coefficients by several threads ("lanes"), the caller's among them. Worker; inside
 * jpeg_low.h only.
 *
 * A lane takes the next piece of data, in order; decodes it together with the others; and places
 * its blocks where no other lane does. Where there are restart markers, a piece is whole segments,
 * whose number says where they belong. Else it is guessed where blocks begin (jpeg_baseline.h), and
 * a lane waits for the end of the piece before to join its own to it: a turn takes far less time
 * than a piece. What a single thread would have found is found, and doubted.
 *
 * No lane is left running at the end. The threads count as the process's memory: a small stack, and
 * about 2 MB of buffers each.
 */
#ifndef BT_IMAGE_JPEG_LANES_H
#define BT_IMAGE_JPEG_LANES_H

#include "image/jpeg_scan.h"

#include <stdbool.h>

/* As bt_jpeg_scan_segments(), of a whole scan that was prepared; scan->mcu and the like stay. */
bool bt_jpeg_lanes_run(BtJpegScan *scan, BtJpegWindow *window);

#endif
