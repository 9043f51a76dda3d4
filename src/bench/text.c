/* SPDX-License-Identifier: MIT */
#include "base/human.h"
#include "bench/output.h"
#include "bench/table.h"

#define MEGA 1e6

static void
add_times(BtTable *table, const BtStudy *study, const BtRow *row)
{
    BtSpread wall = bt_row_spread(row, BT_FIGURE_WALL);
    const BtRow *serial = bt_study_serial(study), *most = bt_study_most_workers(study);
    double times = serial != NULL ? bt_row_ratio(serial, row, BT_FIGURE_WALL).median : 0;
    g_autofree char *compared =
        serial == NULL || most == NULL
            ? g_strdup("-|-|-")
            : g_strdup_printf("%.2f|%.0f %%|%.2f", times, 100 * times / row->n_workers,
                              bt_row_ratio(row, most, BT_FIGURE_WALL).median);

    bt_table_add(table, "%s|%.3f|%.3f|%.3f|%.3f|%s", row->name, wall.median, wall.low, wall.high,
                 bt_row_median(row, BT_FIGURE_CPU), compared);
}

static void
add_work(BtTable *table, const BtRow *row)
{
    double wall = bt_row_median(row, BT_FIGURE_WALL);
    g_autofree char *pictures = bt_human_figure(bt_row_median(row, BT_FIGURE_PROCESSED) / wall);
    g_autofree char *pixels = bt_human_figure(bt_row_median(row, BT_FIGURE_PIXELS) / MEGA / wall);
    g_autofree char *bytes = bt_human_figure(bt_row_median(row, BT_FIGURE_SOURCE) / MEGA / wall);

    bt_table_add(table, "%s|%s|%s|%s|%.3f|%.3f|%.3f|%.3f", row->name, pictures, pixels, bytes,
                 bt_row_median(row, BT_FIGURE_DECODE), bt_row_median(row, BT_FIGURE_KERNEL),
                 bt_row_median(row, BT_FIGURE_ENCODE), bt_row_median(row, BT_FIGURE_WAITING));
}

static void
add_memory(BtTable *table, const BtRow *row)
{
    g_autofree char *largest = bt_human_bytes((uint64_t)bt_row_median(row, BT_FIGURE_LARGEST));
    g_autofree char *together = bt_human_bytes(row->together_bytes);

    bt_table_add(table, "%s|%s|%s|%d", row->name, largest, together, row->n_processes);
}

void
bt_output_tables(const BtStudy *study, bool html, GString *out)
{
    g_autoptr(BtTable) times =
        bt_table_new("seconds|median|25 %|75 %|CPU|speed-up|efficiency|ratio");
    g_autoptr(BtTable) work =
        bt_table_new("work|pictures/s|MP/s|MB/s|decode s|kernel s|encode s|waiting s");
    g_autoptr(BtTable) memory =
        bt_table_new("memory, at most|largest process|all together|processes");
    const BtTable *const tables[] = {times, work, memory};

    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        if (row->failure != NULL)
            continue;
        add_times(times, study, row);
        add_memory(memory, row);
        if (row->kind != BT_ROW_OTHER)
            add_work(work, row);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        bt_table_print(tables[i], html, out);
}

static void
add_lines(GString *out, const char *heading, char **lines)
{
    if (lines[0] != NULL)
        g_string_append_printf(out, "%s\n", heading);
    for (; *lines != NULL; lines++) {
        g_autofree char *safe = bt_human_text(*lines);

        g_string_append_printf(out, "  %s\n", safe);
    }
}

char *
bt_output_text(const BtStudy *study)
{
    g_auto(GStrv) limits = bt_output_limits(study), warnings = bt_output_warnings(study);
    g_autofree char *memory = bt_human_bytes(study->machine.memory_bytes);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "%s, %d of %d processors, %s, %s\n", study->machine.processor,
                           study->machine.n_usable, study->machine.n_processors, memory,
                           study->machine.system);
    g_string_append_printf(out, "%s; %zu rounds, %s cache\n\n", study->version, study->n_rounds,
                           study->options->cold ? "cold" : "warm");
    bt_output_tables(study, false, out);
    add_lines(out, "What limits more workers", limits);
    add_lines(out, "Warnings", warnings);
    return g_string_free(out, FALSE);
}
