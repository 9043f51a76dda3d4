/* SPDX-License-Identifier: MIT */
#include "report/events.h"

#include "base/clock.h"
#include "base/json.h"

#include <string.h>

static void
begin(BtJson *json, const char *event)
{
    json->text = g_string_new(NULL);
    bt_json_begin(json, NULL);
    bt_json_put_text(json, "event", event);
}

static void
end(BtJson *json, FILE *out)
{
    bt_json_end(json);
    g_string_append_c(json->text, '\n');
    fwrite(json->text->str, 1, json->text->len, out);
    fflush(out);
    g_string_free(json->text, TRUE);
}

static void
put_known_text(BtJson *json, const char *name, const char *value)
{
    if (value != NULL)
        bt_json_put_text(json, name, value);
}

static void
put_known(BtJson *json, const char *name, uint64_t value)
{
    if (value > 0)
        bt_json_put_count(json, name, value);
}

static void
put_seconds(BtJson *json, const char *name, uint64_t ns)
{
    if (ns > 0)
        bt_json_put_number(json, name, (double)ns / (double)BT_NS_PER_S);
}

/* A name of a file: any bytes. */
static void
put_name(BtJson *json, const char *name, const char *value)
{
    g_autofree char *member = NULL, *coded = NULL;

    put_known_text(json, name, value);
    if (value == NULL || g_utf8_validate(value, -1, NULL))
        return;
    member = g_strconcat(name, "_base64", NULL);
    coded = g_base64_encode((const guchar *)value, strlen(value));
    bt_json_put_text(json, member, coded);
}

static void
put_time(BtJson *json)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *text = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");

    bt_json_put_text(json, "time", text);
}

/* Lines "NAME VALUE". */
static void
put_settings(BtJson *json, const char *settings)
{
    g_auto(GStrv) lines = g_strsplit(settings != NULL ? settings : "", "\n", -1);

    bt_json_begin(json, "settings");
    for (char **line = lines; *line != NULL; line++) {
        char *space = strchr(*line, ' ');

        if (space == NULL)
            continue;
        *space = '\0';
        bt_json_put_text(json, *line, space + 1);
    }
    bt_json_end(json);
}

void
bt_events_start(FILE *out, const BtReportStart *start)
{
    BtJson json = {0};

    begin(&json, "start");
    bt_json_put_int(&json, "schema", BT_EVENTS_SCHEMA);
    bt_json_put_text(&json, "program", "blurthumb");
    put_known_text(&json, "version", start->version);
    put_time(&json);
    put_name(&json, "output", start->output);
    bt_json_put_int(&json, "workers", start->n_workers == BT_REPORT_SERIAL ? 0 : start->n_workers);
    bt_json_put_count(&json, "shard_index", start->shard_index);
    bt_json_put_count(&json, "shard_count", MAX(1, start->shard_count));
    put_settings(&json, start->settings);
    end(&json, out);
}

void
bt_events_picture(FILE *out, const char *status, const BtReportPicture *picture, const char *reason,
                  const char *message)
{
    BtJson json = {0};

    begin(&json, "picture");
    bt_json_put_text(&json, "status", status);
    put_name(&json, "path", picture->path);
    put_name(&json, "result", picture->result);
    put_known_text(&json, "reason", reason);
    put_known_text(&json, "message", message);
    put_known(&json, "source_bytes", picture->source_bytes);
    if (picture->path != NULL)
        bt_json_put_int(&json, "source_time", picture->source_time);
    put_known(&json, "source_width", (uint64_t)picture->source_width);
    put_known(&json, "source_height", (uint64_t)picture->source_height);
    put_known(&json, "pages", (uint64_t)picture->n_pages);
    put_known_text(&json, "left_out", picture->left_out);
    put_known(&json, "result_bytes", picture->result_bytes);
    put_known(&json, "width", (uint64_t)picture->width);
    put_known(&json, "height", (uint64_t)picture->height);
    put_known(&json, "shrink", (uint64_t)picture->shrink);
    put_known_text(&json, "decoder", picture->decoder);
    put_known_text(&json, "format", picture->format);
    put_known_text(&json, "thumbhash", picture->thumbhash);
    put_seconds(&json, "decode_seconds", picture->decode_ns);
    put_seconds(&json, "kernel_seconds", picture->kernel_ns);
    put_seconds(&json, "encode_seconds", picture->encode_ns);
    put_seconds(&json, "elapsed_seconds", picture->elapsed_ns);
    end(&json, out);
}

void
bt_events_notice(FILE *out, const char *message)
{
    BtJson json = {0};

    begin(&json, "notice");
    bt_json_put_text(&json, "message", message);
    end(&json, out);
}

void
bt_events_worker(FILE *out, const BtReportWorker *worker)
{
    BtJson json = {0};

    begin(&json, "worker");
    bt_json_put_text(&json, "name", worker->name);
    if (worker->pid > 0)
        bt_json_put_int(&json, "pid", worker->pid);
    bt_json_put_text(&json, "state", worker->state);
    put_name(&json, "path", worker->path);
    put_seconds(&json, "seconds", worker->for_ns);
    end(&json, out);
}

static void
put_ignored(BtJson *json, const BtKinds *ignored)
{
    g_autoptr(GArray) kinds = bt_kinds_sorted(ignored);

    bt_json_put_count(json, "ignored", bt_kinds_total(ignored));
    if (kinds->len == 0)
        return;
    bt_json_begin(json, "ignored_by_extension");
    for (guint i = 0; i < kinds->len; i++) {
        const BtKind *kind = &g_array_index(kinds, BtKind, i);

        bt_json_put_count(json, kind->name, kind->n);
    }
    bt_json_end(json);
}

void
bt_events_end(FILE *out, const BtReportEnd *batch, const BtReportCounts *counts,
              const BtKinds *ignored)
{
    BtJson json = {0};

    begin(&json, "end");
    put_time(&json);
    bt_json_put_count(&json, "processed", counts->n_processed);
    put_known(&json, "verified", counts->n_verified);
    bt_json_put_count(&json, "skipped", counts->n_skipped);
    put_known(&json, "planned", counts->n_planned);
    put_known(&json, "orphans", counts->n_orphans);
    put_known(&json, "removed", counts->n_removed);
    bt_json_put_count(&json, "failed", counts->n_failed);
    put_ignored(&json, ignored);
    bt_json_put_count(&json, "pixels", counts->n_pixels);
    bt_json_put_count(&json, "source_bytes", counts->source_bytes);
    bt_json_put_count(&json, "result_bytes", counts->result_bytes);
    put_seconds(&json, "decode_seconds", counts->decode_ns);
    put_seconds(&json, "kernel_seconds", counts->kernel_ns);
    put_seconds(&json, "encode_seconds", counts->encode_ns);
    put_seconds(&json, "elapsed_seconds", batch->elapsed_ns);
    bt_json_put_int(&json, "workers", batch->n_workers == BT_REPORT_SERIAL ? 0 : batch->n_workers);
    put_known(&json, "signal", (uint64_t)batch->signal);
    put_known_text(&json, "error", batch->error);
    end(&json, out);
}
