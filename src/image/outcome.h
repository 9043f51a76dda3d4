/* SPDX-License-Identifier: MIT */
/*
 * What became of one picture: plain bytes that a worker sends to the supervisor. The worker has
 * just decoded a hostile file, so bt_outcome_is_valid() looks at every field first. Pure; any
 * process.
 */
#ifndef BT_IMAGE_OUTCOME_H
#define BT_IMAGE_OUTCOME_H

#include "base/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum BtReason {
    BT_REASON_OK,
    BT_REASON_EMPTY,     /* no bytes */
    BT_REASON_UNKNOWN,   /* not a picture in a format that can be read here */
    BT_REASON_BLOCKED,   /* a format whose decoder is only used when allowed by name */
    BT_REASON_TOO_LARGE, /* claims more pixels than the limit */
    BT_REASON_BROKEN,    /* truncated or damaged */
    BT_REASON_MEMORY,    /* ran out */
    BT_REASON_HEAVY,     /* needs more memory than it is allowed; nothing was decoded */
    BT_REASON_ENCODE,    /* the encoder failed */
    BT_REASON_WRITE,     /* the result could not be written */
    BT_REASON_CANCELLED, /* the caller asked to stop */
    BT_REASON_WORKER,    /* the supervisor's: the worker died, hung or sent nonsense */
    BT_REASON_PREVIEW,   /* a raw file without a preview that is whole and large enough */
    BT_REASON_COUNT
} BtReason;

/* What a file holds besides its picture and its result does not: bits. */
typedef enum BtLeftOut {
    BT_LEFT_OUT_GAIN_MAP = 1,
    BT_LEFT_OUT_VIDEO = 2, /* of a motion photo */
    BT_LEFT_OUT_ALL = 3
} BtLeftOut;

#define BT_THUMBHASH_BYTES_MAX 37 /* in base64, with its 0 */
#define BT_PREVIEW_BYTES_MAX   8192

typedef struct BtOutcome {
    BtReason reason;
    BtFormat format;    /* of the result */
    char loader[32];    /* "jpeg", "png", "raw-preview 1616x1080", or libvips' name of the decoder:
                           "gifload_source" */
    char sentence[512]; /* one clause for people when reason is not OK */
    char thumbhash[BT_THUMBHASH_BYTES_MAX]; /* of the result (thumbhash.h); "": none */
    int32_t source_width, source_height;    /* px as stored, before orientation; 0 when unknown */
    int32_t out_width, out_height;          /* px of the result, upright */
    int32_t shrink;                         /* the reduction before the kernel, in all */
    uint64_t memory;   /* bytes that decoding it takes, by its header; 0: unknown */
    int32_t n_pages;   /* frames or pages in the file; the first was taken */
    uint32_t left_out; /* BtLeftOut */
    uint64_t decode_ns, kernel_ns, encode_ns;
    uint32_t preview_bytes;                /* 0: none */
    uint8_t preview[BT_PREVIEW_BYTES_MAX]; /* of the result: a JPEG */
} BtOutcome;

/* Lower-case word for machines: "ok", "too-large". */
const char *bt_reason_name(BtReason reason);

/* Fill reason and sentence. They return false. */
bool bt_outcome_fail(BtOutcome *self, BtReason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool bt_outcome_fail_memory(BtOutcome *self);

/* Whether size bytes are an outcome that can be read without harm: the right size, known reason and
 * format, terminated texts, base64, figures in range, dimensions where reason is OK. On success
 * *out_outcome is a copy. */
bool bt_outcome_is_valid(const void *bytes, size_t size, BtOutcome *out_outcome);

#endif
