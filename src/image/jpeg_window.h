/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a JPEG file from its first scan on, read in pieces. Worker.
 *
 *   bt_jpeg_window_init(&window, ops, fd, at);
 *   bt_jpeg_window_read(&window, bytes, n);           headers
 *   bt_jpeg_window_begin(&window);                    a scan begins here
 *   bt_jpeg_window_fill(&window, n_used);             again and again, until window.ended
 *   bt_jpeg_window_skip_data(&window);                or: over the rest of a scan
 *   bt_jpeg_window_clear(&window);
 *
 * Entropy-coded data are destuffed: without the 00 that follows each FF, without fill bytes, and
 * without restart markers, whose places are noted and whose numbers have to be in order. Decoders
 * need not look for any of these. What is held at once does not depend on the file's size.
 *
 * Everything returns false where the file cannot be read or ends, or a restart is out of order.
 *
 * Follows: ITU-T T.81, B.1.1.5 (stuffing), E.1.4 (restarts).
 */
#ifndef BT_IMAGE_JPEG_WINDOW_H
#define BT_IMAGE_JPEG_WINDOW_H

#include "image/jpeg_ops.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BT_JPEG_WINDOW_RESTARTS_MAX 4096

typedef struct BtJpegWindow {
    /* Of the scan: */
    uint8_t *data;      /* BT_JPEG_DATA_SLACK zeros follow */
    size_t size;        /* bytes */
    size_t room;        /* bytes that it may have */
    uint32_t *restarts; /* bytes of data before each marker */
    int first_restart;  /* that was not passed */
    int n_restarts;
    bool ended; /* no more follow: the next marker in the file is another */

    const BtJpegOps *ops;
    int fd;             /* lent */
    off_t at;           /* in the file, of what is not read yet */
    uint8_t *piece;     /* what is read */
    size_t piece_at;    /* bytes of it that are used */
    size_t piece_size;  /* bytes */
    unsigned n_markers; /* restarts that were met */
} BtJpegWindow;

/* at: where in the file to begin. */
void bt_jpeg_window_init(BtJpegWindow *self, const BtJpegOps *ops, int fd, off_t at);
void bt_jpeg_window_clear(BtJpegWindow *self);

/* The next n bytes as they are; NULL: passed over. */
bool bt_jpeg_window_read(BtJpegWindow *self, uint8_t *out_bytes, size_t n);

void bt_jpeg_window_begin(BtJpegWindow *self);

/* Drops the first n_used bytes of data, and adds what there is room for. */
bool bt_jpeg_window_fill(BtJpegWindow *self, size_t n_used);

/* Makes room for twice as many data. False where that is too much. */
bool bt_jpeg_window_grow(BtJpegWindow *self);

/* Up to the marker that ends the scan. */
bool bt_jpeg_window_skip_data(BtJpegWindow *self);

#endif
