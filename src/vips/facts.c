/* SPDX-License-Identifier: MIT */
#include "vips/facts.h"

#include "base/fd.h"
#include "base/number.h"
#include "image/png_chunks.h"
#include "image/tiff.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#define SEGMENTS_MAX 64    /* of a JPEG stream in it */
#define HEADER_MAX   65536 /* bytes of a PPM header, comments and all */
#define META_MAX     (16 << 20)
#define BOXES_MAX    64 /* before a HEIF's meta box */

/* The first value of an entry in the first directory. False where there is none. */
static bool
find_tag(const BtTiff *tiff, unsigned tag, uint64_t *out_value)
{
    BtTiffDirectory directory = bt_tiff_open(tiff, bt_tiff_first(tiff));
    BtTiffEntry entry;

    while (bt_tiff_next(tiff, &directory, &entry))
        if (entry.tag == tag) {
            *out_value = bt_tiff_value(tiff, &entry, 0);
            return true;
        }
    return false;
}

typedef enum Colours {
    COLOURS_UNSAID,
    COLOURS_RGB,
    COLOURS_YCC
} Colours;

/* What the markers of a JPEG stream say of its colours: Adobe's, else that of JFIF, which has no
 * others. */
static Colours
read_colours(BtBytes *bytes, uint64_t at)
{
    enum {
        MARKER_SOS = 0xda,
        MARKER_APP0 = 0xe0,
        MARKER_ADOBE = 0xee
    };
    Colours colours = COLOURS_UNSAID;

    at += 2;
    for (int i = 0; i < SEGMENTS_MAX && bt_bytes_number(bytes, false, at, 1) == 0xff; i++) {
        uint64_t marker = bt_bytes_number(bytes, false, at + 1, 1);

        if (marker == MARKER_SOS)
            break;
        if (marker == MARKER_ADOBE &&
            bt_bytes_number(bytes, false, at + 4, 5) == UINT64_C(0x41646f6265))
            return bt_bytes_number(bytes, false, at + 15, 1) == 0 ? COLOURS_RGB : COLOURS_YCC;
        if (marker == MARKER_APP0 &&
            bt_bytes_number(bytes, false, at + 4, 5) == UINT64_C(0x4a46494600))
            colours = COLOURS_YCC;
        at += 2 + bt_bytes_number(bytes, false, at + 2, 2);
    }
    return colours;
}

static void
read_tiff(BtBytes *bytes, BtFacts *facts)
{
    enum {
        COMPRESSION = 259,
        PHOTOMETRIC = 262,
        STRIPS = 273,
        TILES = 324,
        EXTRA_SAMPLES = 338,
        OLD_JPEG = 6,
        JPEG = 7,
        RGB = 2,
        YCC = 6
    };
    BtTiff tiff = bt_tiff_at(bytes, 0);
    uint64_t compression = 0, photometric = 0, data = 0, extra;
    Colours colours;

    facts->opaque = find_tag(&tiff, EXTRA_SAMPLES, &extra) && extra == 0;
    (void)find_tag(&tiff, COMPRESSION, &compression);
    if (compression == OLD_JPEG)
        facts->refusal = "its old-style JPEG compression leaves the colours uncertain";
    if (compression != JPEG || !find_tag(&tiff, PHOTOMETRIC, &photometric) ||
        !(find_tag(&tiff, STRIPS, &data) || find_tag(&tiff, TILES, &data)))
        return;
    colours = read_colours(bytes, data);
    if (photometric == RGB && colours == COLOURS_YCC)
        facts->refusal = "its header says RGB, and its JPEG data say YCbCr";
    if (photometric == YCC && colours == COLOURS_RGB)
        facts->refusal = "its header says YCbCr, and its JPEG data say RGB";
}

static void
read_bmp(BtBytes *bytes, BtFacts *facts)
{
    enum {
        HEADER_V3 = 56, /* bytes of the first header with a mask for alpha */
        BITFIELDS = 3
    };
    bool masks = bt_bytes_number(bytes, true, 30, 4) >= BITFIELDS &&
                 bt_bytes_number(bytes, true, 14, 4) >= HEADER_V3;

    facts->opaque = !masks || bt_bytes_number(bytes, true, 66, 4) == 0;
}

