/* SPDX-License-Identifier: MIT */
/* PNG files of every kind that is read here, with every filter, against what went into them and
 * what libvips makes of them; and files that are not whole, or lie. */
#include "image/png.h"

#include "base/fd.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vips/vips.h>

#define GREY       0
#define RGB        2
#define PALETTE    3
#define GREY_ALPHA 4
#define RGB_ALPHA  6
#define FILTERS    5
#define MIXED      FILTERS /* any of them, row by row */

/* How a file is to be made. */
typedef struct Make {
    int width, height;
    int colour, depth;
    int filter;
    size_t piece; /* bytes in each IDAT chunk; 0: one chunk */
} Make;

static const struct {
    int colour, bands;
} kinds[] = {{GREY, 1}, {RGB, 3}, {GREY_ALPHA, 2}, {RGB_ALPHA, 4}};

static Make
make_of(int width, int height, int colour, int depth)
{
    return (Make){.width = width, .height = height, .colour = colour, .depth = depth};
}

static int
pixel_bytes(const Make *make)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].colour == make->colour)
            return kinds[i].bands * make->depth / 8;
    return 1;
}

static size_t
row_bytes(const Make *make)
{
    return (size_t)make->width * (size_t)pixel_bytes(make);
}

static void
append_u32(GByteArray *to, uint32_t value)
{
    uint32_t big = GUINT32_TO_BE(value);

    g_byte_array_append(to, (const guint8 *)&big, sizeof big);
}

static void
append_chunk(GByteArray *to, const char *type, const void *data, size_t size)
{
    guint start = to->len + 4;

    append_u32(to, (uint32_t)size);
    g_byte_array_append(to, (const guint8 *)type, 4);
    if (size > 0)
        g_byte_array_append(to, data, (guint)size);
    append_u32(to, crc32_gzip_refl(0, to->data + start, to->len - start));
}

static void
append_header(GByteArray *to, Make make, int interlace)
{
    uint32_t size[] = {GUINT32_TO_BE((uint32_t)make.width), GUINT32_TO_BE((uint32_t)make.height)};
    uint8_t header[] = {[8] = (uint8_t)make.depth, (uint8_t)make.colour, 0, 0, (uint8_t)interlace};

    memcpy(header, size, sizeof size);
    g_byte_array_append(to, (const guint8 *)"\x89PNG\r\n\x1a\n", 8);
    append_chunk(to, "IHDR", header, sizeof header);
}

/* Random bytes; in half of each row only few values, so that neighbours are often the same, or one
 * apart across 0. */
static uint8_t *
make_pixels(const Make *make)
{
    size_t row = row_bytes(make), n = row * (size_t)make->height;
    uint8_t *pixels = g_malloc(n);

    for (size_t i = 0; i < n; i++)
        pixels[i] = (uint8_t)(i % row < row / 2 ? g_test_rand_int() : g_test_rand_int_range(-1, 2));
    return pixels;
}

/* 9.4 of the specification, to the letter. */
static int
paeth(int a, int b, int c)
{
    int p = a + b - c;
    int pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);

    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

static uint8_t
filtered(const uint8_t *row, const uint8_t *above, size_t i, size_t step, int filter)
{
    int a = i >= step ? row[i - step] : 0, b = above[i], c = i >= step ? above[i - step] : 0;
    int predictors[FILTERS] = {0, a, b, (a + b) / 2, paeth(a, b, c)};

    return (uint8_t)(row[i] - predictors[filter]);
}

/* The rows of a file, each behind its filter. */
static GByteArray *
filter_rows(const Make *make, const uint8_t *pixels)
{
    GByteArray *rows = g_byte_array_new();
    size_t n = row_bytes(make), step = (size_t)pixel_bytes(make);
    g_autofree uint8_t *zeros = g_malloc0(n);

    for (int y = 0; y < make->height; y++) {
        const uint8_t *row = pixels + (size_t)y * n, *above = y > 0 ? row - n : zeros;
        uint8_t filter = (uint8_t)make->filter;

        if (make->filter == MIXED) /* half of them the one that takes rows in pairs */
            filter = (uint8_t)(g_test_rand_bit() ? FILTERS - 1 : g_test_rand_int_range(0, FILTERS));
        g_byte_array_append(rows, &filter, 1);
        for (size_t i = 0; i < n; i++) {
            uint8_t byte = filtered(row, above, i, step, filter);

            g_byte_array_append(rows, &byte, 1);
        }
    }
    return rows;
}

