/* SPDX-License-Identifier: MIT */
/*
 * What a store says of a result: fresh, or why it is not. By attributes, by a ledger, and on a real
 * exFAT.
 */
#include "store/results.h"

#include "store/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

static const struct stat source = {
    .st_mode = S_IFREG | 0644, .st_size = 77, .st_mtim = {1700000001, 120000000}};

/* The truth table. */
static void
check_states(const char *folder)
{
    g_autofree char *output = g_build_filename(folder, "out", NULL);
    g_autofree char *result = g_build_filename(output, "sub/a.jpg", NULL);
    g_autoptr(BtStore) store = look_only(output, SETTINGS, 0);
    g_autoptr(BtStore) forced = NULL, other = NULL;
    struct stat changed = source;

    assert_state(store, "sub/a.jpg", &source, BT_STORE_NEW);
    bt_store_free(store);
    store = open_store(output, SETTINGS, 0);
    forced = open_store(output, SETTINGS, BT_STORE_FORCE);
    other = look_only(output, OTHER, 0);
    assert_state(store, "sub/a.jpg", &source, BT_STORE_NEW);
    put(store, "sub/a.jpg", "result", &source);
    assert_state(store, "sub/a.jpg", &source, BT_STORE_FRESH);
    assert_state(forced, "sub/a.jpg", &source, BT_STORE_FORCED);
    assert_state(other, "sub/a.jpg", &source, BT_STORE_SETTINGS);

    /* A source of another size, or time, earlier even. */
    changed.st_size++;
    assert_state(store, "sub/a.jpg", &changed, BT_STORE_CHANGED);
    assert_state(forced, "sub/a.jpg", &changed, BT_STORE_CHANGED);
    changed = source;
    changed.st_mtim.tv_sec -= 2000;
    assert_state(store, "sub/a.jpg", &changed, BT_STORE_CHANGED);
    changed = source;
    changed.st_mtim.tv_nsec++;
    assert_state(store, "sub/a.jpg", &changed, BT_STORE_FRESH); /* 10 ms is a grain */
    changed.st_mtim.tv_nsec = 0;
    assert_state(store, "sub/a.jpg", &changed, BT_STORE_FRESH); /* so is a second */
    changed.st_mtim.tv_sec++;
    assert_state(store, "sub/a.jpg", &changed, BT_STORE_CHANGED);
    put(store, "sub/a.jpg", "changed", &changed);
    assert_state(store, "sub/a.jpg", &changed, BT_STORE_FRESH);

    /* What is there and is no whole result. */
    scene_write(output, "sub/a.jpg", "", 0);
    assert_state(store, "sub/a.jpg", &source, BT_STORE_BROKEN);
    put(store, "sub/a.jpg", "whole", &source);
    assert_state(store, "sub/a.jpg", &source, BT_STORE_FRESH);
    remove_name(output, "sub/a.jpg");
    assert_state(store, "sub/a.jpg", &source, BT_STORE_NEW);

    /* What somebody else has put there. */
    scene_write(output, "sub/a.jpg", "another", 7);
    assert_state(store, "sub/a.jpg", &source, BT_STORE_FOREIGN);
    assert_state(other, "sub/a.jpg", &source, BT_STORE_FOREIGN);
    assert_state(forced, "sub/a.jpg", &source, BT_STORE_FORCED);
    put(forced, "sub/a.jpg", "ours", &source);
    assert_state(store, "sub/a.jpg", &source, BT_STORE_FRESH);
    remove_name(output, "sub/a.jpg");
    g_assert_cmpint(mkdir(result, 0777), ==, 0);
    assert_state(store, "sub/a.jpg", &source, BT_STORE_FOREIGN);
    assert_state(forced, "sub/a.jpg", &source, BT_STORE_FOREIGN);
}

/* With an attribute, rights, owner, links, change time and modification time of a result mean
 * nothing, and a record of a later version is ours, but not fresh. */
static void
test_attribute(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *path = g_build_filename(folder, "a.jpg", NULL);
    g_autofree char *second = g_build_filename(folder, "b.jpg", NULL);
    g_autofree char *lengthy = g_strnfill(1000, '1');
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    const char *const texts[] = {"2 1 1 1 1 1.000000000 1", "", "garbage", lengthy};

    put(store, "a.jpg", "result", &source);
    if (getxattr(path, BT_RECORD_ATTRIBUTE, NULL, 0) < 0) {
        g_test_skip("the folder for temporary files keeps no attributes");
        return;
    }
    set_time(folder, "a.jpg", (struct timespec){1000, 0});
    assert_state(store, "a.jpg", &source, BT_STORE_FRESH);
    g_assert_cmpint(chmod(path, 0600), ==, 0);
    if (geteuid() == 0)
        g_assert_cmpint(chown(path, 65534, 65534), ==, 0);
    g_assert_cmpint(link(path, second), ==, 0);
    assert_state(store, "a.jpg", &source, BT_STORE_FRESH);
    assert_state(store, "b.jpg", &source, BT_STORE_FRESH);
    remove_name(folder, "b.jpg");
    g_assert_cmpint(truncate(path, 3), ==, 0);
    assert_state(store, "a.jpg", &source, BT_STORE_BROKEN);
    put(store, "a.jpg", "result", &source);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_assert_cmpint(setxattr(path, BT_RECORD_ATTRIBUTE, texts[i], strlen(texts[i]), 0), ==, 0);
        assert_state(store, "a.jpg", &source, BT_STORE_SETTINGS);
    }
}

