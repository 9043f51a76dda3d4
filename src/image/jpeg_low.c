/* SPDX-License-Identifier: MIT */
#include "image/jpeg_low.h"

#include "image/jpeg_scan.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
/* This one needs size_t and FILE from above. */
#include <jpeglib.h>

#define BLOCK         8
#define PRECISION     8 /* bits of a sample */
#define COEFFICIENTS  64
#define PARTS         4  /* of a block side, at most */
#define UNKNOWN       -1 /* bit position of a coefficient that no scan has had yet */
#define LOW_MAX       13 /* bit position */
#define QUANTIZER_MAX 32767
#define HUGE_BYTES    (2 << 20) /* of a page */
#define ALIGNMENT     64

enum Marker {
    MARKER_DHT = 0xc4,
    MARKER_EOI = 0xd9,
    MARKER_SOS = 0xda,
    MARKER_DRI = 0xdd,
    MARKER_APP0 = 0xe0,
    MARKER_APP15 = 0xef,
    MARKER_COM = 0xfe,
    MARKER_PREFIX = 0xff,
};

/* Reading a file. */
typedef struct Reading {
    BtJpegLow *low;
    int n_streams, n_threads;
    bool progressive, clips;
    BtJpegClip clip;
    uint8_t ids[BT_JPEG_LOW_COMPONENTS_MAX];
    BtJpegTable *dc_tables, *ac_tables; /* BT_JPEG_TABLES_MAX each */
    int interval;
    BtJpegWindow window;
    /* The bit position down to which each coefficient is known. */
    int8_t known[BT_JPEG_LOW_COMPONENTS_MAX][COEFFICIENTS];
} Reading;

/* The header of a scan. */
typedef struct ScanHeader {
    int n_components;
    int components[BT_JPEG_LOW_COMPONENTS_MAX];
    int first, last, high, low;
} ScanHeader;

static bool
define_table(BtJpegTable *table, const uint8_t counts[17], const uint8_t symbols[256], bool is_dc)
{
    table->has_values = false;
    table->defined = bt_jpeg_huffman_init(&table->code, counts, symbols, is_dc);
    if (table->defined)
        bt_jpeg_symbols_init(&table->symbols, &table->code);
    return table->defined;
}

/* The tables that libjpeg has met before the first scan. One that is no code is as none. */
static void
take_tables(Reading *self, const struct jpeg_decompress_struct *header)
{
    for (int i = 0; i < BT_JPEG_TABLES_MAX; i++) {
        const JHUFF_TBL *dc = header->dc_huff_tbl_ptrs[i], *ac = header->ac_huff_tbl_ptrs[i];

        if (dc != NULL)
            define_table(&self->dc_tables[i], dc->bits, dc->huffval, true);
        if (ac != NULL)
            define_table(&self->ac_tables[i], ac->bits, ac->huffval, false);
    }
}

const struct BtJpegLowWaves bt_jpeg_low_waves[BT_JPEG_LOW_KEPT_MAX] = {
    {0, 0}, {1, 0}, {0, 1}, {0, 2}, {1, 1}, {2, 0}, {3, 0}, {2, 1}, {1, 2}, {0, 3}};

static bool
is_kept(const BtJpegLowComponent *self, int k)
{
    return bt_jpeg_low_waves[k].across < self->samples_across &&
           bt_jpeg_low_waves[k].down < self->samples_down;
}

/* How many samples there must be of a block side of so many px so that none covers more than
 * `shrink`; 0: too many. */
static int
count_samples(int side, int shrink)
{
    int n = 1;

    while (n <= PARTS && side > shrink * n)
        n *= 2;
    return n <= PARTS ? n : 0;
}

/* Which coefficients to keep of a component. */
static bool
choose_samples(BtJpegLowComponent *self, const struct jpeg_decompress_struct *header, int shrink)
{
    self->samples_across = count_samples(BLOCK * header->max_h_samp_factor / self->across, shrink);
    self->samples_down = count_samples(BLOCK * header->max_v_samp_factor / self->down, shrink);
    for (int k = 0; k < BT_JPEG_LOW_KEPT_MAX; k++)
        if (is_kept(self, k))
            self->last = k;
    return header->max_h_samp_factor % self->across == 0 &&
           header->max_v_samp_factor % self->down == 0 && self->samples_across > 0 &&
           self->samples_down > 0;
}

/* Gives every plane its place behind `memory`, or counts alone where that is NULL. Returns the
 * bytes of all. */
