/* SPDX-License-Identifier: MIT */
#include "image/png.h"

#include "base/fd.h"
#include "base/number.h"
#include "image/exif.h"
#include "image/png_chunks.h"
#include "image/png_pixels.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>

#define PIECE       65536       /* bytes of the file at a time: stays in the cache */
#define BATCH       (128 << 10) /* bytes of rows at a time: likewise */
#define SIDE_MAX    10000000    /* px: libvips' own limit */
#define KEPT_MAX    8000000 /* bytes of a chunk, or of what it inflates to: libpng's own limit */
#define KEYWORD_MAX 79

#define SIGNATURE_BYTES 8 /* that the file was known by */
#define HEADER_BYTES    13

#define TYPE      BT_PNG_TYPE
#define ANCILLARY TYPE(0x20, 0, 0, 0) /* the bit of a type that says: may be left out */

struct BtDecode {
    int fd;
    off_t at; /* of the next piece */
    size_t piece_size, piece_used;
    uint8_t piece[PIECE];

    uint32_t type, left, crc; /* of the chunk that is open: bytes left, checksum so far */
    const char *problem;      /* what is wrong with the file */

    int width, height;
    BtPngPixels pixels;
    bool foreign;    /* of a kind that is left to libvips */
    bool no_profile; /* libpng would take none any more */
    BtCoding coding;
    GBytes *profile, *exif, *xmp;

    struct inflate_state stream;
    size_t stride;    /* bytes of a row as it is stored, behind one with the number of its filter */
    uint8_t *rows;    /* the row above and a batch */
    uint8_t *samples; /* a batch as it comes out, where that is not as it is stored */
    int batch, n_rows; /* rows at a time; in this batch */
    int top;           /* the next row of the picture */
};

static bool
fail(BtDecode *self, const char *problem)
{
    self->problem = problem;
    return false;
}

static uint32_t
u32_of(const uint8_t *bytes)
{
    return (uint32_t)bt_number(bytes, 4, false);
}

/* The next bytes of the file, where they are: at least one and at most max_bytes. 0 on failure. */
static size_t
take(BtDecode *self, size_t max_bytes, uint8_t **out_bytes)
{
    size_t n;

    if (self->piece_used == self->piece_size) {
        ssize_t size = bt_fd_read_at(self->fd, self->piece, PIECE, self->at);

        if (size <= 0) {
            fail(self, size < 0 ? "the file cannot be read" : "the file ends too early");
            return 0;
        }
        self->at += size;
        self->piece_size = (size_t)size;
        self->piece_used = 0;
    }
    n = MIN(max_bytes, self->piece_size - self->piece_used);
    *out_bytes = self->piece + self->piece_used;
    self->piece_used += n;
    self->crc = crc32_gzip_refl(self->crc, *out_bytes, n);
    return n;
}

static bool
read_bytes(BtDecode *self, uint8_t *to, size_t size)
{
    uint8_t *bytes;

    while (size > 0) {
        size_t n = take(self, size, &bytes);

        if (n == 0)
            return false;
        memcpy(to, bytes, n);
        to += n;
        size -= n;
    }
    return true;
}

static bool
begin_chunk(BtDecode *self)
{
    uint8_t head[8];

    if (!read_bytes(self, head, sizeof head))
        return false;
    self->left = u32_of(head);
    self->type = u32_of(head + 4);
    self->crc = crc32_gzip_refl(0, head + 4, 4);
    return self->left <= INT32_MAX || fail(self, "a chunk has an impossible size");
}

/* Some bytes of the chunk that is open, which has some left. 0 on failure. */
static size_t
take_piece(BtDecode *self, uint8_t **out_bytes)
{
    size_t n = take(self, self->left, out_bytes);

    self->left -= (uint32_t)n;
    return n;
}

/* Goes on to its end, and checks it where it may not be left out. */
static bool
end_chunk(BtDecode *self)
{
    uint8_t *skipped, bytes[4];
    uint32_t crc;

    while (self->left > 0)
        if (take_piece(self, &skipped) == 0)
            return false;
    crc = self->crc;
    if (!read_bytes(self, bytes, sizeof bytes))
        return false;
    return u32_of(bytes) == crc || (self->type & ANCILLARY) != 0 ||
           fail(self, "a chunk's checksum is wrong");
}

