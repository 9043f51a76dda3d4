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

ssize_t
bt_fd_read_at(int fd, void *bytes, size_t size, off_t at)
{
    ssize_t n;

    do
        n = pread(fd, bytes, size, at);
    while (n < 0 && errno == EINTR);
    return n;
}
