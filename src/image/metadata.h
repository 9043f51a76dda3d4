/* SPDX-License-Identifier: MIT */
/*
 * What a source says about itself, and how much of it its result may say. Worker; for hostile
 * bytes.
 *
 * Never kept, since it would be wrong or show what was blurred: the orientation (results are
 * upright), sizes, embedded previews, the maker's notes (their offsets break), and the profile
 * (results are sRGB).
 *
 * Follows: Ultra HDR Image Format 1.1 and Motion Photo 1.0 (Android); Exif 2.32; XMP Specification
 * Part 3 (JPEG segments).
 */
#ifndef BT_IMAGE_METADATA_H
#define BT_IMAGE_METADATA_H

#include "image/outcome.h"

#include <glib.h>

/* What an APP1 segment of JPEG that holds XMP begins with, and a zero byte. */
#define BT_METADATA_XMP_PREFIX "http://ns.adobe.com/xap/1.0/"

/* Bytes of each kind that are kept at most: what a segment of JPEG can hold, and more than a camera
 * writes. */
#define BT_METADATA_SIZE_MAX 65000

typedef enum BtStrip {
    BT_STRIP_ALL,  /* nothing is kept */
    BT_STRIP_GPS,  /* Exif is kept without GPS; XMP and IPTC, which may name the place, are not */
    BT_STRIP_NONE, /* Exif, XMP and IPTC are kept */
} BtStrip;

/* Each owned, or NULL. */
typedef struct BtMetadata {
    GBytes *exif;      /* "Exif" and two zero bytes first */
    GBytes *xmp;       /* the packet */
    GBytes *iptc;      /* what an APP13 segment of JPEG holds */
    uint32_t left_out; /* BtLeftOut, besides what the XMP says */
} BtMetadata;

void bt_metadata_clear(BtMetadata *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BtMetadata, bt_metadata_clear)

static inline bool
bt_metadata_is_empty(const BtMetadata *self)
{
    return self->exif == NULL && self->xmp == NULL && self->iptc == NULL;
}

/* BtLeftOut, by the XMP too. */
uint32_t bt_metadata_left_out(const BtMetadata *self);

/* Removes what may not be kept, and a block that cannot be parsed. converted: the source's colour
 * space is removed, too. */
void bt_metadata_clean(BtMetadata *self, BtStrip strip, bool converted);

#endif
