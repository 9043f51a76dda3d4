/* SPDX-License-Identifier: MIT */
/* Monotonic time. Pure; any process. */
#ifndef BT_BASE_CLOCK_H
#define BT_BASE_CLOCK_H

#include <stdint.h>

#define BT_NS_PER_S  UINT64_C(1000000000)
#define BT_NS_PER_MS UINT64_C(1000000)

/* Nanoseconds of CLOCK_MONOTONIC: for differences only, the same scale in forked processes. */
uint64_t bt_clock_now_ns(void);

#endif
