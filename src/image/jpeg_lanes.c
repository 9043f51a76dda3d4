/* SPDX-License-Identifier: MIT */
#include "image/jpeg_lanes.h"

#include "image/jpeg_baseline.h"

#include <glib.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define LANES_MAX   16           /* more would wait for their turns */
#define STACK_BYTES (256u << 10) /* of a thread */

/* What lanes share. */
typedef struct Lanes {
    const BtJpegScan *scan;
    int n_mcus; /* of the scan */
    atomic_bool doubt;

    pthread_mutex_t taking; /* of pieces */
    BtJpegWindow *window;
    bool all_taken;
    unsigned n_taken;
    size_t n_used;    /* bytes of the window */
    int n_mcus_taken; /* where there are restarts */

    pthread_mutex_t joining;
    pthread_cond_t joined;
    unsigned n_joined;
    /* The end of the piece that was joined last: */
    uint64_t at; /* bits, in the next one */
    int mcu;
    uint16_t dc[BT_JPEG_LOW_COMPONENTS_MAX];
} Lanes;

typedef struct Lane {
    Lanes *lanes;
    BtJpegScan scan;
    BtJpegWindow piece; /* its data alone, with an end */
    unsigned number;    /* of the piece */
    size_t n_used;      /* bytes of it up to where the next one begins */
    int end;            /* the MCU after it, where there are restarts */
    bool final;
    pthread_t thread;
} Lane;

/* Copies the beginning of the window. */
static void
copy_piece(Lane *self, size_t size, int n_restarts)
{
    const BtJpegWindow *window = self->lanes->window;

    self->piece.data = g_realloc(self->piece.data, size + BT_JPEG_DATA_SLACK);
    memcpy(self->piece.data, window->data, size);
    memset(self->piece.data + size, 0, BT_JPEG_DATA_SLACK);
    memcpy(self->piece.restarts, window->restarts, (size_t)n_restarts * sizeof *window->restarts);
    self->piece.size = size;
    self->piece.first_restart = 0;
    self->piece.n_restarts = n_restarts;
}

/* A piece of a scan that is one segment. */
static bool
take_part(Lane *self)
{
    Lanes *lanes = self->lanes;
    const BtJpegWindow *window = lanes->window;
    size_t size = MIN(window->size, bt_jpeg_baseline_span(&self->scan) + BT_JPEG_RUN_REST);

    self->final = window->ended && size == window->size;
    self->n_used = lanes->n_used = self->final ? size : size - BT_JPEG_RUN_REST;
    copy_piece(self, size, 0);
    return window->n_restarts == 0;
}

/* As many whole segments as the window holds. */
static bool
take_segments(Lane *self)
{
    Lanes *lanes = self->lanes;
    BtJpegWindow *window = lanes->window;
    int n;

    while (!window->ended && window->n_restarts == 0)
        if (!bt_jpeg_window_grow(window) || !bt_jpeg_window_fill(window, 0))
            return false;
    self->final = window->ended;
    n = window->n_restarts + self->final;
    lanes->n_used = self->final ? window->size : window->restarts[n - 1];
    window->first_restart = window->n_restarts;
    copy_piece(self, lanes->n_used, n - 1);
    self->scan.mcu = lanes->n_mcus_taken;
    self->end = self->final ? lanes->n_mcus : self->scan.mcu + n * self->scan.interval;
    lanes->n_mcus_taken = self->end;
    return self->final || self->end < lanes->n_mcus;
}

/* The next piece. False where there is none; *out_doubt: or any doubt. */
static bool
take_piece(Lane *self, bool *out_doubt)
{
    Lanes *lanes = self->lanes;
    bool taken = false;

    pthread_mutex_lock(&lanes->taking);
    if (!lanes->all_taken && !lanes->doubt) {
        taken = bt_jpeg_window_fill(lanes->window, lanes->n_used) &&
                (self->scan.interval > 0 ? take_segments(self) : take_part(self));
        *out_doubt = !taken;
        lanes->all_taken = self->final;
        self->number = lanes->n_taken++;
    }
    pthread_mutex_unlock(&lanes->taking);
    return taken;
}

/* Whether a piece is done: the scan is, or the next piece can be joined. */
static bool
is_through(const Lane *self, uint64_t at, int mcu)
{
    return self->final ? mcu == self->lanes->n_mcus : at >= 8 * (uint64_t)self->n_used;
}

