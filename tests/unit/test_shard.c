/* SPDX-License-Identifier: MIT */
/* Each name in exactly one shard, for ever; and whose shard is whose, by what engines say. */
#include "base/format.h"
#include "base/hash.h"
#include "cli/shard_auto.h"

#include <string.h>

static void
test_parse(void)
{
    static const struct {
        const char *text;
        BtShard shard;
    } good[] = {
        {"0/1", {0, 1}},      {"0/8", {0, 8}},
        {"7/8", {7, 8}},      {"999999/1000000", {999999, 1000000}},
        {"007/010", {7, 10}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        BtShard shard = {0};

        g_assert_true(bt_shard_parse(good[i].text, &shard, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(shard.index, ==, good[i].shard.index);
        g_assert_cmpuint(shard.count, ==, good[i].shard.count);
    }
}

static void
test_parse_refused(void)
{
    static const struct {
        const char *text;
        const char *says;
    } bad[] = {
        {"", "write I/N"},
        {"3", "write I/N"},
        {"3/", "write I/N"},
        {"/3", "write I/N"},
        {"-1/3", "write I/N"},
        {"+1/3", "write I/N"},
        {" 1/3", "write I/N"},
        {"1 /3", "write I/N"},
        {"1/3 ", "write I/N"},
        {"1/3/5", "write I/N"},
        {"1/0x3", "write I/N"},
        {"1.5/3", "write I/N"},
        {"99999999999999999999/3", "write I/N"},
        {"0/4294967297", "write I/N"},
        {"0/0", "1 to 1000000"},
        {"0/1000001", "1 to 1000000"},
        {"3/3", "shards count from 0: the last of 3 is 2/3"},
        {"8/3", "shards count from 0: the last of 3 is 2/3"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        BtShard shard = {5, 6};

        g_assert_false(bt_shard_parse(bad[i].text, &shard, &error));
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, bad[i].says));
        g_assert_cmpuint(shard.index, ==, 5);
    }
}

/* The only shard of `count` that holds a name. */
static uint32_t
only_shard(const char *name, uint32_t count)
{
    uint32_t holder = count;

    for (uint32_t index = 0; index < count; index++)
        if (bt_shard_holds(&(BtShard){index, count}, name)) {
            g_assert_cmpuint(holder, ==, count);
            holder = index;
        }
    g_assert_cmpuint(holder, <, count);
    return holder;
}

/* As in the header, and reckoned by another program. */
static void
test_vectors(void)
{
    static const struct {
        const char *name, *key;
        uint64_t hash;
        uint32_t of_8, of_1000, of_million;
    } vectors[] = {
        {"", "", 0xefd01f60ba992926, 7, 936, 936769},
        {"a.jpg", "a", 0x82a2a958a9bece5b, 4, 510, 510294},
        {"A.BMP.jpg", "a", 0x82a2a958a9bece5b, 4, 510, 510294},
        {"2024/b c.JPG", "2024/b c", 0x0794395a024ab0f1, 0, 29, 29605},
        {"dir/a.b.png", "dir/a.b", 0xf12556322da0655a, 7, 941, 941975},
        {"\xff\xfe.png", "\xff\xfe", 0x75c9056eb1c4b960, 3, 460, 460098},
        {"x", "x", 0x06a4f9505be85405, 0, 25, 25954},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autofree char *key = bt_shard_bare_name(vectors[i].name);

        g_assert_cmpstr(key, ==, vectors[i].key);
        g_assert_cmphex(bt_hash_text(key), ==, vectors[i].hash);
        g_assert_cmpuint(only_shard(vectors[i].name, 8), ==, vectors[i].of_8);
        g_assert_cmpuint(only_shard(vectors[i].name, 1000), ==, vectors[i].of_1000);
        g_assert_true(bt_shard_holds(&(BtShard){vectors[i].of_million, 1000000}, vectors[i].name));
    }
}

static void
test_everything(void)
{
    g_assert_true(bt_shard_holds(&(BtShard){0, 0}, "a.jpg"));
    g_assert_true(bt_shard_holds(&(BtShard){0, 1}, "a.jpg"));
    g_assert_true(bt_shard_holds(&(BtShard){0, 1}, ""));
}

static char *
random_name(void)
{
    GString *name = g_string_new(NULL);

    for (int length = g_test_rand_int_range(1, 30); length > 0; length--)
        g_string_append_c(name, (char)g_test_rand_int_range(1, 256));
    return g_string_free(name, FALSE);
}

/* For every count. Where there are more shards than names, some are empty. */
static void
test_partition(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; i < 100; i++)
        g_ptr_array_add(names, random_name());
    for (uint32_t count = 1; count <= 200; count++)
        for (guint i = 0; i < names->len; i++)
            only_shard(g_ptr_array_index(names, i), count);
    only_shard(g_ptr_array_index(names, 0), BT_SHARD_COUNT_MAX);
}

/* A source and all that its result may be called are in one shard: for any name, with any
 * extension, or several, in any case. */
static void
test_results(void)
{
    static const uint32_t counts[] = {2, 3, 8, 64, 1000};

    for (int i = 0; i < 300; i++) {
        g_autofree char *name = random_name();
        g_autofree char *key = bt_shard_bare_name(name);

        for (int format = BT_FORMAT_NONE + 1; format < BT_FORMAT_RAW; format++) {
            const char *extension = bt_format_extension((BtFormat)format);
            g_autofree char *upper = g_ascii_strup(name, -1);
            g_autofree char *one = g_strconcat(name, ".", extension, NULL);
            g_autofree char *two = g_strconcat(upper, ".BMP.", extension, NULL);
            const char *const names[] = {upper, one, two};

            for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
                g_autofree char *other = bt_shard_bare_name(names[n]);

                g_assert_cmpstr(other, ==, key);
                for (size_t c = 0; i % 64 == 0 && c < G_N_ELEMENTS(counts); c++)
                    g_assert_cmpuint(only_shard(names[n], counts[c]), ==,
                                     only_shard(name, counts[c]));
            }
        }
    }
}

