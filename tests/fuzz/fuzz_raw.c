/* SPDX-License-Identifier: MIT */
/* Directories and boxes of raw files: a preview that is found is in the file. */
#include "fuzz.h"

#include "image/jpeg_decoder.h"
#include "image/metadata.h"
#include "image/raw.h"

#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int fd = -1;
    BtJpegPeek peek;
    g_autoptr(GBytes) exif = NULL;
    BtRaw raw;
    bool found;

    if (fd < 0)
        fd = memfd_create("raw", MFD_CLOEXEC);
    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    g_assert_cmpint(pwrite(fd, bytes, size, 0), ==, size);
    found = bt_raw_find(fd, &raw);
    exif = raw.exif;
    g_assert_cmpuint(g_bytes_get_size(exif), <=, BT_METADATA_SIZE_MAX);
    g_assert_true(raw.photo_width >= 0 && raw.photo_width <= 65535);
    g_assert_true((raw.photo_width > 0) == (raw.photo_height > 0));
    g_assert_true(raw.orientation >= 1 && raw.orientation <= 8);
    g_assert_true((unsigned)raw.space <= BT_RAW_PROPHOTO_RGB);
    if (!found)
        return 0;
    g_assert_true(raw.at > 0 && (size_t)raw.at < size);
    g_assert_true(bt_jpeg_peek(fd, raw.at, &peek) && peek.common);
    g_assert_true(raw.width > 0 && peek.width == raw.width && peek.height == raw.height);
    return 0;
}
