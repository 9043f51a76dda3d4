/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "image/image_state.h"

#define PIXEL_BYTES_MAX 8 /* 4 bands of 16 bits */

/* From a decoder's rows to the kernel's. */
typedef struct Sink {
    BtImage *image;
    BtOutcome *outcome;
    int in_width;
    uint8_t *srgb; /* room for a row; NULL: rows go in as they come */
} Sink;

static void
push(Sink *self, const uint8_t *rows, ptrdiff_t stride, int n_rows)
{
    BtKernel *kernel = self->image->kernels[0];

    if (self->srgb == NULL) {
        bt_kernel_push(kernel, rows, stride, n_rows);
        return;
    }
    for (int i = 0; i < n_rows; i++, rows += stride) {
        bt_colour_apply(self->image->colour, rows, self->srgb, (size_t)self->in_width);
        bt_kernel_push(kernel, self->srgb, 0, 1);
    }
}

static bool
take_rows(void *user, const void *rows, ptrdiff_t stride, int n_rows)
{
    Sink *self = user;
    uint64_t before_ns = bt_clock_now_ns();

    if (bt_image_is_cancelled(self->image, self->outcome))
        return false;
    push(self, rows, stride, n_rows);
    self->outcome->kernel_ns += bt_clock_now_ns() - before_ns;
    return true;
}

/* The picture that the kernel sees, of the rows as they come or transformed. */
static bool
start_kernel(BtImage *self, const BtDecodePicture *source, const BtImagePlan *plan, int bands,
             BtOutcome *outcome)
{
    BtKernelPicture picture = plan->picture;

    picture.in_width = source->in_width;
    picture.in_height = source->in_height;
    picture.pitch_x = source->pitch_x;
    picture.pitch_y = source->pitch_y;
    picture.box = MAX(1, plan->shrink / source->reduction);
    picture.bands = bands;
    picture.depth = source->deep ? BT_KERNEL_U16 : BT_KERNEL_U8;
    picture.alpha = source->alpha;
    picture.linear = self->settings.linear;
    if (!bt_raster_reshape(&self->result, picture.out_width, picture.out_height, bands,
                           source->deep) ||
        !bt_kernel_start(self->kernels[0], &picture, self->result.pixels,
                         (ptrdiff_t)bt_raster_size(&self->result) / picture.out_height))
        return bt_outcome_fail(outcome, BT_REASON_MEMORY,
                               "not enough memory for its %d x %d result", picture.out_width,
                               picture.out_height);
    self->result.alpha = source->alpha;
    return true;
}

/* The decoder's share of the shrink; but it averages gamma-encoded samples. */
static bool
shrink_source(const BtImage *self, BtRowSource *source, int shrink, BtOutcome *outcome)
{
    return self->settings.linear || source->codecs == NULL ||
           source->codecs->shrink(source->decode, shrink, &source->picture, outcome);
}

static bool
pull_rows(const BtRowSource *source, Sink *sink, BtOutcome *outcome)
{
    if (source->png != NULL)
        return bt_png_reader_rows(source->png, take_rows, sink, outcome);
    return source->codecs->rows(source->decode, take_rows, sink, outcome);
}

bool
bt_image_run_rows(BtImage *self, BtRowSource *source, const BtImagePlan *plan, BtOutcome *outcome)
{
    const BtDecodePicture *picture = &source->picture;
    bool early = self->settings.linear && self->transforms; /* to sRGB before the blur */
    g_autofree uint8_t *srgb = NULL;
    Sink sink = {.image = self, .outcome = outcome};
    uint64_t before_ns;

    if (!shrink_source(self, source, plan->shrink, outcome))
        return false;
    sink.in_width = picture->in_width;
    if (early)
        sink.srgb = srgb = g_malloc((size_t)picture->in_width * PIXEL_BYTES_MAX);
    if (!start_kernel(self, picture, plan, early ? bt_colour_bands(self->colour) : picture->bands,
                      outcome) ||
        !pull_rows(source, &sink, outcome))
        return false;
    self->transforms = self->transforms && !early;
    before_ns = bt_clock_now_ns();
    bt_kernel_finish(self->kernels[0]);
    outcome->kernel_ns += bt_clock_now_ns() - before_ns;
    return true;
}
