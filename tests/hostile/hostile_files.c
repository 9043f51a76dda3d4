/* SPDX-License-Identifier: MIT */
/* What can be done with a result, before the answer and after it. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK_BYTES 65536

static const char *
word(long answer)
{
    return answer >= 0 ? "done" : strerrorname_np(errno);
}

static void
keep(Turn *turn)
{
    turn->self->kept_fd = dup(turn->task->fds[1]);
}

/* Kept by a mapping alone, which writes. */
static void
keep_mapping(Turn *turn)
{
    turn->self->mapping = mmap(NULL, 4096, PROT_READ, MAP_SHARED, turn->task->fds[1], 0);
    if (turn->self->mapping == MAP_FAILED ||
        mprotect(turn->self->mapping, 4096, PROT_READ | PROT_WRITE) != 0)
        hostile_say(turn, "mapping: %s", strerrorname_np(errno));
}

/* What still can be done with the result of an earlier picture. */
static void
tell_kept(Turn *turn)
{
    int fd = turn->self->kept_fd;
    char byte = 'x';
    const char *write_word, *grow_word, *cut_word, *map_word;
    void *mapping;

    if (fd <= 0) {
        hostile_say(turn, "nothing was kept");
        return;
    }
    write_word = word(pwrite(fd, &byte, 1, 0));
    grow_word = word(ftruncate(fd, 1 << 20));
    cut_word = word(ftruncate(fd, 1));
    mapping = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    map_word = mapping != MAP_FAILED ? word(mprotect(mapping, 4096, PROT_READ | PROT_WRITE)) : "-";
    hostile_say(turn, "write %s, grow %s, cut %s, map %s", write_word, grow_word, cut_word,
                map_word);
}

/* By its name below /proc, which a worker without a sandbox can open. */
static void
tell_reopened(Turn *turn)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/self/fd/%d", turn->self->kept_fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    hostile_say(turn, "open %s, write %s", fd >= 0 ? "done" : strerrorname_np(errno),
                fd >= 0 ? word(pwrite(fd, "x", 1, 0)) : "-");
}

static void *
write_for_ever(void *fd)
{
    char bytes[BLOCK_BYTES];
    int target = *(int *)fd;

    memset(bytes, 'y', sizeof bytes);
    for (;;) {
        (void)!pwrite(target, bytes, sizeof bytes, 0);
        (void)!ftruncate(target, 100);
        (void)!pwrite(target, bytes, sizeof bytes, 12345);
        (void)!ftruncate(target, 0);
    }
    return NULL;
}

/* A thread writes and cuts while the answer is sent and the result is copied. */
static void
write_on(Turn *turn)
{
    static int fd;
    pthread_t thread;

    fd = dup(turn->task->fds[1]);
    if (pthread_create(&thread, NULL, write_for_ever, &fd) != 0)
        hostile_say(turn, "thread: %s", strerrorname_np(errno));
}

static void
write_nothing(Turn *turn)
{
    (void)!ftruncate(turn->task->fds[1], 0);
}

static void
cut(Turn *turn)
{
    hostile_say(turn, "cut %s", word(ftruncate(turn->task->fds[1], (off_t)turn->number)));
}

/* As large as it may be, and answered as if that were a result. */
static void
write_much(Turn *turn)
{
    if (ftruncate(turn->task->fds[1], (off_t)turn->number) != 0)
        hostile_say(turn, "cut %s", strerrorname_np(errno));
}

/* Until nothing goes any more. */
static void
fill(Turn *turn)
{
    static char bytes[BLOCK_BYTES];
    off_t size = 0;
    ssize_t n;

    memset(bytes, 'z', sizeof bytes);
    while ((n = pwrite(turn->task->fds[1], bytes, sizeof bytes, size)) > 0)
        size += n;
    hostile_say(turn, "%s after %lld bytes", word(n), (long long)size);
}

