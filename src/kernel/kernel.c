/* SPDX-License-Identifier: MIT */
#include "kernel/kernel.h"

#include "kernel/curve.h"
#include "kernel/ops.h"
#include "kernel/plan.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STRIP BT_KERNEL_STRIP
#define BLOCK BT_KERNEL_BLOCK

#define SUMS 2048 /* samples of a row that are handled at a time, or a single box */

/* Memory that is kept from picture to picture and only grows; holds zeros when new, so that what a
 * block has beyond a picture is finite. */
typedef struct Buffer {
    void *data;
    size_t size_bytes;
} Buffer;

/* The weights of one axis, and what they were made for. */
typedef struct Plan {
    BtAxis axis;
    double sigma;
    BtWeights weights;
} Plan;

struct BtKernel {
    const BtKernelOps *ops;
    BtKernelPicture picture;
    Plan across, down;
    BtCurve curve; /* once a picture asked for linear light */

    Buffer values; /* of a piece of a row, where there is alpha */
    Buffer sum;    /* [in_width * bands] of the boxes that are being filled */
    Buffer ring;   /* [n_ring][row_floats]: the last shrunk rows */
    Buffer window; /* pointers to the shrunk rows of one strip, in order */
    Buffer strip;
    int n_ring;
    size_t row_floats; /* whole blocks */

    unsigned char *result;
    ptrdiff_t result_stride;
    int n_pushed;  /* rows so far */
    int n_in_box;  /* of which in the boxes that are being filled */
    int n_ready;   /* shrunk rows so far */
    int n_written; /* rows of the result so far */

    _Alignas(64) float block[STRIP * BLOCK];
    _Alignas(64) float columns[BLOCK * STRIP];
    _Alignas(64) unsigned char pixels[STRIP * BLOCK * BT_KERNEL_U16];
};

static bool
buffer_reserve(Buffer *self, size_t size_bytes)
{
    size_t rounded = (size_bytes + 63) / 64 * 64;

    if (rounded <= self->size_bytes)
        return true;
    free(self->data);
    *self = (Buffer){.data = aligned_alloc(64, rounded)};
    if (self->data == NULL)
        return false;
    memset(self->data, 0, rounded);
    self->size_bytes = rounded;
    return true;
}

static int
least(int a, int b)
{
    return a < b ? a : b;
}

static int
count_boxes(int samples, int box)
{
    return (samples - 1) / box + 1;
}

BtKernel *
bt_kernel_new(const char *level)
{
    BtKernel *self = aligned_alloc(64, sizeof *self);

    if (self == NULL)
        return NULL;
    memset(self, 0, sizeof *self);
    self->ops = bt_kernel_ops(level);
    return self;
}

void
bt_kernel_free(BtKernel *self)
{
    if (self == NULL)
        return;
    bt_weights_clear(&self->across.weights);
    bt_weights_clear(&self->down.weights);
    bt_curve_clear(&self->curve);
    free(self->values.data);
    free(self->sum.data);
    free(self->ring.data);
    free(self->window.data);
    free(self->strip.data);
    free(self);
}

static bool
is_within_bounds(const BtKernelPicture *picture)
{
    return picture->out_width >= 1 && picture->out_width <= picture->source_width &&
           picture->out_height >= 1 && picture->out_height <= picture->source_height &&
           picture->in_width >= 1 && picture->in_height >= 1 && picture->box >= 1 &&
           picture->box <= BT_KERNEL_BOX_MAX && picture->pitch_x >= 1 &&
           picture->pitch_x <= INT_MAX && picture->pitch_y >= 1 && picture->pitch_y <= INT_MAX &&
           picture->bands >= 1 && picture->bands <= BT_KERNEL_BANDS_MAX &&
           (picture->depth == BT_KERNEL_U8 || picture->depth == BT_KERNEL_U16) &&
           picture->merge_x >= 0 && picture->merge_x <= BT_KERNEL_MERGE_MAX &&
           picture->merge_y >= 0 && picture->merge_y <= BT_KERNEL_MERGE_MAX &&
           picture->sigma >= 0 && picture->sigma <= BT_KERNEL_SIGMA_MAX && picture->extra_x >= 0 &&
           picture->extra_x <= BT_KERNEL_SIGMA_MAX && picture->extra_y >= 0 &&
           picture->extra_y <= BT_KERNEL_SIGMA_MAX;
}

