/* SPDX-License-Identifier: MIT */
/* The key of an output folder: made, kept, replaced, and believed. */
#include "store/results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MIXED "mixed\n"

static const struct stat source = {
    .st_mode = S_IFREG | 0644, .st_size = 77, .st_mtim = {1700000001, 120000000}};

static void
assert_key(const char *folder, const char *expected)
{
    assert_content(folder, BT_STORE_KEY_NAME, expected);
}

static void
make(const char *folder, const char *settings)
{
    bt_store_free(open_store(folder, settings, 0));
}

/* Left alone while it says the same, and "mixed" when it has said anything else. */
static void
check_says(const char *folder)
{
    g_autofree char *output = g_build_filename(folder, "new/and/deep/", NULL);
    struct stat before, after;

    bt_store_free(look_only(output, SETTINGS, 0));
    g_assert_false(g_file_test(output, G_FILE_TEST_EXISTS));
    make(output, SETTINGS);
    assert_key(output, SETTINGS);
    before = stat_of(output, BT_STORE_KEY_NAME);
    make(output, SETTINGS);
    bt_store_free(open_store(output, SETTINGS, BT_STORE_FORCE));
    after = stat_of(output, BT_STORE_KEY_NAME);
    g_assert_cmpuint(before.st_ino, ==, after.st_ino);
    g_assert_cmpint(before.st_ctim.tv_nsec, ==, after.st_ctim.tv_nsec);
    make(output, OTHER);
    assert_key(output, OTHER MIXED);
    before = stat_of(output, BT_STORE_KEY_NAME);
    make(output, OTHER);
    assert_key(output, OTHER MIXED);
    after = stat_of(output, BT_STORE_KEY_NAME);
    g_assert_cmpuint(before.st_ino, ==, after.st_ino);
    g_assert_cmpint(before.st_ctim.tv_nsec, ==, after.st_ctim.tv_nsec);
    make(output, SETTINGS);
    assert_key(output, SETTINGS MIXED);
    make(output, SETTINGS);
    assert_key(output, SETTINGS MIXED);
    assert_listed(output, ".blurthumb");
}

/* Among somebody's files it says so from the start; a temporary is nobody's. */
static void
check_among(const char *folder)
{
    g_autofree char *mine = g_build_filename(folder, "mine", NULL);
    g_autofree char *empty = g_build_filename(folder, "empty", NULL);

    scene_write(mine, "a.jpg", "mine", 4);
    make(mine, SETTINGS);
    assert_key(mine, SETTINGS MIXED);
    scene_write(empty, ".blurthumb-elsewhere.1-1-1.tmp", "", 0);
    make(empty, SETTINGS);
    assert_key(empty, SETTINGS);
}

/* What a key may look like that is ours and says something else, and what is not ours. */
static void
check_others(const char *folder)
{
    static const char *const ours[] = {"",
                                       BT_STORE_KEY_START,
                                       BT_STORE_KEY_START "1\n",
                                       BT_STORE_KEY_START "1\nsigma 16\n", /* as long */
                                       SETTINGS "\n",
                                       SETTINGS MIXED "\n",
                                       SETTINGS "mixed"};
    static const char *const foreign[] = {"x", "blurthumb", "Blurthumb 1\n", "my notes"};
    g_autofree char *path = g_build_filename(folder, BT_STORE_KEY_NAME, NULL);
    g_autoptr(BtStore) store = NULL;
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(ours); i++) {
        scene_write(folder, BT_STORE_KEY_NAME, ours[i], strlen(ours[i]));
        make(folder, SETTINGS);
        assert_key(folder, SETTINGS MIXED);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        scene_write(folder, BT_STORE_KEY_NAME, foreign[i], strlen(foreign[i]));
        store = look_only(folder, SETTINGS, 0);
        g_assert_false(bt_store_make(store, &error));
        g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
        g_clear_error(&error);
        g_clear_pointer(&store, bt_store_free);
        assert_key(folder, foreign[i]);
        bt_store_free(open_store(folder, SETTINGS, BT_STORE_FORCE));
        assert_key(folder, SETTINGS MIXED);
    }
    remove_name(folder, BT_STORE_KEY_NAME);
    g_assert_cmpint(mkfifo(path, 0666), ==, 0);
    store = look_only(folder, SETTINGS, 0);
    g_assert_false(bt_store_make(store, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
    g_assert_true(S_ISFIFO(stat_of(folder, BT_STORE_KEY_NAME).st_mode));
}

/* A result as one that was copied without attributes and without the ledger. */
static void
lose_record(const char *folder, const char *name)
{
    g_autofree char *text = scene_read(folder, name);
    g_autofree char *ledger = g_build_filename(folder, ".blurthumb-results", NULL);

    remove_name(folder, name);
    unlink(ledger);
    scene_write(folder, name, text, strlen(text));
    set_time(folder, name, source.st_mtim);
}

static void
assert_kept(const char *folder, const char *settings, BtStoreState expected)
{
    g_autoptr(BtStore) store = look_only(folder, settings, 0);

    assert_state(store, "a.jpg", &source, expected);
}

/* A result without a record is believed by its time alone where the key never said anything else.
 */
static void
check_believed(const char *folder)
{
    struct stat later = source;
    BtStore *store = open_store(folder, SETTINGS, 0);

    put(store, "a.jpg", "text", &source);
    bt_store_free(store);
    lose_record(folder, "a.jpg");
    assert_kept(folder, SETTINGS, BT_STORE_FRESH);
    assert_kept(folder, OTHER, BT_STORE_FOREIGN);
    later.st_mtim.tv_sec += 2;
    store = look_only(folder, SETTINGS, 0);
    assert_state(store, "a.jpg", &later, BT_STORE_FOREIGN);
    bt_store_free(store);
    store = look_only(folder, SETTINGS, BT_STORE_FORCE);
    assert_state(store, "a.jpg", &source, BT_STORE_FORCED);
    bt_store_free(store);
    make(folder, OTHER);
    assert_kept(folder, OTHER, BT_STORE_FOREIGN);
    make(folder, SETTINGS);
    assert_kept(folder, SETTINGS, BT_STORE_FOREIGN);
    remove_name(folder, BT_STORE_KEY_NAME);
    assert_kept(folder, SETTINGS, BT_STORE_FOREIGN);
    make(folder, SETTINGS); /* somebody's files are there now */
    assert_kept(folder, SETTINGS, BT_STORE_FOREIGN);
}

/* Whether a name can be taken only while nothing has it: FAT cannot say. */
static bool
can_take_names(const char *folder)
{
    g_autofree char *one = g_build_filename(folder, "one", NULL);
    g_autofree char *other = g_build_filename(folder, "other", NULL);
    bool can;

    scene_write(folder, "one", "x", 1);
    can = renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_NOREPLACE) == 0;
    remove_name(folder, can ? "other" : "one");
    return can;
}

