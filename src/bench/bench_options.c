/* SPDX-License-Identifier: MIT */
#include "bench/bench_options.h"

#include "base/cpus.h"

#include <getopt.h>
#include <string.h>

#define JOBS_MAX    1024
#define ROUNDS_MAX  10000
#define SECONDS_MAX 86400.0
#define TASKS_MAX   100000000
#define HELP_COLUMN 30

typedef enum OptionId {
    OPTION_JOBS = 256,
    OPTION_ROUNDS,
    OPTION_SECONDS,
    OPTION_COLD,
    OPTION_COMPARE,
    OPTION_BLURTHUMB,
    OPTION_SCRATCH,
    OPTION_MARKDOWN,
    OPTION_JSON,
    OPTION_CSV,
    OPTION_HTML,
    OPTION_QUIET,
    OPTION_SLEEP,
    OPTION_WAYS,
    OPTION_NOOP,
    OPTION_VERSION,
    OPTION_HELP,
} OptionId;

typedef struct Option {
    OptionId id;
    char letter;          /* 0: none */
    const char *name;     /* NULL: a heading, in `help` */
    const char *argument; /* NULL: takes none */
    const char *help;
} Option;

static const Option table[] = {
    {0, 0, NULL, NULL, "Measuring"},
    {OPTION_JOBS, 'j', "jobs", "N,...", "numbers of workers (default: 1,2,4 ... the processors)"},
    {OPTION_ROUNDS, 'r', "rounds", "N", "at least (default: 5)"},
    {OPTION_SECONDS, 0, "seconds", "S", "more rounds until each has run so long (default: 3)"},
    {OPTION_COLD, 0, "cold", NULL, "drop the pictures from memory before each run"},
    {OPTION_COMPARE, 'c', "compare", "NAME=COMMAND",
     "measure it too, with {in} {out} {jobs}; repeatable"},
    {OPTION_BLURTHUMB, 0, "blurthumb", "FILE", "the program (default: the one beside this)"},
    {OPTION_SCRATCH, 0, "scratch", "DIR", "where results go meanwhile (default: TMPDIR)"},
    {0, 0, NULL, NULL, "Output"},
    {OPTION_MARKDOWN, 0, "markdown", NULL, "tables for Markdown"},
    {OPTION_JSON, 0, "json", NULL, "all samples and figures, one object a line"},
    {OPTION_CSV, 0, "csv", NULL, "all samples, one a line"},
    {OPTION_HTML, 0, "html", "FILE", "also a page with charts"},
    {OPTION_QUIET, 'q', "quiet", NULL, "do not tell what is being run"},
    {0, 0, NULL, NULL, "The pool by itself"},
    {OPTION_SLEEP, 0, "sleep", "S,...", "tasks that sleep so long; 10x1 is ten of 1 second"},
    {OPTION_WAYS, 0, "ways", "WAY,...",
     "of sleeping: serial, process, completed, map (default: all)"},
    {OPTION_NOOP, 0, "noop", "N", "N tasks that do nothing"},
    {0, 0, NULL, NULL, "Other"},
    {OPTION_VERSION, 0, "version", NULL, "print the version, and exit"},
    {OPTION_HELP, 'h', "help", NULL, "print this help, and exit"},
};

char *
bt_bench_options_help(void)
{
    GString *text = g_string_new(
        "Usage: blurthumb-bench [OPTIONS] PATH... [-- OPTIONS of blurthumb]\n"
        "       blurthumb-bench --sleep S,... [--ways WAY,...] [-j N]\n"
        "       blurthumb-bench --noop N [-j N]\n"
        "Runs blurthumb on the pictures below each PATH, serially and with 1, 2, 4 ... workers, "
        "in\n"
        "turns, and tells what each takes and what limits more workers. Results go to a folder\n"
        "that is removed.\n");

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        const Option *option = &table[i];
        gsize start;

        if (option->name == NULL) {
            g_string_append_printf(text, "\n%s:\n", option->help);
            continue;
        }
        start = text->len;
        if (option->letter != 0)
            g_string_append_printf(text, "  -%c, --%s", option->letter, option->name);
        else
            g_string_append_printf(text, "      --%s", option->name);
        if (option->argument != NULL)
            g_string_append_printf(text, " %s", option->argument);
        g_string_append_printf(text, "%*s%s\n", MAX(1, HELP_COLUMN - (int)(text->len - start)), "",
                               option->help);
    }
    g_string_append(text, "\nExit status: 0 all done; 1 a command failed; 2 wrong usage; 3 could "
                          "not run; 130 interrupted;\n143 terminated.\n");
    return g_string_free(text, FALSE);
}

