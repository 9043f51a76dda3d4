/* SPDX-License-Identifier: MIT */
/*
 * libvips' decoders and encoders, for what this room does not read and write by itself, behind a
 * table of functions.
 *
 * libvips brings a hundred libraries with it, which take the most part of 40 ms to load and start:
 * longer than a camera's JPEG takes from end to end, and that needs none of them. So they are in a
 * module, blurthumb-vips.so (the vips room), which is loaded where a picture is met that needs it.
 *
 *   codecs = bt_codecs_load(&error);                any process, before it forks; it stays
 *   codecs->confine(allowed);                       in the process that decodes, once
 *   ... codecs->decoder ...                         decoder.h
 *   codecs->encode(&raster, format, quality, &metadata, &outcome);
 *
 * Loading starts no thread and neither does can_write(): after them a process may fork. What fails
 * has the reason and the words for it in the outcome.
 */
#ifndef BT_IMAGE_CODECS_H
#define BT_IMAGE_CODECS_H

#include "base/error.h"
#include "image/decoder.h"
#include "image/raster.h"

#include <glib.h>

/* The module's one symbol: a BtCodecs. */
#define BT_CODECS_SYMBOL "bt_codecs"

typedef struct BtCodecs {
    bool (*start)(GError **error); /* by bt_codecs_load() */
    const char *(*version)(void);  /* "8.14.1" */
    /* Tries it the first time: in a child, unless this process is confined. */
    bool (*can_write)(BtFormat format);

    /* One thread, no cache, no decoder that libvips does not trust but for those allowed: bits
     * (1 << BtFormat). Reads whatever files will be needed. */
    void (*confine)(uint32_t allowed);

    /* Of all that libvips reads. Its share of a shrink is what WebP's own decoder can do, which
     * averages gamma-encoded, not premultiplied samples: none where there is alpha. */
    const BtDecoder *decoder;

    /* libvips' profile for CMYK without one. NULL: none. Owned. */
    GBytes *(*cmyk_profile)(void);

    /* The bytes of a file; NULL on failure. The raster has what the format can hold; of the
     * metadata that is written which it can hold. */
    GBytes *(*encode)(const BtRaster *raster, BtFormat format, int quality,
                      const BtMetadata *metadata, BtOutcome *outcome);
} BtCodecs;

/* Loads the module, the first time. Takes VIPS_MAX_THREADS out of the environment, which would make
 * libvips start threads. NULL with an error (FAILED) where that cannot be done. */
const BtCodecs *bt_codecs_load(GError **error);

/* The module where it is loaded, else NULL. */
const BtCodecs *bt_codecs_loaded(void);

#endif