static size_t
place_planes(BtJpegLow *self, bool progressive, char *memory)
{
    size_t at = 0;

    for (int i = 0; i < self->n_components; i++) {
        BtJpegLowComponent *component = &self->components[i];
        size_t n = (size_t)component->stride * (size_t)component->n_rows + BT_JPEG_LOW_STRIP;

        n = (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        for (int k = 0; k < BT_JPEG_LOW_KEPT_MAX; k++) {
            if (!is_kept(component, k))
                continue;
            component->values[k] = memory == NULL ? NULL : (int16_t *)(void *)(memory + at);
            at += n * sizeof(int16_t);
        }
        if (!progressive || component->last == 0)
            continue;
        component->nonzero = memory == NULL ? NULL : (uint64_t *)(void *)(memory + at);
        at += n * sizeof(uint64_t);
    }
    return at;
}

/* Zeros. The pages of a large picture's planes are huge ones, where the system has such: without
 * them a third of the time of a giant goes into finding small ones. */
static bool
make_planes(BtJpegLow *self, bool progressive)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), skipped;
    size_t bytes = place_planes(self, progressive, NULL);

    if ((self->planes = g_try_malloc0(bytes)) == NULL)
        return false;
    skipped = (page - (uintptr_t)self->planes % page) % page;
    if (bytes >= HUGE_BYTES)
        (void)madvise(self->planes + skipped, (bytes - skipped) / page * page, MADV_HUGEPAGE);
    place_planes(self, progressive, self->planes);
    return true;
}

static bool
take_component(BtJpegLowComponent *self, const struct jpeg_decompress_struct *header, int i,
               int shrink)
{
    const jpeg_component_info *info = &header->comp_info[i];
    const JQUANT_TBL *table = header->quant_tbl_ptrs[info->quant_tbl_no & 3];

    *self = (BtJpegLowComponent){
        .across = info->h_samp_factor,
        .down = info->v_samp_factor,
        .width = (int)info->width_in_blocks,
        .height = (int)info->height_in_blocks,
    };
    self->stride = (self->width + self->across - 1) / self->across * self->across;
    self->n_rows = (self->height + self->down - 1) / self->down * self->down;
    if (info->quant_tbl_no < 0 || info->quant_tbl_no > 3 || table == NULL ||
        !choose_samples(self, header, shrink))
        return false;
    for (int k = 0; k <= self->last; k++) {
        const struct BtJpegLowWaves *waves = &bt_jpeg_low_waves[k];

        self->quantizers[k] = table->quantval[waves->down * BLOCK + waves->across];
        if (self->quantizers[k] < 1 || self->quantizers[k] > QUANTIZER_MAX)
            return false;
    }
    return true;
}

static bool
is_frame_for_here(const struct jpeg_decompress_struct *header)
{
    return !header->arith_code && header->data_precision == PRECISION && header->image_width > 0 &&
           header->num_components >= 1 && header->num_components <= BT_JPEG_LOW_COMPONENTS_MAX;
}

static bool
take_header(Reading *self, const struct jpeg_decompress_struct *header, int shrink)
{
    if (!is_frame_for_here(header))
        return false;
    self->progressive = header->progressive_mode;
    self->interval = (int)header->restart_interval;
    self->low->n_components = header->num_components;
    memset(self->known, UNKNOWN, sizeof self->known);
    for (int i = 0; i < header->num_components; i++) {
        self->ids[i] = (uint8_t)header->comp_info[i].component_id;
        for (int k = 0; k < i; k++)
            if (self->ids[k] == self->ids[i])
                return false;
        if (!take_component(&self->low->components[i], header, i, shrink))
            return false;
    }
    take_tables(self, header);
    self->clips = self->clips && !self->progressive && bt_jpeg_clip_init(&self->clip, header);
    return make_planes(self->low, self->progressive);
}

/* The header of the first scan, which libjpeg has read. */
static bool
take_first_scan(Reading *self, const struct jpeg_decompress_struct *header, ScanHeader *out_scan)
{
    *out_scan = (ScanHeader){
        .n_components = header->comps_in_scan,
        .first = header->Ss,
        .last = header->Se,
        .high = header->Ah,
        .low = header->Al,
    };
    for (int i = 0; i < header->comps_in_scan; i++) {
        const jpeg_component_info *info = header->cur_comp_info[i];
        BtJpegLowComponent *component = &self->low->components[info->component_index];

        out_scan->components[i] = info->component_index;
        component->dc_table = info->dc_tbl_no;
        component->ac_table = info->ac_tbl_no;
    }
    return true;
}

