/* SPDX-License-Identifier: MIT */
/* What a worker that has been taken over may send: any message, with descriptors or without. The
 * first byte says what is expected, the second how many descriptors come with it. */
#include "fuzz.h"

#include "image/outcome.h"
#include "pool/channel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX (BT_FRAME_FDS_MAX + 2)

typedef union Control {
    struct cmsghdr align;
    unsigned char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
} Control;

static void
send_message(int fd, const uint8_t *bytes, size_t size, int n_fds)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    Control control = {0};

    if (n_fds > 0) {
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN((size_t)n_fds * sizeof(int));
        for (int i = 0; i < n_fds; i++)
            memcpy(CMSG_DATA(&control.align) + (size_t)i * sizeof(int), &fd, sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE((size_t)n_fds * sizeof(int));
    }
    g_assert_cmpint(sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL), ==, size);
}

static void
look_at(const BtFrame *frame)
{
    BtOutcome outcome;

    g_assert_cmpuint(frame->size, <=, BT_FRAME_BYTES_MAX);
    g_assert_true(frame->kind == BT_FRAME_TASK || frame->n_fds == 0);
    for (int i = 0; i < frame->n_fds; i++)
        g_assert_cmpint(close(frame->fds[i]), ==, 0);
    if (!bt_outcome_is_valid(frame->bytes, frame->size, &outcome))
        return;
    g_assert_cmpuint(strlen(outcome.sentence), <, sizeof outcome.sentence);
    g_assert_cmpuint(strlen(outcome.loader), <, sizeof outcome.loader);
    g_assert_nonnull(bt_reason_name(outcome.reason));
    g_assert_nonnull(bt_format_name(outcome.format));
}

static int
lowest_free_fd(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    close(fd);
    return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const BtFrameKind kinds[] = {BT_FRAME_REPLY, BT_FRAME_READY, BT_FRAME_TASK};
    g_autofree void *buffer = g_malloc(BT_FRAME_BYTES_MAX);
    g_auto(BtFd) supervisor = -1;
    g_auto(BtFd) worker = -1;
    BtChannelState state;
    BtFrame frame;
    int free_fd;

    if (size < 2 || size > 2 * BT_FRAME_BYTES_MAX || !bt_channel_pair(&supervisor, &worker, NULL))
        return 0;
    free_fd = lowest_free_fd();
    send_message(worker, bytes + 2, size - 2, bytes[1] % (FDS_MAX + 1));
    state = bt_channel_receive(supervisor, kinds[bytes[0] % G_N_ELEMENTS(kinds)], false, buffer,
                               &frame);
    if (state == BT_CHANNEL_OK)
        look_at(&frame);
    /* None of the descriptors is left open. */
    g_assert_cmpint(lowest_free_fd(), ==, free_fd);
    return 0;
}
