/* SPDX-License-Identifier: MIT */
/* JPEG files read in pieces: their headers, their planes, and files that are not whole, against
 * libjpeg that has the whole file in memory. */
#include "image/jpeg_reader.h"

#include "base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
/* This one needs size_t and FILE from above. */
#include <jpeglib.h>

#define PIECE       65536 /* bytes that the reader takes at a time */
#define BLOCK       8
#define BAND_ROWS   32 /* of a plane at most */
#define EXIF        0xe1
#define ICC         0xe2
#define OTHER       0xec
#define SEGMENT_MAX 65533 /* bytes of payload */

/* So far from black and white that nothing of a picture is cut off there, which the reader would
 * make up for. */
#define MIN_SAMPLE 80
#define MAX_SAMPLE 175

/* How a file is to be made. */
typedef struct Make {
    int width, height;
    int bands;
    int across, down; /* sampling factors of luma */
    bool progressive;
    int quality;
} Make;

static GBytes *
make_jpeg(Make make)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    g_autofree uint8_t *row = g_malloc((size_t)(make.width * make.bands));
    JSAMPROW rows[] = {row};
    unsigned char *bytes = NULL;
    unsigned long size = 0;

    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = (JDIMENSION)make.width;
    jpeg.image_height = (JDIMENSION)make.height;
    jpeg.input_components = make.bands;
    jpeg.in_color_space = make.bands == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, make.quality, TRUE);
    jpeg.comp_info[0].h_samp_factor = make.across;
    jpeg.comp_info[0].v_samp_factor = make.down;
    if (make.progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        for (int i = 0; i < make.width * make.bands; i++)
            row[i] = (uint8_t)g_test_rand_int_range(MIN_SAMPLE, MAX_SAMPLE + 1);
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return g_bytes_new_with_free_func(bytes, size, free, bytes);
}

/* Several pieces long. */
static GBytes *
make_long(bool progressive)
{
    GBytes *jpeg = make_jpeg((Make){800, 500, 3, 2, 2, progressive, 90});

    g_assert_cmpuint(g_bytes_get_size(jpeg), >, 3 * PIECE);
    return jpeg;
}

static GBytes *
make_small(void)
{
    return make_jpeg((Make){60, 40, 3, 2, 2, false, 75});
}

/* The same file with one more segment: the first one, but for those that were put in after it. */
static GBytes *
add_segment(GBytes *jpeg, int marker, const void *payload, size_t size)
{
    g_autoptr(GBytes) before = jpeg;
    gsize whole;
    const uint8_t *bytes = g_bytes_get_data(before, &whole);
    GByteArray *out = g_byte_array_new();
    uint8_t header[] = {0xff, (uint8_t)marker, (uint8_t)((size + 2) >> 8), (uint8_t)(size + 2)};

    g_assert_cmpuint(size, <=, SEGMENT_MAX);
    g_byte_array_append(out, bytes, 2);
    g_byte_array_append(out, header, sizeof header);
    g_byte_array_append(out, payload, (guint)size);
    g_byte_array_append(out, bytes + 2, (guint)whole - 2);
    return g_byte_array_free_to_bytes(out);
}

static GBytes *
add_zeros(GBytes *jpeg, int marker, size_t size)
{
    g_autofree void *zeros = g_malloc0(size);

    return add_segment(jpeg, marker, zeros, size);
}

static GBytes *
add_orientation(GBytes *jpeg, int orientation)
{
    uint8_t exif[] = "Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0?\0\0\0\0\0";

    exif[25] = (uint8_t)orientation;
    return add_segment(jpeg, EXIF, exif, sizeof exif - 1);
}

static GBytes *
add_icc(GBytes *jpeg, int number, int count, const void *part, size_t size)
{
    g_autofree uint8_t *payload = g_malloc(14 + size);

    memcpy(payload, "ICC_PROFILE", 12);
    payload[12] = (uint8_t)number;
    payload[13] = (uint8_t)count;
    memcpy(payload + 14, part, size);
    return add_segment(jpeg, ICC, payload, 14 + size);
}

