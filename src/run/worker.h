/* SPDX-License-Identifier: MIT */
/*
 * A worker's side of a batch, and what the supervisor believes of it.
 *
 * A task is a BtWork and two descriptors, what is decoded (read) and a memfd for the result
 * (read and write), or to check what is there the first alone; the reply is a BtOutcome. A worker's
 * standard output and error are /dev/null, since decoders print bytes of the file; with
 * BT_WORKER_STDERR set in the environment standard error stays, for debugging. Its environment is
 * overwritten: it was the supervisor's.
 */
#ifndef BT_RUN_WORKER_H
#define BT_RUN_WORKER_H

#include "image/image.h"
#include "pool/pool.h"
#include "sandbox/sandbox.h"

typedef struct BtWork {
    BtFormat format; /* of the result; BT_FORMAT_NONE: the worker chooses JPEG or PNG */
    bool raw;        /* the source is called as raw files of cameras are */
    bool check;      /* decode it only: there is no result */
    uint64_t memory; /* bytes that it may take, at most those of the worker; 0: no limit */
    int n_threads;   /* 1 or more that it may be decoded with */
} BtWork;

typedef struct BtWorkerOptions {
    BtImageSettings image;
    BtSandboxMode sandbox;
    uint64_t memory; /* bytes that the worker may have; 0: no limit */
} BtWorkerOptions;

/* As BtPoolStart and BtPoolServe; data is a BtWorkerOptions. A worker locks itself in before its
 * first task; its notice says what of the sandbox it had to go without. Worker. */
void *bt_worker_start(void *data, GString *notice, GError **error);
size_t bt_worker_serve(void *state, const BtTaskView *task, void *reply);

/* The work itself: in a worker, or in a process that has none. */
void bt_worker_do(BtImage *image, const BtWork *work, int in_fd, int out_fd,
                  BtOutcome *out_outcome);

/* A file without a name for a result, to be sealed. -1 with *error. Supervisor, as what follows. */
BT_MUST_CHECK BtFd bt_worker_result_new(GError **error);

/* Seals the bytes of a result: whatever a worker has kept, it can only make it shorter, which
 * whoever copies it has to notice. Its size; 0 where that is not what a result can be, or a mapping
 * to write through was kept. */
uint64_t bt_worker_result_seal(int fd, const BtImageSettings *settings);

/* Empties the file for good and closes it: a worker that keeps it keeps no memory. -1 allowed. */
void bt_worker_result_clear(BtFd *self);

/* Reads what a worker has replied to work that it had for so long. False where it cannot be: not
 * an outcome, or one that does not fit the work, the settings or the clock. */
bool bt_worker_read_reply(const BtWork *work, const BtImageSettings *settings, uint64_t elapsed_ns,
                          const void *bytes, size_t size, BtOutcome *out_outcome);

#endif