/* Keeps a file by a descriptor and a mapping. */
static void
hoard(Turn *turn)
{
    Hostile *self = turn->self;
    int fd = dup(turn->task->fds[1]);

    mmap(NULL, (size_t)lseek(fd, 0, SEEK_END), PROT_READ, MAP_SHARED, fd, 0);
    self->hoard_fds[self->n_hoarded++] = fd;
}

/* As much as there can be, and a failure. */
static void
fill_and_hoard(Turn *turn)
{
    fill(turn);
    hoard(turn);
}

/* As much as there can be, and a result. What is mapped now could not be sealed. */
static void
result_and_hoard(Turn *turn)
{
    Hostile *self = turn->self;

    write_much(turn);
    self->hoard_fds[self->n_hoarded++] = dup(turn->task->fds[1]);
}

/* How much of the hoard there still is, and whether it can be filled again. */
static void
tell_hoard(Turn *turn)
{
    const Hostile *self = turn->self;
    long long bytes = 0;
    int n_writable = 0;

    for (int i = 0; i < self->n_hoarded; i++) {
        bytes += lseek(self->hoard_fds[i], 0, SEEK_END);
        n_writable += pwrite(self->hoard_fds[i], "x", 1, 0) == 1;
    }
    hostile_say(turn, "%d files of %lld bytes, %d writable", self->n_hoarded, bytes, n_writable);
}

/* Its source becomes its result, order and all, for a worker that checks that. */
static void
plant(Turn *turn)
{
    char bytes[BLOCK_BYTES];
    off_t at = 0;
    ssize_t n;

    if (turn->task->n_fds < 2) {
        turn->outcome.reason = (BtReason)turn->number;
        strcpy(turn->outcome.sentence, "unasked");
        return;
    }
    (void)!ftruncate(turn->task->fds[1], 0);
    while ((n = pread(turn->task->fds[0], bytes, sizeof bytes, at)) > 0)
        at += pwrite(turn->task->fds[1], bytes, (size_t)n, at);
}

static void
move_offsets(Turn *turn)
{
    lseek(turn->task->fds[0], 1 << 20, SEEK_SET);
    lseek(turn->task->fds[1], 1 << 20, SEEK_SET);
}

/* Garbage is left to who comes next. */
static void
leave_garbage(Turn *turn)
{
    if (turn->task->attempt > 1)
        return;
    move_offsets(turn);
    (void)!pwrite(turn->task->fds[1], "garbage", 7, 1 << 20);
    _exit(1);
}

static void
seal_itself(Turn *turn)
{
    if (fcntl(turn->task->fds[1], F_ADD_SEALS, (int)turn->number) != 0)
        hostile_say(turn, "seal: %s", strerrorname_np(errno));
}

static void
lock_source(Turn *turn)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

    if (flock(turn->task->fds[0], LOCK_EX) != 0 || fcntl(turn->task->fds[0], F_SETLK, &lock) != 0)
        hostile_say(turn, "lock: %s", strerrorname_np(errno));
    if (turn->task->attempt == 1)
        _exit(1);
}

static void
make_append_only(Turn *turn)
{
    if (fcntl(turn->task->fds[1], F_SETFL, O_APPEND) != 0)
        hostile_say(turn, "flags: %s", strerrorname_np(errno));
}

const Attack hostile_files[] = {
    {"keep", keep, false},
    {"keep-mapping", keep_mapping, false},
    {"tell-kept", tell_kept, true},
    {"tell-reopened", tell_reopened, true},
    {"write-on", write_on, false},
    {"nothing", write_nothing, false},
    {"cut", cut, true},
    {"much", write_much, false},
    {"fill", fill, true},
    {"fill-hoard", fill_and_hoard, true},
    {"result-hoard", result_and_hoard, false},
    {"tell-hoard", tell_hoard, true},
    {"plant", plant, false},
    {"offsets", move_offsets, false},
    {"garbage", leave_garbage, false},
    {"seal", seal_itself, false},
    {"lock", lock_source, false},
    {"append", make_append_only, false},
    {NULL, NULL, false},
};
