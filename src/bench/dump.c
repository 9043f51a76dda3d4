/* SPDX-License-Identifier: MIT */
#include "bench/dump.h"

#include "base/json.h"
#include "bench/verdict.h"

typedef struct Column {
    const char *name;
    BtFigure figure;
    bool is_ours; /* only blurthumb tells it */
} Column;

static double
figure_processed(const BtSample *sample)
{
    return sample->tally.n_processed;
}

static double
figure_failed(const BtSample *sample)
{
    return sample->tally.n_failed;
}

static double
figure_pixels(const BtSample *sample)
{
    return sample->tally.pixels;
}

static double
figure_source_bytes(const BtSample *sample)
{
    return sample->tally.source_bytes;
}

static const Column columns[] = {
    {"wall_seconds", bt_figure_wall, false},
    {"cpu_seconds", bt_figure_cpu, false},
    {"largest_bytes", bt_figure_largest, false},
    {"read_bytes", bt_figure_read, false},
    {"processed", figure_processed, true},
    {"failed", figure_failed, true},
    {"pixels", figure_pixels, true},
    {"source_bytes", figure_source_bytes, true},
    {"decode_seconds", bt_figure_decode, true},
    {"kernel_seconds", bt_figure_kernel, true},
    {"encode_seconds", bt_figure_encode, true},
    {"waiting_seconds", bt_figure_waiting, true},
    {"elapsed_seconds", bt_figure_elapsed, true},
    {"longest_seconds", bt_figure_longest, true},
};

static const char *
kind_name(BtRowKind kind)
{
    static const char *const names[] = {
        [BT_ROW_SERIAL] = "serial", [BT_ROW_WORKERS] = "workers", [BT_ROW_OTHER] = "other"};

    return names[kind];
}

static void
begin(BtJson *json, const char *event)
{
    json->follows = false;
    bt_json_begin(json, NULL);
    bt_json_put_text(json, "event", event);
}

static void
end(BtJson *json)
{
    bt_json_end(json);
    g_string_append_c(json->text, '\n');
}

static void
put_joined(BtJson *json, const char *name, char **words)
{
    g_autofree char *joined = g_strjoinv(" ", words);

    bt_json_put_text(json, name, joined);
}

static void
put_start(BtJson *json, const BtStudy *study)
{
    begin(json, "start");
    bt_json_put_int(json, "schema", 1);
    bt_json_put_text(json, "program", "blurthumb-bench");
    bt_json_put_text(json, "version", study->version);
    bt_json_begin(json, "machine");
    bt_json_put_text(json, "processor", study->machine.processor);
    bt_json_put_text(json, "system", study->machine.system);
    bt_json_put_int(json, "processors", study->machine.n_processors);
    bt_json_put_int(json, "usable", study->machine.n_usable);
    bt_json_put_count(json, "memory_bytes", study->machine.memory_bytes);
    bt_json_end(json);
    bt_json_begin(json, "options");
    bt_json_put_int(json, "rounds", study->options->n_rounds);
    bt_json_put_number(json, "seconds", study->options->seconds);
    bt_json_put_bool(json, "cold", study->options->cold);
    put_joined(json, "paths", study->options->paths);
    put_joined(json, "passed", study->options->passed);
    bt_json_end(json);
    end(json);
}