/* Pictures of one camera follow each other: the last plan often serves again. */
static bool
plan_axis(Plan *self, const BtAxis *axis, double sigma)
{
    if (self->weights.first != NULL && self->sigma == sigma && self->axis.source == axis->source &&
        self->axis.samples == axis->samples && self->axis.pitch == axis->pitch &&
        self->axis.out == axis->out && self->axis.merge == axis->merge)
        return true;
    bt_weights_clear(&self->weights);
    self->axis = *axis;
    self->sigma = sigma;
    return bt_weights_init(&self->weights, axis, sigma);
}

static bool
plan_picture(BtKernel *self, const BtKernelPicture *picture)
{
    BtAxis x = {.source = picture->source_width,
                .samples = count_boxes(picture->in_width, picture->box),
                .pitch = picture->pitch_x * picture->box,
                .out = picture->out_width,
                .merge = picture->merge_x};
    BtAxis y = {.source = picture->source_height,
                .samples = count_boxes(picture->in_height, picture->box),
                .pitch = picture->pitch_y * picture->box,
                .out = picture->out_height,
                .merge = picture->merge_y};

    double variance = picture->sigma * picture->sigma;

    return plan_axis(&self->across, &x, sqrt(variance + picture->extra_x)) &&
           plan_axis(&self->down, &y, sqrt(variance + picture->extra_y));
}

/* Boxes whose sums, and rows, fit the nearest cache together. */
static int
boxes_at_once(const BtKernelPicture *picture)
{
    int64_t n = SUMS / ((int64_t)picture->box * picture->bands);

    return n > 1 ? (int)n : 1;
}

static bool
is_plain(const BtKernelPicture *picture)
{
    return !picture->alpha && !picture->linear;
}

static BtKernelDepth
result_depth(const BtKernelPicture *picture)
{
    return picture->deep_result ? BT_KERNEL_U16 : picture->depth;
}

static int
most_of(BtKernelDepth depth)
{
    return depth == BT_KERNEL_U8 ? UINT8_MAX : UINT16_MAX;
}

static bool
choose_curve(BtKernel *self, const BtKernelPicture *picture)
{
    int most = most_of(picture->depth);

    if (!picture->linear || self->curve.most == most)
        return true;
    bt_curve_clear(&self->curve);
    return bt_curve_init(&self->curve, most);
}

/* One past the last shrunk row that the strip which begins at output row `row` needs. */
static int
strip_end(const BtWeights *down, int row)
{
    return down->first[least(row + STRIP, down->n_out) - 1] + down->n_taps;
}

/* A row may take the place of another in the ring as soon as no strip to come needs that one: all
 * strips that end before the new row are done by then. */
static bool
reserve_buffers(BtKernel *self, const BtKernelPicture *picture)
{
    const BtWeights *down = &self->down.weights;
    size_t n_values = (size_t)(boxes_at_once(picture) * picture->box * picture->bands);
    size_t n_floats = (size_t)self->across.axis.samples * (size_t)picture->bands;

    self->n_ring = 0;
    for (int row = 0; row < down->n_out; row += STRIP) {
        int n = strip_end(down, row) - down->first[row];

        self->n_ring = n > self->n_ring ? n : self->n_ring;
    }
    self->row_floats = (n_floats + BT_KERNEL_SPARE + BLOCK - 1) / BLOCK * BLOCK;
    return buffer_reserve(&self->values, n_values * sizeof(float)) &&
           buffer_reserve(&self->sum,
                          (n_floats * (size_t)picture->box + BT_KERNEL_SPARE) * sizeof(float)) &&
           buffer_reserve(&self->ring, (size_t)self->n_ring * self->row_floats * sizeof(float)) &&
           buffer_reserve(&self->window, (size_t)self->n_ring * sizeof(float *)) &&
           buffer_reserve(&self->strip, self->row_floats * STRIP * sizeof(float));
}

bool
bt_kernel_start(BtKernel *self, const BtKernelPicture *picture, void *result,
                ptrdiff_t result_stride)
{
    self->result = NULL;
    if (!is_within_bounds(picture) || !plan_picture(self, picture) ||
        !choose_curve(self, picture) || !reserve_buffers(self, picture))
        return false;
    self->picture = *picture;
    self->result = result;
    self->result_stride = result_stride;
    self->n_pushed = self->n_in_box = self->n_ready = self->n_written = 0;
    return true;
}

