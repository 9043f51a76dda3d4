/* SPDX-License-Identifier: MIT */
#include "pool/pool_task.h"

#include <string.h>

BtPoolTask *
bt_pool_task_new(uint64_t id, const BtTask *task, uint64_t now_ns)
{
    BtPoolTask *self = g_malloc(sizeof *self + task->size);

    self->outcome = (BtPoolOutcome){.id = id, .tag = task->tag, .submitted_ns = now_ns};
    self->frame = (BtFrame){
        .kind = BT_FRAME_TASK,
        .id = id,
        .bytes = self->bytes,
        .size = task->size,
        .n_fds = task->n_fds,
    };
    self->n_unfit = task->n_unfit;
    if (task->size > 0)
        memcpy(self->bytes, task->bytes, task->size);
    memcpy(self->frame.fds, task->fds, sizeof self->frame.fds);
    return self;
}

static void
close_fds(BtFrame *frame)
{
    for (int i = 0; i < frame->n_fds; i++)
        bt_fd_clear(&frame->fds[i]);
    frame->n_fds = 0;
}

void
bt_pool_task_end(BtPoolTask *self, BtTaskEnd end, int detail, uint64_t now_ns)
{
    close_fds(&self->frame);
    self->outcome.end = end;
    self->outcome.detail = detail;
    self->outcome.ended_ns = now_ns;
}

void
bt_pool_task_free(BtPoolTask *self)
{
    if (self == NULL)
        return;
    close_fds(&self->frame);
    bt_pool_outcome_clear(&self->outcome);
    g_free(self);
}
