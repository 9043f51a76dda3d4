/* SPDX-License-Identifier: MIT */
#include "bench/page.h"

#include "base/human.h"
#include "bench/chart.h"
#include "bench/summary.h"
#include "bench/verdict.h"

static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<link rel=\"icon\" href=\"data:,\">\n"
    "<title>blurthumb: serial against parallel</title>\n"
    "<style>\n"
    ":root{--paper:#f6f5f2;--card:#fff;--ink:#1d1c1a;--soft:#65615a;--line:#d8d4cb;--c1:#2166ac;"
    "--c2:#c2570c;--c3:#2f7d4f;--c4:#b3aea4;--mark:#9a3412}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#161614;--card:#1f1e1b;--ink:#eceae4;"
    "--soft:#a8a398;--line:#3a3833;--c1:#6aaee8;--c2:#f0934a;--c3:#62bd88;--c4:#6b675f;"
    "--mark:#fb923c}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:72rem;padding:1.75rem 1.25rem;background:var(--paper);"
    "color:var(--ink);font:15px/1.5 system-ui,sans-serif;print-color-adjust:exact;"
    "-webkit-print-color-adjust:exact}\n"
    "h1{font-size:1.5rem;font-weight:650;line-height:1.25;margin:0;overflow-wrap:anywhere}\n"
    "h2{font-size:1.05rem;font-weight:600;margin:0}\n"
    "p,li{overflow-wrap:anywhere}\n"
    "header p,.note,footer{color:var(--soft);font-size:.875rem;margin:.25rem 0 0}\n"
    ".told{padding-left:1.2rem;max-width:48rem;margin:.4rem 0 1.4rem}\n"
    ".warned li::marker{color:var(--mark)}\n"
    ".facts{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:1.5rem 0}\n"
    ".facts div{display:flex;flex-direction:column-reverse}\n"
    ".facts dt{color:var(--soft);font-size:.875rem}\n"
    ".facts dd{margin:0;font-size:2rem;font-weight:650;line-height:1.2}\n"
    ".charts{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),"
    "1fr));margin:1.5rem 0}\n"
    "section{background:var(--card);border:1px solid var(--line);border-radius:6px;"
    "padding:1rem 1.1rem;min-width:0}\n"
    "svg{display:block;width:100%;max-width:34rem;height:auto;margin-top:1rem;"
    "font:12px system-ui,sans-serif}\n"
    ".ink{fill:var(--ink)}.soft{fill:var(--soft)}\n"
    ".c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.c4{fill:var(--c4)}\n"
    ".axis{stroke:var(--line)}.spread{stroke:var(--ink);stroke-width:1.5}\n"
    ".ideal{stroke:var(--soft);stroke-dasharray:4 4}\n"
    ".fit{fill:none;stroke:var(--c1);stroke-width:2}\n"
    ".key{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;"
    "margin:.75rem 0 0;font-size:.8rem;color:var(--soft)}\n"
    ".key svg{display:inline-block;width:.7rem;height:.7rem;margin:0 .4rem 0 0}\n"
    ".wide{overflow-x:auto;margin-top:1rem}\n"
    "table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid var(--line);"
    "white-space:nowrap}\n"
    "th:first-child,td:first-child{text-align:left;padding-left:0}\n"
    "th{font-weight:600;color:var(--soft)}\n"
    "footer{margin-top:2rem}\n"
    "@media print{:root{--paper:#fff}body{padding:0;font-size:11px}section{break-inside:avoid}"
    ".charts{grid-template-columns:1fr 1fr}table{font-size:9px}.facts dd{font-size:1.5rem}}\n"
    "</style>\n";

static const char foot[] =
    "<footer><p>Medians of the rounds, in which all rows took turns; whiskers are the quartiles of "
    "times, and the 95 % interval (percentile bootstrap over rounds, Efron 1979) of ratios. "
    "Outliers by the modified z-score of Iglewicz and Hoaglin (1993), beyond 10. The curve is "
    "Amdahl&#8217;s law (1967), by least squares. CPU time is that of a command and all that it "
    "waited for. The largest process is the kernel&#8217;s own figure; all together is the sum of "
    "proportional shares (Pss), looked at every 5 ms in a round that is not timed.</p></footer>\n";

static void
open_section(GString *out, const char *title)
{
    g_string_append_printf(out, "<section>\n<h2>%s</h2>\n", title);
}

