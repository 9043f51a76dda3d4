/* SPDX-License-Identifier: MIT */
#include "image/png_exif.h"

#include "base/fd.h"
#include "image/png_chunks.h"

#include <stdint.h>
#include <string.h>

/* More than a photo has: a chunk of 8 KiB each would be 8 GB. What steps on in the smallest steps
 * ends in a second. */
#define CHUNKS_MAX (1 << 20)

#define EXIF_BYTES_MAX 65535 /* what other formats can hold */

static const char prefix[] = {'E', 'x', 'i', 'f', 0, 0};

static GBytes *
read_exif(int fd, size_t size, off_t at)
{
    g_autofree char *bytes = g_malloc(sizeof prefix + size);

    memcpy(bytes, prefix, sizeof prefix);
    if (bt_fd_read_at(fd, bytes + sizeof prefix, size, at) != (ssize_t)size)
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&bytes), sizeof prefix + size);
}

GBytes *
bt_png_exif(int fd)
{
    BtPngChunk chunk = BT_PNG_CHUNK_INIT;

    for (int i = 0; i < CHUNKS_MAX && bt_png_chunk_next(fd, &chunk) &&
                    chunk.type != BT_PNG_TYPE('I', 'E', 'N', 'D');
         i++)
        if (chunk.type == BT_PNG_TYPE('e', 'X', 'I', 'f'))
            return chunk.size <= EXIF_BYTES_MAX ? read_exif(fd, chunk.size, chunk.at) : NULL;
    return NULL;
}
