/* SPDX-License-Identifier: MIT */
/*
 * A reference to a vips object that goes at the end of its scope: libvips 8.14 has no autoptr of
 * its own. Worker; vips.
 *
 *   BT_OWNED VipsImage *image = NULL;
 */
#ifndef BT_VIPS_OWNED_H
#define BT_VIPS_OWNED_H

#include <glib-object.h>
#include <vips/vips.h>

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
