/* SPDX-License-Identifier: MIT */
/*
 * blurthumb-bench: serial against parallel, on the user's own pictures; and the pool by itself.
 * Exit codes: 0 all done, 1 a command failed, 2 usage, 3 could not run, 128 + the signal that ended
 * it.
 */
#include "base/clock.h"
#include "base/fd.h"
#include "base/human.h"
#include "base/limit.h"
#include "base/option_table.h"
#include "bench/output.h"
#include "bench/table.h"
#include "pool/pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define JOBS_MAX    1024
#define ROUNDS_MOST 10000
#define SECONDS_MAX 86400.0
#define TASKS_MAX   100000000

enum {
    EXIT_COMMAND_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_COULD_NOT_RUN = 3,
    EXIT_SIGNAL = 128
};

typedef enum Command {
    COMMAND_STUDY,
    COMMAND_NOOP,
    COMMAND_HELP,
    COMMAND_VERSION
} Command;

typedef struct Options {
    Command command;
    BtStudyOptions study; /* blurthumb NULL: not given */
    const char *html;     /* file of a page; NULL: none */
    bool json;
    int n_noop;
} Options;

typedef enum OptionId {
    OPTION_JOBS = BT_OPTION_FIRST_ID,
    OPTION_ROUNDS,
    OPTION_SECONDS,
    OPTION_COLD,
    OPTION_COMPARE,
    OPTION_BLURTHUMB,
    OPTION_SCRATCH,
    OPTION_NOOP,
    OPTION_JSON,
    OPTION_HTML,
    OPTION_QUIET,
    OPTION_VERSION,
    OPTION_HELP,
} OptionId;

static const BtOption options_of_bench[] = {
    {0, 0, NULL, NULL, "Measuring"},
    {OPTION_JOBS, 'j', "jobs", "N,...", "worker counts (default: 1,2,4 ... the processors)"},
    {OPTION_ROUNDS, 'r', "rounds", "N", "at least this many (default: 5)"},
    {OPTION_SECONDS, 0, "seconds", "S", "more, until each ran this long (default: 3)"},
    {OPTION_COLD, 0, "cold", NULL, "drop the pictures from memory before each run"},
    {OPTION_COMPARE, 'c', "compare", "NAME=CMD", "a command with {in} {out} {jobs}; repeatable"},
    {OPTION_BLURTHUMB, 0, "blurthumb", "FILE", "the program (default: the one beside this)"},
    {OPTION_SCRATCH, 0, "scratch", "DIR", "for the results meanwhile (default: TMPDIR)"},
    {OPTION_NOOP, 0, "noop", "N", "measure the pool instead, with N empty tasks"},
    {0, 0, NULL, NULL, "Output"},
    {OPTION_JSON, 0, "json", NULL, "all samples and figures, one object a line"},
    {OPTION_HTML, 0, "html", "FILE", "also write a page with charts"},
    {OPTION_QUIET, 'q', "quiet", NULL, "no live line"},
    {OPTION_VERSION, 0, "version", NULL, "print the version and exit"},
    {OPTION_HELP, 'h', "help", NULL, "print this help and exit"},
};

static bool apply(void *user, int id, const char *value, const char **out_wanted, GError **error);

static const BtOptionTable command_line = {
    .program = "blurthumb-bench",
    .head = "Usage: blurthumb-bench [OPTIONS] PATH... [-- OPTIONS of blurthumb]\n"
            "       blurthumb-bench --noop N [-j N]\n"
            "Runs blurthumb on the pictures below each PATH, serially and with 1, 2, 4 ...\n"
            "workers in turns, and shows what each takes and what limits more workers. The\n"
            "results are removed.\n",
    .foot = "Exit status: 0 all done; 1 a command failed; 2 wrong usage; 3 could not run;\n"
            "130 interrupted; 143 terminated.\n",
    .options = options_of_bench,
    .n_options = G_N_ELEMENTS(options_of_bench),
    .apply = apply,
};

/* "4,1,2" in rising order, each once. */
static bool
parse_jobs(const char *text, GArray *jobs)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);

    g_array_set_size(jobs, 0);
    for (char **word = words; *word != NULL; word++) {
        guint at = 0;
        int n;

        if (!bt_option_int(*word, 1, JOBS_MAX, &n))
            return false;
        while (at < jobs->len && g_array_index(jobs, int, at) < n)
            at++;
        if (at == jobs->len || g_array_index(jobs, int, at) != n)
            g_array_insert_val(jobs, at, n);
    }
    return jobs->len > 0;
}

