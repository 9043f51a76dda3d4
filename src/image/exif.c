/* SPDX-License-Identifier: MIT */
#include "image/exif.h"

#include "base/number.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TAG_ORIENTATION 274
#define ENTRY_BYTES     12

/* A TIFF structure: offsets count from its first byte. */
typedef struct Tiff {
    const uint8_t *bytes;
    size_t size;
    bool little;
} Tiff;

static uint32_t
read_u16(const Tiff *self, size_t at)
{
    return (uint32_t)bt_number(self->bytes + at, 2, self->little);
}

static uint32_t
read_u32(const Tiff *self, size_t at)
{
    return (uint32_t)bt_number(self->bytes + at, 4, self->little);
}

static bool
open_tiff(const uint8_t *bytes, size_t size, Tiff *out_tiff)
{
    static const uint8_t little[] = {'I', 'I', 42, 0}, big[] = {'M', 'M', 0, 42};

    if (size < 8 ||
        (memcmp(bytes, little, sizeof little) != 0 && memcmp(bytes, big, sizeof big) != 0))
        return false;
    *out_tiff = (Tiff){bytes, size, bytes[0] == 'I'};
    return true;
}

/* The whole number that stands in an entry of its directory, or 0. */
static uint32_t
read_value(const Tiff *tiff, size_t at)
{
    enum {
        BYTE = 1,
        SHORT = 3,
        LONG = 4
    };

    switch (read_u16(tiff, at + 2)) {
    case BYTE:
        return tiff->bytes[at + 8];
    case SHORT:
        return read_u16(tiff, at + 8);
    case LONG:
        return read_u32(tiff, at + 8);
    default:
        return 0;
    }
}

/* A directory entry that says what the picture's orientation is, or 0. */
static int
read_entry(const Tiff *tiff, size_t at)
{
    uint32_t value;

    if (read_u16(tiff, at) != TAG_ORIENTATION || read_u32(tiff, at + 4) != 1)
        return 0;
    value = read_value(tiff, at);
    return value <= 8 ? (int)value : 0;
}

int
bt_exif_orientation(const void *bytes, size_t size)
{
    static const uint8_t exif[] = {'E', 'x', 'i', 'f', 0, 0};
    Tiff tiff;
    size_t at, n;

    if (size < sizeof exif || memcmp(bytes, exif, sizeof exif) != 0 ||
        !open_tiff((const uint8_t *)bytes + sizeof exif, size - sizeof exif, &tiff))
        return 1;
    at = read_u32(&tiff, 4);
    if (at > tiff.size - 2)
        return 1;
    n = read_u16(&tiff, at);
    for (at += 2; n > 0 && at + ENTRY_BYTES <= tiff.size; n--, at += ENTRY_BYTES) {
        int orientation = read_entry(&tiff, at);

        if (orientation != 0)
            return orientation;
    }
    return 1;
}
