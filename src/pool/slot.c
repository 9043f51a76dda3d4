/* SPDX-License-Identifier: MIT */
#include "pool/slot.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* How long a worker that has closed its channel may take to leave. */
#define LEAVE_LIMIT_NS BT_NS_PER_S

typedef struct ServeArgs {
    const BtPoolOptions *options;
    int channel_fd;
} ServeArgs;

static BtChannelState
serve_task(const ServeArgs *args, void *state, const BtFrame *frame, void *reply)
{
    BtTaskView view = {
        .id = frame->id,
        .bytes = frame->bytes,
        .size = frame->size,
        .fds = frame->fds,
        .n_fds = frame->n_fds,
        .attempt = frame->attempt,
    };
    BtFrame answer = {.kind = BT_FRAME_REPLY, .id = frame->id, .bytes = reply};

    answer.size = args->options->serve(state, &view, reply);
    for (int i = 0; i < frame->n_fds; i++)
        close(frame->fds[i]);
    return bt_channel_send(args->channel_fd, &answer, true);
}

/* A worker must not outlive its supervisor. */
static bool
dies_with_parent(GError **error)
{
    int signal_number = 0;

    return (prctl(PR_GET_PDEATHSIG, &signal_number) == 0 && signal_number == SIGKILL) ||
           bt_error_set(error, BT_ERROR_FAILED,
                        "cannot start a worker process: this kernel or container does not allow "
                        "prctl(PR_SET_PDEATHSIG)");
}

/* Says READY with what start has to say, or UNFIT with why it cannot. Returns whether tasks may
 * come. */
static bool
begin(const ServeArgs *args, void **out_state)
{
    const BtPoolOptions *options = args->options;
    g_autoptr(GString) notice = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    bool ok = dies_with_parent(&error);
    BtFrame frame = {.kind = BT_FRAME_READY};

    *out_state = options->data;
    if (ok && options->start != NULL)
        ok = (*out_state = options->start(options->data, notice, &error)) != NULL;
    if (!ok) {
        frame.kind = BT_FRAME_UNFIT;
        g_string_assign(notice, error != NULL ? error->message : "a worker cannot start");
    }
    frame.bytes = notice->str;
    frame.size = MIN(notice->len, BT_POOL_NOTICE_BYTES_MAX);
    return bt_channel_send(args->channel_fd, &frame, true) == BT_CHANNEL_OK && ok;
}

/* A worker's life: start, then one task after the other until the channel closes. Returns the exit
 * code: 0 when the channel closed, 1 when it cannot start, or when something came that is not a
 * task. It lets go of what it inherited first, so it holds no end of another worker's channel, and
 * sees its own close when the supervisor goes. */
