/* SPDX-License-Identifier: MIT */
#include "base/human.h"
#include "base/template.h"
#include "bench/output.h"
#include "bench/page_parts.h"

/* In the units of an SVG, which the page stretches. */
#define WIDTH      360.0
#define BAR_PITCH  44.0 /* from one bar to the next, its label included */
#define BAR_TOP    18.0
#define BAR_HEIGHT 12.0
#define SPREAD_GAP 5.0 /* under the bar, where no colour is behind it */
#define N_PARTS    4

#define PLOT_HEIGHT 240.0
#define PLOT_LEFT   32.0
#define PLOT_RIGHT  12.0
#define PLOT_TOP    12.0
#define PLOT_BOTTOM 40.0
#define TICKS_MOST  8

/* One bar under its label: of several parts, or of one with an interval. */
typedef struct Bar {
    double parts[N_PARTS]; /* in the colours c1 to c4 of the page */
    double low, high;      /* 0, 0: no interval */
    char *text;            /* its value; NULL: no bar for this row */
} Bar;

typedef Bar (*MakeBar)(const BtRow *row);

static void
open_svg(GString *out, const char *title, double height)
{
    g_string_append_printf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n",
                           WIDTH, height, title);
}

static void
add_line(GString *out, const char *class, double x1, double y1, double x2, double y2)
{
    g_string_append_printf(out,
                           "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                           class, x1, y1, x2, y2);
}

static void
add_text(GString *out, const char *class, const char *anchor, double x, double y, const char *text)
{
    g_autofree char *safe = g_markup_escape_text(text, -1);

    g_string_append_printf(
        out, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", class,
        anchor, x, y, safe);
}

static void
add_bar(GString *out, const char *label, const Bar *bar, double top, double scale)
{
    double x = 0, below = top + BAR_TOP + BAR_HEIGHT + SPREAD_GAP;

    add_text(out, "ink", "start", 0, top + 12, label);
    add_text(out, "soft", "end", WIDTH, top + 12, bar->text);
    for (int i = 0; i < N_PARTS; x += scale * bar->parts[i++])
        if (bar->parts[i] > 0)
            g_string_append_printf(
                out, "<rect class=\"c%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                i + 1, x, top + BAR_TOP, scale * bar->parts[i], BAR_HEIGHT);
    if (bar->high <= 0)
        return;
    add_line(out, "spread", bar->low * scale, below, bar->high * scale, below);
    add_line(out, "spread", bar->low * scale, below - 2.5, bar->low * scale, below + 2.5);
    add_line(out, "spread", bar->high * scale, below - 2.5, bar->high * scale, below + 2.5);
}

/* Owned, as all that follow. */
static char *
draw_bars(const BtStudy *study, const char *title, MakeBar make)
{
    g_autofree Bar *bars = g_new0(Bar, study->rows->len);
    GString *out = g_string_new(NULL);
    double most = 0, top = 0;

    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];
        double sum = 0;

        if (row->failure == NULL)
            bars[i] = make(row);
        for (int k = 0; k < N_PARTS; k++)
            sum += bars[i].parts[k];
        most = MAX(most, MAX(sum, bars[i].high));
        top += bars[i].text != NULL ? BAR_PITCH : 0;
    }
    open_svg(out, title, top);
    top = 0;
    for (guint i = 0; i < study->rows->len; i++) {
        if (bars[i].text == NULL)
            continue;
        /* Half a unit for the strokes at the right end. */
        add_bar(out, ((const BtRow *)study->rows->pdata[i])->name, &bars[i], top,
                most > 0 ? (WIDTH - 1) / most : 0);
        top += BAR_PITCH;
        g_free(bars[i].text);
    }
    g_string_append(out, "</svg>\n");
    return g_string_free(out, FALSE);
}

static Bar
make_time(const BtRow *row)
{
    BtSpread wall = bt_row_spread(row, BT_FIGURE_WALL);
    Bar bar = {.low = wall.low, .high = wall.high};

    bar.text = g_strdup_printf("%.3f s", wall.median);
    bar.parts[row->kind == BT_ROW_OTHER ? 1 : 0] = wall.median;
    return bar;
}

