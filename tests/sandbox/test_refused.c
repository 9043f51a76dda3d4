/* SPDX-License-Identifier: MIT */
/* System calls that a locked-in worker has no use for: each is refused or ends it. No row would do
 * harm if it were not. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIES 0 /* the answer to a call that ends the process, by SIGSYS */

/* Bits that the kernel does not look at where an argument is an int. */
#define UNSEEN (INT64_C(0x5a5a5a5a) << 32)

typedef struct Call {
    const char *name;
    int answer; /* errno, or DIES */
    int number; /* negative: this architecture has no such call */
    int64_t arguments[PROBE_ARGUMENTS];
} Call;

static int64_t
at(const void *address)
{
    return (int64_t)(intptr_t)address;
}

/* Where the worker lives it is the sandbox that refused: without it the same call succeeds. */
static void
test_call(const void *data)
{
    const Call *call = data;
    Probe probe = {.number = call->number};

    if (!probe_can_lock_in())
        return;
    memcpy(probe.arguments, call->arguments, sizeof probe.arguments);
    if (call->answer == DIES) {
        probe_dies(probe, SIGSYS);
    } else {
        probe_answers(BT_SANDBOX_OFF, probe, 0);
        probe_answers(BT_SANDBOX_REQUIRE, probe, call->answer);
    }
}

static void
add_calls(const char *what, const Call *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf("/refused/%s/%s", what, calls[i].name);

        if (calls[i].number >= 0)
            g_test_add_data_func_full(path, g_memdup2(&calls[i], sizeof calls[i]), test_call,
                                      g_free);
    }
}

static char buffer[4096];
static socklen_t address_size = sizeof(struct sockaddr_un);

/* What libraries try, and what is asked with a path. */
static void
add_errors(void)
{
    const int64_t page = at(buffer) & -(int64_t)sysconf(_SC_PAGESIZE);
    static const struct open_how reading = {.flags = O_RDONLY};
    static const struct sched_param usual;
    const Call calls[] = {
        {"open/read", EACCES, SCMP_SYS(open), {at("/etc/passwd"), O_RDONLY}},
        {"open/write", EACCES, SCMP_SYS(open), {at("/dev/null"), O_WRONLY}},
        {"open/folder", EACCES, SCMP_SYS(open), {at("/"), O_RDONLY | O_DIRECTORY}},
        {"open/path", EACCES, SCMP_SYS(open), {at("/"), O_PATH}},
        {"openat", EACCES, SCMP_SYS(openat), {AT_FDCWD, at("/etc/passwd"), O_RDONLY}},
        {"openat/below", EACCES, SCMP_SYS(openat), {PROBE_FOLDER, at("."), O_RDONLY}},
        {"openat/nameless",
         EACCES,
         SCMP_SYS(openat),
         {PROBE_FOLDER, at("."), O_TMPFILE | O_RDWR, 0600}},
        {"openat2",
         EACCES,
         SCMP_SYS(openat2),
         {AT_FDCWD, at("/etc/passwd"), at(&reading), sizeof reading}},
        {"stat", EACCES, SCMP_SYS(stat), {at("/"), at(buffer)}},
        {"lstat", EACCES, SCMP_SYS(lstat), {at("/"), at(buffer)}},
        {"statx", EACCES, SCMP_SYS(statx), {AT_FDCWD, at("/"), 0, 0xfff, at(buffer)}},
        {"newfstatat", EACCES, SCMP_SYS(newfstatat), {AT_FDCWD, at("/"), at(buffer), 0}},
        {"newfstatat/unseen",
         EACCES,
         SCMP_SYS(newfstatat),
         {AT_FDCWD, at("/"), at(buffer), UNSEEN | AT_SYMLINK_NOFOLLOW}},
        {"newfstatat/empty",
         EACCES,
         SCMP_SYS(newfstatat),
         {AT_FDCWD, at("/"), at(buffer), AT_EMPTY_PATH}},
        {"access", EACCES, SCMP_SYS(access), {at("/"), F_OK}},
        {"faccessat", EACCES, SCMP_SYS(faccessat), {AT_FDCWD, at("/"), F_OK}},
        {"faccessat2", EACCES, SCMP_SYS(faccessat2), {AT_FDCWD, at("/"), F_OK, 0}},
        {"readlink", EACCES, SCMP_SYS(readlink), {at("/proc/self/exe"), at(buffer), 100}},
        {"readlinkat",
         EACCES,
         SCMP_SYS(readlinkat),
         {AT_FDCWD, at("/proc/self/exe"), at(buffer), 100}},
        {"getcwd", EACCES, SCMP_SYS(getcwd), {at(buffer), sizeof buffer}},
        {"getsockname",
         ENOTSOCK,
         SCMP_SYS(getsockname),
         {PROBE_SOCKET, at(buffer), at(&address_size)}},
        {"ioctl", ENOTTY, SCMP_SYS(ioctl), {PROBE_SOURCE, FIONREAD, at(buffer)}},
        {"ioctl/unseen", ENOTTY, SCMP_SYS(ioctl), {PROBE_SOURCE, UNSEEN | FIONREAD, at(buffer)}},
        {"mremap", ENOMEM, SCMP_SYS(mremap), {page, 4096, 4096, 0}},
        {"memfd_create", EPERM, SCMP_SYS(memfd_create), {at("memory"), 0}},
        {"setpriority", EPERM, SCMP_SYS(setpriority), {PRIO_PROCESS, 0, 19}},
        {"sched_setaffinity",
         EPERM,
         SCMP_SYS(sched_setaffinity),
         {0, 8, at(memset(buffer, 0xff, 8))}},
        {"sched_setaffinity/other", EPERM, SCMP_SYS(sched_setaffinity), {getpid(), 8, at(buffer)}},
        {"sched_setscheduler", EPERM, SCMP_SYS(sched_setscheduler), {0, SCHED_OTHER, at(&usual)}},
        {"mlock", EPERM, SCMP_SYS(mlock), {at(buffer), 1}},
    };

    add_calls("errors", calls, G_N_ELEMENTS(calls));
}

