/* SPDX-License-Identifier: MIT */
/*
 * A hash of 64 bits that is the same on every machine and in every version: records and shards are
 * made of it. Pure; any process.
 *
 * FNV-1a (Fowler, Noll and Vo, draft-eastlake-fnv), then the finalizer of Appleby's MurmurHash3
 * (fmix64), for the high bits of FNV-1a are poor. Names that collide can be made.
 */
#ifndef BT_BASE_HASH_H
#define BT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t bt_hash(const void *bytes, size_t size);

/* Of a text without its 0. */
uint64_t bt_hash_text(const char *text);

#endif
