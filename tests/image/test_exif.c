/* SPDX-License-Identifier: MIT */
/* The orientation from Exif blocks: whole, damaged and hostile. */
#include "image/exif.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define PREFIX_BYTES    6 /* "Exif" and two zero bytes */
#define HEADER_BYTES    8
#define ENTRY_BYTES     12
#define TAG_ORIENTATION 274
#define TYPE_BYTE       1
#define TYPE_SHORT      3
#define TYPE_LONG       4

typedef struct Entry {
    uint16_t tag, type;
    uint32_t count;
    uint16_t value;
} Entry;

/* Asks of a heap copy of exactly this size, so that a sanitizer sees a byte that is read beyond. */
static int
ask(const void *bytes, size_t size)
{
    g_autofree void *copy = g_memdup2(bytes, size);
    int orientation = bt_exif_orientation(copy, size);

    g_assert_cmpint(orientation, >=, 1);
    g_assert_cmpint(orientation, <=, 8);
    return orientation;
}

static void
put(GByteArray *out, bool little, uint32_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * (little ? i : n_bytes - 1 - i));

        g_byte_array_append(out, &byte, 1);
    }
}

/* A block whose directory stands at `offset`, claims n_claimed entries, and is followed by `next`,
 * the offset of another one. */
static GByteArray *
make_block(bool little, uint32_t offset, uint32_t n_claimed, const Entry *entries, int n_entries,
           uint32_t next)
{
    GByteArray *out = g_byte_array_new();

    g_byte_array_append(out, (const void *)"Exif\0", PREFIX_BYTES);
    g_byte_array_append(out, (const void *)(little ? "II" : "MM"), 2);
    put(out, little, 42, 2);
    put(out, little, offset, 4);
    put(out, little, n_claimed, 2);
    for (int i = 0; i < n_entries; i++) {
        put(out, little, entries[i].tag, 2);
        put(out, little, entries[i].type, 2);
        put(out, little, entries[i].count, 4);
        put(out, little, entries[i].value, 2);
        put(out, little, 0, 2);
    }
    put(out, little, next, 4);
    return out;
}

static int
ask_entries(bool little, const Entry *entries, int n_entries)
{
    g_autoptr(GByteArray) block =
        make_block(little, HEADER_BYTES, (uint32_t)n_entries, entries, n_entries, 0);

    return ask(block->data, block->len);
}

/* What a camera writes about itself, with the orientation at entry `at`. */
static void
fill_entries(Entry *entries, int n, int at, uint16_t orientation)
{
    for (int i = 0; i < n; i++)
        entries[i] = (Entry){(uint16_t)(256 + i), 4, 1, 6};
    entries[at] = (Entry){TAG_ORIENTATION, TYPE_SHORT, 1, orientation};
}

static void
test_every_orientation(void)
{
    Entry entries[5];

    for (int little = 0; little < 2; little++) {
        for (uint16_t orientation = 1; orientation <= 8; orientation++) {
            for (int n = 1; n <= 5; n++) {
                for (int at = 0; at < n; at++) {
                    fill_entries(entries, n, at, orientation);
                    g_assert_cmpint(ask_entries(little != 0, entries, n), ==, orientation);
                }
            }
        }
    }
}

/* As other software writes it. */
static void
test_other_whole_numbers(void)
{
    static const Entry little[] = {{TAG_ORIENTATION, TYPE_LONG, 1, 6},
                                   {TAG_ORIENTATION, TYPE_BYTE, 1, 6}};
    static const Entry big = {TAG_ORIENTATION, TYPE_BYTE, 1, 6 << 8};
    g_autoptr(GByteArray) block = make_block(false, HEADER_BYTES, 1, &big, 1, 0);
    guint8 *type = block->data + PREFIX_BYTES + HEADER_BYTES + 2 + 3, *value = type + 5;

    for (size_t i = 0; i < G_N_ELEMENTS(little); i++)
        g_assert_cmpint(ask_entries(true, &little[i], 1), ==, 6);
    g_assert_cmpint(ask(block->data, block->len), ==, 6);
    *type = TYPE_LONG;
    value[0] = 0;
    value[3] = 6;
    g_assert_cmpint(ask(block->data, block->len), ==, 6);
}

static void
test_senseless_entries(void)
{
    static const Entry entries[] = {
        {TAG_ORIENTATION, 2, 1, 6},
        {TAG_ORIENTATION, TYPE_LONG, 2, 6},
        {TAG_ORIENTATION, TYPE_LONG, 1, 9},
        {TAG_ORIENTATION, 0, 1, 6},
        {TAG_ORIENTATION, TYPE_SHORT << 8, 1, 6},
        {TAG_ORIENTATION, TYPE_SHORT, 0, 6},
        {TAG_ORIENTATION, TYPE_SHORT, 2, 6},
        {TAG_ORIENTATION, TYPE_SHORT, 1u << 24, 6},
        {TAG_ORIENTATION, TYPE_SHORT, UINT32_MAX, 6},
        {TAG_ORIENTATION, TYPE_SHORT, 1, 0},
        {TAG_ORIENTATION, TYPE_SHORT, 1, 9},
        {TAG_ORIENTATION, TYPE_SHORT, 1, 6 << 8},
        {TAG_ORIENTATION, TYPE_SHORT, 1, UINT16_MAX},
        {TAG_ORIENTATION + 1, TYPE_SHORT, 1, 6},
        {0x1201, TYPE_SHORT, 1, 6}, /* the tag in the other byte order */
    };

    for (int little = 0; little < 2; little++) {
        for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
            g_assert_cmpint(ask_entries(little != 0, &entries[i], 1), ==, 1);
        g_assert_cmpint(ask_entries(little != 0, NULL, 0), ==, 1);
    }
}