/* The next number of a PPM header, past comments; 0 at its end. */
static int
next_number(const char **at, const char *end)
{
    const char *p = *at;
    int value = 0;

    while (p < end && !g_ascii_isdigit(*p))
        if (*p++ == '#')
            while (p < end && *p != '\n')
                p++;
    while (p < end && g_ascii_isdigit(*p) && value < G_MAXINT / 10 - 1)
        value = 10 * value + (*p++ - '0');
    *at = p;
    return value;
}

static void
read_ppm(BtBytes *bytes, BtFacts *facts)
{
    g_autofree char *header = g_malloc(HEADER_MAX);
    ssize_t size = bt_fd_read_at(bytes->fd, header, HEADER_MAX, 0);
    const char *at = header + 2;

    if (size < 3 || header[0] != 'P' || header[1] < '1' || header[1] > '6')
        return;
    facts->width = next_number(&at, header + size);
    facts->height = next_number(&at, header + size);
    if (header[1] != '1' && header[1] != '4')
        facts->white = next_number(&at, header + size);
    if (facts->white == UINT8_MAX || facts->white == UINT16_MAX)
        facts->white = 0;
}

/* What is left of a box, or of the boxes in one. */
typedef struct Box {
    const uint8_t *at, *end;
    const uint8_t *kind; /* four letters */
} Box;

/* The next number; 0 where there is none. */
static uint32_t
take(Box *self, size_t n_bytes)
{
    uint32_t value = 0;

    if ((size_t)(self->end - self->at) >= n_bytes)
        value = (uint32_t)bt_number(self->at, n_bytes, false);
    self->at += MIN(n_bytes, (size_t)(self->end - self->at));
    return value;
}

/* The version and flags of a box that has them, and whether it is of a later version: one whose
 * item numbers have 4 bytes. The bytes of such a number. */
static size_t
take_version(Box *self, uint32_t last_short)
{
    return take(self, 4) >> 24 > last_short ? 4 : 2;
}

/* False where no whole one is left. */
static bool
next_box(Box *self, Box *out_box)
{
    uint64_t left = (uint64_t)(self->end - self->at), size;

    if (left < 8 || (size = bt_number(self->at, 4, false)) < 8 || size > left)
        return false;
    *out_box = (Box){self->at + 8, self->at + size, self->at + 4};
    self->at += size;
    return true;
}

static bool
is_kind(const Box *self, const char *kind)
{
    return memcmp(self->kind, kind, 4) == 0;
}

/* The first box of a kind in others. False where there is none. */
static bool
find_box(Box boxes, const char *kind, Box *out_box)
{
    while (next_box(&boxes, out_box))
        if (is_kind(out_box, kind))
            return true;
    return false;
}

/* An item's number; 0: none. */
static uint32_t
main_item(Box meta)
{
    Box pitm;

    return find_box(meta, "pitm", &pitm) ? take(&pitm, take_version(&pitm, 0)) : 0;
}

/* Whether an auxiliary picture belongs to an item. */
static bool
has_auxiliary(Box iref, uint32_t item)
{
    size_t id_bytes = take_version(&iref, 0);
    Box box;

    while (next_box(&iref, &box)) {
        (void)take(&box, id_bytes);
        for (uint32_t n = take(&box, 2); is_kind(&box, "auxl") && n > 0; n--)
            if (take(&box, id_bytes) == item)
                return true;
    }
    return false;
}

/* The first item that an item is derived from: the first tile of a grid; 0: none. */
static uint32_t
first_part(Box iref, uint32_t item)
{
    size_t id_bytes = take_version(&iref, 0);
    Box box;

    while (next_box(&iref, &box))
        if (is_kind(&box, "dimg") && take(&box, id_bytes) == item) {
            (void)take(&box, 2);
            return take(&box, id_bytes);
        }
    return 0;
}

static bool
contains(Box meta, const char *text)
{
    return memmem(meta.at, (size_t)(meta.end - meta.at), text, strlen(text)) != NULL;
}

/* Whether the main picture of a meta box has alpha beside it. */
static bool
has_alpha(Box meta)
{
    uint32_t item = main_item(meta);
    Box iref;

    return (contains(meta, "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha") ||
            contains(meta, "urn:mpeg:hevc:2015:auxid:1") ||
            contains(meta, "urn:mpeg:avc:2015:auxid:1")) &&
           item > 0 && find_box(meta, "iref", &iref) && has_auxiliary(iref, item);
}

