/* SPDX-License-Identifier: MIT */
#include "sandbox/layers.h"

#include "base/fd.h"

#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own: Debian 12's <linux/landlock.h> is older than the kernels it may run on. */
#define CREATE_VERSION 1u
#define FS_RIGHTS_1    UINT64_C(0x1fff) /* EXECUTE to MAKE_SYM */
#define FS_REFER       (UINT64_C(1) << 13)
#define FS_TRUNCATE    (UINT64_C(1) << 14)
#define FS_IOCTL_DEV   (UINT64_C(1) << 15)
#define NET_RIGHTS     UINT64_C(3) /* BIND_TCP, CONNECT_TCP */
#define SCOPES         UINT64_C(3) /* ABSTRACT_UNIX_SOCKET, SIGNAL */

typedef struct Ruleset {
    uint64_t fs, net, scoped;
} Ruleset;

int
bt_landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

    return version > 0 ? (int)version : 0;
}

bool
bt_landlock_enter(void)
{
    const int version = bt_landlock_version();
    Ruleset rules = {.fs = FS_RIGHTS_1};
    size_t size = version >= 6   ? sizeof rules
                  : version >= 4 ? 2 * sizeof(uint64_t)
                                 : sizeof rules.fs;
    g_auto(BtFd) fd = -1;

    rules.fs |= version >= 2 ? FS_REFER : 0;
    rules.fs |= version >= 3 ? FS_TRUNCATE : 0;
    rules.fs |= version >= 5 ? FS_IOCTL_DEV : 0;
    rules.net = version >= 4 ? NET_RIGHTS : 0;
    rules.scoped = version >= 6 ? SCOPES : 0;
    fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    return fd >= 0 && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
}
