/* SPDX-License-Identifier: MIT */
#include "run/intake.h"

#include "base/human.h"
#include "store/naming.h"

#include <string.h>

/* What a worker chooses between. */
static const BtFormat chosen[] = {BT_FORMAT_JPEG, BT_FORMAT_PNG};

static const struct {
    const char *code;
    const char *why; /* to do it */
    const char *lack;
} states[] = {
    [BT_STORE_NEW] = {"new", "new", "it has no result"},
    [BT_STORE_CHANGED] = {"changed", "changed since its result was made",
                          "it changed since its result was made"},
    [BT_STORE_SETTINGS] = {"settings", "its result was made with other settings",
                           "its result was made with other settings"},
    [BT_STORE_FORCED] = {"forced", "--force", "--force"},
    [BT_STORE_BROKEN] = {"broken", "its result is empty or no file",
                         "its result is empty or no file"},
};

BtFormat
bt_intake_format(const BtBatch *self, const BtSource *source)
{
    if (self->options->format != BT_FORMAT_NONE)
        return self->options->format;
    return bt_image_can_write(source->format, self->options->image.allowed) ? source->format
                                                                            : BT_FORMAT_NONE;
}

char *
bt_intake_name(const BtBatch *self, const BtSource *source, BtFormat format, GError **error)
{
    return bt_naming_result(&self->options->naming, source->name, source->format, format, error);
}

static void
fail_rival(BtBatch *self, const BtSource *source, const char *name, const char *rival)
{
    g_autofree char *path = bt_batch_result_path(self, name);
    g_autofree char *reason = g_strdup_printf("its result %s belongs to %s", path, rival);

    bt_batch_fail(self, source, "name-taken", reason);
}

/* Takes a result's name for a source. The path of the source that has it already, or NULL. */
static const char *
claim(BtBatch *self, const BtSource *source, const char *name)
{
    g_autofree char *text = self->folds_case ? g_utf8_make_valid(name, -1) : NULL;
    g_autofree char *key = text != NULL ? g_utf8_casefold(text, -1) : g_strdup(name);
    const char *owner = g_hash_table_lookup(self->claims, key);

    if (owner == NULL)
        g_hash_table_insert(self->claims, g_steal_pointer(&key), g_strdup(source->path));
    return owner;
}

/* Whether one of the names that a source's result may get is another's; then that is reported. */
static bool
fail_taken(BtBatch *self, const BtSource *source, char **names)
{
    if (self->claims == NULL)
        return false;
    for (char **name = names; *name != NULL; name++) {
        const char *owner = claim(self, source, *name);

        /* A list may name a file twice. */
        if (owner != NULL && strcmp(owner, source->path) != 0) {
            fail_rival(self, source, *name, owner);
            return true;
        }
    }
    return false;
}

static bool
fail_large(BtBatch *self, const BtSource *source)
{
    uint64_t bytes = (uint64_t)source->stat.st_size, most = self->options->max_file_size;
    g_autofree char *size = NULL, *limit = NULL, *reason = NULL;

    if (most == 0 || bytes <= most)
        return false;
    size = bt_human_bytes(bytes);
    limit = bt_human_bytes(most);
    reason =
        g_strdup_printf("the file has %s, over the limit of %s (--max-file-size)", size, limit);
    bt_batch_fail(self, source, "too-large", reason);
    return true;
}

/* The names that a source's result may get, one for each format that may be chosen; NULL with a
 * sentence where there is none. */
static char **
possible_names(const BtBatch *self, const BtSource *source, GError **error)
{
    BtFormat known = bt_intake_format(self, source);
    const BtFormat *formats = known != BT_FORMAT_NONE ? &known : chosen;
    size_t n = known != BT_FORMAT_NONE ? 1 : G_N_ELEMENTS(chosen);
    g_auto(GStrv) names = g_new0(char *, n + 1);

    for (size_t i = 0; i < n; i++)
        if ((names[i] = bt_intake_name(self, source, formats[i], error)) == NULL)
            return NULL;
    return g_steal_pointer(&names);
}

