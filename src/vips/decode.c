/* SPDX-License-Identifier: MIT */
#include "vips/module.h"

#include "base/fd.h"
#include "image/exif.h"
#include "vips/facts.h"

#include <string.h>
#include <unistd.h>

/* Rows asked for at a time: what libvips' PNG reader decodes at once. */
#define ROWS_AT_A_TIME 16

#define BMP_LOADER "magickload_buffer"

struct BtDecode {
    VipsSource *source;
    const char *loader; /* libvips' nickname of the operation */
    VipsImage *image;   /* rows to come, plain */
    bool scales;        /* its decoder can shrink it without harm */
    BtFacts facts;      /* that libvips does not tell */
    bool wide;          /* white is yet to be found */
    double white;       /* the value that is; 0: that of the type */
    int width, height;  /* px at full size */
    VipsRegion *region;
    int top; /* the next row */
};

/* An untrusted decoder that was not asked for, told by its nickname: "svgload_source" -> "svg". */
static bool
fail_blocked(const char *loader, BtOutcome *outcome)
{
    g_autofree char *word = g_strndup(loader, (gsize)(strstr(loader, "load") - loader));
    BtFormat format = strcmp(word, "magick") == 0 ? BT_FORMAT_BMP
                      : strcmp(word, "jp2k") == 0 ? BT_FORMAT_JP2
                                                  : bt_format_of_name(word);

    vips_error_clear();
    if (format != BT_FORMAT_NONE)
        return bt_outcome_fail(outcome, BT_REASON_BLOCKED,
                               "this format is read only with --allow %s", bt_format_name(format));
    return bt_outcome_fail(outcome, BT_REASON_BLOCKED,
                           "this format (%s) is not read: its decoder is not trusted", word);
}

/* The loader of a format where libvips does not find it by itself: it reads BMP through
 * ImageMagick, and from memory only (ImageMagick knows many more formats, some of them programs:
 * none of those); and a brand of HEIF that libvips does not look for may be one that libheif reads
 * all the same. */
static const char *
loader_of(BtFormat format)
{
    if (format == BT_FORMAT_AVIF || format == BT_FORMAT_HEIC)
        return "heifload_source";
    return format == BT_FORMAT_BMP ? BMP_LOADER : NULL;
}

/* Whether a file of a format without magic bytes of ours may be one that libvips knows: those that
 * begin like text, or with these. Of any other it would go on looking, to the end of the file, for
 * the end of a line. */
static bool
may_be_known(const char *bytes, size_t size)
{
    static const char *const magics[] = {"<",        "#?",       "\xef\xbb\xbf",
                                         "\xfe\xff", "\xff\xfe", "\x1f\x8b",
                                         "SIMPLE",   "%PDF",     "\x76\x2f\x31\x01"};

    if ((size >= 8 && memcmp(bytes + 4, "ftyp", 4) == 0) ||
        (size >= 3 && bytes[0] == 'P' && (g_ascii_isdigit(bytes[1]) || (bytes[1] | ' ') == 'f')))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(magics); i++)
        if (size >= strlen(magics[i]) && memcmp(bytes, magics[i], strlen(magics[i])) == 0)
            return true;
    return size > 0 && g_ascii_isspace(bytes[0]);
}

static VipsImage *
load_bmp(BtDecode *self)
{
    BT_OWNED_AREA VipsBlob *blob = vips_source_map_blob(self->source);
    VipsImage *image = NULL;

    /* By name: a libvips without ImageMagick has no function of it. */
    if (blob == NULL || vips_call(BMP_LOADER, blob, &image, NULL) != 0)
        return NULL;
    return image;
}

