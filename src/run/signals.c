/* SPDX-License-Identifier: MIT */
#include "run/signals.h"

#include "base/clock.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool
bt_signals_open(BtSignals *self, uint64_t grace_ns, GError **error)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    sigset_t all;

    *self = (BtSignals){.grace_ns = grace_ns};
    sigemptyset(&all);
    sigemptyset(&self->ending);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct sigaction action;

        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            continue;
        sigaddset(&all, numbers[i]);
        if (numbers[i] != SIGUSR1)
            sigaddset(&self->ending, numbers[i]);
    }
    sigprocmask(SIG_BLOCK, &all, &self->before);
    self->fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    return self->fd >= 0 || bt_error_set_system(error, errno, "cannot wait for signals");
}

/* The next signal, or 0. */
static int
read_one(const BtSignals *self)
{
    struct signalfd_siginfo info;

    return read(self->fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

void
bt_signals_close(BtSignals *self)
{
    while (self->fd >= 0 && read_one(self) != 0)
        ;
    bt_fd_clear(&self->fd);
    sigprocmask(SIG_SETMASK, &self->before, NULL);
}

/* The time of grace begins. */
static void
see_end(BtSignals *self)
{
    if (self->ending_ns == 0)
        self->ending_ns = bt_clock_now_ns();
}

bool
bt_signals_read(BtSignals *self)
{
    bool asked = false;
    int number;

    while ((number = read_one(self)) != 0) {
        if (number == SIGUSR1)
            asked = true;
        else if (number != SIGTERM || self->grace_ns == 0 || self->heeded)
            self->number = number;
        else
            see_end(self);
        self->heeded |= number == SIGTERM;
    }
    return asked;
}

bool
bt_signals_ending(const BtSignals *self)
{
    return self->number != 0 || self->ending_ns != 0;
}

uint64_t
bt_signals_left(const BtSignals *self)
{
    uint64_t spent_ns;

    if (!bt_signals_ending(self))
        return UINT64_MAX;
    spent_ns = bt_clock_now_ns() - self->ending_ns;
    return self->number != 0 ? 0 : self->grace_ns - MIN(self->grace_ns, spent_ns);
}

bool
bt_signals_cancel(void *user)
{
    BtSignals *self = user;
    sigset_t pending;

    sigpending(&pending);
    if (sigismember(&pending, SIGTERM) == 1)
        see_end(self);
    return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGHUP) == 1 ||
           bt_signals_left(self) == 0;
}
