/* SPDX-License-Identifier: MIT */
#include "image/thumbhash.h"

#include "kernel/plan.h"
#include "kernel/ycc.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#define SIDE_MAX  100
#define WAVES_MAX 7  /* in one direction */
#define HASH_MAX  25 /* bytes */

/* Below this a wave is not there, and what is computed is rounding. */
#define NO_WAVE 1e-9

/* A channel as waves: its mean, and how high the others are of the highest. */
typedef struct Channel {
    double mean, highest;
    double heights[WAVES_MAX * (WAVES_MAX + 1) / 2];
    int n;
} Channel;

typedef struct Hasher {
    int width, height;
    double across[WAVES_MAX][SIDE_MAX], down[WAVES_MAX][SIDE_MAX]; /* cosines */
    double *lightness, *yellow, *red, *alpha; /* yellow against blue, red against green */
    double opaque;                            /* the sum of alpha */
    uint8_t bytes[HASH_MAX];
    int n_halves; /* bytes written, times 2 */
} Hasher;

static void
make_waves(double waves[WAVES_MAX][SIDE_MAX], int side)
{
    for (int wave = 0; wave < WAVES_MAX; wave++)
        for (int i = 0; i < side; i++)
            waves[wave][i] = cos(G_PI / side * wave * (i + 0.5));
}

/* The lowest of nx by ny waves: the triangle of those that are low in both directions together. */
static Channel
transform(const Hasher *self, const double *samples, int nx, int ny)
{
    Channel channel = {0};

    for (int v = 0; v < ny; v++) {
        double columns[SIDE_MAX] = {0};

        for (int y = 0; y < self->height; y++)
            for (int x = 0; x < self->width; x++)
                columns[x] += samples[y * self->width + x] * self->down[v][y];
        for (int u = 0; u * ny < nx * (ny - v); u++) {
            double height = 0;

            for (int x = 0; x < self->width; x++)
                height += columns[x] * self->across[u][x];
            height /= self->width * self->height;
            if (u == 0 && v == 0) {
                channel.mean = height;
                continue;
            }
            height = fabs(height) < NO_WAVE ? 0 : height;
            channel.heights[channel.n++] = height;
            channel.highest = MAX(channel.highest, fabs(height));
        }
    }
    for (int i = 0; i < channel.n; i++)
        channel.heights[i] =
            channel.highest > 0 ? 0.5 + 0.5 / channel.highest * channel.heights[i] : 0;
    return channel;
}

/* From 8 bits, laid on the mean colour where it is not opaque. */
static void
take_pixels(Hasher *self, const BtRaster *raster)
{
    size_t n = bt_raster_pixels(raster), bands = (size_t)raster->bands;
    size_t green = bands > 2 ? 1 : 0, blue = bands > 2 ? 2 : 0;
    double mean[3] = {0};

    for (size_t i = 0; i < n; i++) {
        const uint8_t *px = raster->pixels + i * bands;
        double alpha = raster->alpha ? px[bands - 1] / 255.0 : 1;

        mean[0] += alpha / 255 * px[0];
        mean[1] += alpha / 255 * px[green];
        mean[2] += alpha / 255 * px[blue];
        self->opaque += self->alpha[i] = alpha;
    }
    for (int i = 0; i < 3 && self->opaque > 0; i++)
        mean[i] /= self->opaque;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *px = raster->pixels + i * bands;
        double alpha = self->alpha[i];
        double r = mean[0] * (1 - alpha) + alpha / 255 * px[0];
        double g = mean[1] * (1 - alpha) + alpha / 255 * px[green];
        double b = mean[2] * (1 - alpha) + alpha / 255 * px[blue];

        self->lightness[i] = (r + g + b) / 3;
        self->yellow[i] = (r + g) / 2 - b;
        self->red[i] = r - g;
    }
}

static uint32_t
whole(double value)
{
    return (uint32_t)(value + 0.5);
}

static void
put_bytes(Hasher *self, uint32_t value, int n)
{
    for (int i = 0; i < n; i++, self->n_halves += 2)
        self->bytes[self->n_halves / 2] = (uint8_t)(value >> (8 * i));
}

