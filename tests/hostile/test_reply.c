/* SPDX-License-Identifier: MIT */
/* What the supervisor believes of a worker's answer: nothing that cannot be, in any field. */
#include "run/worker.h"

#include <string.h>
#include <unistd.h>

#define ELAPSED_NS UINT64_C(1000000)
#define N_RANDOM   200000
#define MAX_PIXELS UINT64_C(1000000)
#define BOX_WIDTH  300
#define BOX_HEIGHT 200
#define LONGEST    500 /* of the source */
#define OTHER_SIDE 400
#define OUT_WIDTH  250
#define OUT_HEIGHT 200

static const BtImageSettings settings = {
    .box_width = BOX_WIDTH, .box_height = BOX_HEIGHT, .max_pixels = MAX_PIXELS};
static const BtWork known = {.format = BT_FORMAT_WEBP};
static const BtWork chosen = {.format = BT_FORMAT_NONE};
static const BtWork checked = {.format = BT_FORMAT_WEBP, .check = true};

static BtOutcome
fine(void)
{
    BtOutcome outcome;

    memset(&outcome, 0, sizeof outcome); /* padding, too */
    outcome.reason = BT_REASON_OK;
    outcome.format = BT_FORMAT_WEBP;
    strcpy(outcome.loader, "webpload_source");
    outcome.source_width = LONGEST;
    outcome.source_height = OTHER_SIDE;
    outcome.out_width = OUT_WIDTH;
    outcome.out_height = OUT_HEIGHT;
    outcome.shrink = 2;
    outcome.memory = 12345;
    outcome.n_pages = 1;
    outcome.decode_ns = ELAPSED_NS / 2;
    outcome.kernel_ns = ELAPSED_NS / 4;
    outcome.encode_ns = ELAPSED_NS / 4;
    return outcome;
}

static bool
is_believed(const BtWork *task, const BtOutcome *outcome)
{
    BtOutcome out, untouched;
    bool believed;

    memset(&untouched, 0x55, sizeof untouched);
    out = untouched;
    believed = bt_worker_read_reply(task, &settings, ELAPSED_NS, outcome, sizeof *outcome, &out);
    g_assert_cmpmem(&out, sizeof out, believed ? outcome : &untouched, sizeof out);
    return believed;
}

static void
test_fine(void)
{
    BtOutcome outcome = fine();

    g_assert_true(is_believed(&known, &outcome));
    g_assert_true(is_believed(&checked, &outcome));
}

static void
test_size(void)
{
    BtOutcome outcome = fine(), out;
    g_autofree unsigned char *bytes = g_malloc0(BT_FRAME_BYTES_MAX);

    memcpy(bytes, &outcome, sizeof outcome);
    for (size_t size = 0; size <= BT_FRAME_BYTES_MAX; size++)
        g_assert_true(bt_worker_read_reply(&known, &settings, ELAPSED_NS, bytes, size, &out) ==
                      (size == sizeof outcome));
}

/* What this process and the supervisor say, a worker may not: nobody would count the picture, or
 * look for what it came to. */
static void
test_reasons(void)
{
    for (int reason = -3; reason < BT_REASON_COUNT + 100; reason++) {
        BtOutcome outcome = fine();
        bool may_be = reason >= 0 && reason < BT_REASON_COUNT && reason != BT_REASON_CANCELLED &&
                      reason != BT_REASON_WORKER;

        outcome.reason = (BtReason)reason;
        strcpy(outcome.sentence, "it says so");
        g_assert_true(is_believed(&known, &outcome) == may_be);
        g_assert_true(is_believed(&checked, &outcome) == may_be);
        outcome.sentence[0] = '\0';
        g_assert_true(is_believed(&known, &outcome) == (reason == BT_REASON_OK));
    }
}

static void
test_formats(void)
{
    for (int format = -3; format < BT_FORMAT_COUNT + 100; format++) {
        BtOutcome outcome = fine();
        bool is_one = format > BT_FORMAT_NONE && format < BT_FORMAT_COUNT;

        outcome.format = (BtFormat)format;
        g_assert_true(is_believed(&known, &outcome) == (format == BT_FORMAT_WEBP));
        g_assert_true(is_believed(&chosen, &outcome) ==
                      (format == BT_FORMAT_JPEG || format == BT_FORMAT_PNG));
        g_assert_true(is_believed(&checked, &outcome) == is_one);
        outcome.reason = BT_REASON_BROKEN;
        strcpy(outcome.sentence, "broken");
        g_assert_true(is_believed(&known, &outcome) == (is_one || format == BT_FORMAT_NONE));
    }
}

