/* SPDX-License-Identifier: MIT */
#include "image/png_chunks.h"

#include "base/fd.h"

#include <glib.h>

#define CHECKSUM_BYTES 4

bool
bt_png_chunk_next(int fd, BtPngChunk *self)
{
    uint32_t head[2]; /* size, type */

    if (bt_fd_read_at(fd, head, sizeof head, self->next) != sizeof head)
        return false;
    self->size = GUINT32_FROM_BE(head[0]);
    self->type = GUINT32_FROM_BE(head[1]);
    self->at = self->next + (off_t)sizeof head;
    self->next = self->at + (off_t)self->size + CHECKSUM_BYTES;
    return true;
}
