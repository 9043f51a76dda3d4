/* SPDX-License-Identifier: MIT */
/* PNG files as a worker reads them: from a descriptor, to the last row. The checksums of chunks are
 * made right first, so that what is in them is reached. */
#include "fuzz.h"

#include "image/png.h"

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

/* Every sample that is said to be there: a sanitizer sees one that is not. */
static unsigned
sum_rows(const BtPlane *plane, bool deep)
{
    unsigned sum = 0;

    for (int y = 0; y < plane->n_rows; y++)
        for (int x = 0; x < plane->width * plane->bands * (deep ? 2 : 1); x++)
            sum += plane->rows[y * plane->stride + x];
    return sum;
}

static void
read_all(BtDecode *decode, const BtPicture *picture)
{
    volatile unsigned sum = 0; /* so that the rows are read */
    int n_rows = 0;
    BtOutcome outcome = {0};
    BtBand band;

    (void)sum;
    g_assert_true(bt_png_decoder.begin(decode, &(BtReduction){.shrink = 1}, &band, &outcome));
    while (bt_png_decoder.next(decode, &band, &outcome)) {
        sum += sum_rows(&band.planes[0], picture->deep);
        n_rows += band.planes[0].n_rows;
    }
    if (outcome.reason == BT_REASON_OK)
        g_assert_cmpint(n_rows, ==, picture->height);
    else
        g_assert_cmpint(outcome.reason, ==, BT_REASON_BROKEN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    g_auto(BtMetadata) metadata = {0};
    BtPicture picture;
    BtOutcome outcome = {0};
    BtDecode *decode = bt_png_decoder.open(file_of(bytes, size), &picture, &outcome);

    if (decode == NULL)
        return 0;
    bt_png_decoder.metadata(decode, &metadata);
    g_assert_true(picture.orientation >= 1 && picture.orientation <= 8);
    g_assert_true(picture.bands >= 1 && picture.bands <= 4);
    if ((int64_t)picture.width * picture.height <= PX_MAX)
        read_all(decode, &picture);
    bt_png_decoder.close(decode);
    return 0;
}
