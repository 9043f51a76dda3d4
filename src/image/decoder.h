/* SPDX-License-Identifier: MIT */
/*
 * A decoder: a picture comes in bands of rows, top to bottom. Worker; for hostile bytes.
 *
 *   decode = decoder->open(fd, &picture, &outcome);
 *   decoder->begin(decode, &reduction, &band, &outcome);
 *   while (decoder->next(decode, &band, &outcome))
 *       ... n_rows rows of each of band.planes ...
 *   decoder->metadata(decode, &metadata);
 *   decoder->close(decode);
 *
 * There are decoders for JPEG, PNG and raw files, and that of libvips (codecs.h) for all else.
 */
#ifndef BT_IMAGE_DECODER_H
#define BT_IMAGE_DECODER_H

#include "image/colour.h"
#include "image/metadata.h"
#include "image/outcome.h"

#define BT_PLANES_MAX 3

/* One picture that is being decoded; each decoder has its own. */
typedef struct BtDecode BtDecode;

/* What the header says. */
typedef struct BtPicture {
    int width, height;             /* px at full size, as stored */
    int orientation;               /* EXIF, 1 to 8 */
    int photo_width, photo_height; /* px of the photo if this is its smaller preview, else 0;
                                      turned like the preview */
    int n_pages;                   /* frames or pages; the first one is decoded */
    int bands;                     /* of a pixel, alpha included: at most 4 */
    bool deep;                     /* 16 bits a sample, else 8 */
    bool alpha;                    /* the last band is alpha, not premultiplied */
    bool cmyk;                     /* 4 bands, 0 is no ink; else grey or RGB */
    uint64_t memory;               /* bytes that the decoder holds at once, about; 0: a few rows */
    const void *profile;           /* ICC, or NULL; valid until the picture is begun */
    size_t profile_size;
    BtCoding coding; /* goes before the profile unless it is all zero */
} BtPicture;

/* How much smaller a picture may come than it is: a decoder does what it can of it. */
typedef struct BtReduction {
    int shrink;    /* a power of two; no plane may be coarser; 1: full size */
    double spread; /* px that the result spreads a pixel: the larger of sigma and half the scale */
    bool pixels;   /* whole pixels at full size */
    bool complete; /* the whole file is read, to check it */
    int n_threads; /* 1 or more, including this one, for a large picture */
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

/* One plane of interleaved samples; or, from a JPEG that is decoded smaller, three planes, each as
 * large as it is stored. */
typedef struct BtBand {
    int n_planes; /* 1 or 3 */
    bool ycc;     /* three planes are Y, Cb, Cr; else R, G, B */
    BtPlane planes[BT_PLANES_MAX];
} BtBand;

typedef struct BtDecoder {
    const char *name; /* for the outcome; NULL: open() fills it in */

    /* Reads the header from the beginning of the file, wherever fd's offset is. fd must stay open
     * until close(). NULL on failure, or, without a reason in the outcome, for a picture that is
     * left to libvips. */
    BtDecode *(*open)(int fd, BtPicture *out_picture, BtOutcome *outcome);

    /* Once: fills the shapes of a band's planes, all but rows and n_rows. */
    bool (*begin)(BtDecode *self, const BtReduction *reduction, BtBand *out_band,
                  BtOutcome *outcome);

    /* The next rows of every plane, valid until the next call. False at the end, and on failure,
     * when the outcome has a reason. */
    bool (*next)(BtDecode *self, BtBand *band, BtOutcome *outcome);

    /* At the end. *out_metadata is owned. */
    void (*metadata)(const BtDecode *self, BtMetadata *out_metadata);

    void (*close)(BtDecode *self); /* NULL is allowed */
} BtDecoder;

#endif
