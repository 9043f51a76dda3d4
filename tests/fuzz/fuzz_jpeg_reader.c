/* SPDX-License-Identifier: MIT */
/* JPEG files as a worker reads them: from a descriptor, at full size and at every reduction, to the
 * last band and what stands behind it. */
#include "fuzz.h"

#include "image/jpeg_reader.h"

#include <sys/mman.h>
#include <unistd.h>

#define PX_MAX     (1 << 20) /* of a picture: enough for every path, and fast */
#define SPREAD     15.0
#define SHRINK_MAX 16

static int
file_of(const uint8_t *bytes, size_t size)
{
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("jpeg", MFD_CLOEXEC);
    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    g_assert_cmpint(pwrite(fd, bytes, size, 0), ==, size);
    return fd;
}

/* Every sample that is said to be there: a sanitizer sees one that is not. */
static unsigned
sum_rows(const BtPlane *plane)
{
    unsigned sum = 0;

    for (int y = 0; y < plane->n_rows; y++)
        for (int x = 0; x < plane->width * plane->bands; x++)
            sum += plane->rows[y * plane->stride + x];
    return sum;
}

/* False where the file cannot be opened or is too large. */
static bool
read_all(int fd, int shrink)
{
    BtOutcome outcome = {0};
    g_autoptr(BtJpegReader) reader = bt_jpeg_reader_new(fd, 0, &outcome);
    int reduction, n_rows[BT_PLANES_MAX] = {0};
    volatile unsigned sum = 0; /* so that the rows are read */
    g_auto(BtMetadata) metadata = {0};

    g_assert_true((reader == NULL) == (outcome.reason != BT_REASON_OK));
    if (reader == NULL || (int64_t)reader->frame.width * reader->frame.height > PX_MAX)
        return false;
    bt_jpeg_memory(&reader->frame);
    g_assert_true(reader->orientation >= 1 && reader->orientation <= 8);
    if (reader->frame.n_components != 1 && reader->frame.n_components != BT_PLANES_MAX)
        return true;
    reduction = bt_jpeg_reduction(&reader->frame, shrink, SPREAD);
    if (!(reduction == 1 ? bt_jpeg_reader_start_pixels(reader, &outcome)
                         : bt_jpeg_reader_start(reader, reduction, shrink, 1, &outcome)))
        return true;
    (void)sum;
    while (bt_jpeg_reader_next(reader, &outcome))
        for (int i = 0; i < reader->n_planes; i++) {
            sum += sum_rows(&reader->planes[i]);
            n_rows[i] += reader->planes[i].n_rows;
        }
    for (int i = 0; outcome.reason == BT_REASON_OK && i < reader->n_planes; i++)
        g_assert_cmpint(n_rows[i], ==, reader->planes[i].height);
    bt_jpeg_reader_metadata(reader, &metadata);
    g_assert_cmpuint(bt_metadata_left_out(&metadata), <=, BT_LEFT_OUT_ALL);
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int fd = file_of(bytes, size);

    for (int shrink = 1; shrink <= SHRINK_MAX && read_all(fd, shrink); shrink *= 2)
        ;
    return 0;
}
