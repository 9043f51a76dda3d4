/* SPDX-License-Identifier: MIT */
/*
 * The pixels of a PNG: of which kind they are in the file, and as the samples that a decoder hands
 * on. Palettes become RGB, a colour that is transparent becomes alpha, 1 to 4 bits become 8, and 16
 * come in native byte order. Pure; any process.
 *
 * Follows: PNG (Third Edition), 11.2.1, 11.2.2 and 11.3.1.1.
 */
#ifndef BT_IMAGE_PNG_PIXELS_H
#define BT_IMAGE_PNG_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BT_PNG_PALETTE_MAX 256

typedef enum BtPngColour {
    BT_PNG_GREY = 0,
    BT_PNG_RGB = 2,
    BT_PNG_PALETTE = 3,
    BT_PNG_GREY_ALPHA = 4,
    BT_PNG_RGB_ALPHA = 6
} BtPngColour;

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
