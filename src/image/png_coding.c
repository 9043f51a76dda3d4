/* SPDX-License-Identifier: MIT */
#include "image/png_coding.h"

#include "base/fd.h"
#include "image/png_chunks.h"

#include <glib.h>
#include <string.h>

#define CICP BT_PNG_TYPE('c', 'I', 'C', 'P')
#define GAMA BT_PNG_TYPE('g', 'A', 'M', 'A')
#define CHRM BT_PNG_TYPE('c', 'H', 'R', 'M')
#define SRGB BT_PNG_TYPE('s', 'R', 'G', 'B')
#define ICCP BT_PNG_TYPE('i', 'C', 'C', 'P')
#define PLTE BT_PNG_TYPE('P', 'L', 'T', 'E')

#define CHUNKS_MAX 1024 /* before the pixels */

static int32_t
number_of(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return (int32_t)MIN(GUINT32_FROM_BE(value), INT32_MAX);
}

size_t
bt_png_coding_needs(uint32_t type, uint32_t size)
{
    return (type == CICP && size == 4) || (type == GAMA && size == 4) ||
                   (type == CHRM && size == 32)
               ? size
               : 0;
}

void
bt_png_coding_take(BtPngCoding *self, uint32_t type, uint32_t size, const uint8_t *body)
{
    bool whole = bt_png_coding_needs(type, size) > 0;

    if (self->settled)
        return;
    if (type == PLTE) {
        self->settled = true;
    } else if (type == ICCP || (type == SRGB && size == 1)) {
        self->overruled = true;
    } else if (type == CICP && whole && body[2] == 0 && body[3] <= 1) { /* RGB: its matrix is 0 */
        self->coding =
            (BtCoding){.primaries = body[0], .transfer = body[1], .narrow = body[3] == 0};
        self->settled = true;
        self->overruled = false;
    } else if (type == GAMA && whole) {
        self->coding.gamma = number_of(body);
    } else if (type == CHRM && whole) {
        for (int k = 0; k < 8; k++)
            self->coding.xy[k] = number_of(body + (size_t)k * 4);
    }
}

BtCoding
bt_png_coding_end(const BtPngCoding *self)
{
    return self->overruled ? (BtCoding){0} : self->coding;
}

BtCoding
bt_png_coding_read(int fd)
{
    BtPngCoding said = {0};
    BtPngChunk chunk = BT_PNG_CHUNK_INIT;

    for (int i = 0; i < CHUNKS_MAX && !said.settled && bt_png_chunk_next(fd, &chunk) &&
                    chunk.type != BT_PNG_TYPE('I', 'D', 'A', 'T');
         i++) {
        uint8_t body[BT_PNG_CODING_BYTES] = {0};
        size_t needed = bt_png_coding_needs(chunk.type, chunk.size);

        if (bt_fd_read_at(fd, body, needed, chunk.at) != (ssize_t)needed)
            break;
        bt_png_coding_take(&said, chunk.type, chunk.size, body);
    }
    return bt_png_coding_end(&said);
}
