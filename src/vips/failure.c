/* SPDX-License-Identifier: MIT */
#include "vips/module.h"

#include <stdarg.h>
#include <string.h>
#include <vips/vips.h>

/* Whether a line says what is wrong: a warning may not, and that a seek went past the end is how a
 * decoder's own complaint begins, or a mere try. */
static bool
explains(const char *line)
{
    return *line != '\0' && strstr(line, "Warning:") == NULL && strstr(line, "bad seek") == NULL;
}

/* libvips' errors are lines "domain: text", the later ones often repeating the first in other
 * words. Takes the first that explains, else the first. */
static char *
take_text(void)
{
    g_autofree char *text = vips_error_buffer_copy();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    char **line = lines;

    while (*line != NULL && !explains(*line))
        line++;
    return g_strdup(*line != NULL ? *line : lines[0] != NULL ? lines[0] : "");
}

static bool
is_short_of_memory(const char *text)
{
    static const char *const words[] = {"out of memory", "Out of memory", "emory allocation",
                                        "nough memory", "nsufficient memory"};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
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
    if (is_short_of_memory(said))
        return bt_outcome_fail(outcome, BT_REASON_MEMORY, "not enough memory: %s", said);
    return bt_outcome_fail(outcome, reason, "%s%s%s", what, said[0] != '\0' ? ": " : "", said);
}
