/* SPDX-License-Identifier: MIT */
/*
 * A study as one page: self-contained HTML with inline SVG and no script, for phones and screens,
 * light and dark, and paper. Pure.
 */
#ifndef BT_BENCH_PAGE_H
#define BT_BENCH_PAGE_H

#include "bench/study.h"

/* Owned (g_free). */
char *bt_page(const BtStudy *study);

#endif
