/* SPDX-License-Identifier: MIT */
/* Headers that are read beside libvips: of TIFF, BMP, PPM and HEIF. */
#include "fuzz.h"

#include "vips/facts.h"

#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const loaders[] = {"tiffload_source", "magickload_buffer", "ppmload_source",
                                          "heifload_source", "webpload_source"};
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("facts", MFD_CLOEXEC);
    g_assert_cmpint(ftruncate(fd, 0), ==, 0);
    g_assert_cmpint(pwrite(fd, bytes, size, 0), ==, size);
    for (size_t i = 0; i < G_N_ELEMENTS(loaders); i++) {
        BtFacts facts = bt_facts_read(fd, loaders[i]);

        g_assert_true(facts.width >= 0 && facts.height >= 0 && facts.white >= 0);
    }
    return 0;
}
