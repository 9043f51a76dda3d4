/* SPDX-License-Identifier: MIT */
/* How results are called. */
#include "store/naming.h"

typedef struct Row {
    BtNaming naming;
    const char *source;
    BtFormat from, to;
    const char *result;
} Row;

static void
check(const Row *row)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *result =
        bt_naming_result(&row->naming, row->source, row->from, row->to, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(result, ==, row->result);
}

static void
test_plain(void)
{
    static const Row rows[] = {
        {{0}, "a/b.JPG", BT_FORMAT_JPEG, BT_FORMAT_JPEG, "a/b.JPG"},
        {{0}, ".jpg", BT_FORMAT_JPEG, BT_FORMAT_JPEG, ".jpg"},
        {{0}, "a/b.bmp", BT_FORMAT_BMP, BT_FORMAT_JPEG, "a/b.bmp.jpg"},
        {{0}, "noext", BT_FORMAT_NONE, BT_FORMAT_PNG, "noext.png"},
        {{0}, "\xff\n.tif", BT_FORMAT_TIFF, BT_FORMAT_TIFF, "\xff\n.tif"},
        {{NULL, "-small", false}, "a/b.jpg", BT_FORMAT_JPEG, BT_FORMAT_JPEG, "a/b-small.jpg"},
        {{NULL, "-small", false}, "a/b.png", BT_FORMAT_PNG, BT_FORMAT_WEBP, "a/b.png-small.webp"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check(&rows[i]);
}

static void
test_flat(void)
{
    static const Row rows[] = {
        {{NULL, NULL, true}, "a.jpg", BT_FORMAT_JPEG, BT_FORMAT_JPEG, "a.jpg"},
        {{NULL, NULL, true}, "x/y/a.jpg", BT_FORMAT_JPEG, BT_FORMAT_JPEG, "x__y__a.jpg"},
        {{NULL, "-s", true}, "x/a.png", BT_FORMAT_PNG, BT_FORMAT_JPEG, "x__a.png-s.jpg"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check(&rows[i]);
}

static void
test_pattern(void)
{
    static const Row rows[] = {
        {{"{dir}/{stem}{suffix}.{ext}", "-s", false},
         "2024/rome/a.jpeg",
         BT_FORMAT_JPEG,
         BT_FORMAT_JPEG,
         "2024/rome/a-s.jpeg"},
        {{"{dir}/{stem}.{ext}", NULL, false}, "a.png", BT_FORMAT_PNG, BT_FORMAT_JPEG, "a.jpg"},
        {{"small/{dir}/{name}", NULL, false},
         "a.jpg",
         BT_FORMAT_JPEG,
         BT_FORMAT_JPEG,
         "small/a.jpg"},
        {{"{flat}{stem}.{ext}", NULL, false},
         "x/y/a.gif",
         BT_FORMAT_GIF,
         BT_FORMAT_AVIF,
         "x__y__a.avif"},
        {{"{{{stem}}}.{ext}", NULL, false}, "a.jpg", BT_FORMAT_JPEG, BT_FORMAT_JPEG, "{a}.jpg"},
        {{"{stem}-{hash}.{ext}", NULL, false},
         "abc",
         BT_FORMAT_NONE,
         BT_FORMAT_JPEG,
         "abc-ba7816bf.jpg"}, /* FIPS 180-2, B.1 */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_true(bt_naming_check(&rows[i].naming, &error));
        check(&rows[i]);
    }
}

static void
test_bad_pattern(void)
{
    static const char *const patterns[] = {
        "",        "x.jpg",     "{dir}/x.jpg", "{stm}.jpg",    "{stem",       "stem}",
        "/{stem}", "../{stem}", "{stem}/",     "a/../{stem}",  "./{stem}",    "{dir}",
        "{ext}",   "{suffix}",  "{stem}{",     "{stem}/../..", "{dir}/{dir}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
        g_autoptr(GError) error = NULL;
        BtNaming naming = {.pattern = patterns[i]};

        if (bt_naming_check(&naming, &error))
            g_error("'%s' is taken", patterns[i]);
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
    }
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        BtNaming naming = {.suffix = i == 0 ? "a/b" : "/.."};

        g_assert_false(bt_naming_check(&naming, &error));
    }
}

/* A {hash} tells sources of different folders apart; the text "{hash}" does not. */
static void
test_apart(void)
{
    static const struct {
        BtNaming naming;
        bool apart;
    } rows[] = {
        {{0}, true},
        {{NULL, "-s", false}, true},
        {{NULL, NULL, true}, false},
        {{"{stem}-{hash}", NULL, false}, true},
        {{"{{{hash}}}{stem}", NULL, false}, true},
        {{"{stem}{{hash}}", NULL, false}, false},
        {{"{dir}/{name}", NULL, false}, false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(bt_naming_is_apart(&rows[i].naming), ==, rows[i].apart);
}

/* Nothing takes the place of our own files. */
static void
test_own_files(void)
{
    static const char *const sources[] = {"x/.blurthumb.jpg", ".blurthumb.jpg", ".blurthumb-1.tmp"};
    BtNaming naming = {.pattern = "{dir}/{stem}"};

    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *result =
            bt_naming_result(&naming, sources[i], BT_FORMAT_JPEG, BT_FORMAT_JPEG, &error);

        g_assert_null(result);
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/naming/plain", test_plain);
    g_test_add_func("/naming/flat", test_flat);
    g_test_add_func("/naming/pattern", test_pattern);
    g_test_add_func("/naming/bad-pattern", test_bad_pattern);
    g_test_add_func("/naming/apart", test_apart);
    g_test_add_func("/naming/own-files", test_own_files);
    return g_test_run();
}
