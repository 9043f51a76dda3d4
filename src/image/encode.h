/* SPDX-License-Identifier: MIT */
/* A finished result, encoded in a format. Worker; vips. */
#ifndef BT_IMAGE_ENCODE_H
#define BT_IMAGE_ENCODE_H

#include "base/format.h"

#include <stdbool.h>
#include <vips/vips.h>

/* The operation that writes a format to a target ("jpegsave_target"), or NULL. */
const char *bt_encode_operation(BtFormat format);

/* Encodes grey or sRGB `in`, without any metadata. quality 1 to 100, or 0 for the format's own.
 * Alpha is laid on white and 16 bits become 8 where the format has no place for them. The bytes are
 * owned by the caller (g_free). NULL with text in vips' error buffer on failure.
 *
 * Into memory, since results are small and libvips' savers do not all tell of a write that failed:
 * on a full disk its PNG saver reports success, and the JPEG 2000 one never returns. */
VipsBlob *bt_encode(VipsImage *in, BtFormat format, int quality);

#endif
