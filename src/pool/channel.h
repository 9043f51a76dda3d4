/* SPDX-License-Identifier: MIT */
/*
 * The channel between supervisor and worker: frames and descriptors over a SOCK_SEQPACKET pair.
 * All passing of descriptors (SCM_RIGHTS) is in this file. Supervisor and worker.
 *
 * One frame is one message. Received frames are hostile until proven otherwise: a wrong magic, kind
 * or size, a truncated message or descriptors where none belong are BT_CHANNEL_NONSENSE, and no
 * descriptor that came stays open.
 *
 * Follows: OpenSSH monitor_fdpass.c (one small file for descriptors), nginx ngx_channel.c.
 */
#ifndef BT_POOL_CHANNEL_H
#define BT_POOL_CHANNEL_H

#include "base/error.h"
#include "base/fd.h"

#include <stddef.h>
#include <stdint.h>

#define BT_FRAME_BYTES_MAX 65536 /* of payload */
#define BT_FRAME_FDS_MAX   4

typedef enum BtFrameKind {
    BT_FRAME_TASK = 1, /* supervisor to worker, with descriptors */
    BT_FRAME_READY,    /* worker to supervisor, once: it has started and takes tasks */
    BT_FRAME_UNFIT,    /* worker to supervisor, in place of READY: it cannot start, and leaves */
    BT_FRAME_REPLY,    /* worker to supervisor, the answer to a task */
} BtFrameKind;

typedef struct BtFrame {
    BtFrameKind kind;
    uint64_t id;       /* of the task; 0 in READY and UNFIT */
    int attempt;       /* of a task: 1 or more */
    const void *bytes; /* when received: inside the buffer that was given */
    size_t size;
    int fds[BT_FRAME_FDS_MAX]; /* when received: owned by the receiver, CLOEXEC */
    int n_fds;
} BtFrame;

typedef enum BtChannelState {
    BT_CHANNEL_OK,
    BT_CHANNEL_EMPTY,   /* nothing to receive now, or no room to send now (never blocks) */
    BT_CHANNEL_CLOSED,  /* the other side is gone */
    BT_CHANNEL_RESET,   /* it is gone without having read all that was sent to it; said once */
    BT_CHANNEL_NONSENSE /* not a frame */
} BtChannelState;

/* A connected pair, both ends CLOEXEC. */
BT_MUST_CHECK bool bt_channel_pair(BtFd *out_supervisor, BtFd *out_worker, GError **error);

/* Sends; never raises SIGPIPE. wait: block until there is room (the worker), else EMPTY. The
 * frame's descriptors stay the caller's. */
BT_MUST_CHECK BtChannelState bt_channel_send(int fd, const BtFrame *frame, bool wait);

/* Receives one frame of the expected kind into buffer (BT_FRAME_BYTES_MAX bytes); who expects READY
 * gets UNFIT, too. Only a task can bring descriptors: for another kind the kernel is given no place
 * to put any. out_frame is written on OK only. */
BT_MUST_CHECK BtChannelState bt_channel_receive(int fd, BtFrameKind expected, bool wait,
                                                void *buffer, BtFrame *out_frame);

#endif
