/* SPDX-License-Identifier: MIT */
#include "image/planes.h"

#include <setjmp.h>
#include <stdio.h>
/* These two need size_t and FILE from above. */
#include <jerror.h>
#include <jpeglib.h>

#define BLOCK      8
#define ROWS_MAX   (4 * BLOCK) /* of one component in one row of MCUs: sampling factor 4 */
#define U8_TO_U16  257
#define SPREAD_MIN 9.0 /* px; measured: errors at saturated edges stay within 2.5 levels */

/* What libjpeg needs, around what the caller sees. */
typedef struct Reader {
    BtPlanes planes; /* first */
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
    GBytes *thin;
    JSAMPROW rows[BT_PLANES_MAX][ROWS_MAX];
    uint8_t *samples[BT_PLANES_MAX]; /* that the rows point into */
    uint16_t *wide[BT_PLANES_MAX];
    int widths[BT_PLANES_MAX]; /* of whole blocks */
} Reader;

static void
leave(j_common_ptr jpeg)
{
    Reader *self = jpeg->client_data;

    jpeg->err->format_message(jpeg, self->message);
    longjmp(self->jump, 1);
}

/* Warnings pass, as they do in libvips, but for the one that the file has come to its end. */
static void
emit_message(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF)
        leave(jpeg);
}

int
bt_planes_reduction(const BtJpegFrame *frame, int shrink, double spread)
{
    int reduction = MIN(shrink, BLOCK);
    bool subsampled = frame->across > 1 || frame->down > 1;

    if ((frame->n_components != 1 && frame->n_components != 3) ||
        (subsampled && frame->n_components == 3 && spread < SPREAD_MIN))
        return 1;
    for (int i = 0; i < frame->n_components; i++) {
        const BtJpegComponent *component = &frame->components[i];

        if (frame->across % component->across != 0 || frame->down % component->down != 0 ||
            component->across > 4 || component->down > 4)
            return 1;
    }
    while (reduction > 1 && bt_jpeg_pitch(frame, reduction) > shrink)
        reduction /= 2;
    return reduction;
}

/* Stored samples of a plane with one in `ratio` px stand for those px. Decoding at full size
 * libjpeg interpolates between two of them with a triangle (variance 3/4 px^2), and repeats those
 * that are further apart (as a box does). The plan takes a box of single px off sigma; what was
 * averaged here is a box of stored samples, which are (ratio^2 - 1)/12 px^2 narrower. */
static double
extra_variance(int ratio)
{
    double box = (ratio * ratio - 1) / 12.0;

    return ratio == 2 ? 0.75 + box : 2 * box;
}

/* Shapes and buffers of one plane, once libjpeg has settled how it scales. */
static void
prepare_plane(Reader *self, int i)
{
    const jpeg_component_info *component = &self->jpeg.comp_info[i];
    int size = component->DCT_scaled_size;
    int across = self->jpeg.max_h_samp_factor / component->h_samp_factor;
    int down = self->jpeg.max_v_samp_factor / component->v_samp_factor;
    int width = (int)component->width_in_blocks * size;
    int n_rows = component->v_samp_factor * size;

    self->widths[i] = width;
    self->samples[i] = g_malloc((gsize)width * (gsize)n_rows);
    self->wide[i] = g_new(uint16_t, (gsize)width * (gsize)n_rows);
    for (int row = 0; row < n_rows; row++)
        self->rows[i][row] = self->samples[i] + (gsize)row * (gsize)width;
    self->planes.planes[i] = (BtPlane){
        .width = (int)component->downsampled_width,
        .height = (int)component->downsampled_height,
        .pitch_x = (double)(across * BLOCK) / size,
        .pitch_y = (double)(down * BLOCK) / size,
        .extra_x = extra_variance(across),
        .extra_y = extra_variance(down),
        .rows = self->wide[i],
        .stride = (ptrdiff_t)width * (ptrdiff_t)sizeof(uint16_t),
    };
}

