/* SPDX-License-Identifier: MIT */
#include "scan/shard.h"

#include <string.h>

typedef struct Environment {
    BtShardGetenv get;
    void *user;
} Environment;

/* One of several alike, as an engine numbers them. */
typedef struct Task {
    uint64_t index;
    uint64_t count; /* 0: this is no task */
    char *origin;
} Task;

/* An engine, and its variables. */
typedef struct Engine {
    const char *what; /* its number follows */
    const char *id;
    const char *count; /* NULL: as many as the range has */
    const char *first; /* of the range; NULL: numbers are 0 to count - 1 */
    const char *last;
    const char *step;
} Engine;

static const Engine arrays[] = {
    {"Slurm array task", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN",
     "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP"},
    {"Grid Engine task", "SGE_TASK_ID", NULL, "SGE_TASK_FIRST", "SGE_TASK_LAST",
     "SGE_TASK_STEPSIZE"},
    {.what = "AWS Batch array job",
     .id = "AWS_BATCH_JOB_ARRAY_INDEX",
     .count = "AWS_BATCH_JOB_ARRAY_SIZE"},
    {.what = "Google Cloud Batch task", .id = "BATCH_TASK_INDEX", .count = "BATCH_TASK_COUNT"},
};
static const Engine mpi = {
    .what = "Open MPI rank", .id = "OMPI_COMM_WORLD_RANK", .count = "OMPI_COMM_WORLD_SIZE"};
static const Engine step = {
    .what = "srun task", .id = "SLURM_PROCID", .count = "SLURM_STEP_NUM_TASKS"};

static void
clear_task(Task *task)
{
    g_free(task->origin);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Task, clear_task)

/* The value of a variable, NULL where it says nothing: Grid Engine writes so outside of an array.
 */
static const char *
look_up(const Environment *environment, const char *name)
{
    const char *value = environment->get(environment->user, name);

    return value == NULL || *value == '\0' || strcmp(value, "undefined") == 0 ? NULL : value;
}

static bool
look_up_number(const Environment *environment, const char *name, uint64_t *out_number,
               GError **error)
{
    const char *value = look_up(environment, name);
    guint64 number;

    if (value == NULL)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%s is not set, but others of its kind are: write --shard I/N", name);
    if (!g_ascii_string_to_unsigned(value, 10, 0, UINT32_MAX, &number, NULL))
        return bt_error_set(error, BT_ERROR_INVALID, "%s=%s is not a number: write --shard I/N",
                            name, value);
    *out_number = number;
    return true;
}

/* The index of a number in the range of an array, and how many it has. If every task of an array
 * passes, their numbers are exactly first, first + step, ... last: they are all different, as many
 * as these, and all among these. So each shard is somebody's. */
static bool
read_range(const Environment *environment, const Engine *engine, uint64_t id, Task *task,
           GError **error)
{
    uint64_t first, last, by, count;

    if (!look_up_number(environment, engine->first, &first, error) ||
        !look_up_number(environment, engine->last, &last, error) ||
        !look_up_number(environment, engine->step, &by, error))
        return false;
    count = by > 0 && last >= first ? (last - first) / by + 1 : 0;
    if (engine->count != NULL && (task->count != count || last != first + (count - 1) * by))
        count = 0;
    if (count == 0 || id < first || (id - first) % by != 0)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%s %" G_GUINT64_FORMAT ": the numbers of its array are not an even "
                            "range, so they do not give the shares: give it one such as 0-7 "
                            "(repeat single tasks by scontrol requeue), or write --shard I/N",
                            engine->what, id);
    task->index = (id - first) / by;
    task->count = count;
    return true;
}

static bool
read_task(const Environment *environment, const Engine *engine, Task *task, GError **error)
{
    uint64_t id = 0;

    if (!look_up_number(environment, engine->id, &id, error) ||
        (engine->count != NULL && !look_up_number(environment, engine->count, &task->count, error)))
        return false;
    task->index = id;
    if (engine->first != NULL && !read_range(environment, engine, id, task, error))
        return false;
    if (task->index >= task->count)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%s %" G_GUINT64_FORMAT " is not one of %" G_GUINT64_FORMAT
                            " that count from 0: write --shard I/N",
                            engine->what, id, task->count);
    task->origin =
        g_strdup_printf("%s %" G_GUINT64_FORMAT " (%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ")",
                        engine->what, id, task->index, task->count);
    return true;
}

/* The task of an array, if this is one. */
static bool
read_array(const Environment *environment, Task *task, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++)
        if (look_up(environment, arrays[i].id) != NULL)
            return read_task(environment, &arrays[i], task, error);
    return true;
}

/* One of several processes that were started together, if this is one. mpirun comes first: in a
 * job of Slurm it is started by srun itself, once for each node. SLURM_PROCID and SLURM_NTASKS
 * alone say nothing: in a batch script they are 0 and what was asked for. */
static bool
read_process(const Environment *environment, Task *task, GError **error)
{
    if (look_up(environment, mpi.id) != NULL)
        return read_task(environment, &mpi, task, error);
    if (look_up(environment, "SLURM_STEP_ID") != NULL && look_up(environment, step.count) != NULL)
        return read_task(environment, &step, task, error);
    return true;
}

/* Nothing tells a whole share: what to do about it. */
static bool
fail_to_find(const Environment *environment, GError **error)
{
    const char *job_index = look_up(environment, "LSB_JOBINDEX");

    if (look_up(environment, "JOB_COMPLETION_INDEX") != NULL)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "Kubernetes does not tell how many completions the job has: write "
                            "--shard $JOB_COMPLETION_INDEX/N, N as in spec.completions");
    if (job_index != NULL && strcmp(job_index, "0") != 0)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "LSF does not tell how many jobs the array has: write "
                            "--shard $((LSB_JOBINDEX - 1))/N");
    if (look_up(environment, "SLURM_JOB_ID") != NULL)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "this Slurm job is no array and was not started by srun, so it has no "
                            "share: submit it with --array=0-7, write srun before the command, or "
                            "name the share with --shard I/N");
    return bt_error_set(error, BT_ERROR_INVALID,
                        "no share was found in the environment: name it with --shard I/N, such as "
                        "--shard 0/8 for the first of 8");
}

bool
bt_shard_auto(BtShardGetenv getenv_like, void *user, BtShard *out_shard, char **out_origin,
              GError **error)
{
    const Environment environment = {getenv_like, user};
    g_auto(Task) array = {0};
    g_auto(Task) process = {0};
    uint64_t n_inner, count;

    if (!read_array(&environment, &array, error) || !read_process(&environment, &process, error))
        return false;
    if (array.count == 0 && process.count == 0)
        return fail_to_find(&environment, error);
    n_inner = MAX(1, process.count);
    count = MAX(1, array.count) * n_inner;
    if (count > BT_SHARD_COUNT_MAX)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%" G_GUINT64_FORMAT " shares are more than %d", count,
                            BT_SHARD_COUNT_MAX);
    *out_shard = (BtShard){
        .index = (uint32_t)(array.index * n_inner + process.index),
        .count = (uint32_t)count,
    };
    *out_origin = array.count == 0     ? g_steal_pointer(&process.origin)
                  : process.count == 0 ? g_steal_pointer(&array.origin)
                                       : g_strdup_printf("%s and %s", array.origin, process.origin);
    return true;
}
