/* SPDX-License-Identifier: MIT */
/*
 * PNG among the decoders (decoder.h), of the common kinds: grey or RGB, with alpha or without, 8 or
 * 16 bits, not interlaced; palette, 1 to 4 bits, interlaced and one colour transparent are left to
 * libvips. Worker; for hostile bytes. The time of a PNG is that of inflating it, and ISA-L's
 * inflate takes a third of zlib's.
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

#include "image/decoder.h"

extern const BtDecoder bt_png_decoder;

#endif
