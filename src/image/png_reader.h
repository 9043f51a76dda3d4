/* SPDX-License-Identifier: MIT */
/*
 * A PNG file of the common kinds, row by row: grey or RGB, with alpha or without, 8 or 16 bits, not
 * interlaced. Worker; for hostile bytes. The time of a PNG is that of inflating it, and ISA-L's
 * inflate takes a third of zlib's.
 *
 *   BtPngReader *reader = bt_png_reader_new(fd, &picture, &outcome);     all before the pixels
 *   bt_png_reader_rows(reader, sink, user, &outcome);                    once
 *   bt_png_reader_metadata(reader, &metadata);
 *   bt_png_reader_free(reader);
 *
 * Colours, orientation and metadata are what libvips makes of them: gAMA, cHRM and sBIT change
 * nothing, and of several profiles or Exif blocks the first counts, wherever it stands. It is
 * stricter with damage: the checksums of the pixels and their chunks are checked, and nothing may
 * follow the last pixel in its chunk. What else comes after that chunk is not read, as in libvips.
 *
 * The file is read in pieces, and what is held of the picture is a few rows.
 *
 * Follows: PNG (Third Edition); RFC 1950.
 */
#ifndef BT_IMAGE_PNG_READER_H
#define BT_IMAGE_PNG_READER_H

#include "image/codecs.h"

typedef struct BtPngReader BtPngReader;

/* Reads from the beginning of the file, wherever fd's offset is. fd, and what the picture points
 * to, are lent until freed. NULL on failure; and, without one in the outcome, for the kinds that
 * are left to libvips: palette, 1 to 4 bits, interlaced, one colour transparent. */
BtPngReader *bt_png_reader_new(int fd, BtDecodePicture *out_picture, BtOutcome *outcome);
void bt_png_reader_free(BtPngReader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtPngReader, bt_png_reader_free)

/* As BtCodecs has it. */
bool bt_png_reader_rows(BtPngReader *self, BtRowSink sink, void *user, BtOutcome *outcome);

/* What the picture says about itself. *out_metadata is owned. */
void bt_png_reader_metadata(const BtPngReader *self, BtMetadata *out_metadata);

#endif
