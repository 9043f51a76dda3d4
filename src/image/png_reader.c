/* SPDX-License-Identifier: MIT */
#include "image/png_reader.h"

#include "base/fd.h"
#include "image/exif.h"
#include "image/png_coding.h"
#include "image/png_exif.h"
#include "image/png_filter.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>

#define PIECE       65536       /* bytes of the file at a time: stays in the cache */
#define BATCH       (128 << 10) /* bytes of rows at a time: likewise */
#define SIDE_MAX    10000000    /* px: libvips' own limit */
#define KEPT_MAX    8000000 /* bytes of a chunk, or of what it inflates to: libpng's own limit */
#define KEYWORD_MAX 79

#define HEADER_BYTES 13
#define PALETTE_MAX  256

/* Colour types, 11.2.1 of the specification. */
enum {
    COLOUR_GREY = 0,
    COLOUR_RGB = 2,
    COLOUR_PALETTE = 3,
    COLOUR_GREY_ALPHA = 4,
    COLOUR_RGB_ALPHA = 6
};

#define TYPE(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))
#define ANCILLARY        TYPE(0x20, 0, 0, 0) /* the bit of a type that says: may be left out */

static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
static const uint8_t exif_prefix[] = {'E', 'x', 'i', 'f', 0, 0};

/* A picture that is being decoded. */
typedef struct Png {
    int fd;
    off_t at; /* of the next piece */
    size_t piece_size, piece_used;
    uint8_t piece[PIECE];

    uint32_t type, left, crc; /* of the chunk that is open: bytes left, checksum so far */
    const char *problem;      /* what is wrong with the file */

    int width, height;
    int colour, depth;               /* as in the file: COLOUR_..., bits a sample */
    int stored;                      /* samples of a pixel in the file */
    int bands;                       /* of a pixel that comes out */
    int n_colours;                   /* in the palette */
    uint8_t palette[PALETTE_MAX][4]; /* RGB, alpha */
    int n_keys;                      /* 0: no colour is transparent */
    uint16_t key[3];                 /* that is */
    bool foreign;                    /* of a kind that is left to libvips */
    bool settled;                    /* libpng would take no profile any more */
    GBytes *profile, *exif, *xmp;

    struct inflate_state stream;
    size_t row_bytes;  /* as stored */
    uint8_t *rows;     /* the row above and a batch, each behind the number of its filter */
    void *samples;     /* a batch as it comes out, where that is not as it is stored */
    int batch, n_rows; /* rows at a time; in this batch */
    int top;           /* the next row of the picture */
} Png;

static bool
fail(Png *self, const char *problem)
{
    self->problem = problem;
    return false;
}

static uint32_t
u32_of(const uint8_t *bytes)
{
    return TYPE(bytes[0], bytes[1], bytes[2], bytes[3]);
}

/* Of a pixel, or of several smaller ones: what filters count in. */
static int
pixel_bytes(const Png *self)
{
    return MAX(1, self->stored * self->depth / 8);
}

static bool
is_deep(const Png *self)
{
    return self->depth == 16;
}

/* The next bytes of the file, where they are: at least one and at most max_bytes. 0 on failure. */
static size_t
take(Png *self, size_t max_bytes, uint8_t **out_bytes)
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
read_bytes(Png *self, uint8_t *to, size_t size)
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
begin_chunk(Png *self)
{
    uint8_t bytes[4];

    if (!read_bytes(self, bytes, sizeof bytes))
        return false;
    self->left = u32_of(bytes);
    if (self->left > INT32_MAX)
        return fail(self, "a chunk has an impossible size");
    self->crc = 0;
    if (!read_bytes(self, bytes, sizeof bytes))
        return false;
    self->type = u32_of(bytes);
    return true;
}

/* Some bytes of the chunk that is open, which has some left. 0 on failure. */
static size_t
take_chunk(Png *self, uint8_t **out_bytes)
{
    size_t n = take(self, self->left, out_bytes);

    self->left -= (uint32_t)n;
    return n;
}

/* Goes on to its end, and checks it where it may not be left out. */
static bool
end_chunk(Png *self)
{
    uint8_t *skipped, bytes[4];
    uint32_t crc;

    while (self->left > 0)
        if (take_chunk(self, &skipped) == 0)
            return false;
    crc = self->crc;
    if (!read_bytes(self, bytes, sizeof bytes))
        return false;
    return u32_of(bytes) == crc || (self->type & ANCILLARY) != 0 ||
           fail(self, "a chunk's checksum is wrong");
}

/* All of the chunk that is open, behind what is there. False where it is empty or too large to be
 * kept; what else goes wrong end_chunk() finds again. */
