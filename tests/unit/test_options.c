/* SPDX-License-Identifier: MIT */
/* The command line: defaults, every option, and one sentence for what is wrong. */
#include "base/clock.h"
#include "cli/options.h"

#include <string.h>

static bool
parse(const char *line, BtOptions *out_options, char ***out_words, GError **error)
{
    g_autofree char *whole = g_strconcat("blurthumb ", line, NULL);
    int n_words;

    g_assert_true(g_shell_parse_argv(whole, &n_words, out_words, NULL));
    return bt_options_parse(n_words, *out_words, out_options, error);
}

static void
test_defaults(void)
{
    g_auto(GStrv) words = NULL;
    BtOptions options;

    g_assert_true(parse("", &options, &words, NULL));
    g_assert_cmpint(options.command, ==, BT_COMMAND_RUN);
    g_assert_cmpint(options.report.level, ==, BT_REPORT_NORMAL);
    g_assert_cmpstr(options.run.paths[0], ==, ".");
    g_assert_null(options.run.paths[1]);
    g_assert_cmpstr(options.run.output, ==, "processed");
    g_assert_cmpint(options.run.n_jobs, >=, 1);
    g_assert_false(options.run.force);
    g_assert_cmpfloat(options.run.image.sigma, ==, 15);
    g_assert_cmpint(options.run.image.box_width, ==, 1200);
    g_assert_cmpint(options.run.image.box_height, ==, 1200);
    g_assert_cmpint(options.run.image.quality[BT_FORMAT_JPEG], ==, BT_IMAGE_QUALITY_DEFAULT);
    g_assert_cmpuint(options.run.image.allowed, ==, 0);
    g_assert_cmpuint(options.run.limit_ns, ==, 60 * BT_NS_PER_S);
    g_assert_cmpuint(options.run.image.max_pixels, ==, UINT64_C(1000000000));
    g_assert_cmpuint(options.run.memory, >=, UINT64_C(128000000));
    g_assert_cmpuint(options.run.max_file_size, ==, 0);
    g_assert_false(options.run.isolate);
    g_assert_false(options.run.durable);
    g_assert_cmpint(options.run.sandbox, ==, BT_SANDBOX_AUTO);
}

static void
test_all(void)
{
    g_auto(GStrv) words = NULL;
    BtOptions options;

    g_assert_true(parse("one -o out --jobs 3 --sigma=2.5 -s 800x600 -Q 90 --exact --linear -f -v "
                        "--timeout 1.5 --allow jxl,svg --memory 2G --max-pixels 500M "
                        "--max-file-size 10k --isolate picture --sandbox require --fsync "
                        "two -- -three",
                        &options, &words, NULL));
    g_assert_cmpstr(options.run.paths[0], ==, "one");
    g_assert_cmpstr(options.run.paths[1], ==, "two");
    g_assert_cmpstr(options.run.paths[2], ==, "-three");
    g_assert_null(options.run.paths[3]);
    g_assert_cmpstr(options.run.output, ==, "out");
    g_assert_cmpint(options.run.n_jobs, ==, 3);
    g_assert_cmpfloat(options.run.image.sigma, ==, 2.5);
    g_assert_cmpint(options.run.image.box_width, ==, 800);
    g_assert_cmpint(options.run.image.box_height, ==, 600);
    g_assert_cmpint(options.run.image.quality[BT_FORMAT_JPEG], ==, 90);
    g_assert_cmpint(options.run.image.quality[BT_FORMAT_AVIF], ==, 90);
    g_assert_true(options.run.image.exact);
    g_assert_true(options.run.image.linear);
    g_assert_true(options.run.force);
    g_assert_cmpint(options.report.level, ==, BT_REPORT_VERBOSE);
    g_assert_cmpuint(options.run.limit_ns, ==, 3 * BT_NS_PER_S / 2);
    g_assert_cmpuint(options.run.memory, ==, UINT64_C(2000000000));
    g_assert_cmpuint(options.run.image.max_pixels, ==, UINT64_C(500000000));
    g_assert_cmpuint(options.run.max_file_size, ==, 10000);
    g_assert_true(options.run.isolate);
    g_assert_true(options.run.durable);
    g_assert_cmpint(options.run.sandbox, ==, BT_SANDBOX_REQUIRE);
    g_assert_cmpuint(options.run.image.allowed, ==, (1u << BT_FORMAT_JXL) | (1u << BT_FORMAT_SVG));
}

