/* SPDX-License-Identifier: MIT */
/*
 * One picture: a descriptor to read from, a descriptor to write to, an outcome.
 *
 *   image = bt_image_new(&settings);              in the process that decodes: once, after the fork
 *   bt_image_process(image, in_fd, false, out_fd, format, memory, 1, &outcome); any number of times
 *
 * Read the header; plan; decode top to bottom with as much shrink as the plan allows; push the rows
 * through the kernel; on the small result: transform to sRGB, turn upright, encode, with as much of
 * the source's metadata as the settings leave.
 *
 * JPEG, PNG and the previews of raw files are decoded here, all else by libvips (codecs.h). The
 * first bytes of a picture tell whether it needs libvips, which is then loaded before the worker is
 * forked that decodes it:
 *
 *   if (bt_image_needs_vips(in_fd, raw, format))                      in the supervisor
 *       bt_codecs_load(&error);
 *
 * Neither starts a thread, and neither does bt_image_can_write(): the process may fork. After
 * bt_image_new() it may not.
 *
 * RGB and CMYK become sRGB (by the embedded profile, else libvips' own CMYK profile), grey stays
 * grey, 16 bits stay 16 bits where the result's format has them (12 in AVIF). Alpha is kept where
 * the format has it, else laid on white.
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
    BtStrip strip;                /* metadata that is dropped */
    bool exact;                   /* no shrink before the kernel */
    bool linear;                  /* blur in linear light */
    bool previews;    /* the outcome gets a small JPEG where browsers do not show the result */
    uint32_t allowed; /* bits (1 << BtFormat): decoders that libvips does not trust may be used */
    uint64_t max_pixels;           /* a header that claims more is refused */
    const char *level;             /* of the kernel: one of bt_kernel_levels() */
    bool (*cancelled)(void *user); /* asked between strips of rows; NULL: never */
    void *user;
} BtImageSettings;

typedef struct BtImage BtImage;

/* Whether libvips has to read a picture or write its result: by the first bytes of the file and, of
 * a JPEG, its headers, wherever fd's offset is. raw, format: as below; BT_FORMAT_NONE where it will
 * be JPEG or PNG. False for what cannot be read or is empty. */
bool bt_image_needs_vips(int fd, bool raw, BtFormat format);

/* Whether a format can be written, with these formats allowed. JPEG and PNG always can; for others
 * libvips must be loaded, and encodes a few pixels the first time, in a child unless this process
 * decodes. */
bool bt_image_can_write(BtFormat format, uint32_t allowed);

/* The state of a process that decodes: kernel and buffers. NULL when memory is short. */
BtImage *bt_image_new(const BtImageSettings *settings);
void bt_image_free(BtImage *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtImage, bt_image_free)

/* Reads a picture from in_fd, from its beginning, and writes the result to out_fd, which is emptied
 * first. raw: what begins like a TIFF is a camera's raw file. format: of the result; BT_FORMAT_NONE
 * chooses PNG for a picture with alpha and JPEG for any other. memory: bytes; a picture that needs
 * more, by its header, is not decoded (BT_REASON_HEAVY); 0: no limit. n_threads: as in BtReduction;
 * they end before this returns. Both descriptors stay the caller's. Errors are in *out_outcome. */
void bt_image_process(BtImage *self, int in_fd, bool raw, int out_fd, BtFormat format,
                      uint64_t memory, int n_threads, BtOutcome *out_outcome);

/* Decodes a whole picture, within the same limits, and drops the pixels. */
void bt_image_check(BtImage *self, int in_fd, uint64_t memory, BtOutcome *out_outcome);

#endif