static GByteArray *
deflate_bytes(const void *bytes, size_t size)
{
    GByteArray *whole = g_byte_array_new();
    struct isal_zstream stream;

    g_byte_array_set_size(whole, (guint)(size + size / 8 + 1024));
    isal_deflate_init(&stream);
    stream.gzip_flag = IGZIP_ZLIB;
    stream.end_of_stream = 1;
    stream.next_in = (uint8_t *)(uintptr_t)bytes;
    stream.avail_in = (uint32_t)size;
    stream.next_out = whole->data;
    stream.avail_out = whole->len;
    g_assert_cmpint(isal_deflate(&stream), ==, COMP_OK);
    g_assert_cmpint(stream.internal_state.state, ==, ZSTATE_END);
    g_byte_array_set_size(whole, stream.total_out);
    return whole;
}

static void
append_pixels(GByteArray *to, const GByteArray *stream, size_t piece)
{
    size_t step = piece > 0 ? piece : stream->len;

    for (size_t at = 0; at < stream->len; at += step)
        append_chunk(to, "IDAT", stream->data + at, MIN(step, stream->len - at));
}

static GByteArray *
stream_of(const Make *make, const uint8_t *pixels)
{
    g_autoptr(GByteArray) rows = filter_rows(make, pixels);

    return deflate_bytes(rows->data, rows->len);
}

/* Up to the last byte of the pixels: what follows is not read. */
static GByteArray *
make_png(const Make *make, const uint8_t *pixels)
{
    GByteArray *file = g_byte_array_new();
    g_autoptr(GByteArray) stream = stream_of(make, pixels);

    append_header(file, *make, 0);
    append_pixels(file, stream, make->piece);
    return file;
}

static BtFd
file_of(const GByteArray *bytes)
{
    BtFd fd = memfd_create("png", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pwrite(fd, bytes->data, bytes->len, 0), ==, bytes->len);
    return fd;
}

/* Without gaps. */
static void
append_rows(GByteArray *to, const BtPlane *plane, int sample_bytes)
{
    for (int y = 0; y < plane->n_rows; y++)
        g_byte_array_append(to, plane->rows + y * plane->stride,
                            (guint)(plane->width * plane->bands * sample_bytes));
}

/* The rows of a file; NULL, with the reason in the outcome, when it fails; NULL without one when it
 * is left to libvips. */
static GByteArray *
read_png(const GByteArray *file, BtPicture *out_picture, BtMetadata *out_metadata,
         BtOutcome *outcome)
{
    g_auto(BtFd) fd = file_of(file);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    BtDecode *decode;
    BtBand band;

    memset(outcome, 0, sizeof *outcome);
    if ((decode = bt_png_decoder.open(fd, out_picture, outcome)) == NULL)
        return NULL;
    g_assert_cmpint(outcome->reason, ==, BT_REASON_OK);
    out_picture->profile = NULL; /* it is lent */
    if (out_metadata != NULL)
        bt_png_decoder.metadata(decode, out_metadata);
    g_assert_true(bt_png_decoder.begin(decode, &(BtReduction){.shrink = 8}, &band, outcome));
    while (bt_png_decoder.next(decode, &band, outcome))
        append_rows(bytes, &band.planes[0], out_picture->deep ? 2 : 1);
    bt_png_decoder.close(decode);
    return outcome->reason == BT_REASON_OK ? g_steal_pointer(&bytes) : NULL;
}

/* Samples as a file has them become native. */
static void
to_native(const Make *make, uint8_t *pixels)
{
    size_t n = row_bytes(make) * (size_t)make->height;

    for (size_t i = 0; make->depth == 16 && i < n; i += 2) {
        uint16_t sample = (uint16_t)(pixels[i] << 8 | pixels[i + 1]);

        memcpy(pixels + i, &sample, sizeof sample);
    }
}

static void
assert_as_libvips(GByteArray *file, const uint8_t *samples, size_t size)
{
    VipsImage *image = NULL;
    size_t got_size;
    void *got;

    g_assert_cmpint(vips_pngload_buffer(file->data, file->len, &image, NULL), ==, 0);
    got = vips_image_write_to_memory(image, &got_size);
    g_assert_nonnull(got);
    g_assert_cmpmem(got, got_size, samples, size);
    g_free(got);
    g_object_unref(image);
}

