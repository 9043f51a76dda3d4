/* SPDX-License-Identifier: MIT */
/*
 * Faults that really happen: a library for LD_PRELOAD that stands between blurthumb and the C
 * library, and at chosen calls kills, stops or fails the process that makes them.
 *
 *   BT_FAULT       faults with ";" between: POINT SIZE SKIP TIMES ACTION ARGUMENT
 *   BT_FAULT_PAGE  a file of zeros as large as a Page, by which the test and all processes see what
 *                  happens while it happens: workers need no open descriptor for that
 *
 * A fault waits at a point of the supervisor ("fork", "open", "tmpfile", "link", "rename", "sync")
 * or of a worker ("start", "ready", "task", "read", "write", "reply", "replied"), there for any
 * picture or for that of SIZE bytes. It lets SKIP arrivals pass and strikes at the TIMES that
 * follow, whichever the processes are. Actions: "kill" by signal ARGUMENT, "exit" with code
 * ARGUMENT, "fail" with errno ARGUMENT, "sleep" ARGUMENT ms, "hold" until the test opens its gate,
 * "close" the channel, and "spoil": a write writes half, a reply is nonsense.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FAULTS_MAX  16
#define EVENTS_MAX  32768
#define POINT_BYTES 8
#define NO_FAULT    (-1)

/* By which the opening of a source that was given by name is known: O_NONBLOCK alone. */
#define OPEN_FLAGS (O_NONBLOCK | O_PATH | O_DIRECTORY | O_NOFOLLOW)

/* Laid out once more in batch.py. */
typedef struct Event {
    char point[POINT_BYTES];
    uint64_t size;
    int32_t fault;       /* index of the one that struck */
    _Atomic int32_t pid; /* not 0: the event is whole */
} Event;

typedef struct Page {
    _Atomic uint32_t n_events;
    _Atomic uint32_t arrivals[FAULTS_MAX];
    _Atomic uint32_t gates[FAULTS_MAX]; /* 1: this fault holds nobody */
    Event events[EVENTS_MAX];
} Page;

typedef struct Fault {
    char point[POINT_BYTES], action[POINT_BYTES];
    unsigned long long size;
    unsigned skip, times;
    int argument;
} Fault;

typedef enum Verdict {
    GO_ON,
    FAIL,
    SPOIL
} Verdict;

static Page *page;
static Fault faults[FAULTS_MAX];
static int n_faults;
static bool is_worker;
static int channel_fd = -1, in_fd = -1, out_fd = -1;
static uint64_t picture_size; /* of the worker's task */

static struct {
    pid_t (*fork)(void);
    int (*openat)(int, const char *, int, ...);
    int (*linkat)(int, const char *, int, const char *, int);
    int (*renameat)(int, const char *, int, const char *);
    int (*renameat2)(int, const char *, int, const char *, unsigned);
    int (*fsync)(int);
    ssize_t (*recvmsg)(int, struct msghdr *, int);
    ssize_t (*sendmsg)(int, const struct msghdr *, int);
    ssize_t (*pread)(int, void *, size_t, off_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
} real;

static _Noreturn void
refuse(const char *why)
{
    fprintf(stderr, "shim: %s\n", why);
    abort();
}

static void
find(void *function, const char *name)
{
    void *address = dlsym(RTLD_NEXT, name);

    if (address == NULL)
        refuse(name);
    memcpy(function, &address, sizeof address);
}

static void
parse_faults(const char *text)
{
    while (text != NULL && *text != '\0') {
        Fault *fault = &faults[n_faults];

        if (n_faults == FAULTS_MAX ||
            sscanf(text, "%7s %llu %u %u %7s %d", fault->point, &fault->size, &fault->skip,
                   &fault->times, fault->action, &fault->argument) != 6)
            refuse(text);
        n_faults++;
        text = strchr(text, ';');
        text += text != NULL;
    }
}

__attribute__((constructor)) static void
begin(void)
{
    const char *path = getenv("BT_FAULT_PAGE");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

    page =
        fd >= 0 ? mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (page == MAP_FAILED)
        refuse("no page");
    close(fd);
    parse_faults(getenv("BT_FAULT"));
    find(&real.fork, "fork");
    find(&real.openat, "openat64");
    find(&real.linkat, "linkat");
    find(&real.renameat, "renameat");
    find(&real.renameat2, "renameat2");
    find(&real.fsync, "fsync");
    find(&real.recvmsg, "recvmsg");
    find(&real.sendmsg, "sendmsg");
    find(&real.pread, "pread64");
    find(&real.pwrite, "pwrite64");
}

static void
note(const char *point, int fault)
{
    uint32_t index = atomic_fetch_add(&page->n_events, 1);
    Event *event = &page->events[index % EVENTS_MAX];

    strncpy(event->point, point, sizeof event->point);
    event->size = picture_size;
    event->fault = fault;
    atomic_store(&event->pid, getpid());
}

static void
sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&time, NULL);
}