/* nclx at a number in ipco, counted from 1. */
static bool
take_property(Box ipco, uint32_t index, BtCoding *out_coding)
{
    Box box;

    while (index > 0 && next_box(&ipco, &box))
        if (--index == 0 && is_kind(&box, "colr") && box.end - box.at >= 11 &&
            memcmp(box.at, "nclx", 4) == 0) {
            (void)take(&box, 4);
            out_coding->primaries = (int32_t)take(&box, 2);
            out_coding->transfer = (int32_t)take(&box, 2);
            return true;
        }
    return false;
}

/* By the properties that ipma gives an item. */
static bool
find_coding(Box ipma, Box ipco, uint32_t item, BtCoding *out_coding)
{
    bool wide = ipma.end - ipma.at >= 4 && (ipma.at[3] & 1) != 0;
    size_t id_bytes = take_version(&ipma, 0);

    (void)take(&ipma, 4);
    while (ipma.at < ipma.end) {
        bool ours = take(&ipma, id_bytes) == item;

        for (uint32_t n = take(&ipma, 1); n > 0; n--) {
            /* The highest bit says that it is essential. */
            uint32_t index = wide ? take(&ipma, 2) & 0x7fff : take(&ipma, 1) & 0x7f;

            if (ours && take_property(ipco, index, out_coding))
                return true;
        }
    }
    return false;
}

/* The nclx of the main picture of a meta box, or else of its first tile. */
static BtCoding
read_coding(Box meta)
{
    uint32_t item = main_item(meta);
    BtCoding coding = {0};
    Box iprp, ipco, ipma, iref;

    if (item == 0 || !find_box(meta, "iprp", &iprp) || !find_box(iprp, "ipco", &ipco) ||
        !find_box(iprp, "ipma", &ipma) || find_coding(ipma, ipco, item, &coding) ||
        !find_box(meta, "iref", &iref))
        return coding;
    item = first_part(iref, item);
    (void)(item > 0 && find_coding(ipma, ipco, item, &coding));
    return coding;
}

/* Apple's, or that of ISO 21496-1, which is an item of its own kind. */
static bool
has_gain_map(Box meta)
{
    Box iinf, infe;

    if (contains(meta, "urn:com:apple:photo:2020:aux:hdrgainmap"))
        return true;
    if (!find_box(meta, "iinf", &iinf))
        return false;
    (void)take(&iinf, take_version(&iinf, 0));
    while (next_box(&iinf, &infe)) {
        (void)take(&infe, take_version(&infe, 2));
        (void)take(&infe, 2); /* protection */
        if (infe.end - infe.at >= 4 && memcmp(infe.at, "tmap", 4) == 0)
            return true;
    }
    return false;
}

static void
read_heif(BtBytes *bytes, BtFacts *facts)
{
    g_autofree uint8_t *body = NULL;
    uint64_t at = 0, size = bt_bytes_number(bytes, false, 0, 4);
    Box meta;

    for (int i = 0; i < BOXES_MAX && !bt_bytes_match(bytes, at + 4, "meta", 4); i++) {
        at += size == 1 ? bt_bytes_number(bytes, false, at + 8, 8) : size;
        size = bt_bytes_number(bytes, false, at, 4);
    }
    if (!bt_bytes_match(bytes, at + 4, "meta", 4) || size < 12 || size > META_MAX)
        return;
    body = g_malloc(size);
    if (!bt_bytes_read(bytes, at, body, size))
        return;
    meta = (Box){body + 12, body + size, NULL};
    facts->has_alpha = has_alpha(meta);
    facts->has_gain_map = has_gain_map(meta);
    facts->coding = read_coding(meta);
    /* A profile beside nclx counts, but beside PQ and HLG it is for those that know neither. */
    facts->over_profile = bt_coding_is_hdr(&facts->coding);
}

static void
read_png(BtBytes *bytes, BtFacts *facts)
{
    bt_png_read_chunks(bytes->fd, &facts->coding, &facts->exif);
    facts->over_profile = true;
}

BtFacts
bt_facts_read(int fd, const char *loader)
{
    static const struct {
        const char *loader;
        void (*read)(BtBytes *bytes, BtFacts *facts);
    } readers[] = {
        {"tiffload_source", read_tiff}, {"magickload_buffer", read_bmp},
        {"ppmload_source", read_ppm},   {"heifload_source", read_heif},
        {"pngload_source", read_png},
    };
    BtFacts facts = {0};
    BtBytes bytes = {.fd = fd, .size = INT64_MAX};

    for (size_t i = 0; i < G_N_ELEMENTS(readers); i++)
        if (strcmp(readers[i].loader, loader) == 0)
            readers[i].read(&bytes, &facts);
    return facts;
}
