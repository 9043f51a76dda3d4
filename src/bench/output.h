/* SPDX-License-Identifier: MIT */
/*
 * A study for people and for programs. Pure; results are owned (g_free).
 *
 * JSON has one object a line, as blurthumb's own events. Schema 2: members may be added, none is
 * removed or changes its meaning. Rows of other programs lack what only blurthumb reports.
 *
 *   {"event":"start","schema":2,"program":"blurthumb-bench","version","machine":{"processor",
 *    "system","processors","usable","memory_bytes"},"options":{"rounds","seconds","cold","paths",
 *    "passed"}}
 *   {"event":"sample","row","kind","workers","round", and bt_figure_name() of each figure}
 *   {"event":"row","row","kind","workers","command","failure","rounds","median_seconds",
 *    "low_seconds","high_seconds","cpu_seconds","speed_up":{"value","low","high"},"ratio":{...},
 *    "largest_bytes","together_bytes","processes","results"}
 *       kind: "serial", "workers" or "other"; low, high: quartiles; speed_up: serial seconds over
 *       those of this row, round by round; ratio: of this row over the row with most workers
 *   {"event":"told","message"}  {"event":"warning","message"}
 *   {"event":"end","rounds","others_share","stolen_share"}
 */
#ifndef BT_BENCH_OUTPUT_H
#define BT_BENCH_OUTPUT_H

#include "bench/study.h"

char *bt_output_text(const BtStudy *study);
char *bt_output_json(const BtStudy *study);

/* One page without a script, which loads nothing: charts as SVG, the same tables. */
char *bt_output_page(const BtStudy *study);

/* Sentences of all three, owned (g_strfreev): at most two on the speed-up and what limits more
 * workers; and on failed commands, noise, short runs, a busy machine. */
char **bt_output_limits(const BtStudy *study);
char **bt_output_warnings(const BtStudy *study);

/* The tables of text and page. */
void bt_output_tables(const BtStudy *study, bool html, GString *out);

#endif
