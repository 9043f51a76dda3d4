/* SPDX-License-Identifier: MIT */
#include "image/jpeg_progressive.h"

#include <glib.h>

#define SKIP_16 15 /* the run of a symbol without a value that stands for 16 zeros */
#define NONE    -1
#define BLOCK   64 /* coefficients */

/* Reads one block, of which `to` is the place in its component's planes; false for any doubt. */
typedef bool ReadBlock(BtJpegScan *scan, BtJpegLowComponent *component, BtJpegRun *run,
                       ptrdiff_t to);

/* Whether another MCU is there as a whole, or all that is left of the segment. */
static bool
has_mcu(const BtJpegRun *run, size_t mcu_bytes)
{
    return run->final ? run->at <= 8 * run->limit : (run->at >> 3) + mcu_bytes <= run->limit;
}

/* Blocks of one component, by themselves. */
static inline __attribute__((always_inline)) int
run_single(BtJpegScan *scan, BtJpegRun *run, ReadBlock *read)
{
    BtJpegLowComponent *component = scan->components[0];
    int n = 0, x = scan->mcu % scan->mcus_across, y = scan->mcu / scan->mcus_across;

    for (; n < run->n_mcus && has_mcu(run, BT_JPEG_BLOCK_BYTES_MAX); n++) {
        if (!read(scan, component, run, (ptrdiff_t)y * component->stride + x))
            return 0;
        if (++x == scan->mcus_across) {
            x = 0;
            y++;
        }
    }
    scan->mcu += n;
    return run->final && run->at > 8 * run->limit ? 0 : n;
}

static void
refine_mcu(BtJpegScan *scan, BtJpegRun *run, int x, int y)
{
    for (int i = 0; i < scan->n_components; i++) {
        const BtJpegLowComponent *component = scan->components[i];
        int across = bt_jpeg_scan_is_single(scan) ? 1 : component->across;
        int down = bt_jpeg_scan_is_single(scan) ? 1 : component->down;

        for (int v = 0; v < down; v++)
            for (int h = 0; h < across; h++, run->at++) {
                ptrdiff_t to = ((ptrdiff_t)y * down + v) * component->stride + x * across + h;
                unsigned bit = run->data[run->at >> 3] >> (7 - (run->at & 7)) & 1;

                component->values[BT_JPEG_LOW_DC][to] |= (int16_t)(bit << scan->low);
            }
    }
}

int
bt_jpeg_refine_dc(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run)
{
    int n = 0;

    (void)ops;
    for (; n < run->n_mcus && has_mcu(run, BT_JPEG_MCU_BLOCKS_MAX); n++) {
        refine_mcu(scan, run, scan->mcu % scan->mcus_across, scan->mcu / scan->mcus_across);
        scan->mcu++;
    }
    return run->final && run->at > 8 * run->limit ? 0 : n;
}

/* The next symbol; NONE where there is no code, or nothing left. What follows a symbol before the
 * next one is less than the slack behind the data. */
static inline int
read_symbol(const BtJpegTable *table, BtJpegRun *run)
{
    uint64_t bits = bt_jpeg_bits(run->data, run->at);
    size_t window = bits >> (64 - BT_JPEG_WINDOW_BITS);
    unsigned n = table->symbols.bits[window];
    int symbol = table->symbols.symbol[window];

    if (n == 0 && (symbol = bt_jpeg_huffman_find(&table->code, bits, &n)) < 0)
        return NONE;
    run->at += n;
    return run->at <= 8 * run->limit ? symbol : NONE;
}

/* The next n bits, 0 to 15. */
static inline unsigned
read_bits(BtJpegRun *run, unsigned n)
{
    uint64_t bits = bt_jpeg_bits(run->data, run->at);

    run->at += n;
    return (unsigned)(bits >> 1 >> (63 - n));
}

/* How many blocks end here, this one and further ones; n: bits of their number. */
static unsigned
read_blank(BtJpegRun *run, unsigned n)
{
    return (1u << n) + read_bits(run, n);
}

/* The plane that coefficient k, in zigzag order, is kept in; NULL where it is not. */
static inline int16_t *
find_plane(const BtJpegLowComponent *component, int k)
{
    static const uint8_t places[] = {BT_JPEG_LOW_DC, BT_JPEG_LOW_ACROSS, BT_JPEG_LOW_DOWN,
                                     BT_JPEG_LOW_DC, BT_JPEG_LOW_BOTH};
    size_t place = (size_t)k < sizeof places ? places[k] : BT_JPEG_LOW_DC;

    return place == BT_JPEG_LOW_DC ? NULL : component->values[place];
}

