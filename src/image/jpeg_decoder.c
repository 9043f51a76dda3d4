/* SPDX-License-Identifier: MIT */
#include "image/jpeg_decoder.h"

#include "base/fd.h"
#include "image/jpeg_reader.h"

#include <string.h>

/* Segments before the frame's: a large profile has 255. */
#define SEGMENTS_MAX 4096

#define FRAME_BYTES 10 /* of a frame header, from its marker to the number of components */
#define MARKER_EXIF 0xe1
#define MARKER_MPF  0xe2

static bool
is_here(int n_components)
{
    return n_components == 1 || n_components == BT_PLANES_MAX;
}

static BtJpegReader *
reader_of(const BtDecode *decode)
{
    return (BtJpegReader *)(uintptr_t)decode;
}

BtDecode *
bt_jpeg_open_at(int fd, off_t at, BtPicture *out_picture, BtOutcome *outcome)
{
    g_autoptr(BtJpegReader) reader = bt_jpeg_reader_new(fd, at, outcome);

    if (reader == NULL || !is_here(reader->frame.n_components))
        return NULL;
    *out_picture = (BtPicture){
        .width = reader->frame.width,
        .height = reader->frame.height,
        .orientation = reader->orientation,
        .n_pages = 1,
        .bands = reader->frame.n_components,
        .memory = bt_jpeg_memory(&reader->frame),
        .profile = reader->profile,
        .profile_size = reader->profile_size,
    };
    return (BtDecode *)g_steal_pointer(&reader);
}

static BtDecode *
open_jpeg(int fd, BtPicture *out_picture, BtOutcome *outcome)
{
    return bt_jpeg_open_at(fd, 0, out_picture, outcome);
}

static bool
begin_jpeg(BtDecode *self, const BtReduction *reduction, BtBand *out_band, BtOutcome *outcome)
{
    BtJpegReader *reader = reader_of(self);
    int by = bt_jpeg_reduction(&reader->frame, reduction->shrink, reduction->spread);
    bool planes = by > 1 && !reduction->pixels;

    if (!(planes ? bt_jpeg_reader_start(reader, by, reduction->complete ? 1 : reduction->shrink,
                                        reduction->n_threads, outcome)
                 : bt_jpeg_reader_start_pixels(reader, outcome)))
        return false;
    *out_band = (BtBand){.n_planes = reader->n_planes, .ycc = planes && reader->ycc};
    memcpy(out_band->planes, reader->planes, sizeof reader->planes);
    return true;
}

static bool
next_band(BtDecode *self, BtBand *band, BtOutcome *outcome)
{
    BtJpegReader *reader = reader_of(self);

    if (!bt_jpeg_reader_next(reader, outcome))
        return false;
    memcpy(band->planes, reader->planes, sizeof reader->planes);
    return true;
}

static void
read_metadata(const BtDecode *self, BtMetadata *out_metadata)
{
    bt_jpeg_reader_metadata(reader_of(self), out_metadata);
}

static void
close_jpeg(BtDecode *self)
{
    bt_jpeg_reader_free(reader_of(self));
}

const BtDecoder bt_jpeg_decoder = {
    .name = "jpeg",
    .open = open_jpeg,
    .begin = begin_jpeg,
    .next = next_band,
    .metadata = read_metadata,
    .close = close_jpeg,
};

/* SOF0 to SOF15 but for DHT, JPG and DAC, which lie between them. */
static bool
is_frame(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

bool
bt_jpeg_peek(int fd, off_t at, BtJpegPeek *out_peek)
{
    uint8_t bytes[FRAME_BYTES];
    BtJpegPeek peek = {0};

    if (bt_fd_read_at(fd, bytes, 2, at) != 2 || bytes[0] != 0xff || bytes[1] != 0xd8)
        return false;
    at += 2;
    for (int i = 0; i < SEGMENTS_MAX; i++) {
        int size;

        if (bt_fd_read_at(fd, bytes, sizeof bytes, at) != sizeof bytes || bytes[0] != 0xff)
            return false;
        size = bytes[2] << 8 | bytes[3];
        if (is_frame(bytes[1])) {
            peek.marker = bytes[1];
            peek.height = bytes[5] << 8 | bytes[6];
            peek.width = bytes[7] << 8 | bytes[8];
            peek.common = bytes[4] == 8 && is_here(bytes[9]);
            peek.end = at + 2 + size;
            *out_peek = peek;
            return true;
        }
        if (bytes[1] == MARKER_EXIF && size > 8 && memcmp(bytes + 4, "Exif\0", 6) == 0) {
            peek.exif_at = at + FRAME_BYTES;
            peek.exif_size = (size_t)size - 8;
        }
        if (bytes[1] == MARKER_MPF && size > 6 && memcmp(bytes + 4, "MPF", 4) == 0) {
            peek.mpf_at = at + 8;
            peek.mpf_size = (size_t)size - 6;
        }
        at += bytes[1] == 0xff ? 1 : 2 + size;
    }
    return false;
}
