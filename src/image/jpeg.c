/* SPDX-License-Identifier: MIT */
#include "image/jpeg.h"

#include <string.h>

#define BLOCK 8

enum Marker {
    MARKER_SOF0 = 0xc0,
    MARKER_SOF1 = 0xc1,
    MARKER_SOF2 = 0xc2,
    MARKER_DHT = 0xc4,
    MARKER_RST0 = 0xd0,
    MARKER_RST7 = 0xd7,
    MARKER_SOI = 0xd8,
    MARKER_EOI = 0xd9,
    MARKER_SOS = 0xda,
    MARKER_FILL = 0xff,
};

/* A segment with a length: a marker, and what follows it. */
typedef struct Segment {
    const uint8_t *begin;   /* of the marker */
    const uint8_t *payload; /* after the length */
    size_t size;            /* of the payload */
    uint8_t marker;
} Segment;

static int
read_u16(const uint8_t *at)
{
    return at[0] << 8 | at[1];
}

/* Where the first segment begins: after SOI. NULL for what is not a JPEG. */
static const uint8_t *
skip_soi(const uint8_t *at, const uint8_t *end)
{
    return end - at >= 4 && at[0] == 0xff && at[1] == MARKER_SOI ? at + 2 : NULL;
}

static const uint8_t *
skip_fill(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 2 && at[0] == 0xff && at[1] == MARKER_FILL)
        at++;
    return at;
}

/* False where no whole segment stands at `at`: at the end of the file, in whatever way. */
static bool
read_segment(const uint8_t *at, const uint8_t *end, Segment *out_segment)
{
    at = skip_fill(at, end);
    if (end - at < 4 || at[0] != 0xff || at[1] < MARKER_SOF0 ||
        (at[1] >= MARKER_RST0 && at[1] <= MARKER_EOI) || read_u16(at + 2) < 2 ||
        end - at < 2 + read_u16(at + 2))
        return false;
    *out_segment = (Segment){at, at + 4, (size_t)read_u16(at + 2) - 2, at[1]};
    return true;
}

/* The marker that ends the entropy-coded data from `at` on; NULL when there is none. */
static const uint8_t *
find_marker(const uint8_t *at, const uint8_t *end)
{
    while ((at = memchr(at, 0xff, (size_t)(end - at))) != NULL && end - at >= 2) {
        bool is_data = at[1] == 0 || (at[1] >= MARKER_RST0 && at[1] <= MARKER_RST7);

        if (!is_data && at[1] != MARKER_FILL)
            return at;
        at += is_data ? 2 : 1;
    }
    return NULL;
}

static bool
read_frame(const Segment *segment, BtJpegFrame *out_frame)
{
    const uint8_t *payload = segment->payload;
    BtJpegFrame frame = {.progressive = segment->marker == MARKER_SOF2};

    if (segment->size < 6 || payload[0] != 8 || payload[5] == 0 ||
        payload[5] > BT_JPEG_COMPONENTS_MAX || segment->size != 6 + 3 * (size_t)payload[5])
        return false;
    frame.height = read_u16(payload + 1);
    frame.width = read_u16(payload + 3);
    frame.n_components = payload[5];
    for (int i = 0; i < frame.n_components; i++) {
        const uint8_t *at = payload + 6 + 3 * i;
        BtJpegComponent component = {at[0], at[1] >> 4, at[1] & 15};

        if (component.across == 0 || component.down == 0)
            return false;
        frame.components[i] = component;
        frame.across = MAX(frame.across, component.across);
        frame.down = MAX(frame.down, component.down);
    }
    *out_frame = frame;
    return frame.width > 0 && frame.height > 0;
}

/* Samples that a block of a component becomes in each direction when one of the finest component
 * becomes `least`. */
static int
scaled_size(const BtJpegFrame *frame, const BtJpegComponent *component, int least)
{
    int size = least;

    while (size < BLOCK && frame->across * least % (component->across * size * 2) == 0 &&
           frame->down * least % (component->down * size * 2) == 0)
        size *= 2;
    return size;
}