static void
check(const Make *make, bool with_libvips)
{
    g_autofree uint8_t *pixels = make_pixels(make);
    g_autoptr(GByteArray) file = make_png(make, pixels);
    size_t size = row_bytes(make) * (size_t)make->height;
    BtPicture picture;
    BtOutcome outcome;
    g_autoptr(GByteArray) got = read_png(file, &picture, NULL, &outcome);

    g_assert_cmpstr(outcome.sentence, ==, "");
    g_assert_nonnull(got);
    g_assert_cmpint(picture.width, ==, make->width);
    g_assert_cmpint(picture.height, ==, make->height);
    g_assert_cmpint(picture.bands * (picture.deep ? 2 : 1), ==, pixel_bytes(make));
    g_assert_cmpint(picture.deep, ==, make->depth == 16);
    g_assert_cmpint(picture.alpha, ==, (make->colour & 4) != 0);
    g_assert_cmpint(picture.orientation, ==, 1);
    to_native(make, pixels);
    g_assert_cmpmem(got->data, got->len, pixels, size);
    if (with_libvips)
        assert_as_libvips(file, pixels, size);
}

static void
check_kinds(Make make, bool with_libvips)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        for (make.depth = 8; make.depth <= 16; make.depth *= 2) {
            make.colour = kinds[i].colour;
            check(&make, with_libvips);
        }
}

/* Every width up to past a few vectors, and heights that end pairs of rows in all ways. */
static void
test_rows(void)
{
    for (int side = 1; side <= 40; side++)
        for (int filter = 0; filter <= MIXED; filter++) {
            check_kinds((Make){side, 1 + side % 7, .filter = filter}, false);
            check_kinds((Make){1 + side % 7, side, .filter = filter}, side % 8 == 0);
        }
}

/* What libvips makes of it, with this many bands; where it is put out, alpha of a palette before
 * the palette, as some programs do it. */
static void
check_expanded(const Make *make, const char *palette, const char *keys, size_t n_keys, int bands)
{
    size_t stored_row = (size_t)(make->width * (make->colour == RGB ? 3 : 1) * make->depth + 7) / 8;
    size_t n = (stored_row + 1) * (size_t)make->height;
    g_autofree uint8_t *rows = g_malloc(n);
    g_autoptr(GByteArray) stream = NULL, file = g_byte_array_new(), early = g_byte_array_new();
    g_autoptr(GByteArray) got = NULL, got_early = NULL;
    BtPicture picture;
    BtOutcome outcome;

    for (size_t i = 0; i < n; i++) /* few values, so that the key is met */
        rows[i] =
            (uint8_t)(i % (stored_row + 1) == 0 ? 0 : "\0\1\2\33\344"[g_test_rand_int_range(0, 5)]);
    stream = deflate_bytes(rows, n);
    append_header(file, *make, 0);
    append_header(early, *make, 0);
    if (n_keys > 0)
        append_chunk(early, "tRNS", keys, n_keys);
    if (palette != NULL) {
        append_chunk(file, "PLTE", palette, 3u << make->depth);
        append_chunk(early, "PLTE", palette, 3u << make->depth);
    }
    if (n_keys > 0)
        append_chunk(file, "tRNS", keys, n_keys);
    append_pixels(file, stream, 0);
    append_pixels(early, stream, 0);
    append_chunk(file, "IEND", NULL, 0);
    got = read_png(file, &picture, NULL, &outcome);
    g_assert_cmpstr(outcome.sentence, ==, "");
    g_assert_nonnull(got);
    g_assert_cmpint(picture.bands, ==, bands);
    g_assert_cmpint(picture.alpha, ==, bands % 2 == 0);
    assert_as_libvips(file, got->data, got->len);
    got_early = read_png(early, &picture, NULL, &outcome);
    g_assert_nonnull(got_early);
    g_assert_cmpmem(got_early->data, got_early->len, got->data, got->len);
}

