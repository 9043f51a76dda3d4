/* SPDX-License-Identifier: MIT */
/* Canned runs: where the workers' time went, and the words for it. */
#include "bench/output.h"

#include <string.h>

typedef struct Fixture {
    BtStudy *study;
    BtStudyOptions options;
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

static BtSample
sample_of(double wall, double elapsed, double cpu, double busy, double longest, int n_workers)
{
    return (BtSample){{
        [BT_FIGURE_WALL] = wall,
        [BT_FIGURE_CPU] = cpu,
        [BT_FIGURE_PROCESSED] = 10,
        [BT_FIGURE_SOURCE] = 1e6,
        [BT_FIGURE_ELAPSED] = elapsed,
        [BT_FIGURE_LONGEST] = longest,
        [BT_FIGURE_USED] = n_workers,
        [BT_FIGURE_BUSY] = busy,
    }};
}

/* Serially ten pictures of 1 s each, and 0.1 s to start. */
static void
set_up(Fixture *self, gconstpointer user)
{
    static char *none[] = {NULL};
    int jobs = 2;

    (void)user;
    self->options = (BtStudyOptions){.blurthumb = "blurthumb",
                                     .paths = none,
                                     .passed = none,
                                     .jobs = g_array_new(FALSE, FALSE, sizeof jobs),
                                     .others = g_ptr_array_new(),
                                     .n_rounds = 5};
    g_array_append_val(self->options.jobs, jobs);
    self->study = bt_study_new(&self->options);
    self->study->machine.n_usable = 2;
    add(self, 0, sample_of(10.1, 10, 10, 10, 1, 1));
}

static void
tear_down(Fixture *self, gconstpointer user)
{
    (void)user;
    bt_study_free(self->study);
    g_array_unref(self->options.jobs);
    g_ptr_array_unref(self->options.others);
}

static BtSample
two_workers(double wall, double elapsed, double cpu, double busy, double longest)
{
    return sample_of(wall, elapsed, cpu, busy, longest, 2);
}

static void
assert_said(Fixture *self, const char *words, bool said)
{
    g_auto(GStrv) lines = bt_output_limits(self->study);
    g_autofree char *text = g_strjoinv("\n", lines);

    g_assert_cmpint(strstr(text, words) != NULL, ==, said);
}

/* Of 15 worker-seconds: start 1, idle 1.5, processors 1, waits 1.5. */
static void
test_losses_are_all_of_it(Fixture *self, gconstpointer user)
{
    (void)user;
    add(self, 1, two_workers(7.5, 7, 11, 12.5, 1));
    assert_said(self, "7 % to the start", true);
    assert_said(self, "10 % to having no picture", true);
    assert_said(self, "7 % to memory bandwidth", true);
    assert_said(self, "10 % to waiting for a processor", true);
}

static void
test_full_speed_is_the_processors(Fixture *self, gconstpointer user)
{
    (void)user;
    add(self, 1, two_workers(5.1, 5, 10, 10, 1));
    assert_said(self, "Only more processors", true);
    assert_said(self, "lose time", false);
}

static void
test_giant_is_told(Fixture *self, gconstpointer user)
{
    (void)user;
    add(self, 1, two_workers(8.1, 8, 10, 10, 8));
    assert_said(self, "one giant picture", true);
    assert_said(self, "memory bandwidth", false);
}

static void
test_memory_bandwidth_is_told(Fixture *self, gconstpointer user)
{
    (void)user;
    add(self, 1, two_workers(7.1, 7, 14, 14, 1));
    assert_said(self, "memory bandwidth", true);
    assert_said(self, "giant", false);
}

static void
test_disk_is_told(Fixture *self, gconstpointer user)
{
    BtSample sample = two_workers(8.1, 8, 10, 16, 1);

    (void)user;
    sample.of[BT_FIGURE_READ] = 1e6;
    add(self, 1, sample);
    assert_said(self, "the disk", true);
    assert_said(self, "processor", false);
}

static void
test_start_is_told(Fixture *self, gconstpointer user)
{
    (void)user;
    add(self, 1, two_workers(8, 5, 10, 10, 1));
    assert_said(self, "to the start", true);
}

static void
test_failures_and_a_busy_machine_are_warned_of(Fixture *self, gconstpointer user)
{
    g_auto(GStrv) lines = NULL;
    g_autofree char *text = NULL;

    (void)user;
    row_of(self, 1)->failure = g_strdup("exit status 3");
    self->study->others_share = 0.5;
    lines = bt_output_warnings(self->study);
    text = g_strjoinv("\n", lines);
    g_assert_nonnull(strstr(text, "2 workers: failed and left out: exit status 3"));
    g_assert_nonnull(strstr(text, "Busy machine: other programs took 50 %"));
    g_assert_null(bt_study_most_workers(self->study));
}

static void
test_sample_is_read_from_events(void)
{
    static const char events[] =
        "{\"event\":\"start\",\"schema\":1}\n"
        "{\"event\":\"picture\",\"path\":\"a\",\"elapsed_seconds\":0.25}\n"
        "{\"event\":\"picture\",\"path\":\"b\",\"elapsed_seconds\":0.75}\n"
        "{\"event\":\"end\",\"processed\":2,\"failed\":1,\"pixels\":12,\"source_bytes\":34,"
        "\"decode_seconds\":0.5,\"kernel_seconds\":0.25,\"encode_seconds\":0.125,"
        "\"elapsed_seconds\":0.5,\"workers\":2}\n";
    g_autoptr(GError) error = NULL;
    BtSample sample = {0};

    g_assert_true(bt_sample_read(events, &sample, &error));
    g_assert_cmpfloat(sample.of[BT_FIGURE_PROCESSED], ==, 2);
    g_assert_cmpfloat(sample.of[BT_FIGURE_LONGEST], ==, 0.75);
    g_assert_cmpfloat(sample.of[BT_FIGURE_BUSY], ==, 0.875);
    g_assert_cmpfloat(sample.of[BT_FIGURE_WAITING], ==, 0.125);
    g_assert_false(bt_sample_read("{\"event\":\"start\"}\n", &sample, &error));
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
    g_test_add_func("/verdict/sample", test_sample_is_read_from_events);
    return g_test_run();
}