static bool
parse_count(const char *text, int most, int *out)
{
    gint64 value;

    if (!g_ascii_isdigit(text[0]) || !g_ascii_string_to_signed(text, 10, 1, most, &value, NULL))
        return false;
    *out = (int)value;
    return true;
}

static bool
parse_seconds(const char *text, double *out)
{
    char *end;
    double value = g_ascii_strtod(text, &end);

    if (!(g_ascii_isdigit(text[0]) || text[0] == '.') || strpbrk(text, "xX") != NULL ||
        *end != '\0' || !(value >= 0 && value <= SECONDS_MAX))
        return false;
    *out = value;
    return true;
}

static int
compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* "4,1,2" in rising order, each once. */
static bool
parse_jobs(const char *text, GArray *jobs)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);

    g_array_set_size(jobs, 0);
    for (char **word = words; *word != NULL; word++) {
        int n;

        if (!parse_count(*word, JOBS_MAX, &n))
            return false;
        g_array_append_val(jobs, n);
    }
    g_array_sort(jobs, compare_ints);
    for (guint i = 1; i < jobs->len;)
        if (g_array_index(jobs, int, i) == g_array_index(jobs, int, i - 1))
            g_array_remove_index(jobs, i);
        else
            i++;
    return jobs->len > 0;
}

/* "S" or "NxS". */
static bool
parse_sleep(const char *word, GArray *sleeps)
{
    const char *times = strchr(word, 'x');
    g_autofree char *count = times != NULL ? g_strndup(word, (gsize)(times - word)) : NULL;
    double seconds;
    int n = 1;

    if ((count != NULL && !parse_count(count, JOBS_MAX, &n)) ||
        !parse_seconds(times != NULL ? times + 1 : word, &seconds))
        return false;
    for (int i = 0; i < n; i++)
        g_array_append_val(sleeps, seconds);
    return sleeps->len <= JOBS_MAX;
}

static bool
parse_sleeps(const char *text, GArray *sleeps)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);

    g_array_set_size(sleeps, 0);
    for (char **word = words; *word != NULL; word++)
        if (!parse_sleep(*word, sleeps))
            return false;
    return sleeps->len > 0;
}

static bool
parse_ways(const char *text, bool *ways)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);

    memset(ways, 0, BT_SLEEP_WAYS * sizeof *ways);
    for (char **word = words; *word != NULL; word++) {
        int way = 0;

        while (way < BT_SLEEP_WAYS && strcmp(*word, bt_sleep_way_name((BtSleepWay)way)) != 0)
            way++;
        if (way == BT_SLEEP_WAYS)
            return false;
        ways[way] = true;
    }
    return words[0] != NULL;
}

static void
clear_other(gpointer data)
{
    BtOther *other = data;

    g_free(other->name);
    g_free(other->command);
}

/* A name stands in tables, so it is letters, digits and what else does no harm there. */
static bool
parse_compare(const char *text, GArray *others)
{
    const char *equals = strchr(text, '=');
    BtOther other;

    if (equals == NULL || equals == text || equals[1] == '\0')
        return false;
    for (const char *c = text; c < equals; c++)
        if (!g_ascii_isalnum(*c) && strchr(" -+._/", *c) == NULL)
            return false;
    other.name = g_strndup(text, (gsize)(equals - text));
    other.command = g_strdup(equals + 1);
    g_array_append_val(others, other);
    return true;
}

/* An option that takes a value. False with what is wanted in *out_wanted. */
static bool
apply_value(BtBenchOptions *options, OptionId id, const char *value, const char **out_wanted)
{
    int n;

    switch (id) {
    case OPTION_JOBS:
        *out_wanted = "numbers from 1 to 1024 with commas between";
        options->jobs_given = true;
        return parse_jobs(value, options->jobs);
    case OPTION_ROUNDS:
        *out_wanted = "a number of rounds, 1 or more";
        return parse_count(value, ROUNDS_MAX, &options->study.n_rounds);
    case OPTION_SECONDS:
        *out_wanted = "a number of seconds";
        return parse_seconds(value, &options->study.seconds);
    case OPTION_COMPARE:
        *out_wanted = "NAME=COMMAND with a plain name";
        return parse_compare(value, options->others);
    case OPTION_BLURTHUMB:
        options->study.blurthumb = value;
        return true;
    case OPTION_SCRATCH:
        options->study.scratch = value;
        return true;
    case OPTION_HTML:
        options->html = value;
        return true;
    case OPTION_SLEEP:
        *out_wanted = "seconds with commas between, as 5,4,3 or 10x1";
        options->command = BT_BENCH_SLEEP;
        return parse_sleeps(value, options->sleeps);
    case OPTION_WAYS:
        *out_wanted = "serial, process, completed and map with commas between";
        return parse_ways(value, options->ways);
    default:
        *out_wanted = "a number of tasks";
        options->command = BT_BENCH_NOOP;
        if (!parse_count(value, TASKS_MAX, &n))
            return false;
        options->n_noop = (size_t)n;
        return true;
    }
}