/* A result is looked for where it lies, whatever was looked for before: in folders that are not
 * there yet, that begin alike, and in any order. */
static void
check_around(const char *folder)
{
    static const char *const names[] = {"a.jpg",     "x/a.jpg", "xy/a.jpg",
                                        "x/y/a.jpg", "x/b.jpg", "x/xy/a.jpg"};
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        put(store, names[i], names[i], &source);
        for (size_t j = G_N_ELEMENTS(names); j-- > 0;)
            assert_state(store, names[j], &source, j <= i ? BT_STORE_FRESH : BT_STORE_NEW);
    }
}

/* Whose a result is, and that it goes with its record; what is not ours has no origin. */
static void
check_origin(const char *folder)
{
    g_autofree char *old = g_build_filename(folder, "sub/a.jpg", NULL);
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    g_autoptr(GError) error = NULL;
    uint32_t root = 0, place = 0;

    put(store, "sub/a.jpg", "result", &source);
    scene_write(folder, "sub/mine.jpg", "mine", 4);
    g_assert_true(bt_store_origin(store, "sub/a.jpg", &root, &place));
    g_assert_true(root == 1 && place == 2);
    g_assert_false(bt_store_origin(store, "sub/mine.jpg", &root, &place));
    g_assert_false(bt_store_origin(store, "sub/none.jpg", &root, &place));
    g_assert_false(bt_store_origin(store, "sub", &root, &place));
    g_assert_true(bt_store_remove(store, "sub/a.jpg", &error));
    g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
    g_assert_false(bt_store_origin(store, "sub/a.jpg", &root, &place));
    g_assert_false(bt_store_remove(store, "sub/a.jpg", &error));
    g_assert_error(error, BT_ERROR_SYSTEM, ENOENT);
    g_assert_true(g_str_has_suffix(error->message, g_strerror(ENOENT)));
    /* The same bytes and time do not make it ours again. */
    bt_store_free(store);
    store = open_store(folder, OTHER, 0);
    scene_write(folder, "sub/a.jpg", "result", 6);
    set_time(folder, "sub/a.jpg", source.st_mtim);
    g_assert_false(bt_store_origin(store, "sub/a.jpg", &root, &place));
    assert_state(store, "sub/a.jpg", &source, BT_STORE_FOREIGN);
}

static void
check_open_result(const char *folder)
{
    g_autofree char *link = g_build_filename(folder, "sub/link.jpg", NULL);
    g_autofree char *output = g_build_filename(folder, "none", NULL);
    static const struct {
        const char *name;
        int errnum;
    } rows[] = {{"sub/none.jpg", ENOENT}, {"none/a.jpg", ENOENT}, {"sub/link.jpg", ELOOP}};
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    g_autoptr(BtStore) nowhere = look_only(output, SETTINGS, 0);
    g_autoptr(GError) error = NULL;
    g_auto(BtFd) fd = -1;
    char text[8] = "";

    put(store, "sub/a.jpg", "result", &source);
    fd = bt_store_open_result(store, "sub/a.jpg", &error);
    g_assert_no_error(error);
    g_assert_cmpint(read(fd, text, sizeof text), ==, 6);
    g_assert_cmpint(fcntl(fd, F_GETFD) & FD_CLOEXEC, !=, 0);
    if (symlink("a.jpg", link) != 0)
        scene_write(folder, "sub/link.jpg", "", 0);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_clear_error(&error);
        if (rows[i].errnum == ELOOP && !g_file_test(link, G_FILE_TEST_IS_SYMLINK))
            continue;
        g_assert_cmpint(bt_store_open_result(store, rows[i].name, &error), ==, -1);
        g_assert_error(error, BT_ERROR_SYSTEM, rows[i].errnum);
    }
    g_clear_error(&error);
    g_assert_cmpint(bt_store_open_result(nowhere, "a.jpg", &error), ==, -1);
    g_assert_error(error, BT_ERROR_SYSTEM, ENOENT);
}

