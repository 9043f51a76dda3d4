/* SPDX-License-Identifier: MIT */
#include "image/jpeg_scan.h"

#include "image/jpeg_baseline.h"
#include "image/jpeg_lanes.h"
#include "image/jpeg_progressive.h"

#include <glib.h>
#include <string.h>

/* Larger values than fit, shifted to their place, may be 0 there. */
#define INT16_BITS 16

/* The decoder of a scan: takes as many whole MCUs of a run as it can, moves scan->mcu and run->at
 * behind them, and returns their number; 0 for any doubt. */
typedef int Decode(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run);

static Decode *
choose_decoder(const BtJpegScan *self)
{
    if (!self->progressive || (self->first == 0 && self->high == 0))
        return bt_jpeg_baseline_run;
    if (self->first == 0)
        return bt_jpeg_refine_dc;
    return self->high == 0 ? bt_jpeg_first_ac : bt_jpeg_refine_ac;
}

/* A scan of one component has an MCU for each of its blocks, without those that only fill up MCUs
 * of several. */
static void
count_mcus(BtJpegScan *self)
{
    const BtJpegLowComponent *component = self->components[0];
    bool single = bt_jpeg_scan_is_single(self);

    self->mcus_across = single ? component->width : component->stride / component->across;
    self->mcus_down = single ? component->height : component->n_rows / component->down;
    self->mcu_blocks = single ? 1 : 0;
    for (int i = 0; i < self->n_components && !single; i++)
        self->mcu_blocks += self->components[i]->across * self->components[i]->down;
}

/* Where the segment ends, if that is known. */
static bool
find_end(const BtJpegWindow *window, size_t *out_end)
{
    bool restarts = window->first_restart < window->n_restarts;

    *out_end = restarts ? window->restarts[window->first_restart] : window->size;
    return restarts || window->ended;
}

/* *at: bits; counted anew when what is before is dropped. */
static bool
fill(BtJpegWindow *window, uint64_t *at)
{
    if (!bt_jpeg_window_fill(window, *at >> 3))
        return false;
    *at &= 7;
    return true;
}

/* From *at to the beginning of the next segment. */
static bool
run_segment(BtJpegScan *self, BtJpegWindow *window, Decode *decode, int n_mcus, uint64_t *at)
{
    size_t end;

    memset(self->dc, 0, sizeof self->dc);
    self->blank = 0;
    while (n_mcus > 0) {
        BtJpegRun run = {.n_mcus = n_mcus};
        int n;

        if (!find_end(window, &run.limit) && !fill(window, at))
            return false;
        run.final = find_end(window, &run.limit);
        run.data = window->data;
        run.at = *at;
        if ((n = decode(self, window->ops, &run)) == 0)
            return false;
        n_mcus -= n;
        *at = run.at;
    }
    if (!find_end(window, &end) && !fill(window, at))
        return false;
    if (!find_end(window, &end) || self->blank != 0 || !bt_jpeg_is_at_end(*at, end))
        return false;
    *at = 8 * end;
    return true;
}

/* The whole segments that are in the window, from `at` on, at most as many as there are streams.
 * Returns their number. */
static int
find_segments(const BtJpegScan *self, const BtJpegWindow *window, int n_mcus, uint64_t at,
              BtJpegRun out_runs[BT_JPEG_STREAMS_MAX])
{
    int n = 0, restart = window->first_restart;

    for (; n < self->n_streams && n_mcus > 0; n++, restart++) {
        bool restarts = restart < window->n_restarts;
        size_t end = restarts ? window->restarts[restart] : window->size;

        if (!restarts && (!window->ended || restart > window->n_restarts))
            break;
        out_runs[n] = (BtJpegRun){window->data, at, end, true, MIN(n_mcus, self->interval), false};
        n_mcus -= out_runs[n].n_mcus;
        at = 8 * end;
    }
    return n;
}

/* Several segments at once, if they are there (*out_done); from *at to the end of the last one. */
static bool
run_segments(BtJpegScan *self, BtJpegWindow *window, int n_mcus, uint64_t *at, bool *out_done)
{
    BtJpegRun runs[BT_JPEG_STREAMS_MAX];
    int n = find_segments(self, window, n_mcus, *at, runs);

    if (n < self->n_streams && !window->ended) {
        if (!fill(window, at))
            return false;
        n = find_segments(self, window, n_mcus, *at, runs);
    }
    *out_done = n > 1;
    if (n <= 1)
        return true;
    if (!bt_jpeg_baseline_run_segments(self, window->ops, runs, n))
        return false;
    for (int i = 0; i < n; i++)
        if (!bt_jpeg_is_at_end(runs[i].at, runs[i].limit))
            return false;
    *at = 8 * runs[n - 1].limit;
    window->first_restart += n - 1;
    return true;
}

/* One segment or several, from *at to the end of the last one. */
static bool
run_some(BtJpegScan *self, BtJpegWindow *window, Decode *decode, int n_mcus, uint64_t *at)
{
    bool done = false;

    if (self->interval == 0)
        return run_segment(self, window, decode, n_mcus, at);
    if (decode == bt_jpeg_baseline_run && bt_jpeg_baseline_has_room(self, self->interval) &&
        !run_segments(self, window, n_mcus, at, &done))
        return false;
    return done || run_segment(self, window, decode, MIN(n_mcus, self->interval), at);
}

bool
bt_jpeg_scan_segments(BtJpegScan *self, BtJpegWindow *window, int n_mcus)
{
    uint64_t at = 0;

    for (;;) {
        bool restarts;

        if (!run_some(self, window, choose_decoder(self), n_mcus - self->mcu, &at))
            return false;
        restarts = window->first_restart < window->n_restarts;
        if (self->mcu == n_mcus)
            return !restarts;
        if (!restarts)
            return false;
        window->first_restart++;
    }
}

/* What AC coefficients are read with. */
static void
make_tables(BtJpegScan *self)
{
    for (int i = 0; i < self->n_components; i++) {
        BtJpegTable *table = &self->ac_tables[self->components[i]->ac_table];

        if (!table->has_values && (self->components[i]->last > 0 || self->clip != NULL)) {
            bt_jpeg_ac_values_init(&table->values, &table->symbols);
            table->has_values = true;
        }
        if (self->first > 0) {
            self->passes = g_new(BtJpegAcPasses, 1);
            bt_jpeg_ac_passes_init(self->passes, &table->symbols,
                                   self->high > 0 ? 1 : (unsigned)(INT16_BITS - 1 - self->low));
        }
    }
}

bool
bt_jpeg_scan_run(BtJpegScan *self, BtJpegWindow *window)
{
    bool baseline = choose_decoder(self) == bt_jpeg_baseline_run;

    count_mcus(self);
    self->mcu = 0;
    if (self->last > 0)
        make_tables(self);
    if (baseline && !bt_jpeg_baseline_prepare(self))
        return false;
    bt_jpeg_window_begin(window);
    return baseline && self->n_threads > 1
               ? bt_jpeg_lanes_run(self, window)
               : bt_jpeg_scan_segments(self, window, self->mcus_across * self->mcus_down);
}

void
bt_jpeg_scan_clear(BtJpegScan *self)
{
    bt_jpeg_baseline_free(self->baseline);
    g_free(self->passes);
}
