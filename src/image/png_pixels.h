/* SPDX-License-Identifier: MIT */
/*
 * The rows of a PNG, from what was deflated to samples. Pure; any process.
 *
 * Follows: PNG (Third Edition), 9 (filtering), 11.2.1, 11.2.2 and 11.3.1.1. Paeth's choice as in
 * stb_image: from the order of three values instead of three distances.
 */
#ifndef BT_IMAGE_PNG_PIXELS_H
#define BT_IMAGE_PNG_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_PNG_PALETTE_MAX 256
#define BT_PNG_PIXEL_MAX   8 /* bytes: 4 samples of 16 bits */

/* Bytes beyond the last row that bt_png_unfilter() reads; they do not matter. */
#define BT_PNG_SLACK BT_PNG_PIXEL_MAX

/* Undoes the filters of n_rows rows, in place. At rows there is first the row above them, without
 * its filter (zeros for a picture's first), then they follow; row_bytes each, and each behind one
 * byte, the number of its filter. pixel_bytes: 1, 2, 3, 4, 6 or 8; divides row_bytes. False where
 * there is no such filter. */
bool bt_png_unfilter(uint8_t *rows, size_t row_bytes, int pixel_bytes, int n_rows);

typedef enum BtPngColour {
    BT_PNG_GREY = 0,
    BT_PNG_RGB = 2,
    BT_PNG_PALETTE = 3,
    BT_PNG_GREY_ALPHA = 4,
    BT_PNG_RGB_ALPHA = 6
} BtPngColour;

/* The kind of pixels. Palettes become RGB, a colour that is transparent becomes alpha, 1 to 4 bits
 * become 8, and 16 get native byte order. */
typedef struct BtPngPixels {
    BtPngColour colour;
    int depth;                              /* bits of a sample in the file */
    int stored;                             /* samples of a pixel in the file */
    int bands;                              /* of a pixel that comes out */
    int n_colours;                          /* in the palette */
    uint8_t palette[BT_PNG_PALETTE_MAX][4]; /* RGB, alpha */
    bool keyed;                             /* one colour is transparent: */
    uint16_t key[3];
} BtPngPixels;

/* By the header's colour type and depth. False where they do not go together. */
bool bt_png_pixels_init(BtPngPixels *self, int colour, int depth);

/* The bodies of PLTE and tRNS, in any order. False for a palette that is damaged. A tRNS that makes
 * no sense changes nothing. */
bool bt_png_pixels_take_palette(BtPngPixels *self, const uint8_t *bytes, size_t size);
void bt_png_pixels_take_transparency(BtPngPixels *self, const uint8_t *bytes, size_t size);

/* Whether pixels do not come out as they are stored. */
bool bt_png_pixels_change(const BtPngPixels *self);

/* A row of n pixels, as it is stored and as it comes out. */
void bt_png_pixels_expand(const BtPngPixels *self, const uint8_t *row, size_t n, void *out);

#endif