/* scale: what to ask of a decoder that scales; 1 for nothing. */
static VipsImage *
load(BtDecode *self, double scale)
{
    /* A file that was cut off must fail. Of TIFF, libvips has that among the errors since 8.17. */
    VipsFailOn fail_on =
        strcmp(self->loader, "tiffload_source") == 0 ? VIPS_FAIL_ON_ERROR : VIPS_FAIL_ON_TRUNCATED;
    VipsImage *image = NULL;

    if (strcmp(self->loader, BMP_LOADER) == 0)
        return load_bmp(self);
    if (scale < 1)
        (void)vips_call(self->loader, self->source, &image, "access", VIPS_ACCESS_SEQUENTIAL,
                        "fail_on", fail_on, "scale", scale, NULL);
    else
        (void)vips_call(self->loader, self->source, &image, "access", VIPS_ACCESS_SEQUENTIAL,
                        "fail_on", fail_on, NULL);
    return image;
}

/* What a decoder holds of a picture at once, about, in bytes for each of its pixels; what is not
 * here decodes row by row, strip by strip or tile by tile. */
static uint64_t
held_bytes(const char *loader, VipsImage *loaded)
{
    static const struct {
        const char *loader;
        int pixel_bytes;
        bool interlaced; /* only where it is */
    } decoders[] = {
        {"jpegload_source", 8, true}, /* all coefficients, of 16 bits */
        {"pngload_source", 8, true},  /* all rows, up to RGBA of 16 bits */
        {"gifload_source", 8, false}, /* the canvas, and that of the frame before */
        {"webpload_source", 8, false},
        {"heifload_source", 16, false}, /* planes and RGB, up to 16 bits */
        {"jxlload_source", 32, false},  /* floats, before and after filtering */
        {"jp2kload_source", 16, false}, /* samples of 32 bits; a file may be one tile */
        {BMP_LOADER, 16, false},
    };
    uint64_t px = (uint64_t)loaded->Xsize * (uint64_t)loaded->Ysize;

    for (size_t i = 0; i < G_N_ELEMENTS(decoders); i++)
        if (strcmp(decoders[i].loader, loader) == 0 &&
            (!decoders[i].interlaced || vips_image_get_typeof(loaded, "interlaced") != 0))
            return px * (uint64_t)decoders[i].pixel_bytes;
    return 0;
}

static bool
make_plain(BtDecode *self, VipsImage *loaded, BtOutcome *outcome)
{
    g_clear_object(&self->image);
    return bt_plain(loaded, self->white, self->facts.opaque, &self->image) ||
           bt_vips_fail(outcome, BT_REASON_BROKEN, "its colours cannot be read");
}

static void
describe(const BtDecode *self, VipsImage *loaded, BtPicture *out_picture)
{
    VipsImage *image = self->image;

    *out_picture = (BtPicture){
        .width = loaded->Xsize,
        .height = loaded->Ysize,
        .orientation = vips_image_get_orientation(loaded),
        .n_pages = vips_image_get_n_pages(loaded),
        .bands = image->Bands,
        .deep = image->BandFmt == VIPS_FORMAT_USHORT,
        .alpha = vips_image_hasalpha(image),
        .cmyk = image->Type == VIPS_INTERPRETATION_CMYK,
        .memory = held_bytes(self->loader, loaded),
    };
    if (vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0 &&
        vips_image_get_blob(image, VIPS_META_ICC_NAME, &out_picture->profile,
                            &out_picture->profile_size) != 0)
        vips_error_clear();
    if (out_picture->profile == NULL || self->facts.over_profile)
        out_picture->coding = self->facts.coding;
}

