/* SPDX-License-Identifier: MIT */
#include "image/jpeg_trailer.h"

#include "base/fd.h"
#include "base/number.h"
#include "image/jpeg_decoder.h"
#include "image/outcome.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#define PART_BYTES    65536 /* that are read of each part */
#define TRAILER_LEAST 16    /* bytes; the picture's EOI may be among them */
#define FTYP_MAX      512   /* bytes of the box */
#define PICTURES_MAX  16    /* that MPF lists */

/* Whether a file of boxes, as videos are, begins somewhere in these bytes. */
static bool
has_video(const uint8_t *bytes, size_t size)
{
    const uint8_t *end = bytes + size;

    for (const uint8_t *at = bytes + 4;
         at < end && (at = memmem(at, (size_t)(end - at), "ftyp", 4)) != NULL; at++) {
        uint64_t box = bt_number(at - 4, 4, false);

        if (box >= 16 && box <= FTYP_MAX && box % 4 == 0)
            return true;
    }
    return false;
}

/* Samsung's directory at the file's end: "SEFH", a version, how many entries; an entry's kind is
 * its third and fourth byte; then the bytes of it all, and "SEFT". */
static bool
has_samsung_video(int fd, uint8_t *part)
{
    enum {
        HEAD_BYTES = 12,
        ENTRY_BYTES = 12,
        MOTION_PHOTO = 0x0a30
    };
    off_t end = lseek(fd, 0, SEEK_END) - 8;
    uint32_t size;

    if (bt_fd_read_at(fd, part, 8, end) != 8 || memcmp(part + 4, "SEFT", 4) != 0)
        return false;
    size = (uint32_t)bt_number(part, 4, true);
    if (size < HEAD_BYTES || size > PART_BYTES ||
        bt_fd_read_at(fd, part, size, end - size) != (ssize_t)size || memcmp(part, "SEFH", 4) != 0)
        return false;
    for (uint32_t at = HEAD_BYTES; at + ENTRY_BYTES <= size; at += ENTRY_BYTES)
        if (bt_number(part + at + 2, 2, true) == MOTION_PHOTO)
            return true;
    return false;
}

/* Where the pictures begin that MPF lists, but for the first. Returns how many there are. */
static size_t
find_pictures(int fd, uint8_t *part, off_t out_places[PICTURES_MAX])
{
    enum {
        MP_ENTRIES = 0xb002,
        TAG_BYTES = 12,
        ENTRY_BYTES = 16
    };
    BtJpegPeek peek;
    size_t size, at, n_tags, found = 0;
    bool little;

    if (!bt_jpeg_peek(fd, 0, &peek) || peek.mpf_size < 10 ||
        bt_fd_read_at(fd, part, peek.mpf_size, peek.mpf_at) != (ssize_t)peek.mpf_size)
        return 0;
    size = peek.mpf_size;
    little = part[0] == 'I';
    at = bt_number(part + 4, 4, little);
    if (at > size - 2)
        return 0;
    n_tags = bt_number(part + at, 2, little);
    for (at += 2; n_tags > 0 && at + TAG_BYTES <= size; n_tags--, at += TAG_BYTES) {
        size_t n = bt_number(part + at + 4, 4, little) / ENTRY_BYTES;
        size_t entry = bt_number(part + at + 8, 4, little);

        if (bt_number(part + at, 2, little) != MP_ENTRIES)
            continue;
        for (n = MIN(n, PICTURES_MAX); n > 1 && entry + 2 * ENTRY_BYTES <= size; n--) {
            entry += ENTRY_BYTES;
            out_places[found++] = peek.mpf_at + (off_t)bt_number(part + entry + 8, 4, little);
        }
        break;
    }
    return found;
}

static bool
is_gain_map(const uint8_t *bytes, size_t size)
{
    static const char *const signs[] = {"hdrgainmap", "hdrgm:Version",
                                        "urn:iso:std:iso:ts:21496:-1"};

    for (size_t i = 0; size > 2 && bytes[0] == 0xff && bytes[1] == 0xd8 && i < G_N_ELEMENTS(signs);
         i++)
        if (memmem(bytes, size, signs[i], strlen(signs[i])) != NULL)
            return true;
    return false;
}

static bool
has_gain_map(int fd, uint8_t *part)
{
    off_t places[PICTURES_MAX];
    size_t n = find_pictures(fd, part, places);

    for (size_t i = 0; i < n; i++) {
        ssize_t size = bt_fd_read_at(fd, part, PART_BYTES, places[i]);

        if (size > 0 && is_gain_map(part, (size_t)size))
            return true;
    }
    return false;
}

uint32_t
bt_jpeg_trailer_left_out(int fd, off_t end)
{
    g_autofree uint8_t *part = g_malloc(PART_BYTES);
    ssize_t size = bt_fd_read_at(fd, part, PART_BYTES, end);
    uint32_t left_out = 0;

    if (size < TRAILER_LEAST)
        return 0;
    if (has_video(part, (size_t)size) || has_samsung_video(fd, part))
        left_out |= BT_LEFT_OUT_VIDEO;
    if (has_gain_map(fd, part))
        left_out |= BT_LEFT_OUT_GAIN_MAP;
    return left_out;
}