static bool
append_chunk(Png *self, GByteArray *to)
{
    guint before = to->len, size = self->left;

    if (size == 0 || size > KEPT_MAX)
        return false;
    g_byte_array_set_size(to, before + size);
    self->left = 0;
    return read_bytes(self, to->data + before, size);
}

static void
start_stream(Png *self)
{
    isal_inflate_init(&self->stream);
    self->stream.crc_flag = ISAL_ZLIB;
}

/* A whole stream. NULL where it is damaged or becomes too large. */
static GBytes *
inflate_whole(Png *self, uint8_t *bytes, size_t size)
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
take_profile(Png *self)
{
    g_autoptr(GByteArray) chunk = g_byte_array_new();
    uint8_t *name_end, *end;

    if (self->settled || !append_chunk(self, chunk))
        return;
    self->settled = true;
    end = chunk->data + chunk->len;
    name_end = memchr(chunk->data, 0, MIN(chunk->len, KEYWORD_MAX + 1));
    if (name_end != NULL && end - name_end > 2 && name_end[1] == 0)
        self->profile = inflate_whole(self, name_end + 2, (size_t)(end - name_end - 2));
}

/* eXIf: a TIFF structure. */
static void
take_exif(Png *self)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    const uint8_t *tiff;

    g_byte_array_append(block, exif_prefix, sizeof exif_prefix);
    if (self->exif != NULL || self->left < 2 || !append_chunk(self, block))
        return;
    tiff = block->data + sizeof exif_prefix;
    if (memcmp(tiff, "II", 2) == 0 || memcmp(tiff, "MM", 2) == 0)
        self->exif = g_byte_array_free_to_bytes(g_steal_pointer(&block));
}

/* iTXt: a keyword and a zero byte, whether it is compressed, the method, two more such texts, and
 * what it is about. */
static void
take_xmp(Png *self)
{
    static const char keyword[] = "XML:com.adobe.xmp";
    g_autoptr(GByteArray) chunk = g_byte_array_new();
    uint8_t *at, *end;

    if (!append_chunk(self, chunk) || chunk->len < sizeof keyword + 2 ||
        memcmp(chunk->data, keyword, sizeof keyword) != 0)
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

/* PLTE: in a picture without one a mere suggestion. Alpha may be there already. */
static bool
take_palette(Png *self)
{
    g_autoptr(GByteArray) chunk = g_byte_array_new();

    self->settled = true;
    if (self->colour != COLOUR_PALETTE)
        return true;
    if (!append_chunk(self, chunk) || chunk->len % 3 != 0 || chunk->len > 3 * PALETTE_MAX)
        return fail(self, "its palette is damaged");
    self->n_colours = (int)chunk->len / 3;
    for (int i = 0; i < self->n_colours; i++)
        memcpy(self->palette[i], chunk->data + 3 * i, 3);
    return true;
}

/* tRNS: the alpha of a palette's colours, the first ones of it, or the one colour that is
 * transparent. One that makes no sense is none. */
static void
take_transparency(Png *self)
{
    g_autoptr(GByteArray) chunk = g_byte_array_new();

    if (self->bands != self->stored || !append_chunk(self, chunk))
        return;
    if (self->colour == COLOUR_PALETTE && chunk->len <= PALETTE_MAX) {
        for (guint i = 0; i < chunk->len; i++)
            self->palette[i][3] = chunk->data[i];
        self->bands = 4;
    } else if ((self->colour == COLOUR_GREY || self->colour == COLOUR_RGB) &&
               chunk->len == 2 * (guint)self->stored) {
        self->n_keys = self->stored;
        for (int i = 0; i < self->n_keys; i++)
            self->key[i] = (uint16_t)((chunk->data[2 * i] << 8 | chunk->data[2 * i + 1]) &
                                      ((1 << self->depth) - 1));
        self->bands = self->stored + 1;
    }
}

/* A chunk before the pixels. */
static bool
take_other(Png *self)
{
    switch (self->type) {
    case TYPE('P', 'L', 'T', 'E'):
        if (!take_palette(self))
            return false;
        break;
    case TYPE('s', 'R', 'G', 'B'):
        self->settled = true;
        break;
    case TYPE('i', 'C', 'C', 'P'):
        take_profile(self);
        break;
    case TYPE('e', 'X', 'I', 'f'):
        take_exif(self);
        break;
    case TYPE('i', 'T', 'X', 't'):
        take_xmp(self);
        break;
    case TYPE('t', 'R', 'N', 'S'):
        take_transparency(self);
        break;
    default:
        if ((self->type & ANCILLARY) == 0)
            return fail(self, "a chunk is where it cannot be, or of a kind that does not exist");
    }
    return end_chunk(self);
}

/* Whether a colour type goes with a depth. */
static bool
is_kind(int colour, int depth)
{
    switch (colour) {
    case COLOUR_GREY:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case COLOUR_PALETTE:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case COLOUR_RGB:
    case COLOUR_GREY_ALPHA:
    case COLOUR_RGB_ALPHA:
        return depth == 8 || depth == 16;
    default:
        return false;
    }
}

static bool
read_shape(Png *self)
{
    static const uint8_t stored[] = {1, 0, 3, 1, 2, 0, 4}; /* samples, by colour type */
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
    self->depth = bytes[8], self->colour = bytes[9];
    /* Of the two methods there is one each. */
    if (!is_kind(self->colour, self->depth) || bytes[10] != 0 || bytes[11] != 0)
        return fail(self, "it has pixels of a kind that does not exist");
    self->foreign = bytes[12] != 0; /* interlaced */
    self->bands = self->stored = stored[self->colour];
    self->row_bytes = ((size_t)width * (size_t)(self->stored * self->depth) + 7) / 8;
    for (int i = 0; i < PALETTE_MAX; i++)
        self->palette[i][3] = UINT8_MAX;
    return true;
}

/* Up to the pixels, or to where it is known that they are not for here. */
static bool
read_header(Png *self)
{
    uint8_t bytes[sizeof signature];

    if (!read_bytes(self, bytes, sizeof bytes))
        return false;
    if (memcmp(bytes, signature, sizeof signature) != 0)
        return fail(self, "it is not a PNG file");
    if (!read_shape(self))
        return false;
    while (!self->foreign) {
        if (!begin_chunk(self))
            return false;
        if (self->type == TYPE('I', 'D', 'A', 'T'))
            break;
        if (!take_other(self))
            return false;
    }
    if (self->colour != COLOUR_PALETTE || self->foreign)
        return true;
    self->bands = MAX(self->bands, 3);
    return self->n_colours > 0 || fail(self, "it has no palette");
}

/* More of the stream, once all there was has been used. */
static bool
feed(Png *self)
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
    if ((n = take_chunk(self, &bytes)) == 0)
        return false;
    self->stream.next_in = bytes;
    self->stream.avail_in = (uint32_t)n;
    return true;
}

