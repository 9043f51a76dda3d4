/* SPDX-License-Identifier: MIT */
#include "image/jpeg_writer.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>
/* This one needs size_t and FILE from above. */
#include <jpeglib.h>

#define BLOCK               8
#define BYTES_FIRST         65536
#define PLANES              3
#define BAND_ROWS           (2 * BLOCK) /* of luma in a row of MCUs, where chroma is halved */
#define FULL_CHROMA_QUALITY 90
#define SEGMENT_MAX         65533 /* bytes of a marker's content */

typedef struct Writer {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    int quality;
    const BtMetadata *metadata;
    char message[JMSG_LENGTH_MAX];
    struct jpeg_destination_mgr destination;
    GByteArray
        *bytes;       /* as many as there is room for; the destination knows how many are written */
    uint8_t *samples; /* of one band of each plane, rows filled up to whole blocks */
    JSAMPROW rows[PLANES][BAND_ROWS];
} Writer;

static void
leave(j_common_ptr jpeg)
{
    Writer *self = jpeg->client_data;

    jpeg->err->format_message(jpeg, self->message);
    longjmp(self->jump, 1);
}

/* Room from `used` on. */
static void
make_room(Writer *self, guint used, guint size)
{
    g_byte_array_set_size(self->bytes, size);
    self->destination.next_output_byte = self->bytes->data + used;
    self->destination.free_in_buffer = size - used;
}

static void
begin_bytes(j_compress_ptr jpeg)
{
    make_room(jpeg->client_data, 0, BYTES_FIRST);
}

static boolean
grow_bytes(j_compress_ptr jpeg)
{
    Writer *self = jpeg->client_data;

    make_room(self, self->bytes->len, 2 * self->bytes->len);
    return TRUE;
}

static void
end_bytes(j_compress_ptr jpeg)
{
    Writer *self = jpeg->client_data;

    g_byte_array_set_size(self->bytes, self->bytes->len - (guint)self->destination.free_in_buffer);
}

static void
drop_message(j_common_ptr jpeg, int level)
{
    (void)jpeg, (void)level;
}

bool
bt_jpeg_halves_chroma(int quality)
{
    return quality < FULL_CHROMA_QUALITY;
}

/* prefix: what the segment begins with; its last byte is the zero behind the text. */
static void
write_segment(Writer *self, int marker, const char *prefix, size_t prefix_size, GBytes *content)
{
    g_autofree uint8_t *segment = NULL;
    gsize size;
    const void *bytes;

    if (content == NULL)
        return;
    bytes = g_bytes_get_data(content, &size);
    if (prefix_size + size > SEGMENT_MAX)
        return;
    segment = g_malloc(prefix_size + size);
    memcpy(segment, prefix, prefix_size);
    memcpy(segment + prefix_size, bytes, size);
    jpeg_write_marker(&self->jpeg, marker, segment, (unsigned)(prefix_size + size));
}

static void
write_metadata(Writer *self)
{
    const BtMetadata *metadata = self->metadata;

    write_segment(self, JPEG_APP0 + 1, "", 0, metadata->exif);
    write_segment(self, JPEG_APP0 + 1, BT_METADATA_XMP_PREFIX, sizeof BT_METADATA_XMP_PREFIX,
                  metadata->xmp);
    write_segment(self, JPEG_APP0 + 13, "", 0, metadata->iptc);
}

static void
start(Writer *self, const BtRaster *raster, J_COLOR_SPACE space)
{
    struct jpeg_compress_struct *jpeg = &self->jpeg;

    jpeg_create_compress(jpeg);
    jpeg->dest = &self->destination;
    jpeg->image_width = (JDIMENSION)raster->width;
    jpeg->image_height = (JDIMENSION)raster->height;
    jpeg->input_components = space == JCS_GRAYSCALE ? 1 : PLANES;
    jpeg->in_color_space = space;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, self->quality, TRUE);
    if (!bt_jpeg_halves_chroma(self->quality))
        jpeg->comp_info[0].h_samp_factor = jpeg->comp_info[0].v_samp_factor = 1;
    jpeg->raw_data_in = space == JCS_YCbCr;
    jpeg_start_compress(jpeg, TRUE);
    write_metadata(self);
}

