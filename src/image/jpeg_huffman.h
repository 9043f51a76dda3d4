/* SPDX-License-Identifier: MIT */
/*
 * Huffman codes of a JPEG file, and look-up tables that pass over many symbols at once. Pure; for
 * hostile bytes.
 *
 *   bt_jpeg_huffman_init(&code, counts, symbols, is_dc)     false: not a code
 *   bt_jpeg_symbols_init(symbols, &code)                    one symbol a look-up
 *   bt_jpeg_ac_steps_init(steps, symbols, weights)          several, for blocks of AC coefficients
 *   bt_jpeg_dc_steps_init(dc_steps, dc_symbols, steps)      a DC difference, and AC symbols after
 * it
 *   bt_jpeg_ac_values_init(values, symbols)                 one AC symbol with its value
 *   bt_jpeg_ac_passes_init(passes, symbols, size_max)       several, without their values
 *
 * A window is the next BT_JPEG_WINDOW_BITS bits of the data. A code that is longer, and whatever
 * else is rare, is left to bt_jpeg_huffman_find(), which needs no table.
 *
 * A step is what a window says about the next few symbols of a block when only the DC coefficient
 * is wanted: how many bits they take, their values included, and how far they move the number of
 * coefficients that are done. It is a word of 32 bits, laid out so that one addition moves both in
 * a BtJpegStream (jpeg_ops.h):
 *
 *   bits 0-5     coefficients that are passed, 0 to 62
 *   bit 6        BT_JPEG_STEP_RARE: no step; one symbol has to be looked up without a table
 *   bit 7        BT_JPEG_STEP_END: the block ends here
 *   bits 8-13    bits of the data, 1 to BT_JPEG_STEP_BITS_MAX
 *   bits 14-25   the DC difference, modulo 2^12; 0 in steps that begin behind it
 *   bits 26-31   the sum of the AC values' weights
 *
 * An addition that carries into bit 6 has gone past the block's last coefficient, or to it: that is
 * rare, too, and looked at symbol by symbol.
 *
 * Follows: ITU-T T.81, C (codes), F.2.2 (decoding). What counts as a code: libjpeg's jdhuff.c.
 */
#ifndef BT_IMAGE_JPEG_HUFFMAN_H
#define BT_IMAGE_JPEG_HUFFMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_JPEG_CODE_MAX      16 /* bits of a code */
#define BT_JPEG_WINDOW_BITS   12
#define BT_JPEG_WINDOWS       (1 << BT_JPEG_WINDOW_BITS)
#define BT_JPEG_DC_SIZE_MAX   11 /* bits of a difference in files with samples of 8 bits */
#define BT_JPEG_STEP_RARE     64u
#define BT_JPEG_STEP_END      128u
#define BT_JPEG_STEP_BITS_MAX 22
#define BT_JPEG_SIZES         16 /* of values: 0 to 15 bits */
#define BT_JPEG_WEIGHT_MAX    63

/* The part of a step that moves a stream, and its number of bits; the part that sums up. */
#define BT_JPEG_STEP_MOVE(step) ((step)&0x3fffu)
#define BT_JPEG_STEP_BITS(step) ((step) >> 8 & 63u)
#define BT_JPEG_STEP_SUM(step)  ((step) >> 14)

/* What a block's steps sum up to. There is one difference among them, so that it does not carry. */
#define BT_JPEG_SUM_DIFFERENCE(sum) (((int)(sum)&0xfff) - ((int)(sum) << 1 & 0x1000))
#define BT_JPEG_SUM_WEIGHTS(sum)    ((sum) >> 12)

typedef struct BtJpegHuffman {
    uint32_t ends[BT_JPEG_CODE_MAX + 1]; /* [n]: the next 16 bits are less if they begin with a
                                            code of n bits or fewer */
    int offsets[BT_JPEG_CODE_MAX + 1];   /* [n]: from a code of n bits to its symbol's index */
    uint8_t symbols[256];
} BtJpegHuffman;

/* For each window the symbol that it begins with, and the bits of its code; 0 where these are more
 * than the window has, or no code. */
typedef struct BtJpegSymbols {
    uint8_t bits[BT_JPEG_WINDOWS];
    uint8_t symbol[BT_JPEG_WINDOWS];
} BtJpegSymbols;

/* Steps of windows that have lost their first bits: those of n bits are at 1 << n. Those of whole
 * windows, at BT_JPEG_WINDOWS, are the table to decode with. */
