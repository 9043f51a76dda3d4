/* SPDX-License-Identifier: MIT */
/*
 * A line at the bottom of a terminal that is drawn again and again, and steps aside for what else
 * is printed. Supervisor. Inside the room only.
 *
 *   bt_terminal_draw(terminal, "3/7 pictures");
 *   bt_terminal_hide(terminal);          before anything else goes to the terminal
 *   bt_terminal_show(terminal);          after it
 *
 * Drawing is one write, of what has changed only.
 */
#ifndef BT_REPORT_TERMINAL_H
#define BT_REPORT_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

typedef struct BtTerminal BtTerminal;

/* Whether a stream is a terminal on which a line can be drawn again. */
bool bt_terminal_can_draw(FILE *stream);

/* The stream is lent. */
BtTerminal *bt_terminal_new(FILE *stream);

/* Takes the line away. NULL allowed, here and below. */
void bt_terminal_free(BtTerminal *self);

/* How wide a line may be now, so that none goes on in the next: asked at each call. */
int bt_terminal_columns(const BtTerminal *self);

void bt_terminal_draw(BtTerminal *self, const char *line);
void bt_terminal_hide(BtTerminal *self);
void bt_terminal_show(BtTerminal *self);

#endif
