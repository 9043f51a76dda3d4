/* SPDX-License-Identifier: MIT */
/* What a batch tells: exact bytes on both streams, and nothing that could harm a terminal. */
#include "base/clock.h"
#include "report/kinds.h"
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

typedef struct Streams {
    char *out_text, *err_text;
    size_t out_size, err_size;
    FILE *out, *err;
    BtReport *report;
} Streams;

static void
open_streams(Streams *self, BtReportLevel level)
{
    self->out = open_memstream(&self->out_text, &self->out_size);
    self->err = open_memstream(&self->err_text, &self->err_size);
    self->report =
        bt_report_new(&(BtReportOptions){.out = self->out, .err = self->err, .level = level});
}

static void
flush_streams(Streams *self)
{
    fflush(self->out);
    fflush(self->err);
}

static void
close_streams(Streams *self)
{
    bt_report_free(self->report);
    fclose(self->out);
    fclose(self->err);
    free(self->out_text);
    free(self->err_text);
}

static void
process(BtReport *report, const char *path, int width, int height)
{
    bt_report_processed(
        report, &(BtReportPicture){.path = path, .source_width = width, .source_height = height});
}

static void
fail(BtReport *report, const char *path, const char *reason)
{
    bt_report_failed(report, &(BtReportPicture){.path = path}, "broken", reason);
}

static void
end_batch(BtReport *report, int n_workers, uint64_t elapsed_ns)
{
    BtReportEnd end = {.n_workers = n_workers, .elapsed_ns = elapsed_ns};

    bt_report_summary(report, &end);
}

static void
tell_all(BtReport *report)
{
    process(report, "a.jpg", 6000, 4000);
    process(report, "b.jpg", 1000, 1000);
    bt_report_skipped(report, &(BtReportPicture){.path = "c.jpg"}, "fresh",
                      "its result is up to date");
    fail(report, "d.jpg", "it cannot be decoded");
    end_batch(report, 2, BT_NS_PER_S / 2);
}

static void
test_normal(void)
{
    Streams streams;

    open_streams(&streams, BT_REPORT_NORMAL);
    tell_all(streams.report);
    flush_streams(&streams);
    g_assert_cmpstr(streams.out_text, ==,
                    "2 processed, 1 skipped, 1 failed in 0.50 seconds (4 pictures/s, 50 MP/s, 2 "
                    "workers)\n");
    g_assert_cmpstr(streams.err_text, ==, "blurthumb: d.jpg: it cannot be decoded\n");
    close_streams(&streams);
}

static void
test_verbose(void)
{
    Streams streams;

    open_streams(&streams, BT_REPORT_VERBOSE);
    tell_all(streams.report);
    flush_streams(&streams);
    g_assert_true(g_str_has_prefix(streams.out_text,
                                   "a.jpg was processed...\nb.jpg was processed...\n"
                                   "c.jpg was skipped: its result is up to date\n2 processed"));
    close_streams(&streams);
}

static void
test_quiet(void)
{
    Streams streams;

    open_streams(&streams, BT_REPORT_QUIET);
    tell_all(streams.report);
    flush_streams(&streams);
    g_assert_cmpuint(streams.out_size, ==, 0);
    g_assert_cmpstr(streams.err_text, ==, "blurthumb: d.jpg: it cannot be decoded\n");
    close_streams(&streams);
}

static void
test_serial_and_ignored(void)
{
    Streams streams;

    open_streams(&streams, BT_REPORT_NORMAL);
    bt_report_add_ignored(streams.report, NULL, 7);
    end_batch(streams.report, 1, BT_NS_PER_S);
    bt_report_skipped(streams.report, &(BtReportPicture){.path = "a.jpg"}, "fresh", "up to date");
    end_batch(streams.report, BT_REPORT_SERIAL, BT_NS_PER_S);
    end_batch(streams.report, 1, BT_NS_PER_S);
    flush_streams(&streams);
    g_assert_cmpstr(streams.out_text, ==,
                    "no pictures found, 7 ignored\n"
                    "0 processed, 1 skipped, 0 failed, 7 ignored in 1.00 seconds (0 pictures/s, 0 "
                    "MP/s, serial)\n"
                    "0 processed, 1 skipped, 0 failed, 7 ignored in 1.00 seconds (0 pictures/s, 0 "
                    "MP/s, 1 worker)\n");
    close_streams(&streams);
}

static void
test_kinds_of_names(void)
{
    static const struct {
        const char *path, *kind;
    } rows[] = {
        {"in/IMG_1.CR3", "cr3"},
        {"a.tar.GZ", "gz"},
        {"a.jpg~", "jpg~"},
        {"in.raw/notes", ""},
        {"in/.DS_Store", ""},
        {"in/.hidden.MOV", "mov"},
        {"in/ends.", ""},
        {"", ""},
        {"a.\xd0\x94\xd0\x9e\xd0\x9a", "\xd0\xb4\xd0\xbe\xd0\xba"}, /* Cyrillic */
        {"a.\xff\xfe", ""},
        {"a.x\ny", ""},
        {"a.\033[31m", ""},
        {"a.\"x\"", ""},
        {"a.1234567890123456", "1234567890123456"},
        {"a.12345678901234567", ""},
        {"a.\xc8\xba\xc8\xba\xc8\xba\xc8\xba\xc8\xba\xc8\xba\xc8\xba",
         ""}, /* 3 bytes each in lower case */
    };
    g_autofree char *folder = bt_kinds_of("in/x.lrdata", true);

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *kind = bt_kinds_of(rows[i].path, false);

        g_assert_cmpstr(kind, ==, rows[i].kind);
    }
    g_assert_cmpstr(folder, ==, "/");
}

