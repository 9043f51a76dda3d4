/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

uint64_t
bt_clock_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * BT_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t
bt_clock_moment(uint64_t now_ns, uint64_t timeout_ns)
{
    return timeout_ns < BT_CLOCK_FOREVER - now_ns ? now_ns + timeout_ns : BT_CLOCK_FOREVER;
}

int
bt_clock_poll(struct pollfd *fds, nfds_t n, uint64_t until_ns)
{
    int n_ready;

    do {
        uint64_t now_ns = bt_clock_now_ns();
        uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
        struct timespec left = {
            .tv_sec = (time_t)(left_ns / BT_NS_PER_S),
            .tv_nsec = (long)(left_ns % BT_NS_PER_S),
        };

        n_ready = ppoll(fds, n, &left, NULL);
    } while (n_ready < 0 && errno == EINTR);
    return n_ready;
}
