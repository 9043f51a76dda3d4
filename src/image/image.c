/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/human.h"
#include "image/blur.h"
#include "image/codecs.h"
#include "image/jpeg_decoder.h"
#include "image/jpeg_writer.h"
#ifdef BT_WITH_ISAL
#include "image/png_reader.h"
#include "image/png_writer.h"
#endif
#include "image/raw_decoder.h"
#include "image/thumbhash.h"
#include "kernel/plan.h"

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* Below this many samples a side every pixel counts, and shrinking saves nothing. */
#define SAMPLES_MIN 64

/* How coarse a picture comes that is only checked: every byte is read, few samples are made. */
#define SHRINK_CHECK 8

/* Of a preview: px of its longer side, halved until its bytes have room. */
#define PREVIEW_SIDE    160
#define PREVIEW_QUALITY 60

/* Buffers of up to so many bytes stay with the process when they are freed: a picture does not have
 * its pages zeroed anew. */
#define KEPT_BYTES (32 << 20)

/* Of each thread that helps to decode: where there is no room for them none is started. */
#define THREAD_BYTES (3 << 20)

#define PNG_INTERLACE_AT 28 /* in the file */

/* Of a worker, whatever the picture: libraries, stacks of threads, what was freed and is kept. */
#define BASE_BYTES (UINT64_C(96) << 20)

/* Of the result, for each of its pixels: four samples of 16 bits, of which there may be three
 * copies at once: as the kernel leaves them, turned or in sRGB, and encoded. */
#define RESULT_PIXEL_BYTES 24

/* Rows of the result go through the kernel as strips of 32, across the width of the source: four
 * floats for each pixel. */
#define ROW_PIXEL_BYTES 512

/* What a format can hold, and the quality that is its own. */
static const struct {
    int quality;
    bool deep; /* 16 bits */
    bool alpha;
} holds[BT_FORMAT_COUNT] = {
    [BT_FORMAT_JPEG] = {75, false, false}, [BT_FORMAT_PNG] = {0, true, true},
    [BT_FORMAT_WEBP] = {75, false, true},  [BT_FORMAT_TIFF] = {0, true, true},
    [BT_FORMAT_GIF] = {0, false, true},    [BT_FORMAT_AVIF] = {50, true, true},
    [BT_FORMAT_HEIC] = {50, false, true},  [BT_FORMAT_JXL] = {75, true, true},
    [BT_FORMAT_JP2] = {48, true, true},    [BT_FORMAT_PPM] = {0, true, false},
};

struct BtImage {
    BtImageSettings settings;
    BtBlur *blur;
    BtColour *colour;
    bool confined; /* libvips is */
};

/* One picture on its way. */
typedef struct Work {
    BtImage *image;
    BtOutcome *outcome;
    uint64_t memory; /* bytes that it may take; 0: any */
    bool raw;        /* a TIFF is a raw file */
    int n_threads;
    BtFormat source; /* by its first bytes */
    BtFormat format; /* of the result */
    const BtDecoder *decoder;
    BtDecode *decode;
    BtPicture picture;
    BtBlurJob job;
    bool transforms; /* the colours are to become sRGB, through image->colour */
} Work;

bool
bt_image_prepare(GError **error)
{
    return bt_codecs_load(error) != NULL;
}

const char *
bt_image_vips_version(void)
{
    return bt_codecs_loaded()->version();
}

/* The decoders that need no libvips. */
static const BtDecoder *
own_decoder(BtFormat format)
{
    switch (format) {
    case BT_FORMAT_JPEG:
        return &bt_jpeg_decoder;
    case BT_FORMAT_RAW:
        return &bt_raw_decoder;
#ifdef BT_WITH_ISAL
    case BT_FORMAT_PNG:
        return &bt_png_decoder;
#endif
    default:
        return NULL;
    }
}

/* Whether results of a format are made without libvips. */
static bool
is_written_here(BtFormat format)
{
#ifdef BT_WITH_ISAL
    if (format == BT_FORMAT_PNG)
        return true;
#endif
    return format == BT_FORMAT_JPEG;
}