/* All of the chunk that is open; nothing where it is too large to be kept or cut short, which
 * end_chunk() finds again. Owned. */
static GByteArray *
load_chunk(BtDecode *self)
{
    GByteArray *chunk = g_byte_array_new();
    guint size = self->left;

    if (size > KEPT_MAX)
        return chunk;
    g_byte_array_set_size(chunk, size);
    self->left = 0;
    if (!read_bytes(self, chunk->data, size))
        g_byte_array_set_size(chunk, 0);
    return chunk;
}

static void
start_stream(BtDecode *self)
{
    isal_inflate_init(&self->stream);
    self->stream.crc_flag = ISAL_ZLIB;
}

/* A whole stream. NULL where it is damaged or becomes too large. */
static GBytes *
inflate_whole(BtDecode *self, uint8_t *bytes, size_t size)
{
    g_autoptr(GByteArray) whole = g_byte_array_new();
    struct inflate_state *stream = &self->stream;

    start_stream(self);
    stream->next_in = bytes;
    stream->avail_in = (uint32_t)size;
    do {
        guint before = whole->len;

        g_byte_array_set_size(whole, before + PIECE);
        stream->next_out = whole->data + before;
        stream->avail_out = PIECE;
        if (isal_inflate(stream) != ISAL_DECOMP_OK)
            return NULL;
        g_byte_array_set_size(whole, before + PIECE - stream->avail_out);
    } while (stream->avail_out == 0 && whole->len <= KEPT_MAX);
    if (stream->block_state != ISAL_BLOCK_FINISH || whole->len > KEPT_MAX)
        return NULL;
    return g_byte_array_free_to_bytes(g_steal_pointer(&whole));
}

/* iCCP: a name and a zero byte, the method, a stream. */
static void
take_profile(BtDecode *self)
{
    g_autoptr(GByteArray) chunk = load_chunk(self);
    uint8_t *name_end, *end = chunk->data + chunk->len;

    if (self->no_profile || chunk->len == 0)
        return;
    self->no_profile = true;
    name_end = memchr(chunk->data, 0, MIN(chunk->len, KEYWORD_MAX + 1));
    if (name_end != NULL && end - name_end > 2 && name_end[1] == 0)
        self->profile = inflate_whole(self, name_end + 2, (size_t)(end - name_end - 2));
}

/* iTXt: a keyword and a zero byte, whether it is compressed, the method, two more such texts, and
 * what it is about. */
static void
take_xmp(BtDecode *self)
{
    static const char keyword[] = "XML:com.adobe.xmp";
    g_autoptr(GByteArray) chunk = load_chunk(self);
    uint8_t *at, *end;

    if (chunk->len < sizeof keyword + 2 || memcmp(chunk->data, keyword, sizeof keyword) != 0)
        return;
    end = chunk->data + chunk->len;
    at = chunk->data + sizeof keyword + 2;
    for (int i = 0; i < 2; i++, at++)
        if ((at = memchr(at, 0, (size_t)(end - at))) == NULL)
            return;
    g_clear_pointer(&self->xmp, g_bytes_unref);
    self->xmp = chunk->data[sizeof keyword] != 0 ? inflate_whole(self, at, (size_t)(end - at))
                                                 : g_bytes_new(at, (gsize)(end - at));
}

/* A chunk before the pixels. */
static bool
take_chunk(BtDecode *self)
{
    g_autoptr(GByteArray) chunk = NULL;

    switch (self->type) {
    case TYPE('P', 'L', 'T', 'E'):
        self->no_profile = true;
        chunk = load_chunk(self);
        if (!bt_png_pixels_take_palette(&self->pixels, chunk->data, chunk->len))
            return fail(self, "its palette is damaged");
        break;
    case TYPE('s', 'R', 'G', 'B'):
        self->no_profile = true;
        break;
    case TYPE('i', 'C', 'C', 'P'):
        take_profile(self);
        break;
    case TYPE('i', 'T', 'X', 't'):
        take_xmp(self);
        break;
    case TYPE('t', 'R', 'N', 'S'):
        chunk = load_chunk(self);
        bt_png_pixels_take_transparency(&self->pixels, chunk->data, chunk->len);
        break;
    default:
        if ((self->type & ANCILLARY) == 0)
            return fail(self, "a chunk is where it cannot be, or of a kind that does not exist");
    }
    return end_chunk(self);
}