static void
test_small(void)
{
    static const struct {
        const char *line;
        BtCommand command;
    } cases[] = {
        {"--help", BT_COMMAND_HELP}, {"-h x", BT_COMMAND_HELP}, {"--version", BT_COMMAND_VERSION}};
    g_auto(GStrv) serial_words = NULL, square_words = NULL, more_words = NULL;
    BtOptions options;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) words = NULL;

        g_assert_true(parse(cases[i].line, &options, &words, NULL));
        g_assert_cmpint(options.command, ==, cases[i].command);
    }
    g_assert_true(parse("-Q 80,webp=7 --strip gps --format webp --suffix=-s --grace 2 --prune -n",
                        &options, &more_words, NULL));
    g_assert_cmpint(options.run.image.quality[BT_FORMAT_JPEG], ==, 80);
    g_assert_cmpint(options.run.image.quality[BT_FORMAT_WEBP], ==, 7);
    g_assert_cmpint(options.run.image.strip, ==, BT_STRIP_GPS);
    g_assert_cmpint(options.run.format, ==, BT_FORMAT_WEBP);
    g_assert_cmpstr(options.run.naming.suffix, ==, "-s");
    g_assert_cmpuint(options.run.grace_ns, ==, 2 * BT_NS_PER_S);
    g_assert_true(options.run.prune);
    g_assert_cmpint(options.run.mode, ==, BT_RUN_PLAN);
    g_assert_true(parse("--serial", &options, &serial_words, NULL));
    g_assert_cmpint(options.run.n_jobs, ==, 0);
    g_assert_true(parse("-s 256", &options, &square_words, NULL));
    g_assert_cmpint(options.run.image.box_width, ==, 256);
    g_assert_cmpint(options.run.image.box_height, ==, 256);
}

static void
test_wrong(void)
{
    static const char *const lines[] = {
        "--sigma -1",
        "--sigma x",
        "--sigma 1e9",
        "--sigma nan",
        "--sigma inf",
        "--sigma ''",
        "--sigma 0x10",
        "--sigma '1 '",
        "-s 0x100",
        "-s 100x",
        "-s x100",
        "-s 100x100x2",
        "-s 70000x1",
        "-s -5x5",
        "-s ''",
        "-Q 0",
        "-Q 101",
        "-Q 7.5",
        "-j 0",
        "-j -1",
        "-j 1025",
        "-j 99999999999999999999",
        "-j ' 2'",
        "-j +2",
        "--timeout -1",
        "--timeout x",
        "--allow exe",
        "--allow ''",
        "--allow jxl,",
        "-o ''",
        "--nonsense",
        "-Z",
        "-vZ",
        "--output",
        "-j",
        "--exact=yes",
        "--memory 1M",
        "--memory 2GB",
        "--memory -1",
        "--memory 99999999999999999999",
        "--memory M",
        "--memory 9999999T",
        "--sandbox no",
        "--isolate all",
        "--max-pixels 0",
        "--max-file-size x",
        "-Q jgp=80",
        "-Q jpeg=0",
        "-Q 80,",
        "-Q jpeg",
        "--strip exif",
        "--format bmp",
        "--name x",
        "--name '../{stem}'",
        "--suffix a/b",
        "--flat --name '{stem}'",
        "--grace -1",
        "--dry-run --verify",
        "--verify --force",
        "--verify --prune",
        "-qv",
        "--serial -j 2",
        "-j 2 --serial",
        "--serial --timeout 1",
        "--serial --isolate picture",
        "--serial --sandbox require",
        "--min-size 10M --max-size 1M",
        "--min-size 10M --max-file-size 1M",
        "--name '{stem}' --suffix x",
        "-0",
        "--merge-reports",
        "--merge-reports --verify x",
        "--merge-reports --files-from x x",
        "--format heif",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) words = NULL;
        BtOptions options;

        g_test_message("%s", lines[i]);
        g_assert_false(parse(lines[i], &options, &words, &error));
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
        g_assert_null(strchr(error->message, '\n'));
        g_assert_cmpuint(strlen(error->message), >, 10);
    }
}

/* Pairs that are close to the ones above and say no two things. */
static void
test_pairs(void)
{
    static const char *const lines[] = {"--verify --fsync --gallery",
                                        "--dry-run --force",
                                        "--dry-run --prune",
                                        "-q --json",
                                        "-q --progress always",
                                        "--serial --timeout 0",
                                        "--serial --isolate batch",
                                        "--min-size 1M --max-size 1M",
                                        "--min-size 1M",
                                        "--max-file-size 0 --min-size 1M",
                                        "--name '{stem}{suffix}' --suffix x",
                                        "-0 --files-from -",
                                        "--merge-reports --gallery --force x"};

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) words = NULL;
        g_auto(BtOptions) options = {0};

        g_test_message("%s", lines[i]);
        g_assert_true(parse(lines[i], &options, &words, &error));
        g_assert_no_error(error);
    }
}

