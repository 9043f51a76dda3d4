/* SPDX-License-Identifier: MIT */
/*
 * Errors of this project, on top of GError. Pure; any process.
 *
 * Two domains:
 *   BT_ERROR         what we found out ourselves; the code is a BtErrorCode.
 *   BT_ERROR_SYSTEM  a system call failed; the code is its errno, so that a caller can tell a
 *                    full disk (ENOSPC) from a missing file.
 *
 * A message is one clause without a full stop, names the thing it is about, and may hold any bytes
 * of a file name: who prints makes it safe for a terminal.
 */
#ifndef BT_BASE_ERROR_H
#define BT_BASE_ERROR_H

#include <glib.h>
#include <stdbool.h>

#define BT_ERROR        (bt_error_quark())
#define BT_ERROR_SYSTEM (bt_error_system_quark())

/* Put before a fallible function: its result may not be dropped. */
#define BT_MUST_CHECK __attribute__((warn_unused_result))

typedef enum BtErrorCode {
    BT_ERROR_FAILED,    /* nothing more particular */
    BT_ERROR_INVALID,   /* an argument or a file's content is not what it must be */
    BT_ERROR_FULL,      /* a bounded queue has no room now */
    BT_ERROR_TAKEN,     /* the name belongs to somebody else */
    BT_ERROR_EXHAUSTED, /* tried as often as allowed */
} BtErrorCode;

GQuark bt_error_quark(void);
GQuark bt_error_system_quark(void);

/* Both set *error (when error is not NULL) and return false, so that a caller can `return` them.
 * The system form appends ": " and the text of errnum. */
bool bt_error_set(GError **error, BtErrorCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);
bool bt_error_set_system(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Adds a way out to an error of the system where errnum says that a mount, such as one of an object
 * store, lacks the call. False. */
bool bt_error_add_way_out(GError **error, int errnum, const char *way_out);

#endif
