/* SPDX-License-Identifier: MIT */
/*
 * Charts as inline SVG, WIDTH (chart.c) units wide, which the page stretches. Pure.
 *
 * Colours are the page's classes: "c1" ... "c4" fill what is measured, "axis", "soft" and "ideal"
 * are lines and text beside it. Text of others is escaped here.
 */
#ifndef BT_BENCH_CHART_H
#define BT_BENCH_CHART_H

#include "bench/statistics.h"

#include <glib.h>

#define BT_CHART_PARTS 4

/* One bar under its label: of several parts, or of one with an interval. */
typedef struct BtBar {
    const char *label;
    char *text; /* its value; owned by the caller */
    double parts[BT_CHART_PARTS];
    double low, high; /* 0, 0: no interval */
} BtBar;

/* title: for those who hear the page. mark: a value that gets a line across the bars, or 0. */
void bt_chart_bars(GString *out, const char *title, const BtBar *bars, size_t n, double mark);

typedef struct BtPoint {
    double workers;
    BtInterval speed_up;
} BtPoint;

/* Points over the number of workers, with the ideal (as many times as fast as there are workers,
 * up to the number of processors) and Amdahl's curve unless it is NULL. */
void bt_chart_speed_up(GString *out, const BtPoint *points, size_t n, int n_processors,
                       const BtAmdahl *fit);

#endif
