/* SPDX-License-Identifier: MIT */
/*
 * The signals that a batch heeds: SIGINT, SIGTERM and SIGHUP end it, SIGUSR1 asks for the workers.
 * One that was ignored at the start (nohup, trap '' INT) stays ignored. Supervisor. Inside the room
 * only.
 */
#ifndef BT_RUN_SIGNALS_H
#define BT_RUN_SIGNALS_H

#include "base/error.h"
#include "base/fd.h"

#include <signal.h>
#include <stdint.h>

typedef struct BtSignals {
    BtFd fd;            /* readable when one has come */
    sigset_t ending;    /* those that end the batch and are not ignored */
    sigset_t before;    /* the mask to go back to */
    uint64_t grace_ns;  /* after the first SIGTERM, for the pictures in work */
    uint64_t ending_ns; /* when that was seen; 0: it was not */
    bool heeded;        /* it was read */
    int number;         /* the one that ends the batch at once; 0: none */
} BtSignals;

/* Blocks them. */
BT_MUST_CHECK bool bt_signals_open(BtSignals *self, uint64_t grace_ns, GError **error);

/* Drops those that were not read, and unblocks them. */
void bt_signals_close(BtSignals *self);

/* Reads what has come. True where SIGUSR1 is among it. */
bool bt_signals_read(BtSignals *self);

/* Whether no further picture is to be started. */
bool bt_signals_ending(const BtSignals *self);

/* How long pictures in work may go on: UINT64_MAX for as long as they want. */
uint64_t bt_signals_left(const BtSignals *self);

/* For a process that decodes: whether it is to leave its picture. user is a BtSignals. */
bool bt_signals_cancel(void *user);

#endif
