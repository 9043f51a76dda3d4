/* SPDX-License-Identifier: MIT */
/*
 * Colour, before and after the kernel. Worker; vips.
 *
 * All three build lazy pipelines, return false with text in vips' error buffer, and give a new
 * reference in *out on success.
 */
#ifndef BT_IMAGE_COLOUR_H
#define BT_IMAGE_COLOUR_H

#include <stdbool.h>
#include <vips/vips.h>

/* A picture as the kernel takes it: 8 or 16 unsigned bits, 1 to 4 bands, in grey, RGB or CMYK,
 * alpha last. Most pictures pass as they are; float, Lab and other spaces are transformed, further
 * bands dropped. */
bool bt_colour_plain(VipsImage *in, VipsImage **out);

/* From a plain picture, with its profile if it has one, to sRGB or grey, the same depth. */
bool bt_colour_to_srgb(VipsImage *in, VipsImage **out);

/* Whether a plain picture is anything but grey or RGB without a profile (or with sRGB's). */
bool bt_colour_needs_transform(VipsImage *in);

#endif
