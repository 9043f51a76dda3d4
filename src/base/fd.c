/* SPDX-License-Identifier: MIT */
#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

void
bt_fd_clear(BtFd *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

BtFd
bt_fd_steal(BtFd *fd)
{
    BtFd taken = *fd;

    *fd = -1;
    return taken;
}
