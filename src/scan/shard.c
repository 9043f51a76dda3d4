/* SPDX-License-Identifier: MIT */
#include "scan/shard.h"

#include "base/format.h"

#include <string.h>

/* Reads digits, and steps past them. False when there are none, or too large a number. */
static bool
read_number(const char **text, uint64_t *out_number)
{
    char *end;

    if (!g_ascii_isdigit(**text))
        return false;
    *out_number = g_ascii_strtoull(*text, &end, 10);
    *text = end;
    return *out_number <= UINT32_MAX;
}

bool
bt_shard_parse(const char *text, BtShard *out_shard, GError **error)
{
    const char *rest = text;
    uint64_t index, count;

    if (!read_number(&rest, &index) || *rest++ != '/' || !read_number(&rest, &count) ||
        *rest != '\0')
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%s is not a shard: write I/N, such as 0/8 for the first of 8", text);
    if (count == 0 || count > BT_SHARD_COUNT_MAX)
        return bt_error_set(error, BT_ERROR_INVALID, "%s: there can be 1 to %d shards", text,
                            BT_SHARD_COUNT_MAX);
    if (index >= count)
        return bt_error_set(error, BT_ERROR_INVALID,
                            "%s: shards count from 0: the last of %u is %u/%u", text,
                            (unsigned)count, (unsigned)count - 1, (unsigned)count);
    *out_shard = (BtShard){.index = (uint32_t)index, .count = (uint32_t)count};
    return true;
}

char *
bt_shard_key(const char *name)
{
    char *key = g_ascii_strdown(name, -1);

    while (bt_format_of_extension(key) != BT_FORMAT_NONE)
        *strrchr(key, '.') = '\0';
    return key;
}

uint64_t
bt_shard_hash(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
    return hash ^ hash >> 33;
}

/* The 128-bit product in two halves, neither of which overflows: count has 32 bits. */
bool
bt_shard_holds(const BtShard *self, const char *name)
{
    g_autofree char *key = NULL;
    uint64_t hash, high, low;

    if (self->count <= 1)
        return true;
    key = bt_shard_key(name);
    hash = bt_shard_hash(key);
    high = (hash >> 32) * self->count;
    low = (hash & UINT32_MAX) * self->count;
    return (high + (low >> 32)) >> 32 == self->index;
}
