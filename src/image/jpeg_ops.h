/* SPDX-License-Identifier: MIT */
/*
 * The loops of the JPEG decoder, once per instruction set ("level", as in the kernel). Pure.
 *
 * jpeg_ops_c.c is the reference: one symbol, one sample, one byte after the other. jpeg_ops_fast.c
 * is compiled once per level. All levels give the same results, bit for bit.
 *
 * A stream is a place in entropy-coded data from which blocks are decoded, one after the other, as
 * far as their DC differences and where each of them ends. Several streams run in step: a look-up
 * depends on the one before it, and four such chains take hardly longer than one.
 *
 * Data are destuffed, without markers, and BT_JPEG_DATA_SLACK zeros follow them.
 */
#ifndef BT_IMAGE_JPEG_OPS_H
#define BT_IMAGE_JPEG_OPS_H

#include "image/jpeg_huffman.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_JPEG_STREAMS_MAX 4
#define BT_JPEG_DATA_SLACK  64 /* bytes */

/* Blocks that a stream has room for beyond its last one: what begins there is not counted. */
#define BT_JPEG_BLOCKS_SLACK 4

/* A block of an MCU: how it is decoded, and what follows it. The phases of a scan form a ring. */
typedef struct BtJpegPhase {
    const uint32_t *steps[2]; /* [0] further ones of this block, [1] the next one's first */
    const struct BtJpegPhase *next[2]; /* [0] this phase, [1] the one after it */
    const uint32_t *first_steps;
    const BtJpegHuffman *dc, *ac; /* ac: NULL where a block is its DC coefficient alone */
    const uint8_t *weights;       /* of sizes of AC values */
} BtJpegPhase;

typedef struct BtJpegBlock {
    uint32_t sum; /* the DC coefficient's difference to the one before, and AC values' weights */
    uint32_t end; /* bits from the beginning of the data */
} BtJpegBlock;

typedef struct BtJpegStream {
    uint64_t at;              /* bits from the beginning of the data << 8 | coefficients done */
    const BtJpegPhase *phase; /* of the block that it is in */
    BtJpegBlock *block;       /* its sum, and those after it, are 0 before they begin */
    const BtJpegBlock *blocks_end;
    size_t limit; /* bytes from the beginning of the data */
} BtJpegStream;

typedef struct BtJpegOps {
    const char *level;

    /* Copies bytes up to the first 0xff, at most n; returns their number. May write 31 bytes more
     * than that, but not beyond out + n; reads in[0] to in[n - 1]. */
    size_t (*copy_plain)(uint8_t *out, const uint8_t *in, size_t n);

    /* Runs streams, n of them, until each is within BT_JPEG_STREAM_REST bytes of its limit, or
     * blocks of blocks_end, in the middle of a block or not, and never past either. False as soon
     * as one meets what is not a code: that one stays before it, the others where they are. */
    bool (*run)(BtJpegStream *streams, int n, const uint8_t *data);

    /* Samples from n DC coefficients times their quantizer: the mean of each block. */
    void (*means)(uint8_t *out, const int16_t *dc, int quantizer, size_t n);
} BtJpegOps;

/* A stream that is this near to its end is not run any more. */
#define BT_JPEG_STREAM_REST        10 /* bytes */
#define BT_JPEG_STREAM_REST_BLOCKS 4

extern const BtJpegOps bt_jpeg_ops_c;
extern const BtJpegOps bt_jpeg_ops_sse2;
extern const BtJpegOps bt_jpeg_ops_avx2;
extern const BtJpegOps bt_jpeg_ops_neon;

/* The table that goes with a level of bt_kernel_levels(). */
const BtJpegOps *bt_jpeg_ops(const char *level);

/* The bits from bit `at` of the data on, left-aligned; at least 57 of them. */
static inline uint64_t
bt_jpeg_bits(const uint8_t *data, uint64_t at)
{
    uint64_t bits;

    __builtin_memcpy(&bits, data + (at >> 3), sizeof bits);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    bits = __builtin_bswap64(bits);
#endif
    return bits << (at & 7);
}

static inline bool
bt_jpeg_stream_is_between_blocks(const BtJpegStream *self)
{
    return (self->at & 255) == 0;
}

/* The step of one symbol at a stream's place, found without a table; 0: there is no code. */
uint32_t bt_jpeg_stream_find(const BtJpegPhase *phase, uint64_t at, const uint8_t *data);

/* Takes one look-up's symbols. False where there is no code; then nothing has moved. */
static inline bool
bt_jpeg_stream_step(BtJpegStream *self, const uint8_t *data)
{
    const uint32_t *steps =
        bt_jpeg_stream_is_between_blocks(self) ? self->phase->first_steps : self->phase->steps[0];
    uint32_t step = steps[bt_jpeg_bits(data, self->at >> 8) >> (64 - BT_JPEG_WINDOW_BITS)];
    uint64_t at = self->at + BT_JPEG_STEP_MOVE(step);
    bool ends;

    if (at & BT_JPEG_STEP_RARE) {
        if ((step = bt_jpeg_stream_find(self->phase, self->at, data)) == 0)
            return false;
        at = self->at + BT_JPEG_STEP_MOVE(step);
    }
    ends = (step & BT_JPEG_STEP_END) != 0;
    self->block->sum += BT_JPEG_STEP_SUM(step);
    self->block->end = (uint32_t)(at >> 8);
    self->block += ends;
    self->phase = self->phase->next[ends];
    self->at = ends ? at & ~UINT64_C(255) : at;
    return true;
}

#endif
