/* SPDX-License-Identifier: MIT */
#include "image/image.h"

#include "base/clock.h"
#include "image/colour.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/owned.h"
#include "image/planes.h"
#include "kernel/kernel.h"
#include "kernel/plan.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>
#include <vips/vector.h>
#include <vips/vips.h>

/* Below this many samples a side every pixel counts, and shrinking saves nothing. */
#define SAMPLES_MIN 64

#define KEPT_BYTES (32 << 20)

/* Kept between pictures: fresh pages cost more than the kernel. */
typedef struct Buffer {
    void *data;
    size_t size;
} Buffer;

struct BtImage {
    BtImageSettings settings;
    BtKernel *kernels[BT_PLANES_MAX]; /* the first alone for interleaved pictures */
    Buffer planes[BT_PLANES_MAX];
    Buffer result;
};

/* libvips' class of a decoder that is blocked until it is allowed. */
static const char *const untrusted_loaders[BT_FORMAT_COUNT] = {
    [BT_FORMAT_JXL] = "VipsForeignLoadJxl",    [BT_FORMAT_JP2] = "VipsForeignLoadJp2k",
    [BT_FORMAT_PPM] = "VipsForeignLoadPpm",    [BT_FORMAT_SVG] = "VipsForeignLoadSvg",
    [BT_FORMAT_BMP] = "VipsForeignLoadMagick",
};

bool
bt_image_init(const char *program, GError **error)
{
    g_unsetenv("VIPS_MAX_THREADS");
    if (VIPS_INIT(program) != 0)
        return bt_error_set(error, BT_ERROR_FAILED, "libvips does not start: %s",
                            vips_error_buffer());
    return true;
}

const char *
bt_image_vips_version(void)
{
    static char text[32];

    g_snprintf(text, sizeof text, "%d.%d.%d", vips_version(0), vips_version(1), vips_version(2));
    return text;
}

static bool
is_open(BtFormat format, uint32_t allowed)
{
    return bt_format_is_trusted(format) || (allowed & (1u << format)) != 0;
}

bool
bt_image_can_write(BtFormat format, uint32_t allowed)
{
    const char *operation = bt_encode_operation(format);

    return operation != NULL && is_open(format, allowed) &&
           vips_type_find("VipsForeignSave", operation) != 0;
}

/* Decoders warn about what the outcome says anyway, in words that hold bytes of the file. */
static void
drop_message(const char *domain, GLogLevelFlags level, const char *message, void *user)
{
    (void)domain, (void)level, (void)message, (void)user;
}

BtImage *
bt_image_new(const BtImageSettings *settings)
{
    BtImage *self = g_new0(BtImage, 1);

    self->settings = *settings;
    for (int i = 0; i < BT_PLANES_MAX; i++) {
        if ((self->kernels[i] = bt_kernel_new(settings->level)) == NULL) {
            bt_image_free(self);
            return NULL;
        }
    }
    /* One thread a process: few arenas hold fragmentation down at no cost in time. */
    mallopt(M_ARENA_MAX, 2);
    /* And what one picture has freed the next one takes, without asking the system for new pages.
     */
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    g_log_set_handler("VIPS", G_LOG_LEVEL_MASK, drop_message, NULL);
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    /* Orc needs executable memory and a file, and nothing here gains by it. */
    vips_vector_set_enabled(FALSE);
    vips_block_untrusted_set(TRUE);
    for (int i = 0; i < BT_FORMAT_COUNT; i++)
        if (untrusted_loaders[i] != NULL && (settings->allowed & (1u << i)) != 0)
            vips_operation_block_set(untrusted_loaders[i], FALSE);
    if ((settings->allowed & (1u << BT_FORMAT_JXL)) != 0)
        vips_operation_block_set("VipsForeignSaveJxl", FALSE);
    return self;
}

void
bt_image_free(BtImage *self)
{
    if (self == NULL)
        return;
    for (int i = 0; i < BT_PLANES_MAX; i++) {
        bt_kernel_free(self->kernels[i]);
        g_free(self->planes[i].data);
    }
    g_free(self->result.data);
    g_free(self);
}

/* The kernel works on the picture as it is stored, so a box for an upright result lies on its side
 * where the picture does. */
static void
plan_picture(const BtDecode *decode, const BtImageSettings *settings, BtKernelPicture *out_picture,
             int *out_shrink)
{
    bool on_side = decode->orientation >= 5;
    double scale = bt_plan_fit(decode->width, decode->height,
                               on_side ? settings->box_height : settings->box_width,
                               on_side ? settings->box_width : settings->box_height,
                               &out_picture->out_width, &out_picture->out_height);

    *out_shrink = settings->exact ? 1 : bt_plan_shrink(settings->sigma, scale);
    while (*out_shrink > 1 && MIN(decode->width, decode->height) < SAMPLES_MIN * *out_shrink)
        *out_shrink /= 2;
    out_picture->source_width = decode->width;
    out_picture->source_height = decode->height;
    out_picture->sigma = settings->sigma;
}

