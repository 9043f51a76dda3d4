/* SPDX-License-Identifier: MIT */
#include "image/jpeg_ops.h"

#include <string.h>

/* Best first, for a level of the kernel that has no table of its own. */
static const BtJpegOps *const all_ops[] = {
#if defined __x86_64__
    &bt_jpeg_ops_avx2,
    &bt_jpeg_ops_sse2,
#elif defined __aarch64__
    &bt_jpeg_ops_neon,
#endif
    &bt_jpeg_ops_c,
};

#define N_OPS (sizeof all_ops / sizeof all_ops[0])

static bool
is_runnable(const BtJpegOps *ops)
{
#if defined __x86_64__
    if (ops == &bt_jpeg_ops_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
               __builtin_cpu_supports("bmi2");
#endif
    (void)ops;
    return true;
}

const BtJpegOps *
bt_jpeg_ops(const char *level)
{
    size_t i = 0, best = 0;

    while (!is_runnable(all_ops[best]))
        best++;
    while (i < N_OPS && strcmp(all_ops[i]->level, level) != 0)
        i++;
    return i < N_OPS && is_runnable(all_ops[i]) ? all_ops[i] : all_ops[best];
}

uint32_t
bt_jpeg_stream_find(const BtJpegPhase *phase, uint64_t at, const uint8_t *data)
{
    uint64_t bits = bt_jpeg_bits(data, at >> 8);
    uint32_t step;

    if ((at & 255) != 0)
        return bt_jpeg_ac_step(phase->ac, phase->weights, bits, at & 255);
    step = bt_jpeg_dc_step(phase->dc, bits);
    return step != 0 && phase->ac == NULL ? step | BT_JPEG_STEP_END : step;
}