static void
add_file_calls(void)
{
    const Call calls[] = {
        {"creat", DIES, SCMP_SYS(creat), {at("/nowhere/a"), 0600}},
        {"open_by_handle_at",
         DIES,
         SCMP_SYS(open_by_handle_at),
         {PROBE_FOLDER, at(buffer), O_RDONLY}},
        {"name_to_handle_at",
         DIES,
         SCMP_SYS(name_to_handle_at),
         {PROBE_FOLDER, at(""), at(buffer)}},
        {"unlink", DIES, SCMP_SYS(unlink), {at("/nowhere/a")}},
        {"unlinkat", DIES, SCMP_SYS(unlinkat), {PROBE_FOLDER, at("nowhere/a"), 0}},
        {"rmdir", DIES, SCMP_SYS(rmdir), {at("/nowhere/a")}},
        {"rename", DIES, SCMP_SYS(rename), {at("/nowhere/a"), at("/nowhere/b")}},
        {"renameat",
         DIES,
         SCMP_SYS(renameat),
         {PROBE_FOLDER, at("nowhere/a"), PROBE_FOLDER, at("b")}},
        {"renameat2",
         DIES,
         SCMP_SYS(renameat2),
         {PROBE_FOLDER, at("nowhere/a"), PROBE_FOLDER, at("b"), 0}},
        {"link", DIES, SCMP_SYS(link), {at("/nowhere/a"), at("/nowhere/b")}},
        {"linkat",
         DIES,
         SCMP_SYS(linkat),
         {PROBE_TARGET, at(""), PROBE_FOLDER, at("nowhere/b"), AT_EMPTY_PATH}},
        {"symlink", DIES, SCMP_SYS(symlink), {at("/nowhere/a"), at("/nowhere/b")}},
        {"symlinkat", DIES, SCMP_SYS(symlinkat), {at("a"), PROBE_FOLDER, at("nowhere/b")}},
        {"mkdir", DIES, SCMP_SYS(mkdir), {at("/nowhere/a"), 0700}},
        {"mkdirat", DIES, SCMP_SYS(mkdirat), {PROBE_FOLDER, at("nowhere/a"), 0700}},
        {"mknod", DIES, SCMP_SYS(mknod), {at("/nowhere/a"), S_IFIFO | 0600, 0}},
        {"mknodat", DIES, SCMP_SYS(mknodat), {PROBE_FOLDER, at("nowhere/a"), S_IFIFO | 0600, 0}},
        {"chmod", DIES, SCMP_SYS(chmod), {at("/nowhere/a"), 0600}},
        {"fchmod", DIES, SCMP_SYS(fchmod), {PROBE_TARGET, 04777}},
        {"fchmodat", DIES, SCMP_SYS(fchmodat), {PROBE_FOLDER, at("nowhere/a"), 0600}},
        {"chown", DIES, SCMP_SYS(chown), {at("/nowhere/a"), 0, 0}},
        {"fchown", DIES, SCMP_SYS(fchown), {PROBE_TARGET, -1, -1}},
        {"utimensat", DIES, SCMP_SYS(utimensat), {PROBE_SOURCE, 0, 0, 0}},
        {"truncate", DIES, SCMP_SYS(truncate), {at("/nowhere/a"), 0}},
        {"setxattr", DIES, SCMP_SYS(setxattr), {at("/nowhere/a"), at("user.a"), at(buffer), 1, 0}},
        {"fsetxattr", DIES, SCMP_SYS(fsetxattr), {PROBE_TARGET, at("user.a"), at(buffer), 1, 0}},
        {"getdents64", DIES, SCMP_SYS(getdents64), {PROBE_FOLDER, at(buffer), sizeof buffer}},
        {"chdir", DIES, SCMP_SYS(chdir), {at("/")}},
        {"fchdir", DIES, SCMP_SYS(fchdir), {PROBE_FOLDER}},
        {"chroot", DIES, SCMP_SYS(chroot), {at("/nowhere")}},
        {"pivot_root", DIES, SCMP_SYS(pivot_root), {at("/nowhere"), at("/nowhere")}},
        {"mount", DIES, SCMP_SYS(mount), {at("none"), at("/nowhere"), at("tmpfs"), 0, 0}},
        {"umount2", DIES, SCMP_SYS(umount2), {at("/nowhere"), 0}},
        {"fsopen", DIES, SCMP_SYS(fsopen), {at("tmpfs"), 0}},
        {"open_tree", DIES, SCMP_SYS(open_tree), {AT_FDCWD, at("/"), 0}},
        {"move_mount", DIES, SCMP_SYS(move_mount), {PROBE_FOLDER, at(""), PROBE_FOLDER, at(""), 0}},
        {"inotify_init1", DIES, SCMP_SYS(inotify_init1), {0}},
        {"fanotify_init", DIES, SCMP_SYS(fanotify_init), {0, 0}},
        {"fcntl/owner", DIES, SCMP_SYS(fcntl), {PROBE_SOCKET, F_SETOWN, getpid()}},
        {"fcntl/signal", DIES, SCMP_SYS(fcntl), {PROBE_SOCKET, F_SETSIG, SIGTERM}},
        {"fcntl/lease", DIES, SCMP_SYS(fcntl), {PROBE_SOURCE, F_SETLEASE, F_RDLCK}},
        {"fcntl/lease/unseen", DIES, SCMP_SYS(fcntl), {PROBE_SOURCE, UNSEEN | F_SETLEASE, F_RDLCK}},
        {"fcntl/notify", DIES, SCMP_SYS(fcntl), {PROBE_SOURCE, F_NOTIFY, 0}},
        {"fcntl/flags", DIES, SCMP_SYS(fcntl), {PROBE_TARGET, F_SETFL, O_ASYNC}},
        {"fcntl/seal", DIES, SCMP_SYS(fcntl), {PROBE_TARGET, F_ADD_SEALS, F_SEAL_WRITE}},
        {"fcntl/seal/unseen",
         DIES,
         SCMP_SYS(fcntl),
         {PROBE_TARGET, UNSEEN | F_ADD_SEALS, F_SEAL_WRITE}},
        {"fcntl/seals", DIES, SCMP_SYS(fcntl), {PROBE_TARGET, F_GET_SEALS}},
        {"fallocate", DIES, SCMP_SYS(fallocate), {PROBE_TARGET, 0, 0, 4096}},
    };

    add_calls("files", calls, G_N_ELEMENTS(calls));
}

