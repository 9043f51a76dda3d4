/* SPDX-License-Identifier: MIT */
/*
 * A study as text: for a terminal, with bars, or as Markdown. Pure.
 */
#ifndef BT_BENCH_SUMMARY_H
#define BT_BENCH_SUMMARY_H

#include "bench/study.h"
#include "bench/table.h"

/* For a terminal or as Markdown. Owned (g_free). */
char *bt_summary(const BtStudy *study, BtTableForm form);

/* The tables of it alone, appended to out; in any form. */
void bt_summary_rows(const BtStudy *study, BtTableForm form, GString *out);

#endif