int
bt_jpeg_pitch(const BtJpegFrame *frame, int reduction)
{
    int least = BLOCK / reduction, pitch = reduction;

    for (int i = 0; i < frame->n_components; i++) {
        const BtJpegComponent *component = &frame->components[i];
        int size = scaled_size(frame, component, least);

        pitch = MAX(pitch, (BLOCK * frame->across + component->across * size - 1) /
                               (component->across * size));
        pitch = MAX(pitch,
                    (BLOCK * frame->down + component->down * size - 1) / (component->down * size));
    }
    return pitch;
}

uint64_t
bt_jpeg_memory(const BtJpegFrame *frame)
{
    uint64_t samples = 0, px = (uint64_t)frame->width * (uint64_t)frame->height;

    if (!frame->progressive)
        return 0;
    for (int i = 0; i < frame->n_components && i < BT_JPEG_COMPONENTS_MAX; i++)
        samples += px * (uint64_t)(frame->components[i].across * frame->components[i].down) /
                   (uint64_t)(frame->across * frame->down);
    return samples * sizeof(int16_t) + px / 2; /* a byte for 2 px is a large file */
}

/* A file on its way to a thinner one. */
typedef struct Thinning {
    int shrink;
    BtJpegFrame frame; /* n_components 0: not yet seen */
    bool thinner;      /* something was left out */
    GByteArray *out;
} Thinning;

static void
append(Thinning *self, const void *bytes, size_t size)
{
    g_byte_array_append(self->out, bytes, (guint)size);
}

/* The index of the component that a scan holds AC coefficients of; -1 for a scan of DC
 * coefficients, -2 for what makes no sense. */
static int
component_of_scan(const Thinning *self, const Segment *scan)
{
    size_t n = scan->size > 0 ? scan->payload[0] : 0;

    if (n == 0 || scan->size != 4 + 2 * n)
        return -2;
    if (scan->payload[1 + 2 * n] == 0)
        return -1;
    for (int i = 0; n == 1 && i < self->frame.n_components; i++)
        if (self->frame.components[i].id == scan->payload[1])
            return i;
    return -2;
}

/* Whether a whole block of a component is to become a part of one sample. */
static bool
is_mean_enough(const Thinning *self, const BtJpegComponent *component)
{
    return BLOCK * self->frame.across <= self->shrink * component->across &&
           BLOCK * self->frame.down <= self->shrink * component->down;
}

/* Whether nothing is made of a scan with AC coefficients: the last bits of them (successive
 * approximation above 0) never count. */
static bool
is_idle(const Thinning *self, const Segment *scan, int component)
{
    const uint8_t *bits = scan->payload + scan->size - 1;

    return *bits >> 4 > 0 || is_mean_enough(self, &self->frame.components[component]);
}

/* One segment, with the data that follows a scan header. Returns where the next one begins; NULL
 * for what is not a progressive file of the usual build. */
static const uint8_t *
copy_segment(Thinning *self, const Segment *segment, const uint8_t *end)
{
    const uint8_t *next = segment->payload + segment->size;
    int component = -1;

    if (segment->marker == MARKER_SOF2 &&
        (self->frame.n_components > 0 || !read_frame(segment, &self->frame)))
        return NULL;
    if (segment->marker == MARKER_SOS) {
        component = component_of_scan(self, segment);
        next = find_marker(next, end);
        if (self->frame.n_components == 0 || component == -2 || next == NULL)
            return NULL;
    }
    if (component >= 0 && is_idle(self, segment, component))
        self->thinner = true;
    else
        append(self, segment->begin, (size_t)(next - segment->begin));
    return next;
}

GBytes *
bt_jpeg_thin(const void *bytes, gsize size, int shrink)
{
    static const uint8_t soi[] = {0xff, MARKER_SOI}, eoi[] = {0xff, MARKER_EOI};
    const uint8_t *at = bytes, *end = at + size;
    Thinning self = {.shrink = shrink};
    Segment segment;

    if (shrink < BLOCK || size > G_MAXUINT / 2 || (at = skip_soi(at, end)) == NULL)
        return NULL;
    self.out = g_byte_array_new();
    append(&self, soi, sizeof soi);
    while (at != NULL && read_segment(at, end, &segment))
        at = copy_segment(&self, &segment, end);
    if (at != NULL)
        at = skip_fill(at, end);
    append(&self, eoi, sizeof eoi);
    if (at != NULL && end - at >= 2 && at[1] == MARKER_EOI && self.thinner)
        return g_byte_array_free_to_bytes(self.out);
    g_byte_array_unref(self.out);
    return NULL;
}