static Bar
make_stages(const BtRow *row)
{
    static const BtFigure figures[N_PARTS] = {BT_FIGURE_DECODE, BT_FIGURE_KERNEL, BT_FIGURE_ENCODE,
                                              BT_FIGURE_WAITING};
    Bar bar = {0};
    double sum = 0;

    if (row->kind == BT_ROW_OTHER)
        return bar;
    for (int i = 0; i < N_PARTS; i++)
        sum += bar.parts[i] =
            1000 * bt_row_median(row, figures[i]) / bt_row_median(row, BT_FIGURE_PROCESSED);
    bar.text = g_strdup_printf("%.2f ms", sum);
    return bar;
}

static Bar
make_memory(const BtRow *row)
{
    g_autofree char *largest = bt_human_bytes((uint64_t)bt_row_median(row, BT_FIGURE_LARGEST));
    g_autofree char *together = bt_human_bytes(row->together_bytes);

    return (Bar){.parts = {(double)row->together_bytes},
                 .text = g_strdup_printf("%s, largest %s", together, largest)};
}

static double
x_of(double most, double workers)
{
    return PLOT_LEFT + (WIDTH - PLOT_LEFT - PLOT_RIGHT) * workers / most;
}

static double
y_of(double most, double times)
{
    return PLOT_HEIGHT - PLOT_BOTTOM -
           (PLOT_HEIGHT - PLOT_TOP - PLOT_BOTTOM) * MIN(times, most) / most;
}

static void
add_axes(GString *out, double most)
{
    int step = 1;

    while (most / step > TICKS_MOST)
        step *= 2;
    for (int tick = 0; tick <= (int)most; tick += step) {
        g_autofree char *text = g_strdup_printf("%d", tick);

        add_line(out, "axis", x_of(most, 0), y_of(most, tick), x_of(most, most), y_of(most, tick));
        add_text(out, "soft", "end", PLOT_LEFT - 8, y_of(most, tick) + 4, text);
        add_text(out, "soft", "middle", x_of(most, tick), PLOT_HEIGHT - PLOT_BOTTOM + 18, text);
    }
    add_text(out, "soft", "middle", x_of(most, most / 2), PLOT_HEIGHT - 4, "workers");
}

static char *
draw_speed(const BtStudy *study)
{
    const BtRow *serial = bt_study_serial(study);
    GString *out = g_string_new(NULL);
    GArray *jobs = study->options->jobs;
    double most = MAX(2, g_array_index(jobs, int, jobs->len - 1));
    double ideal = MIN(most, study->machine.n_usable);

    open_svg(out, "Speed-up over serial, by the number of workers", PLOT_HEIGHT);
    add_axes(out, most);
    add_line(out, "ideal", x_of(most, 0), y_of(most, 0), x_of(most, ideal), y_of(most, ideal));
    add_line(out, "ideal", x_of(most, ideal), y_of(most, ideal), x_of(most, most),
             y_of(most, ideal));
    for (guint i = 0; serial != NULL && i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        double x = x_of(most, row->n_workers);
        BtSpread times;

        if (row->kind != BT_ROW_WORKERS || row->failure != NULL)
            continue;
        times = bt_row_ratio(serial, row, BT_FIGURE_WALL);
        add_line(out, "spread", x, y_of(most, times.low), x, y_of(most, times.high));
        g_string_append_printf(out, "<circle class=\"c1\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>\n", x,
                               y_of(most, times.median));
    }
    g_string_append(out, "</svg>\n");
    return g_string_free(out, FALSE);
}

/* No line ends between a figure and its unit. */
static char *
bind_units(const char *text)
{
    g_autoptr(GRegex) gap = g_regex_new("(?<=[0-9]) (?=%|(ms|[kMGT]B|bytes)\\b)", 0, 0, NULL);

    return g_regex_replace_literal(gap, text, -1, 0, "\u00a0", 0, NULL);
}

