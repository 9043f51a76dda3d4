/* SPDX-License-Identifier: MIT */
#include "jpeg_truth.h"

#include "image/jpeg_low.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
/* This one needs size_t and FILE from above. */
#include <jerror.h>
#include <jpeglib.h>

typedef struct Truth {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    uint8_t *row;
} Truth;

static void
leave(j_common_ptr jpeg)
{
    Truth *self = jpeg->client_data;

    longjmp(self->jump, 1);
}

/* As in jpeg_reader.c: only the end of the file is an error. */
static void
emit_message(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF)
        leave(jpeg);
}

static int
file_of(const void *bytes, size_t size)
{
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("jpeg", MFD_CLOEXEC);
    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    g_assert_cmpint(pwrite(fd, bytes, size, 0), ==, size);
    return fd;
}

static void
compare_block(const BtJpegLowComponent *component, int x, int y, const JCOEF *block)
{
    for (int k = 0; k < BT_JPEG_LOW_KEPT_MAX; k++)
        if (component->values[k] != NULL)
            g_assert_cmpint(
                component->values[k][y * component->stride + x], ==,
                block[bt_jpeg_low_waves[k].down * DCTSIZE + bt_jpeg_low_waves[k].across]);
}

static void
compare_component(Truth *self, const BtJpegLowComponent *component, jvirt_barray_ptr blocks)
{
    for (int y = 0; y < component->height; y++) {
        JBLOCKARRAY rows = self->jpeg.mem->access_virt_barray((j_common_ptr)&self->jpeg, blocks,
                                                              (JDIMENSION)y, 1, FALSE);

        for (int x = 0; x < component->width; x++)
            compare_block(component, x, y, rows[0][x]);
    }
}

/* The mean of what the kept coefficients of a block are from px x, y on, of w x h px (T.81, A.3.3);
 * false where they are more than any encoder makes. */
static bool
find_mean(const BtJpegLowComponent *component, ptrdiff_t at, int x, int y, int w, int h,
          double *out_mean)
{
    double sum = 0;

    for (int k = 0; k < BT_JPEG_LOW_KEPT_MAX; k++) {
        struct BtJpegLowWaves waves = bt_jpeg_low_waves[k];
        double across = 0, down = 0;
        int value =
            component->values[k] == NULL ? 0 : component->values[k][at] * component->quantizers[k];

        if (abs(value) > 8 * 256)
            return false;
        for (int i = x; i < x + w; i++)
            across += cos((2 * i + 1) * waves.across * G_PI / 16) / w;
        for (int i = y; i < y + h; i++)
            down += cos((2 * i + 1) * waves.down * G_PI / 16) / h;
        sum += value * across * down * (waves.across == 0 ? G_SQRT2 / 2 : 1) *
               (waves.down == 0 ? G_SQRT2 / 2 : 1) / 4;
    }
    *out_mean = CLAMP(sum + 128, 0, 255);
    return true;
}

/* The samples of the row of blocks `row` of component i. */
static void
compare_samples(const BtJpegLow *low, int i, int row, const BtJpegOps *ops)
{
    const BtJpegLowComponent *component = &low->components[i];
    int across = component->samples_across, down = component->samples_down;
    ptrdiff_t stride = (ptrdiff_t)component->width * across;
    g_autofree uint8_t *samples = g_malloc((size_t)(stride * down));

    bt_jpeg_low_samples(low, i, row, ops, samples, stride);
    for (int y = 0; y < down; y++)
        for (int x = 0; x < stride; x++) {
            ptrdiff_t at = (ptrdiff_t)row * component->stride + x / across;
            double mean;

            if (find_mean(component, at, x % across * 8 / across, y * 8 / down, 8 / across,
                          8 / down, &mean))
                g_assert_cmpfloat(fabs(samples[y * stride + x] - mean), <, 0.6);
        }
}

/* Before setjmp() and after it: no bytes at all are an error, too. */
static void
init(Truth *self)
{
    *self = (Truth){.row = NULL};
    self->jpeg.err = jpeg_std_error(&self->errors);
    self->errors.error_exit = leave;
    self->errors.emit_message = emit_message;
}

static void
read_header(Truth *self, const void *bytes, size_t size)
{
    jpeg_create_decompress(&self->jpeg);
    self->jpeg.client_data = self;
    jpeg_mem_src(&self->jpeg, bytes, size);
    jpeg_read_header(&self->jpeg, TRUE);
}

/* Whether libjpeg makes a picture of the file at 1/8. It looks at less of it than
 * jpeg_read_coefficients(), which goes on behind the last row of a sequential file. */
static bool
is_readable(const void *bytes, size_t size)
{
    Truth self;

    init(&self);
    if (setjmp(self.jump) != 0) {
        jpeg_destroy_decompress(&self.jpeg);
        g_free(self.row);
        return false;
    }
    read_header(&self, bytes, size);
    self.jpeg.scale_denom = 8;
    self.jpeg.out_color_space = self.jpeg.jpeg_color_space;
    jpeg_start_decompress(&self.jpeg);
    self.row = g_malloc((size_t)self.jpeg.output_width * (size_t)self.jpeg.output_components);
    while (self.jpeg.output_scanline < self.jpeg.output_height)
        jpeg_read_scanlines(&self.jpeg, &self.row, 1);
    jpeg_destroy_decompress(&self.jpeg);
    g_free(self.row);
    return true;
}

