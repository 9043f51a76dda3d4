/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "image/image_state.h"

/* Begins a plane's kernel. Its result has 16 bits where it is to be joined with the others. */
static bool
start_plane(BtImage *self, const BtJpegReader *reader, int i, const BtImagePlan *plan, bool merged,
            BtOutcome *outcome)
{
    const BtJpegPlane *plane = &reader->planes[i];
    BtKernelPicture picture = plan->picture;
    BtRaster *result = reader->n_planes == 1 ? &self->result : &self->planes[i];
    int merge = merged && i > 0 ? 2 : 1;

    picture.in_width = plane->width;
    picture.in_height = plane->height;
    picture.pitch_x = plane->pitch_x;
    picture.pitch_y = plane->pitch_y;
    picture.extra_x = plane->extra_x;
    picture.extra_y = plane->extra_y;
    picture.box = MAX(1, plan->shrink / (int)MAX(plane->pitch_x, plane->pitch_y));
    picture.bands = 1;
    picture.depth = BT_KERNEL_U8;
    picture.deep_result = reader->n_planes > 1 && !merged;
    picture.merge_x = picture.merge_y = merge;
    if (!bt_raster_reshape(result, (picture.out_width + merge - 1) / merge,
                           (picture.out_height + merge - 1) / merge, 1, picture.deep_result) ||
        !bt_kernel_start(self->kernels[i], &picture, result->pixels,
                         (ptrdiff_t)result->width * (picture.deep_result ? 2 : 1)))
        return bt_outcome_fail(outcome, BT_REASON_MEMORY,
                               "not enough memory for its %d x %d result", picture.out_width,
                               picture.out_height);
    return true;
}

static bool
push_planes(BtImage *self, BtJpegReader *reader, BtOutcome *outcome)
{
    g_autofree char *message = NULL;

    while (bt_jpeg_reader_next(reader, &message)) {
        uint64_t before_ns = bt_clock_now_ns();

        if (bt_image_is_cancelled(self, outcome))
            return false;
        for (int i = 0; i < reader->n_planes; i++)
            bt_kernel_push(self->kernels[i], reader->planes[i].rows, reader->planes[i].stride,
                           reader->planes[i].n_rows);
        outcome->kernel_ns += bt_clock_now_ns() - before_ns;
    }
    if (message != NULL)
        return bt_outcome_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded: %s", message);
    return true;
}

/* Three planes of 16 bits, interleaved in 8. */
static bool
join_planes(BtImage *self, bool ycc, BtOutcome *outcome)
{
    const uint16_t *planes[BT_JPEG_PLANES_MAX];
    size_t n_px = bt_raster_pixels(&self->planes[0]);
    uint8_t *out;

    if (!bt_raster_reshape(&self->result, self->planes[0].width, self->planes[0].height,
                           BT_JPEG_PLANES_MAX, false))
        return bt_outcome_fail(outcome, BT_REASON_MEMORY, "not enough memory for its result");
    out = self->result.pixels;
    for (int i = 0; i < BT_JPEG_PLANES_MAX; i++)
        planes[i] = (const void *)self->planes[i].pixels;
    if (ycc) {
        bt_kernel_join_ycc(self->kernels[0], out, planes[0], planes[1], planes[2], n_px);
        return true;
    }
    for (size_t k = 0; k < n_px; k++)
        for (int i = 0; i < BT_JPEG_PLANES_MAX; i++)
            *out++ = (uint8_t)((planes[i][k] + 128) / 257);
    return true;
}

bool
bt_image_run_planes(BtImage *self, BtJpegReader *reader, const BtImagePlan *plan, int reduction,
                    bool merged, BtOutcome *outcome)
{
    g_autofree char *message = NULL;
    uint64_t before_ns;

    if (!bt_jpeg_reader_start(reader, reduction, plan->shrink, &message))
        return bt_outcome_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded: %s", message);
    for (int i = 0; i < reader->n_planes; i++)
        if (!start_plane(self, reader, i, plan, merged, outcome))
            return false;
    if (!push_planes(self, reader, outcome))
        return false;
    before_ns = bt_clock_now_ns();
    for (int i = 0; i < reader->n_planes; i++)
        bt_kernel_finish(self->kernels[i]);
    if (reader->n_planes > 1 && !merged && !join_planes(self, reader->ycc, outcome))
        return false;
    outcome->kernel_ns += bt_clock_now_ns() - before_ns;
    return true;
}
