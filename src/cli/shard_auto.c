/* SPDX-License-Identifier: MIT */
#include "cli/shard_auto.h"

#include <string.h>

/* An engine that starts several alike, and its variables. */
typedef struct Engine {
    const char *what; /* its number follows */
    const char *sign; /* set where this program is one of several */
    const char *id;
    const char *count; /* NULL: as many as the range has */
    const char *first; /* of the range; NULL: numbers are 0 to count - 1 */
    const char *last;
    const char *step;
} Engine;

/* Of each row the first whose sign is set counts: the tasks of an array, and the processes that
 * were started together. mpirun comes before srun: in a job of Slurm it is started by srun itself,
 * once for each node. SLURM_PROCID and SLURM_NTASKS alone say nothing: in a batch script they are 0
 * and what was asked for. */
static const Engine engines[2][4] = {
    {{"Slurm array task", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT",
      "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP"},
     {"Grid Engine task", "SGE_TASK_ID", "SGE_TASK_ID", NULL, "SGE_TASK_FIRST", "SGE_TASK_LAST",
      "SGE_TASK_STEPSIZE"},
     {"AWS Batch array job", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX",
      "AWS_BATCH_JOB_ARRAY_SIZE", NULL, NULL, NULL},
     {"Google Cloud Batch task", "BATCH_TASK_INDEX", "BATCH_TASK_INDEX", "BATCH_TASK_COUNT", NULL,
      NULL, NULL}},
    {{"Open MPI rank", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", NULL,
      NULL, NULL},
     {"srun task", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", NULL, NULL,
      NULL}},
};

/* What to do where nothing gives a whole share. */
static const struct {
    const char *sign; /* NULL: always */
    const char *advice;
} advices[] = {
    {"JOB_COMPLETION_INDEX", "Kubernetes does not say how many completions the job has: write "
                             "--shard $JOB_COMPLETION_INDEX/N, N as in spec.completions"},
    {"LSB_JOBINDEX",
     "LSF does not say how many jobs the array has: write --shard $((LSB_JOBINDEX - 1))/N"},
    {"SLURM_JOB_ID",
     "this Slurm job is not an array and was not started by srun, so it has no share: submit it "
     "with "
     "--array=0-7, write srun before the command, or name the share with --shard I/N"},
    {NULL, "no share was found in the environment: name it with --shard I/N, such as --shard 0/8 "
           "for the first of 8"},
};

/* The value of a variable, NULL where it says nothing: outside of an array Grid Engine writes
 * "undefined", and LSF an index of 0. */
static const char *
look_up(char **environment, const char *name)
{
    const char *value = g_environ_getenv(environment, name);

    return value == NULL || *value == '\0' || strcmp(value, "undefined") == 0 ||
                   (strcmp(name, "LSB_JOBINDEX") == 0 && strcmp(value, "0") == 0)
               ? NULL
               : value;
}

static bool
look_up_number(char **environment, const char *name, uint64_t *out_number, GError **error)
{
    const char *value = look_up(environment, name);

    if (value == NULL)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%s is not set, but others of its kind are: write --shard I/N", name);
    return g_ascii_string_to_unsigned(value, 10, 0, UINT32_MAX, out_number, NULL) ||
           bt_error_set(error, BT_ERROR_INVALID, "%s=%s is not a number: write --shard I/N", name,
                        value);
}

/* The index of a number in the range of an array, and how many it has. If every task of an array
 * passes, their numbers are exactly first, first + step, ... last: they are all different, as many
 * as these, and all among these. So each shard is somebody's. */
static bool
read_range(char **environment, const Engine *engine, uint64_t id, uint64_t *index, uint64_t *count,
           GError **error)
{
    uint64_t first, last, step, n;

    if (!look_up_number(environment, engine->first, &first, error) ||
        !look_up_number(environment, engine->last, &last, error) ||
        !look_up_number(environment, engine->step, &step, error))
        return false;
    n = step > 0 && last >= first ? (last - first) / step + 1 : 0;
    if (n == 0 || id < first || (id - first) % step != 0 ||
        (engine->count != NULL && (*count != n || last != first + (n - 1) * step)))
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%s %" G_GUINT64_FORMAT ": the numbers of its array are not an even "
                            "range, so they do not give the shares: give it one such as 0-7 "
                            "(repeat single tasks by scontrol requeue), or write --shard I/N",
                            engine->what, id);
    *index = (id - first) / step;
    *count = n;
    return true;
}

/* Shares out each part that *index of *count has so far among the tasks of an engine. */
static bool
divide(char **environment, const Engine *engine, uint64_t *index, uint64_t *count, GString *origin,
       GError **error)
{
    uint64_t id, own, n = 0;

    if (!look_up_number(environment, engine->id, &id, error) ||
        (engine->count != NULL && !look_up_number(environment, engine->count, &n, error)))
        return false;
    own = id;
    if (engine->first != NULL && !read_range(environment, engine, id, &own, &n, error))
        return false;
    if (own >= n)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%s %" G_GUINT64_FORMAT " is not one of %" G_GUINT64_FORMAT
                            " that count from 0: write --shard I/N",
                            engine->what, id, n);
    *index = *index * n + own;
    *count *= n;
    g_string_append_printf(
        origin, "%s%s %" G_GUINT64_FORMAT " (%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ")",
        origin->len > 0 ? " and " : "", engine->what, id, own, n);
    return true;
}

bool
bt_shard_auto(char **environment, BtShard *out_shard, char **out_origin, GError **error)
{
    g_autoptr(GString) origin = g_string_new(NULL);
    uint64_t index = 0, count = 1;
    size_t advice = 0;

    for (size_t row = 0; row < G_N_ELEMENTS(engines); row++) {
        const Engine *engine = engines[row], *end = engine + G_N_ELEMENTS(engines[row]);

        while (engine < end && engine->sign != NULL && !look_up(environment, engine->sign))
            engine++;
        if (engine < end && engine->sign != NULL &&
            !divide(environment, engine, &index, &count, origin, error))
            return false;
    }
    if (origin->len == 0) {
        while (advices[advice].sign != NULL && !look_up(environment, advices[advice].sign))
            advice++;
        return bt_error_set(error, BT_ERROR_INVALID, "%s", advices[advice].advice);
    }
    if (count > BT_SHARD_COUNT_MAX)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%" G_GUINT64_FORMAT " shares are more than %d", count,
                            BT_SHARD_COUNT_MAX);
    *out_shard = (BtShard){.index = (uint32_t)index, .count = (uint32_t)count};
    *out_origin = g_string_free(g_steal_pointer(&origin), FALSE);
    return true;
}
