/* SPDX-License-Identifier: MIT */
/* Figures and names for people. Pure; any process. Results are owned by the caller (g_free). */
#ifndef BT_BASE_HUMAN_H
#define BT_BASE_HUMAN_H

#include <stdint.h>

/* "512 bytes", "51.2 MB", "3.0 GB": decimal units, one digit after the point from kB up. */
char *bt_human_bytes(uint64_t bytes);

/* A figure with three significant digits and never an exponent: "0.41", "34", "470", "12300". */
char *bt_human_figure(double value);

/* Text that is safe on a terminal and valid UTF-8: printable text as it is, every control
 * character (C0, DEL, C1, line and paragraph separators, bidirectional overrides) and every byte
 * that is not UTF-8 as \xNN per byte, newline and tab as \n and \t, backslash as \\. So the result
 * is one line and maps back to the bytes. */
char *bt_human_text(const char *bytes);

#endif
