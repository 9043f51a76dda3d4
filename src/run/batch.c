/* SPDX-License-Identifier: MIT */
#include "run/batch.h"

#include "base/clock.h"
#include "base/human.h"
#include "base/stall.h"
#include "run/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of scan, store, signals and the standard ones, with some to spare; and of each worker two for its
 * process, three for its picture and one for the next. */
#define DESCRIPTORS_OF_ROOMS  24
#define DESCRIPTORS_OF_WORKER 6

/* Goes up when the same settings give another picture. */
#define PROCESSING 1

static const char *const names_of_strip[] = {
    [BT_STRIP_ALL] = "all", [BT_STRIP_GPS] = "gps", [BT_STRIP_NONE] = "none"};

static void
add_qualities(GString *text, const BtImageSettings *image)
{
    for (int i = 0; i < BT_FORMAT_COUNT; i++)
        if (image->quality[i] != BT_IMAGE_QUALITY_DEFAULT)
            g_string_append_printf(text, "quality-%s %d\n", bt_format_name((BtFormat)i),
                                   image->quality[i]);
}

static void
add_text(GString *text, const char *name, const char *value)
{
    g_autofree char *escaped = bt_human_text(value);

    g_string_append_printf(text, "%s %s\n", name, escaped);
}

char *
bt_batch_settings(const BtRunOptions *options)
{
    const BtImageSettings *image = &options->image;
    const BtNaming *naming = &options->naming;
    char sigma[G_ASCII_DTOSTR_BUF_SIZE];
    GString *text = g_string_new("blurthumb " G_STRINGIFY(PROCESSING) "\n");

    g_string_append_printf(text, "sigma %s\nsize %dx%d\nexact %d\nlinear %d\nstrip %s\n",
                           g_ascii_dtostr(sigma, sizeof sigma, image->sigma), image->box_width,
                           image->box_height, image->exact, image->linear,
                           names_of_strip[image->strip]);
    add_qualities(text, image);
    if (options->format != BT_FORMAT_NONE)
        g_string_append_printf(text, "format %s\n", bt_format_name(options->format));
    if (naming->pattern != NULL)
        add_text(text, "name", naming->pattern);
    /* Elsewhere a result in another format has another name. */
    if (options->format == BT_FORMAT_NONE && !options->keeps_heic && naming->pattern != NULL &&
        strstr(naming->pattern, "{ext}") == NULL)
        g_string_append(text, "heic jpeg\n");
    if (naming->suffix != NULL)
        add_text(text, "suffix", naming->suffix);
    if (naming->flat)
        g_string_append(text, "flat 1\n");
    return g_string_free(text, FALSE);
}

uint64_t
bt_batch_memory(const BtBatch *self, bool alone)
{
    return self->options->memory * (uint64_t)(alone ? MAX(1, self->n_jobs) : 1);
}

BtItem *
bt_batch_take_largest(BtBatch *self)
{
    GSequenceIter *last;
    BtItem *item;

    if (g_sequence_is_empty(self->window))
        return NULL;
    last = g_sequence_iter_prev(g_sequence_get_end_iter(self->window));
    item = g_sequence_get(last);
    g_sequence_remove(last);
    return item;
}

