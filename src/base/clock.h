/* SPDX-License-Identifier: MIT */
/* Monotonic time, and waiting by it. Any process. */
#ifndef BT_BASE_CLOCK_H
#define BT_BASE_CLOCK_H

#include <poll.h>
#include <stdint.h>

#define BT_NS_PER_S  UINT64_C(1000000000)
#define BT_NS_PER_MS UINT64_C(1000000)

/* As a time to wait, or a moment: without end. */
#define BT_CLOCK_FOREVER UINT64_MAX

/* Nanoseconds of CLOCK_MONOTONIC: for differences only, the same scale in forked processes. */
uint64_t bt_clock_now_ns(void);

/* The moment timeout_ns after now_ns; BT_CLOCK_FOREVER where that is past the clock's end. */
uint64_t bt_clock_moment(uint64_t now_ns, uint64_t timeout_ns);

/* As poll(), but until a moment (at once when it is over) and across signals. */
int bt_clock_poll(struct pollfd *fds, nfds_t n, uint64_t until_ns);

#endif
