/* SPDX-License-Identifier: MIT */
#include "image/jpeg_reader.h"

#include "base/fd.h"
#include "image/exif.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* These two need size_t and FILE from above. */
#include <jerror.h>
#include <jpeglib.h>

#define BLOCK       8
#define ROWS_MAX    (4 * BLOCK) /* of one component in one row of MCUs: sampling factor 4 */
#define SPREAD_MIN  9.0         /* px; measured: errors at saturated edges stay within 2.5 levels */
#define PIXEL_ROWS  16          /* at a time, of whole pixels */
#define PIECE       65536       /* bytes of the file at a time: stays in the cache */
#define MARKER_EXIF (JPEG_APP0 + 1)
#define MARKER_ICC  (JPEG_APP0 + 2)
#define MARKER_IPTC (JPEG_APP0 + 13)
#define SEGMENT_MAX 65535

/* What libjpeg needs, around what the caller sees. */
typedef struct Reader {
    BtJpegReader public; /* first */
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
    int fd;
    off_t at; /* of the next piece */
    uint8_t *piece;
    void *whole; /* all of a progressive file, while it is thinned */
    size_t whole_size;
    GBytes *thin;
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

/* A longjmp() with what the system says. */
static void G_GNUC_NORETURN
leave_with_errno(Reader *self)
{
    g_snprintf(self->message, sizeof self->message, "%s", g_strerror(errno));
    longjmp(self->jump, 1);
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
        if (marker->marker == MARKER_EXIF)
            self->public.orientation = bt_exif_orientation(marker->data, marker->data_length);
    if (jpeg_read_icc_profile(&self->jpeg, &self->profile, &profile_size)) {
        self->public.profile = self->profile;
        self->public.profile_size = profile_size;
    }
}

BtJpegReader *
bt_jpeg_reader_new(int fd, BtOutcome *outcome)
{
    Reader *self = g_new0(Reader, 1);

    self->fd = fd;
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
    jpeg_save_markers(&self->jpeg, MARKER_EXIF, SEGMENT_MAX);
    jpeg_save_markers(&self->jpeg, MARKER_ICC, SEGMENT_MAX);
    jpeg_save_markers(&self->jpeg, MARKER_IPTC, SEGMENT_MAX);
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
    g_clear_pointer(&self->thin, g_bytes_unref);
    free(self->profile);
    g_free(self->whole);
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

    *out_metadata = (BtMetadata){
        .exif = find_segment(self, MARKER_EXIF, "Exif\0", 6, false),
        .xmp = find_segment(self, MARKER_EXIF, BT_METADATA_XMP_PREFIX,
                            sizeof BT_METADATA_XMP_PREFIX, true),
        .iptc = find_segment(self, MARKER_IPTC, "Photoshop 3.0", 14, false),
    };
}

int
bt_jpeg_reduction(const BtJpegFrame *frame, int shrink, double spread)
{
    int reduction = MIN(shrink, BLOCK);
    bool subsampled = frame->across > 1 || frame->down > 1;

    if ((frame->n_components != 1 && frame->n_components != BT_PLANES_MAX) ||
        (subsampled && frame->n_components == BT_PLANES_MAX && spread < SPREAD_MIN))
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

/* The whole file; NULL with errno. */
static void *
read_file(int fd, size_t *out_size)
{
    g_autofree char *bytes = NULL;
    off_t size = lseek(fd, 0, SEEK_END); /* a locked-in worker may not fstat() */
    size_t done = 0;

    if (size < 0 || (bytes = g_try_malloc((size_t)size + 1)) == NULL)
        return NULL;
    errno = EIO; /* for an end that comes early */
    while (done < (size_t)size) {
        ssize_t n = bt_fd_read_at(fd, bytes + done, (size_t)size - done, (off_t)done);

        if (n <= 0)
            return NULL;
        done += (size_t)n;
    }
    *out_size = done;
    return done > 0 ? g_steal_pointer(&bytes) : NULL;
}

/* Turns to what is left of a progressive file without the scans that nothing is made of. It is
 * decoded without block smoothing, which would guess what was left out. */
static void
leave_scans_out(Reader *self, int shrink)
{
    if ((self->whole = read_file(self->fd, &self->whole_size)) == NULL)
        leave_with_errno(self);
    self->thin = bt_jpeg_thin(self->whole, self->whole_size, shrink);
    g_clear_pointer(&self->whole, g_free);
    if (self->thin == NULL)
        return;
    jpeg_abort_decompress(&self->jpeg);
    self->jpeg.src = NULL;
    jpeg_mem_src(&self->jpeg, g_bytes_get_data(self->thin, NULL), g_bytes_get_size(self->thin));
    jpeg_read_header(&self->jpeg, TRUE);
    self->jpeg.do_block_smoothing = FALSE;
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
    size_t width = (size_t)component->width_in_blocks * (size_t)size; /* of whole blocks */
    int n_rows = component->v_samp_factor * size;

    self->samples[i] = g_malloc(width * (size_t)n_rows);
    for (int row = 0; row < n_rows; row++)
        self->rows[i][row] = self->samples[i] + (size_t)row * width;
    self->public.planes[i] = (BtPlane){
        .width = (int)component->downsampled_width,
        .height = (int)component->downsampled_height,
        .bands = 1,
        .pitch_x = (double)(across * BLOCK) / size,
        .pitch_y = (double)(down * BLOCK) / size,
        .extra_x = extra_variance(across),
        .extra_y = extra_variance(down),
        .rows = self->samples[i],
        .stride = (ptrdiff_t)width,
    };
}

bool
bt_jpeg_reader_start(BtJpegReader *reader, int reduction, int shrink, BtOutcome *outcome)
{
    Reader *self = (Reader *)reader;
    struct jpeg_decompress_struct *jpeg = &self->jpeg;

    if (setjmp(self->jump) != 0)
        return fail(self, "it cannot be decoded", outcome);
    if (reader->frame.progressive && shrink >= BLOCK)
        leave_scans_out(self, shrink);
    if (jpeg->num_components != reader->frame.n_components)
        return bt_outcome_fail(outcome, BT_REASON_BROKEN, "its header changed while it was read");
    jpeg->scale_num = 1;
    jpeg->scale_denom = (unsigned)reduction;
    jpeg->raw_data_out = TRUE;
    jpeg_start_decompress(jpeg);
    reader->n_planes = jpeg->num_components;
    for (int i = 0; i < reader->n_planes; i++)
        prepare_plane(self, i);
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
    JDIMENSION band_rows = (JDIMENSION)(jpeg->max_v_samp_factor * jpeg->min_DCT_scaled_size);
    int band = (int)(jpeg->output_scanline / band_rows);

    if (setjmp(self->jump) != 0)
        return fail(self, "it cannot be decoded", outcome);
    if (jpeg->output_scanline >= jpeg->output_height)
        return false;
    if (!jpeg->raw_data_out) {
        read_pixels(self);
        return true;
    }
    jpeg_read_raw_data(jpeg, rows, band_rows);
    for (int i = 0; i < reader->n_planes; i++) {
        int n = jpeg->comp_info[i].v_samp_factor * jpeg->comp_info[i].DCT_scaled_size;

        reader->planes[i].n_rows = MIN(n, reader->planes[i].height - band * n);
    }
    return true;
}
