/* SPDX-License-Identifier: MIT */
/*
 * PNG with ISA-L's inflate, which takes a third of zlib's time, and its deflate. Worker; for
 * hostile bytes; starts no thread.
 *
 * Interlaced files are left to libvips. Colours, orientation and metadata are what libvips makes of
 * them: gAMA, cHRM and sBIT change nothing, and of several profiles or Exif blocks the first
 * counts, wherever it stands. This decoder is stricter with damage: the checksums of the pixels and
 * their chunks are checked. Like other readers it passes over compressed data behind the last row
 * and what comes after that chunk, and does not mind tRNS before PLTE. The file is read in pieces,
 * and what is held of the picture is a few rows.
 *
 * Follows: PNG (Third Edition); RFC 1950.
 */
#ifndef BT_IMAGE_PNG_H
#define BT_IMAGE_PNG_H

#include "image/decoder.h"
#include "image/raster.h"

/* Among the decoders (decoder.h). Palettes become RGB, a colour that is transparent becomes alpha,
 * 1 to 4 bits become 8. */
extern const BtDecoder bt_png_decoder;

/* A small picture, grey or RGB, with alpha or without, as the bytes of a file. Exif goes into eXIf,
 * XMP into iTXt; IPTC has no place there. NULL on failure. */
GBytes *bt_png_write(const BtRaster *raster, const BtMetadata *metadata, BtOutcome *outcome);

#endif