/* In capitals, and by their extensions. */
static void
test_formats(void)
{
    static const char *const lines[] = {"--format jpg -Q JPEG=7 --allow JXL,j2k",
                                        "--format JPEG -Q jfif=7 --allow jp2,Jxl",
                                        "--format Jpg -Q JPG=7 --allow jxl,JPX"};
    g_auto(GStrv) tif_words = NULL, heif_words = NULL, keep_words = NULL;
    BtOptions options;

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_auto(GStrv) words = NULL;

        g_assert_true(parse(lines[i], &options, &words, NULL));
        g_assert_cmpint(options.run.format, ==, BT_FORMAT_JPEG);
        g_assert_cmpint(options.run.image.quality[BT_FORMAT_JPEG], ==, 7);
        g_assert_cmpint(options.run.image.quality[BT_FORMAT_PNG], ==, 0);
        g_assert_cmpuint(options.run.image.allowed, ==,
                         (1u << BT_FORMAT_JXL) | (1u << BT_FORMAT_JP2));
    }
    g_assert_true(parse("--format TIF", &options, &tif_words, NULL));
    g_assert_cmpint(options.run.format, ==, BT_FORMAT_TIFF);
    g_assert_true(parse("-Q heif=9", &options, &heif_words, NULL));
    g_assert_cmpint(options.run.image.quality[BT_FORMAT_HEIC], ==, 9);
    g_assert_true(parse("--format jpg --format KEEP --strip GPS", &options, &keep_words, NULL));
    g_assert_cmpint(options.run.format, ==, BT_FORMAT_NONE);
    g_assert_true(options.run.keeps_heic);
    g_assert_cmpint(options.run.image.strip, ==, BT_STRIP_GPS);
}

/* Of an option that is none, what is said names it, and the one that was meant if one was. */
static void
test_mistyped(void)
{
    static const struct {
        const char *line, *named, *meant; /* NULL: nothing is suggested */
    } rows[] = {
        {"--sgima 3", "--sgima", "--sigma?"},
        {"--simga=3", "--simga", "--sigma?"},
        {"--qualty 3", "--qualty", "--quality?"},
        {"--seriall", "--seriall", "--serial?"},
        {"--dryrun", "--dryrun", "--dry-run?"},
        {"--exat", "--exat", "--exact?"},
        {"--max 3", "--max", "--max-size"},
        {"--max 3", "--max", "--max-pixels"},
        {"--exact=yes", "--exact", NULL},
        {"--outp", "--output", NULL},
        {"--recursive", "--recursive", NULL},
        {"--x", "--x", NULL},
        {"--=3", "--", NULL},
        {"--force -Zv", "-Z", NULL},
        {"-vj", "-j", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) words = NULL;
        BtOptions options;

        g_test_message("%s", rows[i].line);
        g_assert_false(parse(rows[i].line, &options, &words, &error));
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, rows[i].named));
        g_assert_true(rows[i].meant != NULL ? strstr(error->message, rows[i].meant) != NULL
                                            : strchr(error->message, '?') == NULL);
    }
}

/* A word of any length is no danger. */
static void
test_long_word(void)
{
    g_autofree char *name = g_strnfill(1 << 20, 'x'), *line = g_strconcat("--", name, NULL);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = NULL;
    BtOptions options;

    g_assert_false(parse(line, &options, &words, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
}

/* Each option stands in the help, with its default where it has one, on lines of at most 100. */
static void
test_help(void)
{
    static const char *const words[] = {"--output",      "--force",
                                        "--sigma",       "--size",
                                        "--quality",     "--exact",
                                        "--linear",      "--jobs",
                                        "--serial",      "--timeout",
                                        "--allow",       "--verbose",
                                        "--quiet",       "--version",
                                        "--help",        "(default: processed)",
                                        "(default: 15)", "(default: 1200x1200)",
                                        "(default: 60)", "Exit status"};
    g_autofree char *help = bt_options_help();
    g_auto(GStrv) lines = g_strsplit(help, "\n", -1);

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        g_assert_nonnull(strstr(help, words[i]));
    for (char **line = lines; *line != NULL; line++)
        g_assert_cmpuint(strlen(*line), <=, 100);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/defaults", test_defaults);
    g_test_add_func("/options/all", test_all);
    g_test_add_func("/options/small", test_small);
    g_test_add_func("/options/wrong", test_wrong);
    g_test_add_func("/options/pairs", test_pairs);
    g_test_add_func("/options/formats", test_formats);
    g_test_add_func("/options/mistyped", test_mistyped);
    g_test_add_func("/options/long-word", test_long_word);
    g_test_add_func("/options/help", test_help);
    return g_test_run();
}
