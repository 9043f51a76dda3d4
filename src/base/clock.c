/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <time.h>

uint64_t
bt_clock_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * BT_NS_PER_S + (uint64_t)now.tv_nsec;
}
