/* SPDX-License-Identifier: MIT */
#include "base/stall.h"

#include <glib.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

typedef struct Page {
    _Atomic uint64_t n; /* paths so far */
    _Atomic bool waits;
    char path[BT_STALL_PATH_BYTES];
} Page;

static Page *page;

bool
bt_stall_init(void)
{
    void *memory = page != NULL ? page
                                : mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE,
                                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    page = memory != MAP_FAILED ? memory : NULL;
    return page != NULL;
}

void
bt_stall_at(const char *path)
{
    if (page == NULL)
        return;
    g_strlcpy(page->path, path, sizeof page->path);
    atomic_fetch_add_explicit(&page->n, 1, memory_order_release);
}

void
bt_stall_enter(void)
{
    if (page == NULL)
        return;
    atomic_fetch_add_explicit(&page->n, 1, memory_order_release);
    atomic_store_explicit(&page->waits, true, memory_order_release);
}

void
bt_stall_leave(void)
{
    if (page != NULL)
        atomic_store_explicit(&page->waits, false, memory_order_release);
}

uint64_t
bt_stall_look(char out_path[BT_STALL_PATH_BYTES])
{
    uint64_t n = atomic_load_explicit(&page->n, memory_order_acquire);

    memcpy(out_path, page->path, BT_STALL_PATH_BYTES);
    out_path[BT_STALL_PATH_BYTES - 1] = '\0';
    return atomic_load_explicit(&page->waits, memory_order_acquire) ? n : 0;
}
