/* SPDX-License-Identifier: MIT */
#include "image/jpeg_place.h"

#include <glib.h>

#define BITS_LOADED 57 /* by bt_jpeg_bits() */

/* The part of a row of MCUs that is placed at once, and one component's blocks in it. */
typedef struct Place {
    const BtJpegBlock *blocks; /* the component's first */
    int mcu_blocks;            /* from MCU to MCU */
    int across, down;          /* blocks of the component in an MCU */
    int n_mcus;
    int shift;
    ptrdiff_t at, stride; /* in the component's planes */
} Place;

static inline __attribute__((always_inline)) uint16_t
place_some(const Place *place, int across, int down, int16_t *out, uint16_t dc)
{
    const BtJpegBlock *blocks = place->blocks;

    for (int i = 0; i < place->n_mcus; i++, blocks += place->mcu_blocks)
        for (int y = 0; y < down; y++)
            for (int x = 0; x < across; x++) {
                dc = (uint16_t)(dc + BT_JPEG_SUM_DIFFERENCE(blocks[y * across + x].sum));
                out[y * place->stride + i * across + x] = (int16_t)(uint16_t)(dc << place->shift);
            }
    return dc;
}

/* Sums up differences, from the last DC coefficient on; returns the new last one. */
static uint16_t
place_dc(const Place *place, int16_t *out, uint16_t dc)
{
    out += place->at;
    if (place->across == 1 && place->down == 1)
        return place_some(place, 1, 1, out, dc);
    if (place->across == 2 && place->down == 1)
        return place_some(place, 2, 1, out, dc);
    if (place->across == 2 && place->down == 2)
        return place_some(place, 2, 2, out, dc);
    return place_some(place, place->across, place->down, out, dc);
}

/* Bits to pass over before the first AC symbol of a block. */
static inline unsigned
skip_difference(const BtJpegTable *dc, uint64_t bits)
{
    size_t window = bits >> (64 - BT_JPEG_WINDOW_BITS);
    unsigned n = dc->symbols.bits[window], size = dc->symbols.symbol[window];

    if (n == 0)
        size = (unsigned)bt_jpeg_huffman_find(&dc->code, bits, &n);
    return n + size;
}

/* The AC coefficients of a block from bit `at` on that are not 0, up to number `last` in zigzag
 * order; returns how many there are. The block is known to be sound. */
static inline __attribute__((always_inline)) int
read_values(const BtJpegTable *dc, const BtJpegTable *ac, const uint8_t *data, uint64_t at,
            unsigned last, uint8_t *out_places, int16_t *out_values)
{
    uint64_t next = bt_jpeg_bits(data, at);
    unsigned taken = skip_difference(dc, next), done = 0;
    int n_values = 0;

    next <<= taken;
    at += taken;
    for (;;) {
        uint32_t value;

        if (taken > BITS_LOADED - BT_JPEG_WINDOW_BITS) {
            next = bt_jpeg_bits(data, at);
            taken = 0;
        }
        value = ac->values.values[next >> (64 - BT_JPEG_WINDOW_BITS)];
        if (value == 0)
            value = bt_jpeg_ac_value(&ac->code, bt_jpeg_bits(data, at));
        done += BT_JPEG_VALUE_PASSED(value);
        if (done > last || value == 0)
            return n_values;
        out_places[n_values] = (uint8_t)done;
        out_values[n_values++] = BT_JPEG_VALUE(value);
        next <<= BT_JPEG_VALUE_BITS(value);
        at += BT_JPEG_VALUE_BITS(value);
        taken += BT_JPEG_VALUE_BITS(value);
    }
}

/* The coefficients of a block from bit `at` on that are kept; the others stay 0. */
static inline void
read_low(const BtJpegScan *scan, const BtJpegLowComponent *component, const uint8_t *data,
         uint64_t at, ptrdiff_t to)
{
    const BtJpegTable *dc = &scan->dc_tables[component->dc_table];
    const BtJpegTable *ac = &scan->ac_tables[component->ac_table];
    uint8_t places[BT_JPEG_LOW_KEPT_MAX];
    int16_t values[BT_JPEG_LOW_KEPT_MAX];
    int n = read_values(dc, ac, data, at, (unsigned)component->last, places, values);

    for (int i = 0; i < n; i++)
        if (component->values[places[i]] != NULL)
            component->values[places[i]][to] = values[i];
}

