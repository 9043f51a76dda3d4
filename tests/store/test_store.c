/* SPDX-License-Identifier: MIT */
/*
 * What is on the disk before, while and after results are published; freshness; and both under
 * faults. Every property of publishing holds for each way that a file system may leave us.
 */
#include "store/store.h"
#include "unit/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static BtStore *
open_store(const char *folder, const char *key, bool force)
{
    g_autoptr(GError) error = NULL;
    BtStore *store = bt_store_new(folder, key, force ? BT_STORE_FORCE : 0, &error);

    g_assert_no_error(error);
    return store;
}

static BtTarget *
open_target(BtStore *store, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    BtTarget *target = bt_store_open(store, name, &error);

    g_assert_no_error(error);
    g_assert_cmpint(write(bt_target_fd(target), text, strlen(text)), ==, (ssize_t)strlen(text));
    return target;
}

static void
publish(BtTarget *target, const char *name)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(bt_target_publish(target, name, &error));
    g_assert_no_error(error);
}

static void
put(BtStore *store, const char *name, const char *text)
{
    g_autoptr(BtTarget) target = open_target(store, name, text);

    publish(target, name);
}

static void
assert_content(const char *folder, const char *name, const char *expected)
{
    g_autofree char *text = scene_read(folder, name);

    g_assert_cmpstr(text, ==, expected);
}

static void
assert_listed(const char *folder, const char *expected)
{
    g_autofree char *names = scene_list(folder);

    g_assert_cmpstr(names, ==, expected);
}

static void
remove_name(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_cmpint(g_remove(path), ==, 0);
}

/* A new result and one that replaces another: nothing shows before, all of it after, and whoever
 * has the old one open goes on reading it. */
static void
check_publish(const char *folder)
{
    g_autoptr(BtStore) store = open_store(folder, "key", false);
    g_autofree char *path = g_build_filename(folder, "sub/deep/a.jpg", NULL);
    g_autofree char *sub = g_build_filename(folder, "sub/deep", NULL);
    BtTarget *target = open_target(store, "sub/deep/a.jpg", "first");
    g_auto(BtFd) reader = -1;
    char text[8] = "";

    g_assert_cmpint(g_access(path, F_OK), ==, -1);
    g_assert_cmpint(fcntl(bt_target_fd(target), F_GETFD) & FD_CLOEXEC, !=, 0);
    g_assert_cmpint(fcntl(bt_target_fd(target), F_GETFL) & O_ACCMODE, ==, O_RDWR);
    publish(target, "sub/deep/a.jpg");
    assert_listed(sub, "a.jpg");
    assert_content(folder, "sub/deep/a.jpg", "first");
    bt_target_free(target);
    assert_listed(sub, "a.jpg");
    reader = open(path, O_RDONLY | O_CLOEXEC);
    target = open_target(store, "sub/deep/a.jpg", "second");
    assert_content(folder, "sub/deep/a.jpg", "first");
    publish(target, "sub/deep/a.jpg");
    bt_target_free(target);
    assert_listed(sub, "a.jpg");
    assert_content(folder, "sub/deep/a.jpg", "second");
    g_assert_cmpint(read(reader, text, sizeof text), ==, 5);
    g_assert_cmpstr(text, ==, "first");
}

/* A target that is given up leaves nothing, and the old result as it was. */
static void
check_given_up(const char *folder)
{
    g_autoptr(BtStore) store = open_store(folder, "key", false);

    put(store, "a.jpg", "old");
    bt_target_free(open_target(store, "a.jpg", "new"));
    bt_target_free(open_target(store, "b.jpg", "new"));
    assert_listed(folder, ".blurthumb a.jpg");
    assert_content(folder, "a.jpg", "old");
}

/* A publish that fails is an error, and leaves what was there, and nothing else. */
static void
check_failures(const char *folder)
{
    g_autofree char *fifo = g_build_filename(folder, "fifo.jpg", NULL);
    g_autofree char *long_name = g_strnfill(256, 'x');
    const char *const names[] = {"folder.jpg", "fifo.jpg", "empty.jpg", long_name};
    g_autoptr(BtStore) store = open_store(folder, "key", false);

    scene_write(folder, "folder.jpg/inside", "x", 1);
    g_assert_cmpint(mkfifo(fifo, 0666), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        bool empty = strcmp(names[i], "empty.jpg") == 0;
        g_autoptr(BtTarget) target = open_target(store, names[i], empty ? "" : "text");
        g_autoptr(GError) error = NULL;

        g_assert_false(bt_target_publish(target, names[i], &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, names[i]));
    }
    assert_listed(folder, ".blurthumb fifo.jpg folder.jpg");
    assert_content(folder, "folder.jpg/inside", "x");
}

