/* SPDX-License-Identifier: MIT */
/*
 * Every level but the reference, from one source: compiled once per level with its instruction-set
 * flags and BT_JPEG_LEVEL, its name.
 */
#include "image/jpeg_ops.h"

#if defined __AVX2__
#include <immintrin.h>
#elif defined __SSE2__
#include <emmintrin.h>
#elif defined __ARM_NEON
#include <arm_neon.h>
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define RARELY(test)  __builtin_expect(test, 0)
#define UNROLLED      _Pragma("GCC unroll 4")

/* Look-ups of a stream from one load of 57 bits: after two of the longest steps a whole window is
 * left of them. */
#define STEPS 2

#define ROUND_BYTES 7 /* that a stream can move in so many steps, at most */

_Static_assert(STEPS *BT_JPEG_STEP_BITS_MAX + BT_JPEG_WINDOW_BITS <= 57, "a window for each step");
_Static_assert(ROUND_BYTES < BT_JPEG_STREAM_REST && STEPS < BT_JPEG_STREAM_REST_BLOCKS, "rests");

#define PASTE_(a, b) a##b
#define PASTE(a, b)  PASTE_(a, b)
#define TEXT_(a)     #a
#define TEXT(a)      TEXT_(a)

#if defined __AVX2__
#define VECTOR 32
#else
#define VECTOR 16
#endif

/* Copies one vector. The number of bytes before the first 0xff in it; VECTOR where it has none. */
ALWAYS_INLINE size_t
copy_vector(uint8_t *out, const uint8_t *in)
{
#if defined __AVX2__
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)in);
    uint64_t found = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(-1)));

    _mm256_storeu_si256((__m256i *)(void *)out, bytes);
    return (size_t)__builtin_ctzll(found | UINT64_C(1) << VECTOR);
#elif defined __SSE2__
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)in);
    unsigned found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(-1)));

    _mm_storeu_si128((__m128i *)(void *)out, bytes);
    return (size_t)__builtin_ctz(found | 1u << VECTOR);
#elif defined __ARM_NEON
    uint8x16_t bytes = vld1q_u8(in);
    uint16x8_t found = vreinterpretq_u16_u8(vceqq_u8(bytes, vdupq_n_u8(0xff)));
    /* Four bits for each byte. */
    uint64_t quads = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(found, 4)), 0);

    vst1q_u8(out, bytes);
    return quads == 0 ? VECTOR : (size_t)__builtin_ctzll(quads) / 4;
#else
#error "a level without vectors"
#endif
}

static size_t
copy_plain(uint8_t *out, const uint8_t *in, size_t n)
{
    size_t i = 0;

    for (; i + VECTOR <= n; i += VECTOR) {
        size_t plain = copy_vector(out + i, in + i);

        if (plain < VECTOR)
            return i + plain;
    }
    for (; i < n && in[i] != 0xff; i++)
        out[i] = in[i];
    return i;
}

ALWAYS_INLINE size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How often a stream can take STEPS steps without a look at its limits. */
ALWAYS_INLINE size_t
count_rounds(const BtJpegStream *self)
{
    size_t at = self->at >> 11;

    if (at + BT_JPEG_STREAM_REST > self->limit ||
        self->block + BT_JPEG_STREAM_REST_BLOCKS > self->blocks_end)
        return 0;
    return least((self->limit - at) / ROUND_BYTES,
                 (size_t)(self->blocks_end - self->block) / STEPS);
}

/* `rounds` rounds of n streams, a constant, whose state is in registers. Each step is without
 * branches, but for what is rare. */
