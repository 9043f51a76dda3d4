/* SPDX-License-Identifier: MIT */
/* How targets begin; the rest of them is in store.h. Supervisor. Inside the room only. */
#ifndef BT_STORE_TARGET_H
#define BT_STORE_TARGET_H

#include "store/folder.h"
#include "store/store.h"

/* A temporary in a folder, of which it keeps a reference: nameless when that is wished for and the
 * file system has such files, else with a name. durable: publishing it waits for the disk. */
BtTarget *bt_target_new(BtFolder *folder, bool nameless, bool durable, GError **error);

/* Whether a nameless file can be made in a folder and given a name: tried, since there are file
 * systems that offer the one and refuse the other. */
bool bt_target_can_link(BtFolder *folder);

#endif