/* Palettes, few bits, and a colour that is transparent. */
static void
test_expanded(void)
{
    static const char palette[] = "\1\2\3\110\120\130\377\0\200\7\377\377";
    static const char rgb[] = "\0\1\0\1\0\1", deep_rgb[] = "\1\2\33\0\0\1";

    for (int width = 1; width < 20; width++) {
        for (int depth = 1; depth <= 16; depth *= 2) {
            Make grey = make_of(width, 7, GREY, depth), indexed = make_of(width, 7, PALETTE, depth);

            check_expanded(&grey, NULL, NULL, 0, 1);
            check_expanded(&grey, NULL, "\0\1", 2, 2);
            if (depth == 1 || depth == 2) { /* no index lies beyond the palette */
                check_expanded(&indexed, palette, NULL, 0, 3);
                check_expanded(&indexed, palette, "\5\200", 2, 4);
            }
        }
        check_expanded(&(Make){width, 5, RGB, 8, 0, 0}, NULL, rgb, 6, 4);
        check_expanded(&(Make){width, 5, RGB, 16, 0, 0}, NULL, deep_rgb, 6, 4);
        check_expanded(&(Make){width, 5, RGB, 16, 0, 0}, NULL, NULL, 0, 3);
    }
}

/* More than one piece of the file and one batch of rows, and rows longer than a batch. */
static void
test_large(void)
{
    check_kinds((Make){1001, 300, .filter = MIXED}, true);
    check_kinds((Make){70000, 3, .filter = MIXED}, false);
    check_kinds((Make){1, 70000, .filter = MIXED}, false);
}

/* Chunks end anywhere, and may be empty. */
static void
test_pieces(void)
{
    static const size_t pieces[] = {1, 2, 3, 7, 1000, 65524, 65536};

    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++)
        check_kinds((Make){90, pieces[i] < 1000 ? 9 : 800, .filter = MIXED, .piece = pieces[i]},
                    false);
}

static void
test_empty_pieces(void)
{
    Make make = {20, 20, RGB, 8, .filter = MIXED};
    g_autofree uint8_t *pixels = make_pixels(&make);
    g_autoptr(GByteArray) stream = stream_of(&make, pixels);
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(GByteArray) got = NULL;
    BtPicture picture;
    BtOutcome outcome;

    append_header(file, make, 0);
    append_chunk(file, "IDAT", NULL, 0);
    append_chunk(file, "IDAT", stream->data, 100);
    append_chunk(file, "IDAT", NULL, 0);
    append_chunk(file, "IDAT", stream->data + 100, stream->len - 100);
    got = read_png(file, &picture, NULL, &outcome);
    g_assert_nonnull(got);
    g_assert_cmpmem(got->data, got->len, pixels, row_bytes(&make) * (size_t)make.height);
}

static void
assert_broken(const GByteArray *file, const char *words)
{
    BtPicture picture;
    BtOutcome outcome;
    g_autoptr(GByteArray) got = read_png(file, &picture, NULL, &outcome);

    g_assert_null(got);
    g_assert_cmpint(outcome.reason, ==, BT_REASON_BROKEN);
    if (strstr(outcome.sentence, words) == NULL)
        g_error("\"%s\" does not say \"%s\"", outcome.sentence, words);
}

/* A file with something of everything that is read, up to its pixels' end. */
static GByteArray *
make_rich(void)
{
    static const char exif[] = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    static const char xmp[] = "XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta/>";
    Make make = {13, 7, RGB, 8, .filter = MIXED, .piece = 120};
    g_autofree uint8_t *pixels = make_pixels(&make);
    g_autoptr(GByteArray) stream = stream_of(&make, pixels);
    GByteArray *file = g_byte_array_new();

    append_header(file, make, 0);
    append_chunk(file, "gAMA", "\0\0\xb1\x8f", 4);
    append_chunk(file, "iCCP", "none\0\0\0", 7);
    append_chunk(file, "eXIf", exif, sizeof exif - 1);
    append_chunk(file, "iTXt", xmp, sizeof xmp - 1);
    append_chunk(file, "tEXt", "Comment\0none", 12);
    append_pixels(file, stream, make.piece);
    return file;
}

static void
assert_whole(const GByteArray *file)
{
    BtPicture picture;
    BtOutcome outcome;
    g_autoptr(GByteArray) got = read_png(file, &picture, NULL, &outcome);

    g_assert_cmpstr(outcome.sentence, ==, "");
    g_assert_nonnull(got);
}

/* Cut anywhere before the end of its pixels it fails; what libvips does not read need not be
 * there, nor be right. */
