/* SPDX-License-Identifier: MIT */
/*
 * Exif blocks: TIFF structures, in files of most formats behind "Exif" and two zero bytes. Worker;
 * pure; for hostile bytes.
 *
 * Follows: TIFF 6.0, section 2 (header, image file directory); Exif 2.32, 4.6.4 (tag 274).
 */
#ifndef BT_IMAGE_EXIF_H
#define BT_IMAGE_EXIF_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define BT_EXIF_PREFIX       "Exif\0"
#define BT_EXIF_PREFIX_BYTES 6

/* The orientation, 1 to 8, that a block with its prefix tells; 1 where it tells none or is not one.
 * It should be a SHORT; some software writes a LONG or a BYTE. */
int bt_exif_orientation(const void *bytes, size_t size);

typedef enum BtExifDirectory {
    BT_EXIF_MAIN,
    BT_EXIF_PHOTO,
    BT_EXIF_GPS,
    BT_EXIF_DIRECTORIES
} BtExifDirectory;

/* A block that is being put together, big-endian, without the prefix. */
typedef struct BtExifMaker {
    GByteArray *block; /* so far: the values that do not fit into entries */
    GByteArray *entries[BT_EXIF_DIRECTORIES];
} BtExifMaker;

void bt_exif_maker_init(BtExifMaker *self);

/* value: n of them, in the byte order that is told. */
void bt_exif_maker_put(BtExifMaker *self, BtExifDirectory directory, unsigned tag, unsigned type,
                       uint64_t n, const uint8_t *value, bool little);

/* Ends and clears it. Owned. */
GBytes *bt_exif_maker_finish(BtExifMaker *self);

#endif