/* Names up to what a file system takes, though a temporary's name is longer than most; names of any
 * bytes; and a result under another name of the folder than it was opened for. */
static void
check_names(const char *folder)
{
    static const char *const names[] = {"a b", "\xff\n", "-rf", "a]", "%s", "sub/.x.jpg"};
    g_autoptr(BtStore) store = open_store(folder, "key", false);
    g_autofree char *long_name = g_strnfill(255, 'x');
    BtTarget *target;

    for (int i = 0; i < 2; i++) {
        put(store, long_name, "long");
        assert_content(folder, long_name, "long");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        put(store, names[i], names[i]);
        assert_content(folder, names[i], names[i]);
    }
    target = open_target(store, "other/a.jp2.jpg", "alpha");
    publish(target, "other/a.jp2.png");
    bt_target_free(target);
    assert_content(folder, "other/a.jp2.png", "alpha");
}

/* Many targets at once, in several folders, published in another order, after the store has gone.
 */
static void
check_many(const char *folder)
{
    enum {
        N = 40
    };
    BtStore *store = open_store(folder, "key", false);
    BtTarget *targets[N];

    for (int i = 0; i < N; i++) {
        g_autofree char *name = g_strdup_printf("%d/%d.jpg", i % 3, i);

        targets[i] = open_target(store, name, name);
    }
    bt_store_free(store);
    for (int i = N - 1; i >= 0; i--) {
        g_autofree char *name = g_strdup_printf("%d/%d.jpg", i % 3, i);

        publish(targets[i], name);
        bt_target_free(targets[i]);
        assert_content(folder, name, name);
    }
}

/* A link under a final name is replaced; what it points to is not touched. A link to a folder is
 * not followed. */
