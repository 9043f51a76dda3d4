/* SPDX-License-Identifier: MIT */
/*
 * A small picture in memory, between kernel and encoder: packed rows, interleaved bands, native
 * byte order. Starts zeroed. Its buffer only grows: a worker keeps it from picture to picture,
 * since fresh pages cost more than the work on them. Worker; pure.
 */
#ifndef BT_IMAGE_RASTER_H
#define BT_IMAGE_RASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct BtRaster {
    uint8_t *pixels; /* NULL, or bt_raster_size() bytes and maybe more */
    size_t capacity;
    int width, height; /* px */
    int bands;         /* 1 to 4 */
    bool deep;         /* 16 bits a sample, else 8 */
    bool alpha;        /* the last band is alpha, not premultiplied */
} BtRaster;

/* Makes room for a picture of this shape, without alpha; its pixels are undefined. False, and no
 * pixels, when memory is short. */
bool bt_raster_reshape(BtRaster *self, int width, int height, int bands, bool deep);
void bt_raster_clear(BtRaster *self);

size_t bt_raster_pixels(const BtRaster *self); /* their number */
size_t bt_raster_size(const BtRaster *self);   /* bytes */

/* out becomes self upright: orientation is EXIF's, 1 to 8 (TIFF 6.0, tag 274). False when memory is
 * short. */
bool bt_raster_turn(const BtRaster *self, int orientation, BtRaster *out);

/* Lays what is transparent on white: the alpha band goes. */
void bt_raster_flatten(BtRaster *self);

/* 16 bits to the nearest value of 8. */
void bt_raster_to_8_bits(BtRaster *self);

/* out becomes self in another size, of 8 bits: the mean of the pixels that lie under each of its
 * own, colours weighted by alpha; where it is larger, one of them. False when memory is short. */
bool bt_raster_resize(const BtRaster *self, int width, int height, BtRaster *out);

#endif
