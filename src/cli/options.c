/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include "base/clock.h"
#include "base/limit.h"
#include "base/option_table.h"
#include "cli/shard_auto.h"
#include "kernel/kernel.h"

#include <string.h>
#include <unistd.h>

#define SIGMA_MAX   1000.0
#define SIDE_MAX    65535 /* as in the header of a JPEG */
#define JOBS_MAX    1024
#define TIMEOUT_MAX 86400.0 /* s: a day */
#define MAX_PIXELS  UINT64_C(1000000000)
#define MEMORY_MIN  UINT64_C(128000000)
/* The largest size that is taken, so that it fits into 64 bits times JOBS_MAX workers, and again
 * with what is added to it. */
#define SCALED_MAX (UINT64_MAX / (2 * JOBS_MAX))

/* Every option: its name in this file, letter, name, argument and help. */
#define OPTIONS(HEADING, OPTION)                                                                   \
    HEADING("What is taken")                                                                       \
    OPTION(FILES_FROM, 0, "files-from", "FILE",                                                    \
           "read files and folders from a list; - is standard input")                              \
    OPTION(NULL, '0', "null", NULL, "list entries end with a zero byte instead of a newline")      \
    OPTION(INCLUDE, 0, "include", "GLOB",                                                          \
           "take only what matches; patterns as in .gitignore, repeatable")                        \
    OPTION(EXCLUDE, 0, "exclude", "GLOB", "leave out what matches; the last match wins")           \
    OPTION(HIDDEN, 0, "hidden", NULL, "also take names that begin with a dot")                     \
    OPTION(FOLLOW, 0, "follow", NULL, "follow symbolic links")                                     \
    OPTION(MAX_DEPTH, 0, "max-depth", "N",                                                         \
           "descend N levels at most; 1 is the folder itself (default: any)")                      \
    OPTION(ONE_FILE_SYSTEM, 'x', "one-file-system", NULL, "stay on one file system")               \
    OPTION(NEWER_THAN, 0, "newer-than", "WHEN",                                                    \
           "only files changed since a date (2024-05-06) or age (7d)")                             \
    OPTION(MIN_SIZE, 0, "min-size", "SIZE", "leave out smaller files (default: 0)")                \
    OPTION(MAX_SIZE, 0, "max-size", "SIZE", "leave out larger files (default: any)")               \
    OPTION(SHARD, 0, "shard", "I/N",                                                               \
           "take part I of N, counted from 0; auto: ask Slurm, mpirun, AWS Batch")                 \
    HEADING("Results")                                                                             \
    OPTION(OUTPUT, 'o', "output", "DIR", "folder for the results (default: processed)")            \
    OPTION(FORCE, 'f', "force", NULL, "redo everything, and replace files that are in the way")    \
    OPTION(DRY_RUN, 'n', "dry-run", NULL, "show what would be done and why; change nothing")       \
    OPTION(VERIFY, 0, "verify", NULL,                                                              \
           "check that every source has a result that is up to date and whole")                    \
    OPTION(PRUNE, 0, "prune", NULL, "remove results whose source is gone")                         \
    OPTION(FSYNC, 0, "fsync", NULL, "wait for the disk, so that results survive a power failure")  \
    OPTION(GALLERY, 0, "gallery", NULL,                                                            \
           "write a page that shows the results: index.html in the output folder")                 \
    HEADING("Names")                                                                               \
    OPTION(NAME, 0, "name", "PATTERN",                                                             \
           "build names from {dir} {flat} {stem} {name} {suffix} {ext} {hash}")                    \
    OPTION(SUFFIX, 0, "suffix", "TEXT", "add this to the name, before the extension")              \
    OPTION(FLAT, 0, "flat", NULL, "put all results into one folder: a/b.jpg becomes a__b.jpg")     \
    OPTION(FORMAT, 0, "format", "FORMAT",                                                          \
           "jpeg, png, webp, avif, tiff or keep (default: keep, but HEIC as JPEG)")                \
    HEADING("Picture")                                                                             \
    OPTION(SIGMA, 0, "sigma", "S",                                                                 \
           "standard deviation of the blur, in pixels of the source (default: 15)")                \
    OPTION(SIZE, 's', "size", "WxH", "fit into W x H pixels, never enlarge (default: 1200x1200)")  \
    OPTION(QUALITY, 'Q', "quality", "N",                                                           \
           "1 to 100 for lossy formats, or jpeg=N,webp=N (default: 75, AVIF 50)")                  \
    OPTION(STRIP, 0, "strip", "WHAT",                                                              \
           "metadata to drop: all, gps (and keep other Exif) or none (default: all)")              \
    OPTION(EXACT, 0, "exact", NULL, "blur every pixel at full size: slower, exact up to the edge") \
    OPTION(LINEAR, 0, "linear", NULL, "blur in linear light")                                      \
    HEADING("Work")                                                                                \
    OPTION(JOBS, 'j', "jobs", "N", "number of workers (default: the processors that may be used)") \
    OPTION(SERIAL, 0, "serial", NULL, "process one picture after the other, without workers")      \
    OPTION(ISOLATE, 0, "isolate", "WHAT",                                                          \
           "picture: a new worker for each; batch: keep workers (default: batch)")                 \
    OPTION(GRACE, 0, "grace", "SECONDS",                                                           \
           "on SIGTERM, allow this long to finish pictures in progress (default: 0)")              \
    HEADING("Safety")                                                                              \
    OPTION(TIMEOUT, 0, "timeout", "SECONDS",                                                       \
           "time limit per picture; 0 disables it (default: 60)")                                  \
    OPTION(MEMORY, 0, "memory", "SIZE",                                                            \
           "limit per worker, at least 128M; 0: unlimited (default: its share)")                   \
    OPTION(MAX_PIXELS, 0, "max-pixels", "N", "refuse pictures with more pixels (default: 1G)")     \
    OPTION(MAX_FILE_SIZE, 0, "max-file-size", "SIZE",                                              \
           "refuse larger files; 0: unlimited (default: 0)")                                       \
    OPTION(SANDBOX, 0, "sandbox", "MODE", "confine workers: auto, require or off (default: auto)") \
    OPTION(ALLOW, 0, "allow", "LIST",                                                              \
           "also open formats with untrusted decoders: jxl,jp2,ppm,svg,bmp")                       \
    HEADING("Messages")                                                                            \
    OPTION(VERBOSE, 'v', "verbose", NULL, "print a line for each picture and each ignored file")   \
    OPTION(QUIET, 'q', "quiet", NULL, "print failures only")                                       \
    OPTION(PROGRESS, 0, "progress", "WHEN",                                                        \
           "show a live line: auto (on a terminal), always or never (default: auto)")              \
    OPTION(JSON, 0, "json", NULL, "print one JSON event per line, for programs")                   \
    OPTION(MERGE_REPORTS, 0, "merge-reports", NULL,                                                \
           "PATHs are reports written with --json: print one summary for all")                     \
    OPTION(VERSION, 0, "version", NULL, "print the versions and the kernel in use, and exit")      \
    OPTION(HELP, 'h', "help", NULL, "print this help, and exit")

