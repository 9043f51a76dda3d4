/* SPDX-License-Identifier: MIT */
/* Messages that a worker has no business to send. What they do not end, is answered as ever. */
#include "hostile.h"

#include "pool/channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAGIC UINT32_C(0x62746672) /* as in pool/channel.c */

typedef struct Header {
    uint32_t magic, kind;
    uint64_t id;
    uint32_t attempt, size;
} Header;

static void
send_frame(const Turn *turn, BtFrameKind kind, uint64_t id, size_t size)
{
    BtFrame frame = {.kind = kind, .id = id, .bytes = &turn->outcome, .size = size};

    (void)!bt_channel_send(turn->self->channel_fd, &frame, true);
}

static void
send_bytes(const Turn *turn, Header header, size_t size)
{
    g_autofree unsigned char *bytes = g_malloc0(MAX(size, sizeof header));
    struct iovec part = {bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    memcpy(bytes, &header, sizeof header);
    (void)!sendmsg(turn->self->channel_fd, &message, MSG_NOSIGNAL);
}

static void
answer_other_task(Turn *turn)
{
    send_frame(turn, BT_FRAME_REPLY, turn->task->id + turn->number, sizeof turn->outcome);
}

static void
answer_as(Turn *turn)
{
    send_frame(turn, (BtFrameKind)turn->number, turn->task->id, sizeof turn->outcome);
}

static void
say_ready(Turn *turn)
{
    send_frame(turn, BT_FRAME_READY, 0, 0);
}

static void
say_unfit(Turn *turn)
{
    send_frame(turn, BT_FRAME_UNFIT, 0, 0);
}

static void
send_magic(Turn *turn)
{
    send_bytes(turn, (Header){MAGIC + 1, BT_FRAME_REPLY, turn->task->id, 0, 0}, sizeof(Header));
}

static void
send_short(Turn *turn)
{
    send_bytes(turn, (Header){MAGIC, BT_FRAME_REPLY, turn->task->id, 0, 0}, turn->number);
}

static void
send_wrong_size(Turn *turn)
{
    send_bytes(turn, (Header){MAGIC, BT_FRAME_REPLY, turn->task->id, 0, (uint32_t)turn->number},
               sizeof(Header));
}

static void
send_long(Turn *turn)
{
    uint32_t size = (uint32_t)turn->number;

    send_bytes(turn, (Header){MAGIC, BT_FRAME_REPLY, turn->task->id, 0, size},
               sizeof(Header) + size);
}

static void
answer_twice(Turn *turn)
{
    send_frame(turn, BT_FRAME_REPLY, turn->task->id, sizeof turn->outcome);
}

/* To tasks that are yet to come: a taken-over worker need not read them. */
static void
answer_ahead(Turn *turn)
{
    send_frame(turn, BT_FRAME_REPLY, turn->task->id, sizeof turn->outcome);
    for (uint64_t i = 1; i <= turn->number; i++)
        send_frame(turn, BT_FRAME_REPLY, turn->task->id + i, sizeof turn->outcome);
}

static void
flood(Turn *turn)
{
    for (uint64_t i = 0; i < turn->number; i++)
        send_frame(turn, BT_FRAME_REPLY, turn->task->id, sizeof turn->outcome);
}

/* The answer, with descriptors. */
static void
send_descriptors(Turn *turn)
{
    Header header = {MAGIC, BT_FRAME_REPLY, turn->task->id, 0, sizeof turn->outcome};
    struct iovec parts[] = {{&header, sizeof header}, {&turn->outcome, sizeof turn->outcome}};
    union {
        struct cmsghdr align;
        unsigned char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {.align = {CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct msghdr message = {.msg_iov = parts,
                             .msg_iovlen = G_N_ELEMENTS(parts),
                             .msg_control = &control,
                             .msg_controllen = sizeof control};

    memcpy(CMSG_DATA(&control.align), turn->task->fds, 2 * sizeof(int));
    (void)!sendmsg(turn->self->channel_fd, &message, MSG_NOSIGNAL);
}

static void
hang_up(Turn *turn)
{
    close(turn->self->channel_fd);
    if (turn->number > 0)
        sleep((unsigned)turn->number);
}

const Attack hostile_frames[] = {
    {"other-task", answer_other_task, false},
    {"answer-as", answer_as, false},
    {"ready", say_ready, false},
    {"unfit", say_unfit, false},
    {"magic", send_magic, false},
    {"short", send_short, false},
    {"wrong-size", send_wrong_size, false},
    {"long", send_long, false},
    {"twice", answer_twice, false},
    {"ahead", answer_ahead, false},
    {"flood", flood, false},
    {"descriptors", send_descriptors, false},
    {"hang-up", hang_up, false},
    {NULL, NULL, false},
};
