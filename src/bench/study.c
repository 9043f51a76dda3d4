/* SPDX-License-Identifier: MIT */
#include "bench/study.h"

#include "bench/child.h"
#include "bench/scratch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS_MAX   200
#define SOME_FAILED  1 /* blurthumb's exit code when pictures failed */
#define OUTPUT_PLACE "{out}"

static void
free_row(gpointer data)
{
    BtRow *row = data;

    g_free(row->name);
    g_strfreev(row->argv);
    g_free(row->failure);
    g_array_unref(row->samples);
    g_free(row);
}

static BtRow *
add_row(BtStudy *self, BtRowKind kind, int n_workers)
{
    BtRow *row = g_new0(BtRow, 1);

    row->kind = kind;
    row->n_workers = n_workers;
    row->samples = g_array_new(FALSE, FALSE, sizeof(BtSample));
    g_ptr_array_add(self->rows, row);
    return row;
}

static void
add_words(GStrvBuilder *builder, char *const *words)
{
    for (; *words != NULL; words++)
        g_strv_builder_add(builder, *words);
}

/* Our options come last, so that they count. */
static void
add_own_row(BtStudy *self, BtRowKind kind, int n_workers)
{
    const BtStudyOptions *options = self->options;
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_autofree char *jobs = g_strdup_printf("-j%d", n_workers);
    BtRow *row = add_row(self, kind, n_workers);

    row->name = kind == BT_ROW_SERIAL
                    ? g_strdup("serial")
                    : g_strdup_printf("%d worker%s", n_workers, n_workers == 1 ? "" : "s");
    g_strv_builder_add(words, options->blurthumb);
    add_words(words, options->passed);
    g_strv_builder_add_many(words, "--json", "--output", OUTPUT_PLACE, jobs, NULL);
    if (kind == BT_ROW_SERIAL)
        g_strv_builder_add(words, "--serial");
    g_strv_builder_add(words, "--");
    add_words(words, options->paths);
    row->argv = g_strv_builder_end(words);
}

static char *
quoted_paths(char *const *paths)
{
    GString *text = g_string_new(NULL);

    for (; *paths != NULL; paths++) {
        g_autofree char *quoted = g_shell_quote(*paths);

        g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", quoted);
    }
    return g_string_free(text, FALSE);
}

static void
add_other_row(BtStudy *self, const BtOther *other, int n_workers)
{
    g_autofree char *in = quoted_paths(self->options->paths);
    g_autofree char *jobs = g_strdup_printf("%d", n_workers);
    GString *command = g_string_new(other->command);
    BtRow *row = add_row(self, BT_ROW_OTHER, n_workers);

    g_string_replace(command, "{jobs}", jobs, 0);
    g_string_replace(command, "{in}", in, 0);
    row->name = g_strdup(other->name);
    row->argv = g_new0(char *, 4);
    row->argv[0] = g_strdup("/bin/sh");
    row->argv[1] = g_strdup("-c");
    row->argv[2] = g_string_free(command, FALSE);
}

