/* SPDX-License-Identifier: MIT */
#include "store/record.h"

#include "base/clock.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>

#define FORMAT "1 %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %" PRIu64 " %lld.%09ld %" PRIu64
#define SCAN_FORMAT                                                                                \
    "1 %16" SCNx64 " %16" SCNx64 " %16" SCNx64 " %" SCNu64 " %lld.%9ld %" SCNu64 "%c"

void
bt_record_print(const BtRecord *self, char out_text[BT_RECORD_BYTES_MAX])
{
    snprintf(out_text, BT_RECORD_BYTES_MAX, FORMAT, self->settings, self->root, self->place,
             self->source_bytes, (long long)self->source_time.tv_sec, self->source_time.tv_nsec,
             self->bytes);
}

BtRecord
bt_record_parse(const char *text)
{
    BtRecord record = {0};
    long long seconds;
    char rest;

    if (sscanf(text, SCAN_FORMAT, &record.settings, &record.root, &record.place,
               &record.source_bytes, &seconds, &record.source_time.tv_nsec, &record.bytes,
               &rest) != 7 ||
        record.source_time.tv_nsec < 0)
        return (BtRecord){0};
    record.source_time.tv_sec = (time_t)seconds;
    return record;
}

bool
bt_record_is_same_time(struct timespec one, struct timespec other)
{
    static const int64_t grains_ns[] = {1, 100, 1000, 10000000, 1000000000, 2000000000};
    bool in_order =
        one.tv_sec != other.tv_sec ? one.tv_sec < other.tv_sec : one.tv_nsec < other.tv_nsec;
    struct timespec earlier = in_order ? one : other, later = in_order ? other : one;
    uint64_t seconds = (uint64_t)later.tv_sec - (uint64_t)earlier.tv_sec;
    int64_t ns_per_s = (int64_t)BT_NS_PER_S;
    /* Two seconds or more are too many for every grain. */
    int64_t gap_ns = (int64_t)MIN(seconds, 2) * ns_per_s + later.tv_nsec - earlier.tv_nsec;
    int64_t phase_ns =
        (earlier.tv_sec & 1) * ns_per_s + earlier.tv_nsec; /* all grains divide 2 s */

    for (size_t i = 0; i < G_N_ELEMENTS(grains_ns); i++)
        if (phase_ns % grains_ns[i] == 0 && gap_ns < grains_ns[i])
            return true;
    return false;
}
