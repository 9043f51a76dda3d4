/* SPDX-License-Identifier: MIT */
#include "kernel/plan.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Sources shrink by no more than this: a bound for the arithmetic, far above any use. */
#define SHRINK_MAX 16384

#define LOBES 3 /* of the Lanczos filter, on each side */

/* What may be left out of a row of weights on each side: 1/4 of a level of 16 bits where the
 * picture goes from black to white. */
#define TAIL (0.25 / 65535)

/* Gaussians are sampled this far, as in the definition: what is beyond weighs 2e-9. */
#define SIGMAS 6

/* K of the header for x >= 0: values[k] is K(k step). */
typedef struct Profile {
    double *values;
    double step;
    int per_pitch; /* steps */
    double radius; /* K beyond it is left out */
    int n;
} Profile;

/* K on both sides of 0, for cubic interpolation: all taps of a row lie alike between its samples,
 * so they are kept apart by that. values[(k % per_pitch) * n + k / per_pitch] is K((k - zero)
 * step). */
typedef struct Phases {
    double *values;
    double step;
    int per_pitch;
    int n;
    int zero;
} Phases;

/* A row of weights before it is folded onto the picture. */
typedef struct Row {
    double *values;
    double *folded; /* onto the taps of the picture */
    int n;
} Row;

int
bt_plan_shrink(double sigma, double scale)
{
    double bound = fmax(sigma / 1.8, scale / 4);
    int shrink = 1;

    while (shrink < SHRINK_MAX && 2 * shrink <= bound)
        shrink *= 2;
    return shrink;
}

static int
shrink_side(int side, double scale)
{
    long rounded = lround(side / scale);

    return rounded < 1 ? 1 : (int)rounded;
}

double
bt_plan_fit(int width, int height, int box_width, int box_height, int *out_width, int *out_height)
{
    double scale =
        fmax(1, fmax((double)width / (double)box_width, (double)height / (double)box_height));

    *out_width = shrink_side(width, scale);
    *out_height = shrink_side(height, scale);
    return scale;
}

static double
lanczos(double x)
{
    double a = M_PI * x;

    if (fabs(x) >= LOBES)
        return 0;
    return x == 0 ? 1 : LOBES * sin(a) * sin(a / LOBES) / (a * a);
}

static double
gaussian(double x, double variance)
{
    if (x == 0)
        return 1;
    return variance > 0 ? exp(-0.5 * x * x / variance) : 0;
}

static void
profile_clear(Profile *self)
{
    free(self->values);
}

/* The Gaussian on the grid of the profile. One that is much narrower than the grid becomes its
 * centre alone, which is right: it changes nothing then. A negative variance, where averages have
 * blurred more than was asked for, becomes what has this variance and undoes it at low frequencies:
 * the second difference. */
static void
make_bell(double *bell, int reach, double variance, double step)
{
    for (int k = 0; variance >= 0 && k <= reach; k++)
        bell[k] = gaussian(k * step, variance);
    if (variance < 0) {
        double distance = reach * step;

        bell[reach] = variance / (2 * distance * distance);
        bell[0] = 1 - 2 * bell[reach];
    }
}

/* Convolves the two filters. */
static bool
profile_convolve(Profile *self, double variance, double scale, int n_lanczos, int n_bell)
{
    double *bell = calloc((size_t)self->n + (size_t)n_lanczos + 1, sizeof *bell);

    self->values = calloc((size_t)self->n, sizeof *self->values);
    if (bell == NULL || self->values == NULL) {
        free(bell);
        return false;
    }
    make_bell(bell, n_bell, variance, self->step);
    for (int q = -n_lanczos; q <= n_lanczos; q++) {
        double weight = lanczos(q * self->step / scale);

        for (int k = 0; k < self->n; k++)
            self->values[k] += weight * bell[abs(k - q)];
    }
    free(bell);
    return true;
}

/* Samples that lie `pitch` apart and beyond x weigh together no more than the integral of |K| from
 * there and one pitch of its greatest value there. */
