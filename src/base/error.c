/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>

/* clang-format off */
G_DEFINE_QUARK(bt-error, bt_error)
G_DEFINE_QUARK(bt-error-system, bt_error_system)
/* clang-format on */

bool
bt_error_set(GError **error, BtErrorCode code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error != NULL)
        *error = g_error_new_valist(BT_ERROR, (int)code, format, args);
    va_end(args);
    return false;
}

bool
bt_error_set_system(GError **error, int errnum, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error != NULL) {
        g_autofree char *what = g_strdup_vprintf(format, args);

        *error = g_error_new(BT_ERROR_SYSTEM, errnum, "%s: %s", what, g_strerror(errnum));
    }
    va_end(args);
    return false;
}

bool
bt_error_add_way_out(GError **error, int errnum, const char *way_out)
{
    bool is_lack = errnum == ENOSYS || errnum == EOPNOTSUPP || errnum == EBADF ||
                   errnum == ESPIPE || errnum == EXDEV;

    if (error != NULL && is_lack) {
        g_autoptr(GError) bare = g_steal_pointer(error);

        *error = g_error_new(bare->domain, bare->code, "%s: the file system cannot do this; %s",
                             bare->message, way_out);
    }
    return false;
}