/* The format by a file's first bytes; raw: a TIFF is a raw file. */
static BtFormat
format_of(const void *bytes, size_t size, bool raw)
{
    BtFormat format = bt_format_of_bytes(bytes, size);

    return raw && format == BT_FORMAT_TIFF ? BT_FORMAT_RAW : format;
}

bool
bt_image_needs_vips(int fd, bool raw, BtFormat format)
{
    uint8_t magic[BT_FORMAT_MAGIC_BYTES] = {0};
    ssize_t size = bt_fd_read_at(fd, magic, sizeof magic, 0);
    BtFormat source = format_of(magic, (size_t)MAX(size, 0), raw);
    BtJpegPeek peek;

    if (size <= 0)
        return false;
    if (own_decoder(source) == NULL ||
        (format == BT_FORMAT_NONE ? !is_written_here(BT_FORMAT_PNG) : !is_written_here(format)))
        return true;
    if (source == BT_FORMAT_JPEG)
        return !bt_jpeg_peek(fd, 0, &peek) || !peek.common;
    return source == BT_FORMAT_PNG && magic[PNG_INTERLACE_AT] != 0;
}

bool
bt_image_can_write(BtFormat format, uint32_t allowed)
{
    if (format == BT_FORMAT_JPEG || format == BT_FORMAT_PNG)
        return true;
    return (bt_format_is_trusted(format) || (allowed & (1u << format)) != 0) &&
           bt_codecs_loaded()->can_write(format);
}

static void
confine_codecs(BtImage *self)
{
    if (!self->confined && bt_codecs_loaded() != NULL) {
        bt_codecs_loaded()->confine(self->settings.allowed);
        self->confined = true;
    }
}

BtImage *
bt_image_new(const BtImageSettings *settings)
{
    BtImage *self = g_new0(BtImage, 1);

    self->settings = *settings;
    self->colour = bt_colour_new();
    if ((self->blur = bt_blur_new(settings->level)) == NULL) {
        bt_image_free(self);
        return NULL;
    }
#ifdef M_ARENA_MAX /* glibc's malloc() */
    /* One thread a process: few arenas hold fragmentation down at no cost in time. */
    mallopt(M_ARENA_MAX, 2);
    /* What one picture has freed the next one takes, without asking the system for new pages. */
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
#endif
    confine_codecs(self);
    return self;
}

void
bt_image_free(BtImage *self)
{
    if (self == NULL)
        return;
    bt_blur_free(self->blur);
    bt_colour_free(self->colour);
    g_free(self);
}

/* libvips; not there only where the file is not what it was when it was looked at. */
static const BtCodecs *
take_codecs(Work *self)
{
    if (bt_codecs_loaded() == NULL)
        bt_outcome_fail(self->outcome, BT_REASON_BROKEN, "its first bytes have changed");
    else
        confine_codecs(self->image);
    return bt_codecs_loaded();
}

/* The format by the file's first bytes. */
static bool
read_magic(Work *self, int fd)
{
    char magic[BT_FORMAT_MAGIC_BYTES];
    ssize_t size = bt_fd_read_at(fd, magic, sizeof magic, 0);

    if (size < 0)
        return bt_outcome_fail(self->outcome, BT_REASON_BROKEN, "the file cannot be read: %s",
                               g_strerror(errno));
    if (size == 0)
        return bt_outcome_fail(self->outcome, BT_REASON_EMPTY, "the file is empty");
    self->source = format_of(magic, (size_t)size, self->raw);
    return true;
}

/* Tries a member: true where the picture is open. */
static bool
try_decoder(Work *self, const BtDecoder *decoder, int fd)
{
    BtOutcome *outcome = self->outcome;

    self->decoder = decoder;
    self->decode = decoder->open(fd, &self->picture, outcome);
    if (decoder->name != NULL && (self->decode != NULL || outcome->reason != BT_REASON_OK))
        g_strlcpy(outcome->loader, decoder->name, sizeof outcome->loader);
    return self->decode != NULL;
}

static bool
open_picture(Work *self, int fd)
{
    const BtDecoder *own;

    if (!read_magic(self, fd))
        return false;
    if ((own = own_decoder(self->source)) != NULL && try_decoder(self, own, fd))
        return true;
    return self->outcome->reason == BT_REASON_OK && take_codecs(self) != NULL &&
           try_decoder(self, bt_codecs_loaded()->decoder, fd);
}

