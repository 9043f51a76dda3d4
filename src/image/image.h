/* SPDX-License-Identifier: MIT */
/*
 * One picture: a descriptor to read from, a descriptor to write to, an outcome.
 *
 *   image = bt_image_new(&settings);              in the process that decodes: once, after the fork
 *   bt_image_process(image, in_fd, false, out_fd, format, memory, 1, &outcome); any number of times
 *
 * The way of a picture: read the header; plan; decode top to bottom in this thread with as much
 * shrink as the plan allows; push the rows through the kernel; on the small result: transform to
 * sRGB, turn upright, encode, with as much of the source's metadata as the settings leave.
 *
 * There is one way for every decoder (decoder.h): JPEG (jpeg_decoder.h), PNG (png_reader.h), the
 * previews of raw files (raw_decoder.h), and libvips for all else and for other results (codecs.h).
 * Which of them a picture needs its first bytes say, so that libvips is loaded before the worker is
 * forked that is to have the picture:
 *
 *   if (bt_image_needs_vips(in_fd, raw, format))                      in the supervisor
 *       bt_codecs_load(&error);
 *
 * Neither starts a thread, and neither does bt_image_can_write(): after them a process may fork.
 * After bt_image_new() it may not.
 *
 * Colour: RGB and CMYK become sRGB (by the embedded profile, else libvips' own CMYK profile), grey
 * stays grey, 16 bits stay 16 bits where the result's format has them (12 in AVIF). Alpha is kept
 * where the format has it, else laid on white.
 */
#ifndef BT_IMAGE_IMAGE_H
#define BT_IMAGE_IMAGE_H

#include "base/error.h"
#include "base/format.h"
#include "image/metadata.h"
#include "image/outcome.h"

#include <stdint.h>

#define BT_IMAGE_QUALITY_DEFAULT 0 /* each format's own: JPEG and WebP 75, AVIF and HEIC 50 */

typedef struct BtImageSettings {
    double sigma;  /* source px, >= 0 */
    int box_width; /* the result fits into this, px */
    int box_height;
    int quality[BT_FORMAT_COUNT]; /* 1 to 100, or BT_IMAGE_QUALITY_DEFAULT */
    BtStrip strip;                /* what of the source's metadata the result goes without */
    bool exact;                   /* no shrink before the kernel */
    bool linear;                  /* blur in linear light */
    bool previews;    /* with a small JPEG in the outcome where browsers do not show the result */
    uint32_t allowed; /* bit (1 << BtFormat): open although libvips does not trust its decoder */
    uint64_t max_pixels;           /* a header that claims more is refused */
    const char *level;             /* of the kernel: one of bt_kernel_levels() */
    bool (*cancelled)(void *user); /* asked between strips of rows; NULL: never */
    void *user;
} BtImageSettings;

typedef struct BtImage BtImage;

/* Whether a picture is to be read by libvips, or its result written: by the first bytes of the file
 * and, of a JPEG, the headers up to the frame's, wherever fd's offset is. raw, format: as below;
 * BT_FORMAT_NONE where it will be JPEG or PNG. False for what cannot be read or is empty. Needs no
 * libvips. What was false for a file does not need it later. */
bool bt_image_needs_vips(int fd, bool raw, BtFormat format);

/* Whether a format can be written, with these formats allowed: JPEG and PNG always can; of others,
 * which need libvips, a few pixels are encoded the first time, by a child, where this process does
 * not decode itself. */
bool bt_image_can_write(BtFormat format, uint32_t allowed);

/* The state of a process that decodes: kernel and buffers. NULL when memory is short. */
BtImage *bt_image_new(const BtImageSettings *settings);
void bt_image_free(BtImage *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtImage, bt_image_free)

/* Reads a picture from in_fd (from its beginning, wherever its offset is), and writes the result to
 * out_fd (emptied first). raw: what begins like a TIFF is a camera's raw file. format: of the
 * result; BT_FORMAT_NONE chooses PNG for a picture with alpha and JPEG for any other. memory:
 * bytes; a picture whose header tells that it takes more is not decoded (BT_REASON_HEAVY); 0: no
 * limit. n_threads: as in BtReduction; none is left. Both descriptors stay the caller's. Whatever
 * goes wrong is in *out_outcome. */
void bt_image_process(BtImage *self, int in_fd, bool raw, int out_fd, BtFormat format,
                      uint64_t memory, int n_threads, BtOutcome *out_outcome);

/* Decodes a picture wholly and makes nothing of it, within the same limits. */
void bt_image_check(BtImage *self, int in_fd, uint64_t memory, BtOutcome *out_outcome);

#endif
