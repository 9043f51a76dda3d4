/* SPDX-License-Identifier: MIT */
/*
 * libvips' decoders and encoders, for what jpeg_reader.h and png_reader.h do not read and
 * jpeg_writer.h does not write, behind a table of functions.
 *
 * libvips brings a hundred libraries with it, which take the most part of 40 ms to load and start:
 * longer than a camera's JPEG takes from end to end, and that needs none of them. So they are in a
 * module, blurthumb-vips.so (the vips room), which is loaded where a picture is met that needs it.
 *
 *   codecs = bt_codecs_load(&error);                any process, before it forks; it stays
 *   codecs->settle(allowed);                        in the process that decodes, once
 *   decode = codecs->open(fd, &picture, &outcome);                            the header
 *   codecs->shrink(decode, 8, &picture, &outcome);                            where wanted
 *   codecs->rows(decode, sink, user, &outcome);
 *   codecs->close(decode);
 *
 * Loading starts no thread and neither does can_write(): after them a process may fork. What fails
 * has the reason and the words for it in the outcome.
 */
#ifndef BT_IMAGE_CODECS_H
#define BT_IMAGE_CODECS_H

#include "base/error.h"
#include "image/metadata.h"
#include "image/outcome.h"
#include "image/raster.h"

#include <glib.h>

/* The module's one symbol: a BtCodecs. */
#define BT_CODECS_SYMBOL "bt_codecs"

typedef struct BtDecode BtDecode;

/* What is to come from a decoder. Texts and bytes are lent until it is closed. */
typedef struct BtDecodePicture {
    int width, height;       /* px at full size, as stored */
    int orientation;         /* EXIF, 1 to 8 */
    int in_width, in_height; /* px that come */
    double pitch_x, pitch_y; /* px at full size from one of them to the next */
    int reduction;           /* what the decoder shrinks by, about */
    int bands;               /* interleaved, at most 4 */
    bool deep;               /* 16 bits a sample, else 8 */
    bool alpha;              /* the last band is */
    bool cmyk;               /* 4 bands, 0 is no ink; else grey or RGB */
    uint64_t memory;         /* bytes that the decoder holds at once, about; 0: rows */
    const void *profile;     /* ICC; NULL: none */
    size_t profile_size;
} BtDecodePicture;

/* Takes rows, top to bottom; false to stop, with the reason in the outcome. */
typedef bool (*BtRowSink)(void *user, const void *rows, ptrdiff_t stride, int n_rows);

typedef struct BtCodecs {
    bool (*start)(GError **error); /* by bt_codecs_load() */
    const char *(*version)(void);  /* "8.14.1" */
    bool (*can_write)(BtFormat format);

    /* One thread, no cache, no decoder that libvips does not trust but for those allowed: bits
     * (1 << BtFormat). Reads whatever files will be needed. */
    void (*settle)(uint32_t allowed);

    /* fd is lent until closed. NULL on failure. */
    BtDecode *(*open)(int fd, BtDecodePicture *out_picture, BtOutcome *outcome);
    /* The decoder's share of a power-of-two shrink, where it has one, which is so for WebP; it
     * averages gamma-encoded, not premultiplied samples, so it has none where there is alpha. */
    bool (*shrink)(BtDecode *self, int shrink, BtDecodePicture *picture, BtOutcome *outcome);
    bool (*rows)(BtDecode *self, BtRowSink sink, void *user, BtOutcome *outcome);
    void (*close)(BtDecode *self);

    /* libvips' profile for CMYK without one. NULL: none. Owned. */
    GBytes *(*cmyk_profile)(void);

    /* What the source says about itself. *out_metadata is owned. */
    void (*metadata)(BtDecode *self, BtMetadata *out_metadata);

    /* The bytes of a file; NULL on failure. The raster has what the format can hold; of the
     * metadata that is written which it can hold. */
    GBytes *(*encode)(const BtRaster *raster, BtFormat format, int quality,
                      const BtMetadata *metadata, BtOutcome *outcome);
} BtCodecs;

/* Loads the module, the first time. NULL with an error (FAILED) where that cannot be done. */
const BtCodecs *bt_codecs_load(GError **error);

/* The module where it is loaded, else NULL. */
const BtCodecs *bt_codecs_loaded(void);

#endif