typedef struct Field {
    const char *name;
    size_t offset;
    int32_t least, most, most_checked; /* with the other fields as in fine() */
} Field;

#define FIELD(name, least, most, most_checked)                                                     \
    {                                                                                              \
#name, G_STRUCT_OFFSET(BtOutcome, name), least, most, most_checked                         \
    }

static const Field fields[] = {
    FIELD(source_width, 1, MAX_PIXELS / OTHER_SIDE, MAX_PIXELS / OTHER_SIDE),
    FIELD(source_height, 1, MAX_PIXELS / LONGEST, MAX_PIXELS / LONGEST),
    FIELD(out_width, 1, BOX_WIDTH, G_MAXINT32),
    FIELD(out_height, 1, BOX_HEIGHT, G_MAXINT32),
    FIELD(shrink, 0, LONGEST, LONGEST),
    FIELD(n_pages, 0, G_MAXINT32, G_MAXINT32),
};

static void
check_field(const Field *field, int32_t value)
{
    BtOutcome outcome = fine();

    memcpy((char *)&outcome + field->offset, &value, sizeof value);
    if (is_believed(&known, &outcome) != (value >= field->least && value <= field->most))
        g_error("%s %d", field->name, value);
    if (is_believed(&checked, &outcome) != (value >= field->least && value <= field->most_checked))
        g_error("%s %d of a check", field->name, value);
}

static void
test_figures(void)
{
    static const int32_t extremes[] = {G_MININT32, G_MININT32 + 1, -65536,         -1,        0, 1,
                                       65535,      65536,          G_MAXINT32 - 1, G_MAXINT32};

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(extremes); k++)
            check_field(&fields[i], extremes[k]);
        for (int by = -2; by <= 2; by++) {
            check_field(&fields[i], fields[i].least + by);
            check_field(&fields[i], fields[i].most + MIN(by, fields[i].most == G_MAXINT32 ? 0 : 2));
        }
    }
}

/* A result is never larger than its source, whichever way up that is. */
static void
test_never_enlarged(void)
{
    for (int longest = 1; longest <= BOX_WIDTH; longest++) {
        BtOutcome outcome = fine();

        outcome.shrink = 1;
        outcome.source_width = longest % 2 == 0 ? longest : 1;
        outcome.source_height = longest % 2 == 0 ? 1 : longest;
        outcome.out_height = 1;
        outcome.out_width = longest;
        g_assert_true(is_believed(&known, &outcome));
        outcome.out_width = longest + 1;
        g_assert_false(is_believed(&known, &outcome));
    }
}

static void
test_texts(void)
{
    BtOutcome outcome = fine();

    memset(outcome.loader, 'x', sizeof outcome.loader);
    g_assert_false(is_believed(&known, &outcome));
    outcome.loader[sizeof outcome.loader - 1] = '\0';
    g_assert_true(is_believed(&known, &outcome));
    memset(outcome.sentence, 'x', sizeof outcome.sentence);
    g_assert_false(is_believed(&known, &outcome));
    outcome.sentence[sizeof outcome.sentence - 1] = '\0';
    g_assert_true(is_believed(&known, &outcome));
}

/* Together up to what the clock says, and not a nanosecond more. */
static void
test_times(void)
{
    static const uint64_t values[] = {0,
                                      1,
                                      ELAPSED_NS / 4,
                                      ELAPSED_NS / 2,
                                      ELAPSED_NS - 1,
                                      ELAPSED_NS,
                                      ELAPSED_NS + 1,
                                      UINT64_MAX / 2,
                                      UINT64_MAX - ELAPSED_NS,
                                      UINT64_MAX - 1,
                                      UINT64_MAX};
    const size_t n = G_N_ELEMENTS(values);

    for (size_t i = 0; i < n * n * n; i++) {
        BtOutcome outcome = fine();
        uint64_t sum;
        bool may_be;

        outcome.decode_ns = values[i % n];
        outcome.kernel_ns = values[i / n % n];
        outcome.encode_ns = values[i / n / n];
        may_be = g_uint64_checked_add(&sum, outcome.decode_ns, outcome.kernel_ns) &&
                 g_uint64_checked_add(&sum, sum, outcome.encode_ns) && sum <= ELAPSED_NS;
        g_assert_true(is_believed(&known, &outcome) == may_be);
        g_assert_true(is_believed(&checked, &outcome) == may_be);
        outcome.reason = BT_REASON_BROKEN;
        strcpy(outcome.sentence, "broken");
        g_assert_true(is_believed(&known, &outcome) == may_be);
    }
}

