/* SPDX-License-Identifier: MIT */
/*
 * Why more workers are not more speed, and what makes figures doubtful. Pure.
 *
 * n workers that take T seconds have n T worker-seconds. Serially the pictures alone took B of
 * processing. What is more than B is lost, all of it to one of these:
 *
 *     start       n (T - E)            before and after the batch, which lasted E
 *     idle        n E - b              no picture to work at, where pictures took b in all
 *     processors  c - C                CPU time that they took more than the C of the serial run
 *     waits       (b - B) - (c - C)    in the middle of a picture, for a disk or a processor
 *
 * (the last two at least 0). E, b, B come from blurthumb's own clock, T, c, C from the kernel's.
 */
#include "bench/output.h"

#include <stdarg.h>
#include <stdlib.h>

#define GOOD_EFFICIENCY 0.95 /* of workers that have a processor each: 1.9 with two */
#define WORTH_SAYING    0.02 /* of the worker-seconds */
#define MOST_OF         0.5
#define GIANT           1.1  /* of an equal share */
#define FEW             4    /* pictures a worker */
#define NOISY           0.10 /* distance of the quartiles over the median */
#define SHORT_SECONDS   0.1
#define BUSY            0.10
#define STOLEN          0.02

static void G_GNUC_PRINTF(2, 3) say(GStrvBuilder *lines, const char *format, ...)
{
    g_autofree char *line = NULL;
    va_list arguments;

    va_start(arguments, format);
    line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_strv_builder_add(lines, line);
}

/* What keeps workers without a picture. A giant takes longer than an equal share of all. */
static const char *
reason_of_idle(const BtRow *row)
{
    double n = bt_row_median(row, BT_FIGURE_USED);

    return bt_row_median(row, BT_FIGURE_LONGEST) > GIANT * bt_row_median(row, BT_FIGURE_BUSY) / n
               ? "one giant picture, which the others wait for"
           : bt_row_median(row, BT_FIGURE_PROCESSED) < FEW * n
               ? "the end, where the first to finish wait for the last"
               : "having no picture";
}

static const char *
reason_of_waits(const BtStudy *study, const BtRow *row)
{
    return bt_row_median(row, BT_FIGURE_READ) > MOST_OF * bt_row_median(row, BT_FIGURE_SOURCE)
               ? "the disk that they read from"
           : study->others_share > BUSY   ? "processors that other programs use"
           : study->stolen_share > STOLEN ? "processors that other virtual machines use"
           : row->n_workers > study->machine.n_usable
               ? "processors, of which there are fewer than workers"
               : "waiting for a processor";
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

/* "12 % to start-up; 3 % to ...", the greatest first. Empty where nothing is worth saying. Owned
 * (g_free). */
static char *
describe_losses(const BtStudy *study, const BtRow *serial, const BtRow *row)
{
    double n = bt_row_median(row, BT_FIGURE_USED);
    double elapsed = bt_row_median(row, BT_FIGURE_ELAPSED);
    double busy = bt_row_median(row, BT_FIGURE_BUSY);
    double more = MAX(0, busy - bt_row_median(serial, BT_FIGURE_BUSY));
    double more_cpu = bt_row_median(row, BT_FIGURE_CPU) - bt_row_median(serial, BT_FIGURE_CPU);
    double processors = CLAMP(more_cpu, 0, more);
    double all = n * bt_row_median(row, BT_FIGURE_WALL);
    Loss losses[] = {
        {"the start and the end of the program", all - n * elapsed},
        {reason_of_idle(row), n * elapsed - busy},
        {"memory bandwidth, caches and clock, which processors share", processors},
        {reason_of_waits(study, row), more - processors},
    };
    GString *text = g_string_new(NULL);

    qsort(losses, G_N_ELEMENTS(losses), sizeof *losses, compare_losses);
    for (size_t i = 0; i < G_N_ELEMENTS(losses); i++)
        if (losses[i].seconds > WORTH_SAYING * all)
            g_string_append_printf(text, "%s%.0f %% to %s", text->len > 0 ? "; " : "",
                                   100 * losses[i].seconds / all, losses[i].reason);
    return g_string_free(text, FALSE);
}

static void
say_limits(const BtStudy *study, const BtRow *serial, const BtRow *row, GStrvBuilder *lines)
{
    BtSpread times = bt_row_ratio(serial, row, BT_FIGURE_WALL);
    int n_useful = MIN(row->n_workers, study->machine.n_usable);
    g_autofree char *losses = describe_losses(study, serial, row);

    say(lines,
        "%s: %.2f times as fast as serial (%.2f to %.2f), and %.2f times without the start of the "
        "program.",
        row->name, times.median, times.low, times.high,
        bt_row_ratio(serial, row, BT_FIGURE_ELAPSED).median);
    if (times.median >= GOOD_EFFICIENCY * n_useful && row->n_workers >= study->machine.n_usable)
        say(lines, "Only more processors would help: the workers keep %d of %d busy.", n_useful,
            study->machine.n_usable);
    else if (losses[0] != '\0')
        say(lines, "The workers lose time: %s.", losses);
}

char **
bt_output_limits(const BtStudy *study)
{
    g_autoptr(GStrvBuilder) lines = g_strv_builder_new();
    const BtRow *serial = bt_study_serial(study), *most = bt_study_most_workers(study);

    if (serial != NULL && most != NULL)
        say_limits(study, serial, most, lines);
    return g_strv_builder_end(lines);
}

static void
warn_of_row(const BtStudy *study, const BtRow *row, GStrvBuilder *lines)
{
    BtSpread wall = bt_row_spread(row, BT_FIGURE_WALL);
    const BtRow *most = bt_study_most_workers(study);

    if (wall.median < SHORT_SECONDS)
        say(lines, "%s: runs of %.0f ms are too short; use more pictures.", row->name,
            1000 * wall.median);
    if (wall.high - wall.low > NOISY * wall.median)
        say(lines, "%s: noise: the quartiles are %.0f %% of the median apart.", row->name,
            100 * (wall.high - wall.low) / wall.median);
    if (row->kind == BT_ROW_OTHER && most != NULL && row->n_results < most->n_results)
        say(lines, "%s: not the same work: %zu results, where blurthumb has %zu.", row->name,
            row->n_results, most->n_results);
    if (row->kind != BT_ROW_OTHER && bt_row_median(row, BT_FIGURE_FAILED) > 0)
        say(lines, "%s: %.0f pictures failed; their time is included.", row->name,
            bt_row_median(row, BT_FIGURE_FAILED));
}

char **
bt_output_warnings(const BtStudy *study)
{
    g_autoptr(GStrvBuilder) lines = g_strv_builder_new();

    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        if (row->failure != NULL)
            say(lines, "%s: failed and left out: %s", row->name, row->failure);
        else
            warn_of_row(study, row, lines);
    }
    if (study->others_share > BUSY)
        say(lines, "Busy machine: other programs took %.0f %% of the processors meanwhile.",
            100 * study->others_share);
    if (study->stolen_share > STOLEN)
        say(lines, "Busy host: other virtual machines took %.0f %% of the processors meanwhile.",
            100 * study->stolen_share);
    if (study->n_warm > 0)
        say(lines, "Not cold: %zu file%s stayed in memory; some file systems live there.",
            study->n_warm, study->n_warm == 1 ? "" : "s");
    return g_strv_builder_end(lines);
}
