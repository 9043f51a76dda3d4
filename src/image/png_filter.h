/* SPDX-License-Identifier: MIT */
/*
 * PNG's filters, undone. Pure; any process.
 *
 *   bt_png_unfilter(rows, row_bytes, pixel_bytes, n_rows);             top to bottom
 *
 * What a pixel becomes needs the one to its left, so time is the latency of that chain: all bytes
 * of a pixel go through it at once, in as few steps as there can be; and where two rows follow each
 * other that have the filter of most rows, Paeth's, a pixel of one and a pixel of the other do.
 *
 * Follows: PNG (Third Edition), 9 Filtering. Paeth's choice as in stb_image: from the order of
 * three values instead of three distances.
 */
#ifndef BT_IMAGE_PNG_FILTER_H
#define BT_IMAGE_PNG_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_PNG_PIXEL_MAX 8 /* bytes: 4 samples of 16 bits */

/* How many bytes beyond the last row are read, and nothing is made of them. */
#define BT_PNG_SLACK BT_PNG_PIXEL_MAX

/* Undoes the filters of n_rows rows, in place. At rows there is first the row above them as it is
 * when undone (zeros for a picture's first), then they follow; row_bytes each, and each behind one
 * byte, the number of its filter. pixel_bytes: 1, 2, 3, 4, 6 or 8; divides row_bytes. False where
 * there is no such filter. */
bool bt_png_unfilter(uint8_t *rows, size_t row_bytes, int pixel_bytes, int n_rows);

#endif
