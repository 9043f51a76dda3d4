/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/human.h"
#include "image/image_state.h"
#include "image/jpeg_writer.h"
#include "kernel/plan.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

/* Below this many samples a side every pixel counts, and shrinking saves nothing. */
#define SAMPLES_MIN 64

#define KEPT_BYTES (32 << 20)

/* Of a worker, whatever the picture: libraries, stacks of threads, what was freed and is kept. */
#define BASE_BYTES (UINT64_C(96) << 20)

/* Of the result, for each of its pixels: planes or bands of 16 bits, turned, in RGB, encoded. */
#define RESULT_PIXEL_BYTES 24

/* A row of the source goes through the kernel as floats, a strip of a few dozen at a time. */
#define ROW_PIXEL_BYTES 512

/* What a format can hold, and the quality that is its own. */
static const struct {
    int quality;
    bool deep; /* 16 bits */
    bool alpha;
} holds[BT_FORMAT_COUNT] = {
    [BT_FORMAT_JPEG] = {75, false, false}, [BT_FORMAT_PNG] = {0, true, true},
    [BT_FORMAT_WEBP] = {75, false, true},  [BT_FORMAT_TIFF] = {0, true, true},
    [BT_FORMAT_GIF] = {0, false, true},    [BT_FORMAT_AVIF] = {50, false, true},
    [BT_FORMAT_HEIC] = {50, false, true},  [BT_FORMAT_JXL] = {75, true, true},
    [BT_FORMAT_JP2] = {48, true, true},    [BT_FORMAT_PPM] = {0, true, false},
};

bool
bt_image_prepare(GError **error)
{
    return bt_codecs_load(error) != NULL;
}

bool
bt_image_is_prepared(void)
{
    return bt_codecs_loaded() != NULL;
}

const char *
bt_image_vips_version(void)
{
    return bt_codecs_loaded()->version();
}

bool
bt_image_can_write(BtFormat format, uint32_t allowed)
{
    if (format == BT_FORMAT_JPEG)
        return true;
    return (bt_format_is_trusted(format) || (allowed & (1u << format)) != 0) &&
           bt_codecs_loaded()->can_write(format);
}

static void
settle_codecs(BtImage *self)
{
    if (!self->settled && bt_codecs_loaded() != NULL) {
        bt_codecs_loaded()->settle(self->settings.allowed);
        self->settled = true;
    }
}

BtImage *
bt_image_new(const BtImageSettings *settings)
{
    BtImage *self = g_new0(BtImage, 1);

    self->settings = *settings;
    self->colour = bt_colour_new();
    for (int i = 0; i < BT_JPEG_PLANES_MAX; i++) {
        if ((self->kernels[i] = bt_kernel_new(settings->level)) == NULL) {
            bt_image_free(self);
            return NULL;
        }
    }
    /* One thread a process: few arenas hold fragmentation down at no cost in time. */
    mallopt(M_ARENA_MAX, 2);
    /* What one picture has freed the next one takes, without asking the system for new pages. */
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    settle_codecs(self);
    return self;
}

void
bt_image_free(BtImage *self)
{
    if (self == NULL)
        return;
    for (int i = 0; i < BT_JPEG_PLANES_MAX; i++) {
        bt_kernel_free(self->kernels[i]);
        bt_raster_clear(&self->planes[i]);
    }
    bt_raster_clear(&self->result);
    bt_raster_clear(&self->spare);
    bt_metadata_clear(&self->metadata);
    bt_colour_free(self->colour);
    g_free(self);
}

bool
bt_image_is_cancelled(const BtImage *self, BtOutcome *outcome)
{
    if (self->settings.cancelled == NULL || !self->settings.cancelled(self->settings.user))
        return false;
    bt_outcome_fail(outcome, BT_REASON_CANCELLED, "stopped on request");
    return true;
}

/* libvips, where it is there. */
static const BtCodecs *
take_codecs(BtImage *self, BtOutcome *outcome)
{
    const BtCodecs *codecs = bt_codecs_loaded();

    if (codecs == NULL)
        bt_outcome_fail(outcome, BT_REASON_UNPREPARED, "it needs libvips, which is not loaded");
    else
        settle_codecs(self);
    return codecs;
}