static void
put_channel(Hasher *self, const Channel *channel)
{
    for (int i = 0; i < channel->n; i++, self->n_halves++)
        self->bytes[self->n_halves / 2] |=
            (uint8_t)(whole(15 * channel->heights[i]) << (self->n_halves % 2 * 4));
}

static void
put_hash(Hasher *self)
{
    int width = self->width, height = self->height, longer = MAX(width, height);
    bool has_alpha = self->opaque<width * height, lies = width> height;
    double most = has_alpha ? 5 : 7;
    int nx = MAX(1, (int)whole(most * width / longer));
    int ny = MAX(1, (int)whole(most * height / longer));
    Channel lightness = transform(self, self->lightness, MAX(3, nx), MAX(3, ny));
    Channel yellow = transform(self, self->yellow, 3, 3);
    Channel red = transform(self, self->red, 3, 3);
    Channel alpha = {0};

    put_bytes(self,
              whole(63 * lightness.mean) | whole(31.5 + 31.5 * yellow.mean) << 6 |
                  whole(31.5 + 31.5 * red.mean) << 12 | whole(31 * lightness.highest) << 18 |
                  (uint32_t)has_alpha << 23,
              3);
    put_bytes(self,
              (uint32_t)(lies ? ny : nx) | whole(63 * yellow.highest) << 3 |
                  whole(63 * red.highest) << 9 | (uint32_t)lies << 15,
              2);
    if (has_alpha) {
        alpha = transform(self, self->alpha, 5, 5);
        put_bytes(self, whole(15 * alpha.mean) | whole(15 * alpha.highest) << 4, 1);
    }
    put_channel(self, &lightness);
    put_channel(self, &yellow);
    put_channel(self, &red);
    put_channel(self, &alpha);
}

/* Of one raster, or of three planes in one size: Y, Cb and Cr. */
static bool
reduce(const BtRaster *rasters, int n_rasters, BtRaster *out)
{
    BtRaster plane = {0};
    int width, height;
    bool ok;

    bt_plan_fit(rasters->width, rasters->height, SIDE_MAX, SIDE_MAX, &width, &height);
    if (n_rasters == 1)
        return bt_raster_resize(rasters, width, height, out);
    ok = bt_raster_reshape(out, width, height, 3, false);
    for (int i = 0; i < 3 && ok; i++) {
        ok = bt_raster_resize(&rasters[i], width, height, &plane);
        for (size_t k = 0; ok && k < bt_raster_pixels(out); k++)
            out->pixels[3 * k + (size_t)i] = plane.pixels[k];
    }
    for (uint8_t *px = out->pixels; ok && px < out->pixels + bt_raster_size(out); px += 3) {
        uint32_t rgb = bt_ycc_to_rgb(px[0] * 257, px[1] * 257, px[2] * 257);

        for (int band = 0; band < 3; band++)
            px[band] = (uint8_t)(rgb >> (8 * band));
    }
    bt_raster_clear(&plane);
    return ok;
}

bool
bt_thumbhash_make(const BtRaster *rasters, int n_rasters, BtOutcome *outcome)
{
    BtRaster small = {0};
    bool ok = reduce(rasters, n_rasters, &small);
    size_t n = bt_raster_pixels(&small);
    g_autofree double *samples = ok ? g_try_new(double, 4 * n) : NULL;
    g_autofree char *text = NULL;
    Hasher hasher = {.width = small.width, .height = small.height};

    if (samples != NULL) {
        hasher.lightness = samples;
        hasher.yellow = samples + n;
        hasher.red = samples + 2 * n;
        hasher.alpha = samples + 3 * n;
        make_waves(hasher.across, hasher.width);
        make_waves(hasher.down, hasher.height);
        take_pixels(&hasher, &small);
        put_hash(&hasher);
        text = g_base64_encode(hasher.bytes, (gsize)(hasher.n_halves + 1) / 2);
        g_strlcpy(outcome->thumbhash, text, sizeof outcome->thumbhash);
    }
    bt_raster_clear(&small);
    return samples != NULL || bt_outcome_fail_memory(outcome);
}
