/* SPDX-License-Identifier: MIT */
/* Records as texts, and times as file systems and archives keep them. */
#include "store/record.h"

#include "base/clock.h"

#include <glib.h>
#include <string.h>

static void
assert_same(const BtRecord *one, const BtRecord *other)
{
    g_assert_cmphex(one->settings, ==, other->settings);
    g_assert_cmphex(one->root, ==, other->root);
    g_assert_cmphex(one->place, ==, other->place);
    g_assert_cmpuint(one->source_bytes, ==, other->source_bytes);
    g_assert_cmpint(one->source_time.tv_sec, ==, other->source_time.tv_sec);
    g_assert_cmpint(one->source_time.tv_nsec, ==, other->source_time.tv_nsec);
    g_assert_cmpuint(one->bytes, ==, other->bytes);
}

/* The text of the header: it is on the disks of users. */
static void
test_text(void)
{
    BtRecord record = {0x9ab1fa22, 0x30dd879e, 0x5c1c1a9d, 5242880, {1714979493, 23456789}, 81920};
    char text[BT_RECORD_BYTES_MAX];

    bt_record_print(&record, text);
    g_assert_cmpstr(text, ==, "1 9ab1fa22 30dd879e 5c1c1a9d 500000 663882a5.165ec15 14000");
    g_assert_cmpuint(strlen(text), <=, 60);
}

static uint64_t
any_number(void)
{
    return ((uint64_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int()) >>
           g_test_rand_int_range(0, 64);
}

static void
test_round_trip(void)
{
    static const BtRecord ends[] = {
        {0},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, {INT64_MAX, 999999999}, UINT64_MAX},
        {1, 1, 1, 1, {INT64_MIN, 0}, 1},
        {1, 1, 1, 1, {-1, 999999999}, 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(ends) + 10000; i++) {
        BtRecord record = {
            any_number(),
            any_number(),
            any_number(),
            any_number(),
            {(int64_t)(any_number() >> 20) * (i % 2 == 0 ? 1 : -1),
             g_test_rand_int_range(0, 1000000000)},
            any_number(),
        };
        BtRecord again;
        char text[BT_RECORD_BYTES_MAX];

        if (i < G_N_ELEMENTS(ends))
            record = ends[i];
        bt_record_print(&record, text);
        again = bt_record_parse(text);
        assert_same(&record, &again);
    }
}

/* What is no record of this version is nobody's. */
static void
test_garbage(void)
{
    static const char *const texts[] = {
        "",
        "1",
        "-",
        "\xff\xff",
        "0 1 1 1 1 1.000000000 1",
        "2 1 1 1 1 1.000000000 1",
        "11 1 1 1 1 1.000000000 1",
        "1 1 1 1 1 1.000000000",
        "1 1 1 1 1 1.000000000 1 1",
        "1 1 1 1 1 1.000000000 1x",
        "1 1 1 1 1 1.000000000 1\n",
        "1 g 1 1 1 1.000000000 1",
        "1 1 1 1 1 1.-00000001 1",
        "1 11111111111111111 1 1 1 1.000000000 1",
        "1 1 1 1 1 1.3b9aca00 1",
    };
    static const BtRecord none;

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        BtRecord record = bt_record_parse(texts[i]);

        if (record.settings != 0)
            g_error("'%s' is taken", texts[i]);
        assert_same(&record, &none);
    }
}

/* Every text that is cut short is no record, or, cut within its last number, of another size. */
static void
test_cut(void)
{
    BtRecord record = {1, 2, 3, 4, {5, 6}, 123456};
    char text[BT_RECORD_BYTES_MAX];

    bt_record_print(&record, text);
    for (size_t length = strlen(text); length-- > 0;) {
        BtRecord cut;

        text[length] = '\0';
        cut = bt_record_parse(text);
        g_assert_true(cut.settings == 0 || cut.bytes < record.bytes);
    }
}

static const int64_t grains_ns[] = {1, 100, 1000, 10000000, 1000000000, 2000000000};

/* A time cut to a grain, downwards. */
static struct timespec
cut(struct timespec time, int64_t grain_ns)
{
    if (grain_ns < (int64_t)BT_NS_PER_S)
        time.tv_nsec -= time.tv_nsec % grain_ns;
    else
        time = (struct timespec){.tv_sec = time.tv_sec -
                                           (time.tv_sec & (grain_ns / (int64_t)BT_NS_PER_S - 1))};
    return time;
}

