/* SPDX-License-Identifier: MIT */
/*
 * What a result was made of: a short text that goes with the result. Pure; supervisor.
 *
 *   "1 SETTINGS ROOT PLACE SOURCE-BYTES SECONDS.NANOSECONDS BYTES"
 *   "1 9ab1fa22 30dd879e 5c1c1a9d 500000 663882a5.165ec15 14000"
 *
 * All of it in hexadecimal: three hashes (base/hash.h, the low 32 bits), the size and the
 * modification time of the source, and the size of the result itself. It is kept as the extended
 * attribute user.blurthumb, or as a line of a ledger (store/ledger.h) where the file system has no
 * attributes. Up to 60 bytes lie in the inode itself on ext4, where a longer attribute would take a
 * block of 4 kB for each result.
 */
#ifndef BT_STORE_RECORD_H
#define BT_STORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define BT_RECORD_ATTRIBUTE "user.blurthumb"
#define BT_RECORD_BYTES_MAX 128 /* of the text, with its 0 */

typedef struct BtRecord {
    uint64_t settings;           /* of the settings as a text; not 0 */
    uint64_t root;               /* of the path of the folder that the source was found under */
    uint64_t place;              /* of the path of the source */
    uint64_t source_bytes;       /* size and modification time of the source */
    struct timespec source_time; /* when it was read */
    uint64_t bytes;              /* size of the result */
} BtRecord;

void bt_record_print(const BtRecord *self, char out_text[BT_RECORD_BYTES_MAX]);

/* A text that cannot be read, of a later version, say, makes a zeroed record, whose settings are
 * nobody's. */
BtRecord bt_record_parse(const char *text);

/* Whether two modification times are one, seen through file systems and archives that keep times
 * coarser: the earlier may be the later one cut to 100 ns (NTFS, SMB), 1 us, 10 ms (exFAT), 1 s
 * (tar) or 2 s (FAT). */
bool bt_record_is_same_time(struct timespec one, struct timespec other);

#endif