/* The five commonest by number, then by name; the rest as a number of files. */
static void
test_kinds_text(void)
{
    static const char *const names[] = {"cr3", "cr3", "mov", "xmp", "txt", "", "/", "cr3", "pdf"};
    g_autoptr(BtKinds) kinds = bt_kinds_new();
    g_autofree char *none = bt_kinds_text(kinds), *one = NULL, *all = NULL;

    g_assert_cmpstr(none, ==, "");
    bt_kinds_add(kinds, "mov", 1);
    one = bt_kinds_text(kinds);
    g_assert_cmpstr(one, ==, "1 ignored (1 mov)");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        bt_kinds_add(kinds, names[i], 1);
    bt_kinds_add(kinds, NULL, 4);
    all = bt_kinds_text(kinds);
    g_assert_cmpstr(all, ==,
                    "14 ignored (3 cr3, 2 mov, 1 without extension, 1 folder, 1 pdf and 6 more)");
}

/* Any number of extensions takes bounded memory, and none is lost from the total. */
static void
test_kinds_bound(void)
{
    g_autoptr(BtKinds) kinds = bt_kinds_new();
    g_autoptr(GArray) sorted = NULL;

    for (int i = 0; i < 100000; i++) {
        g_autofree char *name = g_strdup_printf("%d", i);

        bt_kinds_add(kinds, name, 1);
    }
    bt_kinds_add(kinds, "no/kind", 1);
    bt_kinds_add(kinds, "0", 6);
    sorted = bt_kinds_sorted(kinds);
    g_assert_cmpuint(sorted->len, ==, 1000);
    g_assert_cmpuint(bt_kinds_total(kinds), ==, 100007);
    g_assert_cmpstr(g_array_index(sorted, BtKind, 0).name, ==, "0");
    g_assert_cmpuint(g_array_index(sorted, BtKind, 0).n, ==, 7);
}

static void
test_ignored_by_name(void)
{
    Streams streams;

    open_streams(&streams, BT_REPORT_VERBOSE);
    bt_report_ignored(streams.report, "in/\033.CR3", false, "not a picture");
    end_batch(streams.report, 1, BT_NS_PER_S);
    flush_streams(&streams);
    g_assert_cmpstr(streams.out_text, ==,
                    "in/\\x1b.CR3 was ignored: not a picture\n"
                    "no pictures found, 1 ignored (1 cr3)\n");
    close_streams(&streams);
}

/* A batch that took no time at all has no rate of infinity. */
static void
test_no_time(void)
{
    Streams streams;

    open_streams(&streams, BT_REPORT_NORMAL);
    process(streams.report, "a", 1, 1);
    end_batch(streams.report, 1, 0);
    flush_streams(&streams);
    g_assert_null(strstr(streams.out_text, "inf"));
    g_assert_null(strstr(streams.out_text, "nan"));
    close_streams(&streams);
}

static void
test_hostile_text(void)
{
    Streams streams;

    open_streams(&streams, BT_REPORT_VERBOSE);
    process(streams.report, "\033]0;owned\007\n\xff.jpg", 1, 1);
    fail(streams.report, "x\rblurthumb: all is well", "\033[2J");
    bt_report_notice(streams.report, "\xc2\x9b"
                                     "31m");
    flush_streams(&streams);
    for (size_t i = 0; i < streams.out_size; i++)
        g_assert_true(streams.out_text[i] == '\n' || (unsigned char)streams.out_text[i] >= ' ');
    for (size_t i = 0; i < streams.err_size; i++)
        g_assert_true(streams.err_text[i] == '\n' || (unsigned char)streams.err_text[i] >= ' ');
    g_assert_true(g_utf8_validate(streams.out_text, -1, NULL));
    g_assert_null(strstr(streams.err_text, "\xc2\x9b"));
    close_streams(&streams);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/normal", test_normal);
    g_test_add_func("/report/verbose", test_verbose);
    g_test_add_func("/report/quiet", test_quiet);
    g_test_add_func("/report/serial-and-ignored", test_serial_and_ignored);
    g_test_add_func("/report/kinds-of-names", test_kinds_of_names);
    g_test_add_func("/report/kinds-text", test_kinds_text);
    g_test_add_func("/report/kinds-bound", test_kinds_bound);
    g_test_add_func("/report/ignored-by-name", test_ignored_by_name);
    g_test_add_func("/report/no-time", test_no_time);
    g_test_add_func("/report/hostile-text", test_hostile_text);
    return g_test_run();
}