static void
add_socket_calls(void)
{
    static const struct sockaddr_in port = {.sin_family = AF_INET};
    const Call calls[] = {
        {"socket/unix", DIES, SCMP_SYS(socket), {AF_UNIX, SOCK_STREAM, 0}},
        {"socket/inet", DIES, SCMP_SYS(socket), {AF_INET, SOCK_STREAM, 0}},
        {"socket/inet6", DIES, SCMP_SYS(socket), {AF_INET6, SOCK_DGRAM, 0}},
        {"socket/netlink", DIES, SCMP_SYS(socket), {AF_NETLINK, SOCK_RAW, 0}},
        {"socket/packet", DIES, SCMP_SYS(socket), {AF_PACKET, SOCK_RAW, 0}},
        {"socketpair", DIES, SCMP_SYS(socketpair), {AF_UNIX, SOCK_STREAM, 0, at(buffer)}},
        {"connect", DIES, SCMP_SYS(connect), {PROBE_SOCKET, at(&port), sizeof port}},
        {"bind", DIES, SCMP_SYS(bind), {PROBE_SOCKET, at(&port), sizeof port}},
        {"listen", DIES, SCMP_SYS(listen), {PROBE_SOCKET, 1}},
        {"accept4", DIES, SCMP_SYS(accept4), {PROBE_SOCKET, 0, 0, 0}},
        {"sendto",
         DIES,
         SCMP_SYS(sendto),
         {PROBE_SOCKET, at(buffer), 1, 0, at(&port), sizeof port}},
        {"sendmmsg", DIES, SCMP_SYS(sendmmsg), {PROBE_SOCKET, at(buffer), 0, 0}},
        {"setsockopt",
         DIES,
         SCMP_SYS(setsockopt),
         {PROBE_SOCKET, SOL_SOCKET, SO_DEBUG, at(buffer), 4}},
    };

    add_calls("sockets", calls, G_N_ELEMENTS(calls));
}

