/* SPDX-License-Identifier: MIT */
#include "image/light.h"

#include <glib.h>
#include <lcms2.h>
#include <math.h>
#include <string.h>

#define SCALE      100000 /* of gAMA and cHRM */
#define WHITE      203.0  /* cd/m2 of SDR's */
#define PEAK       1000.0 /* cd/m2 that still have detail */
#define PQ_MAX     10000.0
#define MATRIX_MAX 16 /* a larger factor is of primaries that make no sense */
#define GAMMA_MIN  10000
#define GAMMA_MAX  1000000
#define GAMMA_SRGB 45455
#define GAMMA_NEAR 10 /* what others round it to */

enum {
    TRANSFER_GAMMA_22 = 4,
    TRANSFER_GAMMA_28 = 5,
    TRANSFER_LINEAR = 8,
    TRANSFER_PQ = 16,
    TRANSFER_HLG = 18
};

#define D65 31270, 32900

static const struct {
    int code;
    int32_t xy[8]; /* white, red, green, blue */
} primaries[] = {
    {1, {D65, 64000, 33000, 30000, 60000, 15000, 6000}},
    {4, {31000, 31600, 67000, 33000, 21000, 71000, 14000, 8000}},
    {5, {D65, 64000, 33000, 29000, 60000, 15000, 6000}},
    {6, {D65, 63000, 34000, 31000, 59500, 15500, 7000}},
    {7, {D65, 63000, 34000, 31000, 59500, 15500, 7000}},
    {9, {D65, 70800, 29200, 17000, 79700, 13100, 4600}},
    {11, {31400, 35100, 68000, 32000, 26500, 69000, 15000, 6000}},
    {12, {D65, 68000, 32000, 26500, 69000, 15000, 6000}},
    {22, {D65, 63000, 34000, 29500, 60500, 15500, 7700}},
};

static double
light_of_srgb(double sample)
{
    return sample <= 0.04045 ? sample / 12.92 : pow((sample + 0.055) / 1.055, 2.4);
}

static const double pq_m1 = 2610.0 / 16384, pq_m2 = 2523.0 / 4096 * 128;
static const double pq_c1 = 3424.0 / 4096, pq_c2 = 2413.0 / 4096 * 32, pq_c3 = 2392.0 / 4096 * 32;

/* cd/m2 */
static double
light_of_pq(double sample)
{
    double p = pow(sample, 1 / pq_m2);

    return PQ_MAX * pow(MAX(p - pq_c1, 0) / (pq_c2 - pq_c3 * p), 1 / pq_m1);
}

static double
pq_of_light(double light)
{
    double p = pow(light / PQ_MAX, pq_m1);

    return pow((pq_c1 + pq_c2 * p) / (1 + pq_c3 * p), pq_m2);
}

/* Of the scene, 0 to 1. */
static double
light_of_hlg(double sample)
{
    const double a = 0.17883277, b = 1 - 4 * a, c = 0.5 - a * log(4 * a);

    return sample <= 0.5 ? sample * sample / 3 : (exp((sample - c) / a) + b) / 12;
}

static double
light_of(const BtCoding *coding, double sample)
{
    switch (coding->transfer) {
    case TRANSFER_GAMMA_22:
        return pow(sample, 2.2);
    case TRANSFER_GAMMA_28:
        return pow(sample, 2.8);
    case TRANSFER_LINEAR:
        return sample;
    case TRANSFER_PQ:
        return light_of_pq(sample) / WHITE;
    case TRANSFER_HLG:
        return light_of_hlg(sample);
    default:
        break;
    }
    if (coding->gamma >= GAMMA_MIN && coding->gamma <= GAMMA_MAX &&
        ABS(coding->gamma - GAMMA_SRGB) > GAMMA_NEAR)
        return pow(sample, (double)SCALE / coding->gamma);
    return light_of_srgb(sample);
}

static void
fill_curve(BtLight *self, const BtCoding *coding)
{
    int most = self->deep ? UINT16_MAX : UINT8_MAX;

    for (int i = 0; i <= most; i++) {
        double sample = (double)i / most;

        if (coding->narrow)
            sample = CLAMP((sample * 255 - 16) / 219, 0, 1);
        self->curve[i] = (float)light_of(coding, sample);
    }
}

/* A profile of linear light. NULL for primaries that make none. */
static cmsHPROFILE
make_linear(const int32_t xy[8])
{
    cmsToneCurve *curve = cmsBuildGamma(NULL, 1.0), *curves[] = {curve, curve, curve};
    cmsCIExyY at[4];
    cmsHPROFILE profile = NULL;

    for (int i = 0; i < 4; i++)
        at[i] = (cmsCIExyY){(double)xy[2 * i] / SCALE, (double)xy[2 * i + 1] / SCALE, 1};
    if (curve != NULL)
        profile = cmsCreateRGBProfile(&at[0], &(cmsCIExyYTRIPLE){at[1], at[2], at[3]}, curves);
    cmsFreeToneCurve(curve);
    return profile;
}