/* A name stands in tables, so it is letters, digits and what does no harm there. */
static bool
is_comparison(const char *text)
{
    size_t n = strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS " -+._/");

    return n > 0 && text[n] == '=' && text[n + 1] != '\0';
}

static bool
apply(void *user, int id, const char *value, const char **out_wanted, GError **error)
{
    Options *options = user;
    BtStudyOptions *study = &options->study;

    (void)error;
    switch ((OptionId)id) {
    case OPTION_JOBS:
        *out_wanted = "numbers from 1 to 1024 with commas between";
        return parse_jobs(value, study->jobs);
    case OPTION_ROUNDS:
        *out_wanted = "a number of rounds, 1 or more";
        return bt_option_int(value, 1, ROUNDS_MOST, &study->n_rounds);
    case OPTION_SECONDS:
        *out_wanted = "a number of seconds";
        return bt_option_number(value, SECONDS_MAX, &study->seconds);
    case OPTION_COLD:
        return study->cold = true;
    case OPTION_COMPARE:
        *out_wanted = "NAME=COMMAND with a plain name";
        g_ptr_array_add(study->others, (char *)(uintptr_t)value);
        return is_comparison(value);
    case OPTION_BLURTHUMB:
        study->blurthumb = value;
        return true;
    case OPTION_SCRATCH:
        study->scratch = value;
        return true;
    case OPTION_NOOP:
        *out_wanted = "a number of tasks";
        options->command = COMMAND_NOOP;
        return bt_option_int(value, 1, TASKS_MAX, &options->n_noop);
    case OPTION_JSON:
        return options->json = true;
    case OPTION_HTML:
        options->html = value;
        return true;
    case OPTION_QUIET:
        return study->quiet = true;
    case OPTION_VERSION:
        options->command = COMMAND_VERSION;
        return true;
    case OPTION_HELP:
        options->command = COMMAND_HELP;
        return true;
    }
    return false;
}

/* What follows "--" is for blurthumb. */
static bool
parse_options(int argc, char **argv, Options *options, GError **error)
{
    BtStudyOptions *study = &options->study;
    int n_own = 0, first;

    while (n_own < argc && strcmp(argv[n_own], "--") != 0)
        n_own++;
    for (int n = 1, most = bt_limit_cpus(); n < 2 * most; n *= 2) {
        int jobs = MIN(n, most);

        g_array_append_val(study->jobs, jobs);
    }
    if (!bt_option_read(&command_line, n_own, argv, options, &first, error))
        return false;
    study->passed = &argv[MIN(n_own + 1, argc)];
    argv[n_own] = NULL;
    study->paths = &argv[first];
    return options->command != COMMAND_STUDY || argv[first] != NULL ||
           bt_error_set(error, BT_ERROR_INVALID, "no PATH is given; see blurthumb-bench --help");
}

static int
fail(int code, const GError *error)
{
    g_autofree char *text = bt_human_text(error->message);

    fprintf(stderr, "blurthumb-bench: %s\n", text);
    return code;
}

/* The environment's, or the one that was built or installed with this program. Owned (g_free). */
static char *
find_blurthumb(void)
{
    const char *given = getenv("BT_BLURTHUMB");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self != NULL ? self : ".");
    g_autofree char *installed = g_build_filename(folder, "blurthumb", NULL);
    g_autofree char *built = g_build_filename(folder, "../cli/blurthumb", NULL);

    return g_strdup(given != NULL                  ? given
                    : access(installed, X_OK) == 0 ? installed
                    : access(built, X_OK) == 0     ? built
                                                   : "blurthumb");
}

static int
print_study(const BtStudy *study, const Options *options)
{
    g_autofree char *text = options->json ? bt_output_json(study) : bt_output_text(study);
    g_autofree char *page = options->html != NULL ? bt_output_page(study) : NULL;
    g_autoptr(GError) error = NULL;

    fputs(text, stdout);
    if (page != NULL && !g_file_set_contents(options->html, page, -1, &error))
        return fail(EXIT_COULD_NOT_RUN, error);
    for (guint i = 0; i < study->rows->len; i++)
        if (((const BtRow *)study->rows->pdata[i])->failure != NULL)
            return EXIT_COMMAND_FAILED;
    return EXIT_SUCCESS;
}

/* Signals that end a study are read, not handled, so that nothing is left half done. */
static BtFd
open_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int
run_study(Options *options)
{
    g_autofree char *found = find_blurthumb();
    g_autoptr(BtStudy) study = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(BtFd) signal_fd = open_signals();
    struct signalfd_siginfo info;

    if (options->study.blurthumb == NULL)
        options->study.blurthumb = found;
    study = bt_study_new(&options->study);
    if (bt_study_run(study, signal_fd, &error))
        return print_study(study, options);
    if (read(signal_fd, &info, sizeof info) == sizeof info)
        return EXIT_SIGNAL + (int)info.ssi_signo;
    return fail(EXIT_COULD_NOT_RUN, error);
}