static bool
check_size(const BtImage *self, int width, int height, BtOutcome *outcome)
{
    outcome->source_width = width;
    outcome->source_height = height;
    if ((uint64_t)width * (uint64_t)height > self->settings.max_pixels)
        return bt_outcome_fail(outcome, BT_REASON_TOO_LARGE,
                               "its header claims %d x %d pixels, over the limit of %.0f million",
                               width, height, (double)self->settings.max_pixels / 1e6);
    return true;
}

/* The kernel works on the picture as it is stored, so a box for an upright result lies on its side
 * where the picture does. */
static BtImagePlan
plan_picture(const BtImageSettings *settings, int width, int height, int orientation)
{
    bool on_side = orientation >= 5;
    BtImagePlan plan = {
        .picture = {.source_width = width, .source_height = height, .sigma = settings->sigma}};
    double scale = bt_plan_fit(width, height, on_side ? settings->box_height : settings->box_width,
                               on_side ? settings->box_width : settings->box_height,
                               &plan.picture.out_width, &plan.picture.out_height);

    plan.shrink = settings->exact ? 1 : bt_plan_shrink(settings->sigma, scale);
    while (plan.shrink > 1 && MIN(width, height) < SAMPLES_MIN * plan.shrink)
        plan.shrink /= 2;
    return plan;
}

/* held: what the decoder holds at once. */
static bool
check_memory(const BtImage *self, const BtImagePlan *plan, uint64_t held, BtOutcome *outcome)
{
    const BtKernelPicture *picture = &plan->picture;
    uint64_t result = (uint64_t)picture->out_width * (uint64_t)picture->out_height;
    g_autofree char *needed = NULL, *limit = NULL;

    outcome->memory = BASE_BYTES + held + result * RESULT_PIXEL_BYTES +
                      (uint64_t)(picture->source_width / plan->shrink) * ROW_PIXEL_BYTES;
    if (self->memory == 0 || outcome->memory <= self->memory)
        return true;
    needed = bt_human_bytes(outcome->memory);
    limit = bt_human_bytes(self->memory);
    return bt_outcome_fail(outcome, BT_REASON_HEAVY,
                           "it takes about %s of memory to decode, over the limit of %s", needed,
                           limit);
}

/* How far the result spreads a pixel, px. */
static double
spread_of(const BtImagePlan *plan)
{
    const BtKernelPicture *picture = &plan->picture;
    double scale = MAX((double)picture->source_width / picture->out_width,
                       (double)picture->source_height / picture->out_height);

    return MAX(picture->sigma, scale / 2);
}

static void
swap_rasters(BtRaster *one, BtRaster *other)
{
    BtRaster kept = *one;

    *one = *other;
    *other = kept;
}

static bool
fail_memory(BtOutcome *outcome)
{
    return bt_outcome_fail(outcome, BT_REASON_MEMORY, "not enough memory for its result");
}

/* self->result in sRGB. */
static bool
transform_result(BtImage *self, BtOutcome *outcome)
{
    const BtRaster *from = &self->result;

    if (!bt_raster_reshape(&self->spare, from->width, from->height, bt_colour_bands(self->colour),
                           from->deep))
        return fail_memory(outcome);
    self->spare.alpha = from->alpha;
    bt_colour_apply(self->colour, from->pixels, self->spare.pixels, bt_raster_pixels(from));
    swap_rasters(&self->result, &self->spare);
    return true;
}

static bool
turn(BtImage *self, BtRaster *raster, int orientation, BtOutcome *outcome)
{
    if (!bt_raster_turn(raster, orientation, &self->spare))
        return fail_memory(outcome);
    swap_rasters(raster, &self->spare);
    return true;
}

static int
quality_of(const BtImage *self, BtFormat format)
{
    int quality = self->settings.quality[format];

    return quality > 0 ? quality : holds[format].quality;
}

static GBytes *
encode_result(BtImage *self, BtFormat format, BtOutcome *outcome)
{
    if (!holds[format].alpha)
        bt_raster_flatten(&self->result);
    if (!holds[format].deep)
        bt_raster_to_8_bits(&self->result);
    if (format == BT_FORMAT_JPEG)
        return bt_jpeg_write(&self->result, quality_of(self, format), &self->metadata, outcome);
    return bt_codecs_loaded()->encode(&self->result, format, quality_of(self, format),
                                      &self->metadata, outcome);
}

