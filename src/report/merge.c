/* SPDX-License-Identifier: MIT */
#include "report/merge.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was said of one source. */
typedef struct Entry {
    char *status, *path, *result, *reason, *message, *left_out, *decoder, *format, *thumbhash;
    BtReportPicture picture; /* its texts point above */
} Entry;

typedef struct Merge {
    BtReport *report;
    GPtrArray *entries;  /* in the order in which sources were met; owned */
    GHashTable *by_path; /* the same, by path */
    int n_workers;
    bool serial; /* a run had no workers */
    uint64_t elapsed_ns;
} Merge;

static void
free_entry(gpointer data)
{
    Entry *entry = data;

    g_free(entry->status);
    g_free(entry->path);
    g_free(entry->result);
    g_free(entry->reason);
    g_free(entry->message);
    g_free(entry->left_out);
    g_free(entry->decoder);
    g_free(entry->format);
    g_free(entry->thumbhash);
    g_free(entry);
}

/* A name's exact bytes. NULL where there is none. */
static char *
read_name(BtJsonObject *event, const char *member)
{
    g_autofree char *coded_member = g_strconcat(member, "_base64", NULL);
    const char *coded = bt_json_text(event, coded_member);
    g_autofree guchar *bytes = NULL;
    gsize size;

    if (coded == NULL)
        return g_strdup(bt_json_text(event, member));
    bytes = g_base64_decode(coded, &size);
    return g_strndup((const char *)bytes, size);
}

/* A count, of at most 2^53. */
static uint64_t
read_count(BtJsonObject *event, const char *member)
{
    double value = bt_json_number(event, member, 0);

    return value > 0 && value <= 9007199254740992.0 ? (uint64_t)value : 0;
}

static int
read_int(BtJsonObject *event, const char *member)
{
    return (int)MIN(read_count(event, member), (uint64_t)INT32_MAX);
}

static uint64_t
read_ns(BtJsonObject *event, const char *member)
{
    return (uint64_t)(CLAMP(bt_json_number(event, member, 0), 0, 1e9) * (double)BT_NS_PER_S);
}

static Entry *
read_entry(BtJsonObject *event)
{
    Entry *entry = g_new0(Entry, 1);

    entry->status = g_strdup(bt_json_text(event, "status"));
    entry->path = read_name(event, "path");
    entry->result = read_name(event, "result");
    entry->reason = g_strdup(bt_json_text(event, "reason"));
    entry->message = g_strdup(bt_json_text(event, "message"));
    entry->left_out = g_strdup(bt_json_text(event, "left_out"));
    entry->decoder = g_strdup(bt_json_text(event, "decoder"));
    entry->format = g_strdup(bt_json_text(event, "format"));
    entry->thumbhash = g_strdup(bt_json_text(event, "thumbhash"));
    entry->picture = (BtReportPicture){
        .path = entry->path,
        .result = entry->result,
        .source_bytes = read_count(event, "source_bytes"),
        .result_bytes = read_count(event, "result_bytes"),
        .source_time = (int64_t)CLAMP(bt_json_number(event, "source_time", 0), -1e15, 1e15),
        .source_width = read_int(event, "source_width"),
        .source_height = read_int(event, "source_height"),
        .width = read_int(event, "width"),
        .height = read_int(event, "height"),
        .shrink = read_int(event, "shrink"),
        .n_pages = read_int(event, "pages"),
        .left_out = entry->left_out,
        .decoder = entry->decoder,
        .format = entry->format,
        .thumbhash = entry->thumbhash,
        .decode_ns = read_ns(event, "decode_seconds"),
        .kernel_ns = read_ns(event, "kernel_seconds"),
        .encode_ns = read_ns(event, "encode_seconds"),
        .elapsed_ns = read_ns(event, "elapsed_seconds"),
    };
    return entry;
}

static bool
was_made(const Entry *entry)
{
    return strcmp(entry->status, "processed") == 0;
}

/* Takes what was said of a source. */
static void
add_entry(Merge *self, Entry *entry)
{
    Entry *known = entry->path != NULL ? g_hash_table_lookup(self->by_path, entry->path) : NULL;
    Entry swapped;

    if (known == NULL) {
        g_ptr_array_add(self->entries, entry);
        if (entry->path != NULL)
            g_hash_table_insert(self->by_path, entry->path, entry);
        return;
    }
    if (!was_made(known) || (strcmp(entry->status, "skipped") != 0 && !was_made(entry) &&
                             strcmp(entry->status, "verified") != 0)) {
        swapped = *known;
        *known = *entry;
        *entry = swapped;
        /* The table's key is the one that it was given. */
        g_hash_table_replace(self->by_path, known->path, known);
    }
    free_entry(entry);
}

static void
fail_report(Merge *self, const char *path, const char *what)
{
    g_autofree char *reason = g_strdup_printf("%s: %s", path, what);

    bt_report_failed(self->report, &(BtReportPicture){0}, "report", reason);
}

