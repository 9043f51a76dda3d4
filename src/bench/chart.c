/* SPDX-License-Identifier: MIT */
#include "bench/chart.h"

#define WIDTH      360.0
#define BAR_PITCH  44.0 /* from one bar to the next, its label included */
#define BAR_TOP    18.0
#define BAR_HEIGHT 12.0
#define SPREAD_GAP 5.0 /* under the bar, where no colour is behind it */

#define PLOT_HEIGHT 240.0
#define PLOT_LEFT   32.0
#define PLOT_RIGHT  12.0
#define PLOT_TOP    12.0
#define PLOT_BOTTOM 40.0
#define TICKS_MOST  8
#define CURVE_STEPS 48

static void
open_svg(GString *out, const char *title, double height)
{
    g_autofree char *safe = g_markup_escape_text(title, -1);

    g_string_append_printf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n",
                           WIDTH, height, safe);
}

static double
sum_of_parts(const BtBar *bar)
{
    double sum = 0;

    for (int i = 0; i < BT_CHART_PARTS; i++)
        sum += bar->parts[i];
    return sum;
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
add_bar(GString *out, const BtBar *bar, double top, double scale, double mark)
{
    double x = 0, below = top + BAR_TOP + BAR_HEIGHT + SPREAD_GAP;

    add_text(out, "ink", "start", 0, top + 12, bar->label);
    add_text(out, "soft", "end", WIDTH, top + 12, bar->text);
    for (int i = 0; i < BT_CHART_PARTS; i++) {
        double width = bar->parts[i] * scale;

        if (width > 0)
            g_string_append_printf(out,
                                   "<rect class=\"c%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                                   "height=\"%.1f\"/>\n",
                                   i + 1, x, top + BAR_TOP, width, BAR_HEIGHT);
        x += width;
    }
    if (mark > 0)
        add_line(out, "ideal", mark * scale, top + BAR_TOP - 2, mark * scale, below + 4);
    if (bar->high <= 0)
        return;
    add_line(out, "spread", bar->low * scale, below, bar->high * scale, below);
    add_line(out, "spread", bar->low * scale, below - 2.5, bar->low * scale, below + 2.5);
    add_line(out, "spread", bar->high * scale, below - 2.5, bar->high * scale, below + 2.5);
}

void
bt_chart_bars(GString *out, const char *title, const BtBar *bars, size_t n, double mark)
{
    double most = mark, height = BAR_PITCH * (double)n;

    for (size_t i = 0; i < n; i++)
        most = MAX(most, MAX(sum_of_parts(&bars[i]), bars[i].high));
    open_svg(out, title, height);
    /* Half a unit for the strokes at the right end. */
    for (size_t i = 0; i < n && most > 0; i++)
        add_bar(out, &bars[i], BAR_PITCH * (double)i, (WIDTH - 1) / most, mark);
    g_string_append(out, "</svg>\n");
}

typedef struct Plot {
    double most; /* of both axes */
} Plot;

static double
x_of(const Plot *plot, double workers)
{
    return PLOT_LEFT + (WIDTH - PLOT_LEFT - PLOT_RIGHT) * workers / plot->most;
}

static double
y_of(const Plot *plot, double speed_up)
{
    return PLOT_HEIGHT - PLOT_BOTTOM -
           (PLOT_HEIGHT - PLOT_TOP - PLOT_BOTTOM) * MIN(speed_up, plot->most) / plot->most;
}

static void
add_axes(GString *out, const Plot *plot)
{
    int step = 1;

    while (plot->most / step > TICKS_MOST)
        step *= 2;
    for (int tick = 0; tick <= (int)plot->most; tick += step) {
        g_autofree char *text = g_strdup_printf("%d", tick);

        add_line(out, "axis", x_of(plot, 0), y_of(plot, tick), x_of(plot, plot->most),
                 y_of(plot, tick));
        add_text(out, "soft", "end", PLOT_LEFT - 8, y_of(plot, tick) + 4, text);
        add_text(out, "soft", "middle", x_of(plot, tick), PLOT_HEIGHT - PLOT_BOTTOM + 18, text);
    }
    add_text(out, "soft", "middle", x_of(plot, plot->most / 2), PLOT_HEIGHT - 4, "workers");
}

static void
add_point(GString *out, const Plot *plot, const BtPoint *point)
{
    double x = x_of(plot, point->workers);

    add_line(out, "spread", x, y_of(plot, point->speed_up.low), x,
             y_of(plot, point->speed_up.high));
    g_string_append_printf(out, "<circle class=\"c1\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>\n", x,
                           y_of(plot, point->speed_up.value));
}

static void
add_curve(GString *out, const Plot *plot, const BtAmdahl *fit)
{
    g_string_append(out, "<polyline class=\"fit\" points=\"");
    for (int i = 0; i <= CURVE_STEPS; i++) {
        double workers = 1 + (plot->most - 1) * i / CURVE_STEPS;

        g_string_append_printf(out, "%.1f,%.1f ", x_of(plot, workers),
                               y_of(plot, bt_statistics_speed_up(fit, workers)));
    }
    g_string_append(out, "\"/>\n");
}

void
bt_chart_speed_up(GString *out, const BtPoint *points, size_t n, int n_processors,
                  const BtAmdahl *fit)
{
    Plot plot = {.most = 2};
    double ideal;

    for (size_t i = 0; i < n; i++)
        plot.most = MAX(plot.most, points[i].workers);
    ideal = MIN(plot.most, n_processors);
    open_svg(out, "Speed-up over serial, by the number of workers", PLOT_HEIGHT);
    add_axes(out, &plot);
    add_line(out, "ideal", x_of(&plot, 0), y_of(&plot, 0), x_of(&plot, ideal), y_of(&plot, ideal));
    add_line(out, "ideal", x_of(&plot, ideal), y_of(&plot, ideal), x_of(&plot, plot.most),
             y_of(&plot, ideal));
    if (fit != NULL)
        add_curve(out, &plot, fit);
    for (size_t i = 0; i < n; i++)
        add_point(out, &plot, &points[i]);
    g_string_append(out, "</svg>\n");
}