static void
read_header(Reader *self, const void *bytes, gsize size, int reduction, int shrink)
{
    if ((self->thin = bt_jpeg_thin(bytes, size, shrink)) != NULL)
        bytes = g_bytes_get_data(self->thin, &size);
    jpeg_create_decompress(&self->jpeg);
    jpeg_mem_src(&self->jpeg, bytes, size);
    jpeg_read_header(&self->jpeg, TRUE);
    self->jpeg.scale_num = 1;
    self->jpeg.scale_denom = (unsigned)reduction;
    self->jpeg.raw_data_out = TRUE;
    self->jpeg.do_block_smoothing = self->thin == NULL;
    jpeg_start_decompress(&self->jpeg);
}

BtPlanes *
bt_planes_new(const void *bytes, gsize size, int reduction, int shrink, char **out_message)
{
    Reader *self = g_new0(Reader, 1);

    self->jpeg.err = jpeg_std_error(&self->errors);
    self->jpeg.client_data = self;
    self->errors.error_exit = leave;
    self->errors.emit_message = emit_message;
    if (setjmp(self->jump) != 0) {
        *out_message = g_strdup(self->message);
        bt_planes_free(&self->planes);
        return NULL;
    }
    read_header(self, bytes, size, reduction, shrink);
    if (self->jpeg.num_components != 1 && self->jpeg.num_components != BT_PLANES_MAX) {
        *out_message = g_strdup("its header changed while it was read");
        bt_planes_free(&self->planes);
        return NULL;
    }
    self->planes.n = self->jpeg.num_components;
    self->planes.ycc = self->planes.n == 3 && self->jpeg.jpeg_color_space == JCS_YCbCr;
    for (int i = 0; i < self->planes.n; i++)
        prepare_plane(self, i);
    return &self->planes;
}

void
bt_planes_free(BtPlanes *planes)
{
    Reader *self = (Reader *)planes;

    if (self == NULL)
        return;
    jpeg_destroy_decompress(&self->jpeg);
    for (int i = 0; i < BT_PLANES_MAX; i++) {
        g_free(self->samples[i]);
        g_free(self->wide[i]);
    }
    g_clear_pointer(&self->thin, g_bytes_unref);
    g_free(self);
}

/* The rows of the band that belong to the picture, widened. */
static void
widen(Reader *self, int i, int n_rows_before)
{
    BtPlane *plane = &self->planes.planes[i];
    const jpeg_component_info *component = &self->jpeg.comp_info[i];
    int n = component->v_samp_factor * component->DCT_scaled_size;
    size_t n_samples;

    plane->n_rows = MIN(n, plane->height - n_rows_before);
    n_samples = (size_t)plane->n_rows * (size_t)self->widths[i];
    for (size_t k = 0; k < n_samples; k++)
        self->wide[i][k] = (uint16_t)(self->samples[i][k] * U8_TO_U16);
}

bool
bt_planes_next(BtPlanes *planes, char **out_message)
{
    Reader *self = (Reader *)planes;
    struct jpeg_decompress_struct *jpeg = &self->jpeg;
    JSAMPARRAY rows[BT_PLANES_MAX] = {self->rows[0], self->rows[1], self->rows[2]};
    int band = (int)(jpeg->output_scanline /
                     (unsigned)(jpeg->max_v_samp_factor * jpeg->min_DCT_scaled_size));

    if (setjmp(self->jump) != 0) {
        *out_message = g_strdup(self->message);
        return false;
    }
    if (jpeg->output_scanline >= jpeg->output_height)
        return false;
    jpeg_read_raw_data(jpeg, rows,
                       (JDIMENSION)(jpeg->max_v_samp_factor * jpeg->min_DCT_scaled_size));
    for (int i = 0; i < planes->n; i++)
        widen(self, i,
              band * jpeg->comp_info[i].v_samp_factor * jpeg->comp_info[i].DCT_scaled_size);
    return true;
}