static void
close_picture(Work *self)
{
    if (self->decode != NULL)
        self->decoder->close(self->decode);
}

/* Takes the header's figures into the outcome, and refuses a picture that is too large. */
static bool
check_size(Work *self)
{
    uint64_t limit = self->image->settings.max_pixels;
    bool is_preview = self->picture.photo_width > 0;
    int width = is_preview ? self->picture.photo_width : self->picture.width;
    int height = is_preview ? self->picture.photo_height : self->picture.height;

    self->outcome->n_pages = self->picture.n_pages;
    self->outcome->source_width = width;
    self->outcome->source_height = height;
    if ((uint64_t)width * (uint64_t)height > limit)
        return bt_outcome_fail(self->outcome, BT_REASON_TOO_LARGE,
                               "its header claims %d x %d pixels, over the limit of %.0f million",
                               width, height, (double)limit / 1e6);
    return true;
}

/* extra: bytes besides what every worker has and what the decoder holds. */
static bool
check_memory(Work *self, uint64_t extra)
{
    BtOutcome *outcome = self->outcome;
    g_autofree char *needed = NULL, *limit = NULL;

    outcome->memory = BASE_BYTES + self->picture.memory + extra;
    if (self->memory == 0 || outcome->memory <= self->memory)
        return true;
    needed = bt_human_bytes(outcome->memory);
    limit = bt_human_bytes(self->memory);
    return bt_outcome_fail(outcome, BT_REASON_HEAVY,
                           "it takes about %s of memory to decode, over the limit of %s", needed,
                           limit);
}

static bool
is_cancelled(const Work *self)
{
    const BtImageSettings *settings = &self->image->settings;

    return settings->cancelled != NULL && settings->cancelled(settings->user) &&
           !bt_outcome_fail(self->outcome, BT_REASON_CANCELLED, "stopped on request");
}

/* All of a picture, into the blur; or, where there is none, into nothing. */
static bool
decode(Work *self, const BtReduction *reduction, BtBlur *blur)
{
    BtOutcome *outcome = self->outcome;
    uint64_t before_ns;
    BtBand band;

    if (!self->decoder->begin(self->decode, reduction, &band, outcome) ||
        (blur != NULL && !bt_blur_start(blur, &self->job, &self->picture, &band, outcome)))
        return false;
    while (self->decoder->next(self->decode, &band, outcome)) {
        if (is_cancelled(self))
            return false;
        if (blur == NULL)
            continue;
        before_ns = bt_clock_now_ns();
        bt_blur_push(blur, &band);
        outcome->kernel_ns += bt_clock_now_ns() - before_ns;
    }
    if (blur == NULL || outcome->reason != BT_REASON_OK)
        return outcome->reason == BT_REASON_OK;
    before_ns = bt_clock_now_ns();
    if (!bt_blur_finish(blur, outcome))
        return false;
    outcome->kernel_ns += bt_clock_now_ns() - before_ns;
    return true;
}

/* The shrink, no more than a picture of few samples allows. */
static int
limit_shrink(const Work *self, int shrink)
{
    while (shrink > 1 && MIN(self->picture.width, self->picture.height) < SAMPLES_MIN * shrink)
        shrink /= 2;
    return shrink;
}

/* The size of a result. The kernel works on a picture as it is stored, so a box for an upright
 * result lies on its side where the picture does. */
static double
fit(const Work *self, int width, int height, int *out_width, int *out_height)
{
    const BtImageSettings *settings = &self->image->settings;
    bool on_side = self->picture.orientation >= 5;

    return bt_plan_fit(width, height, on_side ? settings->box_height : settings->box_width,
                       on_side ? settings->box_width : settings->box_height, out_width, out_height);
}

