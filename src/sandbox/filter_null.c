/* SPDX-License-Identifier: MIT */
/* For a build without libseccomp. */
#include "sandbox/layers.h"

#include <errno.h>

const char bt_filter_missing[] = "this build has none";

bool
bt_filter_is_available(void)
{
    return false;
}

bool
bt_filter_enter(void)
{
    errno = ENOSYS;
    return false;
}
