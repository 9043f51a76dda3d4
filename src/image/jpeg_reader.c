/* SPDX-License-Identifier: MIT */
#include "image/jpeg_reader.h"

#include "base/fd.h"
#include "image/exif.h"
#include "image/jpeg_low.h"
#include "image/jpeg_markers.h"
#include "image/jpeg_trailer.h"
#include "kernel/kernel.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* These two need size_t and FILE from above. */
#include <jerror.h>
#include <jpeglib.h>

#define BLOCK       8
#define ROWS_MAX    (4 * BLOCK) /* of one component in one row of MCUs: sampling factor 4 */
#define FINE        4           /* shrink */
#define SPREAD_MIN  9.0         /* px; measured: errors at saturated edges stay within 2.5 levels */
#define THREADS_MIN 50000000    /* px that several threads are started for */
#define PIXEL_ROWS  16          /* at a time, of whole pixels */
#define PIECE       65536       /* bytes of the file at a time: stays in the cache */

/* What libjpeg needs, around what the caller sees. */
typedef struct Reader {
    BtJpegReader public; /* first */
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
    int fd;
    off_t at;   /* of the next piece */
    bool alone; /* the picture begins where the file does */
    uint8_t *piece;
    BtJpegLow *low; /* what is decoded without libjpeg; else NULL */
    int low_band;   /* the next one: a row of MCUs */
    int clips;      /* colours outside of RGB are brought inside: samples of luma in a row that
                       share one of chroma; 0: they are not */
    const BtJpegOps *ops;
    JOCTET *profile;
    JSAMPROW rows[BT_PLANES_MAX][ROWS_MAX];
    uint8_t *samples[BT_PLANES_MAX]; /* that the rows point into */
} Reader;

static void
leave(j_common_ptr jpeg)
{
    Reader *self = jpeg->client_data;

    jpeg->err->format_message(jpeg, self->message);
    longjmp(self->jump, 1);
}

/* Warnings pass, as they do in libvips, but for those that the file, or the data of a scan, has
 * come to its end. */
static void
emit_message(j_common_ptr jpeg, int level)
{
    if (level < 0 &&
        (jpeg->err->msg_code == JWRN_JPEG_EOF || jpeg->err->msg_code == JWRN_HIT_MARKER))
        leave(jpeg);
}

/* What libjpeg, or the system, has said before a longjmp(). Returns false. */
static bool
fail(const Reader *self, const char *what, BtOutcome *outcome)
{
    bool short_of_memory = self->errors.msg_code == JERR_OUT_OF_MEMORY;

    return bt_outcome_fail(outcome, short_of_memory ? BT_REASON_MEMORY : BT_REASON_BROKEN, "%s: %s",
                           what, self->message);
}

