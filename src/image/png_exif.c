/* SPDX-License-Identifier: MIT */
#include "image/png_exif.h"

#include "base/fd.h"

#include <stdint.h>
#include <string.h>

#define SIGNATURE_BYTES 8
#define HEAD_BYTES      8  /* of a chunk: length and kind */
#define FRAME_BYTES     12 /* and its checksum */

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
    off_t at = SIGNATURE_BYTES;
    uint8_t head[HEAD_BYTES];

    for (int i = 0; i < CHUNKS_MAX; i++) {
        uint32_t size;

        if (bt_fd_read_at(fd, head, sizeof head, at) != sizeof head ||
            memcmp(head + 4, "IEND", 4) == 0)
            return NULL;
        memcpy(&size, head, sizeof size);
        size = GUINT32_FROM_BE(size);
        if (memcmp(head + 4, "eXIf", 4) == 0)
            return size <= EXIF_BYTES_MAX ? read_exif(fd, size, at + HEAD_BYTES) : NULL;
        at += (off_t)size + FRAME_BYTES;
    }
    return NULL;
}
