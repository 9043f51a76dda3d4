/* SPDX-License-Identifier: MIT */
#include "run/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a result: four samples of 16 bits that do not compress, and what the container adds. */
#define PIXEL_BYTES_MAX    10
#define METADATA_BYTES_MAX (UINT64_C(64) << 20)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

static void
silence(void)
{
    g_auto(BtFd) null = open("/dev/null", O_RDWR | O_CLOEXEC);

    dup2(null, STDOUT_FILENO);
    if (getenv("BT_WORKER_STDERR") == NULL)
        dup2(null, STDERR_FILENO);
}

/* Bytes that a result may have: more than any encoder makes of the box, with the metadata that
 * --strip leaves. */
static uint64_t
result_max(const BtImageSettings *settings)
{
    uint64_t box = (uint64_t)settings->box_width * (uint64_t)settings->box_height;

    return MIN(box, settings->max_pixels) * PIXEL_BYTES_MAX + METADATA_BYTES_MAX;
}

void *
bt_worker_start(void *data, GString *notice, GError **error)
{
    const BtWorkerOptions *options = data;
    BtImage *image;

    silence();
    if ((image = bt_image_new(&options->image)) == NULL) {
        bt_error_set(error, BT_ERROR_FAILED, "not enough memory to start a worker");
        return NULL;
    }
    bt_sandbox_forget_environment();
    return bt_sandbox_enter(options->sandbox, options->memory, result_max(&options->image), notice,
                            error)
               ? image
               : NULL;
}

void
bt_worker_do(BtImage *image, const BtWork *work, int in_fd, int out_fd, BtOutcome *out_outcome)
{
    if (work->check)
        bt_image_check(image, in_fd, work->memory, out_outcome);
    else
        bt_image_process(image, in_fd, work->raw, out_fd, work->format, work->memory,
                         work->n_threads, out_outcome);
}

size_t
bt_worker_serve(void *state, const BtTaskView *task, void *reply)
{
    BtWork work;
    BtOutcome outcome;

    g_assert(task->size == sizeof work);
    memcpy(&work, task->bytes, sizeof work);
    g_assert(task->n_fds == (work.check ? 1 : 2));
    bt_worker_do(state, &work, task->fds[0], work.check ? -1 : task->fds[1], &outcome);
    memcpy(reply, &outcome, sizeof outcome);
    return sizeof outcome;
}

BtFd
bt_worker_result_new(GError **error)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    BtFd fd = memfd_create("result", flags | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("result", flags);
    if (fd < 0)
        bt_error_set_system(error, errno, "cannot create a memory file for a result");
    return fd;
}

uint64_t
bt_worker_result_seal(int fd, const BtImageSettings *settings)
{
    struct stat result;

    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SEAL) != 0 ||
        fstat(fd, &result) != 0 || (uint64_t)result.st_size > result_max(settings))
        return 0;
    return (uint64_t)result.st_size;
}

/* Sealed against growing, no mapping and no copy of the descriptor can fill it again. */
void
bt_worker_result_clear(BtFd *self)
{
    if (*self >= 0) {
        (void)fcntl(*self, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SEAL);
        (void)!ftruncate(*self, 0);
    }
    bt_fd_clear(self);
}

/* Of a picture that was done: what the work and the settings leave open. */
static bool
fits_work(const BtWork *work, const BtImageSettings *settings, const BtOutcome *outcome)
{
    uint64_t pixels = (uint64_t)outcome->source_width * (uint64_t)outcome->source_height;
    int longest = MAX(outcome->source_width, outcome->source_height);
    bool known = work->format != BT_FORMAT_NONE;

    if (pixels > settings->max_pixels || outcome->shrink > longest)
        return false;
    if (work->check)
        return true;
    return outcome->out_width <= MIN(settings->box_width, longest) &&
           outcome->out_height <= MIN(settings->box_height, longest) &&
           (known ? outcome->format == work->format
                  : outcome->format == BT_FORMAT_JPEG || outcome->format == BT_FORMAT_PNG);
}

/* One after the other; written so that nothing wraps. */
static bool
fits_clock(const BtOutcome *outcome, uint64_t elapsed_ns)
{
    return outcome->decode_ns <= elapsed_ns &&
           outcome->kernel_ns <= elapsed_ns - outcome->decode_ns &&
           outcome->encode_ns <= elapsed_ns - outcome->decode_ns - outcome->kernel_ns;
}

/* CANCELLED is what this process says of itself, and WORKER what the supervisor says of a worker.
 */
bool
bt_worker_read_reply(const BtWork *work, const BtImageSettings *settings, uint64_t elapsed_ns,
                     const void *bytes, size_t size, BtOutcome *out_outcome)
{
    BtOutcome outcome;

    if (!bt_outcome_is_valid(bytes, size, &outcome) || outcome.reason == BT_REASON_CANCELLED ||
        outcome.reason == BT_REASON_WORKER || !fits_clock(&outcome, elapsed_ns) ||
        (outcome.reason == BT_REASON_OK && !fits_work(work, settings, &outcome)))
        return false;
    *out_outcome = outcome;
    return true;
}
