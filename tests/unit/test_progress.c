/* SPDX-License-Identifier: MIT */
/* The live line: its text by a clock of the test's own, and what is to be seen on a terminal. */
#include "base/clock.h"
#include "report/progress.h"
#include "report/report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static uint64_t clock_ns;

static uint64_t
now(void)
{
    return clock_ns;
}

static void
check_text(BtProgress *progress, const BtProgressFigures *figures, uint64_t ms, int columns,
           const char *expected)
{
    g_autofree char *text = bt_progress_text(progress, figures, ms * BT_NS_PER_MS, columns, false);

    g_assert_cmpstr(text, ==, expected);
}

/* From nothing known to an end in sight. */
static void
test_text(void)
{
    BtProgress *progress = bt_progress_new(0);
    BtProgressFigures figures = {.n_found = 1204, .bytes_found = 1204000000};

    check_text(progress, &figures, 0, 200, "0/1,204+ pictures  ETA ?");
    figures.n_done = 1; /* in no time at all */
    check_text(progress, &figures, 0, 200, "1/1,204+ pictures  ETA ?");
    figures.scanned = true;
    figures.n_done = 0;
    figures.largest = "a/b.jpg";
    figures.largest_bytes = 24100000;
    check_text(progress, &figures, 200, 200, "0/1,204 pictures  ETA ?  a/b.jpg (24.1 MB)");
    figures.n_done = 40;
    figures.bytes_done = 40000000;
    check_text(progress, &figures, 1000, 200,
               "40/1,204 pictures  40/s  40.0 MB/s  ETA 0:29  a/b.jpg (24.1 MB)");
    figures.n_failed = 2;
    figures.n_done = 1204;
    figures.bytes_done = figures.bytes_found;
    check_text(progress, &figures, 2000, 200,
               "1,204/1,204 pictures  602/s  602.0 MB/s  ETA 0:00  2 failed  a/b.jpg (24.1 MB)");
    bt_progress_free(progress);
}

/* One picture makes a rate, and less than a byte a second is one. */
static void
test_slow(void)
{
    BtProgress *progress = bt_progress_new(0);
    BtProgressFigures figures = {
        .n_found = 4, .n_done = 1, .bytes_found = 6, .bytes_done = 1, .scanned = true};

    check_text(progress, &figures, 2000, 200, "1/4 pictures  0.5/s  0 bytes/s  ETA ?");
    figures.n_done = figures.bytes_done = 3;
    check_text(progress, &figures, 4000, 200, "3/4 pictures  0.75/s  0 bytes/s  ETA 0:04");
    bt_progress_free(progress);
}

/* A rate is that of the last seconds, and no rate is made of less than a second. */
static void
test_window(void)
{
    BtProgress *progress = bt_progress_new(0);
    BtProgressFigures figures = {.n_found = 10000, .bytes_found = 10000, .scanned = true};

    figures.n_done = figures.bytes_done = 5;
    check_text(progress, &figures, 500, 200, "5/10,000 pictures  10/s  10 bytes/s  ETA ?");
    for (uint64_t ms = 1000; ms <= 60000; ms += 100) {
        g_autofree char *text = NULL;

        figures.n_done = figures.bytes_done = ms / 100; /* 10 a second */
        text = bt_progress_text(progress, &figures, ms * BT_NS_PER_MS, 200, false);
        g_assert_nonnull(strstr(text, "  10/s  10 bytes/s  ETA 1"));
    }
    /* Then it stands still: five seconds later nothing is known of a rate. */
    for (uint64_t ms = 60100; ms <= 66000; ms += 100)
        g_free(bt_progress_text(progress, &figures, ms * BT_NS_PER_MS, 200, false));
    check_text(progress, &figures, 66100, 200, "600/10,000 pictures  ETA ?");
    bt_progress_free(progress);
}

