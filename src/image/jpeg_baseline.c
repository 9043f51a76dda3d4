/* SPDX-License-Identifier: MIT */
#include "image/jpeg_baseline.h"

#include "image/jpeg_place.h"

#include <glib.h>
#include <string.h>

#define STREAM_BYTES  (32 << 10) /* that a stream gets of a run, at most, */
#define STREAM_LEAST  2048       /* and at least */
#define STREAM_BLOCKS (12 << 10) /* that it has room for, at most */
#define STREAM_BEGIN  8192       /* as long as nothing is known of the blocks */
#define FIRST_BLOCKS  8          /* decoded one stream after the other, until they synchronize */
#define BLIND_TRIES   64
#define RESTARTS_MAX  32 /* of blind streams in one run: each costs up to BLIND_TRIES tries */
#define HEAD_BLOCKS   STREAM_BLOCKS /* that may lie before the first one of a guess */
#define GUESS_RUNS    2             /* that there is room for */

/* Tables of one pair of codes. */
typedef struct Pair {
    const BtJpegTable *dc, *ac; /* of the scan */
    uint32_t dc_steps[BT_JPEG_WINDOWS];
    BtJpegAcSteps ac_steps;
} Pair;

struct BtJpegBaseline {
    Pair *pairs[BT_JPEG_LOW_COMPONENTS_MAX];
    int n_pairs;
    BtJpegPhase phases[BT_JPEG_MCU_BLOCKS_MAX];
    int n_phases;
    size_t span;                              /* bytes of data from stream to stream */
    size_t room;                              /* blocks of a stream, at most */
    BtJpegBlock *blocks[BT_JPEG_STREAMS_MAX]; /* as many as the scan has streams */
    BtJpegBlock *joined;                      /* of all streams, HEAD_BLOCKS before them */
    const BtJpegBlock *found;                 /* the first one of the run, in `joined` */
    size_t n_guessed;                         /* blocks in `joined` */
    uint64_t guess_begin;                     /* bits: where the first of them begins */
    bool borrows;                             /* the pairs are another one's */
};

static Pair *
find_pair(BtJpegBaseline *self, const BtJpegScan *scan, const BtJpegLowComponent *component)
{
    const BtJpegTable *dc = &scan->dc_tables[component->dc_table];
    const BtJpegTable *ac = &scan->ac_tables[component->ac_table];
    Pair *pair;

    for (int i = 0; i < self->n_pairs; i++)
        if (self->pairs[i]->dc == dc && self->pairs[i]->ac == ac)
            return self->pairs[i];
    pair = self->pairs[self->n_pairs++] = g_new(Pair, 1);
    pair->dc = dc;
    pair->ac = ac;
    if (!scan->progressive)
        bt_jpeg_ac_steps_init(&pair->ac_steps, &ac->symbols, scan->weights);
    bt_jpeg_dc_steps_init(pair->dc_steps, &dc->symbols, scan->progressive ? NULL : &pair->ac_steps);
    return pair;
}

static void
add_phase(BtJpegBaseline *self, const BtJpegScan *scan, const Pair *pair)
{
    BtJpegPhase *phase = &self->phases[self->n_phases++];

    *phase = (BtJpegPhase){
        .steps = {pair->ac_steps.steps + BT_JPEG_WINDOWS},
        .first_steps = pair->dc_steps,
        .dc = &pair->dc->code,
        .ac = scan->progressive ? NULL : &pair->ac->code,
        .weights = scan->weights,
    };
}

static void
close_ring(BtJpegBaseline *self)
{
    for (int i = 0; i < self->n_phases; i++) {
        const BtJpegPhase *after = &self->phases[(i + 1) % self->n_phases];

        self->phases[i].steps[1] = after->first_steps;
        self->phases[i].next[0] = &self->phases[i];
        self->phases[i].next[1] = after;
    }
}

/* What is not shared with copies. */
static void
make_room(BtJpegBaseline *self, int n_streams, size_t n_runs)
{
    close_ring(self);
    for (int i = 0; i < n_streams; i++)
        self->blocks[i] = g_new0(BtJpegBlock, self->room + BT_JPEG_BLOCKS_SLACK);
    self->joined = g_new(BtJpegBlock, HEAD_BLOCKS + n_runs * (size_t)n_streams * self->room);
    self->joined += HEAD_BLOCKS;
}

