/* SPDX-License-Identifier: MIT */
#include "image/jpeg_markers.h"

#include "image/metadata.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* This one needs size_t and FILE from above. */
#include <jpeglib.h>

static const struct {
    int marker;
    const char *prefix;
    size_t size; /* bytes of it */
} kinds[] = {
    {BT_JPEG_MARKER_EXIF, "Exif\0", 6},
    {BT_JPEG_MARKER_EXIF, BT_METADATA_XMP_PREFIX, sizeof BT_METADATA_XMP_PREFIX},
    {BT_JPEG_MARKER_ICC, "ICC_PROFILE", 12},
    {BT_JPEG_MARKER_IPTC, "Photoshop 3.0", 14},
};

#define PREFIX_MAX 64

_Static_assert(sizeof BT_METADATA_XMP_PREFIX <= PREFIX_MAX, "the longest prefix");

/* The next n bytes of the file. The source leaves by itself where there are none. */
static void
read_bytes(j_decompress_ptr jpeg, uint8_t *out_bytes, size_t n)
{
    struct jpeg_source_mgr *source = jpeg->src;

    while (n > 0) {
        size_t here;

        if (source->bytes_in_buffer == 0)
            source->fill_input_buffer(jpeg);
        here = MIN(n, source->bytes_in_buffer);
        memcpy(out_bytes, source->next_input_byte, here);
        source->next_input_byte += here;
        source->bytes_in_buffer -= here;
        out_bytes += here;
        n -= here;
    }
}

static bool
is_wanted(int marker, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].marker == marker && kinds[i].size <= n &&
            memcmp(bytes, kinds[i].prefix, kinds[i].size) == 0)
            return true;
    return false;
}

/* A segment of n bytes of payload at the end of the list. It belongs to libjpeg. */
static uint8_t *
add_segment(j_decompress_ptr jpeg, size_t n)
{
    jpeg_saved_marker_ptr *last = &jpeg->marker_list;
    jpeg_saved_marker_ptr segment =
        jpeg->mem->alloc_large((j_common_ptr)jpeg, JPOOL_IMAGE, sizeof *segment + n);

    *segment = (struct jpeg_marker_struct){
        .marker = (UINT8)jpeg->unread_marker,
        .original_length = (unsigned)n,
        .data_length = (unsigned)n,
        .data = (JOCTET *)(segment + 1),
    };
    while (*last != NULL)
        last = &(*last)->next;
    *last = segment;
    return segment->data;
}

static boolean
take_segment(j_decompress_ptr jpeg)
{
    uint8_t length[2], prefix[PREFIX_MAX];
    size_t n, n_read;

    read_bytes(jpeg, length, sizeof length);
    n = (size_t)(length[0] << 8 | length[1]);
    n = n > sizeof length ? n - sizeof length : 0;
    n_read = MIN(n, sizeof prefix);
    read_bytes(jpeg, prefix, n_read);
    if (is_wanted(jpeg->unread_marker, prefix, n_read)) {
        uint8_t *data = add_segment(jpeg, n);

        memcpy(data, prefix, n_read);
        read_bytes(jpeg, data + n_read, n - n_read);
    } else if (n > n_read) {
        jpeg->src->skip_input_data(jpeg, (long)(n - n_read));
    }
    return TRUE;
}

void
bt_jpeg_markers_choose(struct jpeg_decompress_struct *jpeg)
{
    jpeg_set_marker_processor(jpeg, BT_JPEG_MARKER_EXIF, take_segment);
    jpeg_set_marker_processor(jpeg, BT_JPEG_MARKER_ICC, take_segment);
    jpeg_set_marker_processor(jpeg, BT_JPEG_MARKER_IPTC, take_segment);
}
