/* SPDX-License-Identifier: MIT */
#include "image/jpeg_progressive.h"

#include <glib.h>

#define BLOCK   64 /* coefficients */
#define SKIP_16 15 /* the run of a symbol without a value that stands for 16 zeros */

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

/* Where the DC coefficients of an MCU are, and how far it is to those of the next one in its row.
 */
typedef struct Places {
    int n;
    int16_t *at[BT_JPEG_MCU_BLOCKS_MAX];
    int step[BT_JPEG_MCU_BLOCKS_MAX];
} Places;

/* False for an MCU of more blocks than a file may have. */
static bool
find_places(const BtJpegScan *scan, int x, int y, Places *out_places)
{
    bool single = bt_jpeg_scan_is_single(scan);

    out_places->n = 0;
    for (int i = 0; i < scan->n_components; i++) {
        const BtJpegLowComponent *component = scan->components[i];
        int across = single ? 1 : component->across, down = single ? 1 : component->down;

        for (int block = 0; block < across * down; block++, out_places->n++) {
            int row = y * down + block / across, column = x * across + block % across;

            if (out_places->n == BT_JPEG_MCU_BLOCKS_MAX)
                return false;
            out_places->at[out_places->n] =
                component->values[0] + (ptrdiff_t)row * component->stride + column;
            out_places->step[out_places->n] = across;
        }
    }
    return true;
}

int
bt_jpeg_refine_dc(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run)
{
    int n = 0, x = scan->mcu % scan->mcus_across;
    Places places = {0};

    (void)ops;
    for (; n < run->n_mcus && has_mcu(run, BT_JPEG_MCU_BLOCKS_MAX); n++, x++) {
        uint64_t bits = bt_jpeg_bits(run->data, run->at);

        x = x == scan->mcus_across ? 0 : x;
        if ((n == 0 || x == 0) &&
            !find_places(scan, x, (scan->mcu + n) / scan->mcus_across, &places))
            return 0;
        for (int i = 0; i < places.n; i++, bits <<= 1) {
            *places.at[i] |= (int16_t)(bits >> 63 << scan->low);
            places.at[i] += places.step[i];
        }
        run->at += (uint64_t)places.n;
    }
    scan->mcu += n;
    return run->final && run->at > 8 * run->limit ? 0 : n;
}

/* The symbol that the data go on with, and its value; 0 where there is no code. */
static inline uint32_t
find_value(const BtJpegTable *table, const BtJpegRun *run, uint64_t at)
{
    uint64_t bits = bt_jpeg_bits(run->data, at);
    uint32_t value = table->values.values[bits >> (64 - BT_JPEG_WINDOW_BITS)];

    return value != 0 ? value : bt_jpeg_ac_value(&table->code, bits);
}

/* Whether a symbol is one that ends this block, and how many bits of a number of further ones
 * follow. */
static inline bool
is_blank(uint32_t value, unsigned *out_bits)
{
    unsigned passed = BT_JPEG_VALUE_PASSED(value);

    *out_bits = passed == BT_JPEG_VALUE_END ? 0 : passed - 1;
    return BT_JPEG_VALUE(value) == 0 && passed != SKIP_16 + 1;
}

/* How many blocks end here, this one and further ones: n bits of their number, left-aligned. */
static unsigned
count_blank(uint64_t bits, unsigned n)
{
    return (1u << n) + (unsigned)(bits >> 1 >> (63 - n));
}

static inline void
set_value(BtJpegLowComponent *component, int k, ptrdiff_t to, int16_t value)
{
    int16_t *plane = k <= component->last ? component->values[k] : NULL;

    if (plane != NULL)
        plane[to] = value;
}

/* Passes over coefficients from *k on whose values are not wanted and of which none was told of
 * before, as far as symbols are known by table; true: to the block's end. */
static inline bool
pass_some(const BtJpegScan *scan, const BtJpegRun *run, uint64_t *at, int *k, uint64_t *nonzero)
{
    const uint64_t *passes = scan->passes->passes + (1u << BT_JPEG_PASS_BITS);

    while (*at <= 8 * run->limit) {
        uint64_t pass = passes[bt_jpeg_bits(run->data, *at) >> (64 - BT_JPEG_PASS_BITS)];
        bool ends = (pass & BT_JPEG_PASS_END) != 0;
        int next = *k + (int)BT_JPEG_PASS_PASSED(pass);

        if (pass == 0 || next > scan->last + !ends)
            return false;
        *nonzero |= BT_JPEG_PASS_VALUES(pass) << *k;
        *at += BT_JPEG_PASS_TAKEN(pass);
        *k = next;
        if (ends || next > scan->last)
            return *at <= 8 * run->limit;
    }
    return false;
}

