/* SPDX-License-Identifier: MIT */
/*
 * Numbers at places in a file, and TIFF directories, which are made of them. Worker; for hostile
 * bytes.
 *
 * Follows: TIFF 6.0, section 2; BigTIFF.
 */
#ifndef BT_IMAGE_TIFF_H
#define BT_IMAGE_TIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file, and a block of it that is kept, since numbers lie close together. */
typedef struct BtBytes {
    int fd;
    uint64_t size; /* what lies beyond is not there */

    /* Private: */
    uint64_t block_at, block_size;
    uint8_t block[4096];
} BtBytes;

/* False where there are not as many. */
bool bt_bytes_read(BtBytes *self, uint64_t at, void *out, size_t n);

/* 0 where there is none. little: its lowest byte comes first. */
uint64_t bt_bytes_number(BtBytes *self, bool little, uint64_t at, size_t size);

/* Whether these bytes, 16 at most, stand at a place. */
bool bt_bytes_match(BtBytes *self, uint64_t at, const char *bytes, size_t n);

typedef enum BtTiffType {
    BT_TIFF_BYTE = 1,
    BT_TIFF_SHORT = 3,
    BT_TIFF_LONG = 4,
    BT_TIFF_RATIONAL = 5,
    BT_TIFF_UNDEFINED = 7,
    BT_TIFF_SIGNED_RATIONAL = 10,
    BT_TIFF_FLOAT = 11,
    BT_TIFF_DOUBLE = 12
} BtTiffType;

/* Of a value of a type; 0 where there is no such type. */
size_t bt_tiff_type_bytes(unsigned type);

/* One byte order, and offsets that count from `base`. */
typedef struct BtTiff {
    BtBytes *bytes; /* lent */
    uint64_t base;
    bool little, big; /* BigTIFF */
} BtTiff;

typedef struct BtTiffDirectory {
    uint64_t at, n_left; /* of the entry that comes next */
    bool whole;          /* no more entries than are read */
} BtTiffDirectory;

typedef struct BtTiffEntry {
    unsigned tag, type;
    uint64_t n, at; /* values, and the first one's place in the file */
} BtTiffEntry;

/* By the header at a place in the file, whatever its magic number. */
BtTiff bt_tiff_at(BtBytes *bytes, uint64_t base);

/* Where the first directory is, and, at the end of one, where the following one is; 0: none. */
uint64_t bt_tiff_first(const BtTiff *self);
uint64_t bt_tiff_following(const BtTiff *self, const BtTiffDirectory *directory);

BtTiffDirectory bt_tiff_open(const BtTiff *self, uint64_t offset);

/* The next entry that makes sense; at the end, false. */
bool bt_tiff_next(const BtTiff *self, BtTiffDirectory *directory, BtTiffEntry *out_entry);

/* A whole number: of a fraction its quotient, of any other type 0. */
uint64_t bt_tiff_value(const BtTiff *self, const BtTiffEntry *entry, uint64_t i);

#endif
