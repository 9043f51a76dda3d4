/* SPDX-License-Identifier: MIT */
/*
 * What a pixel becomes needs the one to its left, so time is the latency of that chain: all bytes
 * of a pixel go through it at once, in as few steps as possible; and where two rows follow each
 * other that have the filter of most rows, Paeth's, a pixel of one and a pixel of the other do.
 */
#include "image/png_pixels.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define PAIRED_MAX 4 /* bytes of pixels that two fit in one vector of */

enum {
    FILTER_NONE,
    FILTER_SUB,
    FILTER_UP,
    FILTER_AVERAGE,
    FILTER_PAETH
};

/* The bytes of a pixel, and each of them in a word. Lanes beyond the pixel hold anything. */
typedef uint8_t Bytes __attribute__((vector_size(BT_PNG_PIXEL_MAX)));
typedef int16_t Words __attribute__((vector_size(2 * BT_PNG_PIXEL_MAX)));
typedef uint8_t Halves __attribute__((vector_size(2 * BT_PNG_PIXEL_MAX)));

/* SSE2 has these four as one instruction each, but compilers do not see it in the other form. */
#ifdef __SSE2__
ALWAYS_INLINE Words
widen(Bytes bytes)
{
    int64_t bits;

    memcpy(&bits, &bytes, sizeof bits);
    return (Words)_mm_unpacklo_epi8(_mm_cvtsi64_si128(bits), _mm_setzero_si128());
}

ALWAYS_INLINE Bytes
narrow(Words words)
{
    int64_t bits = _mm_cvtsi128_si64(_mm_packus_epi16((__m128i)words, (__m128i)words));
    Bytes bytes;

    memcpy(&bytes, &bits, sizeof bytes);
    return bytes;
}

ALWAYS_INLINE Words
smaller(Words a, Words b)
{
    return (Words)_mm_min_epi16((__m128i)a, (__m128i)b);
}

ALWAYS_INLINE Words
larger(Words a, Words b)
{
    return (Words)_mm_max_epi16((__m128i)a, (__m128i)b);
}
#else
ALWAYS_INLINE Words
widen(Bytes bytes)
{
    return __builtin_convertvector(bytes, Words);
}

ALWAYS_INLINE Bytes
narrow(Words words)
{
    return __builtin_convertvector(words, Bytes);
}

ALWAYS_INLINE Words
smaller(Words a, Words b)
{
    Words less = a < b;

    return (a & less) | (b & ~less);
}

ALWAYS_INLINE Words
larger(Words a, Words b)
{
    Words less = a < b;

    return (b & less) | (a & ~less);
}
#endif

/* Reads 4 or 8 bytes, for that is one move. */
ALWAYS_INLINE Words
load(const uint8_t *at, int pixel_bytes)
{
    Bytes bytes = {0};

    memcpy(&bytes, at, pixel_bytes > PAIRED_MAX ? BT_PNG_PIXEL_MAX : PAIRED_MAX);
    return widen(bytes);
}

ALWAYS_INLINE void
store(uint8_t *at, Words words, int pixel_bytes)
{
    Bytes bytes = narrow(words);

    memcpy(at, &bytes, (size_t)pixel_bytes);
}

/* Two pixels in one: their first words. */
ALWAYS_INLINE Words
join(Words one, Words other)
{
    return __builtin_shufflevector(one, other, 0, 1, 2, 3, 8, 9, 10, 11);
}

ALWAYS_INLINE Words
second(Words joined)
{
    return __builtin_shufflevector(joined, joined, 4, 5, 6, 7, 4, 5, 6, 7);
}

/* Modulo 256, in one step: nothing is carried into the upper half of a word. */
ALWAYS_INLINE Words
add_bytes(Words a, Words b)
{
    return (Words)((Halves)a + (Halves)b);
}

ALWAYS_INLINE void
undo_sub(uint8_t *row, size_t n_bytes, int pixel_bytes)
{
    Words left = {0};

    for (size_t i = 0; i < n_bytes; i += (size_t)pixel_bytes) {
        left = add_bytes(load(row + i, pixel_bytes), left);
        store(row + i, left, pixel_bytes);
    }
}

static void
undo_up(uint8_t *row, const uint8_t *above, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        row[i] = (uint8_t)(row[i] + above[i]);
}

ALWAYS_INLINE void
undo_average(uint8_t *row, const uint8_t *above, size_t n_bytes, int pixel_bytes)
{
    Words left = {0};

    for (size_t i = 0; i < n_bytes; i += (size_t)pixel_bytes) {
        Words mean = (left + load(above + i, pixel_bytes)) >> 1;

        left = add_bytes(load(row + i, pixel_bytes), mean);
        store(row + i, left, pixel_bytes);
    }
}