#define NO_ID(help)
#define ID(id, letter, name, argument, help) OPTION_##id,
typedef enum OptionId {
    OPTIONS(NO_ID, ID)
} OptionId;

_Static_assert(OPTION_HELP < 64, "BtOptions.given has a bit for each option");

#define HEADING_ROW(help) {0, 0, NULL, NULL, help},
#define ROW(id, letter, name, argument, help)                                                      \
    {BT_OPTION_FIRST_ID + OPTION_##id, letter, name, argument, help},
static const BtOption options_of_blurthumb[] = {OPTIONS(HEADING_ROW, ROW)};

static const char *
name_of(OptionId id)
{
    const BtOption *option = options_of_blurthumb;

    while (option->id != BT_OPTION_FIRST_ID + (int)id)
        option++;
    return option->name;
}

/* "WxH", or "N" for a square. */
static bool
parse_size(const char *text, int *out_width, int *out_height)
{
    const char *cross = strpbrk(text, "xX");
    g_autofree char *width =
        cross != NULL ? g_strndup(text, (gsize)(cross - text)) : g_strdup(text);
    const char *height = cross != NULL ? cross + 1 : text;
    int w, h;

    if (!bt_option_int(width, 1, SIDE_MAX, &w) || !bt_option_int(height, 1, SIDE_MAX, &h))
        return false;
    *out_width = w;
    *out_height = h;
    return true;
}

static bool
parse_allow(const char *text, uint32_t *out_allowed)
{
    g_auto(GStrv) names = g_strsplit(text, ",", -1);

    for (char **name = names; *name != NULL; name++) {
        BtFormat format = bt_format_of_name(*name);

        if (format == BT_FORMAT_NONE)
            return false;
        *out_allowed |= 1u << format;
    }
    return names[0] != NULL; /* nothing is no list */
}

/* A whole number with k, M, G or T behind it, or nothing: powers of 1000. */
static bool
parse_scaled(const char *text, uint64_t *out)
{
    static const char units[] = "kMGT";
    char *end;
    uint64_t value = g_ascii_strtoull(text, &end, 10), scale = 1;
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;

    if (!g_ascii_isdigit(text[0]) || (*end != '\0' && (unit == NULL || end[1] != '\0')))
        return false;
    for (ptrdiff_t i = unit != NULL ? unit - units : -1; i >= 0; i--)
        scale *= 1000;
    *out = value * scale;
    return value <= SCALED_MAX / scale;
}

/* "2024-05-06", "2024-05-06T07:08:09", in the local time zone where none is given. */
static bool
parse_date(const char *text, struct timespec *out_when)
{
    g_autofree char *whole =
        strchr(text, 'T') != NULL ? g_strdup(text) : g_strconcat(text, "T00:00:00", NULL);
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(whole, zone);

    if (date == NULL)
        return false;
    *out_when = (struct timespec){.tv_sec = (time_t)g_date_time_to_unix(date)};
    return out_when->tv_sec > 0;
}

static bool
parse_when(const char *text, struct timespec *out_when)
{
    static const char units[] = "smhdw";
    static const int seconds[] = {1, 60, 3600, 86400, 604800};
    char *end;
    uint64_t n = g_ascii_strtoull(text, &end, 10);
    const char *unit = *end != '\0' ? strchr(units, *end) : NULL;

    if (!g_ascii_isdigit(text[0]) || unit == NULL || end[1] != '\0')
        return parse_date(text, out_when);
    if (n > UINT32_MAX)
        return false;
    *out_when = (struct timespec){.tv_sec = (time_t)(g_get_real_time() / G_USEC_PER_SEC) -
                                            (time_t)n * seconds[unit - units]};
    return out_when->tv_sec > 0;
}

/* "FORMAT=N", or "N" for every format. */
static bool
parse_quality_part(const char *text, int *qualities)
{
    const char *equals = strchr(text, '=');
    g_autofree char *name = equals != NULL ? g_strndup(text, (gsize)(equals - text)) : NULL;
    BtFormat format = name != NULL ? bt_format_of_name(name) : BT_FORMAT_NONE;
    int quality;

    if (!bt_option_int(equals != NULL ? equals + 1 : text, 1, 100, &quality) ||
        (name != NULL && format == BT_FORMAT_NONE))
        return false;
    for (int i = 0; i < BT_FORMAT_COUNT; i++)
        if (name == NULL || i == (int)format)
            qualities[i] = quality;
    return true;
}

static bool
parse_quality(const char *text, int *qualities)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    for (char **part = parts; *part != NULL; part++)
        if (!parse_quality_part(*part, qualities))
            return false;
    return parts[0] != NULL; /* nothing is no list */
}

