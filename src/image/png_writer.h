/* SPDX-License-Identifier: MIT */
/*
 * A small picture as the bytes of a PNG file, with ISA-L's deflate. Worker; starts no thread.
 *
 * Follows: PNG (Third Edition). Exif goes into eXIf, XMP into iTXt; IPTC has no place there.
 */
#ifndef BT_IMAGE_PNG_WRITER_H
#define BT_IMAGE_PNG_WRITER_H

#include "image/metadata.h"
#include "image/outcome.h"
#include "image/raster.h"

#include <glib.h>

/* Grey or RGB, with alpha or without, 8 or 16 bits. NULL on failure. */
GBytes *bt_png_write(const BtRaster *raster, const BtMetadata *metadata, BtOutcome *outcome);

#endif
