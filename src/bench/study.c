/* SPDX-License-Identifier: MIT */
#include "bench/study.h"

#include "base/fd.h"
#include "base/json.h"
#include "bench/child.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROUNDS_MAX  200
#define SOME_FAILED 1 /* blurthumb's exit code when pictures failed */

const char *
bt_figure_name(BtFigure figure)
{
    static const char *const names[] = {
        [BT_FIGURE_WALL] = "wall_seconds",       [BT_FIGURE_CPU] = "cpu_seconds",
        [BT_FIGURE_LARGEST] = "largest_bytes",   [BT_FIGURE_READ] = "read_bytes",
        [BT_FIGURE_PROCESSED] = "processed",     [BT_FIGURE_FAILED] = "failed",
        [BT_FIGURE_PIXELS] = "pixels",           [BT_FIGURE_SOURCE] = "source_bytes",
        [BT_FIGURE_DECODE] = "decode_seconds",   [BT_FIGURE_KERNEL] = "kernel_seconds",
        [BT_FIGURE_ENCODE] = "encode_seconds",   [BT_FIGURE_ELAPSED] = "elapsed_seconds",
        [BT_FIGURE_LONGEST] = "longest_seconds", [BT_FIGURE_USED] = "workers_used",
        [BT_FIGURE_BUSY] = "busy_seconds",       [BT_FIGURE_WAITING] = "waiting_seconds",
    };

    return names[figure];
}

static void
free_row(gpointer data)
{
    BtRow *row = data;

    g_free(row->name);
    g_free(row->failure);
    g_array_unref(row->samples);
    g_free(row);
}

/* Takes the name. */
static void
add_row(BtStudy *self, BtRowKind kind, char *name, int n_workers, const char *command)
{
    BtRow *row = g_new0(BtRow, 1);

    *row = (BtRow){.kind = kind, .name = name, .n_workers = n_workers, .command = command};
    row->samples = g_array_new(FALSE, FALSE, sizeof(BtSample));
    g_ptr_array_add(self->rows, row);
}

BtStudy *
bt_study_new(const BtStudyOptions *options)
{
    BtStudy *self = g_new0(BtStudy, 1);
    int jobs = 1;

    self->options = options;
    self->machine = bt_machine_look();
    self->rows = g_ptr_array_new_with_free_func(free_row);
    add_row(self, BT_ROW_SERIAL, g_strdup("serial"), 1, NULL);
    for (guint i = 0; i < options->jobs->len; i++) {
        jobs = g_array_index(options->jobs, int, i);
        add_row(self, BT_ROW_WORKERS, g_strdup_printf("%d worker%s", jobs, jobs == 1 ? "" : "s"),
                jobs, NULL);
    }
    for (guint i = 0; i < options->others->len; i++) {
        const char *other = options->others->pdata[i], *equals = strchr(other, '=');

        add_row(self, BT_ROW_OTHER, g_strndup(other, (gsize)(equals - other)), jobs, equals + 1);
    }
    return self;
}

void
bt_study_free(BtStudy *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->rows);
    bt_machine_clear(&self->machine);
    g_free(self->version);
    g_free(self);
}

static void
add_words(GStrvBuilder *builder, char *const *words)
{
    for (; *words != NULL; words++)
        g_strv_builder_add(builder, *words);
}

/* For a shell, with everything in quotes. */
static char *
other_command(const BtStudy *self, const BtRow *row, const char *output)
{
    GString *command = g_string_new(row->command), *in = g_string_new(NULL);
    g_autofree char *jobs = g_strdup_printf("%d", row->n_workers);
    g_autofree char *out = g_shell_quote(output);

    for (char **path = self->options->paths; *path != NULL; path++) {
        g_autofree char *quoted = g_shell_quote(*path);

        g_string_append_printf(in, "%s%s", in->len > 0 ? " " : "", quoted);
    }
    g_string_replace(command, "{jobs}", jobs, 0);
    g_string_replace(command, "{out}", out, 0);
    g_string_replace(command, "{in}", in->str, 0);
    g_string_free(in, TRUE);
    return g_string_free(command, FALSE);
}

char **
bt_study_command(const BtStudy *self, const BtRow *row, const char *output)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();

    if (row->kind == BT_ROW_OTHER) {
        g_autofree char *command = other_command(self, row, output);

        g_strv_builder_add_many(words, "/bin/sh", "-c", command, NULL);
    } else {
        g_autofree char *jobs = g_strdup_printf("-j%d", row->n_workers);

        /* Ours come after those that are passed on, so that ours count. */
        g_strv_builder_add(words, self->options->blurthumb);
        add_words(words, self->options->passed);
        g_strv_builder_add_many(words, "--json", "--output", output,
                                row->kind == BT_ROW_SERIAL ? "--serial" : jobs, "--", NULL);
        add_words(words, self->options->paths);
    }
    return g_strv_builder_end(words);
}

