/* SPDX-License-Identifier: MIT */
/* Canned runs: where the workers' time went, and the words for it. */
#include "bench/tally.h"
#include "bench/verdict.h"

#include <string.h>

#define EPSILON 1e-9

typedef struct Fixture {
    BtStudy *study;
    BtStudyOptions options;
    int jobs[1];
} Fixture;

static BtRow *
row_of(Fixture *self, guint index)
{
    return self->study->rows->pdata[index];
}

static void
add(Fixture *self, guint index, BtSample sample)
{
    for (int i = 0; i < 5; i++)
        g_array_append_val(row_of(self, index)->samples, sample);
}

/* Serially ten pictures of 1 s each, and 0.1 s to start. */
static void
set_up(Fixture *self, gconstpointer user)
{
    static char *none[] = {NULL}, *paths[] = {NULL, NULL};
    static char path[] = "photos";

    (void)user;
    paths[0] = path;
    self->jobs[0] = 2;
    self->options = (BtStudyOptions){.blurthumb = "blurthumb",
                                     .paths = paths,
                                     .passed = none,
                                     .jobs = self->jobs,
                                     .n_jobs = 1,
                                     .n_rounds = 5};
    self->study = bt_study_new(&self->options);
    self->study->machine.n_usable = 2;
    add(self, 0,
        (BtSample){.wall_seconds = 10.1,
                   .cpu_seconds = 10,
                   .tally = {.n_processed = 10,
                             .source_bytes = 1e6,
                             .decode_seconds = 10,
                             .elapsed_seconds = 10,
                             .longest_seconds = 1,
                             .n_workers = 1}});
}

static void
tear_down(Fixture *self, gconstpointer user)
{
    (void)user;
    bt_study_free(self->study);
}

static BtSample
two_workers(double wall, double elapsed, double cpu, double busy, double longest)
{
    return (BtSample){.wall_seconds = wall,
                      .cpu_seconds = cpu,
                      .tally = {.n_processed = 10,
                                .source_bytes = 1e6,
                                .decode_seconds = busy,
                                .elapsed_seconds = elapsed,
                                .longest_seconds = longest,
                                .n_workers = 2}};
}

static void
assert_said(Fixture *self, const char *words, bool said)
{
    g_auto(GStrv) lines = bt_verdict_tell(self->study);
    g_autofree char *text = g_strjoinv("\n", lines);

    g_assert_cmpint(strstr(text, words) != NULL, ==, said);
}

static void
test_losses_are_all_of_it(Fixture *self, gconstpointer user)
{
    BtLosses losses;

    (void)user;
    add(self, 1, two_workers(7.5, 7, 11, 12.5, 1));
    losses = bt_verdict_losses(row_of(self, 0), row_of(self, 1));
    g_assert_cmpfloat_with_epsilon(losses.work, 10, EPSILON);
    g_assert_cmpfloat_with_epsilon(losses.start, 1, EPSILON);
    g_assert_cmpfloat_with_epsilon(losses.idle, 1.5, EPSILON);
    g_assert_cmpfloat_with_epsilon(losses.processors, 1, EPSILON);
    g_assert_cmpfloat_with_epsilon(losses.waits, 1.5, EPSILON);
    g_assert_cmpfloat_with_epsilon(losses.work + losses.start + losses.idle + losses.processors +
                                       losses.waits,
                                   2 * 7.5, EPSILON);
}

static void
test_full_speed_is_the_processors(Fixture *self, gconstpointer user)
{
    (void)user;
    add(self, 1, two_workers(5.1, 5, 10, 10, 1));
    assert_said(self, "CPU: all 2 processors are at work", true);
    assert_said(self, "workers' time", false);
}

static void
test_giant_is_told(Fixture *self, gconstpointer user)
{
    (void)user;
    add(self, 1, two_workers(8.1, 8, 10, 10, 8));
    assert_said(self, "One giant picture", true);
    assert_said(self, "Memory bandwidth", false);
}

static void
test_memory_bandwidth_is_told(Fixture *self, gconstpointer user)
{
    (void)user;
    add(self, 1, two_workers(7.1, 7, 14, 14, 1));
    assert_said(self, "Memory bandwidth", true);
    assert_said(self, "giant", false);
}

static void
test_disk_is_told(Fixture *self, gconstpointer user)
{
    BtSample sample = two_workers(8.1, 8, 10, 16, 1);

    (void)user;
    sample.read_bytes = 1000000;
    add(self, 1, sample);
    assert_said(self, "Disk", true);
    assert_said(self, "CPU", false);
}

static void
test_start_is_told(Fixture *self, gconstpointer user)
{
    (void)user;
    add(self, 1, two_workers(8, 5, 10, 10, 1));
    assert_said(self, "Start-up", true);
}

static void
test_failures_and_a_busy_machine_are_warned_of(Fixture *self, gconstpointer user)
{
    g_auto(GStrv) lines = NULL;
    g_autofree char *text = NULL;

    (void)user;
    row_of(self, 1)->failure = g_strdup("exit status 3");
    self->study->others_share = 0.5;
    lines = bt_verdict_warn(self->study);
    text = g_strjoinv("\n", lines);
    g_assert_nonnull(strstr(text, "2 workers: failed, and is not counted: exit status 3"));
    g_assert_nonnull(strstr(text, "Busy machine: other programs took 50 %"));
    g_assert_null(bt_study_most_workers(self->study));
    g_assert_true(bt_study_has_failure(self->study));
}

static void
test_tally_is_read_from_events(void)
{
    static const char events[] =
        "{\"event\":\"start\",\"schema\":1}\n"
        "{\"event\":\"picture\",\"path\":\"a\",\"elapsed_seconds\":0.25}\n"
        "{\"event\":\"picture\",\"path\":\"b\",\"elapsed_seconds\":0.75}\n"
        "{\"event\":\"end\",\"processed\":2,\"failed\":1,\"pixels\":12,\"source_bytes\":34,"
        "\"decode_seconds\":0.5,\"kernel_seconds\":0.25,\"encode_seconds\":0.125,"
        "\"elapsed_seconds\":0.5,\"workers\":2}\n";
    g_autoptr(GError) error = NULL;
    BtTally tally;

    g_assert_true(bt_tally_parse(events, &tally, &error));
    g_assert_cmpfloat(tally.n_processed, ==, 2);
    g_assert_cmpfloat(tally.longest_seconds, ==, 0.75);
    g_assert_cmpfloat(bt_tally_busy(&tally), ==, 0.875);
    g_assert_cmpfloat(bt_tally_waiting(&tally), ==, 0.125);
    g_assert_false(bt_tally_parse("{\"event\":\"start\"}\n", &tally, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add(name, Fixture, NULL, set_up, function, tear_down)
    ADD("/verdict/losses", test_losses_are_all_of_it);
    ADD("/verdict/full-speed", test_full_speed_is_the_processors);
    ADD("/verdict/giant", test_giant_is_told);
    ADD("/verdict/memory-bandwidth", test_memory_bandwidth_is_told);
    ADD("/verdict/disk", test_disk_is_told);
    ADD("/verdict/start", test_start_is_told);
    ADD("/verdict/warnings", test_failures_and_a_busy_machine_are_warned_of);
    g_test_add_func("/verdict/tally", test_tally_is_read_from_events);
    return g_test_run();
}
