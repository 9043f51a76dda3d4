/* SPDX-License-Identifier: MIT */
/*
 * What every decoder is to the rest of the room: a picture that comes in bands of rows, top to
 * bottom. Worker; for hostile bytes.
 *
 *   decode = decoder->open(fd, &picture, &outcome);              the header
 *   decoder->begin(decode, &reduction, &band, &outcome);         the shapes of its planes
 *   while (decoder->next(decode, &band, &outcome))
 *       ... n_rows rows of each of band.planes ...
 *   ... outcome.reason says whether that was the end ...
 *   decoder->metadata(decode, &metadata);
 *   decoder->close(decode);
 *
 * The members are bt_jpeg_decoder, bt_png_decoder, bt_raw_decoder, and libvips' (codecs.h) for all
 * they do not read. A picture comes as one plane of interleaved samples; or, from a JPEG that is
 * decoded smaller, as three planes of one band, each as large as it is stored.
 */
#ifndef BT_IMAGE_DECODER_H
#define BT_IMAGE_DECODER_H

#include "image/coding.h"
#include "image/metadata.h"
#include "image/outcome.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_PLANES_MAX 3

/* One picture that is being decoded; each member has its own. */
typedef struct BtDecode BtDecode;

/* What the header says. The profile is lent until the picture is begun. */
typedef struct BtPicture {
    int width, height;             /* px at full size, as stored */
    int orientation;               /* EXIF, 1 to 8 */
    int photo_width, photo_height; /* px of the photo of which this is a smaller preview, lying as
                                      it does; 0: of none */
    int n_pages;                   /* frames or pages, of which the first comes */
    int bands;                     /* of a pixel, alpha included: at most 4 */
    bool deep;                     /* 16 bits a sample, else 8 */
    bool alpha;                    /* the last band is, not premultiplied */
    bool cmyk;                     /* 4 bands, 0 is no ink; else grey or RGB */
    uint64_t memory;               /* bytes that the decoder holds at once, about; 0: rows */
    const void *profile;           /* ICC; NULL: none */
    size_t profile_size;
    BtCoding coding; /* counts before the profile; zero: by that, else sRGB */
} BtPicture;

/* How much smaller a picture may come than it is: a decoder does what it can of it. */
typedef struct BtReduction {
    int shrink; /* a power of two that no plane may be coarser than; 1: full size */
    double
        spread; /* px, how far the result spreads a pixel: the larger of sigma and half the scale */
    bool pixels;   /* whole pixels at full size: they are not averaged as they are stored */
    bool complete; /* nothing of the file is left out, though nothing is made of it */
    int n_threads; /* 1 or more, this one included, that a large picture may be decoded with */
} BtReduction;

typedef struct BtPlane {
    int width, height;       /* samples in all; the last ones may lie partly outside the picture */
    int bands;               /* interleaved */
    double pitch_x, pitch_y; /* px of the picture from one sample to the next */
    double extra_x, extra_y; /* px^2: variance that a decode at full size would add to this plane
                                and that its pitch does not account for */
    const uint8_t *rows;     /* of the last band */
    ptrdiff_t stride;        /* bytes from row to row */
    int n_rows;
} BtPlane;

typedef struct BtBand {
    int n_planes; /* 1 or 3 */
    bool ycc;     /* three planes are Y, Cb, Cr; else R, G, B */
    BtPlane planes[BT_PLANES_MAX];
} BtBand;

typedef struct BtDecoder {
    const char *name; /* NULL: open() says which */

    /* Reads the header, from the beginning of the file, wherever fd's offset is. fd is lent until
     * closed. NULL with the reason in the outcome; or without one, and nothing said, for what this
     * member leaves to libvips. */
    BtDecode *(*open)(int fd, BtPicture *out_picture, BtOutcome *outcome);

    /* Fills the shapes of a band's planes, all but rows and n_rows. Once. */
    bool (*begin)(BtDecode *self, const BtReduction *reduction, BtBand *out_band,
                  BtOutcome *outcome);

    /* The next rows of every plane, lent until the next call. False at the end, which is an end
     * only where the outcome has no reason. */
    bool (*next)(BtDecode *self, BtBand *band, BtOutcome *outcome);

    /* What the source says about itself, at the end. *out_metadata is owned. */
    void (*metadata)(const BtDecode *self, BtMetadata *out_metadata);

    void (*close)(BtDecode *self); /* NULL is allowed */
} BtDecoder;

#endif
