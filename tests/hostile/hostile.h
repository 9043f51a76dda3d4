/* SPDX-License-Identifier: MIT */
/*
 * A blurthumb whose workers can be taken over: the program itself, linked so that each of its
 * workers looks for an order in the picture that it is given, "hostile:NAME:NUMBER:" in the first
 * bytes, and then does as a worker would that a decoder's hole has put into somebody's hands. It
 * has been locked in by then, as every worker; what it knows of before is what an attacker could
 * find out. A picture without an order is processed as ever, by a worker that may remember an
 * earlier one.
 *
 * What an attack has achieved it says in the sentence of a failure, "tried: ...", or by its result.
 */
#ifndef HOSTILE_HOSTILE_H
#define HOSTILE_HOSTILE_H

#include "run/worker.h"

#include <stdint.h>

#define HOSTILE_REGIONS_MAX 512

/* A worker that was taken over, from its start on. */
typedef struct Hostile {
    int channel_fd;
    int kept_fd;       /* of an earlier task's result; 0: none */
    int hoard_fds[64]; /* of all that were hoarded */
    int n_hoarded;
    bool spoils;              /* whatever comes later */
    uint64_t id;              /* of the task */
    unsigned char *mapping;   /* of an earlier result */
    unsigned char secret[64]; /* from the environment, XORed by HOSTILE_MASK */
    size_t secret_size;
    int n_regions; /* writable memory at the start */
    struct {
        uintptr_t begin, end;
    } regions[HOSTILE_REGIONS_MAX];
} Hostile;

#define HOSTILE_MASK 0x5a

/* What a task and its honest outcome are to an attack. */
typedef struct Turn {
    Hostile *self;
    const BtTaskView *task;
    void *state;
    uint64_t number; /* of the order */
    BtOutcome outcome;
    size_t size; /* of the answer; that of an outcome */
} Turn;

typedef struct Attack {
    const char *name;
    void (*attack)(Turn *turn);
    bool first; /* it comes in place of the work, else after it */
} Attack;

/* By what an attack is about. Each table ends with a NULL. */
extern const Attack hostile_answers[];
extern const Attack hostile_files[];
extern const Attack hostile_memory[];
extern const Attack hostile_calls[];
extern const Attack hostile_frames[];

/* Ends the turn as a failure: "tried: ...". */
void hostile_say(Turn *turn, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