static bool
parse_seconds(const char *text, uint64_t *out_ns)
{
    double seconds;

    if (!bt_option_number(text, TIMEOUT_MAX, &seconds))
        return false;
    *out_ns = (uint64_t)(seconds * (double)BT_NS_PER_S);
    return true;
}

static uint64_t
bit_of(OptionId id)
{
    return UINT64_C(1) << id;
}

/* Rooms that judge a value themselves have the words for what is wrong, in *error. */
static bool
apply(void *user, int id, const char *value, const char **out_wanted, GError **error)
{
    BtOptions *options = user;
    BtImageSettings *image = &options->run.image;
    BtScanOptions *scan = &options->run.scan;
    OptionId option = (OptionId)(id - BT_OPTION_FIRST_ID);
    int depth, index;

    options->given |= bit_of(option);
    switch (option) {
    case OPTION_FILES_FROM:
        *out_wanted = "the name of a file, or -";
        options->run.list = value;
        return value[0] != '\0';
    case OPTION_MAX_DEPTH:
        *out_wanted = "a whole number, at least 1";
        return bt_option_int(value, 1, INT32_MAX, &depth) &&
               (scan->max_depth = (unsigned)depth) > 0;
    case OPTION_NEWER_THAN:
        *out_wanted = "a date such as 2024-05-06 or 2024-05-06T07:08:09, or an age such as 90m, "
                      "12h, 7d or 2w";
        return parse_when(value, &scan->newer_than);
    case OPTION_MIN_SIZE:
        *out_wanted = "a size, such as 50k or 2G";
        return parse_scaled(value, &scan->min_bytes);
    case OPTION_MAX_SIZE:
        *out_wanted = "a size of at least 1, such as 50k or 2G";
        return parse_scaled(value, &scan->max_bytes) && scan->max_bytes > 0;
    case OPTION_OUTPUT:
        *out_wanted = "the name of a folder";
        options->run.output = value;
        return value[0] != '\0';
    case OPTION_SIGMA:
        *out_wanted = "a number from 0 to 1000";
        return bt_option_number(value, SIGMA_MAX, &image->sigma);
    case OPTION_SIZE:
        *out_wanted = "WxH in pixels, each from 1 to 65535";
        return parse_size(value, &image->box_width, &image->box_height);
    case OPTION_QUALITY:
        *out_wanted = "a whole number from 1 to 100, or a list such as jpeg=80,webp=70";
        return parse_quality(value, image->quality);
    case OPTION_STRIP:
        *out_wanted = "all, gps or none";
        index = bt_option_word(value, "all", "gps", "none", NULL);
        image->strip = (BtStrip)index;
        return index >= 0;
    case OPTION_NAME:
        *out_wanted = "a pattern such as '{dir}/{stem}{suffix}.{ext}'";
        options->run.naming.pattern = value;
        return value[0] != '\0';
    case OPTION_SUFFIX:
        *out_wanted = "some text";
        options->run.naming.suffix = value;
        return value[0] != '\0';
    case OPTION_FORMAT:
        *out_wanted = "jpeg, png, webp, avif, tiff or keep";
        options->run.format = bt_format_of_name(value);
        options->run.keeps_heic = bt_option_word(value, "keep", NULL) >= 0;
        return options->run.keeps_heic ||
               bt_option_word(bt_format_name(options->run.format), "jpeg", "png", "webp", "avif",
                              "tiff", NULL) >= 0;
    case OPTION_PROGRESS:
        *out_wanted = "auto, always or never";
        index = bt_option_word(value, "auto", "always", "never", NULL);
        options->report.progress = (BtReportProgress)index;
        return index >= 0;
    case OPTION_GRACE:
        *out_wanted = "a number of seconds from 0 to 86400";
        return parse_seconds(value, &options->run.grace_ns);
    case OPTION_JOBS:
        *out_wanted = "a whole number from 1 to 1024";
        options->run.jobs_given = true;
        return bt_option_int(value, 1, JOBS_MAX, &options->run.n_jobs);
    case OPTION_TIMEOUT:
        *out_wanted = "a number of seconds from 0 to 86400";
        return parse_seconds(value, &options->run.limit_ns);
    case OPTION_ISOLATE:
        *out_wanted = "picture or batch";
        index = bt_option_word(value, "batch", "picture", NULL);
        options->run.isolate = index == 1;
        return index >= 0;
    case OPTION_SANDBOX:
        *out_wanted = "auto, require or off";
        index = bt_option_word(value, "off", "auto", "require", NULL);
        options->run.sandbox = (BtSandboxMode)index;
        return index >= 0;
    case OPTION_MEMORY:
        *out_wanted = "0 or a size of at least 128M, such as 512M or 2G";
        return parse_scaled(value, &options->run.memory) &&
               (options->run.memory == 0 || options->run.memory >= MEMORY_MIN);
    case OPTION_MAX_PIXELS:
        *out_wanted = "a whole number of at least 1, such as 500M or 2G";
        return parse_scaled(value, &image->max_pixels) && image->max_pixels > 0;
    case OPTION_MAX_FILE_SIZE:
        *out_wanted = "a size, such as 50M or 2G";
        return parse_scaled(value, &options->run.max_file_size);
    case OPTION_ALLOW:
        *out_wanted = "formats separated by commas (jxl, jp2, ppm, svg, bmp)";
        return parse_allow(value, &image->allowed);
    case OPTION_SHARD:
        g_clear_pointer(&options->shard_origin, g_free);
        if (strcmp(value, "auto") == 0)
            return bt_shard_auto(environ, &scan->shard, &options->shard_origin, error);
        return bt_shard_parse(value, &scan->shard, error);
    case OPTION_INCLUDE:
    case OPTION_EXCLUDE:
        if (options->rules == NULL)
            scan->rules = options->rules = bt_rules_new();
        return bt_rules_add(options->rules,
                            option == OPTION_INCLUDE ? BT_RULE_INCLUDE : BT_RULE_EXCLUDE, value,
                            error);
    case OPTION_NULL:
        options->run.separator = '\0';
        return true;
    case OPTION_HIDDEN:
        return options->run.scan.hidden = true;
    case OPTION_FOLLOW:
        return options->run.scan.follow = true;
    case OPTION_ONE_FILE_SYSTEM:
        return options->run.scan.one_file_system = true;
    case OPTION_FORCE:
        return options->run.force = true;
    case OPTION_PRUNE:
        return options->run.prune = true;
    case OPTION_DRY_RUN:
        options->run.mode = BT_RUN_PLAN;
        return options->report.lists = true;
    case OPTION_VERIFY:
        options->run.mode = BT_RUN_VERIFY;
        return options->report.verifies = options->report.lists = true;
    case OPTION_FSYNC:
        return options->run.durable = true;
    case OPTION_FLAT:
        return options->run.naming.flat = true;
    case OPTION_GALLERY:
        return options->gallery = true;
    case OPTION_EXACT:
        return options->run.image.exact = true;
    case OPTION_LINEAR:
        return options->run.image.linear = true;
    case OPTION_SERIAL:
        options->run.n_jobs = 0;
        return true;
    case OPTION_VERBOSE:
        options->report.level = BT_REPORT_VERBOSE;
        return true;
    case OPTION_MERGE_REPORTS:
        options->command = BT_COMMAND_MERGE;
        return true;
    case OPTION_JSON:
        return options->report.json = true;
    case OPTION_QUIET:
        options->report.level = BT_REPORT_QUIET;
        return true;
    case OPTION_VERSION:
        options->command = BT_COMMAND_VERSION;
        return true;
    case OPTION_HELP:
        options->command = BT_COMMAND_HELP;
        return true;
    }
    return false;
}

