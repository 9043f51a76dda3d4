/* SPDX-License-Identifier: MIT */
#include "image/raw.h"

#include "image/exif.h"
#include "image/jpeg_decoder.h"
#include "image/tiff.h"

#include <string.h>
#include <unistd.h>

#define DIRECTORIES_MAX 64
#define DEPTH_MAX       6  /* of directories and boxes */
#define PER_ENTRY_MAX   16 /* directories that an entry leads to */
#define PREVIEWS_MAX    64
#define BOXES_MAX       512
#define RECORDS_MAX     1024         /* of RAF */
#define END_BYTES_MAX   (256 * 1024) /* behind the end of a picture that may be padding */
#define SIDE_MAX        65535        /* px */
#define VALUE_BYTES_MAX 4096         /* of an entry that is kept for the result, ... */
#define KEPT_BYTES_MAX  (16 * 1024)  /* ... and of all of them, about */

#define INTEROP_POINTER 0xa005
#define PROGRESSIVE     0xc2 /* the last frame marker of what a decoder has to know */

typedef enum Kind {
    MAIN = BT_EXIF_MAIN,
    EXIF = BT_EXIF_PHOTO,
    GPS = BT_EXIF_GPS,
    INTEROP,
    OLYMPUS,
    OLYMPUS_CAMERA,
    NIKON,
    PENTAX,
    CANON
} Kind;

typedef struct Walk {
    BtBytes bytes;
    uint64_t directories[DIRECTORIES_MAX]; /* that were read: where they are */
    int n_directories, n_previews, n_boxes;

    /* What was found. */
    BtRaw raw;
    int orientation; /* 0: not said */
    BtRawSpace space;
    bool cropped;                    /* the photo's size is a crop's, which is the last word */
    uint64_t sample_at, sample_size; /* of a track of boxes: its first */

    BtExifMaker exif;               /* of what is kept */
    bool kept[BT_EXIF_DIRECTORIES]; /* such a directory was met: no other one is kept */
} Walk;

/* What a directory says that is of use; 0: does not. */
typedef struct Said {
    uint64_t width, height, compression, photometric, orientation, space, preview_space;
    uint64_t strip_at, strip_size, jpeg_at, jpeg_size;
    uint64_t top, left, bottom, right; /* of the photo on the sensor */
} Said;

static const struct {
    Kind kind;
    unsigned tag;
    size_t field;
} fields[] = {
    {MAIN, 4, offsetof(Said, top)},
    {MAIN, 5, offsetof(Said, left)},
    {MAIN, 6, offsetof(Said, bottom)},
    {MAIN, 7, offsetof(Said, right)},
    {MAIN, 0x100, offsetof(Said, width)},
    {MAIN, 0x101, offsetof(Said, height)},
    {MAIN, 0x103, offsetof(Said, compression)},
    {MAIN, 0x106, offsetof(Said, photometric)},
    {MAIN, 0x111, offsetof(Said, strip_at)},
    {MAIN, 0x112, offsetof(Said, orientation)},
    {MAIN, 0x117, offsetof(Said, strip_size)},
    {MAIN, 0x201, offsetof(Said, jpeg_at)},
    {MAIN, 0x202, offsetof(Said, jpeg_size)},
    {MAIN, 0xc71a, offsetof(Said, preview_space)},
    {EXIF, 0xa001, offsetof(Said, space)},
    {EXIF, 0xa002, offsetof(Said, width)},
    {EXIF, 0xa003, offsetof(Said, height)},
    {OLYMPUS, 0x1036, offsetof(Said, jpeg_at)},
    {OLYMPUS, 0x1037, offsetof(Said, jpeg_size)},
    {OLYMPUS_CAMERA, 0x101, offsetof(Said, jpeg_at)},
    {OLYMPUS_CAMERA, 0x102, offsetof(Said, jpeg_size)},
    {NIKON, 0x1e, offsetof(Said, space)},
    {CANON, 0xb4, offsetof(Said, space)},
    {PENTAX, 3, offsetof(Said, jpeg_size)},
    {PENTAX, 4, offsetof(Said, jpeg_at)},
};

