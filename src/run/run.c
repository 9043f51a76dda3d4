/* SPDX-License-Identifier: MIT */
/*
 * The way of one picture:
 *
 *   take_step     the scan finds its source              scan/scan.c    bt_scan_next
 *   take_source   it becomes an item with a name         run/item.c     bt_item_new
 *                 that no other source may have          store/store.c  bt_store_claim
 *                 and a result that may be there         store/store.c  bt_store_look
 *   read_ahead    its file is opened                     scan/scan.c    bt_scan_open
 *   start_items   a worker gets it                       run/engine.c   bt_engine_submit
 *                                                        run/worker.c   bt_worker_serve
 *                 and decodes, blurs, encodes            image/image.c  bt_image_process
 *   settle        its answer is checked                  run/worker.c   bt_worker_read_reply
 *   publish       its result is sealed, named, counted   store/store.c  bt_store_publish
 *
 * A function that returns bool and may set an error is false when the batch cannot go on.
 */
#include "run/run.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/human.h"
#include "base/stall.h"
#include "run/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Sources that wait: enough to put a giant first, and about a megabyte. */
#define WINDOW_LIMIT 4096

/* How long the scan goes on where no picture is in work, as before the first one: enough for a few
 * thousand files, among which the largest goes first, and too short to notice. */
#define HEAD_START_NS (5 * BT_NS_PER_MS)

/* How long the scan goes on while pictures are in work: as long waits a worker that is done. */
#define SCAN_TIME_NS (BT_NS_PER_MS / 4)

/* How many sources are read ahead at most, and how much of each. One call asks for what a device
 * reads ahead by itself: the kernel cuts a longer wish down to that. */
#define NEXT_LIMIT       16
#define AHEAD_BYTES      (4 * 1024 * 1024)
#define AHEAD_STEP_BYTES (128 * 1024)

static void
fail_item(BtBatch *self, const BtItem *item, const char *code, const char *reason)
{
    g_autofree char *result = NULL;
    BtReportPicture picture = bt_item_describe(item, self->options, NULL, &result);

    picture.result = NULL;
    picture.result_bytes = 0;
    bt_report_failed(self->report, &picture, code, reason);
}

/* Errors that every further picture would meet too. */
static bool
is_fatal(const GError *error)
{
    return error->domain == BT_ERROR_SYSTEM &&
           (error->code == ENOSPC || error->code == EDQUOT || error->code == EROFS ||
            error->code == EMFILE || error->code == ENFILE);
}

