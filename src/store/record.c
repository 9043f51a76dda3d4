/* SPDX-License-Identifier: MIT */
#include "store/record.h"

#include "base/clock.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>

void
bt_record_print(const BtRecord *self, char out_text[BT_RECORD_BYTES_MAX])
{
    snprintf(out_text, BT_RECORD_BYTES_MAX,
             "1 %08" PRIx64 " %08" PRIx64 " %08" PRIx64 " %" PRIx64 " %" PRIx64 ".%lx %" PRIx64,
             self->settings, self->root, self->place, self->source_bytes,
             (uint64_t)self->source_time.tv_sec, (unsigned long)self->source_time.tv_nsec,
             self->bytes);
}

/* Reads a number up to its end, which is passed. */
static bool
read_number(const char **text, char end, uint64_t *out_number)
{
    char *stop;

    if (!g_ascii_isxdigit(**text))
        return false;
    errno = 0;
    *out_number = g_ascii_strtoull(*text, &stop, 16);
    *text = stop + 1;
    return errno == 0 && *stop == end;
}

BtRecord
bt_record_parse(const char *text)
{
    static const char ends[] = {' ', ' ', ' ', ' ', ' ', '.', ' ', '\0'};
    uint64_t numbers[sizeof ends];

    for (size_t i = 0; i < sizeof ends; i++)
        if (!read_number(&text, ends[i], &numbers[i]))
            return (BtRecord){0};
    if (numbers[0] != 1 || numbers[6] >= BT_NS_PER_S)
        return (BtRecord){0};
    return (BtRecord){
        .settings = numbers[1],
        .root = numbers[2],
        .place = numbers[3],
        .source_bytes = numbers[4],
        .source_time = {(time_t)numbers[5], (long)numbers[6]},
        .bytes = numbers[7],
    };
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