/* Entries that lead to directories. */
static const struct {
    Kind kind;
    unsigned tag;
    Kind leads_to;
} ways[] = {
    {MAIN, 0x14a, MAIN},
    {MAIN, 0x8769, EXIF},
    {MAIN, 0x8825, GPS},
    {EXIF, INTEROP_POINTER, INTEROP},
    {OLYMPUS, 0x2020, OLYMPUS_CAMERA},
    {NIKON, 0x11, MAIN},
};

static void walk_directory(Walk *self, const BtTiff *tiff, uint64_t at, Kind kind, int depth);

static void
walk_tiff(Walk *self, uint64_t base, Kind kind, int depth)
{
    BtTiff tiff = bt_tiff_at(&self->bytes, base);

    walk_directory(self, &tiff, bt_tiff_first(&tiff), kind, depth);
}

static bool
begins(Walk *self, uint64_t at, const char *bytes, size_t n)
{
    return bt_bytes_match(&self->bytes, at, bytes, n);
}

/* In boxes and RAF. */
static uint64_t
big_number(Walk *self, uint64_t at, size_t size)
{
    return bt_bytes_number(&self->bytes, false, at, size);
}

/* Whether the end of a picture is found from the end of its place backwards. */
static bool
has_end(Walk *self, uint64_t from, uint64_t to)
{
    uint64_t least = to - from > END_BYTES_MAX ? to - END_BYTES_MAX : from;
    uint8_t piece[4096];

    while (to - least >= 2) {
        size_t n = (size_t)MIN(sizeof piece, to - least);

        if (!bt_bytes_read(&self->bytes, to - n, piece, n))
            return false;
        for (size_t i = n - 1; i > 0; i--)
            if (piece[i - 1] == 0xff && piece[i] == 0xd9)
                return true;
        to -= n - 1;
    }
    return false;
}

/* What the preview's own Exif says goes before what the file says. */
static void
read_own_exif(Walk *self, const BtJpegPeek *peek, BtRawSpace space)
{
    g_autofree Walk *own = g_new0(Walk, 1);

    own->bytes.fd = self->bytes.fd;
    own->bytes.size = MIN(self->bytes.size, (uint64_t)peek->exif_at + peek->exif_size);
    own->n_previews = PREVIEWS_MAX;
    own->kept[MAIN] = own->kept[EXIF] = own->kept[GPS] = true;
    if (peek->exif_at > 0)
        walk_tiff(own, (uint64_t)peek->exif_at, MAIN, 0);
    self->raw.orientation = own->orientation;
    self->raw.space = space != BT_RAW_UNSAID ? space : own->space;
}

/* A place where a JPEG may be. Lossless ones are raw samples. */
static void
consider(Walk *self, uint64_t at, uint64_t size, BtRawSpace space)
{
    BtRaw *raw = &self->raw;
    BtJpegPeek peek;
    uint64_t area;

    if (at == 0 || size == 0 || at >= self->bytes.size || self->n_previews == PREVIEWS_MAX)
        return;
    self->n_previews++;
    if (!bt_jpeg_peek(self->bytes.fd, (off_t)at, &peek) || peek.marker > PROGRESSIVE ||
        !peek.common)
        return;
    area = (uint64_t)peek.width * (uint64_t)peek.height;
    if (area <= (uint64_t)raw->width * (uint64_t)raw->height)
        return;
    if (size > self->bytes.size - at || (uint64_t)peek.end - at > size ||
        !has_end(self, (uint64_t)peek.end, at + size)) {
        if (area > (uint64_t)raw->cut_width * (uint64_t)raw->cut_height) {
            raw->cut_width = peek.width;
            raw->cut_height = peek.height;
        }
        return;
    }
    raw->at = (off_t)at;
    raw->width = peek.width;
    raw->height = peek.height;
    read_own_exif(self, &peek, space);
}

/* The largest size that the file speaks of is the photo's, but where a crop is said. */
static void
take_photo(Walk *self, uint64_t width, uint64_t height, bool crop)
{
    BtRaw *raw = &self->raw;

    if (width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX ||
        (self->cropped && !crop))
        return;
    if (crop != self->cropped ||
        width * height > (uint64_t)raw->photo_width * (uint64_t)raw->photo_height) {
        raw->photo_width = (int)width;
        raw->photo_height = (int)height;
        self->cropped = crop;
    }
}

/* The notes of a maker, by what they begin with: a directory in the order and from the base that
 * its camera uses. */