static void
do_nothing(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

static boolean
fill_piece(j_decompress_ptr jpeg)
{
    Reader *self = jpeg->client_data;
    ssize_t n = bt_fd_read_at(self->fd, self->piece, PIECE, self->at);

    if (n < 0)
        ERREXIT(jpeg, JERR_FILE_READ);
    if (n == 0 && self->at == 0)
        ERREXIT(jpeg, JERR_INPUT_EMPTY);
    if (n == 0) /* does not return */
        WARNMS(jpeg, JWRN_JPEG_EOF);
    self->at += n;
    self->source.next_input_byte = self->piece;
    self->source.bytes_in_buffer = (size_t)n;
    return TRUE;
}

static void
skip_bytes(j_decompress_ptr jpeg, long n)
{
    Reader *self = jpeg->client_data;
    size_t here = self->source.bytes_in_buffer;

    if (n <= 0)
        return;
    if ((size_t)n <= here) {
        self->source.next_input_byte += n;
        self->source.bytes_in_buffer -= (size_t)n;
    } else {
        self->at += n - (off_t)here;
        self->source.bytes_in_buffer = 0;
    }
}

static void
read_frame(Reader *self)
{
    const struct jpeg_decompress_struct *jpeg = &self->jpeg;
    BtJpegFrame *frame = &self->public.frame;

    self->public.ycc = jpeg->jpeg_color_space == JCS_YCbCr;
    *frame = (BtJpegFrame){
        .progressive = jpeg->progressive_mode,
        .width = (int)jpeg->image_width,
        .height = (int)jpeg->image_height,
        .across = jpeg->max_h_samp_factor,
        .down = jpeg->max_v_samp_factor,
        .n_components = jpeg->num_components,
    };
    for (int i = 0; i < MIN(frame->n_components, BT_JPEG_COMPONENTS_MAX); i++)
        frame->components[i] = (BtJpegComponent){
            .id = (uint8_t)jpeg->comp_info[i].component_id,
            .across = jpeg->comp_info[i].h_samp_factor,
            .down = jpeg->comp_info[i].v_samp_factor,
        };
}

static void
read_metadata(Reader *self)
{
    unsigned profile_size;

    self->public.orientation = 1;
    for (jpeg_saved_marker_ptr marker = self->jpeg.marker_list;
         marker != NULL && self->public.orientation == 1; marker = marker->next)
        if (marker->marker == BT_JPEG_MARKER_EXIF)
            self->public.orientation = bt_exif_orientation(marker->data, marker->data_length);
    if (jpeg_read_icc_profile(&self->jpeg, &self->profile, &profile_size)) {
        self->public.profile = self->profile;
        self->public.profile_size = profile_size;
    }
}

BtJpegReader *
bt_jpeg_reader_new(int fd, off_t at, BtOutcome *outcome)
{
    Reader *self = g_new0(Reader, 1);

    self->fd = fd;
    self->at = at;
    self->alone = at == 0;
    self->piece = g_malloc(PIECE);
    self->jpeg.err = jpeg_std_error(&self->errors);
    self->jpeg.client_data = self;
    self->errors.error_exit = leave;
    self->errors.emit_message = emit_message;
    self->source = (struct jpeg_source_mgr){
        .init_source = do_nothing,
        .fill_input_buffer = fill_piece,
        .skip_input_data = skip_bytes,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = do_nothing,
    };
    if (setjmp(self->jump) != 0) {
        fail(self, "its header cannot be read", outcome);
        bt_jpeg_reader_free(&self->public);
        return NULL;
    }
    jpeg_create_decompress(&self->jpeg);
    self->jpeg.src = &self->source;
    bt_jpeg_markers_choose(&self->jpeg);
    jpeg_read_header(&self->jpeg, TRUE);
    read_frame(self);
    read_metadata(self);
    return &self->public;
}

void
bt_jpeg_reader_free(BtJpegReader *reader)
{
    Reader *self = (Reader *)reader;

    if (self == NULL)
        return;
    jpeg_destroy_decompress(&self->jpeg);
    for (int i = 0; i < BT_PLANES_MAX; i++)
        g_free(self->samples[i]);
    bt_jpeg_low_free(self->low);
    free(self->profile);
    g_free(self->piece);
    g_free(self);
}

/* The content of the first segment that begins with these bytes, without them if they are only a
 * label. */
static GBytes *
find_segment(const Reader *self, int marker, const char *prefix, size_t prefix_size, bool label)
{
    size_t skipped = label ? prefix_size : 0;

    for (jpeg_saved_marker_ptr at = self->jpeg.marker_list; at != NULL; at = at->next)
        if (at->marker == marker && at->data_length > prefix_size &&
            memcmp(at->data, prefix, prefix_size) == 0)
            return g_bytes_new(at->data + skipped, at->data_length - skipped);
    return NULL;
}

void
bt_jpeg_reader_metadata(const BtJpegReader *reader, BtMetadata *out_metadata)
{
    const Reader *self = (const Reader *)reader;
    off_t end = self->low != NULL ? self->low->end : self->at - (off_t)self->source.bytes_in_buffer;

    *out_metadata = (BtMetadata){
        .exif = find_segment(self, BT_JPEG_MARKER_EXIF, "Exif\0", 6, false),
        .xmp = find_segment(self, BT_JPEG_MARKER_EXIF, BT_METADATA_XMP_PREFIX,
                            sizeof BT_METADATA_XMP_PREFIX, true),
        .iptc = find_segment(self, BT_JPEG_MARKER_IPTC, "Photoshop 3.0", 14, false),
        .left_out = self->alone ? bt_jpeg_trailer_left_out(self->fd, end) : 0,
    };
}

static bool
is_subsampled(const BtJpegFrame *frame)
{
    return frame->across > 1 || frame->down > 1;
}

int
bt_jpeg_reduction(const BtJpegFrame *frame, int shrink, double spread)
{
    int reduction = MIN(shrink, BLOCK);

    if ((frame->n_components != 1 && frame->n_components != BT_PLANES_MAX) ||
        (is_subsampled(frame) && frame->n_components == BT_PLANES_MAX && spread < SPREAD_MIN))
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

/* The shape of one plane, and its buffer: rows of whole blocks, with `width` samples. */
static void
prepare_plane(Reader *self, int i, int samples_across, int samples_down)
{
    const jpeg_component_info *component = &self->jpeg.comp_info[i];
    int across = self->jpeg.max_h_samp_factor / component->h_samp_factor;
    int down = self->jpeg.max_v_samp_factor / component->v_samp_factor;
    size_t stride = (size_t)component->width_in_blocks * (size_t)samples_across;
    int n_rows = component->v_samp_factor * samples_down;
    double pitch_x = (double)(across * BLOCK) / samples_across;
    double pitch_y = (double)(down * BLOCK) / samples_down;

    self->samples[i] = g_malloc(stride * (size_t)n_rows);
    for (int row = 0; row < n_rows; row++)
        self->rows[i][row] = self->samples[i] + (size_t)row * stride;
    self->public.planes[i] = (BtPlane){
        .width = (int)ceil(self->jpeg.image_width / pitch_x),
        .height = (int)ceil(self->jpeg.image_height / pitch_y),
        .bands = 1,
        .pitch_x = pitch_x,
        .pitch_y = pitch_y,
        .extra_x = extra_variance(across),
        .extra_y = extra_variance(down),
        .rows = self->samples[i],
        .stride = (ptrdiff_t)stride,
    };
}

/* Whether colours are brought inside of RGB, of planes that are prepared: those of subsampled
 * chroma, where each row of luma has one of chroma. */
static int
choose_clips(const Reader *self)
{
    const BtPlane *luma = &self->public.planes[0], *cb = luma + 1, *cr = luma + 2;
    double across = cb->pitch_x / luma->pitch_x;

    if (!self->public.ycc || self->public.n_planes != BT_PLANES_MAX ||
        !is_subsampled(&self->public.frame) || cb->pitch_x != cr->pitch_x ||
        luma->pitch_y != cb->pitch_y || luma->pitch_y != cr->pitch_y)
        return 0;
    return across == 1 || across == 2 ? (int)across : 0;
}

/* Decodes the file without libjpeg. False where that leaves it to libjpeg, which goes on from where
 * its header ends. */
static bool
start_low(Reader *self, int shrink, int n_threads)
{
    const BtJpegFrame *frame = &self->public.frame;
    BtJpegLowSource source = {
        .fd = self->fd,
        .at = self->at - (off_t)self->source.bytes_in_buffer,
        .ops = self->ops = bt_jpeg_ops(bt_kernel_level()),
        .n_streams = BT_JPEG_STREAMS_MAX,
        .n_threads = (int64_t)frame->width * frame->height < THREADS_MIN ? 1 : n_threads,
        .clips = true,
    };

    self->low = bt_jpeg_low_read(&self->jpeg, shrink, &source);
    if (self->low == NULL)
        return false;
    self->public.n_planes = self->low->n_components;
    for (int i = 0; i < self->public.n_planes; i++)
        prepare_plane(self, i, self->low->components[i].samples_across,
                      self->low->components[i].samples_down);
    self->clips = choose_clips(self);
    return true;
}

bool
bt_jpeg_reader_start(BtJpegReader *reader, int reduction, int shrink, int n_threads,
                     BtOutcome *outcome)
{
    Reader *self = (Reader *)reader;
    struct jpeg_decompress_struct *jpeg = &self->jpeg;

    if (setjmp(self->jump) != 0)
        return fail(self, "it cannot be decoded", outcome);
    if ((shrink >= BLOCK || (shrink >= FINE && bt_jpeg_is_fine(&reader->frame))) &&
        start_low(self, shrink, n_threads))
        return true;
    jpeg->scale_num = 1;
    jpeg->scale_denom = (unsigned)reduction;
    jpeg->raw_data_out = TRUE;
    jpeg_start_decompress(jpeg);
    reader->n_planes = jpeg->num_components;
    for (int i = 0; i < reader->n_planes; i++)
        prepare_plane(self, i, jpeg->comp_info[i].DCT_scaled_size,
                      jpeg->comp_info[i].DCT_scaled_size);
    self->clips = choose_clips(self);
    return true;
}

static void
clip_band(Reader *self)
{
    const BtPlane *planes = self->public.planes;

    for (int row = 0; row < planes[0].n_rows && self->clips > 0; row++)
        bt_jpeg_low_clip(self->rows[0][row], self->rows[1][row], self->rows[2][row],
                         (size_t)planes[0].width, (size_t)self->clips);
}

/* A row of MCUs of every plane. */
static bool
next_low(Reader *self)
{
    int band = self->low_band++;

    if (band * self->low->components[0].down >= self->low->components[0].height)
        return false;
    for (int i = 0; i < self->public.n_planes; i++) {
        const BtJpegLowComponent *component = &self->low->components[i];
        BtPlane *plane = &self->public.planes[i];
        int n_rows = component->down * component->samples_down;

        for (int row = 0; row < component->down; row++)
            bt_jpeg_low_samples(self->low, i, band * component->down + row, self->ops,
                                self->rows[i][row * component->samples_down], plane->stride);
        plane->n_rows = CLAMP(plane->height - band * n_rows, 0, n_rows);
    }
    clip_band(self);
    return true;
}

bool
bt_jpeg_reader_start_pixels(BtJpegReader *reader, BtOutcome *outcome)
{
    Reader *self = (Reader *)reader;
    struct jpeg_decompress_struct *jpeg = &self->jpeg;
    size_t stride;

    if (setjmp(self->jump) != 0)
        return fail(self, "it cannot be decoded", outcome);
    jpeg_start_decompress(jpeg);
    stride = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
    if ((self->samples[0] = g_try_malloc(stride * PIXEL_ROWS)) == NULL)
        return bt_outcome_fail(outcome, BT_REASON_MEMORY, "not enough memory for its rows");
    for (int row = 0; row < PIXEL_ROWS; row++)
        self->rows[0][row] = self->samples[0] + (size_t)row * stride;
    reader->n_planes = 1;
    reader->planes[0] = (BtPlane){
        .width = (int)jpeg->output_width,
        .height = (int)jpeg->output_height,
        .bands = jpeg->output_components,
        .pitch_x = 1,
        .pitch_y = 1,
        .rows = self->samples[0],
        .stride = (ptrdiff_t)stride,
    };
    return true;
}

/* A band of whole pixels. */
static void
read_pixels(Reader *self)
{
    struct jpeg_decompress_struct *jpeg = &self->jpeg;
    JDIMENSION first = jpeg->output_scanline;
    JDIMENSION n = MIN(PIXEL_ROWS, jpeg->output_height - first);

    while (jpeg->output_scanline < first + n)
        jpeg_read_scanlines(jpeg, self->rows[0] + (jpeg->output_scanline - first),
                            first + n - jpeg->output_scanline);
    self->public.planes[0].n_rows = (int)n;
}

bool
bt_jpeg_reader_next(BtJpegReader *reader, BtOutcome *outcome)
{
    Reader *self = (Reader *)reader;
    struct jpeg_decompress_struct *jpeg = &self->jpeg;
    JSAMPARRAY rows[BT_PLANES_MAX] = {self->rows[0], self->rows[1], self->rows[2]};
    JDIMENSION band_rows;
    int band;

    if (self->low != NULL)
        return next_low(self);
    if (setjmp(self->jump) != 0)
        return fail(self, "it cannot be decoded", outcome);
    if (jpeg->output_scanline >= jpeg->output_height)
        return false;
    if (!jpeg->raw_data_out) {
        read_pixels(self);
        return true;
    }
    band_rows = (JDIMENSION)(jpeg->max_v_samp_factor * jpeg->min_DCT_scaled_size);
    band = (int)(jpeg->output_scanline / band_rows);
    jpeg_read_raw_data(jpeg, rows, band_rows);
    for (int i = 0; i < reader->n_planes; i++) {
        int n = jpeg->comp_info[i].v_samp_factor * jpeg->comp_info[i].DCT_scaled_size;

        reader->planes[i].n_rows = MIN(n, reader->planes[i].height - band * n);
    }
    clip_band(self);
    return true;
}
