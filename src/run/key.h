/* SPDX-License-Identifier: MIT */
/* The settings that decide what results look like and how they are called, as a text: what the
 * store compares, and reports show. Pure. */
#ifndef BT_RUN_KEY_H
#define BT_RUN_KEY_H

#include "run/run.h"

/* Lines "NAME VALUE", the first of which is the number of our own processing. Two texts differ
 * where results would. Owned (g_free). */
char *bt_run_key(const BtRunOptions *options);

#endif
