/* SPDX-License-Identifier: MIT */
#include "pool/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MAGIC UINT32_C(0x62746672) /* "btfr" */

/* Both ends are one program: its own layout and byte order will do. */
typedef struct Header {
    uint32_t magic;
    uint32_t kind;
    uint64_t id;
    uint32_t attempt;
    uint32_t size;
} Header;

_Static_assert(sizeof(Header) == 24, "no padding: it would leak memory to the other side");

typedef union Control {
    struct cmsghdr align;
    unsigned char bytes[CMSG_SPACE(BT_FRAME_FDS_MAX * sizeof(int))];
} Control;

bool
bt_channel_pair(BtFd *out_supervisor, BtFd *out_worker, GError **error)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return bt_error_set_system(error, errno, "cannot make a channel");
    *out_supervisor = ends[0];
    *out_worker = ends[1];
    return true;
}

/* What a failed system call means. Shortage of kernel memory, or of descriptors in flight, passes
 * like a full socket. */
static BtChannelState
state_of_errno(int errnum)
{
    switch (errnum) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
    case ETOOMANYREFS:
        return BT_CHANNEL_EMPTY;
    case ECONNRESET:
        return BT_CHANNEL_RESET;
    default:
        return BT_CHANNEL_CLOSED;
    }
}

BtChannelState
bt_channel_send(int fd, const BtFrame *frame, bool wait)
{
    Header header = {MAGIC, (uint32_t)frame->kind, frame->id, (uint32_t)frame->attempt,
                     (uint32_t)frame->size};
    struct iovec parts[] = {
        {.iov_base = &header, .iov_len = sizeof header},
        {.iov_base = (void *)(uintptr_t)frame->bytes, .iov_len = frame->size},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = G_N_ELEMENTS(parts)};
    Control control = {0};
    ssize_t n;

    if (frame->n_fds > 0) {
        size_t fds_bytes = (size_t)frame->n_fds * sizeof(int);

        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(fds_bytes);
        memcpy(CMSG_DATA(&control.align), frame->fds, fds_bytes);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(fds_bytes);
    }
    do
        n = sendmsg(fd, &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    while (n < 0 && errno == EINTR);
    return n < 0 ? state_of_errno(errno) : BT_CHANNEL_OK;
}

static void
take_fds(struct msghdr *message, BtFrame *frame)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t fds_bytes = MIN(c->cmsg_len - CMSG_LEN(0), sizeof frame->fds);

            memcpy(frame->fds, CMSG_DATA(c), fds_bytes);
            frame->n_fds = (int)(fds_bytes / sizeof(int));
        }
    }
}

static bool
is_frame(const Header *header, const struct msghdr *message, size_t n, BtFrameKind expected)
{
    return n >= sizeof *header && (message->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
           header->magic == MAGIC && header->size == n - sizeof *header &&
           (header->kind == (uint32_t)expected ||
            (header->kind == BT_FRAME_UNFIT && expected == BT_FRAME_READY));
}

BtChannelState
bt_channel_receive(int fd, BtFrameKind expected, bool wait, void *buffer, BtFrame *out_frame)
{
    Header header;
    struct iovec parts[] = {
        {.iov_base = &header, .iov_len = sizeof header},
        {.iov_base = buffer, .iov_len = BT_FRAME_BYTES_MAX},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = G_N_ELEMENTS(parts)};
    Control control;
    BtFrame frame = {0};
    ssize_t n;

    if (expected == BT_FRAME_TASK) {
        message.msg_control = &control;
        /* CMSG_LEN, not CMSG_SPACE: padding could hold one more than there is room for. */
        message.msg_controllen = CMSG_LEN(sizeof frame.fds);
    }
    do
        n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return state_of_errno(errno);
    take_fds(&message, &frame);
    if (n == 0 && frame.n_fds == 0)
        return BT_CHANNEL_CLOSED;
    if (!is_frame(&header, &message, (size_t)n, expected)) {
        for (int i = 0; i < frame.n_fds; i++)
            bt_fd_clear(&frame.fds[i]);
        return BT_CHANNEL_NONSENSE;
    }
    frame.kind = (BtFrameKind)header.kind;
    frame.id = header.id;
    frame.attempt = (int)header.attempt;
    frame.bytes = buffer;
    frame.size = header.size;
    *out_frame = frame;
    return BT_CHANNEL_OK;
}
