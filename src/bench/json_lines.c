/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "bench/output.h"

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
    bt_json_put_int(json, "schema", 2);
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
begin_row(BtJson *json, const char *event, const BtRow *row)
{
    static const char *const kinds[] = {
        [BT_ROW_SERIAL] = "serial", [BT_ROW_WORKERS] = "workers", [BT_ROW_OTHER] = "other"};

    begin(json, event);
    bt_json_put_text(json, "row", row->name);
    bt_json_put_text(json, "kind", kinds[row->kind]);
    bt_json_put_int(json, "workers", row->n_workers);
}

static void
put_samples(BtJson *json, const BtRow *row)
{
    int n = row->kind == BT_ROW_OTHER ? BT_FIGURE_PROCESSED : BT_FIGURE_COUNT;

    for (guint round = 0; round < row->samples->len; round++) {
        const BtSample *sample = &g_array_index(row->samples, BtSample, round);

        begin_row(json, "sample", row);
        bt_json_put_count(json, "round", round + 1);
        for (int i = 0; i < n; i++)
            bt_json_put_number(json, bt_figure_name((BtFigure)i), sample->of[i]);
        end(json);
    }
}

static void
put_ratio(BtJson *json, const char *name, BtSpread ratio)
{
    bt_json_begin(json, name);
    bt_json_put_number(json, "value", ratio.median);
    bt_json_put_number(json, "low", ratio.low);
    bt_json_put_number(json, "high", ratio.high);
    bt_json_end(json);
}

static void
put_figures(BtJson *json, const BtStudy *study, const BtRow *row)
{
    BtSpread wall = bt_row_spread(row, BT_FIGURE_WALL);
    const BtRow *serial = bt_study_serial(study), *most = bt_study_most_workers(study);

    bt_json_put_count(json, "rounds", row->samples->len);
    bt_json_put_number(json, "median_seconds", wall.median);
    bt_json_put_number(json, "low_seconds", wall.low);
    bt_json_put_number(json, "high_seconds", wall.high);
    bt_json_put_number(json, "cpu_seconds", bt_row_median(row, BT_FIGURE_CPU));
    if (serial != NULL)
        put_ratio(json, "speed_up", bt_row_ratio(serial, row, BT_FIGURE_WALL));
    if (most != NULL)
        put_ratio(json, "ratio", bt_row_ratio(row, most, BT_FIGURE_WALL));
    bt_json_put_number(json, "largest_bytes", bt_row_median(row, BT_FIGURE_LARGEST));
    bt_json_put_count(json, "together_bytes", row->together_bytes);
    bt_json_put_int(json, "processes", row->n_processes);
    bt_json_put_count(json, "results", row->n_results);
}

static void
put_row(BtJson *json, const BtStudy *study, const BtRow *row)
{
    g_auto(GStrv) command = bt_study_command(study, row, "{out}");

    begin_row(json, "row", row);
    put_joined(json, "command", command);
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

char *
bt_output_json(const BtStudy *study)
{
    g_auto(GStrv) limits = bt_output_limits(study), warnings = bt_output_warnings(study);
    BtJson json = {.text = g_string_new(NULL)};

    put_start(&json, study);
    for (guint i = 0; i < study->rows->len; i++)
        put_samples(&json, study->rows->pdata[i]);
    for (guint i = 0; i < study->rows->len; i++)
        put_row(&json, study, study->rows->pdata[i]);
    put_messages(&json, "told", limits);
    put_messages(&json, "warning", warnings);
    begin(&json, "end");
    bt_json_put_count(&json, "rounds", study->n_rounds);
    bt_json_put_number(&json, "others_share", study->others_share);
    bt_json_put_number(&json, "stolen_share", study->stolen_share);
    end(&json);
    return g_string_free(json.text, FALSE);
}