/* What is to become of the picture. Sigma counts px of the photo, also in a smaller preview. */
static BtReduction
plan(Work *self)
{
    const BtImageSettings *settings = &self->image->settings;
    const BtPicture *picture = &self->picture;
    int width = picture->width, height = picture->height;
    BtKernelPicture *out = &self->job.picture;
    double scale, sigma = settings->sigma;

    if (picture->photo_width > 0)
        sigma *= (double)MAX(width, height) / MAX(picture->photo_width, picture->photo_height);
    *out = (BtKernelPicture){
        .source_width = width, .source_height = height, .sigma = sigma, .linear = settings->linear};
    scale = fit(self, width, height, &out->out_width, &out->out_height);
    self->job.shrink = settings->exact ? 1 : limit_shrink(self, bt_plan_shrink(sigma, scale));
    scale = MAX((double)width / out->out_width, (double)height / out->out_height);
    return (BtReduction){.shrink = self->job.shrink,
                         .spread = MAX(sigma, scale / 2),
                         .pixels = settings->linear,
                         .n_threads = self->n_threads};
}

/* Whether the result is no larger than the preview that it is made of. */
static bool
check_preview(Work *self)
{
    const BtPicture *picture = &self->picture;
    int width, height;

    if (picture->photo_width == 0)
        return true;
    fit(self, picture->photo_width, picture->photo_height, &width, &height);
    return MAX(width, height) <= MAX(picture->width, picture->height) ||
           bt_outcome_fail(self->outcome, BT_REASON_PREVIEW,
                           "its largest preview has %d x %d pixels, too few for a result of "
                           "%d x %d: use a smaller --size",
                           picture->width, picture->height, width, height);
}

/* Bytes that the kernel and the result take. */
static uint64_t
result_memory(const BtBlurJob *job)
{
    uint64_t px = (uint64_t)job->picture.out_width * (uint64_t)job->picture.out_height;

    return px * RESULT_PIXEL_BYTES +
           (uint64_t)(job->picture.source_width / job->shrink) * ROW_PIXEL_BYTES;
}

/* What is to be done to the colours. */
static bool
prepare_colours(Work *self)
{
    const BtPicture *picture = &self->picture;
    BtColourShape shape = {picture->bands - picture->alpha, picture->deep, picture->alpha};
    BtColour *colour = self->image->colour;
    g_autoptr(GBytes) cmyk = NULL;

    if (memcmp(&picture->coding, &(BtCoding){0}, sizeof picture->coding) != 0 && !picture->cmyk)
        self->transforms = bt_colour_prepare_coded(colour, &picture->coding, &shape);
    else
        self->transforms =
            picture->profile != NULL &&
            bt_colour_prepare(colour, picture->profile, picture->profile_size, &shape);
    if (!picture->cmyk || self->transforms)
        return true;
    if ((cmyk = bt_codecs_loaded()->cmyk_profile()) == NULL ||
        !bt_colour_prepare(colour, g_bytes_get_data(cmyk, NULL), g_bytes_get_size(cmyk), &shape))
        return bt_outcome_fail(self->outcome, BT_REASON_BROKEN,
                               "its colours cannot be transformed");
    return self->transforms = true;
}

static int
quality_of(const Work *self)
{
    int quality = self->image->settings.quality[self->format];

    return quality > 0 ? quality : holds[self->format].quality;
}

/* Whether planes can go to the encoder as they are, chroma at half the size: there must be nothing
 * to do to colours, and no mirror that would pair up other columns or rows of an odd number. */
static bool
can_merge(const Work *self)
{
    const BtKernelPicture *out = &self->job.picture;
    bool even = out->out_width % 2 == 0 && out->out_height % 2 == 0;

    return self->format == BT_FORMAT_JPEG && !self->transforms &&
           bt_jpeg_halves_chroma(quality_of(self)) && (even || self->picture.orientation == 1);
}

/* To a small picture, as stored, in the source's colours; but where the blur is in linear light:
 * that works on sRGB. */
static bool
shrink_picture(Work *self)
{
    BtReduction reduction;

    if (!check_size(self) || !check_preview(self) || !prepare_colours(self))
        return false;
    reduction = plan(self);
    self->outcome->shrink = self->job.shrink;
    self->job.merges = can_merge(self);
    if (self->transforms && self->image->settings.linear) {
        self->job.before = self->image->colour;
        self->transforms = false;
    }
    if (!check_memory(self, result_memory(&self->job)))
        return false;
    if (self->memory > 0 &&
        self->outcome->memory + (uint64_t)self->n_threads * THREAD_BYTES > self->memory)
        reduction.n_threads = 1;
    return decode(self, &reduction, self->image->blur);
}

