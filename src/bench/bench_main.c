/* SPDX-License-Identifier: MIT */
/*
 * blurthumb-bench: serial against parallel, on the user's own pictures; and the pool by itself.
 * Exit codes: 0 all done, 1 a command failed, 2 usage, 3 could not run, 128 + the signal that ended
 * it.
 */
#include "base/fd.h"
#include "base/human.h"
#include "bench/bench_options.h"
#include "bench/dump.h"
#include "bench/family.h"
#include "bench/page.h"
#include "bench/summary.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    EXIT_COMMAND_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_COULD_NOT_RUN = 3,
    EXIT_SIGNAL = 128
};

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
    static const char *const places[] = {"blurthumb", "../cli/blurthumb"};
    const char *given = getenv("BT_BLURTHUMB");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self != NULL ? self : ".");

    if (given != NULL)
        return g_strdup(given);
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(folder, places[i], NULL);

        if (access(path, X_OK) == 0)
            return g_steal_pointer(&path);
    }
    return g_strdup("blurthumb");
}

static char *
format_study(const BtStudy *study, BtBenchForm form)
{
    switch (form) {
    case BT_BENCH_JSON:
        return bt_dump_json(study);
    case BT_BENCH_CSV:
        return bt_dump_csv(study);
    case BT_BENCH_MARKDOWN:
        return bt_summary(study, BT_TABLE_MARKDOWN);
    default:
        return bt_summary(study, BT_TABLE_TEXT);
    }
}

static int
tell(const BtStudy *study, const BtBenchOptions *options)
{
    g_autofree char *text = format_study(study, options->form);
    g_autofree char *page = options->html != NULL ? bt_page(study) : NULL;
    g_autoptr(GError) error = NULL;

    fputs(text, stdout);
    if (page != NULL && !g_file_set_contents(options->html, page, -1, &error))
        return fail(EXIT_COULD_NOT_RUN, error);
    return bt_study_has_failure(study) ? EXIT_COMMAND_FAILED : EXIT_SUCCESS;
}

/* What ends a study: signals are read, not handled, so that nothing is left half done. */
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
study(BtBenchOptions *options)
{
    g_autofree char *found = find_blurthumb();
    g_autoptr(BtStudy) study = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(BtFd) signal_fd = open_signals();
    struct signalfd_siginfo info;

    if (options->study.blurthumb == NULL)
        options->study.blurthumb = found;
    bt_family_adopt();
    study = bt_study_new(&options->study);
    if (bt_study_run(study, signal_fd, &error))
        return tell(study, options);
    if (read(signal_fd, &info, sizeof info) == sizeof info)
        return EXIT_SIGNAL + (int)info.ssi_signo;
    return fail(EXIT_COULD_NOT_RUN, error);
}

static int
sleep_all_ways(const BtBenchOptions *options)
{
    size_t n = options->sleeps->len;
    int n_workers = options->jobs_given ? options->study.jobs[options->study.n_jobs - 1] : (int)n;
    const char *gap = "";

    for (int way = 0; way < BT_SLEEP_WAYS; way++) {
        g_autoptr(GError) error = NULL;

        if (!options->ways[way])
            continue;
        fputs(gap, stdout);
        gap = "\n";
        if (!bt_sleep_run((BtSleepWay)way, (const double *)(const void *)options->sleeps->data, n,
                          n_workers, &error))
            return fail(EXIT_COULD_NOT_RUN, error);
    }
    return EXIT_SUCCESS;
}

static int
noop(const BtBenchOptions *options)
{
    g_autoptr(GError) error = NULL;

    if (!bt_sleep_noop(options->n_noop, options->study.jobs[options->study.n_jobs - 1], &error))
        return fail(EXIT_COULD_NOT_RUN, error);
    return EXIT_SUCCESS;
}

static int
dispatch(int argc, char **argv)
{
    g_auto(BtBenchOptions) options = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *help = bt_bench_options_help();

    if (!bt_bench_options_parse(argc, argv, &options, &error))
        return fail(EXIT_USAGE, error);
    switch (options.command) {
    case BT_BENCH_HELP:
        fputs(help, stdout);
        return EXIT_SUCCESS;
    case BT_BENCH_VERSION:
        puts("blurthumb-bench " BT_VERSION);
        return EXIT_SUCCESS;
    case BT_BENCH_SLEEP:
        return sleep_all_ways(&options);
    case BT_BENCH_NOOP:
        return noop(&options);
    default:
        return study(&options);
    }
}

int
main(int argc, char **argv)
{
    int code;

    /* Workers of --sleep write to the same stream, line by line. */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    signal(SIGPIPE, SIG_IGN);
    code = dispatch(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code != EXIT_USAGE) {
        fputs("blurthumb-bench: what was to be printed could not be written\n", stderr);
        code = MAX(code, EXIT_COULD_NOT_RUN);
    }
    return code;
}