static bool
open_source(BtDecode *self, int fd, BtOutcome *outcome)
{
    char magic[BT_FORMAT_MAGIC_BYTES];
    ssize_t size = bt_fd_read_at(fd, magic, sizeof magic, 0);
    BtFormat format = bt_format_of_bytes(magic, (size_t)MAX(size, 0));
    const char *type, *own = loader_of(format);

    if (lseek(fd, 0, SEEK_SET) != 0 || (self->source = vips_source_new_from_descriptor(fd)) == NULL)
        return bt_vips_fail(outcome, BT_REASON_BROKEN, "the file cannot be read");
    if (format == BT_FORMAT_NONE && !may_be_known(magic, (size_t)MAX(size, 0)))
        return bt_outcome_fail(outcome, BT_REASON_UNKNOWN,
                               "not a picture in a format that can be read");
    if ((type = vips_foreign_find_load_source(self->source)) != NULL)
        self->loader = vips_nickname_find(g_type_from_name(type));
    else if (own != NULL && vips_type_find("VipsForeignLoad", own) != 0)
        self->loader = own;
    vips_error_clear();
    if (self->loader == NULL)
        return bt_vips_fail(outcome, BT_REASON_UNKNOWN,
                            "not a picture in a format that can be read");
    self->facts = bt_facts_read(fd, self->loader);
    self->white = self->facts.white;
    return self->facts.refusal == NULL ||
           bt_outcome_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded: %s",
                           self->facts.refusal);
}

/* What libvips and the file's own header say must agree. */
static bool
check_facts(const BtDecode *self, VipsImage *loaded, BtOutcome *outcome)
{
    if (self->facts.width > 0 &&
        (self->facts.width != loaded->Xsize || self->facts.height != loaded->Ysize))
        return bt_outcome_fail(outcome, BT_REASON_BROKEN,
                               "its header says %d x %d, but libvips reads %d x %d",
                               self->facts.width, self->facts.height, loaded->Xsize, loaded->Ysize);
    if (self->facts.has_alpha && !vips_image_hasalpha(loaded))
        return bt_outcome_fail(outcome, BT_REASON_BROKEN, "its transparency cannot be read");
    return true;
}

static bool
fail_header(const BtDecode *self, BtOutcome *outcome)
{
    if (strstr(vips_error_buffer(), "blocked") != NULL)
        return fail_blocked(self->loader, outcome);
    return bt_vips_fail(outcome, BT_REASON_BROKEN, "its header cannot be read");
}

static bool
open_header(BtDecode *self, BtPicture *out_picture, BtOutcome *outcome)
{
    BT_OWNED VipsImage *loaded = load(self, 1);
    const void *bytes;
    gsize size;

    g_strlcpy(outcome->loader, self->loader, sizeof outcome->loader);
    if (loaded == NULL)
        return fail_header(self, outcome);
    if (!check_facts(self, loaded, outcome))
        return false;
    self->wide = bt_plain_is_wide(loaded);
    if (self->wide)
        self->white = 1; /* until it is found */
    if (self->facts.exif != NULL && vips_image_get_typeof(loaded, VIPS_META_EXIF_NAME) == 0) {
        /* libvips has not met it on its way to the pixels. */
        bytes = g_bytes_get_data(self->facts.exif, &size);
        vips_image_set_blob_copy(loaded, VIPS_META_EXIF_NAME, bytes, size);
        vips_image_set_int(loaded, VIPS_META_ORIENTATION, bt_exif_orientation(bytes, size));
    }
    if (!make_plain(self, loaded, outcome))
        return false;
    describe(self, loaded, out_picture);
    self->width = out_picture->width;
    self->height = out_picture->height;
    self->scales = strcmp(self->loader, "webpload_source") == 0 && !out_picture->alpha &&
                   out_picture->n_pages == 1;
    return true;
}

static void
close_picture(BtDecode *self)
{
    if (self == NULL)
        return;
    g_clear_object(&self->region);
    g_clear_object(&self->image);
    g_clear_object(&self->source);
    g_clear_pointer(&self->facts.exif, g_bytes_unref);
    g_free(self);
    vips_error_clear();
}

static BtDecode *
open_picture(int fd, BtPicture *out_picture, BtOutcome *outcome)
{
    BtDecode *self = g_new0(BtDecode, 1);

    vips_error_clear();
    if (open_source(self, fd, outcome) && open_header(self, out_picture, outcome))
        return self;
    close_picture(self);
    return NULL;
}

