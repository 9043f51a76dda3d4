/* SPDX-License-Identifier: MIT */
/*
 * blurthumb-tour: processes and pools, step by step. Read it from top to bottom: each chapter is a
 * function, and the manual has the same step in Python beside it.
 */
#include "base/human.h"
#include "base/limit.h"
#include "image/codecs.h"
#include "image/image.h"
#include "kernel/kernel.h"
#include "pool/pool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static double scale = 0.1;      /* of all sleeps */
static BtProcess processes[10]; /* those that still run */
static GPtrArray *pictures;     /* their names, with a NULL at the end */
static int n_given;             /* tasks of this chapter */

/* Processes share standard output, so they write whole lines and use no buffer. */
static void
sleep_for(double seconds)
{
    dprintf(STDOUT_FILENO, "Sleeping %g second(s)...\n", scale * seconds);
    g_usleep((gulong)(scale * seconds * G_USEC_PER_SEC));
}

/* What a process does; its result is the exit code. */
static int
do_something(void *seconds)
{
    sleep_for(seconds != NULL ? *(double *)seconds : 1);
    dprintf(STDOUT_FILENO, "Done sleeping in process %d\n", (int)getpid());
    return 0;
}

static bool
start_all(double *seconds, int n, GError **error)
{
    for (int i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("sleeper-%d", i);

        if (!bt_process_start(&processes[i], name, do_something, &seconds[i], error))
            return false;
    }
    return true;
}

static bool
join_all(GError **error)
{
    BtProcessEnd end;

    for (size_t i = 0; i < G_N_ELEMENTS(processes); i++)
        if (processes[i].pid != 0 && !bt_process_join(&processes[i], BT_CLOCK_FOREVER, &end, error))
            return false;
    return true;
}

/* A process without an argument, which sleeps 1 second, then one with: 2.5 seconds. */
static bool
tour_process(GError **error)
{
    return bt_process_start(&processes[0], "sleeper", do_something, NULL, error) &&
           join_all(error) && start_all((double[]){1.5}, 1, error) && join_all(error);
}

/* No process but this one, 2 + 3 seconds: 5 seconds. */
static bool
tour_serial(GError **error)
{
    (void)error;
    do_something(&(double){2});
    do_something(&(double){3});
    return true;
}

/* Two processes that nobody waits for: 0.01 seconds. */
static bool
tour_start(GError **error)
{
    return start_all((double[]){1.5, 2}, 2, error);
}

/* Two at once, which take as long as the longer one: 2 seconds. */
static bool
tour_join(GError **error)
{
    return start_all((double[]){1.5, 2}, 2, error) && join_all(error);
}