ALWAYS_INLINE bool
run_rounds(BtJpegStream *streams, int n, const uint8_t *data, size_t rounds)
{
    static const uint64_t kept[2] = {~UINT64_C(0), ~UINT64_C(255)};
    uint64_t at[BT_JPEG_STREAMS_MAX], bits[BT_JPEG_STREAMS_MAX];
    const BtJpegPhase *phase[BT_JPEG_STREAMS_MAX];
    const uint32_t *steps[BT_JPEG_STREAMS_MAX];
    BtJpegBlock *block[BT_JPEG_STREAMS_MAX];
    bool sound = true;

    UNROLLED for (int i = 0; i < n; i++)
    {
        at[i] = streams[i].at;
        phase[i] = streams[i].phase;
        block[i] = streams[i].block;
        steps[i] = (at[i] & 255) == 0 ? phase[i]->first_steps : phase[i]->steps[0];
    }
    for (; rounds > 0; rounds--) {
        UNROLLED for (int i = 0; i < n; i++) bits[i] = bt_jpeg_bits(data, at[i] >> 8);
        UNROLLED for (int k = 0; k < STEPS; k++)
        {
            UNROLLED for (int i = 0; i < n; i++)
            {
                uint32_t step = steps[i][bits[i] >> (64 - BT_JPEG_WINDOW_BITS)];
                uint64_t after = at[i] + BT_JPEG_STEP_MOVE(step);
                const BtJpegPhase *here = phase[i];
                unsigned ends;

                if (RARELY(after & BT_JPEG_STEP_RARE)) {
                    step = bt_jpeg_stream_find(here, at[i], data);
                    if (step == 0) {
                        sound = false;
                        goto out;
                    }
                    after = at[i] + BT_JPEG_STEP_MOVE(step);
                }
                bits[i] <<= BT_JPEG_STEP_BITS(step);
                ends = step >> 7 & 1;
                block[i]->sum += BT_JPEG_STEP_SUM(step);
                block[i]->end = (uint32_t)(after >> 8);
                block[i] += ends;
                steps[i] = here->steps[ends];
                phase[i] = here->next[ends];
                at[i] = after & kept[ends];
            }
        }
    }
out:
    UNROLLED for (int i = 0; i < n; i++)
    {
        streams[i].at = at[i];
        streams[i].phase = phase[i];
        streams[i].block = block[i];
    }
    return sound;
}

static __attribute__((noinline)) bool
run_1(BtJpegStream *streams, const uint8_t *data, size_t rounds)
{
    return run_rounds(streams, 1, data, rounds);
}

static __attribute__((noinline)) bool
run_2(BtJpegStream *streams, const uint8_t *data, size_t rounds)
{
    return run_rounds(streams, 2, data, rounds);
}

static __attribute__((noinline)) bool
run_3(BtJpegStream *streams, const uint8_t *data, size_t rounds)
{
    return run_rounds(streams, 3, data, rounds);
}

static __attribute__((noinline)) bool
run_4(BtJpegStream *streams, const uint8_t *data, size_t rounds)
{
    return run_rounds(streams, 4, data, rounds);
}

/* The streams that can go on, first in order; *out_rounds: how far the shortest of them can. */
static int
gather(BtJpegStream *streams, int n, int order[], size_t *out_rounds)
{
    int n_left = 0;

    *out_rounds = SIZE_MAX;
    for (int i = 0; i < n; i++) {
        size_t rounds = count_rounds(&streams[i]);

        if (rounds == 0)
            continue;
        *out_rounds = least(*out_rounds, rounds);
        order[n_left++] = i;
    }
    return n_left;
}

static bool
run(BtJpegStream *streams, int n, const uint8_t *data)
{
    static bool (*const runs[])(BtJpegStream *, const uint8_t *, size_t) = {run_1, run_2, run_3,
                                                                            run_4};
    int order[BT_JPEG_STREAMS_MAX], n_left;
    size_t rounds;

    while ((n_left = gather(streams, n, order, &rounds)) > 0) {
        BtJpegStream left[BT_JPEG_STREAMS_MAX];
        bool sound;

        for (int i = 0; i < n_left; i++)
            left[i] = streams[order[i]];
        sound = runs[n_left - 1](left, data, rounds);
        for (int i = 0; i < n_left; i++)
            streams[order[i]] = left[i];
        if (!sound)
            return false;
    }
    return true;
}

static void
means(uint8_t *out, const int16_t *dc, int quantizer, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int mean = (dc[i] * quantizer + 4) >> 3;

        mean = ((mean + 512) & 1023) - 512 + 128;
        out[i] = (uint8_t)(mean < 0 ? 0 : mean > 255 ? 255 : mean);
    }
}

const BtJpegOps PASTE(bt_jpeg_ops_, BT_JPEG_LEVEL) = {TEXT(BT_JPEG_LEVEL), copy_plain, run, means};
