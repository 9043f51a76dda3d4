/* SPDX-License-Identifier: MIT */
#include "image/jpeg_huffman.h"

#include <string.h>

#define PASSED_MAX 62 /* coefficients of a step */
#define SKIP_16    15 /* the run of a symbol without a value that is not the end of a block */

bool
bt_jpeg_huffman_init(BtJpegHuffman *self, const uint8_t counts[BT_JPEG_CODE_MAX + 1],
                     const uint8_t symbols[256], bool is_dc)
{
    uint32_t code = 0;
    int n_symbols = 0;

    memset(self, 0, sizeof *self);
    for (int n = 1; n <= BT_JPEG_CODE_MAX; n++) {
        self->offsets[n] = n_symbols - (int)code;
        code += counts[n];
        n_symbols += counts[n];
        if (code >= 1u << n || n_symbols > 256) /* no code is all ones */
            return false;
        self->ends[n] = code << (BT_JPEG_CODE_MAX - n);
        code <<= 1;
    }
    memcpy(self->symbols, symbols, (size_t)n_symbols);
    for (int i = 0; is_dc && i < n_symbols; i++)
        if (symbols[i] > 15)
            return false;
    return true;
}

int
bt_jpeg_huffman_find(const BtJpegHuffman *self, uint64_t bits, unsigned *out_bits)
{
    uint32_t next = (uint32_t)(bits >> (64 - BT_JPEG_CODE_MAX));
    unsigned n = 1;

    while (n <= BT_JPEG_CODE_MAX && next >= self->ends[n])
        n++;
    if (n > BT_JPEG_CODE_MAX)
        return -1;
    *out_bits = n;
    return self->symbols[(int)(next >> (BT_JPEG_CODE_MAX - n)) + self->offsets[n]];
}

/* Of one symbol. */
static uint32_t
make_step(unsigned bits, unsigned passed, int difference, unsigned weight)
{
    return bits << 8 | passed | ((uint32_t)difference & 0xfff) << 14 | weight << 26;
}

uint32_t
bt_jpeg_dc_step(const BtJpegHuffman *self, uint64_t bits)
{
    unsigned n;
    int size = bt_jpeg_huffman_find(self, bits, &n);

    if (size < 0 || size > BT_JPEG_DC_SIZE_MAX)
        return 0;
    return make_step(n + (unsigned)size, 1, bt_jpeg_extend(bits << n, (unsigned)size), 0);
}

uint32_t
bt_jpeg_ac_step(const BtJpegHuffman *self, const uint8_t weights[BT_JPEG_SIZES], uint64_t bits,
                unsigned done)
{
    unsigned n, run, size;
    int symbol = bt_jpeg_huffman_find(self, bits, &n);

    if (symbol < 0)
        return 0;
    run = (unsigned)symbol >> 4;
    size = (unsigned)symbol & 15;
    if (symbol == 0)
        return make_step(n, BT_JPEG_STEP_END, 0, 0);
    if ((size == 0 && run != SKIP_16) || done + run + 1 > 64)
        return 0;
    return make_step(n + size, done + run + 1 == 64 ? BT_JPEG_STEP_END : run + 1, 0, weights[size]);
}

void
bt_jpeg_symbols_init(BtJpegSymbols *self, const BtJpegHuffman *code)
{
    uint32_t at = 0;

    memset(self->bits, 0, sizeof self->bits);
    for (int n = 1; n <= BT_JPEG_WINDOW_BITS; n++) {
        int spare = BT_JPEG_CODE_MAX - n;

        for (; at < code->ends[n]; at += 1u << spare) {
            uint32_t first = at >> (BT_JPEG_CODE_MAX - BT_JPEG_WINDOW_BITS);
            size_t count = (size_t)1 << (BT_JPEG_WINDOW_BITS - n);

            memset(self->bits + first, n, count);
            memset(self->symbol + first, code->symbols[(int)(at >> spare) + code->offsets[n]],
                   count);
        }
    }
}

/* One step after the other; `first` alone where that is too much for one. */
static uint32_t
join_steps(uint32_t first, uint32_t second)
{
    uint32_t passed = (first & 63) + (second & 63);

    if (BT_JPEG_STEP_BITS(first) + BT_JPEG_STEP_BITS(second) > BT_JPEG_STEP_BITS_MAX ||
        passed > PASSED_MAX || (first >> 26) + (second >> 26) > BT_JPEG_WEIGHT_MAX)
        return first;
    return first + second;
}

/* What the n bits of window say; 0 where that is nothing. */
static uint32_t
find_ac_step(const BtJpegAcSteps *self, const BtJpegSymbols *symbols, const uint8_t *weights,
             unsigned window, unsigned n)
{
    unsigned whole = window << (BT_JPEG_WINDOW_BITS - n);
    unsigned bits = symbols->bits[whole], symbol = symbols->symbol[whole];
    unsigned size = symbol & 15, run = symbol >> 4;
    uint32_t step;

    if (bits == 0 || bits > n || (size == 0 && symbol != 0 && run != SKIP_16))
        return 0;
    if (symbol == 0)
        return make_step(bits, BT_JPEG_STEP_END, 0, 0);
    bits += size;
    if (bits > BT_JPEG_STEP_BITS_MAX)
        return 0;
    step = make_step(bits, run + 1, 0, weights[size]);
    if (bits >= n)
        return step;
    n -= bits;
    return join_steps(step, self->steps[(1u << n) + (window & ((1u << n) - 1))]);
}