static const BtOptionTable command_line = {
    .program = "blurthumb",
    .head = "Usage: blurthumb [OPTIONS] [PATH...]\n"
            "Blurs every picture below each PATH (default: the current folder), shrinks it to fit\n"
            "1200 x 1200 and saves it under the same name in the folder processed/.\n",
    .foot = "Exit status: 0 all done; 1 some pictures failed; 2 wrong usage; 3 could not run;\n"
            "75 could not go on, try again later; 130 interrupted; 143 terminated.\n",
    .options = options_of_blurthumb,
    .n_options = G_N_ELEMENTS(options_of_blurthumb),
    .apply = apply,
};

char *
bt_options_help(void)
{
    return bt_option_help(&command_line);
}

static void
set_defaults(BtOptions *options)
{
    *options = (BtOptions){
        .command = BT_COMMAND_RUN,
        .report = {.out = stdout, .err = stderr, .level = BT_REPORT_NORMAL},
        .run =
            {
                .separator = '\n',
                .output = "processed",
                .n_jobs = bt_limit_cpus(),
                .limit_ns = 60 * BT_NS_PER_S,
                .sandbox = BT_SANDBOX_AUTO,
                .image =
                    {
                        .sigma = 15,
                        .box_width = 1200,
                        .box_height = 1200,
                        .max_pixels = MAX_PIXELS,
                        .level = bt_kernel_level(),
                    },
            },
    };
}

