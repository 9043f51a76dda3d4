/* SPDX-License-Identifier: MIT */
/* What a worker says of a picture is believed only when every field makes sense. */
#include "image/outcome.h"

#include <glib.h>
#include <string.h>

static BtOutcome
make_good(void)
{
    BtOutcome outcome;

    memset(&outcome, 0, sizeof outcome);
    outcome.format = BT_FORMAT_JPEG;
    outcome.source_width = 6000;
    outcome.source_height = 4000;
    outcome.out_width = 1200;
    outcome.out_height = 800;
    outcome.shrink = 8;
    outcome.n_pages = 1;
    strcpy(outcome.thumbhash, "abXY09+/==");
    return outcome;
}

static void
test_good(void)
{
    BtOutcome good = make_good(), bad = {.reason = BT_REASON_BROKEN, .sentence = "no"}, out;

    g_assert_true(bt_outcome_is_valid(&good, sizeof good, &out));
    g_assert_cmpmem(&good, sizeof good, &out, sizeof out);
    g_assert_true(bt_outcome_is_valid(&bad, sizeof bad, &out));
    g_assert_cmpint(out.reason, ==, BT_REASON_BROKEN);
}

static void
test_wrong_size(void)
{
    BtOutcome good = make_good(), out = {.shrink = -7};
    g_autofree char *longer = g_malloc0(sizeof good + 1);

    memcpy(longer, &good, sizeof good);
    g_assert_false(bt_outcome_is_valid(longer, sizeof good + 1, &out));
    g_assert_false(bt_outcome_is_valid(longer, sizeof good - 1, &out));
    g_assert_false(bt_outcome_is_valid(longer, 0, &out));
    g_assert_cmpint(out.shrink, ==, -7);
}

#define ASSERT_REFUSED(statement)                                                                  \
    do {                                                                                           \
        BtOutcome outcome = make_good(), out;                                                      \
        statement;                                                                                 \
        g_assert_false(bt_outcome_is_valid(&outcome, sizeof outcome, &out));                       \
    } while (0)

static void
test_wrong_fields(void)
{
    ASSERT_REFUSED(outcome.reason = (BtReason)BT_REASON_COUNT);
    ASSERT_REFUSED(outcome.reason = (BtReason)-1);
    ASSERT_REFUSED(outcome.format = BT_FORMAT_NONE);
    ASSERT_REFUSED(outcome.format = BT_FORMAT_COUNT);
    ASSERT_REFUSED(memset(outcome.loader, 'x', sizeof outcome.loader));
    ASSERT_REFUSED(memset(outcome.sentence, 'x', sizeof outcome.sentence));
    ASSERT_REFUSED(memset(outcome.thumbhash, 'x', sizeof outcome.thumbhash));
    ASSERT_REFUSED(strcpy(outcome.thumbhash, "abc\""));
    ASSERT_REFUSED(outcome.source_width = 0);
    ASSERT_REFUSED(outcome.source_height = -1);
    ASSERT_REFUSED(outcome.out_width = 0);
    ASSERT_REFUSED(outcome.out_height = INT32_MIN);
    ASSERT_REFUSED(outcome.shrink = -1);
    ASSERT_REFUSED(outcome.n_pages = -1);
    ASSERT_REFUSED(outcome.preview_bytes = BT_PREVIEW_BYTES_MAX + 1);
    ASSERT_REFUSED(outcome.reason = BT_REASON_BROKEN); /* a failure without a sentence */
}

/* Any bytes at all: no harm (seen by the sanitizers), and what passes has terminated texts. */
static void
test_random(void)
{
    for (int i = 0; i < 100000; i++) {
        BtOutcome outcome = make_good(), out;
        unsigned char *bytes = (unsigned char *)&outcome;

        for (int n = g_test_rand_int_range(1, 8); n > 0; n--)
            bytes[g_test_rand_int_range(0, sizeof outcome)] =
                (unsigned char)g_test_rand_int_range(0, 256);
        if (bt_outcome_is_valid(&outcome, sizeof outcome, &out)) {
            g_assert_nonnull(memchr(out.sentence, 0, sizeof out.sentence));
            g_assert_nonnull(bt_reason_name(out.reason));
            g_assert_nonnull(bt_format_name(out.format));
        }
    }
}

static void
test_names(void)
{
    for (int i = 0; i < BT_REASON_COUNT; i++)
        for (int j = 0; j < i; j++)
            g_assert_cmpstr(bt_reason_name((BtReason)i), !=, bt_reason_name((BtReason)j));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outcome/good", test_good);
    g_test_add_func("/outcome/wrong-size", test_wrong_size);
    g_test_add_func("/outcome/wrong-fields", test_wrong_fields);
    g_test_add_func("/outcome/random", test_random);
    g_test_add_func("/outcome/names", test_names);
    return g_test_run();
}
