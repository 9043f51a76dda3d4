/* SPDX-License-Identifier: MIT */
#include "scan/shard.h"

#include "base/format.h"
#include "base/hash.h"

#include <string.h>

bool
bt_shard_parse(const char *text, BtShard *out_shard, GError **error)
{
    g_auto(GStrv) numbers = g_strsplit(text, "/", -1);
    uint64_t index, count;

    if (g_strv_length(numbers) != 2 ||
        !g_ascii_string_to_unsigned(numbers[0], 10, 0, UINT32_MAX, &index, NULL) ||
        !g_ascii_string_to_unsigned(numbers[1], 10, 0, UINT32_MAX, &count, NULL))
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
bt_shard_bare_name(const char *name)
{
    char *bare = g_ascii_strdown(name, -1);

    while (bt_format_of_extension(bare) != BT_FORMAT_NONE)
        *strrchr(bare, '.') = '\0';
    return bare;
}

/* The 128-bit product in two halves, neither of which overflows: count has 32 bits. */
bool
bt_shard_holds(const BtShard *self, const char *name)
{
    g_autofree char *bare = NULL;
    uint64_t hash, high, low;

    if (self->count <= 1)
        return true;
    bare = bt_shard_bare_name(name);
    hash = bt_hash_text(bare);
    high = (hash >> 32) * self->count;
    low = (hash & UINT32_MAX) * self->count;
    return (high + (low >> 32)) >> 32 == self->index;
}
