/* SPDX-License-Identifier: MIT */
/*
 * The small picture that the kernel leaves, as the bytes of a file: in sRGB, upright, and with what
 * the format can hold. Its thumbhash and its preview go into the outcome. Worker.
 */
#ifndef BT_IMAGE_RESULT_H
#define BT_IMAGE_RESULT_H

#include "base/format.h"
#include "image/blur.h"

typedef struct BtResult {
    BtFormat format;
    int quality;            /* 1 to 100; 0: the format's own */
    int orientation;        /* of the picture as it is stored: EXIF, 1 to 8 */
    const BtColour *colour; /* what makes it sRGB; NULL: it is */
    bool preview;           /* the outcome gets one */
} BtResult;

/* Whether results of a format are made without libvips. */
bool bt_result_is_made_here(BtFormat format);

/* Whether planes of a result of this size can go to the encoder as they are, chroma at half the
 * size. */
bool bt_result_can_merge(const BtResult *self, int width, int height);

/* NULL on failure. The blur's rasters are changed. */
GBytes *bt_result_encode(const BtResult *self, BtBlur *blur, const BtMetadata *metadata,
                         BtOutcome *outcome);

#endif
