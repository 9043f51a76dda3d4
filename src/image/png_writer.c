/* SPDX-License-Identifier: MIT */
#include "image/png.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>

#define HEADER_BYTES 13
#define FILTER_SUB   1 /* blurred pixels are much like their neighbours; others gain little more */
#define EXIF_PREFIX  6 /* bytes that a PNG goes without */

static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static void
append_u32(GByteArray *to, uint32_t value)
{
    uint32_t big = GUINT32_TO_BE(value);

    g_byte_array_append(to, (const uint8_t *)&big, sizeof big);
}

/* Begins a chunk whose size is set by end_chunk(). Returns where. */
static guint
begin_chunk(GByteArray *to, const char *type)
{
    guint start = to->len;

    append_u32(to, 0);
    g_byte_array_append(to, (const uint8_t *)type, 4);
    return start;
}

static void
end_chunk(GByteArray *to, guint start)
{
    uint32_t size = GUINT32_TO_BE(to->len - start - 8);

    memcpy(to->data + start, &size, sizeof size);
    append_u32(to, crc32_gzip_refl(0, to->data + start + 4, to->len - start - 4));
}

static void
append_chunk(GByteArray *to, const char *type, const void *data, size_t size)
{
    guint start = begin_chunk(to, type);

    g_byte_array_append(to, data, (guint)size);
    end_chunk(to, start);
}

static void
append_header(GByteArray *to, const BtRaster *raster)
{
    static const uint8_t colours[] = {0, 0, 4, 2, 6}; /* by bands: grey, with alpha, RGB, RGBA */
    uint32_t size[] = {GUINT32_TO_BE((uint32_t)raster->width),
                       GUINT32_TO_BE((uint32_t)raster->height)};
    uint8_t header[HEADER_BYTES] = {[8] = raster->deep ? 16 : 8, colours[raster->bands]};

    memcpy(header, size, sizeof size);
    g_byte_array_append(to, signature, sizeof signature);
    append_chunk(to, "IHDR", header, sizeof header);
}

static void
append_metadata(GByteArray *to, const BtMetadata *metadata)
{
    static const char xmp[] = "XML:com.adobe.xmp\0\0\0\0"; /* not compressed, no language */
    gsize size;
    const uint8_t *bytes;
    guint start;

    if (metadata->exif != NULL) {
        bytes = g_bytes_get_data(metadata->exif, &size);
        append_chunk(to, "eXIf", bytes + EXIF_PREFIX, size - EXIF_PREFIX);
    }
    if (metadata->xmp != NULL) {
        bytes = g_bytes_get_data(metadata->xmp, &size);
        start = begin_chunk(to, "iTXt");
        g_byte_array_append(to, (const uint8_t *)xmp, sizeof xmp);
        g_byte_array_append(to, bytes, (guint)size);
        end_chunk(to, start);
    }
}

/* One row as it is stored: the filter's number, then each byte less the one a pixel before. */
static void
filter_row(const BtRaster *raster, int y, uint8_t *out)
{
    size_t bands = (size_t)raster->bands, n = (size_t)raster->width * bands;
    const uint8_t *row = raster->pixels + (size_t)y * n;
    const uint16_t *deep = (const uint16_t *)(const void *)raster->pixels + (size_t)y * n;

    *out++ = FILTER_SUB;
    for (size_t i = 0; raster->deep && i < n; i++) {
        uint16_t left = i < bands ? 0 : deep[i - bands];

        *out++ = (uint8_t)((deep[i] >> 8) - (left >> 8));
        *out++ = (uint8_t)(deep[i] - left);
    }
    if (raster->deep)
        return;
    memcpy(out, row, bands);
    for (size_t i = bands; i < n; i++)
        out[i] = (uint8_t)(row[i] - row[i - bands]);
}

/* A zlib stream of it, behind what is there. False when memory is short. */
static bool
append_deflated(GByteArray *to, uint8_t *bytes, size_t size)
{
    g_autofree struct isal_zstream *stream = g_try_new(struct isal_zstream, 1);
    g_autofree uint8_t *buffer = g_try_malloc(ISAL_DEF_LVL1_DEFAULT);
    guint before = to->len;

    if (stream == NULL || buffer == NULL)
        return false;
    isal_deflate_init(stream);
    stream->gzip_flag = IGZIP_ZLIB;
    stream->level = 1;
    stream->level_buf = buffer;
    stream->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
    stream->end_of_stream = 1;
    stream->flush = NO_FLUSH;
    stream->next_in = bytes;
    stream->avail_in = (uint32_t)size;
    do {
        guint used = before + stream->total_out, room = (guint)size / 4 + 1024;

        g_byte_array_set_size(to, used + room);
        stream->next_out = to->data + used;
        stream->avail_out = room;
        if (isal_deflate(stream) != COMP_OK)
            return false;
    } while (stream->internal_state.state != ZSTATE_END);
    g_byte_array_set_size(to, before + stream->total_out);
    return true;
}

GBytes *
bt_png_write(const BtRaster *raster, const BtMetadata *metadata, BtOutcome *outcome)
{
    size_t stride = bt_raster_size(raster) / (size_t)raster->height + 1;
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autofree uint8_t *rows = NULL;
    guint start;

    if (stride * (size_t)raster->height > INT32_MAX) {
        bt_outcome_fail(outcome, BT_REASON_ENCODE, "the result is too large for png");
        return NULL;
    }
    append_header(file, raster);
    append_metadata(file, metadata);
    start = begin_chunk(file, "IDAT");
    rows = g_try_malloc(stride * (size_t)raster->height);
    for (int y = 0; rows != NULL && y < raster->height; y++)
        filter_row(raster, y, rows + (size_t)y * stride);
    if (rows == NULL || !append_deflated(file, rows, stride * (size_t)raster->height)) {
        bt_outcome_fail_memory(outcome);
        return NULL;
    }
    end_chunk(file, start);
    append_chunk(file, "IEND", "", 0);
    return g_byte_array_free_to_bytes(g_steal_pointer(&file));
}
