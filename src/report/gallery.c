/* SPDX-License-Identifier: MIT */
#include "report/gallery.h"

#include "base/format.h"
#include "base/human.h"
#include "base/template.h"
#include "report/gallery_parts.h"
#include "report/kinds.h"
#include "report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Entry {
    char *result;              /* below the output folder; NULL: it failed */
    char *source;              /* as given */
    char *reason;              /* of a failure */
    char *thumbhash, *preview; /* in base64; one of them, or NULL */
    int width, height;
    uint64_t bytes;
    int64_t time;
} Entry;

struct BtGallery {
    char *output;         /* as given */
    char *real;           /* the same, wholly resolved */
    GArray *entries;      /* of Entry */
    size_t preview_bytes; /* that they hold, of at most PREVIEWS_BYTES_MAX */
    BtKinds *ignored;
};

/* What comes after these has its thumbhash alone. */
#define PREVIEWS_BYTES_MAX (64 << 20)

/* Where the pictures go, which are too many to be in memory. No name that is shown has it. */
#define PICTURES "\f"

static void
clear_entry(gpointer data)
{
    Entry *entry = data;

    g_free(entry->result);
    g_free(entry->source);
    g_free(entry->reason);
    g_free(entry->thumbhash);
    g_free(entry->preview);
}

BtGallery *
bt_gallery_new(const char *output)
{
    BtGallery *self = g_new0(BtGallery, 1);

    self->output = g_strdup(output);
    self->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    self->ignored = bt_kinds_new();
    g_array_set_clear_func(self->entries, clear_entry);
    return self;
}

void
bt_gallery_free(BtGallery *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->entries);
    bt_kinds_free(self->ignored);
    g_free(self->output);
    free(self->real);
    g_free(self);
}

/* The part of a result's path that is below the output folder. */
static const char *
below_output(const BtGallery *self, const char *path)
{
    size_t length = strlen(self->output);

    while (length > 0 && self->output[length - 1] == '/')
        length--;
    return strncmp(path, self->output, length) == 0 && path[length] == '/' ? path + length + 1
                                                                           : path;
}

void
bt_gallery_add(BtGallery *self, const BtReportPicture *picture)
{
    Entry entry = {
        .result = g_strdup(below_output(self, picture->result)),
        .source = g_strdup(picture->path),
        .width = picture->width,
        .height = picture->height,
        .bytes = picture->result_bytes,
        .time = picture->source_time,
    };

    if (picture->preview_bytes > 0 && self->preview_bytes < PREVIEWS_BYTES_MAX) {
        entry.preview = g_base64_encode(picture->preview, picture->preview_bytes);
        self->preview_bytes += strlen(entry.preview);
    } else
        entry.thumbhash = g_strdup(picture->thumbhash);
    g_array_append_val(self->entries, entry);
}

void
bt_gallery_add_failed(BtGallery *self, const BtReportPicture *picture, const char *reason)
{
    Entry entry = {.source = g_strdup(picture->path), .reason = g_strdup(reason)};

    g_array_append_val(self->entries, entry);
}

void
bt_gallery_add_ignored(BtGallery *self, const char *kind, uint64_t n)
{
    bt_kinds_add(self->ignored, kind, n);
}

static size_t
folder_length(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash != NULL ? (size_t)(slash - name) : 0;
}

/* Failures last; else by folder, then by name. */
static int
compare(gconstpointer a, gconstpointer b)
{
    const Entry *left = a, *right = b;
    size_t left_length, right_length;
    int order;

    if (left->result == NULL || right->result == NULL)
        return left->result != NULL || right->result != NULL
                   ? (left->result == NULL) - (right->result == NULL)
                   : g_strcmp0(left->source, right->source);
    left_length = folder_length(left->result);
    right_length = folder_length(right->result);
    order = strncmp(left->result, right->result, MIN(left_length, right_length));
    if (order == 0)
        order = (left_length > right_length) - (left_length < right_length);
    return order != 0 ? order : strcmp(left->result, right->result);
}

/* A text for people, as it stands in HTML. */
static char *
shown(const char *bytes)
{
    g_autofree char *text = bt_human_text(bytes);

    return g_markup_escape_text(text, -1);
}

/* A URL of a path, relative: a "./" keeps a colon in it from being taken for more than it is. */
static char *
link_to(const char *path)
{
    g_autofree char *escaped = g_uri_escape_bytes((const guint8 *)path, strlen(path), "/");

    return g_strconcat(path[0] == '/' ? "file://" : "./", escaped, NULL);
}

