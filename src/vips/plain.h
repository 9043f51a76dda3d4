/* SPDX-License-Identifier: MIT */
/* What libvips loads, in the few shapes that the kernel takes. Worker; vips. */
#ifndef BT_VIPS_PLAIN_H
#define BT_VIPS_PLAIN_H

#include <stdbool.h>
#include <vips/vips.h>

/* Unpacked, 8 or 16 bits a sample, 1 to 4 bands, with the interpretation that these are in: grey,
 * RGB or CMYK. Spaces that no camera writes (Lab, XYZ, floats in scRGB ...) become RGB of 16 bits.
 * False with libvips' error. */
bool bt_plain(VipsImage *in, VipsImage **out);

#endif