/* A file without a name. */
static BtFd
make_file(const void *bytes, size_t size)
{
    BtFd fd = memfd_create("test", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, bytes, size), ==, size);
    return fd;
}

static BtFd
file_of(GBytes *jpeg)
{
    return make_file(g_bytes_get_data(jpeg, NULL), g_bytes_get_size(jpeg));
}

static BtJpegReader *
open_reader(int fd)
{
    BtOutcome outcome = {0};
    BtJpegReader *reader = bt_jpeg_reader_new(fd, 0, &outcome);

    g_assert_cmpstr(outcome.sentence, ==, "");
    g_assert_nonnull(reader);
    return reader;
}

/* A failure has words, and not those of success. */
static void
assert_told(const BtOutcome *outcome)
{
    g_assert_cmpint(outcome->reason, ==, BT_REASON_BROKEN);
    g_assert_cmpuint(strlen(outcome->sentence), >, 32);
    g_assert_null(strstr(outcome->sentence, g_strerror(0)));
}

static void
assert_unreadable(const void *bytes, size_t size)
{
    g_auto(BtFd) fd = make_file(bytes, size);
    BtOutcome outcome = {0};

    g_assert_null(bt_jpeg_reader_new(fd, 0, &outcome));
    assert_told(&outcome);
}

/* A plane from its first row to its last. */
static GByteArray *
append_rows(GByteArray *out, const uint8_t *rows, ptrdiff_t stride, int width, int n_rows)
{
    g_assert_cmpint(n_rows, >=, 0);
    for (int y = 0; y < n_rows; y++)
        g_byte_array_append(out, rows + y * stride, (guint)width);
    return out;
}

/* All planes, one after the other in out[]; false with the reason of a failure. */
static bool
read_planes(BtJpegReader *reader, int reduction, int shrink, GByteArray *out[3], BtOutcome *outcome)
{
    int n_bands = 0;

    if (!bt_jpeg_reader_start(reader, reduction, shrink, 1, outcome))
        return false;
    while (bt_jpeg_reader_next(reader, outcome)) {
        for (int i = 0; i < reader->n_planes; i++)
            append_rows(out[i], reader->planes[i].rows, reader->planes[i].stride,
                        reader->planes[i].width, reader->planes[i].n_rows);
        g_assert_cmpint(++n_bands, <=, reader->frame.height);
    }
    return outcome->reason == BT_REASON_OK;
}

static void
new_planes(GByteArray *planes[3])
{
    for (int i = 0; i < 3; i++)
        planes[i] = g_byte_array_new();
}

static void
free_planes(GByteArray *planes[3])
{
    for (int i = 0; i < 3; i++)
        g_byte_array_unref(planes[i]);
}

/* The samples of a file in memory, as libjpeg hands them out. */
static void
read_by_libjpeg(GBytes *bytes, int reduction, GByteArray *out[3])
{
    static uint8_t samples[3][BAND_ROWS][4096];
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    JSAMPROW rows[3][BAND_ROWS];
    JSAMPARRAY bands[] = {rows[0], rows[1], rows[2]};

    for (int i = 0; i < 3; i++)
        for (int row = 0; row < BAND_ROWS; row++)
            rows[i][row] = samples[i][row];
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    jpeg_read_header(&jpeg, TRUE);
    jpeg.scale_denom = (unsigned)reduction;
    jpeg.raw_data_out = TRUE;
    jpeg_start_decompress(&jpeg);
    while (jpeg.output_scanline < jpeg.output_height) {
        jpeg_read_raw_data(&jpeg, bands,
                           (JDIMENSION)(jpeg.max_v_samp_factor * jpeg.min_DCT_scaled_size));
        for (int i = 0; i < jpeg.num_components; i++) {
            const jpeg_component_info *component = &jpeg.comp_info[i];
            int width = (int)component->downsampled_width;
            int left = (int)component->downsampled_height - (int)out[i]->len / width;

            append_rows(out[i], samples[i][0], sizeof samples[i][0], width,
                        MIN(left, component->v_samp_factor * component->DCT_scaled_size));
        }
    }
    jpeg_destroy_decompress(&jpeg);
}