bool
bt_jpeg_baseline_prepare(BtJpegScan *scan)
{
    BtJpegBaseline *self = scan->baseline = g_new0(BtJpegBaseline, 1);

    for (int i = 0; i < scan->n_components; i++) {
        const BtJpegLowComponent *component = scan->components[i];
        int n = bt_jpeg_scan_is_single(scan) ? 1 : component->across * component->down;
        const Pair *pair;

        if (!scan->dc_tables[component->dc_table].defined ||
            (!scan->progressive && !scan->ac_tables[component->ac_table].defined) ||
            self->n_phases + n > BT_JPEG_MCU_BLOCKS_MAX)
            return false;
        pair = find_pair(self, scan, component);
        for (int k = 0; k < n; k++)
            add_phase(self, scan, pair);
    }
    self->room = CLAMP((size_t)scan->mcus_across * (size_t)scan->mcus_down * (size_t)self->n_phases,
                       2 * FIRST_BLOCKS, STREAM_BLOCKS);
    self->span = STREAM_BEGIN;
    make_room(self, scan->n_streams, 1);
    return true;
}

void
bt_jpeg_baseline_copy(BtJpegScan *scan)
{
    scan->baseline = g_memdup2(scan->baseline, sizeof *scan->baseline);
    scan->baseline->borrows = true;
    make_room(scan->baseline, scan->n_streams, GUESS_RUNS);
}

void
bt_jpeg_baseline_free(BtJpegBaseline *self)
{
    if (self == NULL)
        return;
    for (int i = 0; i < self->n_pairs && !self->borrows; i++)
        g_free(self->pairs[i]);
    for (int i = 0; i < BT_JPEG_STREAMS_MAX; i++)
        g_free(self->blocks[i]);
    if (self->joined != NULL)
        g_free(self->joined - HEAD_BLOCKS);
    g_free(self);
}

/* The streams of one run. */
typedef struct Race {
    BtJpegBaseline *baseline;
    const BtJpegOps *ops;
    const BtJpegRun *run;
    BtJpegStream streams[BT_JPEG_STREAMS_MAX];
    uint64_t begins[BT_JPEG_STREAMS_MAX]; /* bits */
    size_t limits[BT_JPEG_STREAMS_MAX];   /* bytes */
    int n_streams;
    int n_exact; /* streams that have begun where a block does; those after them blindly */
    bool ends;   /* the last stream is to find the segment's last block */
} Race;

static void
start_stream(Race *self, int i, uint64_t at)
{
    BtJpegBaseline *baseline = self->baseline;
    BtJpegBlock *blocks = baseline->blocks[i];

    self->begins[i] = at;
    self->streams[i] = (BtJpegStream){
        .at = at << 8,
        .phase = baseline->phases,
        .block = blocks,
        .blocks_end = blocks + baseline->room,
    };
}

/* To the end of the block that it is in, if it is in one. No step is taken from beyond the data
 * that are there, which the slack behind them makes safe. */
static bool
end_block(const BtJpegRun *run, BtJpegStream *stream)
{
    while (!bt_jpeg_stream_is_between_blocks(stream))
        if (stream->at >> 11 > run->limit || !bt_jpeg_stream_step(stream, run->data))
            return false;
    return true;
}

static bool
take_block(const BtJpegRun *run, BtJpegStream *stream)
{
    return stream->at >> 11 <= run->limit && bt_jpeg_stream_step(stream, run->data) &&
           end_block(run, stream);
}

static void
clear_blocks(BtJpegBlock *blocks, const BtJpegStream *stream)
{
    memset(blocks, 0, (size_t)(stream->block + 1 - blocks) * sizeof *blocks);
}

/* Begins a stream at a place that need not be a block's beginning. What it takes for codes there
 * may be none; then it tries the next byte. False where it has found nothing. */
static bool
start_blindly(Race *self, int i, size_t byte)
{
    for (int tries = 0; tries < BLIND_TRIES; tries++, byte++) {
        BtJpegStream *stream = &self->streams[i];
        int n = 0;

        start_stream(self, i, 8 * (uint64_t)byte);
        while (n < FIRST_BLOCKS && take_block(self->run, stream))
            n++;
        if (n == FIRST_BLOCKS)
            return true;
        clear_blocks(self->baseline->blocks[i], stream);
    }
    return false;
}