static inline int
level_at(const void *row, size_t i, BtKernelDepth depth)
{
    return depth == BT_KERNEL_U8 ? ((const uint8_t *)row)[i] : ((const uint16_t *)row)[i];
}

static void
add_linear(const BtKernel *self, float *restrict sum, const char *rows, ptrdiff_t stride,
           int n_rows, size_t n)
{
    const float *values = self->curve.values;
    BtKernelDepth depth = self->picture.depth;

    for (int r = 0; r < n_rows; r++, rows += stride)
        for (size_t i = 0; i < n; i++)
            sum[i] += values[level_at(rows, i, depth)];
}

/* What levels stand for. */
static void
add_levels(const BtKernel *self, float *sum, const void *rows, ptrdiff_t stride, int n_rows,
           size_t n)
{
    if (self->picture.linear)
        add_linear(self, sum, rows, stride, n_rows, n);
    else if (self->picture.depth == BT_KERNEL_U8)
        self->ops->add_u8(sum, rows, stride, n_rows, n);
    else
        self->ops->add_u16(sum, rows, stride, n_rows, n);
}

/* Some pixels of a row with alpha, which is linear as it is. */
static void
add_pixels(BtKernel *self, float *sum, const void *row, size_t n_pixels)
{
    size_t bands = (size_t)self->picture.bands, n = n_pixels * bands;
    float *values = self->values.data;

    memset(values, 0, n * sizeof *values);
    add_levels(self, values, row, 0, 1, n);
    for (size_t i = bands - 1; self->picture.linear && i < n; i += bands)
        values[i] = (float)level_at(row, i, self->picture.depth);
    self->ops->add_premultiplied(sum, values, n_pixels, (int)bands,
                                 1 / (float)most_of(self->picture.depth));
}

static void
add_rows(BtKernel *self, float *sum, const char *rows, ptrdiff_t stride, int n_rows,
         size_t n_pixels)
{
    if (!self->picture.alpha)
        add_levels(self, sum, rows, stride, n_rows, n_pixels * (size_t)self->picture.bands);
    else
        for (int i = 0; i < n_rows; i++)
            add_pixels(self, sum, rows + i * stride, n_pixels);
}

/* The sums of box rows become averages of boxes; what the last box lacks is its last sample. */
static void
average_boxes(const BtKernel *self, float *out, float *sum, size_t n_boxes, size_t n_pixels)
{
    size_t bands = (size_t)self->picture.bands, box = (size_t)self->picture.box;

    for (size_t i = n_pixels * bands; i < n_boxes * box * bands; i++)
        sum[i] = sum[i - bands];
    self->ops->average(out, sum, n_boxes, (int)box, (int)bands, 1 / ((float)box * (float)box));
}

static float
within(float value, float most)
{
    value = value > 0 ? value : 0;
    return value < most ? value : most;
}

/* Divides colours by alpha; where alpha rounds to 0 nothing is left of them. Cut off here already,
 * since a small alpha makes them as great as may be. */
static void
unpremultiply(float *colours, const float *alpha, int n_colours, float most, float least_alpha)
{
    float shares[STRIP];

    for (int i = 0; i < STRIP; i++)
        shares[i] = most / (alpha[i] < least_alpha ? INFINITY : alpha[i]);
    for (int c = 0; c < n_colours; c++)
        for (int i = 0; i < STRIP; i++)
            colours[c * STRIP + i] = within(colours[c * STRIP + i] * shares[i], most);
}

static void
finish_colours(BtKernel *self, int n_pixels)
{
    int bands = self->picture.bands, n_colours = bands - self->picture.alpha;
    float most = (float)most_of(self->picture.depth);
    float half = 0.5f * most / (float)most_of(result_depth(&self->picture));

    for (int pixel = 0; pixel < n_pixels; pixel++) {
        float *colours = self->columns + pixel * bands * STRIP;

        if (self->picture.alpha)
            unpremultiply(colours, colours + n_colours * STRIP, n_colours, most, half);
        if (self->picture.linear)
            self->ops->encode(&self->curve, colours, n_colours * STRIP);
    }
}

