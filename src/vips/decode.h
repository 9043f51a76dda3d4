/* SPDX-License-Identifier: MIT */
/* The decoding half of BtCodecs (image/codecs.h): rows are pulled in the calling thread, since a
 * sequential libvips pipeline without a sink of its own starts no threads. Worker; vips. */
#ifndef BT_VIPS_DECODE_H
#define BT_VIPS_DECODE_H

#include "image/codecs.h"

BtDecode *bt_decode_open(int fd, BtDecodePicture *out_picture, BtOutcome *outcome);
bool bt_decode_shrink(BtDecode *self, int shrink, BtDecodePicture *picture, BtOutcome *outcome);
bool bt_decode_rows(BtDecode *self, BtRowSink sink, void *user, BtOutcome *outcome);
void bt_decode_metadata(BtDecode *self, BtMetadata *out_metadata);
void bt_decode_close(BtDecode *self);

#endif