/* The next size bytes of the pixels; fewer only at the end of the stream. */
static bool
inflate_pixels(Png *self, uint8_t *to, size_t size, size_t *out_size)
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
    *out_size = size - stream->avail_out;
    return true;
}

/* Whatever follows the last row in the stream is ignored, but checksums still count. */
static bool
end_pixels(Png *self)
{
    uint8_t spare;
    size_t n;

    return inflate_pixels(self, &spare, sizeof spare, &n) && end_chunk(self);
}

/* The next n rows, below the one that is at self->rows. */
static bool
read_rows(Png *self, int n)
{
    size_t stride = self->row_bytes + 1, size = (size_t)n * stride, got;

    if (!inflate_pixels(self, self->rows + stride, size, &got))
        return false;
    if (got < size)
        return fail(self, "its pixels end too early");
    return bt_png_unfilter(self->rows, self->row_bytes, pixel_bytes(self), n) ||
           fail(self, "a row's filter does not exist");
}

/* The bytes of a row as it comes out. */
static size_t
out_bytes(const Png *self)
{
    return (size_t)self->width * (size_t)self->bands * (is_deep(self) ? 2 : 1);
}

/* Whether rows do not come out as they are stored. */
static bool
is_expanded(const Png *self)
{
    return self->depth != 8 || self->bands != self->stored || self->colour == COLOUR_PALETTE;
}

/* Sample i of a row as it is stored. */
static uint16_t
sample_at(const uint8_t *row, size_t i, int depth)
{
    size_t bit = i * (size_t)depth;

    if (depth == 16)
        return (uint16_t)(row[2 * i] << 8 | row[2 * i + 1]);
    return row[bit / 8] >> (8 - depth - (int)(bit % 8)) & ((1 << depth) - 1);
}

static void
make_native(const uint8_t *row, uint16_t *out, size_t n_samples)
{
    for (size_t i = 0; i < n_samples; i++)
        out[i] = (uint16_t)(row[2 * i] << 8 | row[2 * i + 1]);
}

static void
expand_palette(const Png *self, const uint8_t *row, uint8_t *out)
{
    for (size_t x = 0; x < (size_t)self->width; x++, out += self->bands)
        memcpy(out, self->palette[sample_at(row, x, self->depth)], (size_t)self->bands);
}

