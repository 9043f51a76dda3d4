/* SPDX-License-Identifier: MIT */
/*
 * What became of one picture: plain bytes that a worker sends to the supervisor. Pure; any process.
 *
 * It comes from a process that has just decoded a hostile file, so the supervisor believes none of
 * it before bt_outcome_is_valid() has looked at every field.
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
    BT_REASON_BROKEN,    /* the decoder gave up: truncated or damaged */
    BT_REASON_MEMORY,    /* was short */
    BT_REASON_HEAVY,     /* would need more memory than it was allowed; nothing was decoded */
    BT_REASON_ENCODE,    /* the result could not be made into its format */
    BT_REASON_WRITE,     /* the result could not be written */
    BT_REASON_CANCELLED, /* the caller asked to stop */
    BT_REASON_WORKER,    /* said by the supervisor: the worker died, hung or spoke nonsense */
    BT_REASON_PREVIEW,   /* a raw file without a preview that is whole and large enough */
    BT_REASON_COUNT
} BtReason;

/* What a file holds beside its picture and its result does not: bits. */
typedef enum BtLeftOut {
    BT_LEFT_OUT_GAIN_MAP = 1,
    BT_LEFT_OUT_VIDEO = 2, /* of a motion photo */
    BT_LEFT_OUT_ALL = 3
} BtLeftOut;

/* Of a thumbhash in base64, with its 0. */
#define BT_THUMBHASH_BYTES_MAX 37

#define BT_PREVIEW_BYTES_MAX 8192

typedef struct BtOutcome {
    BtReason reason;
    BtFormat format;    /* of the result */
    char loader[32];    /* "jpeg", "png", "raw-preview 1616x1080", or libvips' name of the decoder:
                           "gifload_source" */
    char sentence[512]; /* one clause for people when reason is not OK */
    char thumbhash[BT_THUMBHASH_BYTES_MAX]; /* of the result (thumbhash.h); "" of none */
    int32_t source_width, source_height;    /* px as stored, before orientation; 0 when unknown */
    int32_t out_width, out_height;          /* px of the result, upright */
    int32_t shrink;                         /* the reduction before the kernel, in all */
    uint64_t memory;   /* bytes that decoding it takes, as far as its header tells; 0: unknown */
    int32_t n_pages;   /* frames or pages in the file, of which the first was taken */
    uint32_t left_out; /* BtLeftOut */
    uint64_t decode_ns, kernel_ns, encode_ns;
    uint32_t preview_bytes;                /* 0: none */
    uint8_t preview[BT_PREVIEW_BYTES_MAX]; /* of the result, a JPEG, where it was asked for */
} BtOutcome;

/* Lower-case word for machines: "ok", "too-large". */
const char *bt_reason_name(BtReason reason);

/* Fills reason and sentence. Returns false. */
bool bt_outcome_fail(BtOutcome *self, BtReason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a lack of memory. */
bool bt_outcome_fail_memory(BtOutcome *self);

/* Whether size bytes are an outcome that can be read without harm: the right size, known reason and
 * format, terminated texts, base64 where that is to be, figures in range, dimensions where reason
 * is OK. On success *out_outcome is a copy. */
bool bt_outcome_is_valid(const void *bytes, size_t size, BtOutcome *out_outcome);

#endif