/* Where streams begin, and how far they go. stop: up to where blocks begin in this run. False where
 * the first one has found nothing. */
static bool
start_streams(Race *self, int n_streams, size_t stop)
{
    size_t begin = self->run->at >> 3, left = stop - MIN(stop, begin);
    size_t span = CLAMP(left / (size_t)n_streams, STREAM_LEAST, self->baseline->span);
    size_t n_spans = left / span;

    if (!self->run->guessed)
        start_stream(self, 0, self->run->at);
    else if (!start_blindly(self, 0, begin))
        return false;
    self->n_exact = self->run->guessed ? 0 : 1;
    self->n_streams = 1;
    while (self->n_streams < n_streams && (size_t)self->n_streams < n_spans &&
           start_blindly(self, self->n_streams, begin + (size_t)self->n_streams * span))
        self->n_streams++;
    for (int i = 0; i < self->n_streams; i++)
        self->limits[i] = self->streams[i].limit = MIN(stop, begin + (size_t)(i + 1) * span);
    self->ends = self->run->final && self->limits[self->n_streams - 1] + span > stop;
    if (self->ends)
        self->limits[self->n_streams - 1] = self->streams[self->n_streams - 1].limit = stop;
    return true;
}

/* What to do about a stream that has come upon what is no code. One that has begun blindly begins
 * anew behind that: in a flat area it may go on for long as if it were right. Else it stays where
 * it is: if all its blocks are right up to there the file is broken, which the join finds out. */
static void
restart_stream(Race *self, int i, int *n_restarts)
{
    BtJpegStream *stream = &self->streams[i];
    size_t byte = (size_t)(stream->at >> 11) + 1;

    if (i < self->n_exact || ++*n_restarts > RESTARTS_MAX) {
        stream->limit = 0;
        return;
    }
    clear_blocks(self->baseline->blocks[i], stream);
    stream->limit = start_blindly(self, i, byte) ? self->limits[i] : 0;
}

/* All streams to their limits. */
static void
run_streams(Race *self)
{
    int n_restarts = 0;

    while (!self->ops->run(self->streams, self->n_streams, self->run->data))
        for (int i = 0; i < self->n_streams; i++) {
            BtJpegStream *stream = &self->streams[i];

            if (stream->block < stream->blocks_end && stream->at >> 11 < stream->limit &&
                !bt_jpeg_stream_step(stream, self->run->data))
                restart_stream(self, i, &n_restarts);
        }
}

/* How a stream that is right came on. */
typedef enum Advance {
    ADVANCE_MET,
    ADVANCE_MISSED, /* it is past all blocks of the other one */
    ADVANCE_FULL,   /* there is no room for more blocks, or none are wanted */
    ADVANCE_BROKEN
} Advance;

/* Moves a stream that is right on until it meets another one, before block *out_n of that, whose
 * first block begins at their_begin. */
static Advance
meet(const Race *self, BtJpegStream *stream, uint64_t their_begin, const BtJpegBlock *theirs,
     size_t n_theirs, size_t *out_n)
{
    const BtJpegBaseline *baseline = self->baseline;

    for (size_t n = 0;;) {
        uint64_t begin = their_begin;

        for (; n < n_theirs; n++) {
            begin = n == 0 ? their_begin : theirs[n - 1].end;
            if (begin >= stream->at >> 8)
                break;
        }
        if (n == n_theirs)
            return ADVANCE_MISSED;
        if (begin == stream->at >> 8 &&
            (baseline->n_pairs == 1 ||
             stream->phase == &baseline->phases[n % (size_t)baseline->n_phases])) {
            *out_n = n;
            return ADVANCE_MET;
        }
        if (stream->block >= stream->blocks_end)
            return ADVANCE_FULL;
        if (!take_block(self->run, stream))
            return ADVANCE_BROKEN;
    }
}

/* The last stream, if it is to end the segment: n blocks more. */
static bool
end_stream(Race *self, BtJpegStream *stream, size_t n)
{
    const BtJpegBlock *first = stream->block;

    while (self->ends && (size_t)(stream->block - first) < n && stream->block < stream->blocks_end)
        if (!take_block(self->run, stream))
            return false;
    return true;
}

