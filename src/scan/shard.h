/* SPDX-License-Identifier: MIT */
/*
 * This job's part of the sources, when several share them. Pure; any process.
 *
 *   bt_shard_parse("3/8", &shard, &error)
 *   if (bt_shard_holds(&shard, source->name)) ...
 *
 * Every name is in exactly one of `count` shards, and in which one depends on its bytes alone: not
 * on the machine, the locale or the other names. What follows is therefore a format, which never
 * changes.
 *
 *   bare:  the name in lower case (ASCII alone) without the picture extensions at its end, as many
 *          as there are: all those of base/format.c. A result is called by its source's name, or
 *          that and an extension, so two sources that could come to one result have one: a.bmp
 *          and a.bmp.jpg, and a.jpg and A.JPG where case does not count. An extension that is added
 *          to base/format.c moves its pictures to other shards; no other change does.
 *   hash:  bt_hash_text() of the bare name
 *   shard: the high 64 bits of the 128-bit product hash * count
 *
 * Follows: Lemire, "Fast random integer generation in an interval" (2019), for the multiplication.
 */
#ifndef BT_SCAN_SHARD_H
#define BT_SCAN_SHARD_H

#include "base/error.h"

#include <stdint.h>

#define BT_SHARD_COUNT_MAX 1000000

/* Zeroed, and with a count of 1, it holds everything. */
typedef struct BtShard {
    uint32_t index; /* < count */
    uint32_t count; /* <= BT_SHARD_COUNT_MAX */
} BtShard;

/* Reads "I/N", which counts from 0: "0/8" to "7/8". */
BT_MUST_CHECK bool bt_shard_parse(const char *text, BtShard *out_shard, GError **error);

/* What of a name decides. Owned (g_free). */
char *bt_shard_bare_name(const char *name);

bool bt_shard_holds(const BtShard *self, const char *name);

#endif
