/* SPDX-License-Identifier: MIT */
/* The page: everything is in it, in order, and nothing of a name is more than a name. */
#include "report/gallery.h"
#include "report/report.h"
#include "unit/scene.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Page {
    Scene *folder;
    char *output;
    BtGallery *gallery;
    char *text;
} Page;

static void
open_page(Page *self)
{
    self->folder = scene_new();
    self->output = g_build_filename(self->folder, "out", NULL);
    self->gallery = bt_gallery_new(self->output);
    scene_write(self->folder, "out/x", "", 0);
}

static void
add(Page *self, const char *name)
{
    g_autofree char *source = g_build_filename(self->folder, "in", name, NULL);
    g_autofree char *result = g_build_filename(self->output, name, NULL);
    BtReportPicture picture = {
        .path = source, .result = result, .width = 120, .height = 80, .result_bytes = 4567};

    bt_gallery_add(self->gallery, &picture);
}

static void
write_page(Page *self)
{
    g_autofree char *path = g_build_filename(self->output, BT_GALLERY_NAME, NULL);
    g_autoptr(GError) error = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);

    g_assert_true(bt_gallery_write(self->gallery, fd, &error));
    close(fd);
    g_assert_true(g_file_get_contents(path, &self->text, NULL, &error));
    g_assert_true(g_utf8_validate(self->text, -1, NULL));
}

static void
close_page(Page *self)
{
    bt_gallery_free(self->gallery);
    bt_gallery_free(NULL);
    g_free(self->output);
    g_free(self->text);
    scene_free(self->folder);
}

static const char *
find(const char *text, const char *what)
{
    const char *found = strstr(text, what);

    if (found == NULL)
        g_error("not in the page: %s", what);
    return found;
}

static void
test_order(void)
{
    static const char *const names[] = {"b/2.jpg", "a/1.jpg",   "z.jpg",
                                        "b/1.jpg", "a/b/1.jpg", "a.jpg"};
    static const char *const order[] = {"alt=\"a.jpg\"",    "alt=\"z.jpg\"",
                                        "./a/1.jpg\" data", "./a/b/1.jpg\" data",
                                        "./b/1.jpg\" data", "./b/2.jpg\" data"};
    Page page = {0};
    const char *at;

    open_page(&page);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        add(&page, names[i]);
    write_page(&page);
    at = page.text;
    find(at, "6 pictures in 4 folders");
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        at = find(at, order[i]);
    close_page(&page);
}

/* Where a link of the page leads, with its bytes as they are in the file system; owned. */
static char *
follow(const Page *page, const char *attribute, const char *from)
{
    const char *start = find(from, attribute) + strlen(attribute);
    g_autofree char *link = g_strndup(start, strcspn(start, "\""));
    g_autofree char *path = g_uri_unescape_string(link, NULL);

    /* glib unescapes to UTF-8 only: by hand for other bytes. */
    if (path == NULL) {
        GString *bytes = g_string_new(NULL);

        for (const char *at = link; *at != '\0'; at++) {
            if (*at == '%') {
                g_string_append_c(
                    bytes, (char)(g_ascii_xdigit_value(at[1]) * 16 + g_ascii_xdigit_value(at[2])));
                at += 2;
            } else {
                g_string_append_c(bytes, *at);
            }
        }
        path = g_string_free(bytes, FALSE);
    }
    return g_build_filename(page->output, path, NULL);
}

/* Any name stays a name: in the text, in attributes, and in links, which lead to the files. */
static void
test_hostile_names(void)
{
    static const char *const names[] = {
        "<script>alert(1)</script>.jpg",
        "\"onload=\"x.jpg",
        "a&amp;b.jpg",
        "a b#c?d%41.jpg",
        "javascript:alert(1).jpg",
        "new\nline\033[2J.jpg",
        "\xff\xfe.jpg",
        "ü€.jpg",
        "'.jpg",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        Page page = {0};
        g_autofree char *source = NULL, *result = NULL, *in = NULL, *out = NULL;

        open_page(&page);
        in = g_build_filename("in", names[i], NULL);
        out = g_build_filename("out", names[i], NULL);
        scene_write(page.folder, in, "before", 6);
        scene_write(page.folder, out, "after", 5);
        add(&page, names[i]);
        write_page(&page);
        g_assert_null(strstr(page.text, "<script>alert"));
        g_assert_null(strstr(page.text, "onload=\"x"));
        g_assert_null(strstr(page.text, "\033"));
        g_assert_null(strstr(page.text, "href=\"javascript:"));
        g_assert_null(strstr(page.text, "src=\"javascript:"));
        result = follow(&page, "class=\"mat\" href=\"", page.text);
        source = follow(&page, "<a href=\"", find(page.text, "</time>"));
        g_assert_true(g_file_test(result, G_FILE_TEST_IS_REGULAR));
        g_assert_true(g_file_test(source, G_FILE_TEST_IS_REGULAR));
        close_page(&page);
    }
}

