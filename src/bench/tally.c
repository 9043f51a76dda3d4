/* SPDX-License-Identifier: MIT */
#include "bench/tally.h"

#include "base/json.h"

#include <string.h>

static void
take_end(BtTally *tally, const BtJsonObject *event)
{
    tally->n_processed = bt_json_number(event, "processed", 0);
    tally->n_failed = bt_json_number(event, "failed", 0);
    tally->pixels = bt_json_number(event, "pixels", 0);
    tally->source_bytes = bt_json_number(event, "source_bytes", 0);
    tally->decode_seconds = bt_json_number(event, "decode_seconds", 0);
    tally->kernel_seconds = bt_json_number(event, "kernel_seconds", 0);
    tally->encode_seconds = bt_json_number(event, "encode_seconds", 0);
    tally->elapsed_seconds = bt_json_number(event, "elapsed_seconds", 0);
    tally->n_workers = MAX(1, (int)bt_json_number(event, "workers", 0));
}

bool
bt_tally_parse(const char *text, BtTally *out_tally, GError **error)
{
    BtTally tally = {0};

    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        g_autoptr(BtJsonObject) event = bt_json_parse(text, (size_t)(end - text), error);
        const char *kind = event != NULL ? bt_json_text(event, "event") : NULL;

        if (event == NULL)
            return false;
        if (g_strcmp0(kind, "picture") == 0)
            tally.longest_seconds =
                MAX(tally.longest_seconds, bt_json_number(event, "elapsed_seconds", 0));
        if (g_strcmp0(kind, "end") == 0)
            take_end(&tally, event);
    }
    if (tally.n_workers == 0)
        return bt_error_set(error, BT_ERROR_INVALID, "there is no last event");
    *out_tally = tally;
    return true;
}

double
bt_tally_busy(const BtTally *self)
{
    return self->decode_seconds + self->kernel_seconds + self->encode_seconds;
}

double
bt_tally_waiting(const BtTally *self)
{
    return MAX(0, self->n_workers * self->elapsed_seconds - bt_tally_busy(self));
}