BtStudy *
bt_study_new(const BtStudyOptions *options)
{
    BtStudy *self = g_new0(BtStudy, 1);

    self->options = options;
    self->machine = bt_machine_look();
    self->rows = g_ptr_array_new_with_free_func(free_row);
    add_own_row(self, BT_ROW_SERIAL, 1);
    for (size_t i = 0; i < options->n_jobs; i++)
        add_own_row(self, BT_ROW_WORKERS, options->jobs[i]);
    for (size_t i = 0; i < options->n_others; i++)
        add_other_row(self, &options->others[i], options->jobs[options->n_jobs - 1]);
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

/* A shell gets the folder in quotes, blurthumb as it is. */
static char **
argv_of(const BtRow *row, const char *output)
{
    g_autofree char *quoted = g_shell_quote(output);
    char **argv = g_strdupv(row->argv);

    for (char **word = argv; *word != NULL; word++) {
        GString *text;

        if (row->kind != BT_ROW_OTHER && strcmp(*word, OUTPUT_PLACE) != 0)
            continue;
        text = g_string_new(*word);
        g_string_replace(text, OUTPUT_PLACE, row->kind == BT_ROW_OTHER ? quoted : output, 0);
        g_free(*word);
        *word = g_string_free(text, FALSE);
    }
    return argv;
}

/* What a run says, or why it counts for nothing. */
static bool
take_run(BtRow *row, const BtChild *child, BtSample *out_sample)
{
    g_autoptr(GError) error = NULL;
    bool is_own = row->kind != BT_ROW_OTHER;

    *out_sample = (BtSample){
        .wall_seconds = child->wall_seconds,
        .cpu_seconds = child->cpu_seconds,
        .largest_bytes = child->largest_bytes,
        .read_bytes = child->read_bytes,
    };
    if (child->exit_code != 0 && !(is_own && child->exit_code == SOME_FAILED))
        row->failure = bt_child_complaint(child);
    else if (is_own && !bt_tally_parse(child->out, &out_sample->tally, &error))
        row->failure = g_strdup_printf("it is no blurthumb that tells: %s", error->message);
    else if (is_own && out_sample->tally.n_processed == 0)
        row->failure = g_strdup("no picture was processed");
    return row->failure == NULL;
}

/* One run of one row. */
static bool
run_row(BtStudy *self, BtRow *row, const char *folder, bool counts, int signal_fd, GError **error)
{
    g_autofree char *output = g_build_filename(folder, "results", NULL);
    g_auto(GStrv) argv = argv_of(row, output);
    g_auto(BtChild) child = {0};
    BtSample sample;
    bool is_done;

    if (mkdir(output, 0777) != 0)
        return bt_error_set_system(error, errno, "cannot make %s", output);
    if (self->options->cold)
        self->n_warm = MAX(self->n_warm, bt_scratch_make_cold(self->options->paths));
    is_done = bt_child_run(argv, !counts, signal_fd, &child, error);
    row->n_results = bt_scratch_remove(output);
    if (!is_done)
        return false;
    if (take_run(row, &child, &sample) && counts)
        g_array_append_val(row->samples, sample);
    if (!counts) {
        row->together_bytes = child.together.bytes;
        row->n_processes = child.together.n_processes;
    }
    return true;
}

static bool
run_round(BtStudy *self, const char *folder, size_t round, int signal_fd, GError **error)
{
    bool is_watched = !self->options->quiet && isatty(STDERR_FILENO) == 1;

    for (guint i = 0; i < self->rows->len; i++) {
        BtRow *row = self->rows->pdata[i];

        if (is_watched)
            fprintf(stderr, "\r\033[Kround %zu: %s", round, row->name);
        if (row->failure == NULL && !run_row(self, row, folder, round > 0, signal_fd, error))
            return false;
    }
    if (is_watched)
        fputs("\r\033[K", stderr);
    return true;
}

static double
total_seconds(const BtRow *row)
{
    double total = 0;

    for (guint i = 0; i < row->samples->len; i++)
        total += g_array_index(row->samples, BtSample, i).wall_seconds;
    return total;
}

static bool
is_enough(const BtStudy *self)
{
    size_t n_least = (size_t)self->options->n_rounds;

    if (self->n_rounds < n_least || self->n_rounds >= MAX(n_least, ROUNDS_MAX))
        return self->n_rounds >= n_least;
    for (guint i = 0; i < self->rows->len; i++) {
        const BtRow *row = self->rows->pdata[i];

        if (row->failure == NULL && total_seconds(row) < self->options->seconds)
            return false;
    }
    return true;
}

static void
take_shares(BtStudy *self, const BtMachineTime *before, const BtMachineTime *after)
{
    double total = after->total - before->total;
    double own = after->own - before->own;

    if (!(total > 0))
        return;
    self->others_share = CLAMP((after->busy - before->busy - own) / total, 0, 1);
    self->stolen_share = CLAMP((after->stolen - before->stolen) / total, 0, 1);
}

static bool
run_rounds(BtStudy *self, const char *folder, int signal_fd, GError **error)
{
    BtMachineTime before, after;

    if (!run_round(self, folder, 0, signal_fd, error))
        return false;
    before = bt_machine_time();
    while (!is_enough(self)) {
        if (!run_round(self, folder, self->n_rounds + 1, signal_fd, error))
            return false;
        self->n_rounds++;
    }
    after = bt_machine_time();
    take_shares(self, &before, &after);
    return true;
}

static bool
ask_version(BtStudy *self, int signal_fd, GError **error)
{
    char *argv[] = {g_strdup(self->options->blurthumb), g_strdup("--version"), NULL};
    g_auto(BtChild) child = {0};
    bool is_done = bt_child_run(argv, false, signal_fd, &child, error);

    g_free(argv[0]);
    g_free(argv[1]);
    if (!is_done)
        return false;
    if (child.exit_code != 0) {
        g_autofree char *complaint = bt_child_complaint(&child);

        return bt_error_set(error, BT_ERROR_FAILED, "%s --version: %s", self->options->blurthumb,
                            complaint);
    }
    self->version = g_strstrip(g_steal_pointer(&child.out));
    return true;
}

bool
bt_study_run(BtStudy *self, int signal_fd, GError **error)
{
    g_autofree char *folder = NULL;
    bool is_done;

    if (!ask_version(self, signal_fd, error))
        return false;
    if ((folder = bt_scratch_new(self->options->scratch, error)) == NULL)
        return false;
    is_done = run_rounds(self, folder, signal_fd, error);
    bt_scratch_remove(folder);
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
    return unless_failed(self->rows->pdata[self->options->n_jobs]);
}

bool
bt_study_has_failure(const BtStudy *self)
{
    for (guint i = 0; i < self->rows->len; i++)
        if (((const BtRow *)self->rows->pdata[i])->failure != NULL)
            return true;
    return false;
}

double
bt_figure_wall(const BtSample *sample)
{
    return sample->wall_seconds;
}

double
bt_figure_cpu(const BtSample *sample)
{
    return sample->cpu_seconds;
}

double
bt_figure_elapsed(const BtSample *sample)
{
    return sample->tally.elapsed_seconds;
}

double
bt_figure_decode(const BtSample *sample)
{
    return sample->tally.decode_seconds;
}

double
bt_figure_kernel(const BtSample *sample)
{
    return sample->tally.kernel_seconds;
}

double
bt_figure_encode(const BtSample *sample)
{
    return sample->tally.encode_seconds;
}

double
bt_figure_busy(const BtSample *sample)
{
    return bt_tally_busy(&sample->tally);
}

double
bt_figure_waiting(const BtSample *sample)
{
    return bt_tally_waiting(&sample->tally);
}

double
bt_figure_longest(const BtSample *sample)
{
    return sample->tally.longest_seconds;
}

double
bt_figure_largest(const BtSample *sample)
{
    return (double)sample->largest_bytes;
}

double
bt_figure_read(const BtSample *sample)
{
    return (double)sample->read_bytes;
}

double *
bt_row_numbers(const BtRow *row, BtFigure figure)
{
    double *numbers = g_new(double, row->samples->len);

    for (guint i = 0; i < row->samples->len; i++)
        numbers[i] = figure(&g_array_index(row->samples, BtSample, i));
    return numbers;
}

double
bt_row_median(const BtRow *row, BtFigure figure)
{
    g_autofree double *numbers = bt_row_numbers(row, figure);

    return bt_statistics_median(numbers, row->samples->len);
}

BtSpread
bt_row_spread(const BtRow *row, BtFigure figure)
{
    g_autofree double *numbers = bt_row_numbers(row, figure);

    return bt_statistics_spread(numbers, row->samples->len);
}

BtInterval
bt_row_ratio(const BtRow *above, const BtRow *below, BtFigure figure)
{
    g_autofree double *a = bt_row_numbers(above, figure), *b = bt_row_numbers(below, figure);

    return bt_statistics_ratio(a, b, MIN(above->samples->len, below->samples->len));
}

const BtTally *
bt_row_tally(const BtRow *row)
{
    return &g_array_index(row->samples, BtSample, row->samples->len - 1).tally;
}