static void
assert_same_time(struct timespec one, struct timespec other, bool expected)
{
    g_assert_cmpint(bt_record_is_same_time(one, other), ==, expected);
    g_assert_cmpint(bt_record_is_same_time(other, one), ==, expected);
}

static struct timespec
any_time(void)
{
    struct timespec time = {g_test_rand_int(), g_test_rand_int_range(0, 1000000000)};
    static const int64_t around[] = {0,         1 << 30,  INT64_C(1) << 35, -(INT64_C(1) << 40),
                                     INT64_MAX, INT64_MIN};
    int64_t centre = around[g_test_rand_int_range(0, G_N_ELEMENTS(around))];

    if (centre == INT64_MAX)
        time.tv_sec = centre - (time.tv_sec & 0xff);
    else if (centre == INT64_MIN)
        time.tv_sec = centre + (time.tv_sec & 0xff) + 1;
    else
        time.tv_sec += centre;
    return time;
}

/* A time is the same as itself cut to any grain, in either order; and cut twice, too. */
static void
test_grains(void)
{
    for (int i = 0; i < 20000; i++) {
        struct timespec time = any_time();

        for (size_t j = 0; j < G_N_ELEMENTS(grains_ns); j++) {
            struct timespec coarse = cut(time, grains_ns[j]);

            assert_same_time(time, coarse, true);
            for (size_t k = 0; k < G_N_ELEMENTS(grains_ns); k++)
                assert_same_time(coarse, cut(coarse, grains_ns[k]), true);
        }
    }
}

/* Two times are the same only if one of the grains cuts the later to the earlier. */
static void
test_others(void)
{
    static const int64_t steps_ns[] = {1,          7,          99,           100,        101,
                                       999,        1000,       1001,         9999999,    10000000,
                                       10000001,   999999999,  1000000000,   1000000001, 1999999999,
                                       2000000000, 2000000001, 3600000000000};

    for (int i = 0; i < 20000; i++) {
        struct timespec earlier = any_time();

        earlier.tv_sec = MIN(earlier.tv_sec, INT64_MAX - 4000); /* room for what is added */
        earlier = cut(earlier, grains_ns[g_test_rand_int_range(0, G_N_ELEMENTS(grains_ns))]);
        for (size_t j = 0; j < G_N_ELEMENTS(steps_ns); j++) {
            int64_t ns = earlier.tv_nsec + steps_ns[j];
            struct timespec later = {earlier.tv_sec + ns / (int64_t)BT_NS_PER_S,
                                     ns % (int64_t)BT_NS_PER_S};
            bool expected = false;

            for (size_t k = 0; k < G_N_ELEMENTS(grains_ns); k++) {
                struct timespec coarse = cut(later, grains_ns[k]);

                expected |= coarse.tv_sec == earlier.tv_sec && coarse.tv_nsec == earlier.tv_nsec;
            }
            assert_same_time(earlier, later, expected);
        }
    }
}

/* Cases by hand, far ends among them, where a difference in nanoseconds has no room. */
static void
test_by_hand(void)
{
    static const struct {
        struct timespec one, other;
        bool same;
    } rows[] = {
        {{10, 5}, {10, 5}, true},
        {{10, 0}, {10, 999999999}, true},
        {{10, 0}, {11, 999999999}, true},  /* FAT */
        {{11, 0}, {12, 999999999}, false}, /* an odd second is no FAT time */
        {{10, 0}, {12, 0}, false},
        {{10, 1}, {11, 0}, false},
        {{10, 501}, {10, 502}, false},
        {{10, 500}, {10, 599}, true},
        {{10, 530}, {10, 599}, false},
        {{-2, 0}, {-1, 5}, true},
        {{-1, 0}, {0, 0}, false},
        {{INT64_MIN, 0}, {INT64_MAX, 999999999}, false},
        {{INT64_MIN, 0}, {0, 0}, false},
        {{INT64_MAX, 1}, {INT64_MAX, 1}, true},
        {{0, 0}, {INT64_C(1) << 35, 0}, false},
        /* Equal when multiplied by 10^9 in 64 bits. */
        {{0, 0}, {INT64_C(1) << 55, 0}, false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_same_time(rows[i].one, rows[i].other, rows[i].same);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/text", test_text);
    g_test_add_func("/record/round-trip", test_round_trip);
    g_test_add_func("/record/garbage", test_garbage);
    g_test_add_func("/record/cut", test_cut);
    g_test_add_func("/record/grains", test_grains);
    g_test_add_func("/record/others", test_others);
    g_test_add_func("/record/by-hand", test_by_hand);
    return g_test_run();
}
