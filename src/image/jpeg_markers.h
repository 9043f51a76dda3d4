/* SPDX-License-Identifier: MIT */
/*
 * Which segments of a JPEG header libjpeg keeps in its marker_list: those that a result may carry
 * or that say how the picture looks (Exif, XMP, an ICC profile, IPTC), told by what they begin
 * with. The others are passed over without being read: extended XMP of many megabytes, for one.
 * Worker.
 *
 *   bt_jpeg_markers_choose(&jpeg);      between jpeg_create_decompress() and jpeg_read_header()
 *
 * The source must never suspend. What is kept is copied piece by piece; libjpeg's own way of saving
 * segments takes a byte at a time.
 */
#ifndef BT_IMAGE_JPEG_MARKERS_H
#define BT_IMAGE_JPEG_MARKERS_H

#define BT_JPEG_MARKER_EXIF 0xe1 /* XMP, too */
#define BT_JPEG_MARKER_ICC  0xe2
#define BT_JPEG_MARKER_IPTC 0xed

struct jpeg_decompress_struct;

void bt_jpeg_markers_choose(struct jpeg_decompress_struct *jpeg);

#endif