/* The way from the output folder to a source. */
static char *
link_to_source(const BtGallery *self, const char *source)
{
    g_autofree char *whole = g_canonicalize_filename(source, NULL);
    const char *here = self->real, *there = whole;
    size_t same = 0;
    g_autoptr(GString) way = g_string_new(NULL);

    if (self->real == NULL)
        return link_to(whole);
    for (size_t i = 0; here[i] == there[i] && there[i] != '\0'; i++)
        if (there[i] == '/')
            same = i;
    if (strncmp(here, there, strlen(here)) == 0 && there[strlen(here)] == '/')
        same = strlen(here);
    for (const char *at = here + same; *at != '\0'; at++)
        if (*at == '/' && at[1] != '\0')
            g_string_append(way, "../");
    g_string_append(way, there + same + 1);
    return link_to(way->str);
}

static bool
is_shown(const char *name)
{
    return bt_format_is_shown(bt_format_of_extension(name));
}

static void
write_mat(const Entry *entry, const char *name, const char *result, const char *source, FILE *out)
{
    bool shown_here = is_shown(entry->result);
    g_autofree char *hash =
        g_markup_escape_text(entry->thumbhash != NULL ? entry->thumbhash : "", -1);

    fprintf(out, "<a class=\"mat\" href=\"%s\"", result);
    if (*hash != '\0')
        fprintf(out, " data-hash=\"%s %d %d\"", hash, entry->width, entry->height);
    fputs(">", out);
    if (shown_here || entry->preview != NULL) {
        fprintf(out, "<img src=\"%s%s\"", shown_here ? result : "data:image/jpeg;base64,",
                shown_here ? "" : entry->preview);
        if (is_shown(entry->source))
            fprintf(out, " data-before=\"%s\"", source);
        if (entry->width > 0)
            fprintf(out, " width=\"%d\" height=\"%d\"", entry->width, entry->height);
        fprintf(out, " alt=\"%s\" loading=\"lazy\" decoding=\"async\">", name);
    }
    if (!shown_here)
        fprintf(out, "<span>%s</span>", bt_format_name(bt_format_of_extension(entry->result)));
    fputs("</a>", out);
}

static void
write_entry(const BtGallery *self, const Entry *entry, FILE *out)
{
    const char *slash = strrchr(entry->result, '/');
    g_autofree char *name = shown(slash != NULL ? slash + 1 : entry->result);
    g_autofree char *result = link_to(entry->result);
    g_autofree char *source = link_to_source(self, entry->source);
    g_autofree char *size = bt_human_bytes(entry->bytes);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(entry->time);
    g_autofree char *date = time != NULL ? g_date_time_format(time, "%Y-%m-%d") : g_strdup("");

    fputs("<li><figure>", out);
    write_mat(entry, name, result, source, out);
    fprintf(out, "<figcaption><b>%s</b>", name);
    if (entry->width > 0)
        fprintf(out, "<span>%d &times; %d &middot;</span> ", entry->width, entry->height);
    fprintf(out,
            "<span>%s &middot;</span> <time datetime=\"%s\">%s</time> "
            "<a href=\"%s\">before</a></figcaption></figure></li>\n",
            size, date, date, source);
}

/* Calls of each folder with its first entry and their number. */
typedef void (*FolderSink)(BtGallery *self, guint first, guint n, const char *folder, FILE *out);

static guint
each_folder(BtGallery *self, guint n_pictures, FolderSink sink, FILE *out)
{
    guint n_folders = 0;

    for (guint first = 0, end; first < n_pictures; first = end, n_folders++) {
        const char *name = g_array_index(self->entries, Entry, first).result;
        size_t length = folder_length(name);
        g_autofree char *folder = g_strndup(name, length);

        for (end = first + 1; end < n_pictures; end++) {
            const char *other = g_array_index(self->entries, Entry, end).result;

            if (folder_length(other) != length || strncmp(name, other, length) != 0)
                break;
        }
        if (sink != NULL)
            sink(self, first, end - first, folder, out);
    }
    return n_folders;
}

/* "3 pictures". */
static char *
count_of(guint n, const char *thing)
{
    return g_strdup_printf("%u %s%s", n, thing, n == 1 ? "" : "s");
}

static void
write_contents_line(BtGallery *self, guint first, guint n, const char *folder, FILE *out)
{
    g_autofree char *text = shown(*folder != '\0' ? folder : self->output);

    fprintf(out, "<li><a href=\"#f%u\">%s</a> %u</li>\n", first, text, n);
}