/* Names as cameras make them, which differ in a digit or two: each of 8 shards is within 2 % of an
 * eighth. By chance alone the standard deviation is 0.84 %, and these names are always the same. */
static void
test_balance(void)
{
    uint32_t n[8] = {0};

    for (int i = 0; i < 100000; i++) {
        g_autofree char *name = g_strdup_printf("%d/IMG_%05d.jpg", 2000 + i / 5000, i);

        n[only_shard(name, G_N_ELEMENTS(n))]++;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(n); i++) {
        g_assert_cmpuint(n[i], >, 12250);
        g_assert_cmpuint(n[i], <, 12750);
    }
}

#define ARRAY(id, count, min, max, by)                                                             \
    "SLURM_JOB_ID=9 SLURM_ARRAY_JOB_ID=9 SLURM_ARRAY_TASK_ID=" #id                                 \
    " SLURM_ARRAY_TASK_COUNT=" #count " SLURM_ARRAY_TASK_MIN=" #min " SLURM_ARRAY_TASK_MAX=" #max  \
    " SLURM_ARRAY_TASK_STEP=" #by " "
#define STEP(rank, count)                                                                          \
    "SLURM_JOB_ID=9 SLURM_STEP_ID=0 SLURM_PROCID=" #rank " SLURM_NTASKS=" #count                   \
    " SLURM_STEP_NUM_TASKS=" #count " "

