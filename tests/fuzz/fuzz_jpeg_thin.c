/* SPDX-License-Identifier: MIT */
/* Progressive JPEG files on their way to thinner ones. */
#include "fuzz.h"

#include "image/jpeg.h"

#define SHRINK_MAX 64

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    for (int shrink = 8; shrink <= SHRINK_MAX; shrink *= 2) {
        g_autoptr(GBytes) thin = bt_jpeg_thin(bytes, size, shrink);
        g_autoptr(GBytes) again = NULL;
        gsize thin_size;
        const uint8_t *out;

        if (thin == NULL)
            continue;
        out = g_bytes_get_data(thin, &thin_size);
        g_assert_cmpuint(thin_size, <, size);
        g_assert_true(out[0] == 0xff && out[1] == 0xd8);
        g_assert_true(out[thin_size - 2] == 0xff && out[thin_size - 1] == 0xd9);
        again = bt_jpeg_thin(out, thin_size, shrink);
        g_assert_null(again);
    }
    return 0;
}
