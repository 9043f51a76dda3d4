/* SPDX-License-Identifier: MIT */
/* The reference. */
#include "image/jpeg_ops.h"

static size_t
copy_plain(uint8_t *out, const uint8_t *in, size_t n)
{
    size_t i = 0;

    for (; i < n && in[i] != 0xff; i++)
        out[i] = in[i];
    return i;
}

/* One stream, symbol by symbol, without tables. */
static bool
run_one(BtJpegStream *self, const uint8_t *data)
{
    while ((self->at >> 11) + BT_JPEG_STREAM_REST <= self->limit &&
           self->block + BT_JPEG_STREAM_REST_BLOCKS <= self->blocks_end) {
        uint32_t step = bt_jpeg_stream_find(self->phase, self->at, data);
        bool ends = (step & BT_JPEG_STEP_END) != 0;

        if (step == 0)
            return false;
        self->at += BT_JPEG_STEP_MOVE(step);
        self->block->sum += BT_JPEG_STEP_SUM(step);
        self->block->end = (uint32_t)(self->at >> 8);
        if (ends) {
            self->at &= ~UINT64_C(255);
            self->phase = self->phase->next[1];
            self->block++;
        }
    }
    return true;
}

static bool
run(BtJpegStream *streams, int n, const uint8_t *data)
{
    for (int i = 0; i < n; i++)
        if (!run_one(&streams[i], data))
            return false;
    return true;
}

/* As libjpeg's jpeg_idct_1x1(), which sees 10 bits of what it rounds. */
static void
means(uint8_t *out, const int16_t *dc, int quantizer, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int mean = (dc[i] * quantizer + 4) >> 3;

        mean = ((mean + 512) & 1023) - 512 + 128;
        out[i] = (uint8_t)(mean < 0 ? 0 : mean > 255 ? 255 : mean);
    }
}

const BtJpegOps bt_jpeg_ops_c = {"c", copy_plain, run, means};