/* From what bt_image_run_rows() or bt_image_run_planes() has left, to the bytes of a file. */
static GBytes *
finish(BtImage *self, bool merged, int orientation, BtFormat format, BtOutcome *outcome)
{
    BtRaster *rasters = merged ? self->planes : &self->result;
    int n = merged ? BT_JPEG_PLANES_MAX : 1;
    uint64_t before_ns = bt_clock_now_ns();
    GBytes *bytes;

    outcome->format = format;
    if (self->transforms && !transform_result(self, outcome))
        return NULL;
    for (int i = 0; i < n && orientation > 1; i++)
        if (!turn(self, &rasters[i], orientation, outcome))
            return NULL;
    outcome->out_width = rasters->width;
    outcome->out_height = rasters->height;
    bt_metadata_clean(&self->metadata, self->settings.strip);
    bytes = merged
                ? bt_jpeg_write_planes(rasters, quality_of(self, format), &self->metadata, outcome)
                : encode_result(self, format, outcome);
    outcome->encode_ns = bt_clock_now_ns() - before_ns;
    return bytes;
}

/* Whether planes can go to the encoder as they are, chroma at half the size: there must be nothing
 * to do to colours, and no mirror that would pair up other columns or rows of an odd number. */
static bool
can_merge(const BtImage *self, const BtJpegReader *reader, const BtImagePlan *plan, BtFormat format)
{
    bool even = plan->picture.out_width % 2 == 0 && plan->picture.out_height % 2 == 0;

    return format == BT_FORMAT_JPEG && reader->ycc && !self->transforms &&
           bt_jpeg_halves_chroma(quality_of(self, format)) && (even || reader->orientation == 1);
}

/* A JPEG that was opened: through its planes where that is possible (*out_possible). */
static GBytes *
process_planes(BtImage *self, BtJpegReader *reader, BtFormat format, bool *out_possible,
               BtOutcome *outcome)
{
    const BtJpegFrame *frame = &reader->frame;
    BtColourShape shape = {.colours = frame->n_components};
    BtImagePlan plan =
        plan_picture(&self->settings, frame->width, frame->height, reader->orientation);
    int reduction = bt_jpeg_reduction(frame, plan.shrink, spread_of(&plan));
    bool merged;

    *out_possible = reduction > 1 && !self->settings.linear;
    if (!*out_possible)
        return NULL;
    self->transforms = reader->profile != NULL && bt_colour_prepare(self->colour, reader->profile,
                                                                    reader->profile_size, &shape);
    merged = can_merge(self, reader, &plan, format);
    outcome->shrink = plan.shrink;
    if (!check_memory(self, &plan, bt_jpeg_memory(frame), outcome) ||
        !bt_image_run_planes(self, reader, &plan, reduction, merged, outcome))
        return NULL;
    if (self->settings.strip != BT_STRIP_ALL)
        bt_jpeg_reader_metadata(reader, &self->metadata);
    return finish(self, merged, reader->orientation, format, outcome);
}

/* What is to be done to the colours of a picture that comes in rows. */
static bool
prepare_colours(BtImage *self, const BtRowSource *source, BtOutcome *outcome)
{
    const BtDecodePicture *picture = &source->picture;
    BtColourShape shape = {picture->bands - picture->alpha, picture->deep, picture->alpha};
    g_autoptr(GBytes) cmyk = NULL;

    self->transforms = picture->profile != NULL && bt_colour_prepare(self->colour, picture->profile,
                                                                     picture->profile_size, &shape);
    if (!picture->cmyk || self->transforms)
        return true;
    if ((cmyk = source->codecs->cmyk_profile()) == NULL ||
        !bt_colour_prepare(self->colour, g_bytes_get_data(cmyk, NULL), g_bytes_get_size(cmyk),
                           &shape))
        return bt_outcome_fail(outcome, BT_REASON_BROKEN, "its colours cannot be transformed");
    return self->transforms = true;
}

static void
read_metadata(BtImage *self, const BtRowSource *source)
{
    if (source->png != NULL)
        bt_png_reader_metadata(source->png, &self->metadata);
    else
        source->codecs->metadata(source->decode, &self->metadata);
}

