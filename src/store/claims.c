/* SPDX-License-Identifier: MIT */
#include "store/claims.h"

#define FIRST_SIZE 1024 /* entries; a power of two, as every size is */

typedef struct Entry {
    uint64_t hash; /* 0: empty */
    BtOwner owner;
} Entry;

struct BtClaims {
    Entry *entries;
    size_t size, n_used;
};

/* The entry of a hash, or the empty one where it belongs. */
static Entry *
find(const BtClaims *self, uint64_t hash)
{
    size_t at = hash & (self->size - 1);

    while (self->entries[at].hash != 0 && self->entries[at].hash != hash)
        at = (at + 1) & (self->size - 1);
    return &self->entries[at];
}

static void
grow(BtClaims *self)
{
    BtClaims larger = {.size = 2 * self->size, .n_used = self->n_used};

    larger.entries = g_new0(Entry, larger.size);
    for (size_t i = 0; i < self->size; i++)
        if (self->entries[i].hash != 0)
            *find(&larger, self->entries[i].hash) = self->entries[i];
    g_free(self->entries);
    *self = larger;
}

/* 0 stands for nothing. */
static uint64_t
key_of(uint64_t hash)
{
    return hash != 0 ? hash : 1;
}

BtClaims *
bt_claims_new(void)
{
    BtClaims *self = g_new0(BtClaims, 1);

    self->size = FIRST_SIZE;
    self->entries = g_new0(Entry, self->size);
    return self;
}

void
bt_claims_free(BtClaims *self)
{
    if (self == NULL)
        return;
    g_free(self->entries);
    g_free(self);
}

const BtOwner *
bt_claims_add(BtClaims *self, uint64_t hash, BtOwner owner)
{
    Entry *entry;

    if (4 * (self->n_used + 1) > 3 * self->size)
        grow(self);
    entry = find(self, key_of(hash));
    if (entry->hash == 0) {
        *entry = (Entry){key_of(hash), owner};
        self->n_used++;
    }
    return &entry->owner;
}

bool
bt_claims_has(const BtClaims *self, uint64_t hash)
{
    return find(self, key_of(hash))->hash != 0;
}
