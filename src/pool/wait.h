/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors until a moment of the monotonic clock. Any process. */
#ifndef BT_POOL_WAIT_H
#define BT_POOL_WAIT_H

#include <poll.h>
#include <stdint.h>

#define BT_WAIT_FOREVER UINT64_MAX

/* The moment timeout_ns from now_ns on; BT_WAIT_FOREVER where that is past the clock's end, or
 * now_ns is. */
uint64_t bt_wait_moment(uint64_t now_ns, uint64_t timeout_ns);

/* As poll(), but until a moment (at once when it is over) and across signals. */
int bt_wait_poll(struct pollfd *fds, nfds_t n, uint64_t until_ns);

#endif
