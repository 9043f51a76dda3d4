/* SPDX-License-Identifier: MIT */
#include "bench/verdict.h"

#include <stdarg.h>
#include <stdlib.h>

#define GOOD_EFFICIENCY 0.95 /* of workers that have a processor each: 1.9 with two */
#define WORTH_TELLING   0.02 /* of the worker-seconds */
#define MOST_OF         0.5
#define GIANT           1.1  /* of an equal share */
#define FEW             4    /* pictures a worker */
#define NOISY           0.10 /* quartiles' distance over the median */
#define SHORT_SECONDS   0.1
#define BUSY            0.10
#define STOLEN          0.02

BtLosses
bt_verdict_losses(const BtRow *serial, const BtRow *row)
{
    double n = bt_row_tally(row)->n_workers;
    double elapsed = bt_row_median(row, bt_figure_elapsed);
    double busy = bt_row_median(row, bt_figure_busy);
    double busy_serial = bt_row_median(serial, bt_figure_busy);
    double more_cpu = bt_row_median(row, bt_figure_cpu) - bt_row_median(serial, bt_figure_cpu);
    double processors = MAX(0, MIN(more_cpu, busy - busy_serial));

    return (BtLosses){
        .work = busy_serial,
        .start = MAX(0, n * (bt_row_median(row, bt_figure_wall) - elapsed)),
        .idle = MAX(0, n * elapsed - busy),
        .processors = processors,
        .waits = MAX(0, busy - busy_serial - processors),
    };
}

bool
bt_verdict_fit(const BtStudy *study, BtAmdahl *out_fit)
{
    g_autofree double *workers = g_new(double, study->rows->len);
    g_autofree double *seconds = g_new(double, study->rows->len);
    size_t n = 0;

    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        if (row->failure != NULL || row->kind == BT_ROW_OTHER ||
            row->n_workers > study->machine.n_usable)
            continue;
        workers[n] = row->n_workers;
        seconds[n++] = bt_row_median(row, bt_figure_wall);
    }
    return n > 0 && bt_statistics_amdahl(workers, seconds, n, out_fit);
}

static void G_GNUC_PRINTF(2, 3) say(GStrvBuilder *lines, const char *format, ...)
{
    g_autofree char *line = NULL;
    va_list arguments;

    va_start(arguments, format);
    line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_strv_builder_add(lines, line);
}

static void
tell_fit(const BtStudy *study, GStrvBuilder *lines)
{
    BtAmdahl fit;
    double fixed;

    if (!bt_verdict_fit(study, &fit))
        return;
    fixed = fit.fixed / (fit.fixed + fit.shared);
    if (fixed < 0.005)
        say(lines, "Amdahl's law: nothing of the time is the same for any number of workers.");
    else
        say(lines,
            "Amdahl's law: %.1f %% of the time is the same for any number of workers, so no number "
            "would be more than %.1f times as fast as one.",
            100 * fixed, 1 / fixed);
}

/* What keeps workers without a picture. A giant takes longer than an equal share of all. */
static const char *
reason_of_idle(const BtRow *row)
{
    double share = bt_row_median(row, bt_figure_busy) / bt_row_tally(row)->n_workers;

    return bt_row_median(row, bt_figure_longest) > GIANT * share
               ? "One giant picture: it takes longer than an equal share of all, and the other "
                 "workers wait for it"
           : bt_row_tally(row)->n_processed < FEW * row->n_workers
               ? "Few pictures: workers end at different times, and the first wait for the last"
               : "Workers without a picture: they wait for the supervisor, or for the last picture";
}

static const char *
reason_of_waits(const BtStudy *study, const BtRow *row)
{
    return bt_row_median(row, bt_figure_read) > MOST_OF * bt_row_tally(row)->source_bytes
               ? "Disk: workers wait for what they read"
           : study->others_share > BUSY
               ? "CPU: workers wait for processors that other programs have"
           : study->stolen_share > STOLEN
               ? "CPU: workers wait for processors that other virtual machines have"
           : row->n_workers > study->machine.n_usable
               ? "CPU: there are more workers than processors, and they wait for their turn"
               : "CPU: workers wait for a processor";
}

typedef struct Loss {
    const char *reason;
    double seconds;
} Loss;

static int
compare_losses(const void *a, const void *b)
{
    double x = ((const Loss *)a)->seconds, y = ((const Loss *)b)->seconds;

    return (x < y) - (x > y);
}

