/* SPDX-License-Identifier: MIT */
#include "image/jpeg.h"

#define BLOCK    8
#define FINE_MIN 1000000 /* px */
#define FINE_MAX 200000000

/* Samples that a block of a component becomes in each direction when one of the finest component
 * becomes `least`. */
static int
scaled_size(const BtJpegFrame *frame, const BtJpegComponent *component, int least)
{
    int size = least;

    while (size < BLOCK && frame->across * least % (component->across * size * 2) == 0 &&
           frame->down * least % (component->down * size * 2) == 0)
        size *= 2;
    return size;
}

int
bt_jpeg_pitch(const BtJpegFrame *frame, int reduction)
{
    int least = BLOCK / reduction, pitch = reduction;

    for (int i = 0; i < frame->n_components; i++) {
        const BtJpegComponent *component = &frame->components[i];
        int size = scaled_size(frame, component, least);

        pitch = MAX(pitch, (BLOCK * frame->across + component->across * size - 1) /
                               (component->across * size));
        pitch = MAX(pitch,
                    (BLOCK * frame->down + component->down * size - 1) / (component->down * size));
    }
    return pitch;
}

bool
bt_jpeg_is_fine(const BtJpegFrame *frame)
{
    int64_t px = (int64_t)frame->width * frame->height;

    return px >= FINE_MIN && px <= FINE_MAX;
}

uint64_t
bt_jpeg_memory(const BtJpegFrame *frame)
{
    uint64_t n_bytes = 0, px = (uint64_t)frame->width * (uint64_t)frame->height;
    uint64_t n_fine = bt_jpeg_is_fine(frame) ? 4 : 1;

    for (int i = 0; i < frame->n_components && i < BT_JPEG_COMPONENTS_MAX; i++) {
        const BtJpegComponent *component = &frame->components[i];
        uint64_t samples = px * (uint64_t)(component->across * component->down) /
                           (uint64_t)(frame->across * frame->down);
        uint64_t n_kept = n_fine * (component->across < frame->across ? 2 : 1) *
                          (component->down < frame->down ? 2 : 1);

        n_bytes +=
            sizeof(int16_t) * (frame->progressive ? samples : samples / (BLOCK * BLOCK) * n_kept);
    }
    return n_bytes;
}