/* Of several possible results the fresh one counts, if it is this source's; else the first. */
static BtStoreState
look_at(const BtBatch *self, const BtSource *source, char **names, int *out_index,
        struct stat *out_result)
{
    BtStoreState first = BT_STORE_NEW;

    *out_index = 0;
    for (int i = 0; names[i] != NULL; i++) {
        BtStoreState state = bt_store_look(self->store, names[i], &source->stat, out_result);

        if (state == BT_STORE_FRESH) {
            *out_index = i;
            return state;
        }
        if (i == 0 && state != BT_STORE_FRESH)
            first = state;
    }
    return first;
}

char *
bt_intake_fresh(const BtBatch *self, const BtSource *source)
{
    g_auto(GStrv) names = possible_names(self, source, NULL);
    struct stat result;
    int index;

    if (names == NULL || look_at(self, source, names, &index, &result) != BT_STORE_FRESH)
        return NULL;
    return g_strdup(names[index]);
}

static void
skip_fresh(BtBatch *self, const BtSource *source, const char *name, const struct stat *result)
{
    g_autofree char *path = bt_batch_result_path(self, name);
    BtReportPicture picture = bt_batch_describe(source);

    picture.result = path;
    picture.result_bytes = (uint64_t)result->st_size;
    bt_report_skipped(self->report, &picture, "fresh", "its result is up to date");
}

static void
plan(BtBatch *self, const BtSource *source, const char *name, BtStoreState state)
{
    g_autofree char *path = bt_batch_result_path(self, name);
    BtReportPicture picture = bt_batch_describe(source);

    picture.result = path;
    bt_report_planned(self->report, &picture, states[state].code, states[state].why);
}

static void
add(BtBatch *self, BtSource *source)
{
    bt_report_found(self->report, (uint64_t)source->stat.st_size);
    bt_window_add(self->window, source);
}

/* Takes the source. */
static void
sort_out(BtBatch *self, BtSource *found, char **names)
{
    g_autoptr(BtSource) source = found;
    struct stat result;
    int index;
    BtStoreState state = look_at(self, source, names, &index, &result);

    if (self->options->task == BT_RUN_VERIFY && state != BT_STORE_FRESH)
        bt_batch_fail(self, source, states[state].code, states[state].lack);
    else if (self->options->task == BT_RUN_VERIFY)
        add(self, g_steal_pointer(&source));
    else if (state == BT_STORE_FRESH)
        skip_fresh(self, source, names[index], &result);
    else if (self->options->task == BT_RUN_PLAN)
        plan(self, source, names[index], state);
    else
        add(self, g_steal_pointer(&source));
}

/* A source that was found. False when the batch cannot go on. */
static bool
accept_source(BtBatch *self, BtSource *found, GError **error)
{
    g_autoptr(BtSource) source = found;
    g_autoptr(GError) nameless = NULL;
    g_auto(GStrv) names = NULL;

    if ((source->format != BT_FORMAT_JPEG || self->options->format > BT_FORMAT_JPEG) &&
        !bt_image_prepare(error))
        return false;
    if ((names = possible_names(self, source, &nameless)) == NULL)
        bt_batch_fail(self, source, "name", nameless->message);
    else if (!fail_taken(self, source, names) && !fail_large(self, source))
        sort_out(self, g_steal_pointer(&source), names);
    return true;
}

bool
bt_intake_step(BtBatch *self, GError **error)
{
    g_autoptr(GError) problem = NULL;
    BtSource *source = NULL;

    switch (bt_scan_next(self->scan, &source, &problem)) {
    case BT_SCAN_SOURCE:
        return accept_source(self, source, error);
    case BT_SCAN_PROBLEM:
        bt_report_failed(self->report, &(BtReportPicture){0}, "scan", problem->message);
        break;
    case BT_SCAN_NOTICE:
        bt_report_notice(self->report, problem->message);
        break;
    case BT_SCAN_MORE:
        break;
    case BT_SCAN_END:
        self->scanned = true;
        bt_report_scanned(self->report);
        break;
    }
    return true;
}
