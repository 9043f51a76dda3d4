/* SPDX-License-Identifier: MIT */
/* A finished result, written to a descriptor in a format. Worker; vips. */
#ifndef BT_IMAGE_ENCODE_H
#define BT_IMAGE_ENCODE_H

#include "base/format.h"

#include <stdbool.h>
#include <vips/vips.h>

/* The operation that writes a format to a target ("jpegsave_target"), or NULL. */
const char *bt_encode_operation(BtFormat format);

/* Writes grey or sRGB `in`, without any metadata. quality 1 to 100, or 0 for the format's own.
 * Alpha is laid on white and 16 bits become 8 where the format has no place for them. False with
 * text in vips' error buffer. */
bool bt_encode(VipsImage *in, int fd, BtFormat format, int quality);

#endif
