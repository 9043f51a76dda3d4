/* SPDX-License-Identifier: MIT */
/* The low coefficients of JPEG files, by one stream and by several, and by
 * several threads, against libjpeg's. */
#include "fuzz.h"

#include "../image/jpeg_truth.h"
#include "kernel/kernel.h"

#define PX_MAX 65536 /* of a picture: enough for every path, and fast */

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *best = bt_kernel_levels()[0];

    if (jpeg_truth_check(bytes, size, 8, "c", 1, 1, PX_MAX) == JPEG_TRUTH_EQUAL) {
        jpeg_truth_check(bytes, size, 8, best, 4, 1, PX_MAX);
        jpeg_truth_check(bytes, size, 4, best, 3, 1, PX_MAX);
        jpeg_truth_check(bytes, size, 8, best, 1, 3, PX_MAX);
        jpeg_truth_check_clips(bytes, size, &(JpegWay){best, 4, 2}, 1);
    }
    return 0;
}
