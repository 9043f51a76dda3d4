# SPDX-License-Identifier: MIT
"""What each system call may say when it fails: what its manual page lists and a machine can bring
about, be it full, out of memory or of descriptors, an old kernel or under a container's filter.

A call that the program makes and that is not here fails the test by name: a new call needs a
decision. An empty entry is a decision too.
"""
DESCRIPTORS = 'EMFILE', 'ENFILE', 'ENOMEM'
DISK_FULL = 'ENOSPC', 'EDQUOT', 'EROFS'
OPEN = 'EACCES', 'ENOENT', 'ELOOP', 'EIO', *DESCRIPTORS
NAME = 'EACCES', 'EPERM', 'EIO', 'ENOENT', 'ENOMEM', *DISK_FULL

# glib ends the process where there is no memory. brk() has no errno: it says where the end is.
MEMORY = {
    'brk': ('retval=0',),
    'mmap': ('ENOMEM', 'EACCES'),
    'mprotect': ('ENOMEM', 'EACCES'),
    'mremap': ('ENOMEM',),
    'munmap': ('ENOMEM',),
    'madvise': ('ENOMEM', 'EINVAL'),
}

ERRNOS = {
    **MEMORY,

    'openat': (*OPEN, 'EOPNOTSUPP', 'EPERM', *DISK_FULL),
    'openat2': (*OPEN, 'ENOSYS', 'EPERM', 'EAGAIN'),
    'newfstatat': ('EACCES', 'ENOENT', 'ELOOP', 'EIO', 'ENOMEM'),
    'stat': ('EACCES', 'ENOENT', 'EIO'),
    'lstat': ('EACCES', 'ENOENT', 'EIO'),
    'fstat': ('EIO',),
    'statx': ('EACCES', 'ENOENT', 'ELOOP', 'EIO', 'ENOMEM', 'ENOSYS'),
    'readlink': ('EACCES', 'ENOENT', 'EIO'),
    'access': ('EACCES', 'EIO'),
    'statfs': ('EACCES', 'ENOSYS', 'EIO'),
    'getcwd': ('ENOENT', 'EACCES', 'ENOMEM'),
    'getdents64': ('EIO', 'EINVAL'),  # ENOENT, a folder that is gone, is its end to readdir()
    'fadvise64': ('EINVAL', 'ESPIPE'),
    'close': ('EIO', 'EINTR', 'ENOSPC'),
    'read': ('EIO', 'EINTR', 'EAGAIN', 'EISDIR'),
    'pread64': ('EIO', 'EINTR', 'EISDIR'),
    'write': ('EIO', 'EAGAIN', 'EPIPE', *DISK_FULL),
    'lseek': ('ESPIPE', 'EINVAL'),
    'fcntl': ('EMFILE', 'EPERM', 'EBUSY'),
    'flock': ('EINTR', 'ENOLCK', 'EOPNOTSUPP'),
    'dup': ('EMFILE',),
    'dup2': ('EMFILE', 'EINTR', 'EBUSY'),
    'dup3': ('EMFILE', 'EINTR', 'EBUSY'),
    'ioctl': ('ENOTTY', 'EIO'),

    'mkdir': ('EEXIST', 'EMLINK', *NAME),
    'mkdirat': ('EEXIST', 'EMLINK', *NAME),
    'linkat': ('EEXIST', 'EMLINK', 'EXDEV', *NAME),
    'renameat': ('EXDEV', 'EBUSY', 'EISDIR', *NAME),
    'renameat2': ('EXDEV', 'EBUSY', 'EISDIR', 'EINVAL', *NAME),
    'unlinkat': ('EACCES', 'EPERM', 'EBUSY', 'EIO', 'ENOENT', 'EROFS'),
    'ftruncate': ('EIO', 'EFBIG', 'EPERM'),
    'fallocate': ('EIO', 'EFBIG', 'EOPNOTSUPP', 'EINTR', *DISK_FULL),
    'fsetxattr': ('EOPNOTSUPP', 'EPERM', 'EIO', 'ENOSPC', 'EDQUOT', 'ERANGE'),
    'getxattrat': ('ENOSYS', 'EPERM', 'EOPNOTSUPP', 'EACCES', 'EIO', 'ENOENT', 'ENODATA', 'ERANGE'),
    'syscall_0x1d0': (),  # getxattrat to an older strace
    'lgetxattr': ('EOPNOTSUPP', 'EACCES', 'EIO', 'ENOENT', 'ENODATA', 'ERANGE'),
    'utimensat': ('EPERM', 'EACCES', 'EIO', 'EROFS'),
    'memfd_create': ('ENOSYS', 'EPERM', *DESCRIPTORS),
    'sendfile': ('EIO', 'EINTR', 'EINVAL', 'EFBIG', *DISK_FULL),
    'fsync': ('EIO', 'EINVAL', *DISK_FULL),
    'fdatasync': ('EIO', 'EINVAL', *DISK_FULL),

    'clone': ('EAGAIN', 'ENOMEM', 'EPERM', 'ENOSYS'),
    'clone3': ('EAGAIN', 'ENOMEM', 'EPERM', 'ENOSYS'),
    'fork': ('EAGAIN', 'ENOMEM', 'ENOSYS'),
    'pidfd_open': ('ENODEV', 'ENOSYS', 'EPERM', *DESCRIPTORS),
    'pidfd_send_signal': ('ESRCH', 'EPERM', 'ENOSYS'),
    'kill': ('ESRCH', 'EPERM'),
    'waitid': ('ECHILD', 'EINTR'),
    'wait4': ('ECHILD', 'EINTR'),
    'socketpair': ('ENOBUFS', *DESCRIPTORS),
    'sendmsg': ('EPIPE', 'ECONNRESET', 'ENOBUFS', 'ENOMEM', 'EAGAIN', 'EINTR', 'ETOOMANYREFS'),
    'recvmsg': ('ECONNRESET', 'ENOMEM', 'EAGAIN', 'EINTR'),
    'ppoll': ('EINTR', 'ENOMEM'),
    'poll': ('EINTR', 'ENOMEM'),
    'signalfd4': ('ENODEV', *DESCRIPTORS),

    'prctl': ('EINVAL', 'EPERM'),
    'seccomp': ('ENOSYS', 'EOPNOTSUPP', 'EPERM'),
    'landlock_create_ruleset': ('ENOSYS', 'EOPNOTSUPP', 'EPERM'),
    'prlimit64': ('EPERM', 'ENOSYS'),
    'sched_getaffinity': ('EINVAL', 'EPERM', 'ENOSYS'),
    'sysinfo': ('ENOSYS',),
    'uname': ('ENOSYS',),
    'getrandom': ('EAGAIN', 'ENOSYS'),
    'clock_nanosleep': ('EINTR',),
    'get_mempolicy': ('ENOSYS', 'EPERM'),
    'set_mempolicy': ('ENOSYS', 'EPERM'),

    # These fail for wrong arguments only.
    'exit_group': (),
    'futex': (),
    'getpid': (),
    'getppid': (),
    'gettid': (),
    'geteuid': (),
    'getuid': (),
    'rt_sigaction': (),
    'rt_sigprocmask': (),
    'rt_sigreturn': (),
    'sigaltstack': (),
}