static void
walk_maker(Walk *self, const BtTiff *tiff, const BtTiffEntry *entry, int depth)
{
    static const struct {
        const char *begin;
        size_t n;     /* bytes of it */
        size_t order; /* at which byte the byte order is said; 0: that of the file */
        size_t first; /* the directory */
        bool own;     /* offsets count from the beginning of the notes */
        Kind kind;
    } makers[] = {
        {"OLYMP\0", 6, 0, 8, false, OLYMPUS},       {"OLYMPUS\0", 8, 8, 12, true, OLYMPUS},
        {"OM SYSTEM\0", 10, 12, 16, true, OLYMPUS}, {"AOC\0", 4, 4, 6, false, PENTAX},
        {"PENTAX \0", 8, 8, 10, true, PENTAX},
    };
    BtTiff notes = *tiff;

    notes.big = false;
    if (begins(self, entry->at, "Nikon\0\2", 7))
        walk_tiff(self, entry->at + 10, NIKON, depth);
    for (size_t i = 0; i < G_N_ELEMENTS(makers); i++) {
        if (!begins(self, entry->at, makers[i].begin, makers[i].n))
            continue;
        if (makers[i].order > 0)
            notes.little = begins(self, entry->at + makers[i].order, "II", 2);
        if (makers[i].own)
            notes.base = entry->at;
        walk_directory(self, &notes, entry->at + makers[i].first - notes.base, makers[i].kind,
                       depth);
        return;
    }
}

static void
walk_ways(Walk *self, const BtTiff *tiff, const BtTiffEntry *entry, Kind kind, int depth)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (ways[i].kind != kind || ways[i].tag != entry->tag)
            continue;
        if (entry->type == BT_TIFF_UNDEFINED) /* the directory itself, as older cameras have it */
            walk_directory(self, tiff, entry->at - tiff->base, ways[i].leads_to, depth);
        else
            for (uint64_t k = 0; k < MIN(entry->n, PER_ENTRY_MAX); k++)
                walk_directory(self, tiff, bt_tiff_value(tiff, entry, k), ways[i].leads_to, depth);
    }
}

static void
take_entry(Walk *self, const BtTiff *tiff, const BtTiffEntry *entry, Kind kind, int depth,
           Said *said)
{
    enum {
        JPG_FROM_RAW = 0x2e,
        JPG_FROM_RAW_2 = 0x127,
        STRIP_OFFSETS = 0x111,
        MAKER_NOTE = 0x927c,
        DEFAULT_CROP_SIZE = 0xc620
    };

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (fields[i].kind == kind && fields[i].tag == entry->tag &&
            (entry->tag != STRIP_OFFSETS || entry->n == 1))
            *(uint64_t *)(void *)((char *)said + fields[i].field) = bt_tiff_value(tiff, entry, 0);
    if (kind == MAIN && (entry->tag == JPG_FROM_RAW || entry->tag == JPG_FROM_RAW_2))
        consider(self, entry->at, entry->n, BT_RAW_UNSAID);
    if (kind == MAIN && entry->tag == DEFAULT_CROP_SIZE)
        take_photo(self, bt_tiff_value(tiff, entry, 0), bt_tiff_value(tiff, entry, 1), true);
    if (kind == INTEROP && entry->tag == 1 && begins(self, entry->at, "R03", 3))
        self->space = BT_RAW_ADOBE_RGB;
    if (kind == EXIF && entry->tag == MAKER_NOTE)
        walk_maker(self, tiff, entry, depth + 1);
    walk_ways(self, tiff, entry, kind, depth + 1);
}

static void
take_directory(Walk *self, const BtTiff *tiff, const Said *said)
{
    enum {
        OLD_JPEG = 6,
        JPEG = 7,
        COLOUR_FILTER_ARRAY = 32803,
        LINEAR_RAW = 34892
    };
    static const BtRawSpace spaces[] = {BT_RAW_UNSAID, BT_RAW_SRGB, BT_RAW_SRGB, BT_RAW_ADOBE_RGB,
                                        BT_RAW_PROPHOTO_RGB};
    BtRawSpace space =
        said->preview_space < G_N_ELEMENTS(spaces) ? spaces[said->preview_space] : BT_RAW_UNSAID;
    bool samples = said->photometric == COLOUR_FILTER_ARRAY || said->photometric == LINEAR_RAW;

    if (self->orientation == 0 && said->orientation <= 8)
        self->orientation = (int)said->orientation;
    if (self->space == BT_RAW_UNSAID && said->space <= BT_RAW_ADOBE_RGB)
        self->space = (BtRawSpace)said->space; /* Exif has the same numbers */
    take_photo(self, said->width, said->height, false);
    if (said->right > said->left && said->bottom > said->top)
        take_photo(self, said->right - said->left, said->bottom - said->top, false);
    if (said->jpeg_at > 0)
        consider(self, tiff->base + said->jpeg_at, said->jpeg_size, space);
    if (said->strip_at > 0 && !samples &&
        (said->compression == OLD_JPEG || said->compression == JPEG))
        consider(self, tiff->base + said->strip_at, said->strip_size, space);
}