/* n pixels of the strip's rows, from column x on. */
static void
write_pixels(BtKernel *self, int x, int n, int n_rows)
{
    int bands = self->picture.bands;
    BtKernelDepth depth = result_depth(&self->picture);
    float scale = depth == self->picture.depth ? 1 : UINT16_MAX / UINT8_MAX;
    size_t left = (size_t)x * (size_t)bands * depth, n_bytes = (size_t)(n * bands) * depth;

    if (depth == BT_KERNEL_U8)
        self->ops->pack_u8(self->pixels, self->columns);
    else
        self->ops->pack_u16((uint16_t *)(void *)self->pixels, self->columns, scale);
    for (int i = 0; i < n_rows; i++)
        memcpy(self->result + (self->n_written + i) * self->result_stride + left,
               self->pixels + (size_t)i * BLOCK * depth, n_bytes);
}

static void
make_strip(BtKernel *self)
{
    const BtWeights *down = &self->down.weights, *across = &self->across.weights;
    int row = self->n_written, n_rows = least(STRIP, down->n_out - row);
    const float **window = self->window.data;
    float *ring = self->ring.data, *strip = self->strip.data;
    int n_at_once = BLOCK / self->picture.bands / 2 * 2; /* pairs share their taps */

    for (int j = down->first[row]; j < strip_end(down, row); j++)
        *window++ = ring + (size_t)(j % self->n_ring) * self->row_floats;
    for (size_t column = 0; column < self->row_floats; column += BLOCK) {
        self->ops->combine_rows(self->block, self->window.data, column, down, row, n_rows);
        self->ops->turn(strip + column * STRIP, self->block);
    }
    for (int x = 0; x < across->n_out; x += n_at_once) {
        int n = least(n_at_once, across->n_out - x);

        self->ops->combine_columns(self->columns, strip, across, x, n, self->picture.bands);
        if (!is_plain(&self->picture))
            finish_colours(self, n);
        write_pixels(self, x, n, n_rows);
    }
    self->n_written += n_rows;
}

/* Takes rows of one row of boxes, some boxes at a time: their sums stay in the nearest cache. The
 * last row of the picture stands also for those that its boxes lack. */
static void
push_boxes(BtKernel *self, const char *rows, ptrdiff_t stride, int n_rows)
{
    int box = self->picture.box, bands = self->picture.bands;
    float *ring = self->ring.data;
    float *shrunk = ring + (size_t)(self->n_ready % self->n_ring) * self->row_floats;
    float *sum = box == 1 ? shrunk : self->sum.data;
    bool is_begun = self->n_in_box > 0;
    bool is_last = self->n_pushed + n_rows == self->picture.in_height;
    int n_again = is_last ? box - self->n_in_box - n_rows : 0;
    int n_boxes = boxes_at_once(&self->picture);

    self->n_pushed += n_rows;
    self->n_in_box = (self->n_in_box + n_rows + n_again) % box;
    for (int left = self->picture.in_width; left > 0; left -= n_boxes * box) {
        size_t n = (size_t)least(left, n_boxes * box);

        if (!is_begun)
            memset(sum, 0, n * (size_t)bands * sizeof *sum);
        add_rows(self, sum, rows, stride, n_rows, n);
        add_rows(self, sum, rows + (n_rows - 1) * stride, 0, n_again, n);
        if (box > 1 && self->n_in_box == 0)
            average_boxes(self, shrunk, sum, (size_t)count_boxes((int)n, box), n);
        rows += (ptrdiff_t)n * bands * (ptrdiff_t)self->picture.depth;
        shrunk += n_boxes * bands;
        sum += n_boxes * box * bands;
    }
    if (self->n_in_box == 0)
        self->n_ready++;
}

void
bt_kernel_push(BtKernel *self, const void *rows, ptrdiff_t stride, int n_rows)
{
    const BtWeights *down = &self->down.weights;
    const char *row = rows;

    assert(self->result != NULL && n_rows <= self->picture.in_height - self->n_pushed);
    for (int n; n_rows > 0; n_rows -= n, row += n * stride) {
        n = least(n_rows, self->picture.box - self->n_in_box);
        push_boxes(self, row, stride, n);
        while (self->n_written < down->n_out && strip_end(down, self->n_written) <= self->n_ready)
            make_strip(self);
    }
}

void
bt_kernel_finish(BtKernel *self)
{
    assert(self->result != NULL && self->n_pushed == self->picture.in_height);
    assert(self->n_written == self->down.weights.n_out);
    self->result = NULL;
}

void
bt_kernel_join_ycc(const BtKernel *self, uint8_t *rgb, const uint16_t *y, const uint16_t *cb,
                   const uint16_t *cr, size_t n)
{
    self->ops->join_ycc(rgb, y, cb, cr, n);
}
