/* SPDX-License-Identifier: MIT */
/*
 * What a PNG says about its colours besides a profile. Worker; for hostile bytes.
 *
 *   BtPngCoding said = {0};
 *   bt_png_coding_take(&said, type, size, body);                  each chunk before the pixels
 *   coding = bt_png_coding_end(&said);
 *
 * Follows: PNG (Third Edition), 4.3: of cICP, iCCP, sRGB, and gAMA with cHRM the first one counts.
 */
#ifndef BT_IMAGE_PNG_CODING_H
#define BT_IMAGE_PNG_CODING_H

#include "image/coding.h"

#include <stddef.h>

#define BT_PNG_CODING_BYTES 32 /* of a chunk, at most */

typedef struct BtPngCoding {
    BtCoding coding;
    bool overruled; /* by a profile or sRGB */
    bool settled;   /* what comes later does not count */
} BtPngCoding;

/* How many bytes of a chunk of a type and a size bt_png_coding_take() looks at: all or none. */
size_t bt_png_coding_needs(uint32_t type, uint32_t size);

void bt_png_coding_take(BtPngCoding *self, uint32_t type, uint32_t size, const uint8_t *body);

/* All zero where a profile or sRGB counts, and where nothing is said. */
BtCoding bt_png_coding_end(const BtPngCoding *self);

/* That of a file, whose chunks are stepped over up to the pixels. */
BtCoding bt_png_coding_read(int fd);

#endif
