/* SPDX-License-Identifier: MIT */
/* PNG files as a worker reads them: from a descriptor, to the last row. The checksums of chunks are
 * made right first, so that what is in them is reached. */
#include "fuzz.h"

#include "image/png_reader.h"

#include <isa-l/crc.h>
#include <sys/mman.h>
#include <unistd.h>

#define PX_MAX         (1 << 20) /* of a picture: enough for every path, and fast */
#define SIGNATURE_SIZE 8
#define CHUNK_AROUND   12 /* bytes of a chunk around its data */

static uint32_t
read_u32(const uint8_t *bytes)
{
    uint32_t big;

    memcpy(&big, bytes, sizeof big);
    return GUINT32_FROM_BE(big);
}

static void
mend_checksums(uint8_t *bytes, size_t size)
{
    size_t at = SIGNATURE_SIZE, data;

    for (; at + CHUNK_AROUND <= size; at += data + CHUNK_AROUND) {
        uint32_t crc;

        data = read_u32(bytes + at);
        if (data > size - at - CHUNK_AROUND)
            return;
        crc = GUINT32_TO_BE(crc32_gzip_refl(0, bytes + at + 4, data + 4));
        memcpy(bytes + at + 8 + data, &crc, sizeof crc);
    }
}

static int
file_of(const uint8_t *bytes, size_t size)
{
    static int fd = -1;
    g_autofree uint8_t *mended = g_memdup2(bytes, size);

    if (fd < 0)
        fd = memfd_create("png", MFD_CLOEXEC);
    mend_checksums(mended, size);
    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    g_assert_cmpint(pwrite(fd, mended, size, 0), ==, size);
    return fd;
}

typedef struct Seen {
    size_t row_bytes;
    int n_rows;
    unsigned sum;
} Seen;

/* Every sample that is said to be there: a sanitizer sees one that is not. */
static bool
sum_rows(void *user, const void *rows, ptrdiff_t stride, int n_rows)
{
    Seen *self = user;
    const uint8_t *row = rows;

    for (int y = 0; y < n_rows; y++, row += stride)
        for (size_t i = 0; i < self->row_bytes; i++)
            self->sum += row[i];
    self->n_rows += n_rows;
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    g_auto(BtMetadata) metadata = {0};
    BtDecodePicture picture;
    BtOutcome outcome = {0};
    Seen seen = {0};
    g_autoptr(BtPngReader) reader = bt_png_reader_new(file_of(bytes, size), &picture, &outcome);

    if (reader == NULL)
        return 0;
    bt_png_reader_metadata(reader, &metadata);
    g_assert_true(picture.orientation >= 1 && picture.orientation <= 8);
    g_assert_true(picture.bands >= 1 && picture.bands <= 4);
    if ((int64_t)picture.width * picture.height > PX_MAX)
        return 0;
    seen.row_bytes = (size_t)picture.width * (size_t)picture.bands * (picture.deep ? 2 : 1);
    if (bt_png_reader_rows(reader, sum_rows, &seen, &outcome))
        g_assert_cmpint(seen.n_rows, ==, picture.height);
    else
        g_assert_cmpint(outcome.reason, ==, BT_REASON_BROKEN);
    return 0;
}
