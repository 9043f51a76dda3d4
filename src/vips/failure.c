/* SPDX-License-Identifier: MIT */
#include "vips/failure.h"

#include <stdarg.h>
#include <string.h>
#include <vips/vips.h>

/* libvips' errors are lines "domain: text", the later ones often repeating the first in other
 * words, and the first ones possibly warnings. Takes the first that counts. */
static char *
take_text(void)
{
    g_autofree char *text = vips_error_buffer_copy();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    char **line = lines;

    while (*line != NULL && (**line == '\0' || strstr(*line, "Warning:") != NULL))
        line++;
    return g_strdup(*line != NULL ? *line : text);
}

bool
bt_vips_fail(BtOutcome *outcome, BtReason reason, const char *format, ...)
{
    g_autofree char *said = take_text();
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    if (strstr(said, "out of memory") != NULL)
        reason = BT_REASON_MEMORY;
    return bt_outcome_fail(outcome, reason, "%s%s%s", what, said[0] != '\0' ? ": " : "", said);
}