/* begin: where the first block of the run begins, whose blocks are at `run_blocks`. */
static void
place_low(const BtJpegScan *scan, const BtJpegLowComponent *component, const Place *place,
          const BtJpegRun *run, const BtJpegBlock *run_blocks)
{
    const BtJpegBlock *blocks = place->blocks;

    for (int i = 0; i < place->n_mcus; i++, blocks += place->mcu_blocks)
        for (int y = 0; y < place->down; y++)
            for (int x = 0; x < place->across; x++) {
                const BtJpegBlock *block = &blocks[y * place->across + x];
                uint64_t begin = block == run_blocks ? run->at : block[-1].end;

                read_low(scan, component, run->data, begin,
                         place->at + y * place->stride + i * place->across + x);
            }
}

/* Corrects an MCU, whose first block begins at bit `begin`. */
static void
clip_mcu(const BtJpegScan *scan, const BtJpegRun *run, const BtJpegBlock *blocks, uint64_t begin,
         int x, int y, unsigned near)
{
    int n = scan->mcu_blocks, n_luma = n - scan->n_components + 1;
    BtJpegDetail details[BT_JPEG_CLIP_BLOCKS_MAX];

    for (int k = 0; k < n; k++) {
        const BtJpegLowComponent *component = scan->components[k < n_luma ? 0 : k - n_luma + 1];

        if (k >= n_luma || (near >> k & 1) != 0)
            details[k].n = read_values(&scan->dc_tables[component->dc_table],
                                       &scan->ac_tables[component->ac_table], run->data,
                                       k == 0 ? begin : blocks[k - 1].end, BT_JPEG_CLIP_LAST,
                                       details[k].places, details[k].values);
    }
    bt_jpeg_clip_apply(scan->clip, scan->components, x, y, near, details);
}

/* Corrects n_mcus MCUs in one row. */
static void
clip_row(const BtJpegScan *scan, const BtJpegRun *run, const BtJpegBlock *run_blocks,
         const BtJpegBlock *blocks, int n_mcus)
{
    int x = scan->mcu % scan->mcus_across, y = scan->mcu / scan->mcus_across;

    while (n_mcus > 0) {
        int n = MIN(n_mcus, BT_JPEG_CLIP_MCUS_MAX);
        uint8_t near[BT_JPEG_CLIP_MCUS_MAX];

        bt_jpeg_clip_find(scan->clip, scan->components, x, y, blocks, n, near);
        for (int i = 0; i < n; i++, blocks += scan->mcu_blocks)
            if (near[i] != 0)
                clip_mcu(scan, run, blocks, blocks == run_blocks ? run->at : blocks[-1].end, x + i,
                         y, near[i]);
        x += n;
        n_mcus -= n;
    }
}

/* Blocks of n_mcus MCUs in one row. */
static void
place_row(BtJpegScan *scan, const BtJpegRun *run, const BtJpegBlock *run_blocks,
          const BtJpegBlock *blocks, int n_mcus)
{
    int x = scan->mcu % scan->mcus_across, y = scan->mcu / scan->mcus_across;
    const BtJpegBlock *first = blocks;

    for (int i = 0; i < scan->n_components; i++) {
        BtJpegLowComponent *component = scan->components[i];
        bool single = bt_jpeg_scan_is_single(scan);
        Place place = {
            .blocks = blocks,
            .mcu_blocks = scan->mcu_blocks,
            .across = single ? 1 : component->across,
            .down = single ? 1 : component->down,
            .n_mcus = n_mcus,
            .shift = scan->low,
            .stride = component->stride,
        };

        place.at = (ptrdiff_t)y * place.down * place.stride + (ptrdiff_t)x * place.across;
        scan->dc[i] = place_dc(&place, component->values[0], scan->dc[i]);
        if (component->last > 0 && !scan->progressive)
            place_low(scan, component, &place, run, run_blocks);
        blocks += place.across * place.down;
    }
    if (scan->clip != NULL)
        clip_row(scan, run, run_blocks, first, n_mcus);
}

void
bt_jpeg_place(BtJpegScan *scan, BtJpegRun *run, const BtJpegBlock *blocks, int n_mcus)
{
    for (int done = 0; done < n_mcus;) {
        int n = MIN(n_mcus - done, scan->mcus_across - scan->mcu % scan->mcus_across);

        place_row(scan, run, blocks, blocks + (ptrdiff_t)done * scan->mcu_blocks, n);
        done += n;
        scan->mcu += n;
    }
    run->at = blocks[(ptrdiff_t)n_mcus * scan->mcu_blocks - 1].end;
}