/* The predictor is whichever of left, up and corner is nearest to left + up - corner. With low and
 * high for the smaller and the larger of left and up, and bound = 3 corner - left - up: low where
 * high <= bound, high where bound <= low, else corner. (All three are equal where both hold.) The
 * sums with each of them are there before it is known which it is. */
ALWAYS_INLINE Words
undo_paeth(Words pixel, Words left, Words up, Words corner)
{
    Words bound = (3 * corner - up) - left;
    Words low = smaller(left, up), high = larger(left, up);
    Words not_low = high > bound, not_high = bound > low;

    return (add_bytes(pixel, low) & ~not_low) | (add_bytes(pixel, high) & ~not_high) |
           (add_bytes(pixel, corner) & not_low & not_high);
}

ALWAYS_INLINE void
undo_paeth_row(uint8_t *row, const uint8_t *above, size_t n_bytes, int pixel_bytes)
{
    Words left = {0}, corner = {0};

    for (size_t i = 0; i < n_bytes; i += (size_t)pixel_bytes) {
        Words up = load(above + i, pixel_bytes);

        left = undo_paeth(load(row + i, pixel_bytes), left, up, corner);
        store(row + i, left, pixel_bytes);
        corner = up;
    }
}

/* A row and the one below it, which is a pixel behind: what is left of the next pixel in the one
 * row is above the next in the other. */
ALWAYS_INLINE void
undo_paeth_pair(uint8_t *row, const uint8_t *above, uint8_t *below, size_t n_bytes, int pixel_bytes)
{
    size_t step = (size_t)pixel_bytes;
    Words zero = {0}, corner = load(above, pixel_bytes);
    Words left = undo_paeth(load(row, pixel_bytes), zero, corner, zero);

    store(row, left, pixel_bytes);
    left = join(left, zero);
    corner = join(corner, zero);
    for (size_t i = step; i < n_bytes; i += step, below += step) {
        Words up = join(load(above + i, pixel_bytes), left);
        Words pixels = join(load(row + i, pixel_bytes), load(below, pixel_bytes));

        left = undo_paeth(pixels, left, up, corner);
        store(row + i, left, pixel_bytes);
        store(below, second(left), pixel_bytes);
        corner = up;
    }
    left = undo_paeth(load(below, pixel_bytes), second(left), left, second(corner));
    store(below, left, pixel_bytes);
}

/* Returns how many rows it has undone: 0 where there is no such filter. */
ALWAYS_INLINE int
undo(uint8_t *row, const uint8_t *above, size_t n_bytes, int pixel_bytes, int n_rows)
{
    uint8_t *below = row + n_bytes + 1;

    switch (row[-1]) {
    case FILTER_NONE:
        return 1;
    case FILTER_SUB:
        undo_sub(row, n_bytes, pixel_bytes);
        return 1;
    case FILTER_UP:
        undo_up(row, above, n_bytes);
        return 1;
    case FILTER_AVERAGE:
        undo_average(row, above, n_bytes, pixel_bytes);
        return 1;
    case FILTER_PAETH:
        if (n_rows > 1 && below[-1] == FILTER_PAETH && pixel_bytes <= PAIRED_MAX) {
            undo_paeth_pair(row, above, below, n_bytes, pixel_bytes);
            return 2;
        }
        undo_paeth_row(row, above, n_bytes, pixel_bytes);
        return 1;
    default:
        return 0;
    }
}

ALWAYS_INLINE bool
undo_all(uint8_t *rows, size_t n_bytes, int pixel_bytes, int n_rows)
{
    uint8_t *above = rows + 1;
    int n;

    for (; n_rows > 0; n_rows -= n, above += (size_t)n * (n_bytes + 1))
        if ((n = undo(above + n_bytes + 1, above, n_bytes, pixel_bytes, n_rows)) == 0)
            return false;
    return true;
}

bool
bt_png_unfilter(uint8_t *rows, size_t row_bytes, int pixel_bytes, int n_rows)
{
    switch (pixel_bytes) {
    case 1:
        return undo_all(rows, row_bytes, 1, n_rows);
    case 2:
        return undo_all(rows, row_bytes, 2, n_rows);
    case 3:
        return undo_all(rows, row_bytes, 3, n_rows);
    case 4:
        return undo_all(rows, row_bytes, 4, n_rows);
    case 6:
        return undo_all(rows, row_bytes, 6, n_rows);
    default:
        return undo_all(rows, row_bytes, 8, n_rows);
    }
}
