/* SPDX-License-Identifier: MIT */
/*
 * The picture formats this program knows: their names, extensions and first bytes. Pure; any
 * process. Which of them can be decoded or written on this machine is for the image room to say.
 *
 * Follows: the magic numbers of the format specifications, as listed in file(1)'s magic files.
 */
#ifndef BT_BASE_FORMAT_H
#define BT_BASE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum BtFormat {
    BT_FORMAT_NONE, /* not a picture that we know */
    BT_FORMAT_JPEG,
    BT_FORMAT_PNG,
    BT_FORMAT_WEBP,
    BT_FORMAT_TIFF,
    BT_FORMAT_GIF,
    BT_FORMAT_AVIF,
    BT_FORMAT_HEIC,
    BT_FORMAT_JXL,
    BT_FORMAT_JP2,
    BT_FORMAT_PPM, /* the family: pbm pgm ppm pfm pnm */
    BT_FORMAT_SVG,
    BT_FORMAT_BMP,
    BT_FORMAT_RAW, /* of cameras, any maker's: CR2 CR3 NEF NRW ARW SR2 DNG ORF RW2 PEF SRW RAF */
    BT_FORMAT_COUNT
} BtFormat;

/* The most bytes that bt_format_of_bytes() looks at. */
#define BT_FORMAT_MAGIC_BYTES 32

/* Lower-case name as in --allow and reports: "jpeg", "jp2"; "none" for BT_FORMAT_NONE. */
const char *bt_format_name(BtFormat format);

/* The usual extension, without a dot: "jpg", "jp2"; "" for NONE and RAW, which nobody writes. */
const char *bt_format_extension(BtFormat format);

/* The format that people call so, by its name or an extension, in capitals or not: JPEG for "jpeg"
 * and "JPG". Else BT_FORMAT_NONE. */
BtFormat bt_format_of_name(const char *name);

/* By the extension of a file name (any bytes, case ignored): JPEG for "a.JPG"; NONE for a name
 * without a known extension. */
BtFormat bt_format_of_extension(const char *file_name);

/* By the first bytes of a file, of which there may be any number from 0. NONE when they are not
 * decisive. TIFF is told here too, though some raw files of cameras begin like it. */
BtFormat bt_format_of_bytes(const void *bytes, size_t size);

/* Whether libvips calls the decoder of this format trusted: those are open by default, the others
 * only when named with --allow. */
bool bt_format_is_trusted(BtFormat format);

/* Whether browsers show pictures of this format, whoever made them. */
bool bt_format_is_shown(BtFormat format);

#endif