static void
put_sample(BtJson *json, const BtRow *row, guint round)
{
    const BtSample *sample = &g_array_index(row->samples, BtSample, round);

    begin(json, "sample");
    bt_json_put_text(json, "row", row->name);
    bt_json_put_text(json, "kind", kind_name(row->kind));
    bt_json_put_int(json, "workers", row->n_workers);
    bt_json_put_count(json, "round", round + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        if (!columns[i].is_ours || row->kind != BT_ROW_OTHER)
            bt_json_put_number(json, columns[i].name, columns[i].figure(sample));
    end(json);
}

static void
put_interval(BtJson *json, const char *name, BtInterval interval)
{
    bt_json_begin(json, name);
    bt_json_put_number(json, "value", interval.value);
    bt_json_put_number(json, "low", interval.low);
    bt_json_put_number(json, "high", interval.high);
    bt_json_end(json);
}

static void
put_figures(BtJson *json, const BtStudy *study, const BtRow *row)
{
    BtSpread wall = bt_row_spread(row, bt_figure_wall);
    const BtRow *serial = bt_study_serial(study), *most = bt_study_most_workers(study);

    bt_json_put_count(json, "rounds", wall.n);
    bt_json_put_number(json, "median_seconds", wall.median);
    bt_json_put_number(json, "low_seconds", wall.low);
    bt_json_put_number(json, "high_seconds", wall.high);
    bt_json_put_count(json, "outliers", wall.n_outliers);
    bt_json_put_number(json, "cpu_seconds", bt_row_median(row, bt_figure_cpu));
    if (serial != NULL)
        put_interval(json, "speed_up", bt_row_ratio(serial, row, bt_figure_wall));
    if (most != NULL)
        put_interval(json, "ratio", bt_row_ratio(row, most, bt_figure_wall));
    bt_json_put_number(json, "largest_bytes", bt_row_median(row, bt_figure_largest));
    bt_json_put_count(json, "together_bytes", row->together_bytes);
    bt_json_put_int(json, "processes", row->n_processes);
    bt_json_put_count(json, "results", row->n_results);
}

static void
put_row(BtJson *json, const BtStudy *study, const BtRow *row)
{
    begin(json, "row");
    bt_json_put_text(json, "row", row->name);
    bt_json_put_text(json, "kind", kind_name(row->kind));
    bt_json_put_int(json, "workers", row->n_workers);
    put_joined(json, "command", row->argv);
    if (row->failure != NULL)
        bt_json_put_text(json, "failure", row->failure);
    else
        put_figures(json, study, row);
    end(json);
}

static void
put_messages(BtJson *json, const char *event, char **messages)
{
    for (; *messages != NULL; messages++) {
        begin(json, event);
        bt_json_put_text(json, "message", *messages);
        end(json);
    }
}

static void
put_conclusion(BtJson *json, const BtStudy *study)
{
    g_auto(GStrv) told = bt_verdict_tell(study), warned = bt_verdict_warn(study);
    BtAmdahl fit;

    if (bt_verdict_fit(study, &fit)) {
        begin(json, "limits");
        bt_json_put_number(json, "fixed_seconds", fit.fixed);
        bt_json_put_number(json, "shared_seconds", fit.shared);
        end(json);
    }
    put_messages(json, "told", told);
    put_messages(json, "warning", warned);
    begin(json, "end");
    bt_json_put_count(json, "rounds", study->n_rounds);
    bt_json_put_number(json, "others_share", study->others_share);
    bt_json_put_number(json, "stolen_share", study->stolen_share);
    end(json);
}

char *
bt_dump_json(const BtStudy *study)
{
    BtJson json = {.text = g_string_new(NULL)};

    put_start(&json, study);
    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        for (guint round = 0; round < row->samples->len; round++)
            put_sample(&json, row, round);
        put_row(&json, study, row);
    }
    put_conclusion(&json, study);
    return g_string_free(json.text, FALSE);
}

/* RFC 4180 */
static void
add_quoted(GString *out, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, "\"", -1);
    g_autofree char *doubled = g_strjoinv("\"\"", parts);

    g_string_append_printf(out, "\"%s\"", doubled);
}

static void
add_csv_sample(GString *out, const BtRow *row, guint round)
{
    const BtSample *sample = &g_array_index(row->samples, BtSample, round);

    add_quoted(out, row->name);
    g_string_append_printf(out, ",%s,%d,%u", kind_name(row->kind), row->n_workers, round + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        if (!columns[i].is_ours || row->kind != BT_ROW_OTHER)
            g_string_append_printf(out, ",%.9g", columns[i].figure(sample));
        else
            g_string_append_c(out, ',');
    g_string_append(out, "\r\n");
}

char *
bt_dump_csv(const BtStudy *study)
{
    GString *out = g_string_new("row,kind,workers,round");

    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        g_string_append_printf(out, ",%s", columns[i].name);
    g_string_append(out, "\r\n");
    for (guint i = 0; i < study->rows->len; i++) {
        const BtRow *row = study->rows->pdata[i];

        for (guint round = 0; round < row->samples->len; round++)
            add_csv_sample(out, row, round);
    }
    return g_string_free(out, FALSE);
}
