/* SPDX-License-Identifier: MIT */
#include "sandbox/sandbox.h"

#include "sandbox/filter.h"
#include "sandbox/landlock.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* A worker has seven, and libvips duplicates one now and then. */
#define DESCRIPTORS_MAX 64

const char *
bt_sandbox_lacking(void)
{
    bool landlock = bt_landlock_version() > 0, filter = bt_filter_is_available();

    if (landlock && filter)
        return NULL;
    return landlock ? "seccomp filters" : filter ? "Landlock" : "Landlock and seccomp filters";
}

static bool
limit(int resource, rlim_t most, GError **error)
{
    struct rlimit limits;

    if (getrlimit(resource, &limits) != 0)
        return bt_error_set_system(error, errno, "a limit cannot be read");
    limits.rlim_max = limits.rlim_max < most ? limits.rlim_max : most;
    limits.rlim_cur = limits.rlim_max;
    if (setrlimit(resource, &limits) != 0)
        return bt_error_set_system(error, errno, "a limit cannot be set");
    return true;
}

static bool
enter_layers(bool require, GError **error)
{
    int version = bt_landlock_version();

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return bt_error_set_system(error, errno, "no_new_privs");
    if ((version > 0 || require) && !bt_landlock_enter(version))
        return bt_error_set_system(error, errno, "Landlock");
    if ((bt_filter_is_available() || require) && !bt_filter_enter())
        return bt_error_set_system(error, errno, "seccomp");
    return true;
}

bool
bt_sandbox_enter(BtSandboxMode mode, uint64_t memory, GError **error)
{
    if (!limit(RLIMIT_CORE, 0, error) || !limit(RLIMIT_NOFILE, DESCRIPTORS_MAX, error) ||
        (memory > 0 && !limit(RLIMIT_DATA, memory, error)))
        return false;
    return mode == BT_SANDBOX_OFF || enter_layers(mode == BT_SANDBOX_REQUIRE, error);
}
