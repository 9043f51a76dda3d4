/* SPDX-License-Identifier: MIT */
/*
 * One thing that a worker tries: a worker of the pool, which locks itself in as those of the
 * program do, and then makes a system call or does a deed. Each in a worker of its own.
 */
#ifndef SANDBOX_PROBE_H
#define SANDBOX_PROBE_H

#include "pool/pool.h"
#include "sandbox/sandbox.h"

#define PROBE_MEMORY     (UINT64_C(256) << 20) /* bytes of a worker */
#define PROBE_FILE_BYTES (UINT64_C(1) << 20)   /* of a file that it writes */
#define PROBE_ARGUMENTS  6
#define PROBE_BYTES      "bytes" /* in the source */

/* What a worker has open besides its channel and the descriptors of its task. */
enum {
    PROBE_FOLDER = 40, /* O_PATH */
    PROBE_SOCKET,      /* not connected */
    PROBE_NAMESPACE,
    PROBE_SUPERVISOR, /* its pidfd */
};

/* Stand for the descriptors of the task among the arguments of a call. */
enum {
    PROBE_SOURCE = -1000, /* open for reading */
    PROBE_TARGET,         /* for both; an empty memfd */
};

/* Returns below 0 with errno where it was refused. */
typedef long (*ProbeDeed)(int source_fd, int target_fd);

typedef struct Probe {
    ProbeDeed deed; /* or NULL and a call: */
    int number;
    int64_t arguments[PROBE_ARGUMENTS];
} Probe;

/* Tried: the worker must live and answer with this errno, 0 for success. */
void probe_answers(BtSandboxMode mode, Probe probe, int answer);

/* Tried under all layers: it must succeed. Returns what comes of sealing the target against all
 * changes while the worker lives: 0 or errno. */
int probe_seals(Probe probe);

/* Tried under all layers: the worker must be killed by this signal. */
void probe_dies(Probe probe, int signal_number);

/* Makes the call in this process. Returns 0 or errno. */
int probe_call(const Probe *probe, int source_fd, int target_fd);

/* Whether this kernel has all layers; where it has not, the test is skipped, or fails with
 * MUST_WORK=1 in the environment. */
bool probe_can_lock_in(void);

#endif