static void
apply_switch(BtBenchOptions *options, OptionId id)
{
    switch (id) {
    case OPTION_COLD:
        options->study.cold = true;
        break;
    case OPTION_MARKDOWN:
        options->form = BT_BENCH_MARKDOWN;
        break;
    case OPTION_JSON:
        options->form = BT_BENCH_JSON;
        break;
    case OPTION_CSV:
        options->form = BT_BENCH_CSV;
        break;
    case OPTION_QUIET:
        options->study.quiet = true;
        break;
    case OPTION_VERSION:
        options->command = BT_BENCH_VERSION;
        break;
    default:
        options->command = BT_BENCH_HELP;
    }
}

static const Option *
option_of_found(int found)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (table[i].name != NULL && ((int)table[i].id == found || table[i].letter == found))
            return &table[i];
    return NULL;
}

/* getopt's own form of the table. */
static void
make_getopt(struct option *long_options, char *letters)
{
    *letters++ = ':';
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        const Option *option = &table[i];

        if (option->name == NULL)
            continue;
        *long_options++ = (struct option){
            option->name, option->argument != NULL ? required_argument : no_argument, NULL,
            (int)option->id};
        if (option->letter == 0)
            continue;
        *letters++ = option->letter;
        if (option->argument != NULL)
            *letters++ = ':';
    }
    *long_options = (struct option){0};
    *letters = '\0';
}

static void
set_defaults(BtBenchOptions *options)
{
    *options = (BtBenchOptions){
        .sleeps = g_array_new(FALSE, FALSE, sizeof(double)),
        .jobs = g_array_new(FALSE, FALSE, sizeof(int)),
        .others = g_array_new(FALSE, FALSE, sizeof(BtOther)),
        .ways = {true, true, true, true},
        .study = {.n_rounds = 5, .seconds = 3, .scratch = g_get_tmp_dir()},
    };
    g_array_set_clear_func(options->others, clear_other);
    for (int n = 1, most = bt_cpus_usable(); n < 2 * most; n *= 2) {
        int jobs = MIN(n, most);

        g_array_append_val(options->jobs, jobs);
    }
}

/* getopt has put an offending letter, if it was one, into optopt. */
static bool
fail_option(const char *argument, bool known, GError **error)
{
    char letter[] = {'-', (char)optopt, '\0'};
    const char *name = argument[0] == '-' && argument[1] == '-' ? argument : letter;

    return bt_error_set(error, BT_ERROR_INVALID, "%s %s; see blurthumb-bench --help", name,
                        known ? "needs a value" : "is not an option");
}

static bool
parse_options(int argc, char **argv, BtBenchOptions *options, GError **error)
{
    struct option long_options[G_N_ELEMENTS(table) + 1];
    char letters[2 * G_N_ELEMENTS(table) + 2];
    int found;

    make_getopt(long_options, letters);
    opterr = 0;
    optind = 0; /* begins anew, also after another command line */
    while ((found = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        const Option *option = option_of_found(found);
        const char *wanted = NULL;

        if (found == ':' || option == NULL)
            return fail_option(argv[optind - 1], found == ':', error);
        if (option->argument == NULL)
            apply_switch(options, option->id);
        else if (!apply_value(options, option->id, optarg, &wanted))
            return bt_error_set(error, BT_ERROR_INVALID, "--%s takes %s, not '%s'", option->name,
                                wanted, optarg);
    }
    return true;
}

bool
bt_bench_options_parse(int argc, char **argv, BtBenchOptions *out_options, GError **error)
{
    int n_own = 0;

    while (n_own < argc && strcmp(argv[n_own], "--") != 0)
        n_own++;
    set_defaults(out_options);
    if (!parse_options(n_own, argv, out_options, error))
        return false;
    out_options->study.passed = &argv[MIN(n_own + 1, argc)];
    argv[n_own] = NULL;
    out_options->study.paths = &argv[optind];
    out_options->study.jobs = (const int *)(const void *)out_options->jobs->data;
    out_options->study.n_jobs = out_options->jobs->len;
    out_options->study.others = (const BtOther *)(const void *)out_options->others->data;
    out_options->study.n_others = out_options->others->len;
    if (out_options->command == BT_BENCH_STUDY && argv[optind] == NULL)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "there is no PATH of pictures; see blurthumb-bench --help");
    return true;
}

void
bt_bench_options_clear(BtBenchOptions *self)
{
    g_clear_pointer(&self->sleeps, g_array_unref);
    g_clear_pointer(&self->jobs, g_array_unref);
    g_clear_pointer(&self->others, g_array_unref);
}