/* The orientation counts from the moment its entry is whole. */
static void
test_truncated(void)
{
    for (int little = 0; little < 2; little++) {
        for (int at = 0; at < 4; at++) {
            Entry entries[4];
            g_autoptr(GByteArray) block = NULL;
            size_t whole = PREFIX_BYTES + HEADER_BYTES + 2 + ENTRY_BYTES * (size_t)(at + 1);

            fill_entries(entries, 4, at, 7);
            block = make_block(little != 0, HEADER_BYTES, 4, entries, 4, 0);
            for (size_t size = 0; size <= block->len; size++)
                g_assert_cmpint(ask(block->data, size), ==, size < whole ? 1 : 7);
        }
    }
}

/* A directory that does not stand where it is said to: at most nonsense is read. */
static void
test_offsets(void)
{
    static const uint32_t beyond[] = {64,         65535,      65536,          0x7fffffff,
                                      0x80000000, 0xfffffff4, UINT32_MAX - 1, UINT32_MAX};
    Entry entry = {TAG_ORIENTATION, TYPE_SHORT, 1, 5};

    for (int little = 0; little < 2; little++) {
        for (uint32_t offset = 0; offset < 64; offset++) {
            g_autoptr(GByteArray) block = make_block(little != 0, offset, 1, &entry, 1, 0);

            g_assert_cmpint(ask(block->data, block->len), ==, offset == HEADER_BYTES ? 5 : 1);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(beyond); i++) {
            g_autoptr(GByteArray) block = make_block(little != 0, beyond[i], 1, &entry, 1, 0);

            g_assert_cmpint(ask(block->data, block->len), ==, 1);
        }
    }
}

/* As many entries count as are there and are claimed. */
static void
test_absurd_counts(void)
{
    static const uint32_t counts[] = {0, 1, 2, 3, 4, 255, 256, 32768, UINT16_MAX};
    Entry entries[3];

    fill_entries(entries, 3, 2, 8);
    for (int little = 0; little < 2; little++) {
        for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
            g_autoptr(GByteArray) block =
                make_block(little != 0, HEADER_BYTES, counts[i], entries, 3, 0);

            g_assert_cmpint(ask(block->data, block->len), ==, counts[i] < 3 ? 1 : 8);
            block->data[PREFIX_BYTES + HEADER_BYTES + 2 + 2 * ENTRY_BYTES] ^= 0x80;
            g_assert_cmpint(ask(block->data, block->len), ==, 1);
        }
    }
}

/* Further directories are those of a preview, and may lead back to the first. */
static void
test_other_directories(void)
{
    Entry width = {256, 4, 1, 6}, turned = {TAG_ORIENTATION, TYPE_SHORT, 1, 6};

    for (int little = 0; little < 2; little++) {
        g_autoptr(GByteArray) circle =
            make_block(little != 0, HEADER_BYTES, 1, &width, 1, HEADER_BYTES);
        g_autoptr(GByteArray) block =
            make_block(little != 0, HEADER_BYTES, 1, &width, 1, HEADER_BYTES + 2 + ENTRY_BYTES + 4);
        g_autoptr(GByteArray) preview = make_block(little != 0, 0, 1, &turned, 1, 0);

        g_byte_array_append(block, preview->data + PREFIX_BYTES + HEADER_BYTES,
                            preview->len - PREFIX_BYTES - HEADER_BYTES);
        g_assert_cmpint(ask(block->data, block->len), ==, 1);
        g_assert_cmpint(ask(circle->data, circle->len), ==, 1);
    }
}

static void
test_other_blocks(void)
{
    Entry entry = {TAG_ORIENTATION, TYPE_SHORT, 1, 3};
    g_autoptr(GByteArray) block = make_block(true, HEADER_BYTES, 1, &entry, 1, 0);
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta tiff:Orientation=\"6\"/>";

    g_assert_cmpint(ask(xmp, sizeof xmp), ==, 1);
    g_assert_cmpint(ask(NULL, 0), ==, 1);
    g_assert_cmpint(ask(block->data, block->len), ==, 3);
    for (size_t i = 0; i < PREFIX_BYTES + 4; i++) {
        block->data[i] ^= 1;
        g_assert_cmpint(ask(block->data, block->len), ==, 1);
        block->data[i] ^= 1;
    }
}

/* Whatever the bytes: no harm, which the sanitizers see, and an orientation, which ask() does. */
static void
test_random(void)
{
    for (int i = 0; i < 100000; i++) {
        int n = g_test_rand_int_range(1, 6);
        Entry entries[5];
        g_autoptr(GByteArray) block = NULL;

        fill_entries(entries, n, g_test_rand_int_range(0, n), 4);
        block = make_block(i % 2 == 0, HEADER_BYTES, (uint32_t)n, entries, n, 0);
        for (int change = g_test_rand_int_range(1, 8); change > 0; change--)
            block->data[g_test_rand_int_range(PREFIX_BYTES, (int)block->len)] =
                (uint8_t)g_test_rand_int_range(0, 256);
        ask(block->data, (size_t)g_test_rand_int_range(PREFIX_BYTES, (int)block->len + 1));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/exif/every-orientation", test_every_orientation);
    g_test_add_func("/exif/other-whole-numbers", test_other_whole_numbers);
    g_test_add_func("/exif/senseless-entries", test_senseless_entries);
    g_test_add_func("/exif/truncated", test_truncated);
    g_test_add_func("/exif/offsets", test_offsets);
    g_test_add_func("/exif/absurd-counts", test_absurd_counts);
    g_test_add_func("/exif/other-directories", test_other_directories);
    g_test_add_func("/exif/other-blocks", test_other_blocks);
    g_test_add_func("/exif/random", test_random);
    return g_test_run();
}