/* That so many samples this far apart cover the picture, and not one more than it takes. */
static void
assert_covers(int n, double pitch, int size)
{
    g_assert_cmpfloat(n * pitch, >=, size);
    g_assert_cmpfloat((n - 1) * pitch, <, size);
}

static void
check_planes(GBytes *jpeg, GBytes *plain, int reduction)
{
    g_auto(BtFd) fd = file_of(jpeg);
    g_autoptr(BtJpegReader) reader = open_reader(fd);
    BtOutcome outcome = {0};
    GByteArray *read[3], *expected[3];

    new_planes(read);
    new_planes(expected);
    g_assert_true(read_planes(reader, reduction, 2, read, &outcome));
    read_by_libjpeg(plain, reduction, expected);
    for (int i = 0; i < reader->n_planes; i++) {
        const BtPlane *plane = &reader->planes[i];

        assert_covers(plane->width, plane->pitch_x, reader->frame.width);
        assert_covers(plane->height, plane->pitch_y, reader->frame.height);
        g_assert_cmpint(plane->width * plane->height, ==, read[i]->len);
        g_assert_cmpmem(read[i]->data, read[i]->len, expected[i]->data, expected[i]->len);
    }
    free_planes(read);
    free_planes(expected);
}

/* Every sampling and every reduction, whatever lies behind the last whole block. */
static void
test_planes(void)
{
    static const Make makes[] = {
        {1, 1, 3, 2, 2, false, 75},     {9, 17, 3, 2, 2, false, 75},
        {33, 31, 3, 2, 1, false, 75},   {31, 33, 3, 1, 2, false, 75},
        {65, 50, 3, 1, 1, false, 95},   {50, 65, 1, 1, 1, false, 75},
        {130, 70, 3, 4, 1, false, 75},  {70, 130, 1, 2, 2, false, 75},
        {700, 500, 3, 2, 2, false, 90}, {333, 444, 3, 1, 1, true, 90},
        {501, 407, 3, 2, 2, true, 75},  {40, 50, 1, 1, 1, true, 75},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(makes); i++) {
        g_autoptr(GBytes) jpeg = make_jpeg(makes[i]);

        for (int reduction = 1; reduction <= BLOCK; reduction *= 2)
            check_planes(jpeg, jpeg, reduction);
    }
}

static void
test_frame(void)
{
    g_autoptr(GBytes) jpeg = make_jpeg((Make){130, 70, 3, 2, 1, false, 75});
    g_autoptr(GBytes) grey = make_jpeg((Make){1, 300, 1, 1, 1, true, 75});
    g_auto(BtFd) jpeg_fd = file_of(jpeg), grey_fd = file_of(grey);
    g_autoptr(BtJpegReader) reader = open_reader(jpeg_fd), grey_reader = open_reader(grey_fd);

    g_assert_cmpint(reader->frame.width, ==, 130);
    g_assert_cmpint(reader->frame.height, ==, 70);
    g_assert_cmpint(reader->frame.n_components, ==, 3);
    g_assert_cmpint(reader->frame.across, ==, 2);
    g_assert_cmpint(reader->frame.down, ==, 1);
    g_assert_cmpint(reader->frame.components[0].across, ==, 2);
    g_assert_cmpint(reader->frame.components[2].across, ==, 1);
    g_assert_true(reader->ycc);
    g_assert_false(reader->frame.progressive);
    g_assert_cmpint(reader->orientation, ==, 1);
    g_assert_null(reader->profile);
    g_assert_cmpint(grey_reader->frame.width, ==, 1);
    g_assert_cmpint(grey_reader->frame.height, ==, 300);
    g_assert_cmpint(grey_reader->frame.n_components, ==, 1);
    g_assert_true(grey_reader->frame.progressive);
    /* Wherever the offset is, and it stays there. */
    g_assert_cmpint(lseek(jpeg_fd, 0, SEEK_CUR), ==, g_bytes_get_size(jpeg));
}