/* The blocks of all streams in order, as many as are right, at most n; 0 for any doubt. */
static size_t
join_streams(Race *self, size_t n, BtJpegBlock *out)
{
    BtJpegBaseline *baseline = self->baseline;
    BtJpegStream *stream = &self->streams[0];
    const BtJpegBlock *first = baseline->blocks[0];
    size_t n_joined = 0, skipped = 0, n_new;

    if (!end_block(self->run, stream) && (size_t)(stream->block - first) < n)
        return 0;
    for (int next = 1; next < self->n_streams; next++) {
        const BtJpegBlock *theirs = baseline->blocks[next];
        Advance advance = meet(self, stream, self->begins[next], theirs,
                               (size_t)(self->streams[next].block - theirs), &skipped);

        if (advance == ADVANCE_MISSED) {
            stream->limit = self->limits[next];
            self->ops->run(stream, 1, self->run->data);
            if (end_block(self->run, stream))
                continue;
            advance = ADVANCE_BROKEN;
        }
        n_new = (size_t)(stream->block - first);
        if (advance == ADVANCE_BROKEN && n_joined + n_new < n)
            return 0;
        memcpy(out + n_joined, first, n_new * sizeof *first);
        n_joined += n_new;
        if (advance != ADVANCE_MET)
            return MIN(n_joined, n);
        stream = &self->streams[next];
        first = baseline->blocks[next] + skipped;
        if (!end_block(self->run, stream) && n_joined + (size_t)(stream->block - first) < n)
            return 0;
    }
    n_new = (size_t)(stream->block - first);
    if (n_joined + n_new < n && !end_stream(self, stream, n - n_joined - n_new))
        return 0;
    n_new = (size_t)(stream->block - first);
    memcpy(out + n_joined, first, n_new * sizeof *first);
    return MIN(n_joined + n_new, n);
}

/* Streams are as far apart as their room for blocks allows, by what blocks have taken so far. */
static void
adapt_span(BtJpegBaseline *self, uint64_t n_bits, size_t n_blocks)
{
    size_t span = (size_t)(n_bits / 8 * (STREAM_BLOCKS * 3 / 4) / n_blocks);

    self->span = CLAMP(span, STREAM_LEAST, STREAM_BYTES);
}

/* Finds the blocks of a run; their number, 0 for any doubt. *out_begin: bits, where the first one
 * begins. */
static size_t
find_blocks(BtJpegScan *scan, const BtJpegOps *ops, const BtJpegRun *run, BtJpegBlock *out,
            uint64_t *out_begin)
{
    BtJpegBaseline *self = scan->baseline;
    Race race = {.baseline = self, .ops = ops, .run = run};
    size_t stop = run->limit, n_phases = (size_t)self->n_phases, n;

    if (!run->final)
        stop -= MIN(stop, BT_JPEG_MCU_BYTES_MAX);
    if (!start_streams(&race, scan->n_streams, stop))
        return 0;
    run_streams(&race);
    n = join_streams(&race, (size_t)run->n_mcus * n_phases, out) / n_phases * n_phases;
    *out_begin = race.begins[0];
    for (int i = 0; i < race.n_streams; i++)
        clear_blocks(self->blocks[i], &race.streams[i]);
    if (n > 0)
        adapt_span(self, out[n - 1].end - run->at, n);
    return n;
}

void
bt_jpeg_baseline_place(BtJpegScan *scan, BtJpegRun *run, int n_mcus)
{
    if (n_mcus > 0)
        bt_jpeg_place(scan, run, scan->baseline->found, n_mcus);
}

int
bt_jpeg_baseline_run(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run)
{
    BtJpegBaseline *self = scan->baseline;
    uint64_t begin;
    int n_mcus = (int)(find_blocks(scan, ops, run, self->joined, &begin) / (size_t)self->n_phases);

    self->found = self->joined;
    bt_jpeg_baseline_place(scan, run, n_mcus);
    return n_mcus;
}

size_t
bt_jpeg_baseline_span(const BtJpegScan *scan)
{
    return scan->baseline->span * (size_t)scan->n_streams;
}