/* Fewer bits become 8, and 16 native. */
static void
expand_samples(const Png *self, const uint8_t *row, void *out)
{
    int most = (1 << self->depth) - 1, scale = self->depth < 8 ? UINT8_MAX / most : 1;
    int n = self->stored;
    uint16_t *wide = out;
    uint8_t *narrow = out;

    for (size_t x = 0; x < (size_t)self->width; x++) {
        bool clear = self->n_keys > 0;

        for (int k = 0; k < n; k++) {
            uint16_t sample = sample_at(row, x * (size_t)n + (size_t)k, self->depth);

            clear = clear && sample == self->key[k];
            if (is_deep(self))
                *wide++ = sample;
            else
                *narrow++ = (uint8_t)(sample * scale);
        }
        if (self->n_keys == 0)
            continue;
        if (is_deep(self))
            *wide++ = clear ? 0 : UINT16_MAX;
        else
            *narrow++ = clear ? 0 : UINT8_MAX;
    }
}

static void
expand_rows(Png *self, int n)
{
    const uint8_t *row = self->rows + self->row_bytes + 2;
    uint8_t *out = self->samples;

    for (int y = 0; y < n; y++, row += self->row_bytes + 1, out += out_bytes(self)) {
        if (self->colour == COLOUR_PALETTE)
            expand_palette(self, row, out);
        else if (is_deep(self) && self->n_keys == 0)
            make_native(row, (void *)out, self->row_bytes / 2);
        else
            expand_samples(self, row, out);
    }
}

static void
describe(const Png *self, BtPicture *out_picture)
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
        .bands = self->bands,
        .deep = is_deep(self),
        .alpha = self->bands % 2 == 0,
        .profile = profile,
        .profile_size = profile_size,
        .coding = bt_png_coding(self->fd),
    };
}

static void
free_png(Png *self)
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

static void
close_png(BtDecode *decode)
{
    free_png((Png *)decode);
}

static BtDecode *
open_png(int fd, BtPicture *out_picture, BtOutcome *outcome)
{
    Png *self = g_new0(Png, 1);

    self->fd = fd;
    if (!read_header(self) || self->foreign) {
        if (self->problem != NULL)
            bt_outcome_fail(outcome, BT_REASON_BROKEN, "its header cannot be read: %s",
                            self->problem);
        free_png(self);
        return NULL;
    }
    if (self->exif == NULL)
        self->exif = bt_png_exif(fd);
    start_stream(self);
    describe(self, out_picture);
    return (BtDecode *)self;
}

/* Makes room for the row above, zero at first, and a batch of rows. */
static bool
begin_png(BtDecode *decode, const BtReduction *reduction, BtBand *out_band, BtOutcome *outcome)
{
    Png *self = (Png *)decode;
    size_t stride = self->row_bytes + 1;

    (void)reduction; /* nothing of a PNG can be left out */
    self->batch = (int)CLAMP(BATCH / stride, 1, (size_t)self->height);
    self->rows = g_try_malloc0((size_t)(self->batch + 1) * stride + BT_PNG_SLACK);
    if (is_expanded(self))
        self->samples = g_try_malloc((size_t)self->batch * out_bytes(self));
    if (self->rows == NULL || (is_expanded(self) && self->samples == NULL))
        return bt_outcome_fail(outcome, BT_REASON_MEMORY, "not enough memory for its rows");
    *out_band = (BtBand){.n_planes = 1};
    out_band->planes[0] = (BtPlane){
        .width = self->width,
        .height = self->height,
        .bands = self->bands,
        .pitch_x = 1,
        .pitch_y = 1,
        .rows = is_expanded(self) ? self->samples : self->rows + stride + 1,
        .stride = (ptrdiff_t)(is_expanded(self) ? out_bytes(self) : stride),
    };
    return true;
}

static bool
next_rows(BtDecode *decode, BtBand *band, BtOutcome *outcome)
{
    Png *self = (Png *)decode;
    size_t stride = self->row_bytes + 1;
    int n = MIN(self->batch, self->height - self->top);

    if (self->n_rows > 0)
        memcpy(self->rows, self->rows + (size_t)self->n_rows * stride, stride);
    if (!(n > 0 ? read_rows(self, n) : end_pixels(self)))
        return bt_outcome_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded: %s",
                               self->problem);
    if (is_expanded(self))
        expand_rows(self, n);
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
read_metadata(const BtDecode *decode, BtMetadata *out_metadata)
{
    const Png *self = (const Png *)decode;

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