/* Whatever was changed in an answer that was fine: what is believed is within all bounds. */
static void
test_random(void)
{
    static const BtWork *const tasks[] = {&known, &chosen, &checked};
    int n_believed = 0;

    for (int i = 0; i < N_RANDOM; i++) {
        const BtWork *task = tasks[g_test_rand_int_range(0, G_N_ELEMENTS(tasks))];
        BtOutcome outcome = fine();

        outcome.format = task == &chosen ? BT_FORMAT_PNG : BT_FORMAT_WEBP;
        for (int k = g_test_rand_int_range(1, 4); k > 0; k--) {
            unsigned char byte = (unsigned char)g_test_rand_int();

            memcpy((char *)&outcome + g_test_rand_int_range(0, sizeof outcome), &byte, 1);
        }
        if (!is_believed(task, &outcome))
            continue;
        n_believed++;
        g_assert_cmpint(outcome.reason, !=, BT_REASON_CANCELLED);
        g_assert_cmpint(outcome.reason, !=, BT_REASON_WORKER);
        g_assert_cmpuint(outcome.decode_ns, <=, ELAPSED_NS);
        g_assert_cmpuint(outcome.kernel_ns, <=, ELAPSED_NS);
        g_assert_cmpuint(outcome.encode_ns, <=, ELAPSED_NS);
        g_assert_cmpuint(strnlen(outcome.loader, sizeof outcome.loader), <, sizeof outcome.loader);
        g_assert_cmpuint(strnlen(outcome.sentence, sizeof outcome.sentence), <,
                         sizeof outcome.sentence);
        if (outcome.reason != BT_REASON_OK)
            continue;
        g_assert_cmpuint((uint64_t)outcome.source_width * (uint64_t)outcome.source_height, <=,
                         MAX_PIXELS);
        if (task == &checked)
            continue;
        g_assert_cmpint(outcome.out_width, <=, BOX_WIDTH);
        g_assert_cmpint(outcome.out_height, <=, BOX_HEIGHT);
        g_assert_cmpint(outcome.format, ==, task == &known ? BT_FORMAT_WEBP : outcome.format);
    }
    /* Most changes are in a text, where they do no harm. */
    g_assert_cmpint(n_believed, >, N_RANDOM / 4);
    g_assert_cmpint(n_believed, <, N_RANDOM);
}

/* Neither more bytes than the box can have, nor any that may still change. */
static void
test_results(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(BtFd) whole = bt_worker_result_new(&error), sparse = bt_worker_result_new(&error);

    g_assert_no_error(error);
    g_assert_cmpint(write(whole, "12345", 5), ==, 5);
    g_assert_cmpint(ftruncate(sparse, (off_t)1 << 40), ==, 0);
    g_assert_cmpuint(bt_worker_result_seal(whole, &settings), ==, 5);
    g_assert_cmpint(write(whole, "6", 1), <, 0);
    g_assert_cmpuint(bt_worker_result_seal(sparse, &settings), ==, 0);
    bt_worker_result_clear(&sparse);
    g_assert_cmpuint(bt_worker_result_seal(sparse, &settings), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reply/fine", test_fine);
    g_test_add_func("/reply/size", test_size);
    g_test_add_func("/reply/reasons", test_reasons);
    g_test_add_func("/reply/formats", test_formats);
    g_test_add_func("/reply/figures", test_figures);
    g_test_add_func("/reply/never-enlarged", test_never_enlarged);
    g_test_add_func("/reply/texts", test_texts);
    g_test_add_func("/reply/times", test_times);
    g_test_add_func("/reply/random", test_random);
    g_test_add_func("/reply/results", test_results);
    return g_test_run();
}
