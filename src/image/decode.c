/* SPDX-License-Identifier: MIT */
#include "image/decode.h"

#include "base/clock.h"
#include "image/colour.h"
#include "image/jpeg.h"
#include "image/owned.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* Rows asked for at a time: what libvips' PNG reader decodes at once. */
#define ROWS_AT_A_TIME 16

#define BMP_LOADER "magickload_buffer"

/* vips' errors are lines "domain: text", the later ones often repeating the first in other words,
 * and the first ones possibly warnings. Takes the first that counts. */
static char *
take_vips_error(void)
{
    g_autofree char *text = vips_error_buffer_copy();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    char **line = lines;

    while (*line != NULL && (**line == '\0' || strstr(*line, "Warning:") != NULL))
        line++;
    return g_strdup(*line != NULL ? *line : text);
}

bool
bt_decode_fail(BtOutcome *outcome, BtReason reason, const char *format, ...)
{
    g_autofree char *said = take_vips_error();
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    if (strstr(said, "out of memory") != NULL)
        reason = BT_REASON_MEMORY;
    outcome->reason = reason;
    g_snprintf(outcome->sentence, sizeof outcome->sentence, "%s%s%s", what,
               said[0] != '\0' ? ": " : "", said);
    return false;
}

/* An untrusted decoder that was not asked for, told by its nickname: "svgload_source" -> "svg". */
static bool
fail_blocked(const char *loader, BtOutcome *outcome)
{
    g_autofree char *word = g_strndup(loader, strcspn(loader, "_"));
    BtFormat format;

    if (g_str_has_suffix(word, "load"))
        word[strlen(word) - strlen("load")] = '\0';
    vips_error_clear();
    format = strcmp(loader, BMP_LOADER) == 0 ? BT_FORMAT_BMP
             : strcmp(word, "jp2k") == 0     ? BT_FORMAT_JP2
                                             : bt_format_of_name(word);
    if (format != BT_FORMAT_NONE)
        return bt_decode_fail(outcome, BT_REASON_BLOCKED,
                              "this format is only opened when allowed (--allow %s)",
                              bt_format_name(format));
    return bt_decode_fail(outcome, BT_REASON_BLOCKED,
                          "this format (%s) is not opened: its decoder is not trusted", word);
}

/* BMP has no loader of its own: libvips reads it through ImageMagick, and from memory only.
 * ImageMagick knows many more formats, some of them programs: none of those. */
static bool
is_bmp(int fd)
{
    char bytes[BT_FORMAT_MAGIC_BYTES];
    ssize_t size = pread(fd, bytes, sizeof bytes, 0);

    return size > 0 && bt_format_of_bytes(bytes, (size_t)size) == BT_FORMAT_BMP;
}

static VipsImage *
load_bmp(BtDecode *self)
{
    BT_OWNED_AREA VipsBlob *blob = vips_source_map_blob(self->source);
    const void *bytes;
    VipsImage *image = NULL;
    size_t size;

    if (blob == NULL)
        return NULL;
    bytes = vips_blob_get(blob, &size);
    /* The pixels are read later, from bytes that the source keeps. */
    if (vips_magickload_buffer((void *)(uintptr_t)bytes, size, &image, NULL) != 0)
        return NULL;
    return image;
}

/* scale: what to ask of a decoder that scales; 1 for nothing. */
static VipsImage *
load(BtDecode *self, double scale)
{
    if (strcmp(self->loader, BMP_LOADER) == 0)
        return load_bmp(self);
    if (scale < 1)
        return vips_image_new_from_source(self->source, "", "access", VIPS_ACCESS_SEQUENTIAL,
                                          "fail_on", VIPS_FAIL_ON_TRUNCATED, "scale", scale, NULL);
    return vips_image_new_from_source(self->source, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                      VIPS_FAIL_ON_TRUNCATED, NULL);
}

/* Everything between the loader and the kernel that is not the kernel's own work. */
static bool
make_plain(BtDecode *self, const BtImageSettings *settings, VipsImage *loaded, BtOutcome *outcome)
{
    BT_OWNED VipsImage *plain = NULL;

    g_clear_object(&self->image);
    if (!bt_colour_plain(loaded, &plain))
        return bt_decode_fail(outcome, BT_REASON_BROKEN, "its colours cannot be read");
    if (settings->linear && bt_colour_needs_transform(plain)) {
        if (!bt_colour_to_srgb(plain, &self->image))
            return bt_decode_fail(outcome, BT_REASON_BROKEN, "its colours cannot be transformed");
    } else {
        self->image = g_steal_pointer(&plain);
    }
    return true;
}