static bool
load_again(BtDecode *self, int shrink, BtOutcome *outcome)
{
    BT_OWNED VipsImage *loaded = load(self, 1.0 / shrink);

    return loaded != NULL ? make_plain(self, loaded, outcome) : fail_header(self, outcome);
}

/* What is white in samples of a type that does not say so: by the largest of them. */
static bool
find_white(BtDecode *self, BtOutcome *outcome)
{
    BT_OWNED VipsImage *loaded = load(self, 1), *all = NULL;
    BT_OWNED VipsRegion *region = NULL;
    double largest = 0;

    if (loaded == NULL || vips_cast_double(loaded, &all, NULL) != 0)
        return fail_header(self, outcome);
    region = vips_region_new(all);
    for (int top = 0; top < all->Ysize; top += ROWS_AT_A_TIME) {
        VipsRect rows = {0, top, all->Xsize, MIN(ROWS_AT_A_TIME, all->Ysize - top)};

        if (vips_region_prepare(region, &rows) != 0)
            return bt_vips_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded");
        for (int y = top; y < top + rows.height; y++) {
            const double *samples = (const double *)(void *)VIPS_REGION_ADDR(region, 0, y);

            for (int i = 0; i < all->Xsize * all->Bands; i++)
                largest = MAX(largest, samples[i]);
        }
    }
    self->white = bt_plain_white(loaded, largest);
    return self->white > 0 ||
           bt_outcome_fail(outcome, BT_REASON_BROKEN,
                           "its samples go up to %g, and nothing says which value is white",
                           largest);
}

static bool
begin_rows(BtDecode *self, const BtReduction *reduction, BtBand *out_band, BtOutcome *outcome)
{
    bool shrinks = self->scales && reduction->shrink > 1 && !reduction->pixels;

    if ((self->wide && !find_white(self, outcome)) ||
        ((self->wide || shrinks) && !load_again(self, shrinks ? reduction->shrink : 1, outcome)))
        return false;
    self->region = vips_region_new(self->image);
    *out_band = (BtBand){.n_planes = 1};
    out_band->planes[0] = (BtPlane){
        .width = self->image->Xsize,
        .height = self->image->Ysize,
        .bands = self->image->Bands,
        .pitch_x = (double)self->width / self->image->Xsize,
        .pitch_y = (double)self->height / self->image->Ysize,
    };
    return true;
}

static bool
next_rows(BtDecode *self, BtBand *band, BtOutcome *outcome)
{
    VipsRect rows = {0, self->top, self->image->Xsize,
                     MIN(ROWS_AT_A_TIME, self->image->Ysize - self->top)};

    if (rows.height == 0)
        return false;
    if (vips_region_prepare(self->region, &rows) != 0)
        return bt_vips_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded");
    band->planes[0].rows = VIPS_REGION_ADDR(self->region, 0, self->top);
    band->planes[0].stride = (ptrdiff_t)VIPS_REGION_LSKIP(self->region);
    band->planes[0].n_rows = rows.height;
    self->top += rows.height;
    return true;
}

static GBytes *
copy_blob(VipsImage *image, const char *name)
{
    const void *bytes;
    size_t size;

    if (vips_image_get_typeof(image, name) == 0)
        return NULL;
    if (vips_image_get_blob(image, name, &bytes, &size) == 0)
        return g_bytes_new(bytes, size);
    vips_error_clear();
    return NULL;
}

static void
read_metadata(const BtDecode *self, BtMetadata *out_metadata)
{
    *out_metadata = (BtMetadata){
        .exif = copy_blob(self->image, VIPS_META_EXIF_NAME),
        .xmp = copy_blob(self->image, VIPS_META_XMP_NAME),
        .iptc = copy_blob(self->image, VIPS_META_IPTC_NAME),
        .left_out = self->facts.has_gain_map ? BT_LEFT_OUT_GAIN_MAP : 0,
    };
}

const BtDecoder bt_vips_decoder = {
    .open = open_picture,
    .begin = begin_rows,
    .next = next_rows,
    .metadata = read_metadata,
    .close = close_picture,
};