/* Of a file's first directory what says when, by whom and with what the photo was taken; of the
 * others all but what they lead to. */
static void
keep_entry(Walk *self, const BtTiff *tiff, const BtTiffEntry *entry, Kind kind)
{
    static const uint16_t wanted[] = {0x10e, 0x10f, 0x110, 0x112, 0x11a, 0x11b,
                                      0x128, 0x131, 0x132, 0x13b, 0x8298};
    uint64_t n_bytes = entry->n * bt_tiff_type_bytes(entry->type);
    bool keeps = kind != MAIN && entry->tag != INTEROP_POINTER;
    uint8_t value[VALUE_BYTES_MAX];

    for (size_t i = 0; kind == MAIN && i < G_N_ELEMENTS(wanted); i++)
        keeps = keeps || wanted[i] == entry->tag;
    if (keeps && entry->type <= BT_TIFF_DOUBLE && n_bytes <= sizeof value &&
        self->exif.block->len <= KEPT_BYTES_MAX &&
        bt_bytes_read(&self->bytes, entry->at, value, n_bytes))
        bt_exif_maker_put(&self->exif, (BtExifDirectory)kind, entry->tag, entry->type, entry->n,
                          value, tiff->little);
}

/* Whether a directory is a new one, within the limits. */
static bool
enter(Walk *self, uint64_t at, int depth)
{
    if (depth > DEPTH_MAX || self->n_directories == DIRECTORIES_MAX)
        return false;
    for (int i = 0; i < self->n_directories; i++)
        if (self->directories[i] == at)
            return false;
    self->directories[self->n_directories++] = at;
    return true;
}

/* A directory, and those that follow it and are below it. at: from the base. */
static void
walk_directory(Walk *self, const BtTiff *tiff, uint64_t at, Kind kind, int depth)
{
    while (at > 0 && at < self->bytes.size && enter(self, tiff->base + at, depth)) {
        BtTiffDirectory directory = bt_tiff_open(tiff, at);
        bool keeps = (int)kind < BT_EXIF_DIRECTORIES && !self->kept[kind];
        BtTiffEntry entry;
        Said said = {0};

        if (keeps)
            self->kept[kind] = true;
        while (bt_tiff_next(tiff, &directory, &entry)) {
            take_entry(self, tiff, &entry, kind, depth, &said);
            if (keeps)
                keep_entry(self, tiff, &entry, kind);
        }
        take_directory(self, tiff, &said);
        /* The notes of makers have no next one, whatever stands there. */
        at = kind == MAIN ? bt_tiff_following(tiff, &directory) : 0;
    }
}

/* The samples of a track: the first one. */
static void
take_track(Walk *self, const char *kind, uint64_t body)
{
    if (memcmp(kind, "stsd", 4) == 0 && begins(self, body + 12, "CRAW", 4))
        take_photo(self, big_number(self, body + 40, 2), big_number(self, body + 42, 2), false);
    else if (memcmp(kind, "stsz", 4) == 0) {
        self->sample_size = big_number(self, body + 4, 4);
        if (self->sample_size == 0)
            self->sample_size = big_number(self, body + 12, 4);
    } else if (memcmp(kind, "stco", 4) == 0)
        self->sample_at = big_number(self, body + 8, 4);
    else if (memcmp(kind, "co64", 4) == 0)
        self->sample_at = big_number(self, body + 8, 8);
}

