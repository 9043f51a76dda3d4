/* SPDX-License-Identifier: MIT */
#include "run/worker.h"

#include "image/image.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_CANNOT_START 70

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
bt_worker_start(void *data)
{
    BtImage *image;

    silence();
    if ((image = bt_image_new(data)) == NULL)
        _exit(EXIT_CANNOT_START);
    return image;
}

size_t
bt_worker_serve(void *state, const BtTaskView *task, void *reply)
{
    BtWorkerTask work;
    BtOutcome outcome;

    g_assert(task->size == sizeof work && task->n_fds == 2);
    memcpy(&work, task->bytes, sizeof work);
    bt_image_process(state, task->fds[0], task->fds[1], work.format, &outcome);
    memcpy(reply, &outcome, sizeof outcome);
    return sizeof outcome;
}