static int
serve(void *data)
{
    const ServeArgs *args = data;
    BtFrame frame;
    g_autofree void *bytes = NULL, *reply = NULL;
    BtChannelState channel = BT_CHANNEL_OK;
    void *state;

    bt_process_let_go(args->channel_fd);
    bytes = g_malloc(BT_FRAME_BYTES_MAX);
    reply = g_malloc(BT_FRAME_BYTES_MAX);
    if (!begin(args, &state))
        return EXIT_FAILURE;
    while (channel == BT_CHANNEL_OK) {
        channel = bt_channel_receive(args->channel_fd, BT_FRAME_TASK, true, bytes, &frame);
        if (channel == BT_CHANNEL_OK)
            channel = serve_task(args, state, &frame, reply);
    }
    return channel == BT_CHANNEL_CLOSED ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void
enter(BtSlot *self, BtWorkerState state, uint64_t now_ns, uint64_t limit_ns)
{
    self->state = state;
    self->since_ns = now_ns;
    self->until_ns = limit_ns > 0 ? bt_clock_moment(now_ns, limit_ns) : BT_CLOCK_FOREVER;
}

BtPoolTask *
bt_pool_task_new(uint64_t id, const BtTask *task)
{
    BtPoolTask *self = g_malloc(sizeof *self + task->size);

    self->outcome = (BtPoolOutcome){.id = id, .tag = task->tag};
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

void
bt_slot_init(BtSlot *self, const BtPoolOptions *options, int index)
{
    *self = (BtSlot){
        .options = options,
        .process = BT_PROCESS_INIT,
        .channel_fd = -1,
        .state = BT_WORKER_NONE,
        .until_ns = BT_CLOCK_FOREVER,
    };
    snprintf(self->name, sizeof self->name, "%s-%d", options->name, index);
}

void
bt_slot_clear(BtSlot *self)
{
    bt_process_clear(&self->process);
    bt_fd_clear(&self->channel_fd);
    g_clear_pointer(&self->task, bt_pool_task_free);
    g_clear_pointer(&self->retry, bt_pool_task_free);
}

bool
bt_slot_start(BtSlot *self, uint64_t now_ns, GError **error)
{
    g_auto(BtFd) supervisor_fd = -1, worker_fd = -1;
    ServeArgs args = {.options = self->options};

    if (!bt_channel_pair(&supervisor_fd, &worker_fd, error))
        return false;
    args.channel_fd = worker_fd;
    if (!bt_process_start(&self->process, self->name, serve, &args, error))
        return false;
    self->channel_fd = g_steal_fd(&supervisor_fd);
    self->verdict = BT_TASK_KILLED;
    self->ready = false;
    self->n_tasks = 0;
    enter(self, BT_WORKER_STARTING, now_ns, self->options->task_limit_ns);
    return true;
}

bool
bt_slot_give(BtSlot *self, BtPoolTask *task, uint64_t now_ns)
{
    task->frame.attempt = task->outcome.attempts + 1;
    if (bt_channel_send(self->channel_fd, &task->frame, false) != BT_CHANNEL_OK) {
        bt_slot_condemn(self, BT_TASK_KILLED);
        return false;
    }
    task->outcome.attempts++;
    task->outcome.pid = self->process.pid;
    task->outcome.started_ns = now_ns;
    self->task = task;
    enter(self, BT_WORKER_BUSY, now_ns, self->options->task_limit_ns);
    return true;
}

/* The text of a frame, made fit for a C string. */
static char *
copy_text(const BtFrame *frame)
{
    return g_strndup(frame->bytes, MIN(frame->size, BT_POOL_NOTICE_BYTES_MAX));
}

static void
pass_notice(const BtSlot *self, const BtFrame *frame)
{
    g_autofree char *text = copy_text(frame);

    if (self->options->notice != NULL && *text != '\0')
        self->options->notice(self->options->user, text);
}

/* Takes a well-formed frame: true where it is the one that was due. */
static bool
take_frame(BtSlot *self, const BtFrame *frame, uint64_t now_ns)
{
    if (self->state == BT_WORKER_BUSY) {
        BtPoolOutcome *outcome = &self->task->outcome;

        if (frame->id != outcome->id)
            return false;
        outcome->bytes = g_memdup2(frame->bytes, frame->size);
        outcome->size = frame->size;
        self->n_tasks++;
    } else if (self->state == BT_WORKER_IDLE) {
        return false;
    } else {
        pass_notice(self, frame);
    }
    self->ready = true;
    enter(self, BT_WORKER_IDLE, now_ns, 0);
    return true;
}

/* The worker died before it read its task, which it cannot be blamed for. */
static void
take_back(BtSlot *self)
{
    BtPoolOutcome *outcome = &self->task->outcome;

    outcome->attempts--;
    outcome->pid = 0;
    outcome->started_ns = 0;
    self->retry = g_steal_pointer(&self->task);
}

BtPoolTask *
bt_slot_hear(BtSlot *self, void *buffer, uint64_t now_ns, GError **error)
{
    BtFrameKind due = self->state == BT_WORKER_STARTING ? BT_FRAME_READY : BT_FRAME_REPLY;
    BtFrame frame;
    BtChannelState channel;

    if (self->channel_fd < 0)
        return NULL;
    channel = bt_channel_receive(self->channel_fd, due, false, buffer, &frame);
    if (channel == BT_CHANNEL_RESET && self->task != NULL)
        take_back(self);
    if (channel == BT_CHANNEL_CLOSED || channel == BT_CHANNEL_RESET) {
        bt_fd_clear(&self->channel_fd);
        enter(self, BT_WORKER_ENDING, now_ns, LEAVE_LIMIT_NS);
    } else if (channel == BT_CHANNEL_OK && frame.kind == BT_FRAME_UNFIT) {
        g_autofree char *text = copy_text(&frame);

        bt_error_set(error, BT_ERROR_FAILED, "%s", text);
        bt_slot_condemn(self, BT_TASK_DONE);
    } else if (channel == BT_CHANNEL_NONSENSE ||
               (channel == BT_CHANNEL_OK && !take_frame(self, &frame, now_ns))) {
        bt_slot_condemn(self, BT_TASK_NONSENSE);
    }
    return self->state == BT_WORKER_IDLE ? g_steal_pointer(&self->task) : NULL;
}

void
bt_slot_condemn(BtSlot *self, BtTaskEnd verdict)
{
    bt_process_signal(&self->process, SIGKILL);
    bt_fd_clear(&self->channel_fd);
    self->verdict = verdict;
    enter(self, BT_WORKER_ENDING, bt_clock_now_ns(), 0);
}

void
bt_slot_expire(BtSlot *self, uint64_t now_ns)
{
    if (now_ns >= self->until_ns)
        bt_slot_condemn(self,
                        self->state == BT_WORKER_ENDING ? BT_TASK_NONSENSE : BT_TASK_OVERTIME);
}

BtPoolTask *
bt_slot_bury(BtSlot *self, BtTaskEnd *out_end, int *out_detail)
{
    BtProcessEnd end;

    /* Reaped by somebody else: nobody knows how it ended. */
    if (!bt_process_join(&self->process, BT_CLOCK_FOREVER, &end, NULL))
        end = (BtProcessEnd){BT_PROCESS_KILLED, 0};
    *out_end = self->verdict;
    *out_detail = 0;
    if (self->verdict == BT_TASK_KILLED) {
        *out_end = end.fate == BT_PROCESS_EXITED ? BT_TASK_EXITED : BT_TASK_KILLED;
        *out_detail = end.detail;
    }
    bt_fd_clear(&self->channel_fd);
    enter(self, BT_WORKER_NONE, 0, 0);
    return g_steal_pointer(&self->task);
}
