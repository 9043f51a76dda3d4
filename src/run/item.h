/* SPDX-License-Identifier: MIT */
/* One picture on its way through a batch, which run.c tells at its top: made once when its source
 * is found, settled once when its result is published or it is known why there is none. Supervisor.
 * Inside the room only. */
#ifndef BT_RUN_ITEM_H
#define BT_RUN_ITEM_H

#include "base/fd.h"
#include "report/report.h"
#include "run/run.h"
#include "run/worker.h"
#include "scan/scan.h"
#include "store/store.h"

typedef struct BtItem {
    BtSource *source;   /* what the scan has found; owned */
    char *names[2];     /* of its result, below the output folder, in each format that it may get:
                           one, or of JPEG and PNG where the worker chooses; owned */
    const char *name;   /* of these: of the result that is there, or was made; else the first */
    BtStoreState state; /* of that when it was last looked at */
    struct stat result; /* the same */
    BtWork work;        /* what a worker is to do: format, memory */
    BtFd in_fd;         /* what is decoded: the source, or the result where that is verified; -1
                           before its turn and once a worker has it */
    BtOrigin origin;    /* the source as it was opened */
    BtFd out_fd;        /* what the worker writes into, a memfd; -1 until a worker has it */
    bool again;         /* its source changed while it was read */
    bool alone;         /* no other picture may be in work meanwhile */
    bool needs_vips;    /* its worker needs libvips */
    uint64_t start_ns;  /* when it was put into work */
} BtItem;

/* Takes the source. NULL with a sentence where its result can have no name; then the source is
 * freed. */
BtItem *bt_item_new(const BtRunOptions *options, BtSource *source, GError **error);
void bt_item_free(BtItem *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtItem, bt_item_free)

/* Looks at the result: of two that there may be the fresh one counts. */
void bt_item_look(BtItem *self, BtStore *store);

/* The format was chosen: name is its. False where it is not one that was asked for. */
bool bt_item_choose(BtItem *self, BtFormat format);

/* What reports say of it; outcome may be NULL. Texts are lent by the item, but *out_result, which
 * is owned. */
BtReportPicture bt_item_describe(const BtItem *self, const BtRunOptions *options,
                                 const BtOutcome *outcome, char **out_result);

/* The states of a result in words: for programs; why it is to be made; what is wrong with it. */
const char *bt_item_state_code(BtStoreState state);
const char *bt_item_state_why(BtStoreState state);

#endif