/* Ends this lane's turn. */
static bool
hand_over(Lane *self, uint64_t at, int mcu)
{
    Lanes *lanes = self->lanes;

    if (self->final && !bt_jpeg_is_at_end(at, self->piece.size))
        return false;
    pthread_mutex_lock(&lanes->joining);
    lanes->at = at - 8 * (uint64_t)self->n_used;
    lanes->mcu = mcu;
    lanes->n_joined++;
    pthread_cond_broadcast(&lanes->joined);
    pthread_mutex_unlock(&lanes->joining);
    return true;
}

static bool
wait_for_turn(Lane *self)
{
    Lanes *lanes = self->lanes;

    pthread_mutex_lock(&lanes->joining);
    while (lanes->n_joined != self->number && !lanes->doubt)
        pthread_cond_wait(&lanes->joined, &lanes->joining);
    pthread_mutex_unlock(&lanes->joining);
    return !lanes->doubt;
}

/* The blocks of a piece; what the guess has not found is decoded when its beginning is known. */
static bool
run_part(Lane *self)
{
    Lanes *lanes = self->lanes;
    BtJpegScan *scan = &self->scan;
    BtJpegRun run = {
        .data = self->piece.data, .limit = self->piece.size, .n_mcus = INT_MAX, .guessed = true};
    uint64_t end;
    int n;
    bool through;

    bt_jpeg_baseline_guess(scan, self->piece.ops, &run);
    if (!wait_for_turn(self))
        return false;
    run.guessed = false;
    run.final = self->final;
    run.at = end = lanes->at;
    run.n_mcus = lanes->n_mcus - lanes->mcu;
    scan->mcu = lanes->mcu;
    memcpy(scan->dc, lanes->dc, sizeof scan->dc);
    n = bt_jpeg_baseline_join(scan, &run, &end, lanes->dc);
    through = is_through(self, end, scan->mcu + n);
    if (through && !hand_over(self, end, scan->mcu + n))
        return false;
    bt_jpeg_baseline_place(scan, &run, n);
    if (through)
        return true;
    while (!is_through(self, run.at, scan->mcu)) {
        run.n_mcus = lanes->n_mcus - scan->mcu;
        if (bt_jpeg_baseline_run(scan, self->piece.ops, &run) == 0)
            return false;
    }
    memcpy(lanes->dc, scan->dc, sizeof scan->dc);
    return hand_over(self, run.at, scan->mcu);
}

static void *
run_lane(void *data)
{
    Lane *self = data;
    Lanes *lanes = self->lanes;
    bool doubt = false;

    while (!doubt && take_piece(self, &doubt))
        doubt = self->scan.interval > 0
                    ? !bt_jpeg_scan_segments(&self->scan, &self->piece, self->end)
                    : !run_part(self);
    if (doubt) {
        pthread_mutex_lock(&lanes->joining);
        lanes->doubt = true;
        pthread_cond_broadcast(&lanes->joined);
        pthread_mutex_unlock(&lanes->joining);
    }
    return NULL;
}

static void
init_lane(Lane *self, Lanes *lanes)
{
    *self = (Lane){.lanes = lanes, .scan = *lanes->scan};
    self->piece = (BtJpegWindow){.ops = lanes->window->ops, .ended = true};
    self->piece.restarts = g_new(uint32_t, BT_JPEG_WINDOW_RESTARTS_MAX);
    bt_jpeg_baseline_copy(&self->scan);
}

static void
clear_lane(Lane *self)
{
    bt_jpeg_baseline_free(self->scan.baseline);
    g_free(self->piece.data);
    g_free(self->piece.restarts);
}

/* Starts as many threads as the system gives, runs along, and waits for them. */
static void
run_lanes(Lane *all, int n)
{
    pthread_attr_t attributes;
    int n_started = 1;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (n_started < n &&
           pthread_create(&all[n_started].thread, &attributes, run_lane, &all[n_started]) == 0)
        n_started++;
    pthread_attr_destroy(&attributes);
    run_lane(&all[0]);
    for (int i = 1; i < n_started; i++)
        pthread_join(all[i].thread, NULL);
}

bool
bt_jpeg_lanes_run(BtJpegScan *scan, BtJpegWindow *window)
{
    Lanes lanes = {
        .scan = scan,
        .n_mcus = scan->mcus_across * scan->mcus_down,
        .window = window,
        .taking = PTHREAD_MUTEX_INITIALIZER,
        .joining = PTHREAD_MUTEX_INITIALIZER,
        .joined = PTHREAD_COND_INITIALIZER,
    };
    int n = MIN(scan->n_threads, LANES_MAX);
    g_autofree Lane *all = g_new(Lane, (gsize)n);

    for (int i = 0; i < n; i++)
        init_lane(&all[i], &lanes);
    run_lanes(all, n);
    for (int i = 0; i < n; i++)
        clear_lane(&all[i]);
    return !lanes.doubt;
}