static GBytes *
process_rows(BtImage *self, BtRowSource *source, BtFormat format, BtOutcome *outcome)
{
    const BtDecodePicture *picture = &source->picture;
    BtImagePlan plan;

    if (format == BT_FORMAT_NONE)
        format = picture->alpha ? BT_FORMAT_PNG : BT_FORMAT_JPEG;
    if (!check_size(self, picture->width, picture->height, outcome) ||
        (format != BT_FORMAT_JPEG && take_codecs(self, outcome) == NULL) ||
        !prepare_colours(self, source, outcome))
        return NULL;
    plan = plan_picture(&self->settings, picture->width, picture->height, picture->orientation);
    outcome->shrink = plan.shrink;
    if (!check_memory(self, &plan, picture->memory, outcome) ||
        !bt_image_run_rows(self, source, &plan, outcome))
        return NULL;
    if (self->settings.strip != BT_STRIP_ALL)
        read_metadata(self, source);
    return finish(self, false, picture->orientation, format, outcome);
}

/* Any picture that libvips reads. */
static GBytes *
process_other(BtImage *self, int fd, BtFormat format, BtOutcome *outcome)
{
    BtRowSource source = {.codecs = take_codecs(self, outcome)};
    GBytes *bytes;

    if (source.codecs == NULL ||
        (source.decode = source.codecs->open(fd, &source.picture, outcome)) == NULL)
        return NULL;
    bytes = process_rows(self, &source, format, outcome);
    source.codecs->close(source.decode);
    return bytes;
}

static BtPngReader *
open_png(int fd, BtDecodePicture *out_picture, BtOutcome *outcome)
{
    BtPngReader *reader = bt_png_reader_new(fd, out_picture, outcome);

    if (reader != NULL || outcome->reason != BT_REASON_OK) {
        g_strlcpy(outcome->loader, "png", sizeof outcome->loader);
        outcome->n_pages = 1;
    }
    return reader;
}

static GBytes *
process_png(BtImage *self, int fd, BtFormat format, BtOutcome *outcome)
{
    BtRowSource source = {0};
    g_autoptr(BtPngReader) reader = open_png(fd, &source.picture, outcome);

    if (outcome->reason != BT_REASON_OK)
        return NULL;
    if (reader == NULL)
        return process_other(self, fd, format, outcome);
    source.png = reader;
    return process_rows(self, &source, format, outcome);
}

static GBytes *
process_jpeg(BtImage *self, int fd, BtFormat format, BtOutcome *outcome)
{
    g_autofree char *message = NULL;
    g_autoptr(BtJpegReader) reader = bt_jpeg_reader_new(fd, &message);
    bool possible;
    GBytes *bytes;

    g_strlcpy(outcome->loader, "jpeg", sizeof outcome->loader);
    outcome->n_pages = 1;
    if (reader == NULL) {
        bt_outcome_fail(outcome, BT_REASON_BROKEN, "its header cannot be read: %s", message);
        return NULL;
    }
    if (format == BT_FORMAT_NONE)
        format = BT_FORMAT_JPEG;
    if (!check_size(self, reader->frame.width, reader->frame.height, outcome) ||
        (format != BT_FORMAT_JPEG && take_codecs(self, outcome) == NULL))
        return NULL;
    bytes = process_planes(self, reader, format, &possible, outcome);
    return possible ? bytes : process_other(self, fd, format, outcome);
}

/* The format by the file's first bytes. False when there are none. */
static bool
read_magic(int fd, BtFormat *out_format, BtOutcome *outcome)
{
    char magic[BT_FORMAT_MAGIC_BYTES];
    ssize_t size = bt_fd_read_at(fd, magic, sizeof magic, 0);

    if (size < 0)
        return bt_outcome_fail(outcome, BT_REASON_BROKEN, "the file cannot be read: %s",
                               g_strerror(errno));
    if (size == 0)
        return bt_outcome_fail(outcome, BT_REASON_EMPTY, "the file is empty");
    *out_format = bt_format_of_bytes(magic, (size_t)size);
    return true;
}

static GBytes *
process(BtImage *self, int fd, BtFormat format, BtOutcome *outcome)
{
    BtFormat from = BT_FORMAT_NONE;

    if (!read_magic(fd, &from, outcome))
        return NULL;
    if (from == BT_FORMAT_JPEG)
        return process_jpeg(self, fd, format, outcome);
    if (from == BT_FORMAT_PNG)
        return process_png(self, fd, format, outcome);
    return process_other(self, fd, format, outcome);
}