static void
swap_rasters(BtRaster *one, BtRaster *other)
{
    BtRaster kept = *one;

    *one = *other;
    *other = kept;
}

/* The result in sRGB. */
static bool
transform_result(Work *self)
{
    BtRaster *from = &self->image->blur->result, *to = &self->image->blur->spare;
    const BtColour *colour = self->image->colour;

    if (!bt_raster_reshape(to, from->width, from->height, bt_colour_bands(colour), from->deep))
        return bt_outcome_fail(self->outcome, BT_REASON_MEMORY, "not enough memory for its result");
    to->alpha = from->alpha;
    bt_colour_apply(colour, from->pixels, to->pixels, bt_raster_pixels(from));
    swap_rasters(from, to);
    return true;
}

static bool
turn(Work *self, BtRaster *raster)
{
    BtRaster *spare = &self->image->blur->spare;

    if (!bt_raster_turn(raster, self->picture.orientation, spare))
        return bt_outcome_fail(self->outcome, BT_REASON_MEMORY, "not enough memory for its result");
    swap_rasters(raster, spare);
    return true;
}

static bool
make_thumbhash(const BtRaster *rasters, int n_rasters, BtOutcome *outcome)
{
    return bt_thumbhash_make(rasters, n_rasters, outcome->thumbhash) ||
           bt_outcome_fail(outcome, BT_REASON_MEMORY, "not enough memory for its thumbhash");
}

/* The result as a JPEG of so many px. */
static GBytes *
encode_small(const BtRaster *result, int side, BtOutcome *outcome)
{
    GBytes *bytes = NULL;
    BtRaster small = {0};
    int width, height;

    bt_plan_fit(result->width, result->height, side, side, &width, &height);
    if (!bt_raster_resize(result, width, height, &small))
        bt_outcome_fail(outcome, BT_REASON_MEMORY, "not enough memory for its preview");
    else {
        bt_raster_flatten(&small);
        bytes = bt_jpeg_write(&small, PREVIEW_QUALITY, &(BtMetadata){0}, outcome);
    }
    bt_raster_clear(&small);
    return bytes;
}

static bool
make_preview(const BtRaster *result, BtOutcome *outcome)
{
    for (int side = PREVIEW_SIDE; outcome->preview_bytes == 0; side /= 2) {
        g_autoptr(GBytes) bytes = encode_small(result, side, outcome);
        size_t size;
        const void *data = bytes != NULL ? g_bytes_get_data(bytes, &size) : NULL;

        if (data == NULL)
            return false;
        if (size > BT_PREVIEW_BYTES_MAX)
            continue;
        memcpy(outcome->preview, data, size);
        outcome->preview_bytes = (uint32_t)size;
    }
    return true;
}

static GBytes *
encode_planes(Work *self, const BtMetadata *metadata)
{
    const BtRaster *planes = self->image->blur->planes;

    return make_thumbhash(planes, BT_PLANES_MAX, self->outcome)
               ? bt_jpeg_write_planes(planes, quality_of(self), metadata, self->outcome)
               : NULL;
}

static GBytes *
encode_pixels(Work *self, const BtMetadata *metadata)
{
    BtRaster *result = &self->image->blur->result;
    BtFormat format = self->format;

    if (!holds[format].alpha)
        bt_raster_flatten(result);
    if (!holds[format].deep)
        bt_raster_to_8_bits(result);
    if (!make_thumbhash(result, 1, self->outcome) ||
        (self->image->settings.previews && !bt_format_is_shown(format) &&
         !make_preview(result, self->outcome)))
        return NULL;
    if (format == BT_FORMAT_JPEG)
        return bt_jpeg_write(result, quality_of(self), metadata, self->outcome);
#ifdef BT_WITH_ISAL
    if (format == BT_FORMAT_PNG)
        return bt_png_write(result, metadata, self->outcome);
#endif
    return bt_codecs_loaded()->encode(result, format, quality_of(self), metadata, self->outcome);
}