static void
test_cut(void)
{
    g_autoptr(GByteArray) file = make_rich();

    for (guint size = file->len; size-- > 0;) {
        g_autoptr(GByteArray) cut = g_byte_array_new();

        g_byte_array_append(cut, file->data, size);
        assert_broken(cut, "ends too early");
    }
    assert_whole(file);
    append_chunk(file, "IEND", NULL, 0);
    assert_whole(file);
    file->data[file->len - 1] ^= 1;
    assert_whole(file);
    g_byte_array_append(file, (const guint8 *)"more", 4);
    assert_whole(file);
}

/* Whether a bit is in what a chunk that may be left out has behind its length, and is not the one
 * that says so; or in the signature, by which whoever opens the file has known it. */
static bool
is_dispensable(const GByteArray *file, guint bit)
{
    const guint8 *at = file->data + 8, *changed = file->data + bit / 8;

    while (changed >= at) {
        uint32_t size;
        bool ancillary = g_ascii_islower(at[4]);

        memcpy(&size, at, sizeof size);
        size = GUINT32_FROM_BE(size);
        if (changed < at + 12 + size)
            return ancillary && changed >= at + 4 && (changed > at + 4 || bit % 8 != 5);
        at += 12 + size;
    }
    return true;
}

/* A bit anywhere. */
static void
test_damaged(void)
{
    g_autoptr(GByteArray) file = make_rich();

    for (guint i = 0; i < 8 * file->len; i++) {
        bool dispensable = is_dispensable(file, i);

        file->data[i / 8] ^= (guint8)(1 << i % 8);
        if (dispensable)
            assert_whole(file);
        else
            assert_broken(file, "");
        file->data[i / 8] ^= (guint8)(1 << i % 8);
    }
    assert_whole(file);
}

/* A file of 9 x 5 px of 8 bits of grey with this in its one IDAT chunk. */
static GByteArray *
file_with(const GByteArray *stream)
{
    GByteArray *file = g_byte_array_new();

    append_header(file, make_of(9, 5, GREY, 8), 0);
    append_pixels(file, stream, 0);
    return file;
}

static void
assert_stream_broken(const void *rows, size_t size, const char *words)
{
    g_autoptr(GByteArray) stream = deflate_bytes(rows, size);
    g_autoptr(GByteArray) file = file_with(stream);

    append_chunk(file, "IEND", NULL, 0);
    assert_broken(file, words);
}

static void
assert_stream_whole(const void *rows, size_t size)
{
    g_autoptr(GByteArray) stream = deflate_bytes(rows, size);
    g_autoptr(GByteArray) file = file_with(stream);

    assert_whole(file);
}

/* Streams whose chunks are right, and which are not what the header tells. */
static void
test_streams(void)
{
    uint8_t rows[6 * 10] = {0};
    g_autoptr(GByteArray) stream = deflate_bytes(rows, 5 * 10);
    g_autoptr(GByteArray) file = file_with(stream);

    assert_whole(file);
    g_byte_array_set_size(file, 0);
    assert_stream_whole(rows, sizeof rows);
    assert_stream_whole(rows, 5 * 10 + 1);
    assert_stream_broken(rows, 5 * 10 - 1, "end too early");
    assert_stream_broken(rows, 0, "end too early");
    rows[10] = FILTERS;
    assert_stream_broken(rows, 5 * 10, "filter");
    for (guint cut = 1; cut < stream->len; cut++) {
        g_autoptr(GByteArray) part = g_byte_array_new();
        g_autoptr(GByteArray) broken = NULL;

        g_byte_array_append(part, stream->data, stream->len - cut);
        broken = file_with(part);
        append_chunk(broken, "IEND", NULL, 0);
        assert_broken(broken, "end too early");
    }
}

static void
test_checksum(void)
{
    uint8_t rows[5 * 10] = {0};
    g_autoptr(GByteArray) stream = deflate_bytes(rows, sizeof rows);
    g_autoptr(GByteArray) wrong = NULL, longer = NULL;

    stream->data[stream->len - 1] ^= 1;
    wrong = file_with(stream);
    assert_broken(wrong, "checksum of its pixels");
    stream->data[stream->len - 1] ^= 1;
    g_byte_array_append(stream, rows, 1);
    longer = file_with(stream);
    assert_whole(longer);
}

static void
assert_header(Make make, int interlace, const char *type, bool left)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    BtPicture picture;
    BtOutcome outcome;

    append_header(file, make, interlace);
    if (type != NULL)
        append_chunk(file, type, "\0\0", 2);
    append_chunk(file, "IDAT", "", 1);
    g_assert_null(read_png(file, &picture, NULL, &outcome));
    g_assert_cmpint(outcome.reason, ==, left ? BT_REASON_OK : BT_REASON_BROKEN);
}

