/* SPDX-License-Identifier: MIT */
#include "pool/serve.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int
compare_ints(const void *a, const void *b)
{
    const int *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* close_range(), one by one where the kernel (before 5.9) or a filter refuses it: what a worker
 * inherits are other pictures and results. */
static void
close_from_to(unsigned first, unsigned last)
{
    struct rlimit files;

    if (close_range(first, last, 0) == 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    for (unsigned fd = first; fd <= last && fd < files.rlim_cur; fd++)
        close((int)fd);
}

/* Closes every descriptor from 3 on that is not in kept. */
static void
close_all_but(int *kept, size_t n)
{
    unsigned next = STDERR_FILENO + 1;

    qsort(kept, n, sizeof *kept, compare_ints);
    for (size_t i = 0; i < n; i++) {
        unsigned fd = (unsigned)kept[i];

        if (fd > next)
            close_from_to(next, fd - 1);
        next = MAX(next, fd + 1);
    }
    close_from_to(next, ~0U);
}

static void
let_go(const BtServeArgs *args)
{
    size_t n = (size_t)args->options->n_keep_fds;
    g_autofree int *kept = g_new(int, n + 1);
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null_fd >= 0)
        dup2(null_fd, STDIN_FILENO);
    for (size_t i = 0; i < n; i++)
        kept[i] = args->options->keep_fds[i];
    kept[n] = args->channel_fd;
    close_all_but(kept, n + 1);
}

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

    let_go(args);
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
