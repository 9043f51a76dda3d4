/* SPDX-License-Identifier: MIT */
#include "image/exif.h"

#include "base/number.h"
#include "image/tiff.h"

#include <string.h>

#define ENTRY_BYTES 12
#define ORIENTATION 274

int
bt_exif_orientation(const void *bytes, size_t size)
{
    const uint8_t *tiff;
    bool little;
    size_t at, n;

    if (size < BT_EXIF_PREFIX_BYTES + 8 || memcmp(bytes, BT_EXIF_PREFIX, BT_EXIF_PREFIX_BYTES) != 0)
        return 1;
    tiff = (const uint8_t *)bytes + BT_EXIF_PREFIX_BYTES;
    size -= BT_EXIF_PREFIX_BYTES;
    if ((memcmp(tiff, "II*\0", 4) != 0 && memcmp(tiff, "MM\0*", 4) != 0))
        return 1;
    little = tiff[0] == 'I';
    at = bt_number(tiff + 4, 4, little);
    if (at > size - 2)
        return 1;
    n = bt_number(tiff + at, 2, little);
    for (at += 2; n > 0 && at + ENTRY_BYTES <= size; n--, at += ENTRY_BYTES) {
        unsigned type = (unsigned)bt_number(tiff + at + 2, 2, little);
        bool whole = type == BT_TIFF_BYTE || type == BT_TIFF_SHORT || type == BT_TIFF_LONG;
        uint64_t value = whole ? bt_number(tiff + at + 8, bt_tiff_type_bytes(type), little) : 0;

        if (bt_number(tiff + at, 2, little) == ORIENTATION &&
            bt_number(tiff + at + 4, 4, little) == 1 && value >= 1 && value <= 8)
            return (int)value;
    }
    return 1;
}

static void
append_number(GByteArray *to, uint64_t value, size_t size)
{
    uint64_t big = GUINT64_TO_BE(value);

    g_byte_array_append(to, (const guint8 *)&big + sizeof big - size, (guint)size);
}

static void
append_entry(GByteArray *to, unsigned tag, unsigned type, uint64_t n)
{
    append_number(to, tag, 2);
    append_number(to, type, 2);
    append_number(to, n, 4);
}

void
bt_exif_maker_init(BtExifMaker *self)
{
    self->block = g_byte_array_new();
    g_byte_array_append(self->block, (const guint8 *)"MM\0*\0\0\0", 8);
    for (int i = 0; i < BT_EXIF_DIRECTORIES; i++)
        self->entries[i] = g_byte_array_new();
}

void
bt_exif_maker_put(BtExifMaker *self, BtExifDirectory directory, unsigned tag, unsigned type,
                  uint64_t n, const uint8_t *value, bool little)
{
    GByteArray *entries = self->entries[directory], *to = entries;
    size_t size = bt_tiff_type_bytes(type), n_bytes = n * size;
    size_t unit = type == BT_TIFF_RATIONAL || type == BT_TIFF_SIGNED_RATIONAL ? size / 2 : size;

    append_entry(entries, tag, type, n);
    if (n_bytes > 4) {
        to = self->block;
        append_number(entries, to->len, 4);
    }
    for (size_t i = 0; i < n_bytes; i += unit)
        append_number(to, bt_number(value + i, unit, little), unit);
    append_number(to, 0, n_bytes > 4 ? n_bytes % 2 : 4 - n_bytes);
}

/* Takes the entries. The directory's offset. */
static uint32_t
append_directory(GByteArray *to, GByteArray *entries)
{
    uint32_t at = to->len;

    append_number(to, entries->len / ENTRY_BYTES, 2);
    g_byte_array_append(to, entries->data, entries->len);
    append_number(to, 0, 4);
    g_byte_array_unref(entries);
    return at;
}

GBytes *
bt_exif_maker_finish(BtExifMaker *self)
{
    static const unsigned pointers[] = {[BT_EXIF_PHOTO] = 0x8769, [BT_EXIF_GPS] = 0x8825};
    GByteArray *main_entries = self->entries[BT_EXIF_MAIN];
    uint32_t at;

    for (int i = BT_EXIF_PHOTO; i < BT_EXIF_DIRECTORIES; i++) {
        append_entry(main_entries, pointers[i], BT_TIFF_LONG, 1);
        append_number(main_entries, append_directory(self->block, self->entries[i]), 4);
    }
    at = GUINT32_TO_BE(append_directory(self->block, main_entries));
    memcpy(self->block->data + 4, &at, sizeof at);
    return g_byte_array_free_to_bytes(self->block);
}