/* What lcms2 makes of each primary alone is a column. */
static bool
fill_matrix(BtLight *self, const int32_t xy[8])
{
    static const double ones[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    static const float srgb[] = {0.2126f, 0.7152f, 0.0722f};
    cmsHPROFILE from = make_linear(xy), to = make_linear(primaries[0].xy);
    cmsHTRANSFORM transform = NULL;
    double columns[3][3];

    if (from != NULL && to != NULL)
        transform =
            cmsCreateTransform(from, TYPE_RGB_DBL, to, TYPE_RGB_DBL, INTENT_RELATIVE_COLORIMETRIC,
                               cmsFLAGS_NOOPTIMIZE | cmsFLAGS_NOCACHE);
    g_clear_pointer(&from, cmsCloseProfile);
    g_clear_pointer(&to, cmsCloseProfile);
    if (transform == NULL)
        return false;
    cmsDoTransform(transform, ones, columns, 3);
    cmsDeleteTransform(transform);
    for (int k = 0; k < 3; k++) {
        self->luminance[k] = 0;
        for (int i = 0; i < 3; i++) {
            if (!(fabs(columns[k][i]) <= MATRIX_MAX))
                return false;
            self->matrix[i][k] = (float)columns[k][i];
            self->luminance[k] += srgb[i] * self->matrix[i][k];
        }
    }
    return true;
}

/* Of primaries that are not known, or make no sense: sRGB's. */
static const int32_t *
find_primaries(const BtCoding *coding)
{
    const int32_t *xy = coding->xy;

    for (size_t i = 0; i < G_N_ELEMENTS(primaries); i++)
        if (primaries[i].code == coding->primaries)
            return primaries[i].xy;
    for (int i = 0; i < 8; i += 2)
        if (xy[0] <= 0 || xy[i] > SCALE || xy[i + 1] <= 0 || xy[i + 1] > SCALE)
            return primaries[0].xy;
    return xy;
}

/* BT.2390's roll-off: cd/m2 of a screen of WHITE for those of one of PEAK. */
static float
roll_off(float light)
{
    double peak = pq_of_light(PEAK), most = pq_of_light(WHITE) / peak, knee = 1.5 * most - 0.5;
    double coded = MIN(pq_of_light(light) / peak, 1), t = (coded - knee) / (1 - knee);

    if (coded < knee)
        return light;
    coded = (2 * t * t * t - 3 * t * t + 1) * knee + (t * t * t - 2 * t * t + t) * (1 - knee) +
            (-2 * t * t * t + 3 * t * t) * most;
    return (float)light_of_pq(coded * peak);
}

static void
dim(const BtLight *self, float rgb[3])
{
    const float *weight = self->luminance;
    float gain = 1, most;

    if (self->hlg) {
        float scene = weight[0] * rgb[0] + weight[1] * rgb[1] + weight[2] * rgb[2];

        gain = (float)(PEAK / WHITE) * powf(MAX(scene, 0), 0.2f);
    }
    most = MAX(MAX(rgb[0], rgb[1]), rgb[2]) * gain;
    if (most > 0)
        gain *= roll_off(most * (float)WHITE) / (float)WHITE / most;
    for (int i = 0; i < 3; i++)
        rgb[i] *= gain;
}

/* Towards grey of the same luminance, no further than needed. */
static void
fit(float rgb[3])
{
    float grey = 0.2126f * rgb[0] + 0.7152f * rgb[1] + 0.0722f * rgb[2], part = 1;

    grey = CLAMP(grey, 0, 1);
    for (int i = 0; i < 3; i++) {
        if (rgb[i] < 0)
            part = MIN(part, grey / (grey - rgb[i]));
        else if (rgb[i] > 1)
            part = MIN(part, (1 - grey) / (rgb[i] - grey));
    }
    for (int i = 0; i < 3; i++)
        rgb[i] = CLAMP(grey + part * (rgb[i] - grey), 0, 1);
}

static void
convert(const BtLight *self, float rgb[3])
{
    float in[3];

    if (self->hdr)
        dim(self, rgb);
    memcpy(in, rgb, sizeof in);
    for (int i = 0; i < 3; i++)
        rgb[i] =
            self->matrix[i][0] * in[0] + self->matrix[i][1] * in[1] + self->matrix[i][2] * in[2];
    fit(rgb);
    for (int i = 0; i < 3; i++)
        rgb[i] = rgb[i] <= 0.0031308f ? rgb[i] * 12.92f : 1.055f * powf(rgb[i], 1 / 2.4f) - 0.055f;
}

void
bt_light_apply(const BtLight *self, const void *in, void *out, size_t n_px, int colours, bool alpha)
{
    const uint8_t *narrow_in = in;
    const uint16_t *wide_in = in;
    uint8_t *narrow_out = out;
    uint16_t *wide_out = out;
    size_t bands = (size_t)colours + alpha;

    for (size_t at = 0; at < n_px * bands; at += bands) {
        float rgb[3];

        for (int i = 0; i < 3; i++) {
            size_t k = at + (size_t)MIN(i, colours - 1);

            rgb[i] = self->curve[self->deep ? wide_in[k] : narrow_in[k]];
        }
        convert(self, rgb);
        for (size_t i = 0; i < (size_t)colours; i++) {
            if (self->deep)
                wide_out[at + i] = (uint16_t)(rgb[i] * UINT16_MAX + 0.5f);
            else
                narrow_out[at + i] = (uint8_t)(rgb[i] * UINT8_MAX + 0.5f);
        }
        if (alpha && self->deep)
            wide_out[at + bands - 1] = wide_in[at + bands - 1];
        else if (alpha)
            narrow_out[at + bands - 1] = narrow_in[at + bands - 1];
    }
}

bool
bt_light_prepare(BtLight *self, const BtCoding *coding, bool deep)
{
    self->deep = deep;
    self->hlg = coding->transfer == TRANSFER_HLG;
    self->hdr = bt_coding_is_hdr(coding);
    if (!fill_matrix(self, find_primaries(coding)) && !fill_matrix(self, primaries[0].xy))
        return false;
    fill_curve(self, coding);
    return true;
}