static bool
check_header(BtDecode *self, const BtImageSettings *settings, VipsImage *loaded, BtOutcome *outcome)
{
    self->width = loaded->Xsize;
    self->height = loaded->Ysize;
    self->orientation = vips_image_get_orientation(loaded);
    self->reduction = 1;
    self->pitch_x = self->pitch_y = 1;
    outcome->source_width = self->width;
    outcome->source_height = self->height;
    outcome->n_pages = vips_image_get_n_pages(loaded);
    if ((uint64_t)self->width * (uint64_t)self->height > settings->max_pixels)
        return bt_decode_fail(outcome, BT_REASON_TOO_LARGE,
                              "its header claims %d x %d pixels, over the limit of %.0f million",
                              self->width, self->height, (double)settings->max_pixels / 1e6);
    return true;
}

static bool
fail_unknown(BtOutcome *outcome)
{
    vips_error_clear();
    return bt_decode_fail(outcome, BT_REASON_UNKNOWN, "not a picture in a format that can be read");
}

bool
bt_decode_open(BtDecode *self, const BtImageSettings *settings, int fd, BtOutcome *outcome)
{
    BT_OWNED VipsImage *loaded = NULL;
    off_t size = lseek(fd, 0, SEEK_END);
    const char *type;

    if (size == 0)
        return bt_decode_fail(outcome, BT_REASON_EMPTY, "the file is empty");
    if (size < 0 || lseek(fd, 0, SEEK_SET) != 0 ||
        (self->source = vips_source_new_from_descriptor(fd)) == NULL)
        return bt_decode_fail(outcome, BT_REASON_BROKEN, "the file cannot be read");
    if ((type = vips_foreign_find_load_source(self->source)) != NULL)
        self->loader = vips_nickname_find(g_type_from_name(type));
    else if (is_bmp(fd))
        self->loader = BMP_LOADER;
    else
        return fail_unknown(outcome);
    loaded = load(self, 1);
    g_strlcpy(outcome->loader, self->loader, sizeof outcome->loader);
    if (loaded == NULL) {
        if (strstr(vips_error_buffer(), "blocked") != NULL)
            return fail_blocked(self->loader, outcome);
        return bt_decode_fail(outcome, BT_REASON_BROKEN, "its header cannot be read");
    }
    return check_header(self, settings, loaded, outcome) &&
           make_plain(self, settings, loaded, outcome);
}

bool
bt_decode_shrink(BtDecode *self, const BtImageSettings *settings, int shrink, BtOutcome *outcome)
{
    BT_OWNED VipsImage *loaded = NULL;

    if (shrink == 1 || settings->linear || strcmp(self->loader, "webpload_source") != 0 ||
        vips_image_hasalpha(self->image) || outcome->n_pages > 1)
        return true;
    if ((loaded = load(self, 1.0 / shrink)) == NULL)
        return bt_decode_fail(outcome, BT_REASON_BROKEN, "its header cannot be read");
    self->reduction = shrink;
    self->pitch_x = (double)self->width / loaded->Xsize;
    self->pitch_y = (double)self->height / loaded->Ysize;
    return make_plain(self, settings, loaded, outcome);
}

const void *
bt_decode_jpeg(const BtDecode *self, BtJpegFrame *out_frame, size_t *out_size)
{
    const void *bytes;

    if (strcmp(self->loader, "jpegload_source") != 0 ||
        (bytes = vips_source_map(self->source, out_size)) == NULL ||
        !bt_jpeg_read_frame(bytes, *out_size, out_frame)) {
        vips_error_clear();
        return NULL;
    }
    return bytes;
}

bool
bt_decode_rows(BtDecode *self, const BtImageSettings *settings, BtKernel *kernel,
               BtOutcome *outcome)
{
    BT_OWNED VipsRegion *region = vips_region_new(self->image);
    VipsRect rows = {0, 0, self->image->Xsize, 0};

    for (; rows.top < self->image->Ysize; rows.top += rows.height) {
        uint64_t before_ns;

        if (settings->cancelled != NULL && settings->cancelled(settings->user))
            return bt_decode_fail(outcome, BT_REASON_CANCELLED, "stopped on request");
        rows.height = MIN(ROWS_AT_A_TIME, self->image->Ysize - rows.top);
        if (vips_region_prepare(region, &rows) != 0)
            return bt_decode_fail(outcome, BT_REASON_BROKEN, "it cannot be decoded");
        before_ns = bt_clock_now_ns();
        bt_kernel_push(kernel, VIPS_REGION_ADDR(region, 0, rows.top),
                       (ptrdiff_t)VIPS_REGION_LSKIP(region), rows.height);
        outcome->kernel_ns += bt_clock_now_ns() - before_ns;
    }
    return true;
}

void
bt_decode_clear(BtDecode *self)
{
    g_clear_object(&self->image);
    g_clear_object(&self->source);
}