bool
bt_sample_read(const char *events, BtSample *sample, GError **error)
{
    double *of = sample->of;
    bool ended = false;

    for (const char *end; (end = strchr(events, '\n')) != NULL; events = end + 1) {
        g_autoptr(BtJsonObject) event = bt_json_parse(events, (size_t)(end - events), error);
        const char *kind = event != NULL ? bt_json_text(event, "event") : NULL;

        if (event == NULL)
            return false;
        if (g_strcmp0(kind, "picture") == 0)
            of[BT_FIGURE_LONGEST] =
                MAX(of[BT_FIGURE_LONGEST], bt_json_number(event, "elapsed_seconds", 0));
        if (g_strcmp0(kind, "end") != 0)
            continue;
        ended = true;
        for (int i = BT_FIGURE_PROCESSED; i <= BT_FIGURE_ELAPSED; i++)
            of[i] = bt_json_number(event, bt_figure_name((BtFigure)i), 0);
        of[BT_FIGURE_USED] = MAX(1, bt_json_number(event, "workers", 0));
    }
    if (!ended)
        return bt_error_set(error, BT_ERROR_INVALID, "there is no last event");
    of[BT_FIGURE_BUSY] = of[BT_FIGURE_DECODE] + of[BT_FIGURE_KERNEL] + of[BT_FIGURE_ENCODE];
    of[BT_FIGURE_WAITING] = MAX(0, of[BT_FIGURE_USED] * of[BT_FIGURE_ELAPSED] - of[BT_FIGURE_BUSY]);
    return true;
}

/* Its sample, or why the run does not count. */
static bool
take_run(BtRow *row, const BtChild *child, BtSample *out_sample)
{
    g_autoptr(GError) error = NULL;
    bool is_own = row->kind != BT_ROW_OTHER;

    *out_sample = (BtSample){{
        [BT_FIGURE_WALL] = child->wall_seconds,
        [BT_FIGURE_CPU] = child->cpu_seconds,
        [BT_FIGURE_LARGEST] = (double)child->largest_bytes,
        [BT_FIGURE_READ] = (double)child->read_bytes,
    }};
    if (child->exit_code != 0 && !(is_own && child->exit_code == SOME_FAILED))
        row->failure = bt_child_complaint(child);
    else if (is_own && !bt_sample_read(child->out, out_sample, &error))
        row->failure = g_strdup_printf("its output is not that of blurthumb: %s", error->message);
    else if (is_own && out_sample->of[BT_FIGURE_PROCESSED] == 0)
        row->failure = g_strdup("no picture was processed");
    return row->failure == NULL;
}

typedef bool (*Visit)(const FTSENT *entry);

/* How many entries visit() was true for. Links are not followed. */
static size_t
walk(char *const *paths, Visit visit)
{
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    size_t n = 0;

    if (tree == NULL)
        return 0;
    for (const FTSENT *entry; (entry = fts_read(tree)) != NULL;)
        n += visit(entry);
    fts_close(tree);
    return n;
}

/* True for a file, unless its name begins with a dot: a result. */
static bool
remove_entry(const FTSENT *entry)
{
    if (entry->fts_info != FTS_D)
        remove(entry->fts_accpath);
    return entry->fts_info == FTS_F && entry->fts_name[0] != '.';
}

/* Takes a file out of this machine's page cache, not out of the disk's own. True where it stays,
 * because it is in use or lives in memory, as on tmpfs. */
static bool
stays_warm(const FTSENT *entry)
{
    g_auto(BtFd) fd =
        entry->fts_info == FTS_F ? open(entry->fts_accpath, O_RDONLY | O_CLOEXEC) : -1;
    char byte;
    struct iovec one = {&byte, 1};

    if (fd < 0)
        return false;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    /* Only what is in memory can be read without waiting. */
    return preadv2(fd, &one, 1, 0, RWF_NOWAIT) == 1;
}

static bool
run_row(BtStudy *self, BtRow *row, const char *folder, bool counts, int signal_fd, GError **error)
{
    g_autofree char *output = g_build_filename(folder, "results", NULL);
    g_auto(GStrv) argv = bt_study_command(self, row, output);
    g_auto(BtChild) child = {0};
    BtSample sample;
    bool is_done;

    if (mkdir(output, 0777) != 0)
        return bt_error_set_system(error, errno, "cannot make %s", output);
    if (self->options->cold)
        self->n_warm = MAX(self->n_warm, walk(self->options->paths, stays_warm));
    is_done = bt_child_run((const char *const *)argv, !counts, signal_fd, &child, error);
    row->n_results = walk((char *const[]){output, NULL}, remove_entry);
    if (!is_done)
        return false;
    if (take_run(row, &child, &sample) && counts) {
        row->total_seconds += child.wall_seconds;
        g_array_append_val(row->samples, sample);
    }
    if (!counts) {
        row->together_bytes = child.together_bytes;
        row->n_processes = child.n_processes;
    }
    return true;
}