static void
write_rows(Writer *self, const BtRaster *raster)
{
    size_t stride = (size_t)raster->width * (size_t)raster->bands;

    start(self, raster, raster->bands == 1 ? JCS_GRAYSCALE : JCS_RGB);
    while (self->jpeg.next_scanline < self->jpeg.image_height) {
        JSAMPROW row = raster->pixels + self->jpeg.next_scanline * stride;

        jpeg_write_scanlines(&self->jpeg, &row, 1);
    }
}

static size_t
whole_blocks(int width)
{
    return (size_t)(width + BLOCK - 1) / BLOCK * BLOCK;
}

static void
reserve_bands(Writer *self, const BtRaster *planes)
{
    size_t size = 0, at = 0;

    for (int i = 0; i < PLANES; i++)
        size += whole_blocks(planes[i].width) * BAND_ROWS;
    self->samples = g_malloc(size);
    for (int i = 0; i < PLANES; i++)
        for (int row = 0; row < BAND_ROWS; row++, at += whole_blocks(planes[i].width))
            self->rows[i][row] = self->samples + at;
}

/* Rows of a plane from `top` on; its last column and row are repeated. */
static void
fill_band(JSAMPROW *rows, int n_rows, const BtRaster *plane, int top)
{
    size_t width = (size_t)plane->width;

    for (int i = 0; i < n_rows; i++) {
        memcpy(rows[i], plane->pixels + (size_t)MIN(top + i, plane->height - 1) * width, width);
        memset(rows[i] + width, rows[i][width - 1], whole_blocks(plane->width) - width);
    }
}

static void
write_planes(Writer *self, const BtRaster *planes)
{
    JSAMPARRAY rows[PLANES] = {self->rows[0], self->rows[1], self->rows[2]};

    start(self, planes, JCS_YCbCr);
    reserve_bands(self, planes);
    for (int top = 0; top < planes->height; top += BAND_ROWS) {
        fill_band(self->rows[0], BAND_ROWS, &planes[0], top);
        fill_band(self->rows[1], BLOCK, &planes[1], top / 2);
        fill_band(self->rows[2], BLOCK, &planes[2], top / 2);
        jpeg_write_raw_data(&self->jpeg, rows, BAND_ROWS);
    }
}

/* One raster or three planes. */
static GBytes *
write_file(const BtRaster *rasters, bool are_planes, int quality, const BtMetadata *metadata,
           BtOutcome *outcome)
{
    g_autofree Writer *self = g_new0(Writer, 1);
    GBytes *bytes = NULL;

    self->quality = quality;
    self->metadata = metadata;
    self->jpeg.err = jpeg_std_error(&self->errors);
    self->jpeg.client_data = self;
    self->errors.error_exit = leave;
    self->errors.emit_message = drop_message;
    self->destination = (struct jpeg_destination_mgr){.init_destination = begin_bytes,
                                                      .empty_output_buffer = grow_bytes,
                                                      .term_destination = end_bytes};
    self->bytes = g_byte_array_new();
    if (setjmp(self->jump) == 0) {
        if (are_planes)
            write_planes(self, rasters);
        else
            write_rows(self, rasters);
        jpeg_finish_compress(&self->jpeg);
        bytes = g_byte_array_free_to_bytes(g_steal_pointer(&self->bytes));
    } else {
        g_byte_array_unref(self->bytes);
        bt_outcome_fail(outcome, BT_REASON_ENCODE, "the result cannot be made into jpeg: %s",
                        self->message);
    }
    jpeg_destroy_compress(&self->jpeg);
    g_free(self->samples);
    return bytes;
}

GBytes *
bt_jpeg_write(const BtRaster *raster, int quality, const BtMetadata *metadata, BtOutcome *outcome)
{
    g_assert(!raster->deep && !raster->alpha && (raster->bands == 1 || raster->bands == 3));
    return write_file(raster, false, quality, metadata, outcome);
}

GBytes *
bt_jpeg_write_planes(const BtRaster planes[3], int quality, const BtMetadata *metadata,
                     BtOutcome *outcome)
{
    for (int i = 0; i < PLANES; i++) {
        int part = i > 0 ? 2 : 1;

        g_assert(!planes[i].deep && planes[i].bands == 1 &&
                 planes[i].width == (planes[0].width + part - 1) / part &&
                 planes[i].height == (planes[0].height + part - 1) / part);
    }
    g_assert(bt_jpeg_halves_chroma(quality));
    return write_file(planes, true, quality, metadata, outcome);
}
