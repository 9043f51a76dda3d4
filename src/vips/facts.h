/* SPDX-License-Identifier: MIT */
/*
 * What the header of a file says, and libvips does not: read here from the bytes. Worker; pure; for
 * hostile bytes.
 *
 * Follows: TIFF 6.0, sections 2 and 22, its technical note 2 and BigTIFF; JFIF 1.02; the BMP
 * headers BITMAPINFOHEADER to BITMAPV5HEADER; ppm(5); ISO 14496-12, 8.11 (meta, iref) and ISO
 * 23008-12, 6.5.5 (colr), 6.5.8 (auxC), 9.3 (iprp).
 */
#ifndef BT_VIPS_FACTS_H
#define BT_VIPS_FACTS_H

#include "image/colour.h"

#include <glib.h>
#include <stdbool.h>

typedef struct BtFacts {
    bool opaque;       /* the last band is not alpha, whatever it looks like */
    bool has_alpha;    /* the picture has alpha, be it in a picture of its own */
    int width, height; /* px; 0: not looked for */
    int white;         /* the value that is; 0: that of the type */
    bool has_gain_map;
    GBytes *exif;        /* of a PNG, wherever it stands; owned, or NULL */
    BtCoding coding;     /* by nclx, or the chunks of a PNG */
    bool over_profile;   /* it counts before a profile */
    const char *refusal; /* why it cannot be read rightly; NULL: it can */
} BtFacts;

/* loader: libvips' nickname of what reads the file: "tiffload_source". All zero for one that tells
 * all, and for a file that is cut off. */
BtFacts bt_facts_read(int fd, const char *loader);

#endif
