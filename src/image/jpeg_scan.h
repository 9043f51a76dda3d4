/* SPDX-License-Identifier: MIT */
/*
 * One scan of a JPEG file, as far as the coefficients that are kept. Worker; inside jpeg_low.h
 * only.
 *
 *   scan = {...};                            the fields up to n_streams
 *   bt_jpeg_scan_run(&scan, &window)         false: any doubt
 *   bt_jpeg_scan_clear(&scan);
 *
 * A scan is cut into segments by restart markers (one segment where there are none), and a segment
 * is decoded in runs of whole MCUs, as many as the window holds. After the last one less than a
 * byte may be left.
 */
#ifndef BT_IMAGE_JPEG_SCAN_H
#define BT_IMAGE_JPEG_SCAN_H

#include "image/jpeg_clip.h"
#include "image/jpeg_low.h"
#include "image/jpeg_window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_JPEG_MCU_BLOCKS_MAX 10
#define BT_JPEG_TABLES_MAX     4

/* A code, and what is made of it for a scan. */
typedef struct BtJpegTable {
    bool defined, has_values;
    BtJpegHuffman code;
    BtJpegSymbols symbols;
    BtJpegAcValues values; /* of codes of AC coefficients, where some are read */
} BtJpegTable;

/* Bytes of a block, at most: 64 codes of 16 bits with 15 of value. */
#define BT_JPEG_BLOCK_BYTES_MAX 256
#define BT_JPEG_MCU_BYTES_MAX   (BT_JPEG_MCU_BLOCKS_MAX * BT_JPEG_BLOCK_BYTES_MAX)

/* Bytes at the end of a run that is not final, in which its last whole MCU ends. */
#define BT_JPEG_RUN_REST (2 * BT_JPEG_MCU_BYTES_MAX + 64)

typedef struct BtJpegBaseline BtJpegBaseline;

typedef struct BtJpegScan {
    int n_components;
    BtJpegLowComponent *components[BT_JPEG_LOW_COMPONENTS_MAX];
    bool progressive;
    int first, last; /* coefficients, in zigzag order */
    int high, low;   /* the bit positions before and after this scan; high 0: the first one */
    int interval;    /* MCUs from restart to restart; 0: none */
    const BtJpegTable *dc_tables; /* BT_JPEG_TABLES_MAX each */
    BtJpegTable *ac_tables;
    const uint8_t *weights; /* of sizes of AC values, of which blocks have the sum */
    const BtJpegClip *clip; /* NULL: DC coefficients stay as they are */
    int n_streams;
    int n_threads;

    /* Set by bt_jpeg_scan_run(): */
    BtJpegAcPasses *passes; /* of a scan of AC coefficients alone */
    int mcus_across, mcus_down;
    int mcu_blocks;
    int mcu;                                 /* the next one */
    uint16_t dc[BT_JPEG_LOW_COMPONENTS_MAX]; /* the last DC coefficient of each, modulo 2^16 */
    unsigned blank; /* further blocks that a scan of AC coefficients has nothing to say about */
    BtJpegBaseline *baseline;
} BtJpegScan;

/* A part of a segment: what is there to be decoded. */
typedef struct BtJpegRun {
    const uint8_t *data;
    uint64_t at;  /* bits: the beginning; moved to where the next MCU begins */
    size_t limit; /* bytes that are there */
    bool final;   /* the segment ends at limit; else more follows in the next window */
    int n_mcus;   /* that are left of the segment */
    bool guessed; /* no block need begin at `at` */
} BtJpegRun;

bool bt_jpeg_scan_run(BtJpegScan *self, BtJpegWindow *window);

/* Of a scan with restarts: the segments from scan->mcu to n_mcus, which a window of a scan that has
 * begun has to hold to its end. */
bool bt_jpeg_scan_segments(BtJpegScan *self, BtJpegWindow *window, int n_mcus);

void bt_jpeg_scan_clear(BtJpegScan *self);

/* Whether less than a byte is left behind the last block of a segment, which ends at bit `at`. */
static inline bool
bt_jpeg_is_at_end(uint64_t at, size_t end)
{
    return at <= 8 * end && at + 8 > 8 * end;
}

/* Blocks of one component that are decoded row by row: a scan of its own has no others. */
static inline bool
bt_jpeg_scan_is_single(const BtJpegScan *self)
{
    return self->n_components == 1;
}

#endif