/* Names are one where the folder takes them for one. */
static void
check_claims(const char *folder)
{
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);

    g_assert_cmpuint(bt_store_claim(store, "A.jpg", (BtOwner){1, 1}).source, ==, 1);
    g_assert_cmpuint(bt_store_claim(store, "A.jpg", (BtOwner){2, 2}).source, ==, 1);
    g_assert_cmpuint(bt_store_claim(store, "a.jpg", (BtOwner){3, 3}).source, ==, 3);
    g_assert_cmpuint(bt_store_claim(store, "x/A.jpg", (BtOwner){4, 4}).source, ==, 4);
    put(store, "A.jpg", "large", &source);
    put(store, "a.jpg", "small", &source);
    assert_content(folder, "A.jpg", "large");
    assert_state(store, "A.jpg", &source, BT_STORE_FRESH);
    assert_state(store, "a.jpg", &source, BT_STORE_FRESH);
}

/* Where case does not count: names that were claimed before the folder was made, when nobody could
 * know, are one when the second is published; afterwards, when they are claimed. */
static void
check_folded(const char *folder)
{
    g_autofree char *output = g_build_filename(folder, "out", NULL);
    g_autoptr(BtStore) store = look_only(output, SETTINGS, 0);
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(bt_store_claim(store, "A.jpg", (BtOwner){1, 1}).source, ==, 1);
    g_assert_cmpuint(bt_store_claim(store, "a.jpg", (BtOwner){2, 2}).source, ==, 2);
    g_assert_true(bt_store_make(store, &error));
    g_assert_cmpuint(bt_store_claim(store, "B.jpg", (BtOwner){3, 3}).source, ==, 3);
    g_assert_cmpuint(bt_store_claim(store, "b.jpg", (BtOwner){4, 4}).source, ==, 3);
    put(store, "A.jpg", "first", &source);
    put(store, "A.jpg", "again", &source);
    g_assert_false(try_put(store, "a.jpg", "small", &source, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
    g_clear_error(&error);
    assert_content(output, "A.jpg", "again");
    assert_listed(output, ".blurthumb A.jpg");
    bt_store_free(store);
    /* Force replaces what others made, and not what this run has. */
    store = open_store(output, SETTINGS, BT_STORE_FORCE);
    put(store, "a.jpg", "small", &source);
    g_assert_false(try_put(store, "A.jpg", "large", &source, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
    g_clear_error(&error);
    assert_content(output, "a.jpg", "small");
    bt_store_free(store);
    store = look_only(output, SETTINGS, 0);
    g_assert_cmpuint(bt_store_claim(store, "\303\204.jpg", (BtOwner){1, 1}).source, ==, 1);
    g_assert_cmpuint(bt_store_claim(store, "\303\244.JPG", (BtOwner){2, 2}).source, ==, 1);
}

/* Times that FAT cannot keep, or keeps coarsely, do not make a result foreign. */
static void
check_odd_times(const char *folder)
{
    static const struct timespec times[] = {{0, 0},
                                            {-1, 5},
                                            {1, 500000000},
                                            {315532800, 0},
                                            {315532799, 99},
                                            {1 << 30, 999},
                                            {1700000001, 987654321},
                                            {4354819199, 0},
                                            {4354819300, 7},
                                            {INT64_C(1) << 33, 0}};
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        g_autofree char *name = g_strdup_printf("sub/%zu.jpg", i);
        struct stat odd = source;

        odd.st_mtim = times[i];
        put(store, name, "result", &odd);
        assert_state(store, name, &odd, BT_STORE_FRESH);
        put(store, name, "again", &odd);
        assert_state(store, name, &odd, BT_STORE_FRESH);
    }
}

static void
run_case(gconstpointer data)
{
    run_on_exfat(*(void (*const *)(const char *))data);
}

static const struct {
    const char *name;
    void (*check)(const char *folder);
} checks[] = {
    {"states", check_states},    {"around", check_around}, {"origin", check_origin},
    {"open", check_open_result}, {"claims", check_claims}, {"odd-times", check_odd_times},
};

static const struct {
    const char *name;
    void (*check)(const char *folder);
} exfat_checks[] = {
    {"states", check_states},    {"around", check_around}, {"origin", check_origin},
    {"open", check_open_result}, {"folded", check_folded}, {"odd-times", check_odd_times},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++)
        add_faulty_test("/store", checks[i].name, checks[i].check);
    for (size_t i = 0; i < G_N_ELEMENTS(exfat_checks); i++) {
        g_autofree char *path = g_strdup_printf("/store/exfat/%s", exfat_checks[i].name);

        g_test_add_data_func(path, &exfat_checks[i].check, run_case);
    }
    g_test_add_func("/store/attribute", test_attribute);
    return g_test_run();
}