/* Round 0 does not count. */
static bool
run_round(BtStudy *self, const char *folder, size_t round, int signal_fd, GError **error)
{
    bool is_watched = !self->options->quiet && isatty(STDERR_FILENO) == 1;

    for (guint i = 0; i < self->rows->len; i++) {
        BtRow *row = self->rows->pdata[i];

        if (is_watched)
            fprintf(stderr, "\r\033[Kround %zu: %.24s", round, row->name);
        if (row->failure == NULL && !run_row(self, row, folder, round > 0, signal_fd, error))
            return false;
    }
    if (is_watched)
        fputs("\r\033[K", stderr);
    return true;
}

static bool
is_enough(const BtStudy *self)
{
    size_t n_least = (size_t)self->options->n_rounds;

    if (self->n_rounds < n_least || self->n_rounds >= MAX(n_least, ROUNDS_MAX))
        return self->n_rounds >= n_least;
    for (guint i = 0; i < self->rows->len; i++) {
        const BtRow *row = self->rows->pdata[i];

        if (row->failure == NULL && row->total_seconds < self->options->seconds)
            return false;
    }
    return true;
}

static bool
run_rounds(BtStudy *self, const char *folder, int signal_fd, GError **error)
{
    BtMachineTime before, after;
    double total;

    if (!run_round(self, folder, 0, signal_fd, error))
        return false;
    before = bt_machine_time();
    for (; !is_enough(self); self->n_rounds++)
        if (!run_round(self, folder, self->n_rounds + 1, signal_fd, error))
            return false;
    after = bt_machine_time();
    if ((total = after.total - before.total) > 0) {
        self->others_share =
            CLAMP((after.busy - before.busy - after.own + before.own) / total, 0, 1);
        self->stolen_share = CLAMP((after.stolen - before.stolen) / total, 0, 1);
    }
    return true;
}

static bool
ask_version(BtStudy *self, int signal_fd, GError **error)
{
    const char *const argv[] = {self->options->blurthumb, "--version", NULL};
    g_auto(BtChild) child = {0};

    if (!bt_child_run(argv, false, signal_fd, &child, error))
        return false;
    if (child.exit_code != 0) {
        g_autofree char *complaint = bt_child_complaint(&child);

        return bt_error_set(error, BT_ERROR_FAILED, "%s --version: %s", argv[0], complaint);
    }
    self->version = g_strndup(child.out, strcspn(child.out, "\n"));
    return true;
}

bool
bt_study_run(BtStudy *self, int signal_fd, GError **error)
{
    g_autofree char *folder =
        g_build_filename(self->options->scratch, "blurthumb-bench-XXXXXX", NULL);
    bool is_done;

    if (!ask_version(self, signal_fd, error))
        return false;
    if (g_mkdtemp(folder) == NULL)
        return bt_error_set_system(error, errno, "cannot make a folder in %s",
                                   self->options->scratch);
    is_done = run_rounds(self, folder, signal_fd, error);
    walk((char *const[]){folder, NULL}, remove_entry);
    return is_done;
}

static const BtRow *
unless_failed(const BtRow *row)
{
    return row->failure == NULL && row->samples->len > 0 ? row : NULL;
}

const BtRow *
bt_study_serial(const BtStudy *self)
{
    return unless_failed(self->rows->pdata[0]);
}

const BtRow *
bt_study_most_workers(const BtStudy *self)
{
    return unless_failed(self->rows->pdata[self->options->jobs->len]);
}

/* Owned (g_free). */
static double *
numbers_of(const BtRow *row, BtFigure figure)
{
    double *numbers = g_new(double, row->samples->len);

    for (guint i = 0; i < row->samples->len; i++)
        numbers[i] = g_array_index(row->samples, BtSample, i).of[figure];
    return numbers;
}

double
bt_row_median(const BtRow *row, BtFigure figure)
{
    g_autofree double *numbers = numbers_of(row, figure);

    return bt_statistics_quantile(numbers, row->samples->len, 0.5);
}

BtSpread
bt_row_spread(const BtRow *row, BtFigure figure)
{
    g_autofree double *numbers = numbers_of(row, figure);

    return bt_statistics_spread(numbers, row->samples->len);
}

BtSpread
bt_row_ratio(const BtRow *above, const BtRow *below, BtFigure figure)
{
    g_autofree double *a = numbers_of(above, figure), *b = numbers_of(below, figure);
    guint n = MIN(above->samples->len, below->samples->len);

    for (guint i = 0; i < n; i++)
        a[i] /= b[i];
    return bt_statistics_spread(a, n);
}
