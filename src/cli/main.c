/* SPDX-License-Identifier: MIT */
/*
 * blurthumb: options in, a batch, an exit code out. Exit codes: 0 all done, 1 some pictures failed,
 * 2 usage, 3 could not run, 75 could not go on but may later, 128 + the signal that ended it.
 */
#include "base/human.h"
#include "cli/options.h"
#include "image/codecs.h"
#include "kernel/kernel.h"
#include "report/merge.h"
#include "run/run.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    EXIT_SOME_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_COULD_NOT_RUN = 3,
    EXIT_TRY_AGAIN = 75, /* EX_TEMPFAIL of sysexits.h: what a scheduler may start once more for */
    EXIT_SIGNAL = 128
};

static int
fail(int code, const GError *error)
{
    g_autofree char *text = bt_human_text(error->message);

    fprintf(stderr, "blurthumb: %s\n", text);
    return code;
}

/* Which part of the whole this is, where that was not said but found out. */
static void
tell_shard(const BtOptions *options, BtReport *report)
{
    const BtShard *shard = &options->run.scan.shard;
    g_autofree char *notice = NULL;

    if (options->shard_origin == NULL)
        return;
    notice =
        g_strdup_printf("shard %u/%u, from %s", shard->index, shard->count, options->shard_origin);
    bt_report_notice(report, notice);
}

static int
run_batch(BtOptions *options)
{
    g_autoptr(BtGallery) gallery = options->gallery ? bt_gallery_new(options->run.output) : NULL;
    g_autoptr(BtReport) report = NULL;
    g_autoptr(GError) error = NULL;
    BtRunEnd end;

    options->run.gallery = options->report.gallery = gallery;
    options->run.image.previews = options->gallery;
    options->report.output = options->run.output;
    report = bt_report_new(&options->report);
    tell_shard(options, report);
    if (options->command == BT_COMMAND_MERGE &&
        (!bt_merge(options->run.paths, report, &error) ||
         (gallery != NULL && !bt_run_publish_gallery(&options->run, &error))))
        return fail(EXIT_COULD_NOT_RUN, error);
    if (options->command == BT_COMMAND_MERGE)
        return bt_report_counts(report).n_failed > 0 ? EXIT_SOME_FAILED : EXIT_SUCCESS;
    if (!bt_run(&options->run, report, &end, &error))
        return fail(end.again ? EXIT_TRY_AGAIN : EXIT_COULD_NOT_RUN, error);
    if (end.signal != 0)
        return EXIT_SIGNAL + end.signal;
    if (end.again)
        return EXIT_TRY_AGAIN;
    return bt_report_counts(report).n_failed > 0 ? EXIT_SOME_FAILED : EXIT_SUCCESS;
}

static int
print_help(void)
{
    g_autofree char *help = bt_options_help();

    fputs(help, stdout);
    return EXIT_SUCCESS;
}

static int
print_version(void)
{
    g_autoptr(GError) error = NULL;

    if (bt_codecs_load(&error) == NULL)
        return fail(EXIT_COULD_NOT_RUN, error);
    printf("blurthumb %s (libvips %s, kernel %s)\n%s\n", BT_VERSION, bt_codecs_loaded()->version(),
           bt_kernel_level(), BT_FEATURES);
    return EXIT_SUCCESS;
}

static int
dispatch(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_auto(BtOptions) options = {0};

    if (!bt_options_parse(argc, argv, &options, &error))
        return fail(EXIT_USAGE, error);
    options.run.version = BT_VERSION;
    if (options.command == BT_COMMAND_HELP)
        return print_help();
    if (!bt_kernel_level_is_valid()) {
        bt_error_set(&error, BT_ERROR_INVALID,
                     "BT_CPU in the environment is not the name of a kernel: '%s'",
                     getenv("BT_CPU"));
        return fail(EXIT_USAGE, error);
    }
    if (options.command == BT_COMMAND_VERSION)
        return print_version();
    return run_batch(&options);
}

/* Descriptors 0, 1 and 2 are open from here on, so that no other file gets one of these numbers. */
static void
open_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

int
main(int argc, char **argv)
{
    int code;

    open_standard();
    /* A reader that has left is a failed write, and no reason to stop. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write past the limit of files fails with EFBIG */
    code = dispatch(argc, argv);

    if ((fflush(stdout) != 0 || ferror(stdout)) && code != EXIT_USAGE &&
        code != EXIT_SIGNAL + SIGPIPE) {
        fputs("blurthumb: cannot write to standard output\n", stderr);
        code = MAX(code, EXIT_COULD_NOT_RUN);
    }
    return code;
}
