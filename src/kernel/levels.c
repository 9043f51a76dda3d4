/* SPDX-License-Identifier: MIT */
#include "kernel/kernel.h"
#include "kernel/ops.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Best first. */
static const BtKernelOps *const all_ops[] = {
#if defined __x86_64__
    &bt_kernel_ops_avx512,
    &bt_kernel_ops_avx2,
    &bt_kernel_ops_sse2,
#elif defined __aarch64__
    &bt_kernel_ops_neon,
#endif
    &bt_kernel_ops_c,
};

#define N_OPS (sizeof all_ops / sizeof all_ops[0])

static bool
is_runnable(const BtKernelOps *ops)
{
#if defined __x86_64__
    if (ops == &bt_kernel_ops_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (ops == &bt_kernel_ops_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    (void)ops;
    return true;
}

const char *const *
bt_kernel_levels(void)
{
    static const char *levels[N_OPS + 1];
    size_t n = 0;

    for (size_t i = 0; i < N_OPS; i++)
        if (is_runnable(all_ops[i]))
            levels[n++] = all_ops[i]->level;
    return levels;
}

/* The level called `name`, or NULL; name may be NULL. */
static const char *
find_level(const char *name)
{
    const char *const *level = bt_kernel_levels();

    while (name != NULL && *level != NULL && strcmp(*level, name) != 0)
        level++;
    return name != NULL ? *level : NULL;
}

const char *
bt_kernel_level(void)
{
    const char *forced = find_level(getenv("BT_CPU"));

    return forced != NULL ? forced : bt_kernel_levels()[0];
}

bool
bt_kernel_level_is_valid(void)
{
    const char *name = getenv("BT_CPU");

    return name == NULL || find_level(name) != NULL;
}

const BtKernelOps *
bt_kernel_ops(const char *level)
{
    size_t i = 0;

    while (i < N_OPS && strcmp(all_ops[i]->level, level) != 0)
        i++;
    assert(i < N_OPS && is_runnable(all_ops[i]));
    return all_ops[i];
}