static Verdict
act(const Fault *fault)
{
    if (strcmp(fault->action, "kill") == 0)
        raise(fault->argument);
    else if (strcmp(fault->action, "exit") == 0)
        _exit(fault->argument);
    else if (strcmp(fault->action, "sleep") == 0)
        sleep_ms(fault->argument);
    else if (strcmp(fault->action, "close") == 0)
        close(channel_fd);
    else if (strcmp(fault->action, "spoil") == 0)
        return SPOIL;
    while (strcmp(fault->action, "hold") == 0 && atomic_load(&page->gates[fault - faults]) == 0)
        sleep_ms(1);
    errno = fault->argument;
    return strcmp(fault->action, "fail") == 0 ? FAIL : GO_ON;
}

static Verdict
reach(const char *point)
{
    Verdict verdict = GO_ON;

    for (int i = 0; i < n_faults; i++) {
        const Fault *fault = &faults[i];
        uint32_t n;

        if (strcmp(fault->point, point) != 0 || (fault->size > 0 && fault->size != picture_size))
            continue;
        n = atomic_fetch_add(&page->arrivals[i], 1);
        if (n < fault->skip || n - fault->skip >= fault->times)
            continue;
        note(point, i);
        verdict = act(fault);
    }
    return verdict;
}

pid_t
fork(void)
{
    pid_t pid;

    if (reach("fork") == FAIL)
        return -1;
    if ((pid = real.fork()) == 0) {
        is_worker = true;
        reach("start");
    }
    return pid;
}

int
openat(int dirfd, const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    if ((flags & O_TMPFILE) == O_TMPFILE && reach("tmpfile") == FAIL)
        return -1;
    if ((flags & OPEN_FLAGS) == O_NONBLOCK && reach("open") == FAIL)
        return -1;
    return real.openat(dirfd, path, flags, mode);
}

int
linkat(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path, int flags)
{
    return reach("link") == FAIL ? -1
                                 : real.linkat(old_dirfd, old_path, new_dirfd, new_path, flags);
}

int
renameat(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path)
{
    return reach("rename") == FAIL ? -1 : real.renameat(old_dirfd, old_path, new_dirfd, new_path);
}

/* What gives a name where there are no links, unless something has it. */
int
renameat2(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path, unsigned flags)
{
    return reach("link") == FAIL ? -1
                                 : real.renameat2(old_dirfd, old_path, new_dirfd, new_path, flags);
}

int
fsync(int fd)
{
    return reach("sync") == FAIL ? -1 : real.fsync(fd);
}

/* A worker's task: the descriptors of its source and of its result. */
static void
take_task(int fd, struct msghdr *message)
{
    struct cmsghdr *rights = CMSG_FIRSTHDR(message);

    channel_fd = fd;
    memcpy(&in_fd, CMSG_DATA(rights), sizeof in_fd);
    memcpy(&out_fd, CMSG_DATA(rights) + sizeof in_fd, sizeof out_fd);
    picture_size = (uint64_t)lseek(in_fd, 0, SEEK_END);
    note("task", NO_FAULT);
    reach("task");
}

ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t n = real.recvmsg(fd, message, flags);

    if (is_worker && n > 0 && CMSG_FIRSTHDR(message) != NULL)
        take_task(fd, message);
    return n;
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
    static char nonsense[] = "nonsense";
    struct iovec part = {nonsense, sizeof nonsense};
    struct msghdr spoilt = {.msg_iov = &part, .msg_iovlen = 1};
    bool ready = in_fd < 0;
    Verdict verdict;
    ssize_t n;

    if (!is_worker)
        return real.sendmsg(fd, message, flags);
    if (!ready)
        note("reply", NO_FAULT);
    verdict = reach(ready ? "ready" : "reply");
    n = real.sendmsg(fd, verdict == SPOIL ? &spoilt : message, flags);
    if (!ready)
        reach("replied");
    return n;
}

ssize_t
pread(int fd, void *buffer, size_t size, off_t offset)
{
    return is_worker && fd == in_fd && reach("read") == FAIL ? -1
                                                             : real.pread(fd, buffer, size, offset);
}

ssize_t
pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
    Verdict verdict = is_worker && fd == out_fd ? reach("write") : GO_ON;

    return verdict == FAIL ? -1
                           : real.pwrite(fd, buffer, verdict == SPOIL ? size / 2 : size, offset);
}