static void
add_process_calls(void)
{
    const int64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                           CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                           CLONE_CHILD_CLEARTID;
    const int64_t supervisor = getpid();
    const Call calls[] = {
        {"execve", DIES, SCMP_SYS(execve), {at("/bin/true"), 0, 0}},
        {"execveat", DIES, SCMP_SYS(execveat), {PROBE_SOURCE, at(""), 0, 0, AT_EMPTY_PATH}},
        {"fork", DIES, SCMP_SYS(fork), {0}},
        {"vfork", DIES, SCMP_SYS(vfork), {0}},
        {"clone/fork", DIES, SCMP_SYS(clone), {SIGCHLD}},
        {"clone/parent", DIES, SCMP_SYS(clone), {CLONE_PARENT | SIGCHLD}},
        {"clone/vfork", DIES, SCMP_SYS(clone), {CLONE_VM | CLONE_VFORK | SIGCHLD}},
        {"clone/user", DIES, SCMP_SYS(clone), {CLONE_NEWUSER | SIGCHLD}},
        {"clone/unseen", DIES, SCMP_SYS(clone), {thread << 32 | SIGCHLD}},
        {"clone/thread-and-network", DIES, SCMP_SYS(clone), {thread | CLONE_NEWNET}},
        {"clone/thread-and-trace", DIES, SCMP_SYS(clone), {thread | CLONE_PTRACE}},
        {"unshare", DIES, SCMP_SYS(unshare), {CLONE_NEWUSER}},
        {"setns", DIES, SCMP_SYS(setns), {PROBE_NAMESPACE, 0}},
        {"ptrace", DIES, SCMP_SYS(ptrace), {16, supervisor, 0, 0}},
        {"process_vm_readv", DIES, SCMP_SYS(process_vm_readv), {supervisor, 0, 0, 0, 0, 0}},
        {"process_vm_writev", DIES, SCMP_SYS(process_vm_writev), {supervisor, 0, 0, 0, 0, 0}},
        {"kcmp", DIES, SCMP_SYS(kcmp), {supervisor, supervisor, 0, 0, 0}},
        {"kill/supervisor", DIES, SCMP_SYS(kill), {supervisor, 0}},
        {"kill/all", DIES, SCMP_SYS(kill), {-1, 0}},
        {"tkill", DIES, SCMP_SYS(tkill), {supervisor, 0}},
        {"tgkill", DIES, SCMP_SYS(tgkill), {supervisor, supervisor, 0}},
        {"tgkill/unseen", DIES, SCMP_SYS(tgkill), {UNSEEN | supervisor, supervisor, 0}},
        {"rt_sigqueueinfo", DIES, SCMP_SYS(rt_sigqueueinfo), {supervisor, 0, at(buffer)}},
        {"rt_tgsigqueueinfo",
         DIES,
         SCMP_SYS(rt_tgsigqueueinfo),
         {supervisor, supervisor, 0, at(buffer)}},
        {"pidfd_open", DIES, SCMP_SYS(pidfd_open), {supervisor, 0}},
        {"pidfd_send_signal", DIES, SCMP_SYS(pidfd_send_signal), {PROBE_SUPERVISOR, 0, 0, 0}},
        {"pidfd_getfd", DIES, SCMP_SYS(pidfd_getfd), {PROBE_SUPERVISOR, 0, 0}},
        {"wait4", DIES, SCMP_SYS(wait4), {-1, 0, WNOHANG, 0}},
        {"prlimit64/supervisor",
         DIES,
         SCMP_SYS(prlimit64),
         {supervisor, RLIMIT_CORE, 0, at(buffer)}},
        {"prlimit64/unseen",
         DIES,
         SCMP_SYS(prlimit64),
         {UNSEEN | supervisor, RLIMIT_CORE, 0, at(buffer)}},
        {"setpgid", DIES, SCMP_SYS(setpgid), {0, 0}},
        {"setsid", DIES, SCMP_SYS(setsid), {0}},
        {"setuid", DIES, SCMP_SYS(setuid), {0}},
        {"setgid", DIES, SCMP_SYS(setgid), {0}},
        {"setresuid", DIES, SCMP_SYS(setresuid), {0, 0, 0}},
        {"setgroups", DIES, SCMP_SYS(setgroups), {0, 0}},
        {"capset", DIES, SCMP_SYS(capset), {at(buffer), at(buffer)}},
        {"prctl/dumpable", DIES, SCMP_SYS(prctl), {PR_SET_DUMPABLE, 1}},
        {"prctl/dumpable/unseen", DIES, SCMP_SYS(prctl), {UNSEEN | PR_SET_DUMPABLE, 1}},
        {"prctl/tracer", DIES, SCMP_SYS(prctl), {PR_SET_PTRACER, -1}},
        {"prctl/parent-death", DIES, SCMP_SYS(prctl), {PR_SET_PDEATHSIG, 0}},
        {"prctl/subreaper", DIES, SCMP_SYS(prctl), {PR_SET_CHILD_SUBREAPER, 1}},
        {"personality", DIES, SCMP_SYS(personality), {0x0400000 /* READ_IMPLIES_EXEC */}},
        {"arch_prctl", DIES, SCMP_SYS(arch_prctl), {0x1003, at(buffer)}},
        {"seccomp", DIES, SCMP_SYS(seccomp), {0, 0, 0}},
    };

    add_calls("processes", calls, G_N_ELEMENTS(calls));
}