typedef struct BtJpegAcSteps {
    uint32_t steps[2 * BT_JPEG_WINDOWS];
} BtJpegAcSteps;

/* For each window the AC symbol that it begins with, and the value; 0 where these are more than the
 * window has, or no code:
 *
 *   bits 0-7     bits of the code and of the value
 *   bits 8-15    coefficients that are passed, with the value's own: 1 to 16; or BT_JPEG_VALUE_END
 *   bits 16-31   the value; 0 of a symbol that has none
 */
typedef struct BtJpegAcValues {
    uint32_t values[BT_JPEG_WINDOWS];
} BtJpegAcValues;

#define BT_JPEG_VALUE_END           64
#define BT_JPEG_VALUE_BITS(value)   ((value)&0xff)
#define BT_JPEG_VALUE_PASSED(value) ((value) >> 8 & 0xff)
#define BT_JPEG_VALUE(value)        ((int16_t)((value) >> 16))

/* For each window of BT_JPEG_PASS_BITS bits as many AC symbols as it holds, with their values; 0
 * where that is not one. Of windows that have lost their first bits as in BtJpegAcSteps.
 *
 *   bits 0-5     bits of the data
 *   bits 6-11    coefficients that are passed
 *   bit 12       the block ends here
 *   bits 16-63   which of the coefficients have a value, the first one's bit first
 */
#define BT_JPEG_PASS_BITS 10
typedef struct BtJpegAcPasses {
    uint64_t passes[2 << BT_JPEG_PASS_BITS];
} BtJpegAcPasses;

#define BT_JPEG_PASS_END          (UINT64_C(1) << 12)
#define BT_JPEG_PASS_TAKEN(pass)  ((pass)&63)
#define BT_JPEG_PASS_PASSED(pass) ((unsigned)((pass) >> 6 & 63))
#define BT_JPEG_PASS_VALUES(pass) ((pass) >> 16)
#define BT_JPEG_PASSED_MAX        48

/* counts[n], n from 1 to 16: how many codes of n bits there are. False for what libjpeg refuses. */
bool bt_jpeg_huffman_init(BtJpegHuffman *self, const uint8_t counts[BT_JPEG_CODE_MAX + 1],
                          const uint8_t symbols[256], bool is_dc);

/* The symbol that these bits begin with, left-aligned, and the bits of its code; -1 for none. */
int bt_jpeg_huffman_find(const BtJpegHuffman *self, uint64_t bits, unsigned *out_bits);

/* A step of exactly one symbol, from bits (left-aligned, at least 32 of them valid) after `done`
 * coefficients of the block; 0 for what a sound file does not hold. weights: of each size of an AC
 * value, 0 to BT_JPEG_WEIGHT_MAX. */
uint32_t bt_jpeg_dc_step(const BtJpegHuffman *self, uint64_t bits);
uint32_t bt_jpeg_ac_step(const BtJpegHuffman *self, const uint8_t weights[BT_JPEG_SIZES],
                         uint64_t bits, unsigned done);

void bt_jpeg_symbols_init(BtJpegSymbols *self, const BtJpegHuffman *code);

void bt_jpeg_ac_steps_init(BtJpegAcSteps *self, const BtJpegSymbols *symbols,
                           const uint8_t weights[BT_JPEG_SIZES]);

/* ac: the steps that may follow; NULL where a block is its DC coefficient alone. */
void bt_jpeg_dc_steps_init(uint32_t steps[BT_JPEG_WINDOWS], const BtJpegSymbols *symbols,
                           const BtJpegAcSteps *ac);

void bt_jpeg_ac_values_init(BtJpegAcValues *self, const BtJpegSymbols *symbols);

/* What BtJpegAcValues says of any code; 0 where these bits, left-aligned, begin with none. */
uint32_t bt_jpeg_ac_value(const BtJpegHuffman *self, uint64_t bits);

/* size_max: bits of values that may be passed over. */
void bt_jpeg_ac_passes_init(BtJpegAcPasses *self, const BtJpegSymbols *symbols, unsigned size_max);

/* The value that the first `size` bits (0 to 15), left-aligned, stand for: F.12, EXTEND. */
static inline int
bt_jpeg_extend(uint64_t bits, unsigned size)
{
    int value = (int)(bits >> 1 >> (63 - size));

    return value - (bits >> 63 ? 0 : (int)(1u << size) - 1);
}

#endif