/* Ten at once, with their table: 1 second. */
static bool
tour_ten(GError **error)
{
    if (!start_all((double[]){1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 10, error))
        return false;
    printf("%-10s %7s %7s\n", "name", "pid", "parent");
    for (int i = 0; i < 10; i++)
        printf("%-10s %7d %7d\n", processes[i].name, (int)processes[i].pid, (int)getpid());
    return join_all(error);
}

/* What a worker of a pool does: a task is some bytes, and so is the reply to it. */
static size_t
serve_sleep(void *state, const BtTaskView *task, void *reply)
{
    double seconds = *(const double *)task->bytes;

    (void)state;
    sleep_for(seconds);
    return (size_t)sprintf(reply, "Done sleeping %g", scale * seconds) + 1;
}

static const double countdown[] = {5, 4, 3, 2, 1};
static const BtPoolOptions sleepers = {.name = "sleeper", .n_slots = 5, .serve = serve_sleep};

/* A map asks give() for one task after the other, until there are no more. */
static bool
give_sleep(void *user, BtTask *out_task)
{
    (void)user;
    *out_task = (BtTask){.bytes = &countdown[n_given], .size = sizeof *countdown};
    return n_given++ < (int)G_N_ELEMENTS(countdown);
}

/* An outcome is a reply, or says what became of the worker. */
static bool
take_result(void *user, uint64_t index, const BtPoolOutcome *outcome)
{
    (void)user;
    (void)index;
    puts(outcome->end == BT_TASK_DONE ? (const char *)outcome->bytes : "its worker died");
    return true;
}

/* Submits tasks, and takes results as they complete: the shortest first, in 5 seconds; with the
 * last task alone, in 1 second. */
static bool
tour_completed(GError **error)
{
    g_autoptr(BtPool) pool = bt_pool_new(&sleepers, error);
    BtPoolOutcome outcome;

    for (BtTask task; give_sleep(NULL, &task);)
        if (pool == NULL || !bt_pool_submit(pool, &task, NULL, error))
            return false;
    while (bt_pool_next(pool, BT_CLOCK_FOREVER, NULL, 0, &outcome) == BT_POOL_OUTCOME) {
        take_result(NULL, outcome.id, &outcome);
        bt_pool_outcome_clear(&outcome);
    }
    return true;
}

/* The same tasks, with results in the order of the tasks: 5 seconds. */
static bool
tour_map(GError **error)
{
    g_autoptr(BtPool) pool = bt_pool_new(&sleepers, error);

    return pool != NULL && bt_pool_map(pool, give_sleep, take_result, NULL, error);
}

/* A worker gets open descriptors, and keeps its buffers from picture to picture. */
static size_t
serve_picture(void *settings, const BtTaskView *task, void *reply)
{
    static BtImage *image;
    g_autofree char *name = bt_human_text(task->bytes);
    BtOutcome outcome;

    if (image == NULL && (image = bt_image_new(settings)) == NULL)
        _exit(EXIT_FAILURE);
    bt_image_process(image, task->fds[0], false, task->fds[1], BT_FORMAT_JPEG, 0, 1, &outcome);
    return (size_t)sprintf(reply, "%s: %s", name,
                           outcome.reason == BT_REASON_OK ? "processed" : outcome.sentence) +
           1;
}

static bool
give_picture(void *user, BtTask *out_task)
{
    const char *picture = pictures->pdata[n_given++];
    g_autofree char *name = g_path_get_basename(picture != NULL ? picture : "");
    g_autofree char *result = g_strdup_printf("%s/%d-%s.jpg", (char *)user, n_given, name);

    if (picture == NULL)
        return false;
    *out_task = (BtTask){.bytes = picture, .size = strlen(picture) + 1, .n_fds = 2};
    out_task->fds[0] = open(picture, O_RDONLY | O_CLOEXEC);
    out_task->fds[1] = open(result, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    return true;
}

/* Pictures, blurred and shrunk by as many workers as there are processors. */
static bool
tour_pictures(GError **error)
{
    BtImageSettings settings = {.sigma = 15, .box_width = 1200, .box_height = 1200};
    BtPoolOptions options = {
        .name = "picture", .n_slots = bt_limit_cpus(), .serve = serve_picture, .data = &settings};
    g_autoptr(BtPool) pool = NULL;
    g_autofree char *folder = NULL;

    settings.max_pixels = 1000000000;
    settings.level = bt_kernel_level();
    if (pictures->len == 1)
        return puts("No picture is given: blurthumb-tour pictures FILE...") >= 0;
    if (bt_codecs_load(error) == NULL || (pool = bt_pool_new(&options, error)) == NULL ||
        (folder = g_dir_make_tmp("blurthumb-tour-XXXXXX", error)) == NULL)
        return false;
    printf("Results are in %s\n", folder);
    return bt_pool_map(pool, give_picture, take_result, folder, error);
}

static const struct {
    const char *name, *title;
    bool (*tour)(GError **error);
    int first; /* of the tasks */
} chapters[] = {
    {"process", "a process without an argument and one with, joined", tour_process, 0},
    {"serial", "2 and 3 seconds, one after the other", tour_serial, 0},
    {"start", "1.5 and 2 seconds in two processes, not joined", tour_start, 0},
    {"join", "1.5 and 2 seconds in two processes, joined", tour_join, 0},
    {"ten", "ten processes at once, with their table", tour_ten, 0},
    {"submit", "one task for a pool", tour_completed, 4},
    {"completed", "5, 4, 3, 2, 1 seconds in a pool, results as they complete", tour_completed, 0},
    {"map", "the same, results in the order of the tasks", tour_map, 0},
    {"pictures", "the pictures in a pool, blurred and shrunk", tour_pictures, 0},
};

/* What a chapter does not join is joined here, as Python does at its end. */
static bool
run_chapter(size_t i, GError **error)
{
    gint64 begin_us = g_get_monotonic_time();

    printf("%s: %s\n", chapters[i].name, chapters[i].title);
    n_given = chapters[i].first;
    if (!chapters[i].tour(error))
        return false;
    printf("Finished in %.2f seconds\n\n", (double)(g_get_monotonic_time() - begin_us) / 1e6);
    return join_all(error);
}

static int
print_help(void)
{
    puts("Usage: blurthumb-tour [OPTIONS] [CHAPTER...] [PICTURE...]\n"
         "Shows processes and pools at work, step by step: these chapters, or all.\n");
    for (size_t i = 0; i < G_N_ELEMENTS(chapters); i++)
        printf("  %-10s %s\n", chapters[i].name, chapters[i].title);
    puts("\nOptions:\n      --real                sleep as long as that; else a tenth of it\n"
         "      --version             print the version and exit\n"
         "  -h, --help                print this help and exit\n\n"
         "Exit status: 0 all done; 2 wrong usage; 3 could not run.");
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    bool chosen[G_N_ELEMENTS(chapters)] = {false}, all = true;
    g_autoptr(GError) error = NULL;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    pictures = g_ptr_array_new();
    for (int i = 1; i < argc; i++) {
        size_t n = 0;

        while (n < G_N_ELEMENTS(chapters) && strcmp(argv[i], chapters[n].name) != 0)
            n++;
        if (strcmp(argv[i], "--real") == 0)
            scale = 1;
        else if (strcmp(argv[i], "--version") == 0)
            return puts("blurthumb-tour " BT_VERSION) < 0;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return print_help();
        else if (n < G_N_ELEMENTS(chapters))
            all = !(chosen[n] = true);
        else
            g_ptr_array_add(pictures, argv[i]);
    }
    for (guint i = 0; i < pictures->len; i++) {
        g_autofree char *name = bt_human_text(pictures->pdata[i]);

        if (access(pictures->pdata[i], R_OK) != 0)
            return fprintf(stderr, "blurthumb-tour: no chapter, file or option: %s\n", name), 2;
    }
    g_ptr_array_add(pictures, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(chapters); i++)
        if ((all || chosen[i]) && !run_chapter(i, &error))
            return fprintf(stderr, "blurthumb-tour: %s\n", error->message), 3;
    return ferror(stdout) != 0 ? 3 : EXIT_SUCCESS;
}