static char *
list(const char *heading, const char *class, char **lines)
{
    GString *out = g_string_new(NULL);

    if (lines[0] != NULL)
        g_string_append_printf(out, "<h2>%s</h2>\n<ul class=\"%s\">\n", heading, class);
    for (char **line = lines; *line != NULL; line++) {
        g_autofree char *safe = bt_human_text(*line);
        g_autofree char *bound = bind_units(safe);
        g_autofree char *escaped = g_markup_escape_text(bound, -1);

        g_string_append_printf(out, "<li>%s</li>\n", escaped);
    }
    g_string_append(out, lines[0] != NULL ? "</ul>\n" : "");
    return g_string_free(out, FALSE);
}

static char *
list_facts(const BtStudy *study)
{
    const BtRow *serial = bt_study_serial(study), *most = bt_study_most_workers(study);
    g_autofree char *times = NULL, *pictures = NULL, *pixels = NULL;
    double wall;

    if (serial == NULL || most == NULL)
        return g_strdup("");
    wall = bt_row_median(most, BT_FIGURE_WALL);
    times = bt_human_figure(bt_row_ratio(serial, most, BT_FIGURE_WALL).median);
    pictures = bt_human_figure(bt_row_median(most, BT_FIGURE_PROCESSED) / wall);
    pixels = bt_human_figure(bt_row_median(most, BT_FIGURE_PIXELS) / 1e6 / wall);
    return g_strdup_printf(
        "<dl class=\"facts\">\n"
        "<div><dt>as fast as serial, with %s</dt><dd>%s&#8239;&#215;</dd></div>\n"
        "<div><dt>pictures a second</dt><dd>%s</dd></div>\n"
        "<div><dt>megapixels a second</dt><dd>%s</dd></div>\n</dl>\n",
        most->name, times, pictures, pixels);
}

char *
bt_output_page(const BtStudy *study)
{
    g_auto(GStrv) told = bt_output_limits(study), warned = bt_output_warnings(study);
    g_autofree char *joined = g_strjoinv(" ", study->options->paths);
    g_autofree char *paths = bt_human_text(joined);
    g_autofree char *bytes = bt_human_bytes(study->machine.memory_bytes);
    g_autofree char *facts_of_machine = g_strdup_printf(
        "%s, %d of %d processors, %s, %s", study->machine.processor, study->machine.n_usable,
        study->machine.n_processors, bytes, study->machine.system);
    g_autofree char *machine = bind_units(facts_of_machine);
    g_autofree char *rounds =
        g_strdup_printf("%s; %zu rounds, %s cache", study->version, study->n_rounds,
                        study->options->cold ? "cold" : "warm");
    g_autofree char *facts = list_facts(study);
    g_autofree char *limits = list("What limits more workers", "told", told);
    g_autofree char *warnings = list("Warnings", "told warned", warned);
    g_autofree char *time = draw_bars(study, "Seconds of each command", make_time);
    g_autofree char *speed = draw_speed(study);
    g_autofree char *stages =
        draw_bars(study, "Milliseconds of a worker for a picture, by stage", make_stages);
    g_autofree char *memory =
        draw_bars(study, "The most memory of all processes at once", make_memory);
    g_autoptr(GString) tables = g_string_new(NULL);
    GString *out = g_string_new(NULL);

    bt_output_tables(study, true, tables);
    bt_template_fill(out, page_html,
                     (const BtTemplateValue[]){{"style", page_css, true},
                                               {"paths", paths, false},
                                               {"machine", machine, false},
                                               {"study", rounds, false},
                                               {"facts", facts, true},
                                               {"limits", limits, true},
                                               {"warnings", warnings, true},
                                               {"time", time, true},
                                               {"speed", speed, true},
                                               {"stages", stages, true},
                                               {"memory", memory, true},
                                               {"tables", tables->str, true},
                                               {NULL, NULL, false}});
    return g_string_free(out, FALSE);
}