/* What an end says was ignored: by kinds, and what is in none of them. */
static void
take_ignored(Merge *self, BtJsonObject *event)
{
    static const char prefix[] = "ignored_by_extension.";
    g_autoptr(GPtrArray) names = bt_json_names(event, prefix);
    uint64_t total = read_count(event, "ignored"), n_named = 0;

    for (guint i = 0; i < names->len; i++) {
        uint64_t n = MIN(read_count(event, names->pdata[i]), total - n_named);

        bt_report_add_ignored(self->report, (char *)names->pdata[i] + strlen(prefix), n);
        n_named += n;
    }
    bt_report_add_ignored(self->report, NULL, total - n_named);
}

static void
take_end(Merge *self, const char *path, BtJsonObject *event)
{
    const char *error = bt_json_text(event, "error");
    int n_workers = read_int(event, "workers");
    g_autofree char *ended = NULL;

    self->n_workers += n_workers;
    self->serial |= n_workers == 0;
    self->elapsed_ns = MAX(self->elapsed_ns, read_ns(event, "elapsed_seconds"));
    take_ignored(self, event);
    if (error == NULL && read_int(event, "signal") == 0)
        return;
    ended = g_strdup_printf("the run ended early%s%s", error != NULL ? ": " : "",
                            error != NULL ? error : "");
    fail_report(self, path, ended);
}

/* One line. *ended: the last event was an end. False when the line is not one of ours. */
static bool
take_line(Merge *self, const char *path, const char *line, size_t length, bool *ended,
          GError **error)
{
    g_autoptr(BtJsonObject) event = bt_json_parse(line, length, error);
    const char *kind = event != NULL ? bt_json_text(event, "event") : NULL;

    if (event == NULL)
        return false;
    if (kind == NULL)
        return bt_error_set(error, BT_ERROR_INVALID, "not an event");
    *ended = strcmp(kind, "end") == 0;
    if (*ended)
        take_end(self, path, event);
    else if (strcmp(kind, "picture") == 0 && bt_json_text(event, "status") != NULL)
        add_entry(self, read_entry(event));
    return true;
}

static bool
read_report(Merge *self, const char *path, GError **error)
{
    FILE *file = fopen(path, "re");
    g_autoptr(GError) wrong = NULL;
    char *line = NULL;
    size_t room = 0;
    bool ended = false, torn = false;
    ssize_t length;

    if (file == NULL)
        return bt_error_set_system(error, errno, "%s", path);
    for (uint64_t number = 1; (length = getline(&line, &room, file)) > 0; number++) {
        torn = line[length - 1] != '\n';
        if (!torn && !take_line(self, path, line, (size_t)length, &ended, &wrong)) {
            g_autofree char *what =
                g_strdup_printf("line %" G_GUINT64_FORMAT ": %s", (guint64)number, wrong->message);

            fail_report(self, path, what);
            g_clear_error(&wrong);
        }
    }
    free(line);
    fclose(file);
    if (!ended || torn)
        fail_report(self, path, "the run was cut off: there is no end event");
    return true;
}

static void
tell_entry(BtReport *report, const Entry *entry)
{
    const char *reason = entry->reason != NULL ? entry->reason : "";
    const char *message = entry->message != NULL ? entry->message : "";

    if (was_made(entry))
        bt_report_processed(report, &entry->picture);
    else if (strcmp(entry->status, "verified") == 0)
        bt_report_verified(report, &entry->picture);
    else if (strcmp(entry->status, "skipped") == 0)
        bt_report_skipped(report, &entry->picture, reason, message);
    else if (entry->result != NULL &&
             (strcmp(entry->status, "orphan") == 0 || strcmp(entry->status, "removed") == 0))
        bt_report_orphan(report, entry->result, entry->status[0] == 'r');
    else if (strcmp(entry->status, "planned") == 0 && entry->result != NULL)
        bt_report_planned(report, &entry->picture, reason, message);
    else
        bt_report_failed(report, &entry->picture, reason, message);
}

static void
tell_all(Merge *self)
{
    BtReportEnd end = {
        .n_workers = self->serial && self->n_workers == 0 ? BT_REPORT_SERIAL : self->n_workers,
        .elapsed_ns = self->elapsed_ns,
    };

    for (guint i = 0; i < self->entries->len; i++)
        tell_entry(self->report, self->entries->pdata[i]);
    bt_report_summary(self->report, &end);
}

bool
bt_merge(const char *const *paths, BtReport *report, GError **error)
{
    Merge merge = {
        .report = report,
        .entries = g_ptr_array_new_with_free_func(free_entry),
        .by_path = g_hash_table_new(g_str_hash, g_str_equal),
    };
    bool ok = true;

    for (const char *const *path = paths; ok && *path != NULL; path++)
        ok = read_report(&merge, *path, error);
    if (ok)
        tell_all(&merge);
    g_hash_table_unref(merge.by_path);
    g_ptr_array_unref(merge.entries);
    return ok;
}
