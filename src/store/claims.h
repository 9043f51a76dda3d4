/* SPDX-License-Identifier: MIT */
/*
 * Which names and places a run has met, by their hashes (base/hash.h): 16 bytes an entry in a table
 * that is at least a quarter empty. Pure; supervisor.
 *
 * The hashes of two different names are the same once in 10^7 runs over a million names.
 */
#ifndef BT_STORE_CLAIMS_H
#define BT_STORE_CLAIMS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Who has claimed a name. */
typedef struct BtOwner {
    uint32_t root;   /* index of the PATH that it was found under */
    uint32_t source; /* what tells one source from another */
} BtOwner;

typedef struct BtClaims BtClaims;

BtClaims *bt_claims_new(void);
void bt_claims_free(BtClaims *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtClaims, bt_claims_free)

/* Gives the hash to the owner, unless it has one already. Returns the one that has it now, lent
 * until the next call. */
const BtOwner *bt_claims_add(BtClaims *self, uint64_t hash, BtOwner owner);

bool bt_claims_has(const BtClaims *self, uint64_t hash);

#endif
