/* SPDX-License-Identifier: MIT */
/*
 * libvips' decoders and encoders behind a table of functions.
 *
 * libvips brings a hundred libraries, which take most of 40 ms to load and start: longer than a
 * camera's JPEG takes from end to end, and that needs none of them. So they are in a module,
 * blurthumb-vips.so (the vips room), which is loaded when a picture needs it.
 *
 *   codecs = bt_codecs_load(&error);      any process; it may fork afterwards
 *   codecs->confine(allowed);             in the process that decodes, once
 *
 * On failure the outcome has the reason and the words for it.
 */
#ifndef BT_IMAGE_CODECS_H
#define BT_IMAGE_CODECS_H

#include "base/error.h"
#include "image/decoder.h"
#include "image/raster.h"

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

    const BtDecoder *decoder; /* of all that libvips reads */

    /* libvips' profile for CMYK without one. NULL: none. Owned. */
    GBytes *(*cmyk_profile)(void);

    /* The bytes of a file; NULL on failure. The raster has what the format can hold; metadata that
     * the format cannot hold is left out. */
    GBytes *(*encode)(const BtRaster *raster, BtFormat format, int quality,
                      const BtMetadata *metadata, BtOutcome *outcome);
} BtCodecs;

/* Loads the module, the first time. Takes VIPS_MAX_THREADS out of the environment, which would make
 * libvips start threads. NULL with an error (FAILED) where it cannot be loaded. */
const BtCodecs *bt_codecs_load(GError **error);

/* NULL where it is not loaded. */
const BtCodecs *bt_codecs_loaded(void);

#endif
