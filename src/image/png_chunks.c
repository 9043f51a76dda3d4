/* SPDX-License-Identifier: MIT */
#include "image/png_chunks.h"

#include "base/fd.h"
#include "base/number.h"

#include <string.h>

#define SIGNATURE_BYTES 8
#define HEAD_BYTES      8 /* size and type */
#define CHECKSUM_BYTES  4
#define BODY_MAX        32 /* of a chunk about colours */
#define EXIF_BYTES_MAX  8000000

/* More than a photo has: a chunk of 8 KiB each would be 8 GB. What steps on in the smallest steps
 * ends in a second. */
#define CHUNKS_MAX (1 << 20)

#define TYPE BT_PNG_TYPE

/* What the chunks before the pixels say of colours. */
typedef struct Colours {
    BtCoding coding;
    bool overruled; /* by a profile or sRGB */
    bool decided;   /* what comes later does not count */
} Colours;

static int32_t
number_of(const uint8_t *bytes)
{
    return (int32_t)MIN(bt_number(bytes, 4, false), INT32_MAX);
}

static void
take_colours(Colours *self, uint32_t type, uint32_t size, const uint8_t *body)
{
    if (type == TYPE('P', 'L', 'T', 'E')) {
        self->decided = true;
    } else if (type == TYPE('i', 'C', 'C', 'P') ||
               (type == TYPE('s', 'R', 'G', 'B') && size == 1)) {
        self->overruled = true;
    } else if (type == TYPE('c', 'I', 'C', 'P') && size == 4 && body[2] == 0 && body[3] <= 1) {
        /* RGB: its matrix is 0 */
        self->coding =
            (BtCoding){.primaries = body[0], .transfer = body[1], .narrow = body[3] == 0};
        self->decided = true;
        self->overruled = false;
    } else if (type == TYPE('g', 'A', 'M', 'A') && size == 4) {
        self->coding.gamma = number_of(body);
    } else if (type == TYPE('c', 'H', 'R', 'M') && size == 32) {
        for (size_t i = 0; i < 8; i++)
            self->coding.xy[i] = number_of(body + 4 * i);
    }
}

/* NULL for what is not a TIFF structure. */
static GBytes *
read_exif(int fd, uint32_t size, off_t at)
{
    static const char prefix[] = {'E', 'x', 'i', 'f', 0, 0};
    g_autofree char *bytes = NULL;
    char *tiff;

    if (size < 2 || size > EXIF_BYTES_MAX)
        return NULL;
    bytes = g_malloc(sizeof prefix + size);
    tiff = bytes + sizeof prefix;
    memcpy(bytes, prefix, sizeof prefix);
    if (bt_fd_read_at(fd, tiff, size, at) != (ssize_t)size ||
        (memcmp(tiff, "II", 2) != 0 && memcmp(tiff, "MM", 2) != 0))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&bytes), sizeof prefix + size);
}

void
bt_png_read_chunks(int fd, BtCoding *out_coding, GBytes **out_exif)
{
    Colours colours = {0};
    off_t at = SIGNATURE_BYTES;
    uint8_t head[HEAD_BYTES], body[BODY_MAX];
    uint32_t type = 0;

    *out_exif = NULL;
    for (int i = 0; i < CHUNKS_MAX && type != TYPE('I', 'E', 'N', 'D') &&
                    bt_fd_read_at(fd, head, sizeof head, at) == sizeof head;
         i++) {
        uint32_t size = (uint32_t)bt_number(head, 4, false);

        type = (uint32_t)bt_number(head + 4, 4, false);
        at += HEAD_BYTES;
        colours.decided = colours.decided || type == TYPE('I', 'D', 'A', 'T');
        if (*out_exif == NULL && type == TYPE('e', 'X', 'I', 'f'))
            *out_exif = read_exif(fd, size, at);
        if (*out_exif != NULL && type == TYPE('I', 'D', 'A', 'T'))
            break;
        if (!colours.decided &&
            (size > BODY_MAX || bt_fd_read_at(fd, body, size, at) == (ssize_t)size))
            take_colours(&colours, type, size, body);
        at += (off_t)size + CHECKSUM_BYTES;
    }
    *out_coding = colours.overruled ? (BtCoding){0} : colours.coding;
}