/* Runs that begin at once in a folder that is not there: with the same settings none sees a mix,
 * with different ones the key says that there were others, where a first key can be told. */
static void
check_two_runs(const char *folder)
{
    bool can_tell = can_take_names(folder);

    for (int i = 0; i < 16; i++) {
        g_autofree char *output = g_strdup_printf("%s/%d", folder, i);
        bool same = i % 2 == 0;
        g_autofree char *key = NULL;

        for (int run = 0; run < 4; run++)
            if (fork() == 0) {
                make(output, same || run % 2 == 0 ? SETTINGS : OTHER);
                _exit(0);
            }
        for (int run = 0; run < 4; run++) {
            int status;

            g_assert_cmpint(wait(&status), >, 0);
            g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
        assert_listed(output, ".blurthumb");
        key = scene_read(output, BT_STORE_KEY_NAME);
        if (same)
            g_assert_cmpstr(key, ==, SETTINGS);
        else
            g_assert_true(!can_tell || g_str_has_suffix(key, "\n" MIXED));
    }
}

/* Stores that have both looked while there was none. */
static void
check_looked_before(const char *folder)
{
    g_autofree char *output = g_build_filename(folder, "out", NULL);
    g_autoptr(BtStore) one = look_only(output, SETTINGS, 0);
    g_autoptr(BtStore) same = look_only(output, SETTINGS, 0);
    g_autoptr(BtStore) other = look_only(output, OTHER, 0);
    g_autoptr(GError) error = NULL;

    g_assert_true(bt_store_make(one, &error));
    g_assert_true(bt_store_make(same, &error));
    assert_key(output, SETTINGS);
    g_assert_true(bt_store_make(other, &error));
    assert_key(output, OTHER MIXED);
}

/* The output folder itself. */
static void
check_folder(const char *folder)
{
    g_autofree char *file = g_build_filename(folder, "file", NULL);
    g_autofree char *below_file = g_build_filename(folder, "file/out", NULL);
    g_autofree char *output = g_build_filename(folder, "out", NULL);
    g_autoptr(BtStore) store = NULL;
    struct stat what;
    dev_t device = 0;
    ino_t inode = 0;

    scene_write(folder, "file", "x", 1);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(bt_store_new(i == 0 ? file : below_file, SETTINGS, 0, &error));
        g_assert_error(error, BT_ERROR_SYSTEM, ENOTDIR);
        g_assert_true(g_str_has_prefix(error->message, file));
    }
    store = look_only(output, SETTINGS, 0);
    g_assert_false(bt_store_identity(store, &device, &inode));
    bt_store_free(store);
    store = open_store(output, SETTINGS, 0);
    g_assert_true(bt_store_identity(store, &device, &inode));
    what = stat_of(folder, "out");
    g_assert_true(device == what.st_dev && inode == what.st_ino);
}

static const struct {
    const char *name;
    void (*check)(const char *folder);
} checks[] = {
    {"says", check_says},         {"among", check_among},       {"others", check_others},
    {"believed", check_believed}, {"two-runs", check_two_runs}, {"looked", check_looked_before},
    {"folder", check_folder},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++)
        add_faulty_test("/key", checks[i].name, checks[i].check);
    return g_test_run();
}
