/* SPDX-License-Identifier: MIT */
/*
 * A hash of 64 bits that is the same on every machine and in every version: records and shards are
 * made of it. Pure; any process.
 *
 * FNV-1a (offset cbf29ce484222325, prime 100000001b3), then the finalizer of MurmurHash3 (fmix64),
 * for the high bits of FNV-1a are poor:
 *
 *   h ^= h >> 33; h *= ff51afd7ed558ccd; h ^= h >> 33; h *= c4ceb9fe1a85ec53; h ^= h >> 33
 *
 * Follows: Fowler, Noll and Vo (draft-eastlake-fnv); Appleby's MurmurHash3. Not for keeping an
 * attacker out: names that collide can be made.
 */
#ifndef BT_BASE_HASH_H
#define BT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t bt_hash(const void *bytes, size_t size);

/* Of a text without its 0. */
uint64_t bt_hash_text(const char *text);

#endif