static void
profile_cut(Profile *self, double pitch)
{
    const double *values = self->values;
    double total = -values[0], beyond = 0, greatest = 0;
    int k = self->n - 1;

    for (int i = 0; i < self->n; i++)
        total += 2 * values[i];
    for (; k > 0; k--) {
        beyond += fabs(values[k]) * self->step;
        greatest = fmax(greatest, fabs(values[k]));
        if (beyond + greatest * pitch > TAIL * total * self->step)
            break;
    }
    self->radius = (k + 1) * self->step;
}

/* The step is fine enough for cubic interpolation of K to be right to 1e-7 of its height, and for
 * the sampled Lanczos filter to act as the continuous one. A Gaussian that is much wider than the
 * filter stands alone: the filter is flat where it has any power. */
static bool
profile_init(Profile *self, const BtAxis *axis, double variance)
{
    double sigma = sqrt(fmax(variance, 0));
    double needed = (double)axis->source / axis->out;
    double scale = sigma < axis->pitch ? fmax(needed, axis->pitch) : needed;
    bool is_alone = sigma > 8 * scale;
    double width = is_alone ? sigma : fmin(hypot(sigma, scale / 2), 4 * scale);
    int n_lanczos, n_bell;

    self->per_pitch = (int)ceil(32 * axis->pitch / width);
    self->step = axis->pitch / self->per_pitch;
    n_lanczos = is_alone ? 0 : (int)ceil(LOBES * scale / self->step);
    n_bell = (int)ceil((variance < 0 ? scale / 4 : SIGMAS * sigma) / self->step);
    self->n = n_lanczos + n_bell + 1;
    if (!profile_convolve(self, variance, scale, n_lanczos, n_bell))
        return false;
    profile_cut(self, axis->pitch);
    return true;
}

static bool
row_init(Row *self, int n, int n_taps)
{
    self->n = n;
    self->values = calloc((size_t)n, sizeof *self->values);
    self->folded = calloc((size_t)n_taps, sizeof *self->folded);
    return self->values != NULL && self->folded != NULL;
}

static void
row_clear(Row *self)
{
    free(self->values);
    free(self->folded);
}

static int
least_of(int a, int b)
{
    return a < b ? a : b;
}

static int
greatest_of(int a, int b)
{
    return a > b ? a : b;
}

static int
clamp(int x, int least, int most)
{
    return x < least ? least : x > most ? most : x;
}

/* Folds row i that begins at sample `begin`, and its pair at `pair`, onto the picture, and makes
 * its sum 1 while it is still in double: what is left is the rounding of each weight. */
static void
put_row(BtWeights *self, int i, const Row *row, int begin, int pair, int samples)
{
    float *weights = self->weights + (size_t)i * (size_t)self->stride;
    int first = clamp(pair, 0, samples - self->n_taps);
    double total = 0;

    memset(row->folded, 0, (size_t)self->n_taps * sizeof *row->folded);
    for (int t = 0; t < row->n; t++) {
        row->folded[clamp(begin + t, 0, samples - 1) - first] += row->values[t];
        total += row->values[t];
    }
    for (int t = 0; t < self->n_taps; t++)
        weights[t] = (float)(row->folded[t] * (1 / total));
    self->first[i] = first;
}

static bool
weights_reserve(BtWeights *self, int n_out, int n_taps)
{
    size_t bytes;

    self->n_out = n_out;
    self->n_taps = n_taps;
    self->stride = (n_taps + 15) / 16 * 16;
    bytes = (size_t)n_out * (size_t)self->stride * sizeof *self->weights;
    self->first = calloc((size_t)n_out, sizeof *self->first);
    self->weights = aligned_alloc(64, bytes);
    if (self->first == NULL || self->weights == NULL)
        return false;
    memset(self->weights, 0, bytes);
    return true;
}

/* Of a pair of rows, each of n samples, that begins at the same one. */
static int
count_taps(const BtAxis *axis, int n)
{
    int apart = axis->out > 1 ? (int)ceil(axis->source / (axis->out * axis->pitch)) : 0;

    return n + apart < axis->samples ? n + apart : axis->samples;
}

static double
centre_of(const BtAxis *axis, int i)
{
    return (i + 0.5) * axis->source / axis->out;
}