static bool
reserve(Buffer *self, size_t size)
{
    if (size <= self->size)
        return true;
    g_free(self->data);
    self->data = g_try_malloc(size);
    self->size = self->data != NULL ? size : 0;
    return self->data != NULL;
}

/* Begins a picture whose result goes to `buffer`, without gaps. */
static bool
start_kernel(BtKernel *kernel, const BtKernelPicture *picture, Buffer *buffer, BtOutcome *outcome)
{
    size_t stride = (size_t)picture->out_width * (size_t)picture->bands * picture->depth;

    if (!reserve(buffer, stride * (size_t)picture->out_height) ||
        !bt_kernel_start(kernel, picture, buffer->data, (ptrdiff_t)stride))
        return bt_decode_fail(outcome, BT_REASON_MEMORY, "not enough memory for its %d x %d result",
                              picture->out_width, picture->out_height);
    return true;
}

/* Interleaved rows from libvips. */
static bool
run_rows(BtImage *self, BtDecode *decode, BtKernelPicture *picture, BtOutcome *outcome)
{
    if (!bt_decode_shrink(decode, &self->settings, outcome->shrink, outcome))
        return false;
    picture->in_width = decode->image->Xsize;
    picture->in_height = decode->image->Ysize;
    picture->pitch_x = decode->pitch_x;
    picture->pitch_y = decode->pitch_y;
    picture->box = MAX(1, outcome->shrink / decode->reduction);
    picture->bands = decode->image->Bands;
    picture->depth = decode->image->BandFmt == VIPS_FORMAT_USHORT ? BT_KERNEL_U16 : BT_KERNEL_U8;
    picture->alpha = vips_image_hasalpha(decode->image);
    picture->linear = self->settings.linear;
    if (!start_kernel(self->kernels[0], picture, &self->result, outcome) ||
        !bt_decode_rows(decode, &self->settings, self->kernels[0], outcome))
        return false;
    bt_kernel_finish(self->kernels[0]);
    return true;
}

static bool
start_planes(BtImage *self, const BtPlanes *planes, const BtKernelPicture *whole,
             BtOutcome *outcome)
{
    for (int i = 0; i < planes->n; i++) {
        const BtPlane *plane = &planes->planes[i];
        BtKernelPicture picture = *whole;

        picture.in_width = plane->width;
        picture.in_height = plane->height;
        picture.pitch_x = plane->pitch_x;
        picture.pitch_y = plane->pitch_y;
        picture.extra_x = plane->extra_x;
        picture.extra_y = plane->extra_y;
        picture.box = MAX(1, outcome->shrink / (int)MAX(plane->pitch_x, plane->pitch_y));
        picture.bands = 1;
        picture.depth = BT_KERNEL_U16;
        if (!start_kernel(self->kernels[i], &picture, &self->planes[i], outcome))
            return false;
    }
    return true;
}

static bool
push_planes(BtImage *self, BtPlanes *planes, BtOutcome *outcome)
{
    const BtImageSettings *settings = &self->settings;
    g_autofree char *message = NULL;

    while (bt_planes_next(planes, &message)) {
        uint64_t before_ns = bt_clock_now_ns();

        if (settings->cancelled != NULL && settings->cancelled(settings->user))
            return bt_decode_fail(outcome, BT_REASON_CANCELLED, "stopped on request");
        for (int i = 0; i < planes->n; i++)
            bt_kernel_push(self->kernels[i], planes->planes[i].rows, planes->planes[i].stride,
                           planes->planes[i].n_rows);
        outcome->kernel_ns += bt_clock_now_ns() - before_ns;
    }
    if (message != NULL)
        return bt_decode_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded: %s", message);
    return true;
}

/* What became of the planes, interleaved in 8 bits. */
static void
join_planes(BtImage *self, const BtPlanes *planes, size_t n_px)
{
    const uint16_t *results[BT_PLANES_MAX];
    uint8_t *out = self->result.data;

    for (int i = 0; i < planes->n; i++)
        results[i] = self->planes[i].data;
    if (planes->ycc) {
        bt_kernel_join_ycc(self->kernels[0], out, results[0], results[1], results[2], n_px);
        return;
    }
    for (size_t k = 0; k < n_px; k++)
        for (int i = 0; i < planes->n; i++)
            *out++ = (uint8_t)((results[i][k] + 128) / 257);
}

/* A JPEG by its planes: each through a kernel of its own, then joined. */
static bool
run_planes(BtImage *self, BtPlanes *planes, BtKernelPicture *picture, BtOutcome *outcome)
{
    size_t n_px = (size_t)picture->out_width * (size_t)picture->out_height;

    picture->bands = planes->n;
    picture->depth = BT_KERNEL_U8;
    if (!reserve(&self->result, n_px * (size_t)planes->n))
        return bt_decode_fail(outcome, BT_REASON_MEMORY, "not enough memory for its result");
    if (!start_planes(self, planes, picture, outcome) || !push_planes(self, planes, outcome))
        return false;
    for (int i = 0; i < planes->n; i++)
        bt_kernel_finish(self->kernels[i]);
    join_planes(self, planes, n_px);
    return true;
}

