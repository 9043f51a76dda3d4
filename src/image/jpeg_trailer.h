/* SPDX-License-Identifier: MIT */
/*
 * What a JPEG file holds behind its picture, and does not tell of in XMP: the gain map in a photo
 * of an iPhone, the video of a motion photo. Worker; pure; for hostile bytes. What is read does not
 * depend on the file's size: 64 KB behind the picture, of each picture that MPF lists, and of
 * Samsung's directory.
 *
 * Follows: CIPA DC-007-2021, 5.2.3 (MP entries); ISO 14496-12, 4.3 (ftyp); ISO 21496-1, annex C;
 * what Apple writes into the XMP of a gain map; for Samsung's trailer, which nobody specifies, the
 * tables of ExifTool.
 */
#ifndef BT_IMAGE_JPEG_TRAILER_H
#define BT_IMAGE_JPEG_TRAILER_H

#include <stdint.h>
#include <sys/types.h>

/* BtLeftOut. end: where the data of the picture end, which begins at the file's first byte. */
uint32_t bt_jpeg_trailer_left_out(int fd, off_t end);

#endif