static void
test_failures(void)
{
    Page page = {0};
    const char *at;

    open_page(&page);
    add(&page, "a.jpg");
    bt_gallery_add_failed(page.gallery, &(BtReportPicture){.path = "/x/b<.jpg"}, "it is <b>broken");
    bt_gallery_add_failed(page.gallery, &(BtReportPicture){0}, "/y: no such folder");
    write_page(&page);
    find(page.text, "1 picture in 1 folder, <a href=\"#failed\">2 failed</a>");
    at = find(page.text, "id=\"failed\"");
    find(at, "b&lt;.jpg</b></a>: it is &lt;b&gt;broken");
    find(at, "<li>/y: no such folder</li>");
    close_page(&page);
}

/* Nothing is asked of anybody, and a page without pictures is one. */
static void
test_alone(void)
{
    Page page = {0};

    open_page(&page);
    write_page(&page);
    find(page.text, "0 pictures in 0 folders");
    g_assert_null(strstr(page.text, "http"));
    g_assert_null(strstr(page.text, "//"));
    close_page(&page);
}

/* What browsers do not show is no broken picture. */
static void
test_formats(void)
{
    Page page = {0};

    open_page(&page);
    add(&page, "a.tif");
    add(&page, "b.heic");
    write_page(&page);
    find(page.text, "<span>tiff</span>");
    find(page.text, "<span>heic</span>");
    g_assert_null(strstr(page.text, "<img"));
    close_page(&page);
}

static void
add_hashed(Page *self, const char *name, size_t preview_bytes, const char *thumbhash)
{
    g_autofree char *result = g_build_filename(self->output, name, NULL);
    g_autofree char *preview = g_malloc0(preview_bytes + 1);
    BtReportPicture picture = {.path = "/in/x",
                               .result = result,
                               .width = 120,
                               .height = 80,
                               .preview = preview,
                               .preview_bytes = preview_bytes,
                               .thumbhash = thumbhash};

    bt_gallery_add(self->gallery, &picture);
}

/* What is there until a picture is loaded, and in place of what browsers do not show. A thumbhash
 * may come from a report, which anybody may have written. */
static void
test_placeholders(void)
{
    Page page = {0};

    open_page(&page);
    add_hashed(&page, "a.jpg", 0, "AB+/==");
    add_hashed(&page, "b.tif", 3, "AB+/==");
    add_hashed(&page, "c.jpg", 0, "\"><script>alert(1)");
    write_page(&page);
    find(page.text, "a.jpg\" data-hash=\"AB+/== 120 80\"><img src=\"./a.jpg\"");
    find(page.text, "b.tif\"><img src=\"data:image/jpeg;base64,AAAA\"");
    find(page.text, "<span>tiff</span>");
    g_assert_null(strstr(page.text, "<script>alert"));
    g_assert_null(strstr(page.text, "data-before")); /* /in/x is none that is shown */
    close_page(&page);
}

/* Previews have an end, even of very many pictures. */
static void
test_many_previews(void)
{
    Page page = {0};

    open_page(&page);
    for (int i = 0; i < 2; i++) {
        g_autofree char *name = g_strdup_printf("%d.tif", i);

        add_hashed(&page, name, 49 << 20, "AB+/==");
    }
    write_page(&page);
    find(page.text, "0.tif\"><img src=\"data:");
    find(page.text, "1.tif\" data-hash=\"AB+/== 120 80\"><span>tiff");
    close_page(&page);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gallery/order", test_order);
    g_test_add_func("/gallery/hostile-names", test_hostile_names);
    g_test_add_func("/gallery/failures", test_failures);
    g_test_add_func("/gallery/alone", test_alone);
    g_test_add_func("/gallery/formats", test_formats);
    g_test_add_func("/gallery/placeholders", test_placeholders);
    g_test_add_func("/gallery/many-previews", test_many_previews);
    return g_test_run();
}