static double
spread_of(const BtImage *self, const BtKernelPicture *picture)
{
    double scale = MAX((double)picture->source_width / picture->out_width,
                       (double)picture->source_height / picture->out_height);

    return MAX(self->settings.sigma, scale / 2);
}

/* Decodes and blurs: the result is in self->result, as stored, in the source's colours. */
static bool
run_kernel(BtImage *self, BtDecode *decode, BtKernelPicture *picture, BtOutcome *outcome)
{
    g_autofree char *message = NULL;
    BtPlanes *planes;
    BtJpegFrame frame;
    const void *bytes;
    size_t size;
    int reduction = 1;
    bool ok;

    plan_picture(decode, &self->settings, picture, &outcome->shrink);
    if (outcome->shrink > 1 && !self->settings.linear &&
        (bytes = bt_decode_jpeg(decode, &frame, &size)) != NULL)
        reduction = bt_planes_reduction(&frame, outcome->shrink, spread_of(self, picture));
    if (reduction == 1)
        return run_rows(self, decode, picture, outcome);
    if ((planes = bt_planes_new(bytes, size, reduction, outcome->shrink, &message)) == NULL)
        return bt_decode_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded: %s", message);
    ok = run_planes(self, planes, picture, outcome);
    bt_planes_free(planes);
    return ok;
}

/* The kernel's result as an image with the source's space, profile and orientation, then upright
 * and in sRGB. */
static bool
finish_result(BtImage *self, const BtDecode *decode, const BtKernelPicture *picture,
              VipsImage **out, BtOutcome *outcome)
{
    BT_OWNED VipsImage *memory = NULL, *image = NULL, *upright = NULL;
    const void *profile;
    size_t size;

    memory = vips_image_new_from_memory(
        self->result.data, self->result.size, picture->out_width, picture->out_height,
        picture->bands, picture->depth == BT_KERNEL_U16 ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR);
    if (memory == NULL ||
        vips_copy(memory, &image, "interpretation", decode->image->Type, NULL) != 0)
        return bt_decode_fail(outcome, BT_REASON_MEMORY, "its result cannot be held");
    if (vips_image_get_typeof(decode->image, VIPS_META_ICC_NAME) != 0 &&
        vips_image_get_blob(decode->image, VIPS_META_ICC_NAME, &profile, &size) == 0)
        vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, profile, size);
    vips_image_set_int(image, VIPS_META_ORIENTATION, decode->orientation);
    if (vips_autorot(image, &upright, NULL) != 0 || !bt_colour_to_srgb(upright, out))
        return bt_decode_fail(outcome, BT_REASON_BROKEN, "its colours cannot be transformed");
    outcome->out_width = (*out)->Xsize;
    outcome->out_height = (*out)->Ysize;
    return true;
}

/* Replaces whatever the file held, which may be what a worker left that died. */
static bool
write_result(int fd, VipsBlob *blob, BtOutcome *outcome)
{
    size_t size, done = 0;
    const char *bytes = vips_blob_get(blob, &size);

    if (ftruncate(fd, 0) != 0)
        return bt_decode_fail(outcome, BT_REASON_WRITE, "the result cannot be written: %s",
                              g_strerror(errno));
    while (done < size) {
        ssize_t n = pwrite(fd, bytes + done, size - done, (off_t)done);

        if (n < 0 && errno != EINTR)
            return bt_decode_fail(outcome, BT_REASON_WRITE, "the result cannot be written: %s",
                                  g_strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool
process(BtImage *self, BtDecode *decode, int in_fd, int out_fd, BtFormat format, BtOutcome *outcome)
{
    BT_OWNED VipsImage *result = NULL;
    BT_OWNED_AREA VipsBlob *blob = NULL;
    BtKernelPicture picture = {0};
    uint64_t start_ns = bt_clock_now_ns(), decoded_ns;

    if (!bt_decode_open(decode, &self->settings, in_fd, outcome) ||
        !run_kernel(self, decode, &picture, outcome))
        return false;
    decoded_ns = bt_clock_now_ns();
    outcome->decode_ns = decoded_ns - start_ns - outcome->kernel_ns;
    if (format == BT_FORMAT_NONE)
        format = picture.alpha ? BT_FORMAT_PNG : BT_FORMAT_JPEG;
    outcome->format = format;
    if (!finish_result(self, decode, &picture, &result, outcome))
        return false;
    if ((blob = bt_encode(result, format, self->settings.quality)) == NULL)
        return bt_decode_fail(outcome, BT_REASON_ENCODE, "the result cannot be made into %s",
                              bt_format_name(format));
    if (!write_result(out_fd, blob, outcome))
        return false;
    outcome->encode_ns = bt_clock_now_ns() - decoded_ns;
    return true;
}

void
bt_image_process(BtImage *self, int in_fd, int out_fd, BtFormat format, BtOutcome *out_outcome)
{
    BtDecode decode = {0};

    memset(out_outcome, 0, sizeof *out_outcome);
    vips_error_clear();
    (void)process(self, &decode, in_fd, out_fd, format, out_outcome);
    bt_decode_clear(&decode);
    vips_error_clear();
}