static bool
read_shape(BtDecode *self)
{
    uint8_t bytes[HEADER_BYTES];
    uint32_t width, height;

    if (!begin_chunk(self))
        return false;
    if (self->type != TYPE('I', 'H', 'D', 'R') || self->left != HEADER_BYTES)
        return fail(self, "it does not begin with its size");
    self->left = 0;
    if (!read_bytes(self, bytes, HEADER_BYTES) || !end_chunk(self))
        return false;
    width = u32_of(bytes), height = u32_of(bytes + 4);
    if (width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX)
        return fail(self, "its size is impossible");
    self->width = (int)width;
    self->height = (int)height;
    /* Of the two methods there is one each. */
    if (!bt_png_pixels_init(&self->pixels, bytes[9], bytes[8]) || bytes[10] != 0 || bytes[11] != 0)
        return fail(self, "it has pixels of a kind that does not exist");
    self->foreign = bytes[12] != 0; /* interlaced */
    self->stride = 1 + ((size_t)width * (size_t)(self->pixels.stored * self->pixels.depth) + 7) / 8;
    return true;
}

/* Up to the pixels, or to where it is known that they are not for here. */
static bool
read_header(BtDecode *self)
{
    self->at = SIGNATURE_BYTES;
    if (!read_shape(self))
        return false;
    while (!self->foreign) {
        if (!begin_chunk(self))
            return false;
        if (self->type == TYPE('I', 'D', 'A', 'T'))
            break;
        if (!take_chunk(self))
            return false;
    }
    return self->foreign || self->pixels.colour != BT_PNG_PALETTE || self->pixels.n_colours > 0 ||
           fail(self, "it has no palette");
}

/* More of the stream, once all there was has been used. */
static bool
feed(BtDecode *self)
{
    uint8_t *bytes;
    size_t n;

    if (self->stream.avail_in > 0)
        return fail(self, "its pixels are damaged");
    while (self->left == 0) {
        if (!end_chunk(self) || !begin_chunk(self))
            return false;
        if (self->type != TYPE('I', 'D', 'A', 'T'))
            return fail(self, "its pixels end too early");
    }
    if ((n = take_piece(self, &bytes)) == 0)
        return false;
    self->stream.next_in = bytes;
    self->stream.avail_in = (uint32_t)n;
    return true;
}

/* The next size bytes of the pixels; fewer, and avail_out is left, only at the stream's end. */
static bool
inflate_pixels(BtDecode *self, uint8_t *to, size_t size)
{
    struct inflate_state *stream = &self->stream;

    stream->next_out = to;
    stream->avail_out = (uint32_t)size;
    while (stream->avail_out > 0 && stream->block_state != ISAL_BLOCK_FINISH) {
        int status = isal_inflate(stream);

        if (status == ISAL_INCORRECT_CHECKSUM)
            return fail(self, "the checksum of its pixels is wrong");
        if (status != ISAL_DECOMP_OK)
            return fail(self, "its pixels are damaged");
        if (stream->avail_out > 0 && stream->block_state != ISAL_BLOCK_FINISH && !feed(self))
            return false;
    }
    return true;
}

/* Whatever follows the last row in the stream is ignored, but checksums still count. */
static bool
end_pixels(BtDecode *self)
{
    uint8_t spare;

    return inflate_pixels(self, &spare, sizeof spare) && end_chunk(self);
}

/* The next n rows, below the one that is at self->rows. */
static bool
read_rows(BtDecode *self, int n)
{
    int pixel_bits = self->pixels.stored * self->pixels.depth;

    if (!inflate_pixels(self, self->rows + self->stride, (size_t)n * self->stride))
        return false;
    if (self->stream.avail_out > 0)
        return fail(self, "its pixels end too early");
    return bt_png_unfilter(self->rows, self->stride - 1, MAX(1, pixel_bits / 8), n) ||
           fail(self, "a row's filter does not exist");
}

/* The bytes of a row as it comes out. */
static size_t
out_bytes(const BtDecode *self)
{
    return (size_t)self->width * (size_t)self->pixels.bands * (self->pixels.depth == 16 ? 2 : 1);
}

