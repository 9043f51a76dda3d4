/* SPDX-License-Identifier: MIT */
/*
 * What a source says about itself, and how much of it its result may say. Worker; for hostile
 * bytes.
 *
 *   bt_jpeg_reader_metadata(reader, &metadata);         as it stands in the source
 *   bt_metadata_clean(&metadata, BT_STRIP_GPS, false);  as it may stand in the result
 *
 * Never kept, since it would be wrong or show what was blurred: the orientation (results are
 * upright), sizes, embedded previews, the maker's own notes (their offsets break, and what is in
 * them nobody knows). Colours are sRGB, so no profile is kept either.
 *
 * Follows: Ultra HDR Image Format 1.1 and Motion Photo 1.0 (Android); Exif 2.32; the Exif block is
 * parsed and written again by libexif. XMP Specification Part 3 (JPEG segments).
 */
#ifndef BT_IMAGE_METADATA_H
#define BT_IMAGE_METADATA_H

#include "image/outcome.h"

#include <glib.h>
#include <stdbool.h>

/* What an APP1 segment of JPEG that holds XMP begins with, and a zero byte. */
#define BT_METADATA_XMP_PREFIX "http://ns.adobe.com/xap/1.0/"

/* Bytes of each kind that are kept at most: what a segment of JPEG can hold, and more than a camera
 * writes. */
#define BT_METADATA_SIZE_MAX 65000

typedef enum BtStrip {
    BT_STRIP_ALL,  /* nothing is kept */
    BT_STRIP_GPS,  /* Exif without its GPS part. XMP and IPTC, which may tell the place in words, go
                    */
    BT_STRIP_NONE, /* Exif, XMP and IPTC */
} BtStrip;

/* Each owned, or NULL. */
typedef struct BtMetadata {
    GBytes *exif;      /* "Exif" and two zero bytes first */
    GBytes *xmp;       /* the packet */
    GBytes *iptc;      /* what an APP13 segment of JPEG holds */
    uint32_t left_out; /* BtLeftOut, that the XMP need not tell */
} BtMetadata;

void bt_metadata_clear(BtMetadata *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BtMetadata, bt_metadata_clear)

static inline bool
bt_metadata_is_empty(const BtMetadata *self)
{
    return self->exif == NULL && self->xmp == NULL && self->iptc == NULL;
}

/* What is beside the picture, by the XMP too: BtLeftOut. */
uint32_t bt_metadata_left_out(const BtMetadata *self);

/* Takes what may not be kept out of it; converted: the source's colour space, too. What cannot be
 * parsed goes wholly. */
void bt_metadata_clean(BtMetadata *self, BtStrip strip, bool converted);

#endif