static void
tell_losses(const BtStudy *study, const BtRow *serial, const BtRow *row, GStrvBuilder *lines)
{
    BtLosses losses = bt_verdict_losses(serial, row);
    Loss ways[] = {
        {"Start-up: the program begins and ends", losses.start},
        {reason_of_idle(row), losses.idle},
        {"Memory bandwidth: pictures take more processor time when others are in work beside them "
         "(memory, caches, sibling threads and the clock are shared)",
         losses.processors},
        {reason_of_waits(study, row), losses.waits},
    };
    double all = losses.work;

    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++)
        all += ways[i].seconds;
    qsort(ways, G_N_ELEMENTS(ways), sizeof *ways, compare_losses);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++)
        if (ways[i].seconds > WORTH_TELLING * all)
            say(lines, "%s: %.0f %% of the workers' time.", ways[i].reason,
                100 * ways[i].seconds / all);
}

static void
tell_speed_up(const BtStudy *study, const BtRow *serial, const BtRow *row, GStrvBuilder *lines)
{
    BtInterval whole = bt_row_ratio(serial, row, bt_figure_wall);
    BtInterval running = bt_row_ratio(serial, row, bt_figure_elapsed);
    int n_useful = MIN(row->n_workers, study->machine.n_usable);

    say(lines,
        "%s: %.2f times as fast as serial (%.2f to %.2f), per picture %.2f times, without what the "
        "program takes to start.",
        row->name, whole.value, whole.low, whole.high, running.value);
    if (whole.value >= GOOD_EFFICIENCY * n_useful && row->n_workers >= study->machine.n_usable)
        say(lines, "CPU: all %d processor%s at work; only more of them would be faster.", n_useful,
            n_useful == 1 ? " is" : "s are");
    else if (row->n_workers > study->machine.n_usable)
        say(lines, "CPU: %d workers share %d processor%s.", row->n_workers, n_useful,
            n_useful == 1 ? "" : "s");
    if (whole.value < GOOD_EFFICIENCY * row->n_workers)
        tell_losses(study, serial, row, lines);
}

char **
bt_verdict_tell(const BtStudy *study)
{
    g_autoptr(GStrvBuilder) lines = g_strv_builder_new();
    const BtRow *serial = bt_study_serial(study), *most = bt_study_most_workers(study);

    if (serial != NULL && most != NULL)
        tell_speed_up(study, serial, most, lines);
    tell_fit(study, lines);
    return g_strv_builder_end(lines);
}

static void
warn_of_row(const BtStudy *study, const BtRow *row, GStrvBuilder *lines)
{
    BtSpread wall = bt_row_spread(row, bt_figure_wall);
    const BtRow *most = bt_study_most_workers(study);

    if (wall.median < SHORT_SECONDS)
        say(lines, "%s: runs of %.0f ms are short; more pictures tell more.", row->name,
            1000 * wall.median);
    if (wall.high - wall.low > NOISY * wall.median)
        say(lines, "%s: noise: the quartiles are %.0f %% of the median apart.", row->name,
            100 * (wall.high - wall.low) / wall.median);
    if (wall.n_outliers > 0)
        say(lines, "%s: %zu of %zu runs stand far out (%.3f to %.3f s).", row->name,
            wall.n_outliers, wall.n, wall.least, wall.most);
    if (row->kind == BT_ROW_OTHER && most != NULL && row->n_results < most->n_results)
        say(lines, "%s: it left %zu files where blurthumb left %zu: not the same work.", row->name,
            row->n_results, most->n_results);
    if (row->kind != BT_ROW_OTHER && bt_row_tally(row)->n_failed > 0)
        say(lines, "%s: %.0f pictures failed, and their time is counted.", row->name,
            bt_row_tally(row)->n_failed);
}

static void
warn_of_machine(const BtStudy *study, GStrvBuilder *lines)
{
    if (study->others_share > BUSY)
        say(lines, "Busy machine: other programs took %.0f %% of the processors meanwhile.",
            100 * study->others_share);
    if (study->stolen_share > STOLEN)
        say(lines, "Busy host: other virtual machines took %.0f %% of the processors meanwhile.",
            100 * study->stolen_share);
    if (study->n_warm > 0)
        say(lines, "Not cold: %zu file%s stayed in memory, which is where some file systems live.",
            study->n_warm, study->n_warm == 1 ? "" : "s");
}

char **
bt_verdict_warn(const BtStudy *study)
{
    g_autoptr(GStrvBuilder) lines = g_strv_builder_new();

    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        if (row->failure != NULL)
            say(lines, "%s: failed, and is not counted: %s", row->name, row->failure);
        else
            warn_of_row(study, row, lines);
    }
    warn_of_machine(study, lines);
    return g_strv_builder_end(lines);
}