/* The small picture upright and in sRGB, as the bytes of a file. */
static GBytes *
encode(Work *self)
{
    BtBlur *blur = self->image->blur;
    BtRaster *rasters = blur->merged ? blur->planes : &blur->result;
    BtStrip strip = self->image->settings.strip;
    g_auto(BtMetadata) metadata = {0};

    self->outcome->format = self->format;
    if (self->transforms && !transform_result(self))
        return NULL;
    for (int i = 0; i < (blur->merged ? BT_PLANES_MAX : 1); i++)
        if (self->picture.orientation > 1 && !turn(self, &rasters[i]))
            return NULL;
    self->outcome->out_width = rasters->width;
    self->outcome->out_height = rasters->height;
    self->decoder->metadata(self->decode, &metadata);
    self->outcome->left_out = bt_metadata_left_out(&metadata);
    bt_metadata_clean(&metadata, strip, self->transforms || self->job.before != NULL);
    return blur->merged ? encode_planes(self, &metadata) : encode_pixels(self, &metadata);
}

static bool
fail_write(int errnum, BtOutcome *outcome)
{
    return bt_outcome_fail(outcome, BT_REASON_WRITE, "the result cannot be written: %s",
                           g_strerror(errnum));
}

/* Replaces whatever the file held, which may be what a worker left that died. */
static bool
write_bytes(int fd, GBytes *whole, BtOutcome *outcome)
{
    size_t size, done = 0;
    const char *bytes = g_bytes_get_data(whole, &size);

    if (ftruncate(fd, 0) != 0)
        return fail_write(errno, outcome);
    while (done < size) {
        ssize_t n = pwrite(fd, bytes + done, size - done, (off_t)done);

        if (n < 0 && errno != EINTR)
            return fail_write(errno, outcome);
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static void
make_result(Work *self, BtFormat format, int out_fd)
{
    uint64_t start_ns = bt_clock_now_ns();
    g_autoptr(GBytes) bytes = NULL;

    self->format = format != BT_FORMAT_NONE ? format
                   : self->picture.alpha    ? BT_FORMAT_PNG
                                            : BT_FORMAT_JPEG;
    if ((!is_written_here(self->format) && take_codecs(self) == NULL) || !shrink_picture(self))
        return;
    self->outcome->decode_ns += bt_clock_now_ns() - start_ns - self->outcome->kernel_ns;
    start_ns = bt_clock_now_ns();
    if ((bytes = encode(self)) != NULL)
        (void)write_bytes(out_fd, bytes, self->outcome);
    self->outcome->encode_ns = bt_clock_now_ns() - start_ns;
}

void
bt_image_process(BtImage *self, int in_fd, bool raw, int out_fd, BtFormat format, uint64_t memory,
                 int n_threads, BtOutcome *out_outcome)
{
    Work work = {.image = self,
                 .outcome = out_outcome,
                 .memory = memory,
                 .n_threads = n_threads,
                 .raw = raw};
    uint64_t start_ns = bt_clock_now_ns();

    memset(out_outcome, 0, sizeof *out_outcome);
    if (open_picture(&work, in_fd)) {
        out_outcome->decode_ns = bt_clock_now_ns() - start_ns;
        make_result(&work, format, out_fd);
    }
    close_picture(&work);
}

/* A result is what it seems to be: the size and the format that its bytes tell. */
static void
check_picture(Work *self)
{
    BtReduction reduction = {.spread = HUGE_VAL, .complete = true};

    reduction.shrink = limit_shrink(self, SHRINK_CHECK);
    if (!check_size(self) || !check_memory(self, 0) || !decode(self, &reduction, NULL))
        return;
    self->outcome->out_width = self->outcome->source_width;
    self->outcome->out_height = self->outcome->source_height;
    self->outcome->format = self->source;
}

void
bt_image_check(BtImage *self, int in_fd, uint64_t memory, BtOutcome *out_outcome)
{
    Work work = {.image = self, .outcome = out_outcome, .memory = memory};
    uint64_t start_ns = bt_clock_now_ns();

    memset(out_outcome, 0, sizeof *out_outcome);
    if (open_picture(&work, in_fd))
        check_picture(&work);
    close_picture(&work);
    out_outcome->decode_ns = bt_clock_now_ns() - start_ns;
}
