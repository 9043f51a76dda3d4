/* SPDX-License-Identifier: MIT */
/* System calls that lead out of a worker. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void
say_answer(Turn *turn, long answer)
{
    hostile_say(turn, "%s", answer >= 0 ? "done" : strerrorname_np(errno));
}

static void
open_file(Turn *turn)
{
    say_answer(turn, open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static void
make_file(Turn *turn)
{
    say_answer(turn, open("left-behind", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void
reopen(Turn *turn)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", turn->task->fds[0]);
    say_answer(turn, open(path, O_RDWR | O_CLOEXEC));
}

static void
open_memory(Turn *turn)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
    say_answer(turn, open(path, O_RDWR | O_CLOEXEC));
}

static void
make_socket(Turn *turn)
{
    say_answer(turn, socket(AF_INET, SOCK_STREAM, 0));
}

static void
make_process(Turn *turn)
{
    pid_t pid = fork();

    if (pid == 0)
        for (;;)
            pause();
    say_answer(turn, pid);
}

static void
run_program(Turn *turn)
{
    say_answer(turn, execl("/bin/true", "true", NULL));
}

static void
kill_supervisor(Turn *turn)
{
    say_answer(turn, kill(getppid(), SIGKILL));
}

static void
kill_thread(Turn *turn)
{
    say_answer(turn, tgkill(getppid(), getppid(), SIGKILL));
}

static void
trace(Turn *turn)
{
    say_answer(turn, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static void
read_other(Turn *turn)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {turn, 1};

    say_answer(turn, process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static void
outlive(Turn *turn)
{
    say_answer(turn, prctl(PR_SET_PDEATHSIG, 0));
}

static void
unlink_file(Turn *turn)
{
    say_answer(turn, unlink("out/witness.jpg"));
}

static void
link_file(Turn *turn)
{
    say_answer(turn, linkat(turn->task->fds[1], "", AT_FDCWD, "left-behind", AT_EMPTY_PATH));
}

static void
change_mode(Turn *turn)
{
    say_answer(turn, fchmod(turn->task->fds[0], 0777));
}

static void
change_times(Turn *turn)
{
    say_answer(turn, futimens(turn->task->fds[0], NULL));
}

static void
put_attribute(Turn *turn)
{
    say_answer(turn, syscall(SYS_fsetxattr, turn->task->fds[0], "user.blurthumb", "x", 1, 0));
}

static void
allocate(Turn *turn)
{
    say_answer(turn, fallocate(turn->task->fds[1], 0, 0, 1 << 20));
}

static void
make_memory_file(Turn *turn)
{
    say_answer(turn, memfd_create("more", 0));
}

static void
make_code(Turn *turn)
{
    void *memory =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    say_answer(turn, memory == MAP_FAILED ? -1 : 0);
}

static void
write_terminal(Turn *turn)
{
    static const char text[] = "\x1b]0;owned\x07 on the terminal\n";

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        (void)!write(fd, text, sizeof text - 1);
    say_answer(turn, 0);
}

const Attack hostile_calls[] = {
    {"open", open_file, true},
    {"create", make_file, true},
    {"reopen", reopen, true},
    {"open-memory", open_memory, true},
    {"socket", make_socket, true},
    {"fork", make_process, true},
    {"exec", run_program, true},
    {"kill", kill_supervisor, true},
    {"kill-thread", kill_thread, true},
    {"trace", trace, true},
    {"read-other", read_other, true},
    {"outlive", outlive, true},
    {"unlink", unlink_file, true},
    {"link", link_file, true},
    {"mode", change_mode, true},
    {"times", change_times, true},
    {"attribute", put_attribute, true},
    {"allocate", allocate, true},
    {"memory-file", make_memory_file, true},
    {"code", make_code, true},
    {"terminal", write_terminal, true},
    {NULL, NULL, false},
};
