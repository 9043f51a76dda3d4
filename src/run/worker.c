/* SPDX-License-Identifier: MIT */
#include "run/worker.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void
silence(void)
{
    g_auto(BtFd) null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return;
    dup2(null, STDOUT_FILENO);
    if (getenv("BT_WORKER_STDERR") == NULL)
        dup2(null, STDERR_FILENO);
}

void *
bt_worker_start(void *data, GString *notice, GError **error)
{
    const BtWorkerOptions *options = data;
    BtImage *image;

    silence();
    if ((image = bt_image_new(&options->image)) == NULL) {
        bt_error_set(error, BT_ERROR_FAILED, "not enough memory to begin");
        return NULL;
    }
    return bt_sandbox_enter(options->sandbox, options->memory, 0, notice, error) ? image : NULL;
}

/* Below the hard limit, which is the sandbox's. Bytes of libraries and code do not count. */
static void
allow_memory(uint64_t memory)
{
    struct rlimit limit;

    if (!BT_SANDBOX_LIMITS_MEMORY || memory == 0 || getrlimit(RLIMIT_DATA, &limit) != 0)
        return;
    limit.rlim_cur = MIN(memory, limit.rlim_max);
    (void)setrlimit(RLIMIT_DATA, &limit);
}

size_t
bt_worker_serve(void *state, const BtTaskView *task, void *reply)
{
    BtWorkerTask work;
    BtOutcome outcome;

    g_assert(task->size == sizeof work);
    memcpy(&work, task->bytes, sizeof work);
    g_assert(task->n_fds == (work.check ? 1 : 2));
    allow_memory(work.memory);
    if (work.check)
        bt_image_check(state, task->fds[0], work.memory, &outcome);
    else
        bt_image_process(state, task->fds[0], task->fds[1], work.format, work.memory, &outcome);
    memcpy(reply, &outcome, sizeof outcome);
    return sizeof outcome;
}
