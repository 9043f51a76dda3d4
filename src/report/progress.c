/* SPDX-License-Identifier: MIT */
#include "report/progress.h"

#include "base/clock.h"
#include "base/human.h"

#include <glib.h>
#include <string.h>

#define WINDOW_NS      (5 * BT_NS_PER_S)
#define SAMPLES        25
#define KNOWN_NS       BT_NS_PER_S /* before that no rate is to be trusted */
#define KNOWN_PICTURES 3
#define NAME_MIN       8 /* columns, a shorter name says nothing */
#define GAP            "  "

#define RED    "\033[31m"
#define NORMAL "\033[m"

typedef struct Sample {
    uint64_t time_ns, n_done, bytes_done;
} Sample;

struct BtProgress {
    Sample samples[SAMPLES]; /* a ring, the last of them the latest */
    int last;
    int n;
};

/* What a line is made of, as it stands there. */
enum {
    PART_COUNT,
    PART_RATE,
    PART_BYTES,
    PART_ETA,
    PART_FAILED,
    PART_PICTURE,
    PARTS
};

/* What goes first where there is no room. The picture takes what is left. */
static const int expendable[] = {PART_BYTES, PART_RATE, PART_ETA, PART_FAILED};

BtProgress *
bt_progress_new(uint64_t now_ns)
{
    BtProgress *self = g_new0(BtProgress, 1);

    self->samples[0].time_ns = now_ns;
    self->n = 1;
    return self;
}

void
bt_progress_free(BtProgress *self)
{
    g_free(self);
}

static int
columns_of(gunichar c)
{
    return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

static int
width_of(const char *text)
{
    int width = 0;

    for (const char *at = text; *at != '\0'; at += g_utf8_skip[(unsigned char)*at])
        width += columns_of(g_utf8_get_char(at));
    return width;
}

/* The end of a text, after three dots where something is left out. */
static char *
shorten(const char *text, int columns)
{
    int width = width_of(text);

    if (width <= columns)
        return g_strdup(text);
    while (width > columns - 3) {
        width -= columns_of(g_utf8_get_char(text));
        text += g_utf8_skip[(unsigned char)*text];
    }
    return g_strconcat("...", text, NULL);
}

/* "1,204". */
static char *
grouped(uint64_t count)
{
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)count);
    size_t length = strlen(digits);
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            g_string_append_c(text, ',');
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

static const Sample *
oldest_of(const BtProgress *self)
{
    return &self->samples[(self->last + SAMPLES - self->n + 1) % SAMPLES];
}

/* Takes a sample where the last one is old enough; the oldest that is not too old. */
static const Sample *
take_sample(BtProgress *self, const BtProgressFigures *figures, uint64_t now_ns)
{
    if (now_ns - self->samples[self->last].time_ns >= WINDOW_NS / (SAMPLES - 1)) {
        self->last = (self->last + 1) % SAMPLES;
        self->n = MIN(self->n + 1, SAMPLES);
        self->samples[self->last] = (Sample){now_ns, figures->n_done, figures->bytes_done};
    }
    while (self->n > 2 && now_ns - oldest_of(self)->time_ns > WINDOW_NS)
        self->n--;
    return oldest_of(self);
}

static char *
count_text(const BtProgressFigures *figures)
{
    g_autofree char *done = grouped(figures->n_done);
    g_autofree char *found = grouped(figures->n_found);

    return g_strdup_printf("%s/%s%s pictures", done, found, figures->scanned ? "" : "+");
}

static char *
eta_text(const BtProgressFigures *figures, double bytes_per_s)
{
    uint64_t left = figures->bytes_found - MIN(figures->bytes_found, figures->bytes_done);
    uint64_t seconds;

    if (!figures->scanned || bytes_per_s <= 0)
        return g_strdup("ETA ?");
    seconds = (uint64_t)((double)left / bytes_per_s + 0.5);
    if (seconds >= 3600)
        return g_strdup_printf("ETA %" G_GUINT64_FORMAT ":%02u:%02u", (guint64)(seconds / 3600),
                               (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    return g_strdup_printf("ETA %u:%02u", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
}

/* Each owned; NULL for what there is not. */
static void
make_parts(BtProgress *self, const BtProgressFigures *figures, uint64_t now_ns, char **parts)
{
    const Sample *from = take_sample(self, figures, now_ns);
    double seconds = (double)(now_ns - from->time_ns) / (double)BT_NS_PER_S;
    uint64_t n = figures->n_done - from->n_done, bytes = figures->bytes_done - from->bytes_done;
    bool known = now_ns - from->time_ns >= KNOWN_NS && n >= KNOWN_PICTURES;

    parts[PART_COUNT] = count_text(figures);
    parts[PART_ETA] = eta_text(figures, known ? (double)bytes / seconds : 0);
    if (seconds > 0 && n > 0) {
        g_autofree char *rate = bt_human_figure((double)n / seconds);
        g_autofree char *size = bt_human_bytes((uint64_t)((double)bytes / seconds));

        parts[PART_RATE] = g_strconcat(rate, "/s", NULL);
        parts[PART_BYTES] = g_strconcat(size, "/s", NULL);
    }
    if (figures->n_failed > 0) {
        g_autofree char *failed = grouped(figures->n_failed);

        parts[PART_FAILED] = g_strconcat(failed, " failed", NULL);
    }
}

static int
width_of_parts(char *const *parts)
{
    int width = 0;

    for (int i = 0; i < PARTS; i++)
        if (parts[i] != NULL)
            width += width_of(parts[i]) + (width > 0 ? (int)strlen(GAP) : 0);
    return width;
}

/* What there is room for of the picture, which comes last. */
static void
add_picture(const BtProgressFigures *figures, int room, char **parts)
{
    g_autofree char *size = bt_human_bytes(figures->largest_bytes);
    g_autofree char *behind = g_strdup_printf(" (%s)", size);
    int columns = room - (int)strlen(GAP) - (int)strlen(behind);
    g_autofree char *whole = NULL, *name = NULL;

    if (figures->largest == NULL || columns < NAME_MIN)
        return;
    whole = bt_human_text(figures->largest);
    name = shorten(whole, columns);
    parts[PART_PICTURE] = g_strconcat(name, behind, NULL);
}

static char *
join(char *const *parts, bool coloured)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < PARTS; i++) {
        bool red = coloured && i == PART_FAILED;

        if (parts[i] != NULL)
            g_string_append_printf(text, "%s%s%s%s", text->len > 0 ? GAP : "", red ? RED : "",
                                   parts[i], red ? NORMAL : "");
    }
    return g_string_free(text, FALSE);
}

char *
bt_progress_text(BtProgress *self, const BtProgressFigures *figures, uint64_t now_ns, int columns,
                 bool coloured)
{
    char *parts[PARTS] = {0};
    size_t gone = 0;
    char *text;

    make_parts(self, figures, now_ns, parts);
    for (; gone < G_N_ELEMENTS(expendable) && width_of_parts(parts) > columns; gone++)
        g_clear_pointer(&parts[expendable[gone]], g_free);
    if (gone == 0)
        add_picture(figures, columns - width_of_parts(parts), parts);
    text = width_of_parts(parts) <= columns ? join(parts, coloured)
                                            : g_strndup(parts[PART_COUNT], (gsize)MAX(columns, 0));
    for (int i = 0; i < PARTS; i++)
        g_free(parts[i]);
    return text;
}