void
bt_jpeg_baseline_guess(BtJpegScan *scan, const BtJpegOps *ops, const BtJpegRun *run)
{
    BtJpegBaseline *self = scan->baseline;
    size_t most = (GUESS_RUNS - 1) * (size_t)scan->n_streams * self->room;
    size_t n = find_blocks(scan, ops, run, self->joined, &self->guess_begin), n_new = n;
    BtJpegRun next = *run;

    next.guessed = false;
    while (n_new > 0 && n <= most &&
           ((next.at = self->joined[n - 1].end) >> 3) + BT_JPEG_RUN_REST < run->limit) {
        uint64_t begin;

        n += n_new = find_blocks(scan, ops, &next, self->joined + n, &begin);
    }
    self->n_guessed = n;
}

/* The last DC coefficients after n_mcus more. */
static void
sum_up(const BtJpegScan *scan, int n_mcus, uint16_t dc[BT_JPEG_LOW_COMPONENTS_MAX])
{
    const BtJpegBaseline *self = scan->baseline;
    const BtJpegBlock *blocks = self->found;

    for (int i = 0; i < scan->n_components; i++) {
        const BtJpegLowComponent *component = scan->components[i];
        int n = bt_jpeg_scan_is_single(scan) ? 1 : component->across * component->down;

        for (int mcu = 0; mcu < n_mcus; mcu++)
            for (int k = 0; k < n; k++)
                dc[i] = (uint16_t)(dc[i] +
                                   BT_JPEG_SUM_DIFFERENCE(blocks[mcu * self->n_phases + k].sum));
        blocks += n;
    }
}

int
bt_jpeg_baseline_join(const BtJpegScan *scan, const BtJpegRun *run, uint64_t *out_at,
                      uint16_t dc[BT_JPEG_LOW_COMPONENTS_MAX])
{
    BtJpegBaseline *self = scan->baseline;
    Race race = {.baseline = self, .run = run};
    BtJpegStream *stream = &race.streams[0];
    size_t n_head, skipped, n_phases = (size_t)self->n_phases;
    int n_mcus = 0;

    start_stream(&race, 0, run->at);
    if (meet(&race, stream, self->guess_begin, self->joined, self->n_guessed, &skipped) ==
            ADVANCE_MET &&
        (n_head = (size_t)(stream->block - self->blocks[0])) <= HEAD_BLOCKS + skipped) {
        BtJpegBlock *first = self->joined + skipped - n_head;

        memcpy(first, self->blocks[0], n_head * sizeof *first);
        self->found = first;
        n_mcus = (int)MIN((n_head + self->n_guessed - skipped) / n_phases, (size_t)run->n_mcus);
    }
    clear_blocks(self->blocks[0], stream);
    if (n_mcus > 0) {
        *out_at = self->found[(size_t)n_mcus * n_phases - 1].end;
        sum_up(scan, n_mcus, dc);
    }
    return n_mcus;
}

bool
bt_jpeg_baseline_has_room(const BtJpegScan *scan, int n_mcus)
{
    return (size_t)n_mcus * (size_t)scan->baseline->n_phases <= scan->baseline->room;
}

/* Finds all blocks of a segment, of which its stream has found most. */
static bool
end_segment(const BtJpegRun *run, BtJpegStream *stream)
{
    while (stream->block < stream->blocks_end)
        if (!take_block(run, stream))
            return false;
    return true;
}

bool
bt_jpeg_baseline_run_segments(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *runs, int n_runs)
{
    BtJpegBaseline *self = scan->baseline;
    Race race = {.baseline = self, .ops = ops, .run = runs, .n_streams = n_runs, .n_exact = n_runs};
    bool sound = true;

    for (int i = 0; i < n_runs; i++) {
        start_stream(&race, i, runs[i].at);
        race.streams[i].limit = runs[i].limit;
        race.streams[i].blocks_end = self->blocks[i] + runs[i].n_mcus * self->n_phases;
    }
    run_streams(&race);
    for (int i = 0; i < n_runs && sound; i++) {
        sound = end_segment(&runs[i], &race.streams[i]);
        memset(scan->dc, 0, sizeof scan->dc);
        if (sound)
            bt_jpeg_place(scan, &runs[i], self->blocks[i], runs[i].n_mcus);
    }
    for (int i = 0; i < n_runs; i++)
        clear_blocks(self->blocks[i], &race.streams[i]);
    return sound;
}
