/* SPDX-License-Identifier: MIT */
/*
 * A JPEG file, decoded shrunk, its components as they are stored: each a plane with a pitch of its
 * own. Worker. libjpeg alone, since libvips hands out RGB, for which chroma that was sampled more
 * coarsely has to be brought to the size of luma first, and that blurs it by an amount that cannot
 * be taken back (12 levels at saturated edges of 4:2:2).
 *
 *   BtJpegReader *reader = bt_jpeg_reader_new(fd, 0, &outcome);       the header
 *   reduction = bt_jpeg_reduction(&reader->frame, shrink, spread);
 *   bt_jpeg_reader_start(reader, reduction, shrink, 1, &outcome);     1: whole pixels instead:
 *   bt_jpeg_reader_start_pixels(reader, &outcome);
 *   while (bt_jpeg_reader_next(reader, &outcome))                     one band of every plane
 *       ... n_rows rows of reader->planes[i] ...
 *   bt_jpeg_reader_free(reader);
 *
 * A picture that is shrunk by 4 and more is decoded without libjpeg where its file is sound
 * (jpeg_low.h), and by libjpeg otherwise: what is wrong with a file is always libjpeg's verdict.
 * The file is read in pieces and never held whole. Premature end of the file is an error.
 */
#ifndef BT_IMAGE_JPEG_READER_H
#define BT_IMAGE_JPEG_READER_H

#include "image/decoder.h"
#include "image/jpeg.h"

typedef struct BtJpegReader {
    BtJpegFrame frame;
    bool ycc;            /* three components are Y, Cb, Cr; else R, G, B */
    int orientation;     /* EXIF, 1 to 8 */
    const void *profile; /* ICC, or NULL */
    size_t profile_size;

    /* Once started: */
    int n_planes; /* 1: grey, or pixels; or 3 */
    BtPlane planes[BT_PLANES_MAX];
} BtJpegReader;

/* Reads the header of a picture that begins at a place in the file, wherever fd's offset is. fd is
 * lent until freed. NULL with the reason in the outcome for what is not a JPEG that libjpeg can
 * read. */
BtJpegReader *bt_jpeg_reader_new(int fd, off_t at, BtOutcome *outcome);
void bt_jpeg_reader_free(BtJpegReader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtJpegReader, bt_jpeg_reader_free)

/* What the picture says about itself, once it was decoded. *out_metadata is owned. */
void bt_jpeg_reader_metadata(const BtJpegReader *self, BtMetadata *out_metadata);

/* How much of a shrink (a power of two) to ask for, at most 8, so that no plane is coarser than it.
 * spread, in px, is how far the result spreads a pixel, the larger of sigma and half the scale:
 * where chroma was subsampled and spread is small it matters that a decode at full size cuts off,
 * pixel by pixel, what lies outside RGB (7 levels at saturated edges at sigma 5). 1 in that case,
 * and for what has no such planes (CMYK, say). */
int bt_jpeg_reduction(const BtJpegFrame *frame, int shrink, double spread);

/* Decodes at 1/reduction what is to be shrunk by `shrink` in all, or without libjpeg more coarsely
 * than that: no plane's pitch is more than `shrink`. */
bool bt_jpeg_reader_start(BtJpegReader *self, int reduction, int shrink, int n_threads,
                          BtOutcome *outcome);

/* Decodes whole pixels, grey or RGB, at full size: of one or three components. */
bool bt_jpeg_reader_start_pixels(BtJpegReader *self, BtOutcome *outcome);

/* The next band of rows, in order. False at the end, with a reason where it came too early. */
bool bt_jpeg_reader_next(BtJpegReader *self, BtOutcome *outcome);

#endif