/* Three quarters of the machine: the rest is for the supervisor and the cache of files. */
static uint64_t
share_of_memory(int n_jobs)
{
    return MAX(bt_limit_memory() / 4 * 3 / (uint64_t)MAX(1, n_jobs), MEMORY_MIN);
}

static bool
was_given(const BtOptions *options, OptionId id)
{
    return (options->given & bit_of(id)) != 0;
}

/* Two options of which each takes back what the other asks for. */
static bool
check_pairs(const BtOptions *options, GError **error)
{
    static const OptionId pairs[][2] = {
        {OPTION_DRY_RUN, OPTION_VERIFY},       {OPTION_VERIFY, OPTION_FORCE},
        {OPTION_VERIFY, OPTION_PRUNE},         {OPTION_QUIET, OPTION_VERBOSE},
        {OPTION_JOBS, OPTION_SERIAL},          {OPTION_FLAT, OPTION_NAME},
        {OPTION_MERGE_REPORTS, OPTION_VERIFY}, {OPTION_MERGE_REPORTS, OPTION_DRY_RUN},
        {OPTION_MERGE_REPORTS, OPTION_PRUNE},  {OPTION_MERGE_REPORTS, OPTION_FILES_FROM},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        if (was_given(options, pairs[i][0]) && was_given(options, pairs[i][1]))
            return bt_error_set(error, BT_ERROR_INVALID, "use either --%s or --%s",
                                name_of(pairs[i][0]), name_of(pairs[i][1]));
    return true;
}

/* What --serial does without: workers. */
static bool
check_serial(const BtOptions *options, GError **error)
{
    const char *what = options->run.sandbox == BT_SANDBOX_REQUIRE                        ? "sandbox"
                       : was_given(options, OPTION_TIMEOUT) && options->run.limit_ns > 0 ? "timeout"
                       : options->run.isolate                                            ? "isolate"
                                                                                         : NULL;

    return !was_given(options, OPTION_SERIAL) || what == NULL ||
           bt_error_set(error, BT_ERROR_INVALID,
                        "--%s needs workers, but --serial runs without them", what);
}

static bool
check_together(const BtOptions *options, GError **error)
{
    const BtNaming *naming = &options->run.naming;
    const BtScanOptions *scan = &options->run.scan;

    if (!check_pairs(options, error) || !check_serial(options, error))
        return false;
    if (options->command == BT_COMMAND_MERGE && options->n_paths == 0)
        return bt_error_set(error, BT_ERROR_INVALID, "--merge-reports needs at least one report");
    if (was_given(options, OPTION_NULL) && options->run.list == NULL)
        return bt_error_set(error, BT_ERROR_INVALID, "--null needs a list: add --files-from");
    if (scan->max_bytes > 0 && scan->min_bytes > scan->max_bytes)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "--min-size is larger than --max-size: no file would match");
    if (options->run.max_file_size > 0 && scan->min_bytes > options->run.max_file_size)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "--min-size is larger than --max-file-size: every file would fail");
    if (options->run.prune && !bt_run_sees_all(&options->run))
        return bt_error_set(error, BT_ERROR_INVALID,
                            "--prune needs to see all sources: use it without lists, shards and "
                            "options that leave files out");
    if (naming->suffix != NULL && naming->pattern != NULL &&
        strstr(naming->pattern, "{suffix}") == NULL)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "--suffix is not used by the pattern of --name: add {suffix} to it");
    if (scan->shard.count > 1 && !bt_naming_is_apart(naming))
        return bt_error_set(error, BT_ERROR_INVALID,
                            "--%s with --shard: two shards may give one name without noticing; "
                            "use --name with {hash} in it",
                            naming->flat ? "flat" : "name");
    return bt_naming_check(naming, error);
}

void
bt_options_clear(BtOptions *self)
{
    g_clear_pointer(&self->rules, bt_rules_free);
    g_clear_pointer(&self->shard_origin, g_free);
}

bool
bt_options_parse(int argc, char **argv, BtOptions *out_options, GError **error)
{
    static const char *const here[] = {".", NULL}, *const none[] = {NULL};
    BtOptions options;
    int first = argc;
    bool is_read;

    set_defaults(&options);
    is_read = bt_option_read(&command_line, argc, argv, &options, &first, error);
    options.n_paths = argc - first;
    if (!is_read || !check_together(&options, error)) {
        bt_options_clear(&options);
        return false;
    }
    if (!was_given(&options, OPTION_MEMORY))
        options.run.memory = share_of_memory(options.run.n_jobs);
    options.run.paths = options.n_paths > 0        ? (const char *const *)&argv[first]
                        : options.run.list != NULL ? none
                                                   : here;
    *out_options = options;
    return true;
}