/* The JPEG of a box that holds one behind its size and what else. */
static void
take_jpeg(Walk *self, uint64_t body, uint64_t end)
{
    for (uint64_t at = body; at < MIN(end, body + 32); at++)
        if (begins(self, at, "\xff\xd8\xff", 3)) {
            consider(self, at, end - at, BT_RAW_UNSAID);
            return;
        }
}

/* How many bytes stand before the boxes in a box; -1: there are none of use in it. */
static int
bytes_before_boxes(Walk *self, const char *kind, uint64_t body)
{
    static const char *const plain[] = {"moov", "trak", "mdia", "minf", "stbl"};

    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
        if (memcmp(kind, plain[i], 4) == 0)
            return 0;
    if (memcmp(kind, "uuid", 4) != 0)
        return -1;
    if (begins(self, body, "\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48", 16))
        return 16;
    return begins(self, body, "\xea\xf4\x2b\x5e\x1c\x98\x4b\x88\xb9\xfb\xb7\xdc\x40\x6e\x4d\x16",
                  16)
               ? 24
               : -1;
}

static void
walk_boxes(Walk *self, uint64_t at, uint64_t end, int depth)
{
    while (end - at >= 8 && self->n_boxes++ < BOXES_MAX) {
        uint64_t size = big_number(self, at, 4), body = at + 8;
        char kind[4];
        int before;

        if (!bt_bytes_read(&self->bytes, at + 4, kind, sizeof kind))
            return;
        if (size == 1) {
            size = big_number(self, body, 8);
            body += 8;
        } else if (size == 0)
            size = end - at;
        if (size < body - at || size > end - at)
            return;
        if (memcmp(kind, "CMT", 3) == 0 && kind[3] >= '1' && kind[3] <= '4')
            walk_tiff(self, body, (Kind[]){MAIN, EXIF, CANON, GPS}[kind[3] - '1'], 0);
        else if (memcmp(kind, "PRVW", 4) == 0 || memcmp(kind, "THMB", 4) == 0)
            take_jpeg(self, body, at + size);
        else if ((before = bytes_before_boxes(self, kind, body)) < 0)
            take_track(self, kind, body);
        else if (depth < DEPTH_MAX && size >= body - at + (uint64_t)before)
            walk_boxes(self, body + (uint64_t)before, at + size, depth + 1);
        if (memcmp(kind, "trak", 4) == 0) {
            consider(self, self->sample_at, self->sample_size, BT_RAW_UNSAID);
            self->sample_at = self->sample_size = 0;
        }
        at += size;
    }
}

static void
read_raf(Walk *self)
{
    enum {
        JPEG_AT = 84,
        JPEG_SIZE = 88,
        RECORDS_AT = 92,
        FULL_SIZE = 0x100,
        CROPPED_SIZE = 0x111
    };
    uint64_t at = big_number(self, RECORDS_AT, 4);
    uint64_t n = at > 0 ? MIN(big_number(self, at, 4), RECORDS_MAX) : 0;

    for (at += 4; n > 0; n--) {
        uint64_t tag = big_number(self, at, 2);

        if (tag == FULL_SIZE || tag == CROPPED_SIZE)
            take_photo(self, big_number(self, at + 6, 2), big_number(self, at + 4, 2),
                       tag == CROPPED_SIZE);
        at += 4 + big_number(self, at + 2, 2);
    }
    consider(self, big_number(self, JPEG_AT, 4), big_number(self, JPEG_SIZE, 4), BT_RAW_UNSAID);
}

bool
bt_raw_find(int fd, BtRaw *out_raw)
{
    g_autofree Walk *self = g_new0(Walk, 1);
    off_t end = lseek(fd, 0, SEEK_END);

    self->bytes.fd = fd;
    self->bytes.size = (uint64_t)MAX(end, 0);
    bt_exif_maker_init(&self->exif);
    if (begins(self, 0, "FUJIFILMCCD-RAW ", 16))
        read_raf(self);
    else if (begins(self, 4, "ftypcrx ", 8))
        walk_boxes(self, 0, self->bytes.size, 0);
    else
        walk_tiff(self, 0, MAIN, 0);
    if (self->raw.orientation == 0)
        self->raw.orientation = MAX(1, self->orientation);
    if (self->raw.space == BT_RAW_UNSAID)
        self->raw.space = self->space;
    self->raw.exif = bt_exif_maker_finish(&self->exif);
    *out_raw = self->raw;
    return out_raw->width > 0;
}