static void
add_memory_calls(void)
{
    const int64_t page = at(buffer) & -(int64_t)sysconf(_SC_PAGESIZE);
    const Call calls[] = {
        {"mmap/run",
         DIES,
         SCMP_SYS(mmap),
         {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
        {"mmap/run-file", DIES, SCMP_SYS(mmap), {0, 4096, PROT_EXEC, MAP_PRIVATE, PROBE_TARGET, 0}},
        {"mmap/shared-nameless",
         DIES,
         SCMP_SYS(mmap),
         {0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0}},
        {"mmap/shared-nameless-to-read",
         DIES,
         SCMP_SYS(mmap),
         {0, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0}},
        {"mmap/shared-to-write",
         DIES,
         SCMP_SYS(mmap),
         {0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, PROBE_TARGET, 0}},
        {"mmap/shared-to-write-only",
         DIES,
         SCMP_SYS(mmap),
         {0, 4096, PROT_WRITE, MAP_SHARED, PROBE_TARGET, 0}},
        {"mmap/shared-to-run",
         DIES,
         SCMP_SYS(mmap),
         {0, 4096, PROT_EXEC, MAP_SHARED, PROBE_TARGET, 0}},
        {"mmap/shared-validate",
         DIES,
         SCMP_SYS(mmap),
         {0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE, PROBE_TARGET, 0}},
        {"mmap/shared-unseen",
         DIES,
         SCMP_SYS(mmap),
         {0, 4096, UNSEEN | PROT_READ | PROT_WRITE, UNSEEN | MAP_SHARED, PROBE_TARGET, 0}},
        {"mmap/grows-down",
         DIES,
         SCMP_SYS(mmap),
         {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0}},
        {"mprotect/run", DIES, SCMP_SYS(mprotect), {page, 1, PROT_READ | PROT_EXEC}},
        {"mprotect/all", DIES, SCMP_SYS(mprotect), {page, 1, PROT_READ | PROT_WRITE | PROT_EXEC}},
        {"pkey_mprotect", DIES, SCMP_SYS(pkey_mprotect), {page, 1, PROT_READ, -1}},
        {"remap_file_pages", DIES, SCMP_SYS(remap_file_pages), {page, 0, 0, 0, 0}},
        {"process_madvise", DIES, SCMP_SYS(process_madvise), {PROBE_SUPERVISOR, 0, 0, 0, 0}},
        {"memfd_secret", DIES, SCMP_SYS(memfd_secret), {0}},
        {"userfaultfd", DIES, SCMP_SYS(userfaultfd), {0}},
        {"shmget", DIES, SCMP_SYS(shmget), {0, 4096, 0}},
        {"shmat", DIES, SCMP_SYS(shmat), {-1, 0, 0}},
        {"msgget", DIES, SCMP_SYS(msgget), {0, 0}},
        {"semget", DIES, SCMP_SYS(semget), {0, 0, 0}},
        {"mq_open", DIES, SCMP_SYS(mq_open), {at("nowhere"), O_RDONLY}},
    };

    add_calls("memory", calls, G_N_ELEMENTS(calls));
}

static void
add_system_calls(void)
{
    const Call calls[] = {
        {"io_uring_setup", DIES, SCMP_SYS(io_uring_setup), {1, at(buffer)}},
        {"io_setup", DIES, SCMP_SYS(io_setup), {0, at(buffer)}},
        {"bpf", DIES, SCMP_SYS(bpf), {0, at(buffer), 0}},
        {"perf_event_open", DIES, SCMP_SYS(perf_event_open), {at(buffer), 0, -1, -1, 0}},
        {"keyctl", DIES, SCMP_SYS(keyctl), {0, 0, 0}},
        {"add_key", DIES, SCMP_SYS(add_key), {at("user"), at("a"), 0, 0, 0}},
        {"request_key", DIES, SCMP_SYS(request_key), {at("user"), at("a"), 0, 0}},
        {"init_module", DIES, SCMP_SYS(init_module), {0, 0, at("")}},
        {"finit_module", DIES, SCMP_SYS(finit_module), {PROBE_SOURCE, at(""), 0}},
        {"delete_module", DIES, SCMP_SYS(delete_module), {at("nowhere"), 0}},
        {"kexec_load", DIES, SCMP_SYS(kexec_load), {0, 0, 0, 0}},
        {"reboot", DIES, SCMP_SYS(reboot), {0, 0, 0, 0}},
        {"swapon", DIES, SCMP_SYS(swapon), {at("/nowhere"), 0}},
        {"sethostname", DIES, SCMP_SYS(sethostname), {0, 0}},
        {"clock_settime", DIES, SCMP_SYS(clock_settime), {0, 0}},
        {"syslog", DIES, SCMP_SYS(syslog), {10, 0, 0}},
        {"acct", DIES, SCMP_SYS(acct), {at("/nowhere")}},
        {"quotactl", DIES, SCMP_SYS(quotactl), {0, 0, 0, 0}},
        {"iopl", DIES, SCMP_SYS(iopl), {0}},
        {"ioprio_set", DIES, SCMP_SYS(ioprio_set), {1, 0, 0}},
        {"landlock_create_ruleset", DIES, SCMP_SYS(landlock_create_ruleset), {0, 0, 1}},
    };

    add_calls("system", calls, G_N_ELEMENTS(calls));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_errors();
    add_file_calls();
    add_socket_calls();
    add_process_calls();
    add_memory_calls();
    add_system_calls();
    return g_test_run();
}
