/* SPDX-License-Identifier: MIT */
/* Steps over the chunks of a PNG, a read for each, without a look at what is in them. Worker; for
 * hostile bytes. Follows: PNG, Third Edition, 5.3. */
#ifndef BT_IMAGE_PNG_CHUNKS_H
#define BT_IMAGE_PNG_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BT_PNG_TYPE(a, b, c, d)                                                                    \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

typedef struct BtPngChunk {
    uint32_t type, size;
    off_t at;   /* of its body in the file */
    off_t next; /* of the next chunk */
} BtPngChunk;

/* Before the first chunk: behind the signature. */
#define BT_PNG_CHUNK_INIT                                                                          \
    {                                                                                              \
        .next = 8                                                                                  \
    }

/* Goes to the next chunk. False where no whole head of one is left. */
bool bt_png_chunk_next(int fd, BtPngChunk *self);

#endif
