/* SPDX-License-Identifier: MIT */
#include "image/outcome.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[BT_REASON_COUNT] = {
    [BT_REASON_OK] = "ok",
    [BT_REASON_EMPTY] = "empty",
    [BT_REASON_UNKNOWN] = "unknown-format",
    [BT_REASON_BLOCKED] = "blocked-format",
    [BT_REASON_TOO_LARGE] = "too-large",
    [BT_REASON_BROKEN] = "broken",
    [BT_REASON_MEMORY] = "memory",
    [BT_REASON_HEAVY] = "heavy",
    [BT_REASON_ENCODE] = "encode",
    [BT_REASON_WRITE] = "write",
    [BT_REASON_CANCELLED] = "cancelled",
    [BT_REASON_WORKER] = "worker",
    [BT_REASON_PREVIEW] = "preview",
};

const char *
bt_reason_name(BtReason reason)
{
    return (unsigned)reason < BT_REASON_COUNT ? names[reason] : "unknown";
}

bool
bt_outcome_fail(BtOutcome *self, BtReason reason, const char *format, ...)
{
    va_list args;

    self->reason = reason;
    va_start(args, format);
    vsnprintf(self->sentence, sizeof self->sentence, format, args);
    va_end(args);
    return false;
}

bool
bt_outcome_fail_memory(BtOutcome *self)
{
    return bt_outcome_fail(self, BT_REASON_MEMORY, "not enough memory");
}

static bool
is_terminated(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static bool
is_base64(const char *text, size_t size)
{
    return is_terminated(text, size) &&
           text[strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+/=")] == '\0';
}

bool
bt_outcome_is_valid(const void *bytes, size_t size, BtOutcome *out_outcome)
{
    BtOutcome outcome;
    bool ok;

    if (size != sizeof outcome)
        return false;
    memcpy(&outcome, bytes, sizeof outcome);
    ok = outcome.reason == BT_REASON_OK;
    if ((unsigned)outcome.reason >= BT_REASON_COUNT ||
        (unsigned)outcome.format >= BT_FORMAT_COUNT ||
        !is_terminated(outcome.loader, sizeof outcome.loader) ||
        !is_terminated(outcome.sentence, sizeof outcome.sentence) ||
        !is_base64(outcome.thumbhash, sizeof outcome.thumbhash) || outcome.source_width < 0 ||
        outcome.source_height < 0 || outcome.out_width < 0 || outcome.out_height < 0 ||
        outcome.shrink < 0 || outcome.n_pages < 0 || outcome.left_out > BT_LEFT_OUT_ALL ||
        outcome.preview_bytes > BT_PREVIEW_BYTES_MAX)
        return false;
    if (ok && (outcome.format == BT_FORMAT_NONE || outcome.source_width == 0 ||
               outcome.source_height == 0 || outcome.out_width == 0 || outcome.out_height == 0))
        return false;
    if (!ok && outcome.sentence[0] == '\0')
        return false;
    *out_outcome = outcome;
    return true;
}