static bool
read_scan_header(Reading *self, const uint8_t *payload, size_t size, ScanHeader *out_scan)
{
    size_t n = size > 0 ? payload[0] : 0;

    if (n < 1 || n > (size_t)self->low->n_components || size != 4 + 2 * n)
        return false;
    *out_scan = (ScanHeader){
        .n_components = (int)n,
        .first = payload[1 + 2 * n],
        .last = payload[2 + 2 * n],
        .high = payload[3 + 2 * n] >> 4,
        .low = payload[3 + 2 * n] & 15,
    };
    for (size_t i = 0; i < n; i++) {
        int index = 0;

        while (index < self->low->n_components && self->ids[index] != payload[1 + 2 * i])
            index++;
        if (index == self->low->n_components)
            return false;
        out_scan->components[i] = index;
        self->low->components[index].dc_table = payload[2 + 2 * i] >> 4;
        self->low->components[index].ac_table = payload[2 + 2 * i] & 15;
    }
    return true;
}

/* Whether a scan goes on where those before have ended: each component's coefficients one bit
 * further, or first ones; a sequential file's all at once. */
static bool
check_scan(Reading *self, const ScanHeader *scan)
{
    bool is_dc = scan->first == 0;

    for (int i = 0; i < scan->n_components; i++) {
        const BtJpegLowComponent *component = &self->low->components[scan->components[i]];

        if (component->dc_table < 0 || component->dc_table >= BT_JPEG_TABLES_MAX ||
            component->ac_table < 0 || component->ac_table >= BT_JPEG_TABLES_MAX ||
            (i > 0 && scan->components[i] <= scan->components[i - 1]))
            return false;
    }
    if (!self->progressive)
        return is_dc && scan->last == COEFFICIENTS - 1 && scan->high == 0 && scan->low == 0;
    if (scan->low > LOW_MAX || (scan->high != 0 && scan->high != scan->low + 1))
        return false;
    return is_dc
               ? scan->last == 0
               : scan->last >= scan->first && scan->last < COEFFICIENTS && scan->n_components == 1;
}

/* Notes what a scan makes known; false where something else was known before. */
static bool
note_scan(Reading *self, const ScanHeader *scan)
{
    int before = scan->high == 0 ? UNKNOWN : scan->high;

    for (int i = 0; i < scan->n_components; i++) {
        int8_t *known = self->known[scan->components[i]];

        if (scan->first > 0 && known[0] == UNKNOWN)
            return false;
        for (int k = scan->first; k <= scan->last; k++) {
            if (known[k] != before)
                return false;
            known[k] = (int8_t)scan->low;
        }
    }
    return true;
}

/* Whether the tables are there that libjpeg makes sure of when the scan begins. */
static bool
has_tables(const Reading *self, const ScanHeader *scan)
{
    for (int i = 0; i < scan->n_components; i++) {
        const BtJpegLowComponent *component = &self->low->components[scan->components[i]];

        if (scan->first == 0 && scan->high == 0 && !self->dc_tables[component->dc_table].defined)
            return false;
        if (scan->last > 0 && !self->ac_tables[component->ac_table].defined)
            return false;
    }
    return true;
}

static bool
run_scan(Reading *self, const ScanHeader *header)
{
    BtJpegScan scan = {
        .n_components = header->n_components,
        .progressive = self->progressive,
        .first = header->first,
        .last = header->last,
        .high = header->high,
        .low = header->low,
        .interval = self->interval,
        .dc_tables = self->dc_tables,
        .ac_tables = self->ac_tables,
        .n_streams = self->n_streams,
        .n_threads = self->n_threads,
        .weights = self->clip.weights,
    };
    bool done;

    if (!check_scan(self, header) || !note_scan(self, header) || !has_tables(self, header))
        return false;
    for (int i = 0; i < header->n_components; i++)
        scan.components[i] = &self->low->components[header->components[i]];
    if (self->clips && header->n_components == self->low->n_components)
        scan.clip = &self->clip;
    if (header->first > 0 && scan.components[0]->last == 0)
        return bt_jpeg_window_skip_data(&self->window);
    done = bt_jpeg_scan_run(&scan, &self->window);
    bt_jpeg_scan_clear(&scan);
    return done;
}