static void
write_folder(BtGallery *self, guint first, guint n, const char *folder, FILE *out)
{
    g_autofree char *text = shown(*folder != '\0' ? folder : self->output);
    g_autofree char *count = count_of(n, "picture");

    fprintf(out, "<section aria-labelledby=\"f%u\"><h2 id=\"f%u\">%s <small>%s</small></h2>\n",
            first, first, text, count);
    fputs("<ul class=\"sheet\">\n", out);
    for (guint i = first; i < first + n; i++)
        write_entry(self, &g_array_index(self->entries, Entry, i), out);
    fputs("</ul></section>\n", out);
}

static void
write_failures(const BtGallery *self, guint first, FILE *out)
{
    if (first == self->entries->len)
        return;
    fputs("<section aria-labelledby=\"failed\"><h2 id=\"failed\">Failed</h2>\n"
          "<ul class=\"failed\">\n",
          out);
    for (guint i = first; i < self->entries->len; i++) {
        const Entry *entry = &g_array_index(self->entries, Entry, i);
        g_autofree char *name = entry->source != NULL ? shown(entry->source) : NULL;
        g_autofree char *reason = shown(entry->reason);
        g_autofree char *link = entry->source != NULL ? link_to_source(self, entry->source) : NULL;

        if (name != NULL)
            fprintf(out, "<li><a href=\"%s\"><b>%s</b></a>: %s</li>\n", link, name, reason);
        else
            fprintf(out, "<li>%s</li>\n", reason);
    }
    fputs("</ul></section>\n", out);
}

/* All but the pictures. Owned (g_free). */
static char *
make_page(BtGallery *self, guint n_pictures)
{
    guint n_failed = self->entries->len - n_pictures;
    guint n_folders = each_folder(self, n_pictures, NULL, NULL);
    g_autofree char *title = bt_human_text(self->output);
    g_autofree char *count = count_of(n_pictures, "picture");
    g_autofree char *folders = count_of(n_folders, "folder");
    g_autofree char *ignored = bt_kinds_text(self->ignored);
    GString *summary = g_string_new(NULL), *page = g_string_new(NULL);
    char *contents = NULL;
    size_t size;
    FILE *out = open_memstream(&contents, &size);

    g_string_printf(summary, "%s in %s", count, folders);
    if (n_failed > 0)
        g_string_append_printf(summary, ", <a href=\"#failed\">%u failed</a>", n_failed);
    if (*ignored != '\0')
        g_string_append_printf(summary, ", %s", ignored);
    if (n_folders > 1) {
        fprintf(out, "<nav aria-label=\"Folders\"><details%s><summary>%s</summary><ul>\n",
                n_folders <= 40 ? " open" : "", folders);
        each_folder(self, n_pictures, write_contents_line, out);
        fputs("</ul></details></nav>\n", out);
    }
    fclose(out);
    bt_template_fill(page, gallery_html,
                     (const BtTemplateValue[]){{"mark", BT_GALLERY_MARK, true},
                                               {"title", title, false},
                                               {"count", count, false},
                                               {"style", gallery_css, true},
                                               {"summary", summary->str, true},
                                               {"contents", contents, true},
                                               {"pictures", PICTURES, true},
                                               {"script", gallery_js, true},
                                               {NULL, NULL, false}});
    free(contents);
    g_string_free(summary, TRUE);
    return g_string_free(page, FALSE);
}

bool
bt_gallery_write(BtGallery *self, int fd, GError **error)
{
    int own = dup(fd);
    FILE *out = own >= 0 ? fdopen(own, "w") : NULL;
    g_autofree char *page = NULL;
    guint n_pictures = 0;
    char *rest;
    bool failed;

    if (out == NULL)
        return bt_error_set_system(error, errno, "%s/" BT_GALLERY_NAME, self->output);
    if (self->real == NULL)
        self->real = realpath(self->output, NULL);
    g_array_sort(self->entries, compare);
    while (n_pictures < self->entries->len &&
           g_array_index(self->entries, Entry, n_pictures).result != NULL)
        n_pictures++;
    page = make_page(self, n_pictures);
    rest = strstr(page, PICTURES);
    fwrite(page, 1, (size_t)(rest - page), out);
    each_folder(self, n_pictures, write_folder, out);
    write_failures(self, n_pictures, out);
    fputs(rest + strlen(PICTURES), out);
    errno = 0;
    failed = ferror(out) != 0;
    failed = fclose(out) != 0 || failed;
    return !failed || bt_error_set_system(error, errno != 0 ? errno : EIO, "%s/" BT_GALLERY_NAME,
                                          self->output);
}