/* What is left to libvips, and what nobody can read. */
static void
test_headers(void)
{
    assert_header(make_of(9, 5, PALETTE, 8), 0, NULL, false);
    assert_header(make_of(9, 5, PALETTE, 8), 0, "PLTE", false); /* of 2 bytes */
    assert_header(make_of(9, 5, PALETTE, 16), 0, NULL, false);
    assert_header(make_of(9, 5, RGB, 4), 0, NULL, false);
    assert_header(make_of(9, 5, RGB, 8), 1, NULL, true);
    assert_header(make_of(9, 5, 7, 8), 0, NULL, false);
    assert_header(make_of(9, 5, RGB, 8), 0, "tEXt", false);
    assert_header(make_of(9, 5, RGB, 8), 0, "ABCD", false);
    assert_header(make_of(9, 5, RGB, 8), 0, "IHDR", false);
    assert_header(make_of(9, 5, RGB, 8), 0, "IEND", false);
    assert_header(make_of(0, 5, RGB, 8), 0, NULL, false);
    assert_header(make_of(9, 0, RGB, 8), 0, NULL, false);
    assert_header(make_of(9, INT32_MAX, RGB, 8), 0, NULL, false);
    assert_header(make_of(-1, 9, RGB, 8), 0, NULL, false);
}

/* A chunk that claims more than the file has is not believed. */
static void
test_huge_chunks(void)
{
    static const char *const types[] = {"iCCP", "eXIf", "iTXt", "tEXt", "IDAT"};
    static const uint32_t sizes[] = {7000000, INT32_MAX, 0x80000000, UINT32_MAX};

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
            g_autoptr(GByteArray) file = g_byte_array_new();

            append_header(file, make_of(9, 5, RGB, 8), 0);
            append_u32(file, sizes[k]);
            g_byte_array_append(file, (const guint8 *)types[i], 4);
            assert_broken(file, sizes[k] > INT32_MAX ? "impossible size" : "ends too early");
        }
}

/* A picture of one black pixel with these chunks before it. */
static void
read_chunks(const GByteArray *chunks, BtPicture *out_picture, BtMetadata *out_metadata)
{
    static const uint8_t rows[] = {0, 0, 0, 0};
    g_autoptr(GByteArray) stream = deflate_bytes(rows, sizeof rows), got = NULL;
    g_autoptr(GByteArray) file = g_byte_array_new();
    BtOutcome outcome;

    append_header(file, make_of(1, 1, RGB, 8), 0);
    g_byte_array_append(file, chunks->data, chunks->len);
    append_pixels(file, stream, 0);
    got = read_png(file, out_picture, out_metadata, &outcome);
    g_assert_nonnull(got);
}

static void
append_exif(GByteArray *chunks, const char *order, int orientation)
{
    uint8_t exif[] = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0";

    memcpy(exif, order, 2);
    exif[19] = (uint8_t)orientation;
    append_chunk(chunks, "eXIf", exif, sizeof exif);
}

/* Of several the first counts, of those that are one. */
static void
test_exif(void)
{
    g_autoptr(GByteArray) chunks = g_byte_array_new();
    g_auto(BtMetadata) metadata = {0}, none = {0};
    BtPicture picture;

    read_chunks(chunks, &picture, &none);
    g_assert_true(bt_metadata_is_empty(&none));
    append_chunk(chunks, "eXIf", NULL, 0);
    append_exif(chunks, "??", 3);
    append_exif(chunks, "MM", 6);
    append_exif(chunks, "MM", 8);
    read_chunks(chunks, &picture, &metadata);
    g_assert_cmpint(picture.orientation, ==, 6);
    g_assert_cmpint(memcmp(g_bytes_get_data(metadata.exif, NULL), "Exif\0\0MM", 8), ==, 0);
}

static void
append_xmp(GByteArray *chunks, const char *packet, bool compressed)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_autoptr(GByteArray) stream = deflate_bytes(packet, strlen(packet));

    g_byte_array_append(data, (const guint8 *)"XML:com.adobe.xmp", 18);
    g_byte_array_append(data, (const guint8 *)(compressed ? "\1" : "\0"), 1);
    g_byte_array_append(data, (const guint8 *)"\0en\0ueber\0", 10);
    if (compressed)
        g_byte_array_append(data, stream->data, stream->len);
    else
        g_byte_array_append(data, (const guint8 *)packet, (guint)strlen(packet));
    append_chunk(chunks, "iTXt", data->data, data->len);
}