/* DHT: a payload of any number of tables. */
static bool
read_tables(Reading *self, const uint8_t *at, size_t size)
{
    while (size > 0) {
        uint8_t counts[BT_JPEG_CODE_MAX + 1] = {0}, symbols[256] = {0};
        size_t n = 0;
        int index;
        bool is_dc;

        if (size < 1 + BT_JPEG_CODE_MAX)
            return false;
        is_dc = at[0] >> 4 == 0;
        index = at[0] & 15;
        memcpy(counts + 1, at + 1, BT_JPEG_CODE_MAX);
        for (int i = 1; i <= BT_JPEG_CODE_MAX; i++)
            n += counts[i];
        at += 1 + BT_JPEG_CODE_MAX;
        size -= 1 + BT_JPEG_CODE_MAX;
        if (n > sizeof symbols || n > size || at[-1 - BT_JPEG_CODE_MAX] >> 4 > 1 ||
            index >= BT_JPEG_TABLES_MAX)
            return false;
        memcpy(symbols, at, n);
        define_table(is_dc ? &self->dc_tables[index] : &self->ac_tables[index], counts, symbols,
                     is_dc);
        at += n;
        size -= n;
    }
    return true;
}

/* A segment's payload; NULL where the file ends before it does. */
static uint8_t *
read_payload(Reading *self, size_t *out_size)
{
    g_autofree uint8_t *payload = NULL;
    uint8_t length[2];

    if (!bt_jpeg_window_read(&self->window, length, sizeof length) ||
        (length[0] << 8 | length[1]) < 2)
        return NULL;
    *out_size = (size_t)(length[0] << 8 | length[1]) - 2;
    payload = g_malloc(*out_size + 1);
    return bt_jpeg_window_read(&self->window, payload, *out_size) ? g_steal_pointer(&payload)
                                                                  : NULL;
}

/* What stands between scans. True: another scan begins, or (*out_end) the picture has ended. */
static bool
read_to_scan(Reading *self, ScanHeader *out_scan, bool *out_end)
{
    for (;;) {
        g_autofree uint8_t *payload = NULL;
        uint8_t marker[2];
        size_t size;

        if (!bt_jpeg_window_read(&self->window, marker, sizeof marker) ||
            marker[0] != MARKER_PREFIX)
            return false;
        *out_end = marker[1] == MARKER_EOI;
        if (*out_end)
            return true;
        if ((payload = read_payload(self, &size)) == NULL)
            return false;
        if (marker[1] == MARKER_SOS)
            return read_scan_header(self, payload, size, out_scan);
        if (marker[1] == MARKER_DHT) {
            if (!read_tables(self, payload, size))
                return false;
        } else if (marker[1] == MARKER_DRI) {
            if (size != 2)
                return false;
            self->interval = payload[0] << 8 | payload[1];
        } else if (marker[1] != MARKER_COM &&
                   (marker[1] < MARKER_APP0 || marker[1] > MARKER_APP15)) {
            return false;
        }
    }
}

/* Whether all that libjpeg would look at is known to the last bit. It guesses low coefficients that
 * are not. */
static bool
is_complete(const Reading *self)
{
    for (int i = 0; i < self->low->n_components; i++)
        for (int k = 0; k < COEFFICIENTS; k++)
            if (self->known[i][k] != 0)
                return false;
    return true;
}

/* A sequential file of one scan is done with at its end. Of several scans libjpeg reads all. */
static bool
read_scans(Reading *self, const struct jpeg_decompress_struct *header)
{
    ScanHeader scan;
    bool end = false;

    if (!take_first_scan(self, header, &scan) || !run_scan(self, &scan))
        return false;
    if (!self->progressive && scan.n_components == self->low->n_components)
        return true;
    while (!end)
        if (!read_to_scan(self, &scan, &end) || (!end && !run_scan(self, &scan)))
            return false;
    return is_complete(self);
}

BtJpegLow *
bt_jpeg_low_read(const struct jpeg_decompress_struct *header, int shrink,
                 const BtJpegLowSource *source)
{
    g_autoptr(BtJpegLow) low = g_new0(BtJpegLow, 1);
    Reading self = {.low = low,
                    .n_streams = source->n_streams,
                    .n_threads = source->n_threads,
                    .clips = source->clips};
    bool done;

    self.dc_tables = g_new0(BtJpegTable, BT_JPEG_TABLES_MAX);
    self.ac_tables = g_new0(BtJpegTable, BT_JPEG_TABLES_MAX);
    bt_jpeg_window_init(&self.window, source->ops, source->fd, source->at);
    done = take_header(&self, header, shrink) && read_scans(&self, header);
    low->end = self.window.at - (off_t)(self.window.piece_size - self.window.piece_at);
    bt_jpeg_window_clear(&self.window);
    g_free(self.dc_tables);
    g_free(self.ac_tables);
    return done ? g_steal_pointer(&low) : NULL;
}

void
bt_jpeg_low_free(BtJpegLow *self)
{
    if (self == NULL)
        return;
    g_free(self->planes);
    g_free(self);
}
