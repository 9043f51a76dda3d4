/* SPDX-License-Identifier: MIT */
#include "bench/summary.h"

#include "base/human.h"
#include "bench/verdict.h"

#include <math.h>

#define BAR_COLUMNS 24
#define MEGA        1e6

static double
longest_median(const BtStudy *study)
{
    double longest = 0;

    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        if (row->failure == NULL)
            longest = MAX(longest, bt_row_median(row, bt_figure_wall));
    }
    return longest;
}

static void
add_times(BtTable *table, const BtStudy *study, const BtRow *row)
{
    BtSpread wall = bt_row_spread(row, bt_figure_wall);
    const BtRow *serial = bt_study_serial(study);
    g_autofree char *speed_up = NULL;
    g_autofree char *bar =
        g_strnfill((gsize)lrint(BAR_COLUMNS * wall.median / longest_median(study)), '#');

    if (serial != NULL) {
        BtInterval ratio = bt_row_ratio(serial, row, bt_figure_wall);

        speed_up = g_strdup_printf("%.2f|%.0f %%", ratio.value, 100 * ratio.value / row->n_workers);
    }
    bt_table_add(table, "%s|%.3f|%.3f|%.3f|%.3f|%s|%s", row->name, wall.median, wall.low, wall.high,
                 bt_row_median(row, bt_figure_cpu), speed_up != NULL ? speed_up : "|", bar);
}

static void
add_rates(BtTable *table, const BtRow *row)
{
    const BtTally *tally = bt_row_tally(row);
    double wall = bt_row_median(row, bt_figure_wall);
    g_autofree char *pictures = bt_human_figure(tally->n_processed / wall);
    g_autofree char *pixels = bt_human_figure(tally->pixels / MEGA / wall);
    g_autofree char *bytes = bt_human_figure(tally->source_bytes / MEGA / wall);

    bt_table_add(table, "%s|%s|%s|%s|%.3f|%.3f|%.3f|%.3f", row->name, pictures, pixels, bytes,
                 bt_row_median(row, bt_figure_decode), bt_row_median(row, bt_figure_kernel),
                 bt_row_median(row, bt_figure_encode), bt_row_median(row, bt_figure_waiting));
}

static void
add_memory(BtTable *table, const BtRow *row)
{
    g_autofree char *largest = bt_human_bytes((uint64_t)bt_row_median(row, bt_figure_largest));
    g_autofree char *together = bt_human_bytes(row->together_bytes);

    bt_table_add(table, "%s|%s|%s|%d", row->name, largest, together, row->n_processes);
}

static void
add_comparison(BtTable *table, const BtRow *row, const BtRow *ours)
{
    BtInterval wall = bt_row_ratio(row, ours, bt_figure_wall);
    BtInterval cpu = bt_row_ratio(row, ours, bt_figure_cpu);

    bt_table_add(table, "%s|%.2f|%.2f to %.2f|%.2f|%.2f to %.2f", row->name, wall.value, wall.low,
                 wall.high, cpu.value, cpu.low, cpu.high);
}

static void
print_lines(char **lines, const char *heading, BtTableForm form, GString *out)
{
    if (lines[0] == NULL)
        return;
    g_string_append_printf(out, form == BT_TABLE_MARKDOWN ? "\n**%s**\n\n" : "\n%s\n", heading);
    for (; *lines != NULL; lines++) {
        g_autofree char *safe = bt_human_text(*lines);

        g_string_append_printf(out, "%s%s\n", form == BT_TABLE_MARKDOWN ? "- " : "  ", safe);
    }
}

char *
bt_summary(const BtStudy *study, BtTableForm form)
{
    g_auto(GStrv) told = bt_verdict_tell(study), warned = bt_verdict_warn(study);
    GString *out = g_string_new(NULL);
    g_autofree char *memory = bt_human_bytes(study->machine.memory_bytes);

    g_string_append_printf(out, "%s, %d of %d processors, %s, %s\n", study->machine.processor,
                           study->machine.n_usable, study->machine.n_processors, memory,
                           study->machine.system);
    g_string_append_printf(out, "%s; %zu rounds, %s cache\n\n", study->version, study->n_rounds,
                           study->options->cold ? "cold" : "warm");
    bt_summary_rows(study, form, out);
    print_lines(told, "What limits more workers", form, out);
    print_lines(warned, "Mind", form, out);
    return g_string_free(out, FALSE);
}

/* With an empty line before each but the first. */
static void
print_tables(const BtTable *const *tables, BtTableForm form, GString *out)
{
    for (const char *gap = ""; *tables != NULL; tables++) {
        g_autoptr(GString) text = g_string_new(NULL);

        bt_table_print(*tables, form, text);
        if (text->len == 0)
            continue;
        g_string_append_printf(out, "%s%s", gap, text->str);
        gap = "\n";
    }
}

void
bt_summary_rows(const BtStudy *study, BtTableForm form, GString *out)
{
    const BtRow *ours = bt_study_most_workers(study);
    g_autofree char *than = g_strdup_printf("time, of %s", ours != NULL ? ours->name : "ours");
    g_autoptr(BtTable) times = bt_table_new(
        (const char *[]){"wall clock, seconds", "median", "25 %", "75 %", "CPU", "speed-up",
                         "efficiency", form == BT_TABLE_TEXT ? "" : NULL, NULL});
    g_autoptr(BtTable) rates =
        bt_table_new((const char *[]){"rates, stages", "pictures/s", "MP/s", "MB/s", "decode s",
                                      "kernel s", "encode s", "waiting s", NULL});
    g_autoptr(BtTable) memory = bt_table_new(
        (const char *[]){"memory, most", "largest process", "all together", "processes", NULL});
    g_autoptr(BtTable) comparisons =
        bt_table_new((const char *[]){than, "times", "95 %", "CPU times", "95 %", NULL});

    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        if (row->failure != NULL)
            continue;
        add_times(times, study, row);
        add_memory(memory, row);
        if (row->kind != BT_ROW_OTHER)
            add_rates(rates, row);
        else if (ours != NULL)
            add_comparison(comparisons, row, ours);
    }
    print_tables((const BtTable *const[]){times, rates, memory, comparisons, NULL}, form, out);
}
