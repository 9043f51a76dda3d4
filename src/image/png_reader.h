/* SPDX-License-Identifier: MIT */
/*
 * PNG among the decoders (decoder.h), of all kinds but interlaced ones, which are left to libvips.
 * Palettes become RGB, a colour that is transparent becomes alpha, 1 to 4 bits become 8. Worker;
 * for hostile bytes. The time of a PNG is that of inflating it, and ISA-L's inflate takes a third
 * of zlib's.
 *
 * Colours, orientation and metadata are what libvips makes of them: gAMA, cHRM and sBIT change
 * nothing, and of several profiles or Exif blocks the first counts, wherever it stands. It is
 * stricter with damage: the checksums of the pixels and their chunks are checked. Like other
 * readers it passes over compressed data behind the last row and what comes after that chunk, and
 * does not mind tRNS before PLTE.
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
