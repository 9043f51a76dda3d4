/* SPDX-License-Identifier: MIT */
/*
 * A study for programs: every sample, and what was made of them. Pure.
 *
 * JSON has one object a line, as blurthumb's own events. Schema 1: members may be added, none is
 * removed or changes its meaning. Those of other programs' rows lack what only blurthumb tells.
 *
 *   {"event":"start","schema":1,"program":"blurthumb-bench","version","machine":{"processor",
 *    "system","processors","usable","memory_bytes"},"options":{"rounds","seconds","cold","paths",
 *    "passed"}}
 *   {"event":"sample","row","kind","workers","round","wall_seconds","cpu_seconds","largest_bytes",
 *    "read_bytes","processed","failed","pixels","source_bytes","decode_seconds","kernel_seconds",
 *    "encode_seconds","waiting_seconds","elapsed_seconds","longest_seconds"}
 *   {"event":"row","row","kind","workers","command","failure","rounds","median_seconds",
 *    "low_seconds","high_seconds","outliers","cpu_seconds","speed_up":{"value","low","high"},
 *    "ratio":{...},"largest_bytes","together_bytes","processes","results"}
 *       kind: "serial", "workers" or "other"; low, high: the quartiles of seconds, and the 95 %
 *       interval of ratios; ratio: seconds over those of the row with most workers
 *   {"event":"limits","fixed_seconds","shared_seconds"}                  Amdahl's law; may be
 * missing
 *   {"event":"told","message"}  {"event":"warning","message"}
 *   {"event":"end","rounds","others_share","stolen_share"}
 *
 * CSV has a line for each sample, with the members of "sample" as its columns.
 */
#ifndef BT_BENCH_DUMP_H
#define BT_BENCH_DUMP_H

#include "bench/study.h"

/* Owned (g_free). */
char *bt_dump_json(const BtStudy *study);
char *bt_dump_csv(const BtStudy *study);

#endif
