/* SPDX-License-Identifier: MIT */
#include "image/tiff.h"

#include "base/fd.h"
#include "base/number.h"

#include <string.h>

#define ENTRIES_MAX 1024

bool
bt_bytes_read(BtBytes *self, uint64_t at, void *out, size_t n)
{
    uint8_t *to = out;

    while (n > 0) {
        size_t here;

        if (at >= self->size)
            return false;
        if (at < self->block_at || at - self->block_at >= self->block_size) {
            ssize_t got;

            self->block_at = at - at % sizeof self->block;
            got = bt_fd_read_at(self->fd, self->block, sizeof self->block, (off_t)self->block_at);
            self->block_size = (uint64_t)MAX(got, 0);
            if (at - self->block_at >= self->block_size)
                return false;
        }
        here = MIN(n, self->block_size - (at - self->block_at));
        memcpy(to, self->block + (at - self->block_at), here);
        to += here;
        at += here;
        n -= here;
    }
    return true;
}

uint64_t
bt_bytes_number(BtBytes *self, bool little, uint64_t at, size_t size)
{
    uint8_t bytes[8];

    return bt_bytes_read(self, at, bytes, size) ? bt_number(bytes, size, little) : 0;
}

bool
bt_bytes_match(BtBytes *self, uint64_t at, const char *bytes, size_t n)
{
    uint8_t here[16];

    return bt_bytes_read(self, at, here, n) && memcmp(here, bytes, n) == 0;
}

size_t
bt_tiff_type_bytes(unsigned type)
{
    static const uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};

    return type < sizeof sizes ? sizes[type] : 0;
}

static uint64_t
number_at(const BtTiff *self, uint64_t at, size_t size)
{
    return bt_bytes_number(self->bytes, self->little, at, size);
}

static size_t
offset_bytes(const BtTiff *self)
{
    return self->big ? 8 : 4;
}

BtTiff
bt_tiff_at(BtBytes *bytes, uint64_t base)
{
    BtTiff self = {bytes, base, bt_bytes_match(bytes, base, "II", 2), false};

    self.big = number_at(&self, base + 2, 2) == 43;
    return self;
}

uint64_t
bt_tiff_first(const BtTiff *self)
{
    return number_at(self, self->base + offset_bytes(self), offset_bytes(self));
}

BtTiffDirectory
bt_tiff_open(const BtTiff *self, uint64_t offset)
{
    size_t count_bytes = self->big ? 8 : 2;
    uint64_t n = number_at(self, self->base + offset, count_bytes);

    return (BtTiffDirectory){self->base + offset + count_bytes, MIN(n, ENTRIES_MAX),
                             n <= ENTRIES_MAX};
}

bool
bt_tiff_next(const BtTiff *self, BtTiffDirectory *directory, BtTiffEntry *out_entry)
{
    size_t offset = offset_bytes(self);

    while (directory->n_left > 0) {
        uint64_t at = directory->at;
        BtTiffEntry entry = {(unsigned)number_at(self, at, 2), (unsigned)number_at(self, at + 2, 2),
                             number_at(self, at + 4, offset), at + 4 + offset};
        size_t size = bt_tiff_type_bytes(entry.type);

        directory->n_left--;
        directory->at += 4 + 2 * offset;
        if (size == 0 || entry.n > self->bytes->size)
            continue;
        if (entry.n * size > offset)
            entry.at = self->base + number_at(self, entry.at, offset);
        if (entry.at < self->base) /* it has wrapped */
            continue;
        *out_entry = entry;
        return true;
    }
    return false;
}

uint64_t
bt_tiff_following(const BtTiff *self, const BtTiffDirectory *directory)
{
    return directory->whole ? number_at(self, directory->at, offset_bytes(self)) : 0;
}

uint64_t
bt_tiff_value(const BtTiff *self, const BtTiffEntry *entry, uint64_t i)
{
    size_t size = bt_tiff_type_bytes(entry->type);
    uint64_t at = entry->at + i * size, below;

    if (i >= entry->n || entry->type == BT_TIFF_SIGNED_RATIONAL || entry->type == BT_TIFF_FLOAT ||
        entry->type == BT_TIFF_DOUBLE)
        return 0;
    if (entry->type != BT_TIFF_RATIONAL)
        return number_at(self, at, size);
    below = number_at(self, at + 4, 4);
    return below > 0 ? number_at(self, at, 4) / below : 0;
}