static void
describe(const BtDecode *self, BtPicture *out_picture)
{
    gsize exif_size = 0, profile_size = 0;
    const void *exif = self->exif != NULL ? g_bytes_get_data(self->exif, &exif_size) : NULL;
    const void *profile =
        self->profile != NULL ? g_bytes_get_data(self->profile, &profile_size) : NULL;

    *out_picture = (BtPicture){
        .width = self->width,
        .height = self->height,
        .orientation = bt_exif_orientation(exif, exif_size),
        .n_pages = 1,
        .bands = self->pixels.bands,
        .deep = self->pixels.depth == 16,
        .alpha = self->pixels.bands % 2 == 0,
        .profile = profile,
        .profile_size = profile_size,
        .coding = self->coding,
    };
}

static void
close_png(BtDecode *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->profile, g_bytes_unref);
    g_clear_pointer(&self->exif, g_bytes_unref);
    g_clear_pointer(&self->xmp, g_bytes_unref);
    g_free(self->rows);
    g_free(self->samples);
    g_free(self);
}

static BtDecode *
open_png(int fd, BtPicture *out_picture, BtOutcome *outcome)
{
    BtDecode *self = g_new0(BtDecode, 1);

    self->fd = fd;
    if (!read_header(self) || self->foreign) {
        if (self->problem != NULL)
            bt_outcome_fail(outcome, BT_REASON_BROKEN, "its header cannot be read: %s",
                            self->problem);
        close_png(self);
        return NULL;
    }
    bt_png_read_chunks(fd, &self->coding, &self->exif);
    start_stream(self);
    describe(self, out_picture);
    return self;
}

/* Makes room for the row above, zero at first, and a batch of rows. */
static bool
begin_png(BtDecode *self, const BtReduction *reduction, BtBand *out_band, BtOutcome *outcome)
{
    bool changes = bt_png_pixels_change(&self->pixels);

    (void)reduction; /* nothing of a PNG can be left out */
    self->batch = (int)CLAMP(BATCH / self->stride, 1, (size_t)self->height);
    self->rows = g_try_malloc0((size_t)(self->batch + 1) * self->stride + BT_PNG_SLACK);
    if (changes)
        self->samples = g_try_malloc((size_t)self->batch * out_bytes(self));
    if (self->rows == NULL || (changes && self->samples == NULL))
        return bt_outcome_fail_memory(outcome);
    *out_band = (BtBand){.n_planes = 1};
    out_band->planes[0] = (BtPlane){
        .width = self->width,
        .height = self->height,
        .bands = self->pixels.bands,
        .pitch_x = 1,
        .pitch_y = 1,
        .rows = changes ? self->samples : self->rows + self->stride + 1,
        .stride = (ptrdiff_t)(changes ? out_bytes(self) : self->stride),
    };
    return true;
}

static bool
next_rows(BtDecode *self, BtBand *band, BtOutcome *outcome)
{
    int n = MIN(self->batch, self->height - self->top);

    if (self->n_rows > 0)
        memcpy(self->rows, self->rows + (size_t)self->n_rows * self->stride, self->stride);
    if (!(n > 0 ? read_rows(self, n) : end_pixels(self)))
        return bt_outcome_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded: %s",
                               self->problem);
    for (int y = 0; self->samples != NULL && y < n; y++)
        bt_png_pixels_expand(&self->pixels, self->rows + (size_t)(y + 1) * self->stride + 1,
                             (size_t)self->width, self->samples + (size_t)y * out_bytes(self));
    self->top += n;
    self->n_rows = n;
    band->planes[0].n_rows = n;
    return n > 0;
}

static GBytes *
ref_bytes(GBytes *bytes)
{
    return bytes != NULL ? g_bytes_ref(bytes) : NULL;
}

static void
read_metadata(const BtDecode *self, BtMetadata *out_metadata)
{
    *out_metadata = (BtMetadata){.exif = ref_bytes(self->exif), .xmp = ref_bytes(self->xmp)};
}

const BtDecoder bt_png_decoder = {
    .name = "png",
    .open = open_png,
    .begin = begin_png,
    .next = next_rows,
    .metadata = read_metadata,
    .close = close_png,
};
