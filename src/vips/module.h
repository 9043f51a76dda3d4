/* SPDX-License-Identifier: MIT */
/*
 * What the files of the module share: its decoder and encoders, the words for a failure, and
 * references that go at the end of their scope (libvips 8.14 has no autoptr of its own):
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

/* Whether this libvips writes a format, which is tried the first time: by a child, unless this
 * process decodes itself. Once libvips is started. */
bool bt_encode_can_write(BtFormat format, bool decodes_here);

/* As in BtCodecs. */
GBytes *bt_encode(const BtRaster *raster, BtFormat format, int quality, const BtMetadata *metadata,
                  BtOutcome *outcome);

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
