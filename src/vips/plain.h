/* SPDX-License-Identifier: MIT */
/* What libvips loads, in the few shapes that the kernel takes. Worker; vips. */
#ifndef BT_VIPS_PLAIN_H
#define BT_VIPS_PLAIN_H

#include <stdbool.h>
#include <vips/vips.h>

/* Unpacked, 8 or 16 bits a sample, 1 to 4 bands, with the interpretation that these are in: grey,
 * RGB or CMYK. Spaces that no camera writes (Lab, XYZ, floats in scRGB ...) become RGB of 16 bits.
 * white: the value that is white, where it is not that of the type; or 0. opaque: the last of two
 * or four bands is not alpha, and goes. False with libvips' error. */
bool bt_plain(VipsImage *in, double white, bool opaque, VipsImage **out);

/* Whether what is white cannot be told from the type of samples: floats, and whole numbers of 32
 * bits, of grey or RGB. */
bool bt_plain_is_wide(VipsImage *image);

/* What is white where so much is the largest sample: 1, 255, 65535 or the type's; 0 where that
 * makes no sense. */
double bt_plain_white(const VipsImage *image, double largest);

#endif