/* What is read of a file with one way of decoding; NULL: it is left to libjpeg. */
static BtJpegLow *
read_low(Truth *self, BtJpegLowSource source, const void *bytes, size_t size, int shrink,
         bool clips)
{
    BtJpegLow *low;

    init(self);
    if (setjmp(self->jump) != 0) {
        jpeg_destroy_decompress(&self->jpeg);
        return NULL;
    }
    read_header(self, bytes, size);
    source.at = (off_t)(size - self->jpeg.src->bytes_in_buffer);
    source.clips = clips;
    low = bt_jpeg_low_read(&self->jpeg, shrink, &source);
    jpeg_destroy_decompress(&self->jpeg);
    return low;
}

static bool
are_equal(const BtJpegLow *one, const BtJpegLow *other)
{
    for (int i = 0; i < one->n_components; i++) {
        const BtJpegLowComponent *component = &one->components[i];
        size_t n = (size_t)component->stride * (size_t)component->n_rows;

        for (int k = 0; k < BT_JPEG_LOW_KEPT_MAX; k++)
            if (component->values[k] != NULL &&
                memcmp(component->values[k], other->components[i].values[k], n * sizeof(int16_t)) !=
                    0)
                return false;
    }
    return true;
}

static void
check_same(const BtJpegLow *expected, BtJpegLowSource source, const void *bytes, size_t size,
           int shrink, bool clips, JpegWay way)
{
    Truth self;
    g_autoptr(BtJpegLow) found = NULL;

    source.ops = bt_jpeg_ops(way.level);
    source.n_streams = way.n_streams;
    source.n_threads = way.n_threads;
    found = read_low(&self, source, bytes, size, shrink, clips);
    g_assert_true((expected == NULL) == (found == NULL));
    if (found == NULL)
        return;
    g_assert_true(are_equal(expected, found));
    for (int i = 0; i < found->n_components && way.n_streams == 1 && way.n_threads == 1; i++)
        compare_samples(found, i, found->components[i].height / 2, source.ops);
}

void
jpeg_truth_check_ways(const void *bytes, size_t size, int shrink, const JpegWay *ways,
                      size_t n_ways)
{
    Truth self;
    BtJpegLowSource source = {
        .fd = file_of(bytes, size), .ops = &bt_jpeg_ops_c, .n_streams = 1, .n_threads = 1};
    g_autoptr(BtJpegLow) expected = read_low(&self, source, bytes, size, shrink, false);

    for (size_t i = 0; i < n_ways; i++)
        check_same(expected, source, bytes, size, shrink, false, ways[i]);
}

bool
jpeg_truth_check_clips(const void *bytes, size_t size, const JpegWay *ways, size_t n_ways)
{
    Truth self;
    BtJpegLowSource source = {
        .fd = file_of(bytes, size), .ops = &bt_jpeg_ops_c, .n_streams = 1, .n_threads = 1};
    g_autoptr(BtJpegLow) plain = read_low(&self, source, bytes, size, 8, false);
    g_autoptr(BtJpegLow) expected = read_low(&self, source, bytes, size, 8, true);

    g_assert_true((plain == NULL) == (expected == NULL));
    for (size_t i = 0; i < n_ways; i++)
        check_same(expected, source, bytes, size, 8, true, ways[i]);
    return plain != NULL && !are_equal(plain, expected);
}

JpegTruth
jpeg_truth_check(const void *bytes, size_t size, int shrink, const char *level, int n_streams,
                 int n_threads, long px_max)
{
    Truth self;
    BtJpegLow *volatile low = NULL;
    jvirt_barray_ptr *blocks;
    BtJpegLowSource source = {.fd = file_of(bytes, size),
                              .ops = bt_jpeg_ops(level),
                              .n_streams = n_streams,
                              .n_threads = n_threads};

    init(&self);
    if (setjmp(self.jump) != 0) {
        jpeg_destroy_decompress(&self.jpeg);
        g_assert_true(low == NULL || is_readable(bytes, size));
        bt_jpeg_low_free(low);
        return JPEG_TRUTH_UNKNOWN;
    }
    read_header(&self, bytes, size);
    if ((long)self.jpeg.image_width * (long)self.jpeg.image_height > px_max) {
        jpeg_destroy_decompress(&self.jpeg);
        return JPEG_TRUTH_UNKNOWN;
    }
    source.at = (off_t)(size - self.jpeg.src->bytes_in_buffer);
    low = bt_jpeg_low_read(&self.jpeg, shrink, &source);
    if (low != NULL) {
        blocks = jpeg_read_coefficients(&self.jpeg);
        for (int i = 0; i < low->n_components; i++)
            compare_component(&self, &low->components[i], blocks[i]);
        for (int i = 0; i < low->n_components && n_streams == 1 && n_threads == 1; i++)
            compare_samples(low, i, low->components[i].height / 2, source.ops);
    }
    jpeg_destroy_decompress(&self.jpeg);
    if (low == NULL)
        return JPEG_TRUTH_LEFT;
    bt_jpeg_low_free(low);
    return JPEG_TRUTH_EQUAL;
}
