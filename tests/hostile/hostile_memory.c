/* SPDX-License-Identifier: MIT */
/* More memory than was allowed, in ways that a limit may overlook; and what is found in memory. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE       4096
#define MIB        (UINT64_C(1) << 20)
#define TABLE_SPAN (2 * MIB) /* of addresses for which the kernel needs a page */

/* Touches pieces of memory until there are no more; says how much that was. */
static void
touch_all(Turn *turn, void *(*get)(size_t size))
{
    const size_t piece = 16 * MIB;
    uint64_t touched = 0;
    void *memory;

    while (touched < turn->number && (memory = get(piece)) != MAP_FAILED) {
        memset(memory, 1, piece);
        touched += piece;
    }
    hostile_say(turn, "touched %llu: %s", (unsigned long long)touched, strerrorname_np(errno));
}

static void *
get_shared(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void *
get_growing(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1,
                0);
}

static void *
get_private(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *
get_later_writable(size_t size)
{
    void *memory = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory != MAP_FAILED && mprotect(memory, size, PROT_READ | PROT_WRITE) == 0 ? memory
                                                                                       : MAP_FAILED;
}

static void *
get_by_break(size_t size)
{
    void *memory = sbrk((intptr_t)size);

    return (intptr_t)memory == -1 ? MAP_FAILED : memory;
}

static void *
get_by_remap(size_t size)
{
    void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? memory : mremap(memory, PAGE, size, MREMAP_MAYMOVE);
}

/* The soft limit is the worker's own to move. */
static void
raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_DATA, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_DATA, &limit);
    }
}

static void
touch_shared(Turn *turn)
{
    touch_all(turn, get_shared);
}

static void
touch_growing(Turn *turn)
{
    touch_all(turn, get_growing);
}

static void
touch_private(Turn *turn)
{
    raise_limit();
    touch_all(turn, get_private);
}

static void
touch_later_writable(Turn *turn)
{
    raise_limit();
    touch_all(turn, get_later_writable);
}

static void
touch_by_break(Turn *turn)
{
    raise_limit();
    touch_all(turn, get_by_break);
}

static void
touch_by_remap(Turn *turn)
{
    raise_limit();
    touch_all(turn, get_by_remap);
}

#define STACK_BYTES (8 * MIB)

static void *
fill_stack(void *unused)
{
    volatile char bytes[STACK_BYTES - 65536];

    for (size_t i = 0; i < sizeof bytes; i += PAGE)
        bytes[i] = 1;
    for (;;)
        sleep(100);
    return unused;
}

static void
touch_stacks(Turn *turn)
{
    pthread_attr_t attributes;
    pthread_t thread;
    uint64_t touched = 0;

    raise_limit();
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (touched < turn->number &&
           (errno = pthread_create(&thread, &attributes, fill_stack, NULL)) == 0)
        touched += STACK_BYTES;
    hostile_say(turn, "touched %llu: %s", (unsigned long long)touched, strerrorname_np(errno));
}

/* Reads one byte of each stretch of addresses for which the kernel keeps a page of its own. */
static void
touch_tables(Turn *turn)
{
    const uint64_t span = 1024 * TABLE_SPAN;
    uint64_t touched = 0;

    while (touched < turn->number) {
        volatile char *memory =
            mmap(NULL, span, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (memory == MAP_FAILED)
            break;
        for (uint64_t at = 0; at < span; at += TABLE_SPAN)
            (void)memory[at];
        touched += span / TABLE_SPAN * PAGE;
    }
    hostile_say(turn, "touched %llu", (unsigned long long)touched);
}

/* Whether memory can be read: the kernel says of a write from there. */
static bool
is_readable(const Turn *turn, uintptr_t at)
{
    bool readable = pwrite(turn->task->fds[1], (const void *)at, 1, 0) == 1;

    return readable;
}

static bool
is_at(const unsigned char *at, const unsigned char *masked, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((at[i] ^ HOSTILE_MASK) != masked[i])
            return false;
    return true;
}

/* How often masked bytes are in the memory that was writable at the start. */
static int
count_in_memory(const Turn *turn, const unsigned char *masked, size_t size, uint64_t *out_looked_at)
{
    const Hostile *self = turn->self;
    int n = 0;

    *out_looked_at = 0;
    for (int i = 0; i < self->n_regions; i++)
        for (uintptr_t page = self->regions[i].begin; page < self->regions[i].end; page += PAGE) {
            /* A text may reach over the end of a page only where the next can be read. */
            size_t reach = page + PAGE < self->regions[i].end && is_readable(turn, page + PAGE)
                               ? PAGE
                               : PAGE - size;

            if (!is_readable(turn, page))
                continue;
            *out_looked_at += PAGE;
            for (size_t at = 0; at < reach; at++)
                n += is_at((const unsigned char *)page + at, masked, size);
        }
    return n;
}

/* The secret that the supervisor's environment had, which is masked. */
static void
find_secret(Turn *turn)
{
    uint64_t looked_at;
    int n = count_in_memory(turn, turn->self->secret, turn->self->secret_size, &looked_at);

    hostile_say(turn, "%zu bytes found %d times in %llu", turn->self->secret_size, n,
                (unsigned long long)(looked_at > 0));
}

/* A name that no task of this worker has: "witness-NUMBER". */
static void
find_name(Turn *turn)
{
    unsigned char masked[] = "witness-";
    uint64_t looked_at;

    for (size_t i = 0; i < sizeof masked - 1; i++)
        masked[i] ^= HOSTILE_MASK;
    hostile_say(turn, "name found: %s",
                count_in_memory(turn, masked, sizeof masked - 1, &looked_at) > 0 ? "yes" : "no");
}

const Attack hostile_memory[] = {
    {"touch-shared", touch_shared, true},
    {"touch-growing", touch_growing, true},
    {"touch-private", touch_private, true},
    {"touch-later-writable", touch_later_writable, true},
    {"touch-break", touch_by_break, true},
    {"touch-remap", touch_by_remap, true},
    {"touch-stacks", touch_stacks, true},
    {"touch-tables", touch_tables, true},
    {"find-secret", find_secret, true},
    {"find-name", find_name, true},
    {NULL, NULL, false},
};