static void
test_xmp(void)
{
    for (int compressed = 0; compressed < 2; compressed++) {
        g_autoptr(GByteArray) chunks = g_byte_array_new();
        g_auto(BtMetadata) metadata = {0};
        BtPicture picture;
        gsize size;
        const char *text;

        append_xmp(chunks, "first", !compressed);
        append_xmp(chunks, "<x:xmpmeta/>", compressed);
        append_chunk(chunks, "iTXt", "XML:com.adobe.xmp\0\0\0no end", 26);
        append_chunk(chunks, "iTXt", "Comment\0\0\0\0\0another", 19);
        read_chunks(chunks, &picture, &metadata);
        text = g_bytes_get_data(metadata.xmp, &size);
        g_assert_cmpmem(text, size, "<x:xmpmeta/>", 12);
    }
}

static void
append_profile(GByteArray *chunks, const char *name, uint8_t byte, size_t size)
{
    g_autofree uint8_t *profile = g_malloc(size);
    g_autoptr(GByteArray) data = g_byte_array_new();
    g_autoptr(GByteArray) stream = NULL;

    memset(profile, byte, size);
    stream = deflate_bytes(profile, size);
    g_byte_array_append(data, (const guint8 *)name, (guint)strlen(name) + 1);
    g_byte_array_append(data, (const guint8 *)"", 1);
    g_byte_array_append(data, stream->data, stream->len);
    append_chunk(chunks, "iCCP", data->data, data->len);
}

static size_t
profile_size(const GByteArray *chunks)
{
    BtPicture picture;

    read_chunks(chunks, &picture, NULL);
    return picture.profile_size;
}

/* libpng takes one profile, before a palette, and none where there is sRGB. */
static void
test_profile(void)
{
    static const char long_name[] =
        "A name that is longer than the seventy-nine characters that the "
        "specification allows";
    g_autoptr(GByteArray) chunks = g_byte_array_new();

    append_profile(chunks, "one", 1, 300000);
    append_profile(chunks, "two", 2, 200);
    append_chunk(chunks, "sRGB", "", 1);
    g_assert_cmpuint(profile_size(chunks), ==, 300000);
    for (const char *type = "sRGBPLTE"; *type != '\0'; type += 4) {
        g_byte_array_set_size(chunks, 0);
        append_chunk(chunks, type, "\0\0\0", 3);
        append_profile(chunks, "late", 1, 200);
        g_assert_cmpuint(profile_size(chunks), ==, 0);
    }
    g_byte_array_set_size(chunks, 0);
    append_profile(chunks, long_name, 1, 200);
    g_assert_cmpuint(profile_size(chunks), ==, 0);
    g_byte_array_set_size(chunks, 0);
    append_profile(chunks, "bomb", 0, 100000000);
    g_assert_cmpuint(profile_size(chunks), ==, 0);
    g_byte_array_set_size(chunks, 0);
    append_chunk(chunks, "iCCP", "damaged\0\0\x78\x9c????", 15);
    g_assert_cmpuint(profile_size(chunks), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (VIPS_INIT(argv[0]) != 0)
        return 1;
    g_test_add_func("/png-reader/rows", test_rows);
    g_test_add_func("/png-reader/expanded", test_expanded);
    g_test_add_func("/png-reader/large", test_large);
    g_test_add_func("/png-reader/pieces", test_pieces);
    g_test_add_func("/png-reader/empty-pieces", test_empty_pieces);
    g_test_add_func("/png-reader/cut", test_cut);
    g_test_add_func("/png-reader/damaged", test_damaged);
    g_test_add_func("/png-reader/streams", test_streams);
    g_test_add_func("/png-reader/checksum", test_checksum);
    g_test_add_func("/png-reader/headers", test_headers);
    g_test_add_func("/png-reader/huge-chunks", test_huge_chunks);
    g_test_add_func("/png-reader/exif", test_exif);
    g_test_add_func("/png-reader/xmp", test_xmp);
    g_test_add_func("/png-reader/profile", test_profile);
    return g_test_run();
}
