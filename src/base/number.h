/* SPDX-License-Identifier: MIT */
/* Numbers as files hold them. Pure; any process. */
#ifndef BT_BASE_NUMBER_H
#define BT_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An unsigned number of size bytes, 8 at most; little: its lowest byte comes first. */
static inline uint64_t
bt_number(const uint8_t *bytes, size_t size, bool little)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[little ? size - 1 - i : i];
    return value;
}

#endif
