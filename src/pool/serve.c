/* SPDX-License-Identifier: MIT */
#include "pool/serve.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static BtChannelState
serve_task(const BtServeArgs *args, void *state, const BtFrame *frame, void *reply)
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
begin(const BtServeArgs *args, void **out_state)
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

int
bt_serve(void *data)
{
    const BtServeArgs *args = data;
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