/* The first of the two rows that row i is one of. */
static int
pair_of(int i)
{
    return i - i % 2;
}

/* The first sample within the radius of output pixel i. */
static int
begin_of(const BtAxis *axis, int i, double radius)
{
    return (int)ceil((centre_of(axis, i) - radius) / axis->pitch - 0.5);
}

/* The first tap of a row reads up to a pitch and five steps from the first sample, which may be six
 * pitches. */
static bool
phases_init(Phases *self, const Profile *profile, int n_taps)
{
    int n_steps;

    *self = (Phases){.step = profile->step,
                     .per_pitch = profile->per_pitch,
                     .n = n_taps + 6,
                     .zero = (int)ceil(profile->radius / profile->step) + 2};
    n_steps = self->n * self->per_pitch;
    self->values = calloc((size_t)n_steps, sizeof *self->values);
    for (int k = 0; self->values != NULL && k < n_steps; k++) {
        int distance = abs(k - self->zero);

        if (distance < profile->n)
            self->values[k % self->per_pitch * self->n + k / self->per_pitch] =
                profile->values[distance];
    }
    return self->values != NULL;
}

/* K at x, which is in the first pitch of the profile, and every pitch from there. */
static void
phases_read(const Phases *self, Row *out, double x)
{
    double position = x / self->step + self->zero;
    int k = (int)position;
    double t = position - k;
    const double parts[] = {t * (t - 1) * (2 - t) / 6, (t + 1) * (t - 1) * (t - 2) / 2,
                            (t + 1) * t * (2 - t) / 2, (t + 1) * t * (t - 1) / 6};
    const double *values[4];

    for (int i = 0; i < 4; i++)
        values[i] =
            self->values + (k - 1 + i) % self->per_pitch * self->n + (k - 1 + i) / self->per_pitch;
    for (int i = 0; i < out->n; i++)
        out->values[i] = parts[0] * values[0][i] + parts[1] * values[1][i] +
                         parts[2] * values[2][i] + parts[3] * values[3][i];
}

static bool
weights_sample(BtWeights *self, const BtAxis *axis, const Profile *profile)
{
    int n = (int)(2 * profile->radius / axis->pitch) + 1;
    Phases phases = {0};
    Row row = {0};
    bool ok = weights_reserve(self, axis->out, count_taps(axis, n)) &&
              row_init(&row, n, self->n_taps) && phases_init(&phases, profile, n);

    for (int i = 0; ok && i < axis->out; i++) {
        int begin = begin_of(axis, i, profile->radius);
        int pair = begin_of(axis, pair_of(i), profile->radius);

        phases_read(&phases, &row, (begin + 0.5) * axis->pitch - centre_of(axis, i));
        put_row(self, i, &row, begin, pair, axis->samples);
    }
    free(phases.values);
    row_clear(&row);
    return ok;
}

/* Whether the Lanczos filter of output pixel i reaches past the picture, and so has a shape of its
 * own: it is cut off there. */
static bool
is_cut(const BtAxis *axis, int i)
{
    double reach = LOBES * (double)axis->source / axis->out;
    double centre = centre_of(axis, i);

    return centre - reach < 0 || centre + reach > axis->source;
}

static int
gcd(int a, int b)
{
    return b == 0 ? a : gcd(b, a % b);
}

/* The pixel that holds the centre of output pixel i: in whole numbers, so that rows of one phase
 * lie exactly alike. */
static int
anchor_of(const BtAxis *axis, int i)
{
    return (int)((2 * (int64_t)i + 1) * axis->source / (2 * (int64_t)axis->out));
}

/* Row i of the product of the two filters; bell[reach + k] is the Gaussian k px from its centre. */
static void
compose_row(Row *row, const BtAxis *axis, int i, const double *bell, int reach)
{
    double scale = (double)axis->source / axis->out, centre = centre_of(axis, i);
    int begin = anchor_of(axis, i) - row->n / 2;
    int from = (int)floor(fmax(centre - LOBES * scale + 0.5, 0));
    int to = (int)floor(fmin(centre + LOBES * scale + 0.5, axis->source));

    memset(row->values, 0, (size_t)row->n * sizeof *row->values);
    for (int m = from; m < to; m++) {
        double weight = lanczos((m + 0.5 - centre) / scale);
        int left = clamp(m - reach - begin, 0, row->n);
        int right = clamp(m + reach + 1 - begin, 0, row->n);

        for (int t = left; t < right; t++)
            row->values[t] += weight * bell[begin + t - m + reach];
    }
}

