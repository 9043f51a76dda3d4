/* SPDX-License-Identifier: MIT */
#include "image/jpeg_scan.h"

#include "image/jpeg_baseline.h"
#include "image/jpeg_progressive.h"

#include <glib.h>
#include <string.h>

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
    if (!find_end(window, &end) || self->blank != 0 || *at > 8 * end || *at + 8 <= 8 * end)
        return false;
    *at = 8 * end;
    return true;
}

bool
bt_jpeg_scan_run(BtJpegScan *self, BtJpegWindow *window)
{
    Decode *decode = choose_decoder(self);
    int n_mcus;
    uint64_t at = 0;

    count_mcus(self);
    n_mcus = self->mcus_across * self->mcus_down;
    self->mcu = 0;
    if (decode == bt_jpeg_baseline_run && !bt_jpeg_baseline_prepare(self))
        return false;
    bt_jpeg_window_begin(window);
    for (;;) {
        int left = n_mcus - self->mcu;
        bool restarts;

        if (!run_segment(self, window, decode,
                         self->interval > 0 ? MIN(left, self->interval) : left, &at))
            return false;
        restarts = window->first_restart < window->n_restarts;
        if (self->mcu == n_mcus)
            return !restarts;
        if (!restarts)
            return false;
        window->first_restart++;
    }
}

void
bt_jpeg_scan_clear(BtJpegScan *self)
{
    bt_jpeg_baseline_free(self->baseline);
}
