/* SPDX-License-Identifier: MIT */
#include "image/png_coding.h"

#include "base/fd.h"

#include <glib.h>
#include <string.h>

#define SIGNATURE_BYTES 8
#define HEAD_BYTES      8    /* of a chunk: length and kind */
#define FRAME_BYTES     12   /* and its checksum */
#define CHUNKS_MAX      1024 /* before the pixels */

typedef struct Chunk {
    char kind[4];
    uint32_t size;
    uint8_t body[32]; /* the first bytes */
} Chunk;

static bool
is_chunk(const Chunk *chunk, const char *kind, uint32_t size)
{
    return memcmp(chunk->kind, kind, sizeof chunk->kind) == 0 && chunk->size == size;
}

static bool
read_chunk(int fd, off_t at, Chunk *out_chunk)
{
    uint8_t bytes[HEAD_BYTES + sizeof out_chunk->body] = {0};

    if (bt_fd_read_at(fd, bytes, sizeof bytes, at) < FRAME_BYTES)
        return false;
    memcpy(&out_chunk->size, bytes, 4);
    out_chunk->size = GUINT32_FROM_BE(out_chunk->size);
    memcpy(out_chunk->kind, bytes + 4, 4);
    memcpy(out_chunk->body, bytes + HEAD_BYTES, sizeof out_chunk->body);
    return true;
}

static int32_t
number_of(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return (int32_t)MIN(GUINT32_FROM_BE(value), INT32_MAX);
}

BtCoding
bt_png_coding(int fd)
{
    BtCoding coding = {0};
    bool overruled = false;
    off_t at = SIGNATURE_BYTES;
    Chunk chunk;

    for (int i = 0; i < CHUNKS_MAX && read_chunk(fd, at, &chunk); i++) {
        const uint8_t *body = chunk.body;

        if (memcmp(chunk.kind, "IDAT", 4) == 0 || memcmp(chunk.kind, "PLTE", 4) == 0)
            break;
        /* Only RGB is allowed: its matrix is 0. */
        if (is_chunk(&chunk, "cICP", 4) && body[2] == 0 && body[3] <= 1)
            return (BtCoding){.primaries = body[0], .transfer = body[1], .narrow = body[3] == 0};
        if (memcmp(chunk.kind, "iCCP", 4) == 0 || is_chunk(&chunk, "sRGB", 1))
            overruled = true;
        if (is_chunk(&chunk, "gAMA", 4))
            coding.gamma = number_of(body);
        for (int k = 0; is_chunk(&chunk, "cHRM", 32) && k < 8; k++)
            coding.xy[k] = number_of(body + (size_t)k * 4);
        at += (off_t)chunk.size + FRAME_BYTES;
    }
    return overruled ? (BtCoding){0} : coding;
}