/* Output pixels whose centres lie alike between the source's pixels have the same row, unless it is
 * cut: so rows are made phase by phase. */
static bool
weights_compose(BtWeights *self, const BtAxis *axis, double sigma, const Profile *profile)
{
    int radius = (int)ceil(profile->radius), n = 2 * radius + 1;
    int n_phases = axis->out / gcd(axis->source, axis->out);
    int reach = (int)ceil(SIGMAS * sigma);
    double *bell = calloc(2 * (size_t)reach + 1, sizeof *bell);
    Row row = {0};
    bool ok = bell != NULL && weights_reserve(self, axis->out, count_taps(axis, n)) &&
              row_init(&row, n, self->n_taps);

    for (int k = -reach; ok && k <= reach; k++)
        bell[reach + k] = gaussian(k, sigma * sigma);
    for (int phase = 0; ok && phase < n_phases; phase++) {
        bool made = false;

        for (int i = phase; i < axis->out; i += n_phases) {
            if (!made || is_cut(axis, i))
                compose_row(&row, axis, i, bell, reach);
            made = !is_cut(axis, i);
            put_row(self, i, &row, anchor_of(axis, i) - radius,
                    anchor_of(axis, pair_of(i)) - radius, axis->samples);
        }
    }
    row_clear(&row);
    free(bell);
    return ok;
}

/* Rows in groups of `merge` become their mean; the last one repeated where a group is not whole. */
static bool
weights_merge(BtWeights *self, const BtAxis *axis)
{
    int merge = axis->merge, n_out = (self->n_out - 1) / merge + 1, last = self->n_out - 1;
    BtWeights whole = *self;
    int spread = 0;

    for (int i = 0; i <= last; i += 2 * merge)
        spread =
            greatest_of(spread, whole.first[least_of(i + 2 * merge - 1, last)] - whole.first[i]);
    if (!weights_reserve(self, n_out, whole.n_taps + spread)) {
        bt_weights_clear(&whole);
        return false;
    }
    for (int i = 0; i < n_out * merge; i++) {
        const float *row = whole.weights + (size_t)least_of(i, last) * (size_t)whole.stride;
        float *mean = self->weights + (size_t)(i / merge) * (size_t)self->stride;

        if (i % (2 * merge) == 0)
            self->first[i / merge] = least_of(whole.first[i], axis->samples - self->n_taps);
        else if (i % merge == 0)
            self->first[i / merge] = self->first[i / merge - 1];
        mean += whole.first[least_of(i, last)] - self->first[i / merge];
        for (int t = 0; t < whole.n_taps; t++)
            mean[t] += row[t] / (float)merge;
    }
    bt_weights_clear(&whole);
    return true;
}

bool
bt_weights_init(BtWeights *out_weights, const BtAxis *axis, double sigma)
{
    double variance = sigma * sigma - (axis->pitch * axis->pitch - 1) / 12;
    Profile profile = {0};
    BtWeights made = {0};
    bool ok;

    assert(axis->out >= 1 && axis->out <= axis->source && axis->samples >= 1);
    assert(axis->pitch >= 1 && axis->merge >= 0 && sigma >= 0);
    ok = profile_init(&profile, axis, variance) &&
         (axis->pitch > 1 ? weights_sample(&made, axis, &profile)
                          : weights_compose(&made, axis, sigma, &profile));
    profile_clear(&profile);
    if (ok && axis->merge > 1)
        ok = weights_merge(&made, axis);
    if (ok)
        *out_weights = made;
    else
        bt_weights_clear(&made);
    return ok;
}

void
bt_weights_clear(BtWeights *self)
{
    free(self->first);
    free(self->weights);
    *self = (BtWeights){0};
}