static void
check_links(const char *folder)
{
    g_autofree char *link = g_build_filename(folder, "out/a.jpg", NULL);
    g_autofree char *folder_link = g_build_filename(folder, "out/sub", NULL);
    g_autofree char *output = g_build_filename(folder, "out", NULL);
    g_autofree char *output_link = g_build_filename(folder, "link", NULL);
    g_autoptr(BtStore) store = open_store(output, "key", false);
    g_autoptr(BtStore) linked = NULL;
    g_autoptr(GError) error = NULL;

    scene_write(folder, "precious.jpg", "precious", 8);
    g_assert_cmpint(symlink("../precious.jpg", link), ==, 0);
    g_assert_cmpint(symlink("..", folder_link), ==, 0);
    g_assert_cmpint(symlink("out", output_link), ==, 0);
    put(store, "a.jpg", "result");
    assert_content(folder, "precious.jpg", "precious");
    assert_content(output, "a.jpg", "result");
    g_assert_false(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
    g_assert_null(bt_store_open(store, "sub/precious.jpg", &error));
    g_assert_error(error, BT_ERROR_SYSTEM, ELOOP);
    linked = open_store(output_link, "key", false);
    put(linked, "b.jpg", "through the link");
    assert_content(output, "b.jpg", "through the link");
}

static void
check_modes(const char *folder)
{
    static const mode_t masks[] = {0, 022, 077};

    for (size_t i = 0; i < G_N_ELEMENTS(masks); i++) {
        g_autofree char *output = g_strdup_printf("%s/%zu/new", folder, i);
        g_autofree char *sub = g_build_filename(output, "sub", NULL);
        g_autofree char *result = g_build_filename(sub, "a.jpg", NULL);
        g_autofree char *key = g_build_filename(output, BT_STORE_KEY_NAME, NULL);
        mode_t before = umask(masks[i]);
        g_autoptr(BtStore) store = open_store(output, "key", false);
        struct stat file;

        for (int round = 0; round < 2; round++) {
            put(store, "sub/a.jpg", "x");
            g_assert_cmpint(stat(result, &file), ==, 0);
            g_assert_cmpuint(file.st_mode, ==, S_IFREG | (0666 & ~masks[i]));
            g_assert_cmpuint(file.st_nlink, ==, 1);
        }
        g_assert_cmpint(stat(sub, &file), ==, 0);
        g_assert_cmpuint(file.st_mode, ==, S_IFDIR | (0777 & ~masks[i]));
        g_assert_cmpint(stat(key, &file), ==, 0);
        g_assert_cmpuint(file.st_mode, ==, S_IFREG | (0666 & ~masks[i]));
        umask(before);
    }
}

/* A process that is killed with targets open leaves nothing under a final name, and what it leaves
 * under temporary ones the next run takes away: in each folder that it comes to. The temporaries of
 * a living process, and of another host, stay. */
static void
check_killed(const char *folder)
{
    g_autofree char *sub = g_build_filename(folder, "sub", NULL);
    pid_t child = fork();
    int status;

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        BtStore *store = open_store(folder, "key", false);

        put(store, "whole.jpg", "whole");
        open_target(store, "half.jpg", "half");
        open_target(store, "whole.jpg", "half");
        open_target(store, "sub/half.jpg", "half");
        kill(getpid(), SIGKILL);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
    assert_content(folder, "whole.jpg", "whole");
    scene_write(folder, ".blurthumb-elsewhere.1-1-1.tmp", "x", 1);
    {
        g_autoptr(BtStore) store = open_store(folder, "key", false);
        g_autoptr(BtTarget) living = open_target(store, "b.jpg", "b");
        g_autoptr(BtStore) other = open_store(folder, "key", false);

        bt_target_free(open_target(other, "sub/a.jpg", "a"));
        bt_target_free(open_target(other, "c.jpg", "c"));
        publish(living, "b.jpg");
    }
    assert_listed(folder, ".blurthumb .blurthumb-elsewhere.1-1-1.tmp b.jpg sub whole.jpg");
    assert_listed(sub, "");
}

typedef void (*Check)(const char *folder);

/* The kernel's numbers: O_TMPFILE and O_NOFOLLOW are made of several bits or differ by machine. */
#define NAMELESS_BIT (O_TMPFILE & ~O_DIRECTORY)

static void
refuse_nothing(void)
{
}

static void
refuse_tmpfile(void)
{
    scene_refuse(SYS_openat, 2, NAMELESS_BIT, EOPNOTSUPP);
}

/* As on kernels before 6.10 without privileges: only the way through /proc is left. */
static void
refuse_empty_path(void)
{
    scene_refuse(SYS_linkat, 4, AT_EMPTY_PATH, ENOENT);
}

/* As a file system that has nameless files but no hard links. */
static void
refuse_links(void)
{
    scene_refuse(SYS_linkat, 0, 0, EPERM);
}

static const struct {
    const char *name;
    void (*refuse)(void);
    bool nameless; /* whether targets have no name before they are published */
} faults[] = {
    {"linkat", refuse_nothing, true},
    {"no-tmpfile", refuse_tmpfile, false},
    {"proc", refuse_empty_path, true},
    {"no-links", refuse_links, false},
};

typedef struct Case {
    Check check;
    size_t fault;
} Case;

static Case chosen;

static void
run_chosen(const char *folder)
{
    faults[chosen.fault].refuse();
    chosen.check(folder);
}

static void
test_case(gconstpointer data)
{
    g_autoptr(Scene) folder = scene_new();

    chosen = *(const Case *)data;
    if (!scene_run(run_chosen, folder))
        g_test_skip("no system call can be refused here");
}

/* The name of the one temporary in a folder that holds nothing else but the key. Owned (g_free). */
static char *
only_temporary(const char *folder)
{
    g_autofree char *names = scene_list(folder);

    g_assert_true(g_str_has_prefix(names, ".blurthumb .blurthumb-"));
    g_assert_true(g_str_has_suffix(names, ".tmp"));
    return g_strdup(names + strlen(".blurthumb "));
}

/* Which way was taken: a target has a name before its time only where there is no other way. */
static void
check_way(const char *folder)
{
    g_autoptr(BtStore) store = open_store(folder, "key", false);
    BtTarget *target = open_target(store, "a.jpg", "x");

    if (faults[chosen.fault].nameless)
        assert_listed(folder, ".blurthumb");
    else
        g_free(only_temporary(folder));
    bt_target_free(target);
}

/* A temporary of somebody else's living process, which may not be signalled, stays. */
static void
check_foreign(const char *folder)
{
    g_autofree char *own = NULL, *mine = NULL, *theirs = NULL;
    g_autoptr(GString) name = NULL;
    BtTarget *target;
    BtStore *store;

    if (geteuid() == 0 && (chmod(folder, 0777) < 0 || setuid(65534) < 0))
        scene_skip();
    refuse_tmpfile();
    store = open_store(folder, "key", false);
    target = open_target(store, "a.jpg", "x");
    own = only_temporary(folder);
    bt_target_free(target);
    bt_store_free(store);
    mine = g_strdup_printf("-%d-", (int)getpid());
    name = g_string_new(own);
    g_assert_cmpuint(g_string_replace(name, mine, "-1-", 0), ==, 1);
    scene_write(folder, name->str, "x", 1);
    store = open_store(folder, "key", false);
    bt_target_free(open_target(store, "a.jpg", "x"));
    bt_store_free(store);
    theirs = only_temporary(folder);
    g_assert_cmpstr(theirs, ==, name->str);
}

static void
test_foreign(void)
{
    g_autoptr(Scene) folder = scene_new();

    if (!scene_run(check_foreign, folder))
        g_test_skip("no system call can be refused here");
}

static const struct {
    const char *name;
    Check check;
} checks[] = {
    {"publish", check_publish}, {"given-up", check_given_up}, {"failures", check_failures},
    {"names", check_names},     {"many", check_many},         {"links", check_links},
    {"modes", check_modes},     {"killed", check_killed},     {"way", check_way},
};

/* A disk that is full says so, as ENOSPC, wherever it is met, and the old result stays. */
static void
check_full(const char *folder)
{
    g_autoptr(BtStore) store = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *filler = g_malloc0(4096);
    g_autoptr(BtTarget) target = NULL;
    g_auto(BtFd) fd = -1;
    g_autofree char *path = g_build_filename(folder, "filler", NULL);

    if (!scene_mount(folder, "tmpfs", "size=256k"))
        scene_skip();
    store = open_store(folder, "key", false);
    put(store, "a.jpg", "old");
    g_assert_cmpint(fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666), >=, 0);
    while (write(fd, filler, 4096) == 4096)
        ;
    g_assert_cmpint(errno, ==, ENOSPC);
    target = bt_store_open(store, "a.jpg", &error);
    g_assert_no_error(error);
    g_assert_cmpint(write(bt_target_fd(target), filler, 4096), ==, -1);
    g_assert_false(bt_target_publish(target, "a.jpg", &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_clear_pointer(&target, bt_target_free);
    assert_content(folder, "a.jpg", "old");
    assert_listed(folder, ".blurthumb a.jpg filler");
    g_clear_pointer(&store, bt_store_free);
    g_assert_null(bt_store_new(folder, "other key", 0, &error));
    g_assert_error(error, BT_ERROR_SYSTEM, ENOSPC);
    assert_content(folder, BT_STORE_KEY_NAME, "key");
    assert_listed(folder, ".blurthumb a.jpg filler");
}

static void
test_full(void)
{
    g_autoptr(Scene) folder = scene_new();

    if (!scene_run(check_full, folder))
        g_test_skip("needs root to mount a small file system");
}

static struct stat
stat_of(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat what;

    g_assert_cmpint(lstat(path, &what), ==, 0);
    return what;
}

/* Lets the clock of the file system move: what changes from here on is later than all before. */
static void
let_clock_move(const char *folder)
{
    struct stat before, now;

    scene_write(folder, "tick", "", 0);
    before = stat_of(folder, "tick");
    do {
        g_usleep(1000);
        scene_write(folder, "tick", "", 0);
        remove_name(folder, "tick");
        scene_write(folder, "tick", "", 0);
        now = stat_of(folder, "tick");
    } while (now.st_ctim.tv_sec == before.st_ctim.tv_sec &&
             now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

static void
assert_state(BtStore *store, const char *folder, BtStoreState expected)
{
    struct stat source = stat_of(folder, "source.jpg");

    g_assert_cmpint(bt_store_look(store, "sub/source.jpg", &source, NULL), ==, expected);
}

/* A result is looked for where it lies, whatever was looked for before: in folders that are not
 * there yet, that begin alike, and in any order. */
static void
test_look_around(void)
{
    static const char *const names[] = {"a.jpg",     "x/a.jpg", "xy/a.jpg",
                                        "x/y/a.jpg", "x/b.jpg", "x/xy/a.jpg"};
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtStore) store = open_store(folder, "key", false);
    struct stat source = stat_of(folder, BT_STORE_KEY_NAME);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_cmpint(bt_store_look(store, names[i], &source, NULL), ==, BT_STORE_NEW);
        put(store, names[i], names[i]);
        for (size_t j = G_N_ELEMENTS(names); j-- > 0;)
            g_assert_cmpint(bt_store_look(store, names[j], &source, NULL), ==,
                            j <= i ? BT_STORE_FRESH : BT_STORE_NEW);
    }
}

/* The truth table of freshness. */
static void
test_freshness(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *output = g_build_filename(folder, "out", NULL);
    g_autofree char *source = g_build_filename(folder, "source.jpg", NULL);
    g_autofree char *older = g_build_filename(folder, "older.jpg", NULL);
    g_autofree char *result = g_build_filename(output, "sub/source.jpg", NULL);
    struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    BtStore *store;

    scene_write(folder, "older.jpg", "older", 5);
    scene_write(folder, "source.jpg", "source", 6);
    let_clock_move(folder);
    store = open_store(output, "key", false);
    assert_state(store, folder, BT_STORE_NEW);
    put(store, "sub/source.jpg", "result");
    assert_state(store, folder, BT_STORE_FRESH);
    /* A result may carry its source's date: the modification time does not count. */
    g_assert_cmpint(utimensat(AT_FDCWD, result, past, 0), ==, 0);
    assert_state(store, folder, BT_STORE_FRESH);

    /* A source that is touched, backwards even, or has an older file renamed over it. */
    let_clock_move(folder);
    g_assert_cmpint(utimensat(AT_FDCWD, source, past, 0), ==, 0);
    assert_state(store, folder, BT_STORE_CHANGED);
    let_clock_move(folder);
    put(store, "sub/source.jpg", "result");
    assert_state(store, folder, BT_STORE_FRESH);
    let_clock_move(folder);
    g_assert_cmpint(utimensat(AT_FDCWD, older, past, 0), ==, 0);
    g_assert_cmpint(rename(older, source), ==, 0);
    assert_state(store, folder, BT_STORE_CHANGED);
    let_clock_move(folder);
    put(store, "sub/source.jpg", "result");
    assert_state(store, folder, BT_STORE_FRESH);

    /* The same settings, others, and the first again. */
    bt_store_free(store);
    store = open_store(output, "key", false);
    assert_state(store, folder, BT_STORE_FRESH);
    bt_store_free(store);
    store = open_store(output, "key 2", false);
    assert_state(store, folder, BT_STORE_SETTINGS);
    put(store, "sub/source.jpg", "result");
    assert_state(store, folder, BT_STORE_FRESH);
    bt_store_free(store);
    store = open_store(output, "key", false);
    assert_state(store, folder, BT_STORE_SETTINGS);
    put(store, "sub/source.jpg", "result");
    bt_store_free(store);

    store = open_store(output, "key", true);
    assert_state(store, folder, BT_STORE_FORCED);
    bt_store_free(store);
    store = open_store(output, "key", false);
    assert_state(store, folder, BT_STORE_FRESH);

    /* What is there and is no whole result is never fresh. */
    scene_write(output, "sub/source.jpg", "", 0);
    assert_state(store, folder, BT_STORE_BROKEN);
    remove_name(output, "sub/source.jpg");
    assert_state(store, folder, BT_STORE_NEW);
    g_assert_cmpint(symlink("../../source.jpg", result), ==, 0);
    assert_state(store, folder, BT_STORE_BROKEN);
    bt_store_free(store);
}

/* A look changes nothing, and finds nothing wrong with a folder that is not there. */
static void
test_look_alone(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *output = g_build_filename(folder, "out", NULL);
    g_autoptr(GError) error = NULL;
    struct stat result = {0};
    BtStore *store;

    scene_write(folder, "source.jpg", "source", 6);
    store = bt_store_new(output, "key", BT_STORE_LOOK, &error);
    g_assert_no_error(error);
    assert_state(store, folder, BT_STORE_NEW);
    g_assert_false(bt_store_folds_case(store));
    bt_store_free(store);
    g_assert_false(g_file_test(output, G_FILE_TEST_EXISTS));

    store = open_store(output, "key", false);
    put(store, "sub/source.jpg", "result");
    bt_store_free(store);
    store = bt_store_new(output, "key", BT_STORE_LOOK, &error);
    assert_state(store, folder, BT_STORE_FRESH);
    {
        struct stat source = stat_of(folder, "source.jpg");
        g_auto(BtFd) fd = bt_store_open_result(store, "sub/source.jpg", &error);
        g_auto(BtFd) none = -1;

        g_assert_cmpint(bt_store_look(store, "sub/source.jpg", &source, &result), ==,
                        BT_STORE_FRESH);
        g_assert_cmpint(result.st_size, ==, 6);
        g_assert_no_error(error);
        g_assert_cmpint(fd, >=, 0);
        none = bt_store_open_result(store, "sub/other.jpg", &error);
        g_assert_cmpint(none, ==, -1);
        g_assert_error(error, BT_ERROR_SYSTEM, ENOENT);
        g_clear_error(&error);
    }
    bt_store_free(store);
    store = bt_store_new(output, "other", BT_STORE_LOOK, &error);
    assert_state(store, folder, BT_STORE_SETTINGS);
    bt_store_free(store);
    store = bt_store_new(output, "key", BT_STORE_LOOK, &error);
    assert_state(store, folder, BT_STORE_FRESH);
    bt_store_free(store);
}

/* A result may show another time than that of its making; it is fresh all the same. */
static void
test_time(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtStore) store = NULL;
    g_autoptr(BtTarget) target = NULL;
    g_autoptr(GError) error = NULL;
    struct timespec then = {.tv_sec = 1000000000, .tv_nsec = 5000};
    struct stat result;

    scene_write(folder, "source.jpg", "source", 6);
    let_clock_move(folder);
    store = open_store(folder, "key", false);
    target = bt_store_open(store, "sub/source.jpg", &error);
    g_assert_cmpint(write(bt_target_fd(target), "x", 1), ==, 1);
    bt_target_set_time(target, then);
    g_assert_true(bt_target_publish(target, "sub/source.jpg", &error));
    result = stat_of(folder, "sub/source.jpg");
    g_assert_cmpint(result.st_mtim.tv_sec, ==, then.tv_sec);
    assert_state(store, folder, BT_STORE_FRESH);
}

/* The result that is published first in a run is later than the key that this run has written. */
static void
check_key_is_earlier(const char *folder)
{
    for (int i = 0; i < 30; i++) {
        g_autofree char *key = g_strdup_printf("%d", i);
        g_autoptr(BtStore) store = open_store(folder, key, false);
        struct stat written = stat_of(folder, BT_STORE_KEY_NAME);

        put(store, "a.jpg", "x");
        g_assert_cmpint(bt_store_look(store, "a.jpg", &written, NULL), ==, BT_STORE_FRESH);
    }
}

static void
test_key_is_earlier(void)
{
    g_autoptr(Scene) folder = scene_new();

    check_key_is_earlier(folder);
}

/* The same where times have the kernel's clock tick: on newer kernels disks have finer ones. */
static void
check_coarse_times(const char *folder)
{
    if (!scene_mount(folder, "ramfs", NULL))
        scene_skip();
    check_key_is_earlier(folder);
}

static void
test_coarse_times(void)
{
    g_autoptr(Scene) folder = scene_new();

    if (!scene_run(check_coarse_times, folder))
        g_test_skip("needs root to mount a file system");
}

/* The key file is left alone while it says the same, byte for byte, and is replaced else. */
static void
test_key_file(void)
{
    static const char *const others[] = {"", "ke", "key ", "Key", "key\nkey"};
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *path = g_build_filename(folder, BT_STORE_KEY_NAME, NULL);
    g_autoptr(GError) error = NULL;
    struct stat before, after;

    bt_store_free(open_store(folder, "key", false));
    before = stat_of(folder, BT_STORE_KEY_NAME);
    let_clock_move(folder);
    bt_store_free(open_store(folder, "key", false));
    bt_store_free(open_store(folder, "key", true));
    after = stat_of(folder, BT_STORE_KEY_NAME);
    g_assert_cmpuint(before.st_ino, ==, after.st_ino);
    g_assert_cmpint(before.st_ctim.tv_nsec, ==, after.st_ctim.tv_nsec);
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        scene_write(folder, BT_STORE_KEY_NAME, others[i], strlen(others[i]));
        bt_store_free(open_store(folder, "key", false));
        assert_content(folder, BT_STORE_KEY_NAME, "key");
    }
    remove_name(folder, BT_STORE_KEY_NAME);
    g_assert_cmpint(mkfifo(path, 0666), ==, 0);
    g_assert_null(bt_store_new(folder, "key", 0, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
}

static void
test_output_folder(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *file = g_build_filename(folder, "file", NULL);
    g_autofree char *below_file = g_build_filename(folder, "file/out", NULL);
    g_autofree char *deep = g_build_filename(folder, "new/and/deep/", NULL);
    g_autoptr(BtStore) store = NULL;
    struct stat what;
    dev_t device;
    ino_t inode;

    scene_write(folder, "file", "x", 1);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(bt_store_new(i == 0 ? file : below_file, "key", 0, &error));
        g_assert_error(error, BT_ERROR_SYSTEM, ENOTDIR);
        g_assert_true(g_str_has_prefix(error->message, file));
    }
    store = open_store(deep, "key", false);
    bt_store_identity(store, &device, &inode);
    g_assert_cmpint(stat(deep, &what), ==, 0);
    g_assert_true(device == what.st_dev && inode == what.st_ino);
}

/* Several processes, one folder, the same names: each name holds one whole result in the end, each
 * reader ever sees a whole one, and nothing else is left. */
static void
test_concurrent_runs(void)
{
    enum {
        RUNS = 4,
        ROUNDS = 60,
        NAMES = 3
    };
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *sub = g_build_filename(folder, "sub", NULL);

    for (int run = 0; run < RUNS; run++) {
        pid_t child = fork();

        g_assert_cmpint(child, >=, 0);
        if (child == 0) {
            g_autofree char *text = g_strnfill(10000, (char)('a' + run));
            BtStore *store = open_store(folder, "key", false);

            for (int i = 0; i < ROUNDS; i++) {
                g_autofree char *name = g_strdup_printf("sub/%d.jpg", i % NAMES);
                g_autofree char *seen = NULL;

                put(store, name, text);
                seen = scene_read(folder, name);
                g_assert_cmpuint(strspn(seen, (char[]){seen[0], '\0'}), ==, 10000);
            }
            _exit(0);
        }
    }
    for (int run = 0; run < RUNS; run++) {
        int status;

        g_assert_cmpint(wait(&status), >, 0);
        g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_listed(sub, "0.jpg 1.jpg 2.jpg");
    assert_listed(folder, ".blurthumb sub");
}

/* No descriptor is left, whatever was done. */
static void
test_descriptors(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *before = scene_list("/proc/self/fd");
    g_autofree char *after = NULL;

    check_publish(folder);
    check_many(folder);
    after = scene_list("/proc/self/fd");
    g_assert_cmpstr(before, ==, after);
}

int
main(int argc, char **argv)
{
    static Case cases[G_N_ELEMENTS(faults) * G_N_ELEMENTS(checks)];
    Case *next = cases;

    g_test_init(&argc, &argv, NULL);
    for (size_t f = 0; f < G_N_ELEMENTS(faults); f++)
        for (size_t c = 0; c < G_N_ELEMENTS(checks); c++) {
            g_autofree char *path = g_strdup_printf("/store/%s/%s", faults[f].name, checks[c].name);

            *next = (Case){.check = checks[c].check, .fault = f};
            g_test_add_data_func(path, next++, test_case);
        }
    g_test_add_func("/store/full", test_full);
    g_test_add_func("/store/look-around", test_look_around);
    g_test_add_func("/store/freshness", test_freshness);
    g_test_add_func("/store/look-alone", test_look_alone);
    g_test_add_func("/store/time", test_time);
    g_test_add_func("/store/key-is-earlier", test_key_is_earlier);
    g_test_add_func("/store/coarse-times", test_coarse_times);
    g_test_add_func("/store/foreign", test_foreign);
    g_test_add_func("/store/key-file", test_key_file);
    g_test_add_func("/store/output-folder", test_output_folder);
    g_test_add_func("/store/concurrent-runs", test_concurrent_runs);
    g_test_add_func("/store/descriptors", test_descriptors);
    return g_test_run();
}