static size_t
serve_nothing(void *state, const BtTaskView *task, void *reply)
{
    (void)state;
    (void)task;
    (void)reply;
    return 0;
}

/* At most n_ahead tasks are in the pool; *latencies in microseconds. */
static bool
run_tasks(BtPool *pool, int n_tasks, int n_ahead, double *latencies, GError **error)
{
    int n_given = 0;

    for (int n_done = 0; n_done < n_tasks; n_done++) {
        g_auto(BtPoolOutcome) outcome = {0};
        g_autofree char *reason = NULL;

        for (; n_given < n_tasks && n_given - n_done < n_ahead; n_given++)
            if (!bt_pool_submit(pool, &(BtTask){0}, NULL, error))
                return false;
        if (bt_pool_next(pool, BT_CLOCK_FOREVER, NULL, 0, &outcome) != BT_POOL_OUTCOME)
            return bt_error_set(error, BT_ERROR_FAILED, "the pool is empty");
        if ((reason = bt_pool_outcome_reason(&outcome)) != NULL)
            return bt_error_set(error, BT_ERROR_FAILED, "%s", reason);
        latencies[n_done] = (double)(outcome.ended_ns - outcome.started_ns) / 1000;
    }
    return true;
}

static bool
add_noop(BtTable *table, BtPool *pool, int n_tasks, int n_ahead, GError **error)
{
    g_autofree double *latencies = g_new(double, n_tasks);
    size_t n = (size_t)n_tasks;
    uint64_t begin_ns = bt_clock_now_ns();
    double seconds;

    if (!run_tasks(pool, n_tasks, n_ahead, latencies, error))
        return false;
    seconds = (double)(bt_clock_now_ns() - begin_ns) / (double)BT_NS_PER_S;
    bt_table_add(
        table, "%d at once|%.0f|%.1f|%.1f|%.1f|%.1f", n_ahead, n_tasks / seconds,
        bt_statistics_quantile(latencies, n, 0.5), bt_statistics_quantile(latencies, n, 0.9),
        bt_statistics_quantile(latencies, n, 0.99), bt_statistics_quantile(latencies, n, 1));
    return true;
}

/* One task at a time, then twice as many at once as there are workers. */
static int
run_noop(int n_tasks, int n_workers)
{
    BtPoolOptions options = {.name = "noop",
                             .n_slots = n_workers,
                             .queue_limit = (size_t)n_workers,
                             .serve = serve_nothing};
    g_autoptr(GError) error = NULL;
    g_autofree double *unused = g_new(double, n_workers);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(BtTable) table = bt_table_new("empty tasks|a second|50 % us|90 % us|99 % us|most us");
    g_autoptr(BtPool) pool = bt_pool_new(&options, &error);

    /* As many tasks as workers start them all, before the clock runs. */
    if (pool == NULL || !run_tasks(pool, n_workers, n_workers, unused, &error) ||
        !add_noop(table, pool, n_tasks, 1, &error) ||
        !add_noop(table, pool, n_tasks, 2 * n_workers, &error))
        return fail(EXIT_COULD_NOT_RUN, error);
    bt_table_print(table, false, text);
    fputs(text->str, stdout);
    return EXIT_SUCCESS;
}

static int
dispatch(int argc, char **argv)
{
    g_autoptr(GArray) jobs = g_array_new(FALSE, FALSE, sizeof(int));
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    Options options = {.study = {.jobs = jobs,
                                 .others = others,
                                 .n_rounds = 5,
                                 .seconds = 3,
                                 .scratch = g_get_tmp_dir()}};
    g_autofree char *help = bt_option_help(&command_line);
    g_autoptr(GError) error = NULL;

    if (!parse_options(argc, argv, &options, &error))
        return fail(EXIT_USAGE, error);
    switch (options.command) {
    case COMMAND_STUDY:
        return run_study(&options);
    case COMMAND_NOOP:
        return run_noop(options.n_noop, g_array_index(jobs, int, jobs->len - 1));
    case COMMAND_HELP:
        fputs(help, stdout);
        break;
    case COMMAND_VERSION:
        puts("blurthumb-bench " BT_VERSION);
        break;
    }
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    int code;

    signal(SIGPIPE, SIG_IGN);
    code = dispatch(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code != EXIT_USAGE) {
        fputs("blurthumb-bench: cannot write to standard output\n", stderr);
        code = MAX(code, EXIT_COULD_NOT_RUN);
    }
    return code;
}
