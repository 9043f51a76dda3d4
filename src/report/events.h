/* SPDX-License-Identifier: MIT */
/*
 * What a batch tells programs: one JSON object a line, written whole. Supervisor. Inside the room
 * only.
 *
 * Schema 1. Members whose value is not known are left out. Times are UTC (RFC 3339) or seconds,
 * sizes bytes or pixels. Texts are UTF-8; where a name is not, its exact bytes are in the member of
 * the same name with "_base64" behind it. Members may be added within a schema; none is removed or
 * changes its meaning.
 *
 *   {"event":"start","schema":1,"program":"blurthumb","version","time","output","workers",
 *    "shard_index","shard_count","settings":{NAME:VALUE, ...}}              workers 0: serial
 *   {"event":"picture","status","path","result","reason","message",
 *    "source_bytes","source_time","source_width","source_height","pages","left_out",
 *    "result_bytes","width","height","shrink","decoder","format","thumbhash",
 *    "decode_seconds","kernel_seconds","encode_seconds","elapsed_seconds"}
 *       status: "processed", "verified", "skipped", "planned" or "failed"; "orphan" or "removed" of
 *       a result without a source; reason: a word, such as "fresh", "new", "foreign", "broken",
 *       "too-large", of which there may come more; a failure without a path is one of the scan;
 *       left_out: "gain-map", "video" (of a motion photo), or both with a comma: what its result
 *       does not hold; thumbhash: base64 (https://evanw.github.io/thumbhash/), of what was
 *       processed in this run
 *   {"event":"notice","message"}
 *   {"event":"worker","name","pid","state","path","seconds"}
 *   {"event":"end","time","processed","verified","skipped","planned","orphans","removed","failed",
 *    "ignored","ignored_by_extension":{KIND:COUNT, ...},"pixels",
 *    "source_bytes","result_bytes","decode_seconds","kernel_seconds","encode_seconds",
 *    "elapsed_seconds","workers","signal","error"}           signal and error: why it ended early
 *       KIND: an extension in lower case; "": no extension; "/": folders (kinds.h). The commonest
 * is first; kinds beyond 1000 are in "ignored" alone
 */
#ifndef BT_REPORT_EVENTS_H
#define BT_REPORT_EVENTS_H

#include "report/kinds.h"
#include "report/report.h"

#define BT_EVENTS_SCHEMA 1

void bt_events_start(FILE *out, const BtReportStart *start);

/* status: as above. reason and message: NULL where there is none. */
void bt_events_picture(FILE *out, const char *status, const BtReportPicture *picture,
                       const char *reason, const char *message);
void bt_events_notice(FILE *out, const char *message);
void bt_events_worker(FILE *out, const BtReportWorker *worker);
void bt_events_end(FILE *out, const BtReportEnd *end, const BtReportCounts *counts,
                   const BtKinds *ignored);

#endif