void
bt_jpeg_ac_steps_init(BtJpegAcSteps *self, const BtJpegSymbols *symbols,
                      const uint8_t weights[BT_JPEG_SIZES])
{
    self->steps[0] = self->steps[1] = 0;
    for (unsigned n = 1; n <= BT_JPEG_WINDOW_BITS; n++)
        for (unsigned window = 0; window < 1u << n; window++)
            self->steps[(1u << n) + window] = find_ac_step(self, symbols, weights, window, n);
    for (unsigned i = BT_JPEG_WINDOWS; i < 2 * BT_JPEG_WINDOWS; i++)
        if (self->steps[i] == 0)
            self->steps[i] = BT_JPEG_STEP_RARE;
}

void
bt_jpeg_dc_steps_init(uint32_t steps[BT_JPEG_WINDOWS], const BtJpegSymbols *symbols,
                      const BtJpegAcSteps *ac)
{
    for (unsigned window = 0; window < BT_JPEG_WINDOWS; window++) {
        unsigned bits = symbols->bits[window], size = symbols->symbol[window];
        uint64_t value = (uint64_t)window << (64 - BT_JPEG_WINDOW_BITS) << bits;
        unsigned n = BT_JPEG_WINDOW_BITS - bits - size;

        if (bits == 0 || size > BT_JPEG_DC_SIZE_MAX || bits + size > BT_JPEG_WINDOW_BITS) {
            steps[window] = BT_JPEG_STEP_RARE;
            continue;
        }
        steps[window] = make_step(bits + size, 1, bt_jpeg_extend(value, size), 0);
        if (ac == NULL)
            steps[window] += BT_JPEG_STEP_END;
        else if (n > 0)
            steps[window] =
                join_steps(steps[window], ac->steps[(1u << n) + (window & ((1u << n) - 1))]);
    }
}

/* Of a symbol whose code has n bits, and which these follow. */
static uint32_t
make_value(unsigned symbol, unsigned n, uint64_t bits)
{
    unsigned size = symbol & 15, passed = symbol == 0 ? BT_JPEG_VALUE_END : (symbol >> 4) + 1;

    return (n + size) | passed << 8 | (uint32_t)bt_jpeg_extend(bits, size) << 16;
}

uint32_t
bt_jpeg_ac_value(const BtJpegHuffman *self, uint64_t bits)
{
    unsigned n;
    int symbol = bt_jpeg_huffman_find(self, bits, &n);

    return symbol < 0 ? 0 : make_value((unsigned)symbol, n, bits << n);
}

void
bt_jpeg_ac_values_init(BtJpegAcValues *self, const BtJpegSymbols *symbols)
{
    for (unsigned window = 0; window < BT_JPEG_WINDOWS; window++) {
        unsigned n = symbols->bits[window], symbol = symbols->symbol[window];
        uint64_t bits = (uint64_t)window << (64 - BT_JPEG_WINDOW_BITS) << n;

        self->values[window] =
            n == 0 || n + (symbol & 15) > BT_JPEG_WINDOW_BITS ? 0 : make_value(symbol, n, bits);
    }
}

/* What the n bits of window say; 0 where that is nothing. */
static uint64_t
find_pass(const BtJpegAcPasses *self, const BtJpegSymbols *symbols, unsigned size_max,
          unsigned window, unsigned n)
{
    unsigned whole = window << (BT_JPEG_WINDOW_BITS - n);
    unsigned bits = symbols->bits[whole], symbol = symbols->symbol[whole];
    unsigned size = symbol & 15, run = symbol >> 4;
    uint64_t pass, after;

    if (bits == 0 || bits + size > n || size > size_max ||
        (size == 0 && symbol != 0 && run != SKIP_16))
        return 0;
    if (symbol == 0)
        return bits | BT_JPEG_PASS_END;
    n -= bits + size;
    pass = (bits + size) | (run + 1) << 6 | (uint64_t)(size > 0) << 16 << run;
    after = self->passes[(1u << n) + (window & ((1u << n) - 1))];
    if (run + 1 + BT_JPEG_PASS_PASSED(after) > BT_JPEG_PASSED_MAX)
        return pass;
    return (pass + (after & 0xffff)) | BT_JPEG_PASS_VALUES(after) << 16 << (run + 1);
}

void
bt_jpeg_ac_passes_init(BtJpegAcPasses *self, const BtJpegSymbols *symbols, unsigned size_max)
{
    self->passes[0] = self->passes[1] = 0;
    for (unsigned n = 1; n <= BT_JPEG_PASS_BITS; n++)
        for (unsigned window = 0; window < 1u << n; window++)
            self->passes[(1u << n) + window] = find_pass(self, symbols, size_max, window, n);
}
