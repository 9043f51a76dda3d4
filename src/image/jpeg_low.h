/* SPDX-License-Identifier: MIT */
/*
 * The lowest coefficients of a JPEG file: all that a picture at 1/4 and coarser is made of. Worker;
 * for hostile bytes.
 *
 *   jpeg_read_header(&jpeg, TRUE);                              libjpeg has the header and tables
 *   BtJpegLow *low = bt_jpeg_low_read(&jpeg, shrink, &source);  NULL: not for here, or any doubt
 *   bt_jpeg_low_samples(low, i, row, samples)                   rows of component i, top to bottom
 *   bt_jpeg_low_free(low);
 *
 * A decoder that wants every coefficient spends most of its time on bits whose values are thrown
 * away when the picture is shrunk. This one keeps of each block the DC coefficient, its mean, and
 * passes over the rest; where a block of a component covers more px than `shrink` in a direction,
 * since chroma was subsampled or the shrink is 4, it keeps the lowest AC coefficients in that
 * direction, too, and makes two samples of the block or four, the means of its parts but for higher
 * frequencies, which a blur removes.
 *
 * What it accepts. Sequential and progressive files with Huffman codes, whose every scan, restart
 * and block is as it should be, to the last bit. Everything else is a doubt, for libjpeg to judge:
 * neither the file's offset nor the header's state has changed. What is accepted has the same
 * coefficients as jpeg_read_coefficients() finds, bit for bit, but for what `clips` corrects.
 *
 *   jpeg_low.c           headers of scans; which are needed
 *   jpeg_scan.c          one scan: restarts, and the data piece by piece (jpeg_window.h)
 *   jpeg_lanes.c         several threads in one scan
 *   jpeg_baseline.c      blocks of sequential files, and first scans of DC coefficients
 *   jpeg_place.c         and from them to coefficients
 *   jpeg_progressive.c   the other scans of progressive files
 *   jpeg_clip.c          what a decode at full size would cut off
 *   jpeg_samples.c       coefficients to samples
 *
 * Follows: ITU-T T.81, F.2 and G.2. Several streams in one scan from places that are found blindly:
 * codes synchronize by themselves (Klein and Wiseman, "Parallel Huffman decoding with applications
 * to JPEG files", 2003).
 */
#ifndef BT_IMAGE_JPEG_LOW_H
#define BT_IMAGE_JPEG_LOW_H

#include "image/jpeg_ops.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BT_JPEG_LOW_COMPONENTS_MAX 3

/* The coefficients that may be kept are the first in zigzag order: up to three half waves. */
#define BT_JPEG_LOW_KEPT_MAX  10
#define BT_JPEG_LOW_PARTS_MAX 16 /* of a block */
#define BT_JPEG_LOW_STRIP     64 /* blocks whose samples are made at a time */

/* The half waves of each. */
extern const struct BtJpegLowWaves {
    uint8_t across, down;
} bt_jpeg_low_waves[BT_JPEG_LOW_KEPT_MAX];

typedef struct BtJpegLowComponent {
    int across, down;                      /* sampling factors */
    int width, height;                     /* blocks that a picture of its size takes */
    int stride, n_rows;                    /* blocks of whole MCUs, at least as many */
    int samples_across, samples_down;      /* of a block: 1, 2 or 4 */
    int quantizers[BT_JPEG_LOW_KEPT_MAX];  /* 1 to 32767 */
    int16_t *values[BT_JPEG_LOW_KEPT_MAX]; /* [n_rows][stride] and room for another
                                              strip; NULL: not kept */
    int last;                              /* kept coefficient; 0: DC alone */
    uint64_t *nonzero;                     /* of each block, which coefficients are, in zigzag
                                              order; NULL where no scan needs it */
    int dc_table, ac_table;                /* of the scan */
} BtJpegLowComponent;

typedef struct BtJpegLow {
    int n_components;
    BtJpegLowComponent components[BT_JPEG_LOW_COMPONENTS_MAX];
    char *planes; /* the memory of all */
    off_t end;    /* in the file: of the picture, but for its EOI */
} BtJpegLow;

/* Where the data of the first scan are, and how to decode them. */
typedef struct BtJpegLowSource {
    int fd;   /* lent */
    off_t at; /* just behind the header of the first scan */
    const BtJpegOps *ops;
    int n_streams; /* 1 to BT_JPEG_STREAMS_MAX; the coefficients do not depend on it, */
    int n_threads; /* nor on this: 1 or more, with the caller's; none is left running */
    bool clips;    /* DC coefficients become those of what a decode at full size cuts off, in
                      sequential files of one scan; else they are the file's */
} BtJpegLowSource;

struct jpeg_decompress_struct;

/* header: what jpeg_read_header() has left. shrink: px between two samples of the finest component
 * or of a coarser one, at most; >= 4. */
BtJpegLow *bt_jpeg_low_read(const struct jpeg_decompress_struct *header, int shrink,
                            const BtJpegLowSource *source);
void bt_jpeg_low_free(BtJpegLow *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtJpegLow, bt_jpeg_low_free)

/* The samples of one row of blocks of a component: samples_down rows, stride bytes from one to the
 * next, of samples_across for each of its `width` blocks. Blocks that have one sample have the one
 * that libjpeg makes at 1/8. */
void bt_jpeg_low_samples(const BtJpegLow *self, int component, int row, const BtJpegOps *ops,
                         uint8_t *out, ptrdiff_t stride);

/* Brings those of n colours that lie outside of RGB by more than a level to where each band is cut
 * off, as a decode at full size does with single pixels. It counts beside bright and saturated
 * areas of pictures with subsampled chroma: a blur mixes what is cut off with what is next to it.
 * across: samples of luma that share one of chroma, 1 or 2. */
void bt_jpeg_low_clip(uint8_t *y, uint8_t *cb, uint8_t *cr, size_t n, size_t across);

#endif
