/* SPDX-License-Identifier: MIT */
#include "image/blur.h"

#include <glib.h>
#include <math.h>

#define PIXEL_BYTES_MAX 8 /* 4 bands of 16 bits */

BtBlur *
bt_blur_new(const char *level)
{
    BtBlur *self = g_new0(BtBlur, 1);

    for (int i = 0; i < BT_PLANES_MAX; i++) {
        if ((self->kernels[i] = bt_kernel_new(level)) == NULL) {
            bt_blur_free(self);
            return NULL;
        }
    }
    return self;
}

void
bt_blur_free(BtBlur *self)
{
    if (self == NULL)
        return;
    for (int i = 0; i < BT_PLANES_MAX; i++) {
        bt_kernel_free(self->kernels[i]);
        bt_raster_clear(&self->planes[i]);
    }
    bt_raster_clear(&self->result);
    bt_raster_clear(&self->spare);
    g_free(self->row);
    g_free(self);
}

static bool
start_kernel(BtKernel *kernel, const BtKernelPicture *picture, BtRaster *result, BtOutcome *outcome)
{
    int merge_x = MAX(1, picture->merge_x), merge_y = MAX(1, picture->merge_y);

    if (!bt_raster_reshape(result, (picture->out_width + merge_x - 1) / merge_x,
                           (picture->out_height + merge_y - 1) / merge_y, picture->bands,
                           picture->depth == BT_KERNEL_U16 || picture->deep_result) ||
        !bt_kernel_start(kernel, picture, result->pixels,
                         (ptrdiff_t)bt_raster_size(result) / result->height))
        return bt_outcome_fail_memory(outcome);
    result->alpha = picture->alpha;
    return true;
}

/* What the kernel is told of a plane: the rest of the shrink is done by averaging. */
static BtKernelPicture
picture_of_plane(const BtBlurJob *job, const BtPlane *plane)
{
    BtKernelPicture picture = job->picture;

    picture.in_width = plane->width;
    picture.in_height = plane->height;
    picture.pitch_x = plane->pitch_x;
    picture.pitch_y = plane->pitch_y;
    picture.extra_x = plane->extra_x;
    picture.extra_y = plane->extra_y;
    picture.box = MAX(1, job->shrink / (int)lround(MAX(plane->pitch_x, plane->pitch_y)));
    picture.bands = plane->bands;
    picture.depth = BT_KERNEL_U8;
    return picture;
}

/* Planes that are to be joined keep 16 bits until then. */
static bool
start_planes(BtBlur *self, const BtBlurJob *job, const BtBand *band, BtOutcome *outcome)
{
    self->merged = job->merges && band->ycc;
    for (int i = 0; i < band->n_planes; i++) {
        BtKernelPicture picture = picture_of_plane(job, &band->planes[i]);

        picture.deep_result = !self->merged;
        picture.merge_x = picture.merge_y = self->merged && i > 0 ? 2 : 1;
        if (!start_kernel(self->kernels[i], &picture, &self->planes[i], outcome))
            return false;
    }
    return true;
}

static bool
start_pixels(BtBlur *self, const BtBlurJob *job, const BtPicture *source, const BtPlane *plane,
             BtOutcome *outcome)
{
    BtKernelPicture picture = picture_of_plane(job, plane);

    self->merged = false;
    picture.alpha = source->alpha;
    if (source->deep)
        picture.depth = BT_KERNEL_U16;
    if (self->before != NULL) {
        picture.bands = bt_colour_bands(self->before);
        self->row = g_try_malloc((size_t)plane->width * PIXEL_BYTES_MAX);
        if (self->row == NULL)
            return bt_outcome_fail_memory(outcome);
    }
    return start_kernel(self->kernels[0], &picture, &self->result, outcome);
}

bool
bt_blur_start(BtBlur *self, const BtBlurJob *job, const BtPicture *picture, const BtBand *band,
              BtOutcome *outcome)
{
    self->n_planes = band->n_planes;
    self->ycc = band->ycc;
    self->before = job->before;
    g_clear_pointer(&self->row, g_free);
    return band->n_planes > 1 ? start_planes(self, job, band, outcome)
                              : start_pixels(self, job, picture, &band->planes[0], outcome);
}

void
bt_blur_push(BtBlur *self, const BtBand *band)
{
    if (self->before != NULL) {
        const BtPlane *plane = &band->planes[0];

        for (int y = 0; y < plane->n_rows; y++) {
            bt_colour_apply(self->before, plane->rows + y * plane->stride, self->row,
                            (size_t)plane->width);
            bt_kernel_push(self->kernels[0], self->row, 0, 1);
        }
        return;
    }
    for (int i = 0; i < band->n_planes; i++)
        bt_kernel_push(self->kernels[i], band->planes[i].rows, band->planes[i].stride,
                       band->planes[i].n_rows);
}

/* Three planes of 16 bits, interleaved in 8. */
static bool
join_planes(BtBlur *self, BtOutcome *outcome)
{
    const uint16_t *planes[BT_PLANES_MAX];
    size_t n_px = bt_raster_pixels(&self->planes[0]);
    uint8_t *out;

    if (!bt_raster_reshape(&self->result, self->planes[0].width, self->planes[0].height,
                           BT_PLANES_MAX, false))
        return bt_outcome_fail_memory(outcome);
    out = self->result.pixels;
    for (int i = 0; i < BT_PLANES_MAX; i++)
        planes[i] = (const void *)self->planes[i].pixels;
    if (self->ycc) {
        bt_kernel_join_ycc(self->kernels[0], out, planes[0], planes[1], planes[2], n_px);
        return true;
    }
    for (size_t k = 0; k < n_px; k++)
        for (int i = 0; i < BT_PLANES_MAX; i++)
            *out++ = (uint8_t)((planes[i][k] + 128) / 257);
    return true;
}

bool
bt_blur_finish(BtBlur *self, BtOutcome *outcome)
{
    for (int i = 0; i < self->n_planes; i++)
        bt_kernel_finish(self->kernels[i]);
    g_clear_pointer(&self->row, g_free);
    return self->n_planes == 1 || self->merged || join_planes(self, outcome);
}
