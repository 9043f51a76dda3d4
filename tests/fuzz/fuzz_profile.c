/* SPDX-License-Identifier: MIT */
/* ICC profiles: whether there is a transform or not, pixels get through. */
#include "fuzz.h"

#include "image/colour.h"

#include <glib.h>

#define N_PX 64

static void
transform(const uint8_t *bytes, size_t size, BtColourShape shape)
{
    static const uint16_t in[N_PX * 5] = {1, 2, 3, 0xffff, 0x7fff, 0xfe};
    uint16_t out[N_PX * 5];
    BtColour *colour = bt_colour_new();

    if (bt_colour_prepare(colour, bytes, size, &shape)) {
        g_assert_cmpint(bt_colour_bands(colour), <=, 4);
        bt_colour_apply(colour, in, out, N_PX);
    }
    bt_colour_free(colour);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    transform(bytes, size, (BtColourShape){.colours = 1, .deep = true});
    transform(bytes, size, (BtColourShape){.colours = 3});
    transform(bytes, size, (BtColourShape){.colours = 3, .deep = true, .alpha = true});
    transform(bytes, size, (BtColourShape){.colours = 4, .alpha = true});
    return 0;
}
