/* SPDX-License-Identifier: MIT */
#include "vips/facts.h"

#include "base/fd.h"
#include "base/number.h"
#include "image/png_chunks.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#define ENTRIES_MAX  4096  /* of a TIFF directory */
#define SEGMENTS_MAX 64    /* of a JPEG stream in it */
#define HEADER_MAX   65536 /* bytes of a PPM header, comments and all */
#define META_MAX     (16 << 20)
#define BOXES_MAX    64 /* before a HEIF's meta box */

/* Numbers at a place in the file: 0 beyond its end. */
typedef struct Bytes {
    int fd;
    bool little;
} Bytes;

static uint64_t
number_at(const Bytes *self, uint64_t at, int size)
{
    uint8_t bytes[8] = {0};

    if (at > INT64_MAX || bt_fd_read_at(self->fd, bytes, (size_t)size, (off_t)at) != size)
        return 0;
    return bt_number(bytes, (size_t)size, self->little);
}

/* The first value of an entry in the first directory: SHORT, LONG or LONG8. False where there is
 * none. */
static bool
find_tag(const Bytes *self, int tag, uint64_t *out_value)
{
    enum {
        SHORT = 3,
        LONG8 = 16
    };
    bool big = number_at(self, 2, 2) == 43;
    int offset_size = big ? 8 : 4, entry_size = big ? 20 : 12;
    uint64_t at = number_at(self, big ? 8 : 4, offset_size);
    uint64_t n = MIN(number_at(self, at, big ? 8 : 2), ENTRIES_MAX);

    for (at += big ? 8 : 2; n > 0; n--, at += (uint64_t)entry_size) {
        uint64_t value = at + (big ? 12 : 8), type = number_at(self, at + 2, 2);
        int size = type == SHORT ? 2 : type == LONG8 ? 8 : 4;

        if (number_at(self, at, 2) != (uint64_t)tag)
            continue;
        if (number_at(self, at + 4, offset_size) > (uint64_t)(offset_size / size))
            value = number_at(self, value, offset_size);
        *out_value = number_at(self, value, size);
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
read_colours(int fd, uint64_t at)
{
    enum {
        MARKER_SOS = 0xda,
        MARKER_APP0 = 0xe0,
        MARKER_ADOBE = 0xee
    };
    Bytes bytes = {.fd = fd};
    Colours colours = COLOURS_UNSAID;

    at += 2;
    for (int i = 0; i < SEGMENTS_MAX && number_at(&bytes, at, 1) == 0xff; i++) {
        uint64_t marker = number_at(&bytes, at + 1, 1);

        if (marker == MARKER_SOS)
            break;
        if (marker == MARKER_ADOBE && number_at(&bytes, at + 4, 5) == UINT64_C(0x41646f6265))
            return number_at(&bytes, at + 15, 1) == 0 ? COLOURS_RGB : COLOURS_YCC;
        if (marker == MARKER_APP0 && number_at(&bytes, at + 4, 5) == UINT64_C(0x4a46494600))
            colours = COLOURS_YCC;
        at += 2 + number_at(&bytes, at + 2, 2);
    }
    return colours;
}

static void
read_tiff(int fd, BtFacts *facts)
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
    Bytes bytes = {.fd = fd};
    uint64_t compression = 0, photometric = 0, data = 0, extra;
    Colours colours;

    bytes.little = number_at(&bytes, 0, 1) == 'I';
    facts->opaque = find_tag(&bytes, EXTRA_SAMPLES, &extra) && extra == 0;
    (void)find_tag(&bytes, COMPRESSION, &compression);
    if (compression == OLD_JPEG)
        facts->refusal = "its old-style JPEG compression leaves the colours uncertain";
    if (compression != JPEG || !find_tag(&bytes, PHOTOMETRIC, &photometric) ||
        !(find_tag(&bytes, STRIPS, &data) || find_tag(&bytes, TILES, &data)))
        return;
    colours = read_colours(fd, data);
    if (photometric == RGB && colours == COLOURS_YCC)
        facts->refusal = "its header says RGB, and its JPEG data say YCbCr";
    if (photometric == YCC && colours == COLOURS_RGB)
        facts->refusal = "its header says YCbCr, and its JPEG data say RGB";
}

static void
read_bmp(int fd, BtFacts *facts)
{
    enum {
        HEADER_V3 = 56, /* bytes of the first header with a mask for alpha */
        BITFIELDS = 3
    };
    Bytes bytes = {.fd = fd, .little = true};
    bool masks = number_at(&bytes, 30, 4) >= BITFIELDS && number_at(&bytes, 14, 4) >= HEADER_V3;

    facts->opaque = !masks || number_at(&bytes, 66, 4) == 0;
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
read_ppm(int fd, BtFacts *facts)
{
    g_autofree char *header = g_malloc(HEADER_MAX);
    ssize_t size = bt_fd_read_at(fd, header, HEADER_MAX, 0);
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

typedef struct Box {
    const uint8_t *body, *end;
    char kind[4];
} Box;

/* The box at *at, which moves behind it. False where no whole one is left. */
static bool
next_box(const uint8_t **at, const uint8_t *end, Box *out_box)
{
    uint32_t size;

    if (end - *at < 8)
        return false;
    memcpy(&size, *at, sizeof size);
    size = GUINT32_FROM_BE(size);
    if (size < 8 || size > (size_t)(end - *at))
        return false;
    memcpy(out_box->kind, *at + 4, 4);
    out_box->body = *at + 8;
    *at += size;
    out_box->end = *at;
    return true;
}

/* An item's number, of 2 or 4 bytes; 0 where there is none. */
static uint32_t
item_at(const uint8_t *at, const uint8_t *end, size_t size)
{
    return at <= end && (size_t)(end - at) >= size ? (uint32_t)bt_number(at, size, false) : 0;
}

/* The first box of a kind in others. False where there is none. */
static bool
find_box(const uint8_t *at, const uint8_t *end, const char *kind, Box *out_box)
{
    while (at < end && next_box(&at, end, out_box))
        if (memcmp(out_box->kind, kind, 4) == 0)
            return true;
    return false;
}

/* The next box of an iref of a kind that is told; at: where it begins, NULL for the first. The size
 * of item numbers in it; 0: there is none. */
static size_t
next_reference(const Box *iref, const char *kind, const uint8_t **at, Box *out_box)
{
    if (*at == NULL)
        *at = iref->body + 4;
    while (*at < iref->end && next_box(at, iref->end, out_box))
        if (memcmp(out_box->kind, kind, 4) == 0)
            return iref->body[0] > 0 ? 4 : 2;
    return 0;
}

/* Whether an iref box says that an auxiliary picture belongs to an item. */
static bool
has_auxiliary(const Box *iref, uint32_t item)
{
    const uint8_t *at = NULL;
    size_t size;
    Box box;

    while ((size = next_reference(iref, "auxl", &at, &box)) > 0) {
        uint32_t n = item_at(box.body + size, box.end, 2);

        for (uint32_t i = 0; i < n; i++)
            if (item_at(box.body + size + 2 + i * size, box.end, size) == item)
                return true;
    }
    return false;
}

static uint32_t
main_item(const uint8_t *at, const uint8_t *end)
{
    Box box;

    return find_box(at, end, "pitm", &box) && box.body < box.end
               ? item_at(box.body + 4, box.end, box.body[0] > 0 ? 4 : 2)
               : 0;
}

/* Whether the main picture of a meta box has alpha beside it. */
static bool
has_alpha(const uint8_t *meta, size_t size)
{
    static const char *const kinds[] = {"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
                                        "urn:mpeg:hevc:2015:auxid:1", "urn:mpeg:avc:2015:auxid:1"};
    const uint8_t *start = meta + 4, *end = meta + size;
    bool found = false;
    uint32_t item;
    Box iref;

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        found = found || memmem(meta, size, kinds[i], strlen(kinds[i])) != NULL;
    if (!found || (item = main_item(start, end)) == 0)
        return false;
    for (const uint8_t *at = start; find_box(at, end, "iref", &iref); at = iref.end)
        if (has_auxiliary(&iref, item))
            return true;
    return false;
}

/* nclx at a number in ipco, counted from 1. */
static bool
take_property(const Box *ipco, uint32_t index, BtCoding *out_coding)
{
    const uint8_t *at = ipco->body;
    Box box;

    while (index > 0 && at < ipco->end && next_box(&at, ipco->end, &box))
        if (--index == 0 && memcmp(box.kind, "colr", 4) == 0 && box.end - box.body >= 11 &&
            memcmp(box.body, "nclx", 4) == 0) {
            *out_coding = (BtCoding){.primaries = (int32_t)item_at(box.body + 4, box.end, 2),
                                     .transfer = (int32_t)item_at(box.body + 6, box.end, 2)};
            return true;
        }
    return false;
}

/* By the properties that ipma gives an item. */
static bool
find_coding(const Box *ipma, const Box *ipco, uint32_t item, BtCoding *out_coding)
{
    size_t id_size, size;
    const uint8_t *at = ipma->body + 8;

    if (ipma->end - ipma->body < 8)
        return false;
    id_size = ipma->body[0] > 0 ? 4 : 2;
    size = (ipma->body[3] & 1) != 0 ? 2 : 1;
    while ((size_t)(ipma->end - at) > id_size) {
        bool ours = item_at(at, ipma->end, id_size) == item;
        size_t n = at[id_size];

        at += id_size + 1;
        if ((size_t)(ipma->end - at) < n * size)
            return false;
        for (; n > 0; n--, at += size)
            /* The highest bit says that it is essential. */
            if (ours &&
                take_property(ipco, item_at(at, ipma->end, size) & (size > 1 ? 0x7fff : 0x7f),
                              out_coding))
                return true;
    }
    return false;
}

/* The first item that an item is derived from: the first tile of a grid; 0: none. */
static uint32_t
first_part(const Box *iref, uint32_t item)
{
    const uint8_t *at = NULL;
    size_t size;
    Box box;

    while ((size = next_reference(iref, "dimg", &at, &box)) > 0)
        if (item_at(box.body, box.end, size) == item)
            return item_at(box.body + size + 2, box.end, size);
    return 0;
}

/* The nclx of the main picture of a meta box, or else of its first tile. */
static BtCoding
read_coding(const uint8_t *meta, size_t size)
{
    const uint8_t *start = meta + 4, *end = meta + size;
    uint32_t item = main_item(start, end);
    BtCoding coding = {0};
    Box iprp, ipco, ipma, iref;

    if (item == 0 || !find_box(start, end, "iprp", &iprp) ||
        !find_box(iprp.body, iprp.end, "ipco", &ipco) ||
        !find_box(iprp.body, iprp.end, "ipma", &ipma) || find_coding(&ipma, &ipco, item, &coding) ||
        !find_box(start, end, "iref", &iref))
        return coding;
    item = first_part(&iref, item);
    (void)(item > 0 && find_coding(&ipma, &ipco, item, &coding));
    return coding;
}

/* Apple's, or that of ISO 21496-1, which is an item of its own kind. */
static bool
has_gain_map(const uint8_t *meta, size_t size)
{
    static const char kind[] = "urn:com:apple:photo:2020:aux:hdrgainmap";
    const uint8_t *end = meta + size;
    Box iinf, infe;

    if (memmem(meta, size, kind, strlen(kind)) != NULL)
        return true;
    if (!find_box(meta + 4, end, "iinf", &iinf) || iinf.body == iinf.end)
        return false;
    for (const uint8_t *at = iinf.body + (iinf.body[0] > 0 ? 8 : 6);
         at < iinf.end && next_box(&at, iinf.end, &infe);) {
        size_t id_size = infe.body < infe.end && infe.body[0] > 2 ? 4 : 2;

        /* Version and flags, number, protection, kind. */
        if ((size_t)(infe.end - infe.body) >= 10 + id_size &&
            memcmp(infe.body + 6 + id_size, "tmap", 4) == 0)
            return true;
    }
    return false;
}

static void
read_heif(int fd, BtFacts *facts)
{
    g_autofree uint8_t *meta = NULL;
    uint64_t at = 0, size = 0;
    uint8_t head[8];

    for (int i = 0; i < BOXES_MAX; i++, at += size) {
        if (at > INT64_MAX || bt_fd_read_at(fd, head, sizeof head, (off_t)at) != sizeof head)
            return;
        size = number_at(&(Bytes){.fd = fd}, at, 4);
        if (memcmp(head + 4, "meta", 4) == 0)
            break;
        if (size == 1)
            size = number_at(&(Bytes){.fd = fd}, at + 8, 8);
        if (size < 8)
            return;
    }
    if (memcmp(head + 4, "meta", 4) != 0 || size < 12 || size > META_MAX)
        return;
    meta = g_malloc(size - 8);
    if (bt_fd_read_at(fd, meta, size - 8, (off_t)at + 8) != (ssize_t)(size - 8))
        return;
    facts->has_alpha = has_alpha(meta, size - 8);
    facts->has_gain_map = has_gain_map(meta, size - 8);
    facts->coding = read_coding(meta, size - 8);
    /* A profile beside nclx counts, but beside PQ and HLG it is for those that know neither. */
    facts->over_profile = bt_coding_is_hdr(&facts->coding);
}

static void
read_png(int fd, BtFacts *facts)
{
    bt_png_read_chunks(fd, &facts->coding, &facts->exif);
    facts->over_profile = true;
}

BtFacts
bt_facts_read(int fd, const char *loader)
{
    static const struct {
        const char *loader;
        void (*read)(int fd, BtFacts *facts);
    } readers[] = {
        {"tiffload_source", read_tiff}, {"magickload_buffer", read_bmp},
        {"ppmload_source", read_ppm},   {"heifload_source", read_heif},
        {"pngload_source", read_png},
    };
    BtFacts facts = {0};

    for (size_t i = 0; i < G_N_ELEMENTS(readers); i++)
        if (strcmp(readers[i].loader, loader) == 0)
            readers[i].read(fd, &facts);
    return facts;
}
