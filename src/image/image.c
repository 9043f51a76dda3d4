/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/human.h"
#include "image/blur.h"
#include "image/codecs.h"
#include "image/jpeg_decoder.h"
#ifdef BT_WITH_ISAL
#include "image/png.h"
#endif
#include "image/raw.h"
#include "image/result.h"
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
    int n_threads;
    BtFormat source; /* by its first bytes */
    const BtDecoder *decoder;
    BtDecode *decode;
    BtPicture picture;
    BtBlurJob job;
    BtResult result;
} Work;

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
        !bt_result_is_made_here(format != BT_FORMAT_NONE ? format : BT_FORMAT_PNG))
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
open_picture(Work *self, int fd, bool raw)
{
    char magic[BT_FORMAT_MAGIC_BYTES];
    ssize_t size = bt_fd_read_at(fd, magic, sizeof magic, 0);
    const BtDecoder *own;

    if (size < 0)
        return bt_outcome_fail(self->outcome, BT_REASON_BROKEN, "the file cannot be read: %s",
                               g_strerror(errno));
    if (size == 0)
        return bt_outcome_fail(self->outcome, BT_REASON_EMPTY, "the file is empty");
    self->source = format_of(magic, (size_t)size, raw);
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
    bool transforms;

    if (memcmp(&picture->coding, &(BtCoding){0}, sizeof picture->coding) != 0 && !picture->cmyk)
        transforms = bt_colour_prepare_coded(colour, &picture->coding, &shape);
    else
        transforms = picture->profile != NULL &&
                     bt_colour_prepare(colour, picture->profile, picture->profile_size, &shape);
    if (picture->cmyk && !transforms) {
        cmyk = bt_codecs_loaded()->cmyk_profile();
        transforms = cmyk != NULL && bt_colour_prepare(colour, g_bytes_get_data(cmyk, NULL),
                                                       g_bytes_get_size(cmyk), &shape);
    }
    self->result.colour = transforms ? colour : NULL;
    return transforms || !picture->cmyk ||
           bt_outcome_fail(self->outcome, BT_REASON_BROKEN, "its colours cannot be transformed");
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
    self->job.merges = bt_result_can_merge(&self->result, self->job.picture.out_width,
                                           self->job.picture.out_height);
    if (self->image->settings.linear)
        self->job.before = g_steal_pointer(&self->result.colour);
    if (!check_memory(self, result_memory(&self->job)))
        return false;
    if (self->memory > 0 &&
        self->outcome->memory + (uint64_t)self->n_threads * THREAD_BYTES > self->memory)
        reduction.n_threads = 1;
    return decode(self, &reduction, self->image->blur);
}

/* With as much of the source's metadata as the settings leave. */
static GBytes *
encode(Work *self)
{
    bool converted = self->result.colour != NULL || self->job.before != NULL;
    g_auto(BtMetadata) metadata = {0};

    self->decoder->metadata(self->decode, &metadata);
    self->outcome->left_out = bt_metadata_left_out(&metadata);
    bt_metadata_clean(&metadata, self->image->settings.strip, converted);
    return bt_result_encode(&self->result, self->image->blur, &metadata, self->outcome);
}

/* Replaces whatever the file held, which may be what a worker left that died. */
static bool
write_bytes(int fd, GBytes *whole, BtOutcome *outcome)
{
    size_t size, done = 0;
    const char *bytes = g_bytes_get_data(whole, &size);
    bool ok = ftruncate(fd, 0) == 0;

    while (ok && done < size) {
        ssize_t n = pwrite(fd, bytes + done, size - done, (off_t)done);

        ok = n >= 0 || errno == EINTR;
        done += (size_t)MAX(n, 0);
    }
    return ok || bt_outcome_fail(outcome, BT_REASON_WRITE, "the result cannot be written: %s",
                                 g_strerror(errno));
}

static void
make_result(Work *self, BtFormat format, int out_fd)
{
    const BtImageSettings *settings = &self->image->settings;
    uint64_t start_ns = bt_clock_now_ns();
    g_autoptr(GBytes) bytes = NULL;

    if (format == BT_FORMAT_NONE)
        format = self->picture.alpha ? BT_FORMAT_PNG : BT_FORMAT_JPEG;
    self->result = (BtResult){
        .format = format,
        .quality = settings->quality[format],
        .orientation = self->picture.orientation,
        .preview = settings->previews && !bt_format_is_shown(format),
    };
    if ((!bt_result_is_made_here(format) && take_codecs(self) == NULL) || !shrink_picture(self))
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
    Work work = {.image = self, .outcome = out_outcome, .memory = memory, .n_threads = n_threads};
    uint64_t start_ns = bt_clock_now_ns();

    memset(out_outcome, 0, sizeof *out_outcome);
    if (open_picture(&work, in_fd, raw)) {
        out_outcome->decode_ns = bt_clock_now_ns() - start_ns;
        make_result(&work, format, out_fd);
    }
    close_picture(&work);
}

void
bt_image_check(BtImage *self, int in_fd, uint64_t memory, BtOutcome *out_outcome)
{
    Work work = {.image = self, .outcome = out_outcome, .memory = memory};
    BtReduction reduction = {.spread = HUGE_VAL, .complete = true};
    uint64_t start_ns = bt_clock_now_ns();

    memset(out_outcome, 0, sizeof *out_outcome);
    if (open_picture(&work, in_fd, false)) {
        reduction.shrink = limit_shrink(&work, SHRINK_CHECK);
        if (check_size(&work) && check_memory(&work, 0) && decode(&work, &reduction, NULL)) {
            /* A result is what it seems to be: its bytes say its size and its format. */
            out_outcome->out_width = out_outcome->source_width;
            out_outcome->out_height = out_outcome->source_height;
            out_outcome->format = work.source;
        }
    }
    close_picture(&work);
    out_outcome->decode_ns = bt_clock_now_ns() - start_ns;
}