static inline void
set_value(BtJpegLowComponent *component, int k, ptrdiff_t to, int value)
{
    int16_t *plane = find_plane(component, k);

    if (plane != NULL)
        plane[to] = (int16_t)value;
    if (component->nonzero != NULL && value != 0)
        component->nonzero[to] |= UINT64_C(1) << k;
}

static bool
read_first_ac(BtJpegScan *scan, BtJpegLowComponent *component, BtJpegRun *run, ptrdiff_t to)
{
    const BtJpegTable *table = &scan->ac_tables[component->ac_table];

    if (scan->blank > 0) {
        scan->blank--;
        return true;
    }
    for (int k = scan->first; k <= scan->last; k++) {
        int symbol = read_symbol(table, run);
        unsigned zeros = (unsigned)symbol >> 4, size = (unsigned)symbol & 15;

        if (symbol < 0)
            return false;
        if (size == 0 && zeros != SKIP_16) {
            scan->blank = read_blank(run, zeros) - 1;
            return true;
        }
        k += (int)zeros;
        if (k > scan->last)
            return false;
        if (size > 0) {
            int value = bt_jpeg_extend(bt_jpeg_bits(run->data, run->at), size);

            run->at += size;
            set_value(component, k, to, (int16_t)((unsigned)value << scan->low));
        }
    }
    return true;
}

int
bt_jpeg_first_ac(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run)
{
    (void)ops;
    return run_single(scan, run, read_first_ac);
}

/* One more bit of coefficient k, which is not zero. */
static inline void
refine_value(BtJpegLowComponent *component, int k, ptrdiff_t to, unsigned bit, int low)
{
    int16_t *plane = find_plane(component, k);

    if (plane != NULL && bit != 0 && (plane[to] & (1 << low)) == 0)
        plane[to] = (int16_t)(plane[to] + (plane[to] >= 0 ? 1 : -1) * (1 << low));
}

/* The coefficients from `from` up to and with `to`, 0 to 63. */
static inline uint64_t
band(int from, int to)
{
    return ~UINT64_C(0) >> (63 - to) & ~UINT64_C(0) << from;
}

/* Refines what is not zero from k on, until n_zeros zeros are passed and another one is met, or the
 * band ends; with a whole BLOCK of zeros it always does. Returns where that is. What is not kept
 * has its bits passed over all at once. */
static int
refine_some(BtJpegScan *scan, BtJpegLowComponent *component, BtJpegRun *run, ptrdiff_t to, int k,
            unsigned n_zeros)
{
    uint64_t nonzero = component->nonzero[to], zeros;
    int end;

    for (; k <= MIN(scan->last, component->last); k++)
        if (nonzero >> k & 1)
            refine_value(component, k, to, read_bits(run, 1), scan->low);
        else if (n_zeros-- == 0)
            return k;
    if (k > scan->last)
        return k;
    zeros = n_zeros <= SKIP_16 ? ~nonzero & band(k, scan->last) : 0;
    for (; n_zeros > 0 && zeros != 0; n_zeros--)
        zeros &= zeros - 1;
    end = zeros == 0 ? scan->last + 1 : __builtin_ctzll(zeros);
    if (end > k)
        run->at += (uint64_t)__builtin_popcountll(nonzero & band(k, end - 1));
    return end;
}

static bool
read_refined_ac(BtJpegScan *scan, BtJpegLowComponent *component, BtJpegRun *run, ptrdiff_t to)
{
    const BtJpegTable *table = &scan->ac_tables[component->ac_table];
    int k = scan->first;

    for (; scan->blank == 0 && k <= scan->last; k++) {
        int symbol = read_symbol(table, run), value = 0;
        unsigned zeros = (unsigned)symbol >> 4, size = (unsigned)symbol & 15;

        if (symbol < 0 || size > 1)
            return false;
        if (size == 0 && zeros != SKIP_16) {
            scan->blank = read_blank(run, zeros);
            break;
        }
        if (size == 1)
            value = (read_bits(run, 1) ? 1 : -1) * (1 << scan->low);
        k = refine_some(scan, component, run, to, k, zeros);
        if (value != 0) {
            if (k > scan->last)
                return false;
            set_value(component, k, to, value);
        }
    }
    if (scan->blank > 0) {
        if (component->nonzero[to] != 0)
            refine_some(scan, component, run, to, k, BLOCK);
        scan->blank--;
    }
    return true;
}

int
bt_jpeg_refine_ac(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run)
{
    (void)ops;
    return run_single(scan, run, read_refined_ac);
}
