/* SPDX-License-Identifier: MIT */
/*
 * What the files of the module share. libvips 8.14 has no autoptr of its own; these references go
 * at the end of their scope:
 *
 *   BT_OWNED VipsImage *image = NULL;
 *
 * Worker; vips.
 */
#ifndef BT_VIPS_MODULE_H
#define BT_VIPS_MODULE_H

#include "image/codecs.h"

#include <glib-object.h>
#include <vips/vips.h>

/* Rows are pulled in the calling thread, since a sequential libvips pipeline without a sink of its
 * own starts no threads. */
extern const BtDecoder bt_vips_decoder;

extern bool bt_vips_confined; /* this process decodes */

/* As in BtCodecs. */
bool bt_encode_can_write(BtFormat format);
GBytes *bt_encode(const BtRaster *raster, BtFormat format, int quality, const BtMetadata *metadata,
                  BtOutcome *outcome);

/* What libvips loads, in the few shapes that the kernel takes: unpacked, 8 or 16 bits a sample, 1
 * to 4 bands, in grey, RGB or CMYK. Spaces that no camera writes (Lab, XYZ, floats in scRGB ...)
 * become RGB of 16 bits. white: the value that is white, where it is not that of the type; or 0.
 * opaque: the last of two or four bands is not alpha, and goes. False with libvips' error. */
bool bt_plain(VipsImage *in, double white, bool opaque, VipsImage **out);

/* Whether what is white cannot be told from the type of samples: floats, and whole numbers of 32
 * bits, of grey or RGB. */
bool bt_plain_is_wide(VipsImage *image);

/* What is white where so much is the largest sample: 1, 255, 65535 or the type's; 0 where that
 * makes no sense. */
double bt_plain_white(const VipsImage *image, double largest);

/* Fills reason and sentence; libvips' own words are appended, and cleared. A lack of memory that it
 * tells of is the reason whatever the caller thinks. Returns false. */
bool bt_vips_fail(BtOutcome *outcome, BtReason reason, const char *format, ...) G_GNUC_PRINTF(3, 4);

static inline void
bt_owned_object_clear(void *pointer)
{
    GObject **object = pointer;

    g_clear_object(object);
}

static inline void
bt_owned_area_clear(void *pointer)
{
    VipsArea **area = pointer;

    if (*area != NULL)
        vips_area_unref(*area);
    *area = NULL;
}

#define BT_OWNED      __attribute__((cleanup(bt_owned_object_clear)))
#define BT_OWNED_AREA __attribute__((cleanup(bt_owned_area_clear))) /* blobs and arrays */

#endif