static int
width(const char *text)
{
    int n = 0;

    for (const char *at = text; *at != '\0'; at = g_utf8_find_next_char(at, NULL)) {
        gunichar c = g_utf8_get_char(at);

        n += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    return n;
}

/* It fits, whatever is in it, and stays text. */
static void
test_widths(void)
{
    static const char *const names[] = {"plain.jpg", "東京/写真/とても長い名前の写真.jpg",
                                        "e\xcc\x81\xcc\x82\xcc\x83.jpg", "\xff\xfe\033[2J\n.jpg",
                                        ""};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        for (int columns = 1; columns <= 200; columns++) {
            BtProgress *progress = bt_progress_new(0);
            BtProgressFigures figures = {.n_found = 123456,
                                         .n_done = 2345,
                                         .n_failed = 7,
                                         .bytes_found = 1u << 30,
                                         .bytes_done = 1u << 28,
                                         .scanned = true,
                                         .largest = names[i],
                                         .largest_bytes = 24100000};
            g_autofree char *text =
                bt_progress_text(progress, &figures, 3 * BT_NS_PER_S, columns, false);

            g_assert_true(g_utf8_validate(text, -1, NULL));
            g_assert_cmpint(width(text), <=, columns);
            g_assert_null(strpbrk(text, "\033\n\r"));
            bt_progress_free(progress);
        }
    }
}

/* A terminal of the simplest kind: its screen, as lines, from what was written to it. */
static char *
screen_of(const char *written)
{
    GString *screen = g_string_new(NULL);
    gsize line = 0, column = 0;

    for (const char *at = written; *at != '\0'; at++) {
        if (*at == '\r') {
            column = 0;
        } else if (*at == '\n') {
            g_string_append_c(screen, '\n');
            line = screen->len;
            column = 0;
        } else if (strncmp(at, "\033[K", 3) == 0) {
            g_string_truncate(screen, line + column);
            at += 2;
        } else if (line + column < screen->len) {
            screen->str[line + column++] = *at;
        } else {
            g_string_append_c(screen, *at);
            column++;
        }
    }
    return g_string_free(screen, FALSE);
}

typedef struct Terminal {
    int master;
    FILE *stream;
    BtReport *report;
} Terminal;

static void
open_terminal(Terminal *self, BtReportLevel level)
{
    struct winsize size = {.ws_row = 24, .ws_col = 60};
    BtReportOptions options = {.level = level, .now_ns = now};
    int slave;

    self->master = posix_openpt(O_RDWR | O_NOCTTY);
    g_assert_cmpint(self->master, >=, 0);
    g_assert_cmpint(grantpt(self->master), ==, 0);
    g_assert_cmpint(unlockpt(self->master), ==, 0);
    slave = open(ptsname(self->master), O_RDWR | O_NOCTTY);
    g_assert_cmpint(slave, >=, 0);
    g_assert_cmpint(ioctl(slave, TIOCSWINSZ, &size), ==, 0);
    self->stream = fdopen(slave, "w");
    g_setenv("TERM", "xterm", TRUE);
    g_setenv("NO_COLOR", "1", TRUE);
    clock_ns = 0;
    options.out = options.err = self->stream;
    self->report = bt_report_new(&options);
}

/* What was written since the last time, which the kernel hands on when it likes: up to a bell. */
static char *
read_screen(Terminal *self)
{
    g_autoptr(GString) written = g_string_new(NULL);
    char byte;

    fputc('\a', self->stream);
    fflush(self->stream);
    while (read(self->master, &byte, 1) == 1 && byte != '\a')
        g_string_append_c(written, byte);
    return screen_of(written->str);
}

static void
process(BtReport *report, const char *path)
{
    bt_report_processed(report, &(BtReportPicture){.path = path, .source_bytes = 1000});
}