/* Wherever the block stands among others, long ones included. */
static void
test_orientation(void)
{
    for (int orientation = 1; orientation <= 8; orientation++) {
        g_autoptr(GBytes) jpeg = add_orientation(make_small(), orientation);
        g_auto(BtFd) first_fd = file_of(jpeg), later_fd = -1;
        g_autoptr(BtJpegReader) first = open_reader(first_fd), later = NULL;

        g_assert_cmpint(first->orientation, ==, orientation);
        jpeg = add_zeros(g_steal_pointer(&jpeg), EXIF, SEGMENT_MAX);
        jpeg = add_segment(g_steal_pointer(&jpeg), EXIF, "http://ns.adobe.com/xap/1.0/", 29);
        jpeg = add_zeros(g_steal_pointer(&jpeg), OTHER, SEGMENT_MAX);
        later_fd = file_of(jpeg);
        later = open_reader(later_fd);
        g_assert_cmpint(later->orientation, ==, orientation);
    }
}

/* The profile that a file holds is this one; NULL: none. */
static void
assert_profile(GBytes *jpeg, const void *profile, size_t size)
{
    g_auto(BtFd) fd = file_of(jpeg);
    g_autoptr(BtJpegReader) reader = open_reader(fd);

    g_assert_cmpmem(reader->profile, reader->profile_size, profile, size);
}

/* In three parts of any order, among other segments of that kind; none while one is missing. */
static void
test_profile(void)
{
    static const size_t from[] = {0, 65519, 131000, 131777};
    g_autofree uint8_t *profile = g_malloc(from[3]);
    g_autoptr(GBytes) jpeg = make_small();

    for (size_t i = 0; i < from[3]; i++)
        profile[i] = (uint8_t)g_test_rand_int_range(0, 256);
    for (int i = 0; i < 3; i++) {
        int part = (2 * i + 1) % 3;

        assert_profile(jpeg, NULL, 0);
        jpeg = add_icc(g_steal_pointer(&jpeg), part + 1, 3, profile + from[part],
                       from[part + 1] - from[part]);
        jpeg = add_segment(g_steal_pointer(&jpeg), ICC, "MPF\0MM\0*", 8);
    }
    assert_profile(jpeg, profile, from[3]);
}

/* Segments that are kept or passed over, wherever in a piece of the file they end. */
static void
test_segments(void)
{
    static const int markers[] = {EXIF, ICC, OTHER};
    g_autoptr(GBytes) plain = make_small();

    for (size_t i = 0; i < G_N_ELEMENTS(markers); i++) {
        for (int past = -8; past <= 8; past++) {
            g_autoptr(GBytes) jpeg = add_zeros(g_bytes_ref(plain), markers[i], SEGMENT_MAX);
            size_t before = 2 + 4 + 100 + 4; /* bytes, with the segment that is put in last */

            jpeg = add_zeros(g_steal_pointer(&jpeg), OTHER, (size_t)(PIECE + past) - before);
            jpeg = add_zeros(g_steal_pointer(&jpeg), markers[i], 100);
            check_planes(jpeg, plain, 2);
        }
    }
}

static void
test_garbage(void)
{
    uint8_t bytes[2000];

    assert_unreadable("", 0);
    assert_unreadable("\xff\xd8", 2);
    assert_unreadable("\xff\xd8\xff", 3);
    assert_unreadable("\xff\xd8\xff\xd9", 4);
    assert_unreadable("\x89PNG\r\n\x1a\n", 8);
    for (int i = 0; i < 200; i++) {
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)(g_test_rand_int_range(0, 256) & ~1); /* no marker */
        assert_unreadable(bytes, sizeof bytes);
        memcpy(bytes, "\xff\xd8\xff\xe0\0\4\0\0", 8);
        assert_unreadable(bytes, sizeof bytes);
    }
}

/* The header and all bytes up to `size`: opened or not, it ends as an error. */
static void
check_cut(GBytes *jpeg, size_t size, int shrink)
{
    g_auto(BtFd) fd = make_file(g_bytes_get_data(jpeg, NULL), size);
    BtOutcome outcome = {0};
    g_autoptr(BtJpegReader) reader = bt_jpeg_reader_new(fd, 0, &outcome);
    GByteArray *planes[3];

    if (reader != NULL) {
        new_planes(planes);
        g_assert_false(read_planes(reader, MIN(shrink, BLOCK), shrink, planes, &outcome));
        free_planes(planes);
    }
    assert_told(&outcome);
}

