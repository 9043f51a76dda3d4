/* SPDX-License-Identifier: MIT */
/*
 * A worker's side of the pool: start, then one task after the other until the channel closes.
 * Worker.
 *
 * Before anything else it lets go of what it inherited, so it holds no end of another worker's
 * channel, and sees its own close when the supervisor goes.
 */
#ifndef BT_POOL_SERVE_H
#define BT_POOL_SERVE_H

#include "pool/pool.h"

typedef struct BtServeArgs {
    const BtPoolOptions *options;
    int channel_fd;
} BtServeArgs;

/* A BtProcessFunction; data is a BtServeArgs. Returns the exit code: 0 when the channel closed, 1
 * when the worker cannot start, or when something came that is not a task. */
int bt_serve(void *data);

#endif