static void
close_section(GString *out, const char *note)
{
    g_string_append_printf(out, "<p class=\"note\">%s</p>\n</section>\n", note);
}

/* What a row's bar shows; false where it has none. */
typedef bool (*FillBar)(const BtStudy *study, const BtRow *row, BtBar *bar);

static void
add_bars(GString *out, const BtStudy *study, const char *title, FillBar fill, double mark)
{
    g_autofree BtBar *bars = g_new0(BtBar, study->rows->len);
    size_t n = 0;

    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        bars[n].label = row->name;
        if (row->failure == NULL && fill(study, row, &bars[n]))
            n++;
    }
    bt_chart_bars(out, title, bars, n, mark);
    for (size_t i = 0; i < n; i++)
        g_free(bars[i].text);
}

static bool
fill_time(const BtStudy *study, const BtRow *row, BtBar *bar)
{
    BtSpread wall = bt_row_spread(row, bt_figure_wall);

    (void)study;
    if (row->kind == BT_ROW_OTHER)
        return false;
    bar->text = g_strdup_printf("%.3f s", wall.median);
    bar->parts[0] = wall.median;
    bar->low = wall.low;
    bar->high = wall.high;
    return true;
}

static bool
fill_stages(const BtStudy *study, const BtRow *row, BtBar *bar)
{
    static const BtFigure figures[BT_CHART_PARTS] = {bt_figure_decode, bt_figure_kernel,
                                                     bt_figure_encode, bt_figure_waiting};
    double sum = 0;

    (void)study;
    if (row->kind == BT_ROW_OTHER)
        return false;
    for (int i = 0; i < BT_CHART_PARTS; i++)
        sum += bar->parts[i] =
            1000 * bt_row_median(row, figures[i]) / bt_row_tally(row)->n_processed;
    bar->text = g_strdup_printf("%.2f ms", sum);
    return true;
}

static bool
fill_memory(const BtStudy *study, const BtRow *row, BtBar *bar)
{
    g_autofree char *largest = bt_human_bytes((uint64_t)bt_row_median(row, bt_figure_largest));
    g_autofree char *together = bt_human_bytes(row->together_bytes);

    (void)study;
    bar->text = g_strdup_printf("%s, largest %s", together, largest);
    bar->parts[0] = (double)row->together_bytes;
    return true;
}

static bool
fill_comparison(const BtStudy *study, const BtRow *row, BtBar *bar)
{
    BtInterval ratio = bt_row_ratio(row, bt_study_most_workers(study), bt_figure_wall);

    if (row->kind != BT_ROW_OTHER)
        return false;
    bar->text = g_strdup_printf("%.2f times (%.2f to %.2f)", ratio.value, ratio.low, ratio.high);
    bar->parts[1] = ratio.value;
    bar->low = ratio.low;
    bar->high = ratio.high;
    return true;
}

static void
add_speed_up(GString *out, const BtStudy *study, const BtRow *serial)
{
    g_autofree BtPoint *points = g_new(BtPoint, study->rows->len);
    BtAmdahl fit;
    size_t n = 0;
    bool fits = bt_verdict_fit(study, &fit);

    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        if (row->kind == BT_ROW_WORKERS && row->failure == NULL)
            points[n++] = (BtPoint){row->n_workers, bt_row_ratio(serial, row, bt_figure_wall)};
    }
    open_section(out, "Speed-up over serial");
    bt_chart_speed_up(out, points, n, study->machine.n_usable, fits ? &fit : NULL);
    close_section(out, "Dashed: as many times as fast as there are workers, up to the number of "
                       "processors. Curve: Amdahl&#8217;s law.");
}

static void
add_key(GString *out)
{
    static const char *const names[BT_CHART_PARTS] = {"decode", "kernel", "encode", "waiting"};

    g_string_append(out, "<ul class=\"key\">\n");
    for (int i = 0; i < BT_CHART_PARTS; i++)
        g_string_append_printf(
            out,
            "<li><svg viewBox=\"0 0 1 1\" aria-hidden=\"true\"><rect class=\"c%d\" width=\"1\" "
            "height=\"1\"/></svg>%s</li>\n",
            i + 1, names[i]);
    g_string_append(out, "</ul>\n");
}

static bool
has_comparison(const BtStudy *study)
{
    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        if (row->kind == BT_ROW_OTHER && row->failure == NULL)
            return bt_study_most_workers(study) != NULL;
    }
    return false;
}