/* A result is what it seems to be: the size and the format that its bytes tell. */
static void
pass_check(int width, int height, BtFormat format, BtOutcome *outcome)
{
    outcome->source_width = outcome->out_width = width;
    outcome->source_height = outcome->out_height = height;
    outcome->format = format;
}

/* By its planes, at an eighth: every byte is read, few samples are made. False where that is not
 * possible, and nothing is said. */
static bool
check_jpeg(int fd, BtOutcome *outcome)
{
    g_autofree char *message = NULL;
    g_autoptr(BtJpegReader) reader = bt_jpeg_reader_new(fd, &message);
    int reduction =
        reader != NULL ? bt_jpeg_reduction(&reader->frame, BT_JPEG_REDUCTION_MAX, G_MAXINT) : 0;

    if (reader != NULL && reduction < BT_JPEG_REDUCTION_MAX)
        return false;
    if (reader != NULL && bt_jpeg_reader_start(reader, reduction, 1, &message))
        while (bt_jpeg_reader_next(reader, &message))
            ;
    g_strlcpy(outcome->loader, "jpeg", sizeof outcome->loader);
    if (message != NULL)
        bt_outcome_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded: %s", message);
    else
        pass_check(reader->frame.width, reader->frame.height, BT_FORMAT_JPEG, outcome);
    return true;
}

static bool
drop_rows(void *user, const void *rows, ptrdiff_t stride, int n_rows)
{
    (void)user, (void)rows, (void)stride, (void)n_rows;
    return true;
}

/* False where it is of a kind that libvips reads, and nothing is said. */
static bool
check_png(BtImage *self, int fd, BtOutcome *outcome)
{
    BtDecodePicture picture;
    g_autoptr(BtPngReader) reader = open_png(fd, &picture, outcome);

    if (reader == NULL)
        return outcome->reason != BT_REASON_OK;
    if (check_size(self, picture.width, picture.height, outcome) &&
        bt_png_reader_rows(reader, drop_rows, NULL, outcome))
        pass_check(picture.width, picture.height, BT_FORMAT_PNG, outcome);
    return true;
}

static void
check_other(BtImage *self, int fd, BtFormat format, BtOutcome *outcome)
{
    const BtCodecs *codecs = take_codecs(self, outcome);
    BtDecodePicture source = {0};
    BtDecode *decode;

    if (codecs == NULL || (decode = codecs->open(fd, &source, outcome)) == NULL)
        return;
    if (check_size(self, source.width, source.height, outcome) &&
        codecs->rows(decode, drop_rows, NULL, outcome))
        pass_check(source.width, source.height, format, outcome);
    codecs->close(decode);
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

void
bt_image_process(BtImage *self, int in_fd, int out_fd, BtFormat format, uint64_t memory,
                 BtOutcome *out_outcome)
{
    uint64_t start_ns = bt_clock_now_ns(), made_ns;
    g_autoptr(GBytes) bytes = NULL;

    memset(out_outcome, 0, sizeof *out_outcome);
    self->memory = memory;
    bt_metadata_clear(&self->metadata);
    if ((bytes = process(self, in_fd, format, out_outcome)) == NULL)
        return;
    made_ns = bt_clock_now_ns();
    out_outcome->decode_ns = made_ns - start_ns - out_outcome->kernel_ns - out_outcome->encode_ns;
    (void)write_bytes(out_fd, bytes, out_outcome);
    out_outcome->encode_ns += bt_clock_now_ns() - made_ns;
}

void
bt_image_check(BtImage *self, int in_fd, uint64_t memory, BtOutcome *out_outcome)
{
    uint64_t start_ns = bt_clock_now_ns();
    BtFormat format = BT_FORMAT_NONE;

    memset(out_outcome, 0, sizeof *out_outcome);
    self->memory = memory;
    if (read_magic(in_fd, &format, out_outcome) &&
        !(format == BT_FORMAT_JPEG && check_jpeg(in_fd, out_outcome)) &&
        !(format == BT_FORMAT_PNG && check_png(self, in_fd, out_outcome)))
        check_other(self, in_fd, format, out_outcome);
    out_outcome->decode_ns = bt_clock_now_ns() - start_ns;
}