static void
test_auto(void)
{
    static const struct {
        const char *environment;
        BtShard shard;
        const char *origin;
    } rows[] = {
        {ARRAY(0, 8, 0, 7, 1) "SLURM_PROCID=0", {0, 8}, "Slurm array task 0 (0 of 8)"},
        {ARRAY(3, 8, 0, 7, 1) "SLURM_PROCID=0", {3, 8}, "Slurm array task 3 (3 of 8)"},
        {ARRAY(7, 8, 0, 7, 1) "SLURM_PROCID=0 SLURM_NTASKS=1",
         {7, 8},
         "Slurm array task 7 (7 of 8)"},
        {ARRAY(1, 4, 1, 7, 2), {0, 4}, "Slurm array task 1 (0 of 4)"},
        {ARRAY(7, 4, 1, 7, 2), {3, 4}, "Slurm array task 7 (3 of 4)"},
        {ARRAY(5, 1, 5, 5, 1), {0, 1}, "Slurm array task 5 (0 of 1)"},
        {ARRAY(3, 2, 2, 3, 1), {1, 2}, "Slurm array task 3 (1 of 2)"},
        {STEP(0, 2), {0, 2}, "srun task 0 (0 of 2)"},
        {STEP(1, 2), {1, 2}, "srun task 1 (1 of 2)"},
        {STEP(3, 4), {3, 4}, "srun task 3 (3 of 4)"},
        {ARRAY(1, 2, 0, 1, 1) STEP(0, 2),
         {2, 4},
         "Slurm array task 1 (1 of 2) and srun task 0 (0 of 2)"},
        {ARRAY(2, 3, 0, 2, 1) STEP(3, 4),
         {11, 12},
         "Slurm array task 2 (2 of 3) and srun task 3 (3 of 4)"},
        {"OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=4", {2, 4}, "Open MPI rank 2 (2 of 4)"},
        {STEP(0, 2) "OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=4",
         {3, 4},
         "Open MPI rank 3 (3 of 4)"},
        {ARRAY(1, 2, 0, 1, 1) STEP(0, 1) "OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=4",
         {7, 8},
         "Slurm array task 1 (1 of 2) and Open MPI rank 3 (3 of 4)"},
        {"JOB_COMPLETION_INDEX=1 OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=4",
         {0, 4},
         "Open MPI rank 0 (0 of 4)"},
        {"AWS_BATCH_JOB_ID=x AWS_BATCH_JOB_ARRAY_INDEX=2 AWS_BATCH_JOB_ARRAY_SIZE=10",
         {2, 10},
         "AWS Batch array job 2 (2 of 10)"},
        {"BATCH_TASK_INDEX=4 BATCH_TASK_COUNT=5", {4, 5}, "Google Cloud Batch task 4 (4 of 5)"},
        {"SGE_TASK_ID=7 SGE_TASK_FIRST=1 SGE_TASK_LAST=10 SGE_TASK_STEPSIZE=3",
         {2, 4},
         "Grid Engine task 7 (2 of 4)"},
        {"SGE_TASK_ID=4 SGE_TASK_FIRST=2 SGE_TASK_LAST=6 SGE_TASK_STEPSIZE=2",
         {1, 3},
         "Grid Engine task 4 (1 of 3)"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) environment = g_strsplit(rows[i].environment, " ", -1);
        g_autoptr(GError) error = NULL;
        g_autofree char *origin = NULL;
        BtShard shard;

        g_assert_true(bt_shard_auto(environment, &shard, &origin, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(shard.index, ==, rows[i].shard.index);
        g_assert_cmpuint(shard.count, ==, rows[i].shard.count);
        g_assert_cmpstr(origin, ==, rows[i].origin);
    }
}

static void
test_auto_refused(void)
{
    static const struct {
        const char *environment;
        const char *says;
    } rows[] = {
        {"", "no share was found in the environment: name it with --shard I/N"},
        {"HOME=/ SLURM_PROCID=", "no share was found"},
        /* A batch script, alone and with -n4, and the shell of salloc. */
        {"SLURM_JOB_ID=9 SLURM_PROCID=0", "write srun before the command"},
        {"SLURM_JOB_ID=9 SLURM_PROCID=0 SLURM_NTASKS=4", "write srun before the command"},
        {"SLURM_JOB_ID=9 SLURM_NTASKS=3", "write srun before the command"},
        /* --array=3,5,9-15:3, where others of its tasks pass; --array=2,5; what cannot be. */
        {ARRAY(5, 5, 3, 15, 3), "not an even range"},
        {ARRAY(2, 2, 2, 5, 1), "not an even range"},
        {ARRAY(5, 2, 2, 5, 1), "scontrol requeue"},
        {ARRAY(2, 4, 1, 7, 2), "not an even range"},
        {ARRAY(0, 4, 1, 7, 2), "not an even range"},
        {ARRAY(9, 4, 1, 7, 2), "Slurm array task 9 is not one of 4"},
        {ARRAY(0, 8, 0, 7, 0), "not an even range"},
        {ARRAY(0, 0, 7, 0, 1), "not an even range"},
        {ARRAY(x, 8, 0, 7, 1), "SLURM_ARRAY_TASK_ID=x is not a number"},
        {ARRAY(-1, 8, 0, 7, 1), "SLURM_ARRAY_TASK_ID=-1 is not a number"},
        {ARRAY(99999999999, 8, 0, 7, 1), "is not a number"},
        {"SLURM_ARRAY_TASK_ID=3", "SLURM_ARRAY_TASK_COUNT is not set"},
        {STEP(2, 2), "srun task 2 is not one of 2"},
        {STEP(0, 0), "srun task 0 is not one of 0"},
        {ARRAY(0, 1000, 0, 999, 1) STEP(0, 1001), "1001000 shares are more than 1000000"},
        {"OMPI_COMM_WORLD_RANK=2", "OMPI_COMM_WORLD_SIZE is not set"},
        {"AWS_BATCH_JOB_ARRAY_SIZE=10", "no share was found"},
        {"AWS_BATCH_JOB_ARRAY_INDEX=2", "AWS_BATCH_JOB_ARRAY_SIZE is not set"},
        {"BATCH_TASK_INDEX=5 BATCH_TASK_COUNT=5", "Google Cloud Batch task 5 is not one of 5"},
        {"JOB_COMPLETION_INDEX=1", "--shard $JOB_COMPLETION_INDEX/N"},
        {"LSB_JOBINDEX=1", "--shard $((LSB_JOBINDEX - 1))/N"},
        {"LSB_JOBINDEX=0", "no share was found"},
        {"SGE_TASK_ID=undefined SGE_TASK_FIRST=undefined", "no share was found"},
        {"SGE_TASK_ID=3 SGE_TASK_FIRST=2 SGE_TASK_LAST=6 SGE_TASK_STEPSIZE=2", "not an even range"},
        {"PARALLEL_SEQ=3", "no share was found"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) environment = g_strsplit(rows[i].environment, " ", -1);
        g_autoptr(GError) error = NULL;
        g_autofree char *origin = NULL;
        BtShard shard;

        g_assert_false(bt_shard_auto(environment, &shard, &origin, &error));
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, rows[i].says));
        g_assert_null(origin);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shard/parse", test_parse);
    g_test_add_func("/shard/parse/refused", test_parse_refused);
    g_test_add_func("/shard/vectors", test_vectors);
    g_test_add_func("/shard/everything", test_everything);
    g_test_add_func("/shard/partition", test_partition);
    g_test_add_func("/shard/results", test_results);
    g_test_add_func("/shard/balance", test_balance);
    g_test_add_func("/shard/auto", test_auto);
    g_test_add_func("/shard/auto/refused", test_auto_refused);
    return g_test_run();
}