static void
add_comparisons(GString *out, const BtStudy *study)
{
    g_autofree char *note = g_strdup_printf("Time over that of blurthumb with %s, the dashed line.",
                                            bt_study_most_workers(study)->name);

    open_section(out, "Others");
    add_bars(out, study, "Time of other programs over that of blurthumb", fill_comparison, 1);
    close_section(out, note);
}

static void
add_charts(GString *out, const BtStudy *study)
{
    const BtRow *serial = bt_study_serial(study);

    g_string_append(out, "<div class=\"charts\">\n");
    open_section(out, "Time by workers");
    add_bars(out, study, "Seconds by the number of workers", fill_time, 0);
    close_section(out, "Whole commands, start-up included.");
    if (serial != NULL)
        add_speed_up(out, study, serial);
    open_section(out, "What a picture takes");
    add_bars(out, study, "Milliseconds of a worker for a picture, by stage", fill_stages, 0);
    add_key(out);
    close_section(out, "Time of one worker for one picture, on average.");
    open_section(out, "Memory");
    add_bars(out, study, "The most memory of all processes at once", fill_memory, 0);
    close_section(out, "All processes together; the largest of them beside it.");
    if (has_comparison(study))
        add_comparisons(out, study);
    g_string_append(out, "</div>\n");
}

static void
add_lines(GString *out, const char *heading, const char *class, char **lines)
{
    if (lines[0] == NULL)
        return;
    g_string_append_printf(out, "<h2>%s</h2>\n<ul class=\"%s\">\n", heading, class);
    for (; *lines != NULL; lines++) {
        g_autofree char *safe = bt_human_text(*lines);
        g_autofree char *escaped = g_markup_escape_text(safe, -1);

        g_string_append_printf(out, "<li>%s</li>\n", escaped);
    }
    g_string_append(out, "</ul>\n");
}

static void
add_fact(GString *out, const char *name, double value, const char *unit)
{
    g_autofree char *figure = bt_human_figure(value);

    g_string_append_printf(out, "<div><dt>%s</dt><dd>%s%s</dd></div>\n", name, figure, unit);
}

static void
add_facts(GString *out, const BtStudy *study)
{
    const BtRow *serial = bt_study_serial(study), *most = bt_study_most_workers(study);
    const BtTally *tally = most != NULL ? bt_row_tally(most) : NULL;
    double wall;

    if (serial == NULL || most == NULL)
        return;
    wall = bt_row_median(most, bt_figure_wall);
    g_string_append(out, "<dl class=\"facts\">\n");
    add_fact(out, "as fast as serial", bt_row_ratio(serial, most, bt_figure_wall).value,
             "&#8239;&#215;");
    add_fact(out, most->n_workers == 1 ? "worker" : "workers", most->n_workers, "");
    add_fact(out, "pictures a second", tally->n_processed / wall, "");
    add_fact(out, "megapixels a second", tally->pixels / 1e6 / wall, "");
    g_string_append(out, "</dl>\n");
}

static void
add_header(GString *out, const BtStudy *study)
{
    g_autofree char *joined = g_strjoinv(" ", study->options->paths);
    g_autofree char *safe = bt_human_text(joined);
    g_autofree char *paths = g_markup_escape_text(safe, -1);
    g_autofree char *machine = g_markup_escape_text(study->machine.processor, -1);
    g_autofree char *memory = bt_human_bytes(study->machine.memory_bytes);
    g_autofree char *version = g_markup_escape_text(study->version, -1);

    g_string_append_printf(out,
                           "<header>\n<h1>Serial against parallel: %s</h1>\n"
                           "<p>%s, %d of %d processors, %s, %s</p>\n"
                           "<p>%s; %zu rounds, %s cache</p>\n</header>\n",
                           paths, machine, study->machine.n_usable, study->machine.n_processors,
                           memory, study->machine.system, version, study->n_rounds,
                           study->options->cold ? "cold" : "warm");
}

char *
bt_page(const BtStudy *study)
{
    g_auto(GStrv) told = bt_verdict_tell(study), warned = bt_verdict_warn(study);
    GString *out = g_string_new(head);

    add_header(out, study);
    add_facts(out, study);
    add_lines(out, "What limits more workers", "told", told);
    add_lines(out, "Mind", "told warned", warned);
    add_charts(out, study);
    open_section(out, "Figures");
    bt_summary_rows(study, BT_TABLE_HTML, out);
    g_string_append(out, "</section>\n");
    g_string_append(out, foot);
    return g_string_free(out, FALSE);
}
