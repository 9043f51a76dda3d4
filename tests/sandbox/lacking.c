/* SPDX-License-Identifier: MIT */
/*
 * lacking WHAT PROGRAM ARGUMENT...: runs a program as on a kernel without "landlock", "seccomp", or
 * "both": to their system calls it gives the answers of such a kernel. Or as in a container that
 * refuses the system call of the name WHAT (EPERM).
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int failed = 0, call;

    if (argc < 3 || filter == NULL)
        return 2;
    call = seccomp_syscall_resolve_name(argv[1]);
    if (call != __NR_SCMP_ERROR && strcmp(argv[1], "seccomp") != 0)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
    else if (strcmp(argv[1], "seccomp") != 0)
        failed |=
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
    if (strcmp(argv[1], "seccomp") == 0 || strcmp(argv[1], "both") == 0)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(seccomp), 0);
    if (failed == 0 && seccomp_load(filter) == 0)
        execv(argv[2], argv + 2);
    perror(argv[2]);
    return 2;
}