/* Reports the failure of one picture, which is taken, unless it is one of the batch. */
static bool
fail_or_end(BtBatch *self, const BtItem *item, const char *code, GError *taken, GError **error)
{
    g_autoptr(GError) failure = taken;

    if (is_fatal(failure)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    fail_item(self, item, g_error_matches(failure, BT_ERROR, BT_ERROR_TAKEN) ? "foreign" : code,
              failure->message);
    return true;
}

/* Smallest first; never 0, so that of equal ones the first found is taken first. */
static gint
compare_sizes(gconstpointer a, gconstpointer b, gpointer added)
{
    const BtItem *left = a, *right = b;
    off_t one = left->source->stat.st_size, other = right->source->stat.st_size;

    if (one != other)
        return one < other ? -1 : 1;
    return a == added ? -1 : 1;
}

static void
put_in_window(BtBatch *self, BtItem *item)
{
    g_sequence_insert_sorted(self->window, item, compare_sizes, item);
}

/* Whether another source has one of the names that the result may get; then that is reported. */
static bool
fail_taken(BtBatch *self, const BtItem *item)
{
    const BtSource *source = item->source;
    uint64_t file[] = {source->stat.st_dev, source->stat.st_ino};
    BtOwner own = {(uint32_t)source->root, (uint32_t)bt_hash(file, sizeof file)};

    for (size_t i = 0; i < G_N_ELEMENTS(item->names) && item->names[i] != NULL; i++) {
        BtOwner owner = bt_store_claim(self->store, item->names[i], own);
        g_autofree char *path = NULL, *reason = NULL;
        BtScanRoot root = {0};

        if (owner.source == own.source) /* a list may name a file twice */
            continue;
        path = bt_run_result_path(self->options, item->names[i]);
        (void)bt_scan_root(self->scan, (int)owner.root, &root);
        reason = g_strdup_printf("its result would be %s, which belongs to another picture in %s",
                                 path, root.path);
        fail_item(self, item, "name-taken", reason);
        return true;
    }
    return false;
}

static bool
fail_large(BtBatch *self, const BtItem *item)
{
    uint64_t bytes = (uint64_t)item->source->stat.st_size, most = self->options->max_file_size;
    g_autofree char *size = NULL, *limit = NULL, *reason = NULL;

    if (most == 0 || bytes <= most)
        return false;
    size = bt_human_bytes(bytes);
    limit = bt_human_bytes(most);
    reason =
        g_strdup_printf("the file is %s, larger than --max-file-size allows (%s)", size, limit);
    fail_item(self, item, "too-large", reason);
    return true;
}

static void
fail_foreign(BtBatch *self, const BtItem *item)
{
    g_autoptr(GError) failure = NULL;

    bt_store_fail_foreign(self->store, item->name, &failure);
    fail_item(self, item, "foreign", failure->message);
}

static void
skip_or_plan(BtBatch *self, const BtItem *item)
{
    g_autofree char *result = NULL;
    BtReportPicture picture = bt_item_describe(item, self->options, NULL, &result);
    const char *code = bt_item_state_code(item->state), *why = bt_item_state_why(item->state);

    if (item->state == BT_STORE_FRESH) {
        bt_report_skipped(self->report, &picture, code, why);
        return;
    }
    picture.result_bytes = 0;
    bt_report_planned(self->report, &picture, code, why);
}

/* What the state of its result means for an item: takes it. */
static void
route(BtBatch *self, BtItem *taken)
{
    g_autoptr(BtItem) item = taken;
    BtRunMode mode = self->options->mode;
    bool fresh = item->state == BT_STORE_FRESH;

    if (item->state == BT_STORE_FOREIGN)
        fail_foreign(self, item);
    else if (mode == BT_RUN_VERIFY && !fresh)
        fail_item(self, item, bt_item_state_code(item->state), bt_item_state_why(item->state));
    else if (mode != BT_RUN_VERIFY && (fresh || mode == BT_RUN_PLAN))
        skip_or_plan(self, item);
    else {
        bt_report_found(self->report, (uint64_t)item->source->stat.st_size);
        put_in_window(self, g_steal_pointer(&item));
    }
}

static bool
take_source(BtBatch *self, BtSource *source, GError **error)
{
    g_autoptr(GError) nameless = NULL;
    g_autoptr(BtItem) item = NULL;
    BtReportPicture found = {.path = source->path};

    bt_orphans_see(self->orphans, source);
    if (self->options->format == BT_FORMAT_NONE && source->format > BT_FORMAT_PNG &&
        source->format != BT_FORMAT_RAW && !bt_engine_load_vips(self->engine, error)) {
        bt_source_free(source);
        return false;
    }
    if ((item = bt_item_new(self->options, source, &nameless)) == NULL)
        bt_report_failed(self->report, &found, "name", nameless->message);
    else if (!fail_taken(self, item) && !fail_large(self, item)) {
        bt_item_look(item, self->store);
        route(self, g_steal_pointer(&item));
    }
    return true;
}

static bool
take_step(BtBatch *self, GError **error)
{
    g_autoptr(GError) problem = NULL;
    BtSource *source = NULL;
    BtScanIgnored ignored;

    switch (bt_scan_next(self->scan, &source, &problem)) {
    case BT_SCAN_SOURCE:
        return take_source(self, source, error);
    case BT_SCAN_PROBLEM:
        bt_report_failed(self->report, &(BtReportPicture){0}, "scan", problem->message);
        break;
    case BT_SCAN_IGNORED:
        ignored = bt_scan_ignored(self->scan);
        bt_report_ignored(self->report, ignored.path, ignored.is_folder, ignored.why);
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

static bool
may_scan(const BtBatch *self)
{
    return !self->scanned && !bt_signals_ending(&self->signals) &&
           g_sequence_get_length(self->window) < WINDOW_LIMIT;
}

/* Scans for so long, or until a list has nothing yet. */
static bool
scan_for(BtBatch *self, uint64_t time_ns, GError **error)
{
    uint64_t until_ns = bt_clock_now_ns() + time_ns;
    bool ok = true;

    bt_stall_enter();
    while (ok && may_scan(self) && (self->list_ready || bt_scan_wait_fd(self->scan) < 0) &&
           bt_clock_now_ns() < until_ns) {
        self->list_ready = false;
        ok = take_step(self, error);
    }
    bt_stall_leave();
    return ok;
}

static bool
open_file(BtBatch *self, BtItem *item, GError **error)
{
    const BtSource *source = item->source;
    uint64_t root_id;

    if (item->work.check) {
        item->in_fd = bt_store_open_result(self->store, item->name, error);
        return item->in_fd >= 0;
    }
    item->in_fd = bt_scan_open(self->scan, source, &item->origin.stat, error);
    root_id = bt_scan_root_id(self->scan, source->root);
    item->origin.root = (uint32_t)root_id;
    item->origin.place = bt_orphans_place(root_id, source->name);
    return item->in_fd >= 0;
}

/* Opens an item whose turn it is, and which is taken. Gives it back open; NULL when there is
 * nothing to do about it, which is reported. *out_ok: the batch can go on. */
static BtItem *
open_item(BtBatch *self, BtItem *taken, bool *out_ok, GError **error)
{
    g_autoptr(BtItem) item = taken;
    g_autoptr(GError) failure = NULL;

    bt_stall_at(self->options->output);
    bt_stall_enter();
    bt_item_look(item, self->store);
    bt_stall_at(item->source->path);
    *out_ok = true;
    bt_report_began(self->report, item->source->path, (uint64_t)item->source->stat.st_size);
    if (item->state == BT_STORE_FRESH && !item->work.check)
        skip_or_plan(self, item);
    else if (item->state == BT_STORE_FOREIGN)
        fail_foreign(self, item);
    else if (open_file(self, item, &failure))
        item->needs_vips = bt_image_needs_vips(item->in_fd, item->work.raw, item->work.format);
    else
        *out_ok = fail_or_end(self, item, "open", g_steal_pointer(&failure), error);
    bt_stall_leave();
    if (item->in_fd >= 0 && item->needs_vips)
        *out_ok = bt_engine_load_vips(self->engine, error);
    return *out_ok && item->in_fd >= 0 ? g_steal_pointer(&item) : NULL;
}

static bool
may_read_ahead(const BtBatch *self)
{
    return !bt_signals_ending(&self->signals) &&
           self->next.length < CLAMP((guint)self->n_jobs, 1, NEXT_LIMIT) &&
           !g_sequence_is_empty(self->window);
}

/* Has the largest file that waits read while the workers compute. */
static bool
read_ahead(BtBatch *self, GError **error)
{
    bool ok;
    BtItem *item = open_item(self, bt_batch_take_largest(self), &ok, error);

    if (item == NULL)
        return ok;
    g_queue_push_tail(&self->next, item);
    if (item->work.raw) /* of which little is read, here and there */
        return true;
    for (off_t at = 0; at < MIN(item->source->stat.st_size, AHEAD_BYTES); at += AHEAD_STEP_BYTES)
        posix_fadvise(item->in_fd, at, AHEAD_STEP_BYTES, POSIX_FADV_WILLNEED);
    return true;
}

/* The item whose turn it is, open; NULL when none waits, or *out_ok is false. */
static BtItem *
next_item(BtBatch *self, bool *out_ok, GError **error)
{
    BtItem *item = g_queue_pop_head(&self->next);

    *out_ok = true;
    while (*out_ok && item == NULL && !g_sequence_is_empty(self->window))
        item = open_item(self, bt_batch_take_largest(self), out_ok, error);
    /* All that may share the machine is done. */
    while (*out_ok && item == NULL && self->scanned && self->working->len == 0 &&
           self->heavy.length > 0)
        item = open_item(self, g_queue_pop_head(&self->heavy), out_ok, error);
    return item;
}

/* Threads for an item that is about to be started: its share of the idle workers, where no more
 * pictures can come than there are. */
static int
share_workers(const BtBatch *self)
{
    int n_waiting = g_sequence_get_length(self->window) + (int)self->next.length;

    return self->scanned ? MAX(1, (self->n_jobs - (int)self->working->len) / (1 + n_waiting)) : 1;
}

static bool
start_items(BtBatch *self, GError **error)
{
    BtItem *item;
    bool ok = true;

    while (!bt_signals_ending(&self->signals) && bt_engine_idle(self->engine) > 0 &&
           (item = next_item(self, &ok, error)) != NULL) {
        g_autoptr(GError) failure = NULL;

        item->work.memory = bt_batch_memory(self, item->alone);
        item->work.n_threads = share_workers(self);
        if (bt_engine_submit(self->engine, item, &failure)) {
            g_ptr_array_add(self->working, item);
            continue;
        }
        ok = fail_or_end(self, item, "start", g_steal_pointer(&failure), error);
        bt_item_free(item);
        if (!ok)
            break;
    }
    return ok;
}

/* An item is no longer in work, and has no result. */
static void
put_back(BtBatch *self, BtItem *item)
{
    bt_report_dropped(self->report, item->source->path);
    bt_worker_result_clear(&item->out_fd);
}

/* Whether the source is not what was opened any more: written to, replaced or gone. */
static bool
has_changed(const BtBatch *self, const BtItem *item)
{
    const struct stat *opened = &item->origin.stat;
    struct stat now;
    bool there;

    bt_stall_at(item->source->path);
    bt_stall_enter();
    there = bt_scan_stat(self->scan, item->source, &now);
    bt_stall_leave();
    return !there || now.st_ino != opened->st_ino || now.st_size != opened->st_size ||
           now.st_ctim.tv_sec != opened->st_ctim.tv_sec ||
           now.st_ctim.tv_nsec != opened->st_ctim.tv_nsec;
}

static void
tell_done(BtBatch *self, const BtItem *item, const BtOutcome *outcome)
{
    g_autofree char *result = NULL;
    BtReportPicture picture = bt_item_describe(item, self->options, outcome, &result);

    if (item->work.check)
        bt_report_verified(self->report, &picture);
    else
        bt_report_processed(self->report, &picture);
}

static bool
publish(BtBatch *self, BtItem *item, const BtOutcome *outcome, GError **error)
{
    uint64_t bytes = bt_worker_result_seal(item->out_fd, &self->options->image);
    BtStoreResult result = {.fd = item->out_fd, .bytes = bytes, .origin = &item->origin};
    g_autoptr(GError) failure = NULL;
    bool published;

    if (bytes == 0 || !bt_item_choose(item, outcome->format)) {
        bt_engine_distrust(self->engine);
        fail_item(self, item, bt_reason_name(BT_REASON_WORKER), BT_ENGINE_NONSENSE);
        return true;
    }
    bt_stall_at(self->options->output);
    bt_stall_enter();
    if (!bt_batch_make_output(self, error)) {
        bt_stall_leave();
        return false;
    }
    published = bt_store_publish(self->store, item->name, &result, &failure);
    bt_stall_leave();
    if (!published)
        return fail_or_end(self, item, "store", g_steal_pointer(&failure), error);
    item->result.st_size = (off_t)bytes;
    tell_done(self, item, outcome);
    return true;
}

/* Why a picture failed. libvips from 8.15 on does not look for formats that are not allowed, and so
 * cannot know that a file has one; its name can. */
static void
tell_failure(BtBatch *self, const BtItem *item, const BtOutcome *outcome)
{
    BtFormat format = item->source->format;
    bool closed = format != BT_FORMAT_NONE && !bt_format_is_trusted(format) &&
                  (self->options->image.allowed & (1u << format)) == 0;
    g_autofree char *reason =
        g_strconcat(item->work.check ? "its result: " : "", outcome->sentence, NULL);

    if (outcome->reason == BT_REASON_UNKNOWN && closed) {
        g_free(reason);
        reason = g_strdup_printf("%s; %s files are read only with --allow %s", outcome->sentence,
                                 bt_format_name(format), bt_format_name(format));
    }
    fail_item(self, item, bt_reason_name(outcome->reason), reason);
}

/* What an item has come to, which is taken. */
static bool
settle(BtBatch *self, BtItem *taken, const BtOutcome *outcome, GError **error)
{
    g_autoptr(BtItem) item = taken;
    bool changed;

    g_ptr_array_remove_fast(self->working, item);
    changed =
        outcome->reason != BT_REASON_CANCELLED && !item->work.check && has_changed(self, item);
    if (changed && item->again) {
        fail_item(self, item, "changed", "it changed twice while it was being read");
        return true;
    }
    if (changed || outcome->reason == BT_REASON_CANCELLED) {
        put_back(self, item);
        item->again |= changed;
        put_in_window(self, g_steal_pointer(&item));
        return true;
    }
    if (outcome->reason == BT_REASON_HEAVY && !item->alone &&
        outcome->memory <= bt_batch_memory(self, true)) {
        put_back(self, item);
        item->alone = true;
        g_queue_push_tail(&self->heavy, g_steal_pointer(&item));
        return true;
    }
    if (outcome->reason != BT_REASON_OK)
        tell_failure(self, item, outcome);
    else if (item->work.check)
        tell_done(self, item, outcome);
    else
        return publish(self, item, outcome, error);
    return true;
}

/* Whether nothing is left, or nothing more can be done: then *error may say why. */
static bool
is_done(const BtBatch *self, GError **error)
{
    const GError *failure = bt_engine_failure(self->engine);

    if (self->working->len > 0)
        return false;
    if ((self->scanned && g_sequence_is_empty(self->window) && self->next.length == 0 &&
         self->heavy.length == 0) ||
        bt_signals_ending(&self->signals))
        return true;
    if (failure != NULL)
        *error = g_error_copy(failure);
    return failure != NULL;
}

/* Whether there is something to do before anything happens: to read ahead, to scan, and where
 * nothing is in work, to start what had to wait for that, or to end. */
static bool
is_busy(const BtBatch *self)
{
    bool waits_for_list = may_scan(self) && bt_scan_wait_fd(self->scan) >= 0;

    return may_read_ahead(self) || (!waits_for_list && (may_scan(self) || self->working->len == 0));
}

/* Waits for an outcome, a signal or the list, and deals with it. */
static bool
wait_and_settle(BtBatch *self, uint64_t wait_ns, GError **error)
{
    struct pollfd beside[] = {
        {.fd = self->signals.fd, .events = POLLIN},
        {.fd = may_scan(self) ? bt_scan_wait_fd(self->scan) : -1, .events = POLLIN},
    };
    BtItem *item = NULL;
    BtOutcome outcome;
    BtPoolWait wait =
        bt_engine_next(self->engine, wait_ns, beside, G_N_ELEMENTS(beside), &item, &outcome);

    self->list_ready = beside[1].revents != 0;
    if (beside[0].revents != 0 && bt_signals_read(&self->signals))
        bt_engine_tell_workers(self->engine);
    return wait != BT_POOL_OUTCOME || settle(self, item, &outcome, error);
}

static bool
do_all(BtBatch *self, GError **error)
{
    if (!scan_for(self, HEAD_START_NS, error))
        return false;
    while (bt_signals_left(&self->signals) > 0 && !bt_report_is_deaf(self->report)) {
        uint64_t wait_ns = bt_report_tick(self->report);

        if (!start_items(self, error))
            return false;
        if (is_done(self, error))
            return *error == NULL;
        if (may_read_ahead(self) && !read_ahead(self, error))
            return false;
        if (!scan_for(self, self->working->len > 0 ? SCAN_TIME_NS : HEAD_START_NS, error))
            return false;
        wait_ns = is_busy(self) ? 0 : MIN(wait_ns, bt_signals_left(&self->signals));
        if (!wait_and_settle(self, wait_ns, error))
            return false;
    }
    return true;
}

/* Errors that time may cure. */
static bool
may_pass(const GError *error)
{
    return g_error_matches(error, BT_ERROR, BT_ERROR_EXHAUSTED) ||
           (error->domain == BT_ERROR_SYSTEM && (error->code == ENOSPC || error->code == EDQUOT ||
                                                 error->code == EAGAIN || error->code == ENOMEM));
}

static bool
finish(BtBatch *self, GError **error)
{
    const BtRunOptions *options = self->options;
    g_autoptr(GError) failure = NULL;

    if (!self->scanned || bt_signals_ending(&self->signals))
        return true;
    if (self->orphans != NULL &&
        !bt_orphans_find(self->orphans, self->store, options, self->report, error))
        return false;
    if (options->gallery == NULL || options->mode == BT_RUN_VERIFY ||
        bt_run_publish_gallery(options, &failure))
        return true;
    if (!g_error_matches(failure, BT_ERROR, BT_ERROR_TAKEN)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    bt_report_failed(self->report, &(BtReportPicture){0}, "foreign", failure->message);
    return true;
}

char *
bt_run_result_path(const BtRunOptions *options, const char *name)
{
    return g_strconcat(options->output, g_str_has_suffix(options->output, "/") ? "" : "/", name,
                       NULL);
}

bool
bt_run_sees_all(const BtRunOptions *options)
{
    const BtScanOptions *scan = &options->scan;

    return options->list == NULL && scan->shard.count <= 1 && scan->rules == NULL &&
           scan->min_bytes == 0 && scan->max_bytes == 0 && scan->newer_than.tv_sec == 0 &&
           scan->max_depth == 0;
}

bool
bt_run_publish_gallery(const BtRunOptions *options, GError **error)
{
    g_autofree char *settings = bt_batch_settings(options);
    g_auto(BtFd) page = bt_worker_result_new(error);
    g_autoptr(BtStore) store = NULL;
    BtStoreResult result = {.fd = page, .mark = BT_GALLERY_MARK};

    if (page < 0 || !bt_gallery_write(options->gallery, page, error) ||
        (store = bt_store_new(options->output, settings, options->force ? BT_STORE_FORCE : 0,
                              error)) == NULL)
        return false;
    if (options->mode == BT_RUN_PLAN)
        return bt_store_may_publish(store, BT_GALLERY_NAME, &result, error);
    if (!bt_store_make(store, error))
        return false;
    result.bytes = (uint64_t)lseek(page, 0, SEEK_END);
    return bt_store_publish(store, BT_GALLERY_NAME, &result, error);
}

bool
bt_run(const BtRunOptions *options, BtReport *report, BtRunEnd *out_end, GError **error)
{
    g_autoptr(GError) failure = NULL;
    BtBatch batch;
    bool ok = bt_batch_open(&batch, options, report, &failure) && do_all(&batch, &failure) &&
              finish(&batch, &failure);

    *out_end = (BtRunEnd){
        .signal = bt_report_is_deaf(report) ? SIGPIPE : batch.signals.number,
        .again = ok ? bt_signals_ending(&batch.signals) : may_pass(failure),
    };
    if (batch.engine != NULL && !bt_report_is_deaf(report))
        bt_batch_tell_end(&batch, failure);
    bt_batch_close(&batch);
    if (!ok)
        g_propagate_error(error, g_steal_pointer(&failure));
    return ok;
}