static bool
add_list(BtBatch *self, GError **error)
{
    const char *list = self->options->list;
    bool is_input = strcmp(list, "-") == 0;
    BtFd fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                       : open(list, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return bt_error_set_system(error, errno, "%s", is_input ? "standard input" : list);
    bt_scan_add_list(self->scan, fd, is_input ? "standard input" : list, self->options->separator,
                     NULL);
    return true;
}

/* What is in the output folder is no source. */
static void
skip_output(BtBatch *self)
{
    dev_t device;
    ino_t inode;

    if (bt_store_identity(self->store, &device, &inode))
        bt_scan_skip_folder(self->scan, device, inode);
}

static bool
open_scan(BtBatch *self, GError **error)
{
    BtScanOptions scan = self->options->scan;

    scan.marker = BT_STORE_KEY_NAME;
    scan.marker_text = BT_STORE_KEY_START;
    self->scan = bt_scan_new();
    bt_scan_configure(self->scan, &scan);
    for (const char *const *path = self->options->paths; *path != NULL; path++)
        bt_scan_add(self->scan, *path);
    skip_output(self);
    return self->options->list == NULL || add_list(self, error);
}

/* Descriptors for all that may be open at once; where that is too much, and nobody has asked for so
 * many workers, fewer of them. */
static bool
reserve_descriptors(BtBatch *self, GError **error)
{
    rlim_t needed = DESCRIPTORS_OF_ROOMS + DESCRIPTORS_OF_WORKER * (rlim_t)MAX(1, self->n_jobs);
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return true;
    limit.rlim_cur = MIN(needed, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    if (!self->options->jobs_given &&
        limit.rlim_cur >= DESCRIPTORS_OF_ROOMS + DESCRIPTORS_OF_WORKER)
        self->n_jobs = MIN(self->n_jobs,
                           (int)((limit.rlim_cur - DESCRIPTORS_OF_ROOMS) / DESCRIPTORS_OF_WORKER));
    else if (limit.rlim_cur < needed)
        return bt_error_set(
            error, BT_ERROR_FAILED,
            "%d workers need up to %lu descriptors, and the limit is %lu (ulimit -n)", self->n_jobs,
            (unsigned long)needed, (unsigned long)limit.rlim_max);
    return true;
}

static void
tell_start(const BtBatch *self, const char *settings)
{
    const BtRunOptions *options = self->options;
    BtReportStart start = {
        .version = options->version,
        .output = options->output,
        .settings = settings,
        .n_workers = self->n_jobs > 0 ? self->n_jobs : BT_REPORT_SERIAL,
        .shard_index = options->scan.shard.index,
        .shard_count = MAX(1, options->scan.shard.count),
    };

    bt_report_start(self->report, &start);
}

bool
bt_batch_open(BtBatch *self, const BtRunOptions *options, BtReport *report, GError **error)
{
    g_autofree char *settings = bt_batch_settings(options);
    unsigned flags =
        (options->force ? BT_STORE_FORCE : 0u) | (options->durable ? BT_STORE_DURABLE : 0u);

    *self = (BtBatch){
        .options = options,
        .report = report,
        .n_jobs = options->n_jobs,
        .start_ns = bt_clock_now_ns(),
        .signals = {.fd = -1},
        .watcher = BT_PROCESS_INIT,
        .window = g_sequence_new(NULL),
        .working = g_ptr_array_new(),
    };
    g_queue_init(&self->next);
    g_queue_init(&self->heavy);
    if (!bt_signals_open(&self->signals, options->grace_ns, error))
        return false;
    bt_watch_start(&self->watcher, &self->signals.ending);
    bt_stall_at(options->output);
    bt_stall_enter();
    self->store = bt_store_new(options->output, settings, flags, error);
    bt_stall_leave();
    if (self->store == NULL || !reserve_descriptors(self, error) || !open_scan(self, error) ||
        (self->engine = bt_engine_new(options, self->n_jobs, &self->signals, report, error)) ==
            NULL)
        return false;
    if ((options->prune || options->mode == BT_RUN_VERIFY) && bt_run_sees_all(options))
        self->orphans = bt_orphans_new(self->scan);
    tell_start(self, settings);
    return true;
}

static void
free_item(void *item)
{
    bt_item_free(item);
}

void
bt_batch_close(BtBatch *self)
{
    bt_engine_free(self->engine);
    g_ptr_array_set_free_func(self->working, free_item);
    g_ptr_array_unref(self->working);
    g_queue_clear_full(&self->heavy, free_item);
    g_queue_clear_full(&self->next, free_item);
    for (BtItem *item; (item = bt_batch_take_largest(self)) != NULL;)
        bt_item_free(item);
    g_sequence_free(self->window);
    bt_orphans_free(self->orphans);
    bt_scan_free(self->scan);
    bt_store_free(self->store);
    bt_process_clear(&self->watcher);
    bt_signals_close(&self->signals);
}

bool
bt_batch_make_output(BtBatch *self, GError **error)
{
    if (self->has_output || self->options->mode != BT_RUN_PROCESS)
        return true;
    if (!bt_store_make(self->store, error))
        return false;
    skip_output(self);
    return self->has_output = true;
}

void
bt_batch_tell_end(const BtBatch *self, const GError *error)
{
    BtReportEnd end = {
        .n_workers = bt_engine_workers(self->engine),
        .signal = self->signals.number,
        .error = error != NULL ? error->message : NULL,
        .elapsed_ns = bt_clock_now_ns() - self->start_ns,
    };

    if (self->signals.number != 0)
        bt_report_notice(self->report, "interrupted; run it again to do the rest");
    else if (bt_signals_ending(&self->signals))
        bt_report_notice(self->report, "asked to stop; run it again to do the rest");
    bt_report_summary(self->report, &end);
}