static void
test_cut(void)
{
    for (int progressive = 0; progressive < 2; progressive++) {
        g_autoptr(GBytes) jpeg = make_long(progressive != 0);
        size_t whole = g_bytes_get_size(jpeg);

        for (size_t end = 0; end < whole; end += PIECE) {
            for (size_t size = MAX(end, 1) - 1; size <= end + 1; size++) {
                check_cut(jpeg, size, 2);
                check_cut(jpeg, size, 16);
            }
        }
        check_cut(jpeg, whole - 100, 2);
        check_cut(jpeg, whole - 100, 16);
    }
}

/* Before the samples: at every byte, and in segments that lead beyond the end. */
static void
test_cut_header(void)
{
    g_autoptr(GBytes) small = make_small(), large = add_zeros(make_small(), OTHER, SEGMENT_MAX);

    large = add_zeros(g_steal_pointer(&large), ICC, SEGMENT_MAX);
    for (size_t size = 0; size < 600; size++)
        check_cut(small, size, 2);
    for (size_t size = 0; size < 2 * PIECE; size += 4000)
        check_cut(large, size, 2);
    for (size_t size = 2 * PIECE - 10; size < 2 * PIECE + 10; size++)
        check_cut(large, size, 2);
}

/* Between header and samples the file loses what comes after its first `size` bytes. */
static void
check_shrinking(bool progressive, off_t size, int shrink)
{
    g_autoptr(GBytes) jpeg = make_long(progressive);
    g_auto(BtFd) fd = file_of(jpeg);
    g_autoptr(BtJpegReader) reader = open_reader(fd);
    BtOutcome outcome = {0};
    GByteArray *planes[3];

    new_planes(planes);
    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    errno = 0;
    g_assert_false(read_planes(reader, MIN(shrink, BLOCK), shrink, planes, &outcome));
    assert_told(&outcome);
    free_planes(planes);
}

static void
test_shrinking(void)
{
    static const off_t sizes[] = {0, 1, 100, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        check_shrinking(false, sizes[i], 2);
        check_shrinking(false, sizes[i], 16);
        check_shrinking(true, sizes[i], 2);
        check_shrinking(true, sizes[i], 16);
    }
}

/* Another picture takes the file's place before it is decoded: some samples, or words. */
static void
test_other_picture(void)
{
    for (int progressive = 0; progressive < 2; progressive++) {
        g_autoptr(GBytes) jpeg = make_long(progressive != 0);
        g_autoptr(GBytes) grey = make_jpeg((Make){700, 500, 1, 1, 1, true, 90});
        g_auto(BtFd) fd = file_of(jpeg);
        g_autoptr(BtJpegReader) reader = open_reader(fd);
        BtOutcome outcome = {0};
        gsize size;
        const void *bytes = g_bytes_get_data(grey, &size);
        GByteArray *planes[3];

        new_planes(planes);
        g_assert_cmpint(ftruncate(fd, 0), ==, 0);
        g_assert_cmpint(pwrite(fd, bytes, size, 0), ==, size);
        if (!read_planes(reader, BLOCK, 16, planes, &outcome))
            assert_told(&outcome);
        free_planes(planes);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jpeg-reader/planes", test_planes);
    g_test_add_func("/jpeg-reader/frame", test_frame);
    g_test_add_func("/jpeg-reader/orientation", test_orientation);
    g_test_add_func("/jpeg-reader/profile", test_profile);
    g_test_add_func("/jpeg-reader/segments", test_segments);
    g_test_add_func("/jpeg-reader/garbage", test_garbage);
    g_test_add_func("/jpeg-reader/cut", test_cut);
    g_test_add_func("/jpeg-reader/cut-header", test_cut_header);
    g_test_add_func("/jpeg-reader/shrinking", test_shrinking);
    g_test_add_func("/jpeg-reader/other-picture", test_other_picture);
    return g_test_run();
}