static bool
read_first_ac(BtJpegScan *scan, BtJpegLowComponent *component, BtJpegRun *run, ptrdiff_t to)
{
    const BtJpegTable *table = &scan->ac_tables[component->ac_table];
    uint64_t at = run->at, nonzero = 0;

    if (scan->blank > 0) {
        scan->blank--;
        return true;
    }
    for (int k = scan->first; k <= scan->last; k++) {
        uint32_t value;
        unsigned n;

        if (k > component->last && pass_some(scan, run, &at, &k, &nonzero))
            break;
        value = find_value(table, run, at);
        at += BT_JPEG_VALUE_BITS(value);
        if (value == 0 || at > 8 * run->limit)
            return false;
        if (is_blank(value, &n)) {
            scan->blank = count_blank(bt_jpeg_bits(run->data, at), n) - 1;
            at += n;
            break;
        }
        k += (int)BT_JPEG_VALUE_PASSED(value) - 1;
        if (k > scan->last)
            return false;
        if (BT_JPEG_VALUE(value) != 0) {
            int16_t scaled = (int16_t)((unsigned)BT_JPEG_VALUE(value) << scan->low);

            set_value(component, k, to, scaled);
            nonzero |= (uint64_t)(scaled != 0) << k;
        }
    }
    component->nonzero[to] |= nonzero;
    run->at = at;
    return true;
}

int
bt_jpeg_first_ac(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run)
{
    (void)ops;
    return run_single(scan, run, read_first_ac);
}

/* One more bit of coefficient k, which is kept and not zero. */
static inline void
refine_value(BtJpegLowComponent *component, int k, ptrdiff_t to, int bit)
{
    int16_t *plane = component->values[k];

    if (plane != NULL && (plane[to] & bit) == 0)
        plane[to] = (int16_t)(plane[to] + (plane[to] >= 0 ? bit : -bit));
}

/* Passes over the next zeros up to coefficient `end`, if all were zeros, and over what is not,
 * among them and behind them, of a set that is *left: each has one more bit. Returns where another
 * zero is, if the band goes on that far. */
static inline __attribute__((always_inline)) int
refine_some(const BtJpegScan *scan, BtJpegLowComponent *component, const uint8_t *data,
            uint64_t *at, ptrdiff_t to, int end, uint64_t *left)
{
    for (; *left != 0 && __builtin_ctzll(*left) <= end; *left &= *left - 1, end++, ++*at) {
        int k = __builtin_ctzll(*left);

        if (k <= component->last && bt_jpeg_bits(data, *at) >> 63 != 0)
            refine_value(component, k, to, 1 << scan->low);
    }
    return end;
}

/* The coefficients from `from` up to and with `to`, 0 to 63. */
static inline uint64_t
band(int from, int to)
{
    return ~UINT64_C(0) >> (63 - to) & ~UINT64_C(0) << from;
}

static bool
read_refined_ac(BtJpegScan *scan, BtJpegLowComponent *component, BtJpegRun *run, ptrdiff_t to)
{
    const BtJpegTable *table = &scan->ac_tables[component->ac_table];
    uint64_t at = run->at, nonzero = component->nonzero[to];
    uint64_t left = nonzero & band(scan->first, scan->last);
    unsigned blank = scan->blank;

    for (int k = scan->first, last = scan->last; blank == 0 && k <= last; k++) {
        uint32_t value;
        unsigned n;
        int sign;

        if (k > component->last && left == 0 && pass_some(scan, run, &at, &k, &nonzero))
            break;
        value = find_value(table, run, at);
        sign = BT_JPEG_VALUE(value);
        at += BT_JPEG_VALUE_BITS(value);
        if (value == 0 || sign < -1 || sign > 1 || at > 8 * run->limit)
            return false;
        if (is_blank(value, &n)) {
            blank = count_blank(bt_jpeg_bits(run->data, at), n);
            at += n;
            break;
        }
        k = refine_some(scan, component, run->data, &at, to,
                        k + (int)BT_JPEG_VALUE_PASSED(value) - 1, &left);
        if (sign == 0)
            continue;
        if (k > last)
            return false;
        set_value(component, k, to, (int16_t)(sign * (1 << scan->low)));
        nonzero |= UINT64_C(1) << k;
    }
    if (blank > 0) {
        refine_some(scan, component, run->data, &at, to, BLOCK, &left);
        blank--;
    }
    component->nonzero[to] = nonzero;
    scan->blank = blank;
    run->at = at;
    return true;
}

int
bt_jpeg_refine_ac(BtJpegScan *scan, const BtJpegOps *ops, BtJpegRun *run)
{
    (void)ops;
    return run_single(scan, run, read_refined_ac);
}