/* Messages stand whole above the line, which is there again behind them, and gone at the end. */
static void
test_terminal(void)
{
    Terminal terminal;
    BtReport *report;
    BtReportEnd end = {.n_workers = 2, .elapsed_ns = 2 * BT_NS_PER_S};
    g_autofree char *before = NULL, *after = NULL;

    open_terminal(&terminal, BT_REPORT_VERBOSE);
    report = terminal.report;
    for (int i = 0; i < 3; i++)
        bt_report_found(report, 1000);
    bt_report_scanned(report);
    bt_report_began(report, "first.jpg", 1000);
    bt_report_began(report, "second.jpg", 1000);
    g_assert_cmpuint(bt_report_tick(report), ==, 100 * BT_NS_PER_MS);
    clock_ns += 200 * BT_NS_PER_MS;
    g_assert_cmpuint(bt_report_tick(report), ==, 100 * BT_NS_PER_MS);
    process(report, "first.jpg");
    bt_report_failed(report, &(BtReportPicture){.path = "second.jpg"}, "broken", "it is broken");
    clock_ns += 200 * BT_NS_PER_MS;
    (void)bt_report_tick(report);
    before = read_screen(&terminal);
    g_assert_cmpstr(before, ==,
                    "first.jpg was processed...\n"
                    "blurthumb: second.jpg: it is broken\n"
                    "2/3 pictures  5/s  5.0 kB/s  ETA ?  1 failed");
    bt_report_summary(report, &end);
    after = read_screen(&terminal);
    g_assert_cmpstr(after, ==,
                    "1 processed, 0 skipped, 1 failed in 2.00 seconds (0.5 pictures/s, 0 MP/s, 2 "
                    "workers)\n");
    bt_report_free(report);
    fclose(terminal.stream);
    close(terminal.master);
}

/* As wide as the terminal is at the time. */
static void
test_resize(void)
{
    Terminal terminal;
    struct winsize size = {.ws_row = 24, .ws_col = 14};
    g_autofree char *wide = NULL, *narrow = NULL;

    open_terminal(&terminal, BT_REPORT_NORMAL);
    bt_report_found(terminal.report, 1000);
    bt_report_began(terminal.report, "a-name-that-is-rather-long.jpg", 1000);
    clock_ns += BT_NS_PER_S;
    (void)bt_report_tick(terminal.report);
    wide = read_screen(&terminal);
    g_assert_cmpstr(wide, ==, "0/1+ pictures  ETA ?  ...e-that-is-rather-long.jpg (1.0 kB)");
    g_assert_cmpint(ioctl(terminal.master, TIOCSWINSZ, &size), ==, 0);
    clock_ns += BT_NS_PER_S;
    (void)bt_report_tick(terminal.report);
    narrow = read_screen(&terminal);
    g_assert_cmpstr(narrow, ==, "0/1+ pictures");
    bt_report_free(terminal.report);
    fclose(terminal.stream);
    close(terminal.master);
}

/* Nothing is drawn where nothing can be: a plain line now and then if that is asked for. */
static void
test_plain(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    BtReportOptions options = {.out = stream, .err = stream, .now_ns = now};
    BtReport *report;

    clock_ns = 0;
    report = bt_report_new(&options);
    g_assert_cmpuint(bt_report_tick(report), ==, BT_REPORT_NEVER);
    bt_report_free(report);
    options.progress = BT_REPORT_PROGRESS_ALWAYS;
    report = bt_report_new(&options);
    bt_report_found(report, 1000);
    for (int i = 0; i < 25; i++, clock_ns += BT_NS_PER_S)
        g_assert_cmpuint(bt_report_tick(report), <=, 10 * BT_NS_PER_S);
    fflush(stream);
    g_assert_cmpstr(text, ==, "0/1+ pictures  ETA ?\n0/1+ pictures  ETA ?\n");
    bt_report_free(report);
    fclose(stream);
    free(text);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/progress/text", test_text);
    g_test_add_func("/progress/slow", test_slow);
    g_test_add_func("/progress/window", test_window);
    g_test_add_func("/progress/widths", test_widths);
    g_test_add_func("/progress/terminal", test_terminal);
    g_test_add_func("/progress/resize", test_resize);
    g_test_add_func("/progress/plain", test_plain);
    return g_test_run();
}
