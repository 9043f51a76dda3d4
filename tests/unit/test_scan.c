/* SPDX-License-Identifier: MIT */
/* What the scan makes of real trees: every one of its sources, problems and counts. */
#include "base/hash.h"
#include "scan/scan.h"
#include "unit/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#define JPEG "\xff\xd8\xff\xe0 and so on"

typedef struct Found {
    GPtrArray *sources;  /* BtSource, in order */
    GPtrArray *problems; /* sentences, in order */
    GPtrArray *notices;  /* the same */
    uint64_t n_ignored;
} Found;

static void
free_source(gpointer source)
{
    bt_source_free(source);
}

static void
clear_found(Found *found)
{
    g_ptr_array_unref(found->sources);
    g_ptr_array_unref(found->problems);
    g_ptr_array_unref(found->notices);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, clear_found)

static Found
run_scan(BtScan *scan)
{
    Found found = {
        .sources = g_ptr_array_new_with_free_func(free_source),
        .problems = g_ptr_array_new_with_free_func(g_free),
        .notices = g_ptr_array_new_with_free_func(g_free),
    };

    for (;;) {
        g_autoptr(GError) error = NULL;
        BtSource *source = NULL;

        switch (bt_scan_next(scan, &source, &error)) {
        case BT_SCAN_SOURCE:
            g_ptr_array_add(found.sources, source);
            break;
        case BT_SCAN_PROBLEM:
            g_ptr_array_add(found.problems, g_strdup(error->message));
            break;
        case BT_SCAN_NOTICE:
            g_ptr_array_add(found.notices, g_strdup(error->message));
            break;
        case BT_SCAN_IGNORED:
            found.n_ignored++;
            g_assert_no_error(error);
            break;
        case BT_SCAN_MORE:
            g_assert_no_error(error);
            break;
        case BT_SCAN_END:
            return found;
        }
    }
}

static const BtSource *
nth(const Found *found, guint i)
{
    g_assert_cmpuint(i, <, found->sources->len);
    return g_ptr_array_index(found->sources, i);
}

static int
compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The paths that a scan of `roots` finds, sorted and joined by "|". */
static char *
scan_paths(const char *const *roots)
{
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    g_auto(Found) found = {0};

    for (; *roots != NULL; roots++)
        bt_scan_add(scan, *roots);
    found = run_scan(scan);
    g_assert_cmpuint(found.problems->len, ==, 0);
    for (guint i = 0; i < found.sources->len; i++)
        g_ptr_array_add(paths, nth(&found, i)->path);
    g_ptr_array_sort(paths, compare);
    g_ptr_array_add(paths, NULL);
    return g_strjoinv("|", (char **)paths->pdata);
}

static void
assert_paths(const char *root, const char *expected)
{
    const char *const roots[] = {root, NULL};
    g_autofree char *paths = scan_paths(roots);

    g_assert_cmpstr(paths, ==, expected);
}

static void
write_jpeg(const char *folder, const char *name)
{
    scene_write(folder, name, JPEG, strlen(JPEG));
}

static void
enter(const char *folder)
{
    g_assert_cmpint(chdir(folder), ==, 0);
}

/* How a PATH is written decides how its sources are called, and nothing else. */
static void
check_spelling(const char *folder)
{
    write_jpeg(folder, "photos/a.jpg");
    write_jpeg(folder, "photos/sub/b.jpg");
    write_jpeg(folder, ".hidden/c.jpg");
    enter(folder);
    g_assert_cmpint(symlink("photos", "link"), ==, 0);
    assert_paths("photos", "photos/a.jpg|photos/sub/b.jpg");
    assert_paths("photos///", "photos/a.jpg|photos/sub/b.jpg");
    assert_paths("./photos", "./photos/a.jpg|./photos/sub/b.jpg");
    assert_paths("link", "link/a.jpg|link/sub/b.jpg");
    assert_paths(".hidden", ".hidden/c.jpg");
    assert_paths(".", "photos/a.jpg|photos/sub/b.jpg");
    assert_paths("./", "photos/a.jpg|photos/sub/b.jpg");
    assert_paths("photos/sub/../a.jpg", "photos/sub/../a.jpg");
    enter("photos/sub");
    assert_paths(".", "b.jpg");
    assert_paths("..", "../a.jpg|../sub/b.jpg");
}

/* "/" needs a root of its own. */
static void
check_root(const char *folder)
{
    write_jpeg(folder, "top/a.jpg");
    if (chroot(folder) < 0)
        scene_skip();
    enter("/");
    assert_paths("/", "/top/a.jpg");
    assert_paths("//", "/top/a.jpg");
}

static void
test_child(gconstpointer check)
{
    g_autoptr(Scene) folder = scene_new();

    if (!scene_run(*(void (*const *)(const char *))check, folder))
        g_test_skip("needs root");
}

static void
test_kinds(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *fifo = g_build_filename(folder, "pipe.jpg", NULL);
    g_autofree char *quiet_fifo = g_build_filename(folder, "pipe", NULL);
    g_autofree char *link = g_build_filename(folder, "link.jpg", NULL);
    g_autofree char *loop = g_build_filename(folder, "loop", NULL);
    g_autofree char *expected = g_strconcat(fifo, " is not a regular file", NULL);
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_auto(Found) found = {0};

    write_jpeg(folder, "a.JPG");
    scene_write(folder, "liar.png", "text", 4);
    scene_write(folder, "empty.gif", "", 0);
    write_jpeg(folder, "no extension");
    write_jpeg(folder, "odd.xyz");
    scene_write(folder, "text", "text", 4);
    scene_write(folder, "notes.txt", "", 0);
    scene_write(folder, "raw.x3f", "II*\0 camera raw", 15);
    scene_write(folder, "scan.tif", "II*\0 a real one", 15);
    write_jpeg(folder, ".hidden.jpg");
    write_jpeg(folder, ".cache/b.jpg");
    g_assert_cmpint(symlink("a.JPG", link), ==, 0);
    g_assert_cmpint(symlink(".", loop), ==, 0);
    g_assert_cmpint(mkfifo(fifo, 0666), ==, 0);
    g_assert_cmpint(mkfifo(quiet_fifo, 0666), ==, 0);
    bt_scan_add(scan, folder);
    found = run_scan(scan);
    for (guint i = 0; i < found.sources->len; i++) {
        const BtSource *source = nth(&found, i);

        g_hash_table_add(names, (gpointer)(guintptr)source->name);
        g_assert_cmpint(source->format, ==, bt_format_of_extension(source->name));
        g_assert_true(S_ISREG(source->stat.st_mode));
        g_assert_cmpint(source->root, ==, 0);
    }
    g_assert_cmpuint(g_hash_table_size(names), ==, 6);
    g_assert_true(g_hash_table_contains(names, "a.JPG"));
    g_assert_true(g_hash_table_contains(names, "liar.png"));
    g_assert_true(g_hash_table_contains(names, "empty.gif"));
    g_assert_true(g_hash_table_contains(names, "no extension"));
    g_assert_true(g_hash_table_contains(names, "odd.xyz"));
    g_assert_true(g_hash_table_contains(names, "scan.tif"));
    g_assert_cmpuint(found.problems->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(found.problems, 0), ==, expected);
    /* Two that are hidden, two links; text, notes, raw, pipe. */
    g_assert_cmpuint(found.n_ignored, ==, 2 + 2 + 4);
}

/* Looking at the bytes of a file leaves its access time as it was. */
static void
test_access_time(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *path = g_build_filename(folder, "photo", NULL);
    struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 2000000}};
    g_auto(Found) found = {0};
    struct stat after;

    write_jpeg(folder, "photo");
    g_assert_cmpint(utimensat(AT_FDCWD, path, old, 0), ==, 0);
    bt_scan_add(scan, folder);
    found = run_scan(scan);
    g_assert_cmpuint(found.sources->len, ==, 1);
    g_assert_cmpint(stat(path, &after), ==, 0);
    g_assert_cmpint(after.st_atime, ==, 1000000);
}

static void
test_roots(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *missing = g_build_filename(folder, "missing.jpg", NULL);
    g_autofree char *fifo = g_build_filename(folder, "pipe.jpg", NULL);
    g_autofree char *file = g_build_filename(folder, ".odd name]", NULL);
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    g_autofree char *file_slash = g_strconcat(file, "/", NULL);
    g_autofree char *too_long = g_strnfill(PATH_MAX + 1, 'x');
    g_auto(Found) found = {0};

    scene_write(folder, ".odd name]", JPEG, strlen(JPEG));
    g_assert_cmpint(mkfifo(fifo, 0666), ==, 0);
    g_assert_cmpint(symlink(".odd name]", link), ==, 0);
    bt_scan_add(scan, missing);
    bt_scan_add(scan, file);
    bt_scan_add(scan, fifo);
    bt_scan_add(scan, link);
    bt_scan_add(scan, file_slash);
    bt_scan_add(scan, too_long);
    bt_scan_add(scan, "");
    found = run_scan(scan);
    g_assert_cmpuint(found.sources->len, ==, 2);
    g_assert_cmpstr(nth(&found, 0)->path, ==, file);
    g_assert_cmpstr(nth(&found, 0)->name, ==, ".odd name]");
    g_assert_cmpint(nth(&found, 0)->root, ==, 1);
    g_assert_cmpint(nth(&found, 0)->format, ==, BT_FORMAT_NONE);
    g_assert_cmpstr(nth(&found, 1)->name, ==, "link");
    g_assert_true(S_ISREG(nth(&found, 1)->stat.st_mode));
    g_assert_cmpuint(found.problems->len, ==, 5);
    g_assert_true(g_str_has_prefix(g_ptr_array_index(found.problems, 0), missing));
    g_assert_true(g_str_has_prefix(g_ptr_array_index(found.problems, 1), fifo));
}

/* Tells a scan to keep out of a folder. */
static void
skip(BtScan *scan, const char *folder)
{
    struct stat what;

    g_assert_cmpint(stat(folder, &what), ==, 0);
    bt_scan_skip_folder(scan, what.st_dev, what.st_ino);
}

/* The output folder is kept out of, below a root, as a root, and as a link; what lies in it and is
 * given as a PATH could be overwritten by a result, and is a problem. */
static void
test_skipped(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *output = g_build_filename(folder, "processed", NULL);
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    g_autofree char *result = g_build_filename(output, "a.jpg", NULL);
    g_autofree char *file_link = g_build_filename(folder, "link.jpg", NULL);
    g_autofree char *below = g_build_filename(output, "sub", NULL);
    g_autofree char *file_below = g_build_filename(output, "sub/b.jpg", NULL);
    g_auto(Found) found = {0};

    write_jpeg(folder, "a.jpg");
    write_jpeg(folder, "processed/a.jpg");
    write_jpeg(folder, "processed/sub/b.jpg");
    g_assert_cmpint(symlink("processed", link), ==, 0);
    g_assert_cmpint(symlink("processed/a.jpg", file_link), ==, 0);
    skip(scan, output);
    bt_scan_add(scan, folder);
    bt_scan_add(scan, output);
    bt_scan_add(scan, link);
    bt_scan_add(scan, result);
    bt_scan_add(scan, file_link);
    bt_scan_add(scan, below);
    bt_scan_add(scan, file_below);
    found = run_scan(scan);
    g_assert_cmpuint(found.sources->len, ==, 1);
    g_assert_cmpstr(nth(&found, 0)->name, ==, "a.jpg");
    g_assert_cmpint(nth(&found, 0)->root, ==, 0);
    g_assert_cmpuint(found.problems->len, ==, 4);
    for (guint i = 0; i < found.problems->len; i++)
        g_assert_true(
            g_str_has_suffix(g_ptr_array_index(found.problems, i), "is in the output folder"));
}

/* Alone, the output folder is a mistake that is told. */
static void
test_skipped_alone(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtScan) scan = bt_scan_new();
    g_auto(Found) found = {0};

    write_jpeg(folder, "a.jpg");
    skip(scan, folder);
    bt_scan_add(scan, folder);
    found = run_scan(scan);
    g_assert_cmpuint(found.sources->len, ==, 0);
    g_assert_cmpuint(found.problems->len, ==, 1);
    g_assert_true(g_str_has_suffix(g_ptr_array_index(found.problems, 0), "is the output folder"));
}

/* Names are bytes: whatever a file may be called, its source is called and opened by. */
static void
test_names(void)
{
    static const char *const names[] = {
        " .jpg",    "a b.jpg", "a\nb.jpg",         "\xff\xfe.jpg",  "a].jpg",  "-rf.jpg",
        "a\\b.jpg", "*?.jpg",  "\xe2\x80\xae.jpg", "a\x1b[31m.jpg", "a:b.jpg", "%s%n.jpg",
    };
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *long_name = g_strnfill(255, 'n');
    g_autoptr(GHashTable) left = g_hash_table_new(g_str_hash, g_str_equal);
    g_auto(Found) found = {0};

    memcpy(long_name + 251, ".jpg", 4);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        write_jpeg(folder, names[i]);
        g_hash_table_add(left, (gpointer)(guintptr)names[i]);
    }
    write_jpeg(folder, long_name);
    g_hash_table_add(left, long_name);
    bt_scan_add(scan, folder);
    found = run_scan(scan);
    for (guint i = 0; i < found.sources->len; i++) {
        const BtSource *source = nth(&found, i);
        g_autoptr(GError) error = NULL;
        g_auto(BtFd) fd = -1;
        struct stat now;

        g_assert_true(g_hash_table_remove(left, source->name));
        fd = bt_scan_open(scan, source, &now, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(now.st_ino, ==, source->stat.st_ino);
    }
    g_assert_cmpuint(g_hash_table_size(left), ==, 0);
}

/* A random tree below path: adds the names of its sources, below prefix, to expected. */
static void
grow(const char *folder, const char *prefix, int depth, GHashTable *expected)
{
    static const char *const endings[] = {".jpg", ".PNG", ".txt", "", ".xyz"};
    int n = g_test_rand_int_range(0, 9);

    for (int i = 0; i < n; i++) {
        g_autoptr(GString) name = g_string_new(prefix);
        gboolean hidden = g_test_rand_int_range(0, 8) == 0;
        int ending = g_test_rand_int_range(0, (int)G_N_ELEMENTS(endings));
        gboolean picture = g_test_rand_bit();

        g_string_append_printf(name, "%s%d", hidden ? "." : "", i);
        for (int length = g_test_rand_int_range(0, 12); length > 0; length--) {
            char byte = (char)g_test_rand_int_range(1, 256);

            g_string_append_c(name, byte == '/' || byte == '.' ? ' ' : byte);
        }
        if (depth > 0 && g_test_rand_int_range(0, 3) == 0) {
            g_autoptr(GHashTable) nobody =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

            g_string_append_c(name, '/');
            grow(folder, name->str, depth - 1, hidden ? nobody : expected);
            continue;
        }
        g_string_append(name, endings[ending]);
        scene_write(folder, name->str, picture ? JPEG : "text", 4);
        if (!hidden && (ending < 2 || picture))
            g_hash_table_add(expected, g_string_free(g_steal_pointer(&name), FALSE));
    }
}

static void
test_random_trees(void)
{
    for (int i = 0; i < 30; i++) {
        g_autoptr(Scene) folder = scene_new();
        g_autoptr(BtScan) scan = bt_scan_new();
        g_autoptr(GHashTable) expected =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_auto(Found) found = {0};

        grow(folder, "", 4, expected);
        bt_scan_add(scan, folder);
        found = run_scan(scan);
        g_assert_cmpuint(found.problems->len, ==, 0);
        for (guint s = 0; s < found.sources->len; s++) {
            g_autofree char *path = g_build_filename(folder, nth(&found, s)->name, NULL);

            g_assert_cmpstr(nth(&found, s)->path, ==, path);
            g_assert_true(g_hash_table_remove(expected, nth(&found, s)->name));
        }
        g_assert_cmpuint(g_hash_table_size(expected), ==, 0);
    }
}

static void
check_deep_scan(const char *folder, bool follow)
{
    g_autoptr(BtScan) scan = bt_scan_new();
    g_auto(Found) found = {0};
    size_t longest = 0;

    bt_scan_configure(scan, &(BtScanOptions){.follow = follow});
    bt_scan_add(scan, folder);
    found = run_scan(scan);
    g_assert_cmpuint(found.problems->len, ==, 0);
    g_assert_cmpuint(found.sources->len, ==, 20);
    for (guint i = 0; i < found.sources->len; i++) {
        g_auto(BtFd) fd = -1;
        struct stat now;

        longest = MAX(longest, strlen(nth(&found, i)->name));
        fd = bt_scan_open(scan, nth(&found, i), &now, NULL);
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpuint(now.st_ino, ==, nth(&found, i)->stat.st_ino);
        g_assert_true(bt_scan_stat(scan, nth(&found, i), &now));
        g_assert_cmpuint(now.st_ino, ==, nth(&found, i)->stat.st_ino);
    }
    g_assert_cmpuint(longest, ==, 9999 * strlen("folder 90/") + strlen("side/b.jpg"));
}

/* 10,000 folders, one in the other, with a picture and a second folder on the way here and there:
 * paths of 100,000 bytes, and far more levels than descriptors. */
static void
check_depth(const char *folder)
{
    static const struct rlimit few = {.rlim_cur = 32, .rlim_max = 32};
    g_auto(BtFd) at = -1;

    /* Disks are slow to remove such a tree. */
    if (!scene_mount(folder, "tmpfs", "size=100m"))
        scene_skip();
    g_assert_cmpint(at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), >=, 0);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
    for (int i = 0; i < 10000; i++) {
        BtFd next;

        if (i % 1000 == 999) {
            g_assert_cmpint(mkdirat(at, "side", 0777), ==, 0);
            g_assert_cmpint(close(openat(at, "side/b.jpg", O_CREAT | O_WRONLY, 0666)), ==, 0);
            g_assert_cmpint(close(openat(at, "a.jpg", O_CREAT | O_WRONLY, 0666)), ==, 0);
        }
        g_assert_cmpint(mkdirat(at, "folder 90", 0777), ==, 0);
        next = openat(at, "folder 90", O_PATH | O_DIRECTORY | O_CLOEXEC);
        g_assert_cmpint(next, >=, 0);
        bt_fd_clear(&at);
        at = next;
    }
    check_deep_scan(folder, false);
    check_deep_scan(folder, true);
}

static void
check_loop(const char *folder)
{
    g_autofree char *inner = g_build_filename(folder, "a/b/c", NULL);
    g_autofree char *outer = g_build_filename(folder, "a", NULL);
    g_autoptr(BtScan) scan = bt_scan_new();
    g_auto(Found) found = {0};

    write_jpeg(folder, "a/b/1.jpg");
    g_assert_cmpint(g_mkdir(inner, 0777), ==, 0);
    if (!scene_own_mounts() || mount(outer, inner, NULL, MS_BIND, NULL) < 0)
        scene_skip();
    bt_scan_add(scan, folder);
    found = run_scan(scan);
    g_assert_cmpuint(found.sources->len, ==, 1);
    g_assert_cmpuint(found.problems->len, ==, 1);
    g_assert_true(g_str_has_prefix(g_ptr_array_index(found.problems, 0), inner));
    g_assert_nonnull(strstr(g_ptr_array_index(found.problems, 0), "contains itself"));
}

/* A folder that may not be read is a problem; what lies beside it is found all the same. */
static void
check_unreadable(const char *folder)
{
    g_autofree char *closed = g_build_filename(folder, "closed", NULL);
    g_autoptr(BtScan) scan = bt_scan_new();
    g_auto(Found) found = {0};

    write_jpeg(folder, "closed/a.jpg");
    write_jpeg(folder, "open/b.jpg");
    g_assert_cmpint(chmod(folder, 0755), ==, 0);
    g_assert_cmpint(chmod(closed, 0), ==, 0);
    if (geteuid() == 0 && seteuid(65534) < 0)
        scene_skip();
    bt_scan_add(scan, folder);
    found = run_scan(scan);
    g_assert_cmpuint(found.sources->len, ==, 1);
    g_assert_cmpstr(nth(&found, 0)->name, ==, "open/b.jpg");
    g_assert_cmpuint(found.problems->len, ==, 1);
    g_assert_true(g_str_has_prefix(g_ptr_array_index(found.problems, 0), closed));
}

/* More PATHs than descriptors. */
static void
check_many_roots(const char *folder)
{
    static const struct rlimit limit = {.rlim_cur = 300, .rlim_max = 300};
    g_autoptr(BtScan) scan = bt_scan_new();
    g_auto(Found) found = {0};

    for (int i = 0; i < 400; i++) {
        g_autofree char *name = g_strdup_printf("%d/%d.jpg", i, i);
        g_autofree char *deep = g_strdup_printf("%d/sub/%d.jpg", i, i);
        g_autofree char *root = g_strdup_printf("%s/%d", folder, i);

        write_jpeg(folder, name);
        write_jpeg(folder, deep);
        bt_scan_add(scan, root);
    }
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    found = run_scan(scan);
    g_assert_cmpuint(found.problems->len, ==, 0);
    g_assert_cmpuint(found.sources->len, ==, 800);
    for (guint i = 0; i < found.sources->len; i++) {
        g_auto(BtFd) fd = -1;
        struct stat now;

        fd = bt_scan_open(scan, nth(&found, i), &now, NULL);
        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpuint(now.st_ino, ==, nth(&found, i)->stat.st_ino);
        g_assert_true(bt_scan_stat(scan, nth(&found, i), &now));
        g_assert_cmpuint(now.st_ino, ==, nth(&found, i)->stat.st_ino);
    }
}

/* What has taken a source's place since it was found is not opened, nor waited for. */
static void
test_open_after_change(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *path = g_build_filename(folder, "sub/a.jpg", NULL);
    g_autofree char *sub = g_build_filename(folder, "sub", NULL);
    g_autofree char *moved = g_build_filename(folder, "moved", NULL);
    g_autofree char *root_file = g_build_filename(folder, "other/b.jpg", NULL);
    g_auto(Found) found = {0};
    const BtSource *below, *root;
    struct stat now;

    write_jpeg(folder, "sub/a.jpg");
    write_jpeg(folder, "other/b.jpg");
    bt_scan_add(scan, root_file);
    bt_scan_add(scan, folder);
    found = run_scan(scan);
    g_assert_cmpuint(found.sources->len, ==, 3);
    root = nth(&found, 0);
    below = nth(&found, strcmp(nth(&found, 1)->name, "sub/a.jpg") == 0 ? 1 : 2);
    for (int i = 0; i < 4; i++) {
        g_autoptr(GError) error = NULL;

        switch (i) {
        case 0:
            g_assert_cmpint(unlink(path), ==, 0);
            g_assert_cmpint(unlink(root_file), ==, 0);
            g_assert_false(bt_scan_stat(scan, below, &now));
            break;
        case 1:
            g_assert_cmpint(mkfifo(path, 0666), ==, 0);
            g_assert_cmpint(mkfifo(root_file, 0666), ==, 0);
            break;
        case 2:
            g_assert_cmpint(unlink(path), ==, 0);
            g_assert_cmpint(unlink(root_file), ==, 0);
            g_assert_cmpint(symlink("/etc/passwd", path), ==, 0);
            g_assert_cmpint(symlink("/nonexistent", root_file), ==, 0);
            break;
        default:
            g_assert_cmpint(unlink(path), ==, 0);
            write_jpeg(folder, "sub/a.jpg");
            g_assert_cmpint(rename(sub, moved), ==, 0);
            g_assert_cmpint(symlink("moved", sub), ==, 0);
        }
        g_assert_cmpint(bt_scan_open(scan, below, &now, &error), ==, -1);
        g_assert_nonnull(error);
        g_clear_error(&error);
        g_assert_cmpint(bt_scan_open(scan, root, &now, &error), ==, -1);
        g_assert_nonnull(error);
    }
}

static const BtScanOptions marked = {.marker = ".blurthumb", .marker_text = "blurthumb "};

static void
write_mark(const char *folder, const char *text)
{
    scene_write(folder, ".blurthumb", text, strlen(text));
}

static char *
sorted_names(const Found *found)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (guint i = 0; i < found->sources->len; i++)
        g_ptr_array_add(names, (gpointer)(guintptr)nth(found, i)->name);
    g_ptr_array_sort(names, compare);
    g_ptr_array_add(names, NULL);
    return g_strjoinv("|", (char **)names->pdata);
}

/* Folders that hold results are left out, at any depth and as a PATH, and the first one is told of;
 * a file in one that is a PATH is taken. The output folder is left out in silence. */
static void
test_results(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *processed = g_build_filename(folder, "processed", NULL);
    g_autofree char *deep = g_build_filename(folder, "x/y/processed", NULL);
    g_autofree char *own = g_build_filename(folder, "own", NULL);
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    g_autofree char *slashed = g_strconcat(deep, "//", NULL);
    g_autofree char *file = g_build_filename(processed, "a.jpg", NULL);
    g_autofree char *expected =
        g_strconcat(processed, " holds results of blurthumb and is left out", NULL);
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *names = NULL;
    g_auto(Found) found = {0};

    write_jpeg(folder, "a.jpg");
    write_jpeg(folder, "processed/a.jpg");
    write_jpeg(folder, "processed/sub/a.jpg");
    write_jpeg(folder, "x/y/b.jpg");
    write_jpeg(folder, "x/y/processed/b.jpg");
    write_jpeg(folder, "own/a.jpg");
    write_mark(processed, "blurthumb 1\nsigma 15\n");
    write_mark(deep, "blurthumb ");
    write_mark(own, "blurthumb 1\n");
    g_assert_cmpint(symlink("processed", link), ==, 0);
    skip(scan, own);
    bt_scan_configure(scan, &marked);
    bt_scan_add(scan, processed);
    bt_scan_add(scan, folder);
    bt_scan_add(scan, slashed);
    bt_scan_add(scan, link);
    bt_scan_add(scan, file);
    found = run_scan(scan);
    names = sorted_names(&found);
    g_assert_cmpstr(names, ==, "a.jpg|a.jpg|x/y/b.jpg");
    g_assert_cmpuint(found.problems->len, ==, 0);
    g_assert_cmpuint(found.notices->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(found.notices, 0), ==, expected);
}

/* What is no mark: another text, a shorter one, a folder, a link, a FIFO; and any where none was
 * asked for. */
static void
test_no_results(void)
{
    static const char *const folders[] = {"other", "short", "folder", "link", "fifo"};
    g_autoptr(Scene) folder = scene_new();

    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = g_build_filename(folder, folders[i], NULL);
        g_autofree char *mark = g_build_filename(path, ".blurthumb", NULL);
        g_autofree char *name = g_build_filename(folders[i], "a.jpg", NULL);

        write_jpeg(folder, name);
        switch (i) {
        case 0:
            write_mark(path, "blurthumbs");
            break;
        case 1:
            write_mark(path, "blurthumb");
            break;
        case 2:
            g_assert_cmpint(g_mkdir(mark, 0777), ==, 0);
            break;
        case 3:
            scene_write(path, "mark", "blurthumb 1\n", 12);
            g_assert_cmpint(symlink("mark", mark), ==, 0);
            break;
        default:
            g_assert_cmpint(mkfifo(mark, 0666), ==, 0);
        }
    }
    for (int i = 0; i < 2; i++) {
        g_autoptr(BtScan) scan = bt_scan_new();
        g_autofree char *names = NULL;
        g_auto(Found) found = {0};

        if (i == 0)
            bt_scan_configure(scan, &marked);
        else
            write_mark(folder, "blurthumb 1\n");
        bt_scan_add(scan, folder);
        found = run_scan(scan);
        names = sorted_names(&found);
        g_assert_cmpstr(names, ==, "fifo/a.jpg|folder/a.jpg|link/a.jpg|other/a.jpg|short/a.jpg");
        g_assert_cmpuint(found.notices->len, ==, 0);
    }
}

/* The path of the next source, or the sentence about the next problem or notice; NULL at the end.
 */
static char *
find_next(BtScan *scan)
{
    for (;;) {
        g_autoptr(GError) error = NULL;
        g_autoptr(BtSource) source = NULL;

        switch (bt_scan_next(scan, &source, &error)) {
        case BT_SCAN_SOURCE:
            return g_strdup(source->path);
        case BT_SCAN_PROBLEM:
        case BT_SCAN_NOTICE:
            return g_strdup(error->message);
        case BT_SCAN_IGNORED:
        case BT_SCAN_MORE:
            break;
        case BT_SCAN_END:
            return NULL;
        }
    }
}

/* An output folder that is made in the middle of a scan, of PATHs that lie in one folder. */
static void
test_skipped_late(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *output = g_build_filename(folder, "x/processed", NULL);
    g_autofree char *old = g_build_filename(output, "old.jpg", NULL);
    g_autofree char *new = g_build_filename(output, "new.jpg", NULL);
    g_autofree char *source = g_build_filename(folder, "a.jpg", NULL);
    g_autofree char *refused = g_strconcat(new, " is in the output folder", NULL);
    const char *const expected[] = {old, refused, source, NULL};
    g_autoptr(BtScan) scan = bt_scan_new();

    write_jpeg(folder, "a.jpg");
    write_jpeg(folder, "x/processed/old.jpg");
    bt_scan_configure(scan, &marked);
    skip(scan, "/proc");
    bt_scan_add(scan, old);
    bt_scan_add(scan, new);
    bt_scan_add(scan, folder);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autofree char *found = find_next(scan);

        g_assert_cmpstr(found, ==, expected[i]);
        if (i > 0)
            continue;
        write_jpeg(folder, "x/processed/new.jpg");
        write_mark(output, "blurthumb 1\n");
        skip(scan, output);
    }
}

/* What is known of roots: their folders by absolute paths as written, and what was found below. */
static void
check_known_roots(const char *folder)
{
    static const char *const paths[] = {"one",     "./one//", "two/../one", "one/a.jpg",
                                        "missing", "two",     "two/link",   "one/out"};
    g_autofree char *absolute = g_build_filename(folder, "one", NULL);
    g_autofree char *elsewhere = g_build_filename(folder, "one/sub/b.jpg", NULL);
    g_autoptr(BtScan) scan = NULL;
    g_auto(Found) found = {0};
    BtScanRoot root = {0}, other;

    write_jpeg(folder, "one/a.jpg");
    write_jpeg(folder, "one/sub/b.jpg");
    write_jpeg(folder, "one/out/a.jpg");
    write_jpeg(folder, "two/x/c.jpg");
    scene_write(folder, "one/out/.blurthumb", "blurthumb 1\n", 12);
    enter(folder);
    g_assert_cmpint(symlink("../one", "two/link"), ==, 0);
    scan = bt_scan_new();
    bt_scan_configure(scan, &marked);
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
        bt_scan_add(scan, paths[i]);
    bt_scan_add(scan, absolute);
    bt_scan_add(scan, elsewhere);
    found = run_scan(scan);
    for (int i = 0; bt_scan_root(scan, i, &root); i++) {
        bool is_one = i <= 3 || i == 8;

        g_assert_cmphex(root.id, ==, bt_scan_root_id(scan, i));
        g_assert_true(bt_scan_root(scan, 0, &other));
        g_assert_true((root.id == other.id) == is_one);
        g_assert_cmpstr(root.path, ==, i == 8 ? absolute : i == 9 ? elsewhere : paths[i]);
        g_assert_true(root.is_whole_folder == (i < 3 || i == 5 || i == 6 || i == 8));
        g_assert_cmpuint(root.n_sources, ==,
                         i == 4 || i == 7             ? 0
                         : i == 3 || i == 5 || i == 9 ? 1
                                                      : 2);
        g_assert_cmpuint(root.n_problems, ==, i == 4);
    }
    g_assert_false(bt_scan_root(scan, -1, &root));
    g_assert_false(bt_scan_root(scan, 10, &root));
    g_assert_true(bt_scan_root(scan, 9, &root));
    g_assert_cmphex(bt_scan_root_id(scan, 0), ==, bt_hash_text(absolute));
}

/* A PATH that is the same folder again is scanned again. */
static void
test_same_root_twice(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtScan) scan = bt_scan_new();
    g_auto(Found) found = {0};

    write_jpeg(folder, "a.jpg");
    bt_scan_add(scan, folder);
    bt_scan_add(scan, folder);
    found = run_scan(scan);
    g_assert_cmpuint(found.sources->len, ==, 2);
    g_assert_cmpint(nth(&found, 1)->root, ==, 1);
}

/* One step looks at a bounded number of entries, and an unfinished scan can be left. */
static void
test_steps(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(BtScan) scan = bt_scan_new();
    BtSource *source = NULL;
    uint64_t n_ignored = 0;
    int steps = 1;
    BtScanKind kind;

    for (int i = 0; i < 1000; i++) {
        g_autofree char *name = g_strdup_printf("%d.txt", i);

        scene_write(folder, name, "", 0);
    }
    bt_scan_add(scan, folder);
    while ((kind = bt_scan_next(scan, &source, NULL)) == BT_SCAN_MORE || kind == BT_SCAN_IGNORED) {
        n_ignored += kind == BT_SCAN_IGNORED;
        g_assert_cmpuint(n_ignored, <=, 64 * (guint)steps);
        steps++;
    }
    g_assert_cmpint(steps, >=, 1000 / 64);
    g_assert_cmpuint(n_ignored, ==, 1000);
    bt_scan_add(scan, folder);
    g_assert_cmpint(bt_scan_next(scan, &source, NULL), ==, BT_SCAN_MORE);
}

int
main(int argc, char **argv)
{
    static void (*const children[])(const char *) = {
        check_spelling,   check_root,       check_depth,      check_loop,
        check_unreadable, check_many_roots, check_known_roots};
    static const char *const names[] = {"spelling",   "root",       "depth",      "loop",
                                        "unreadable", "many-roots", "known-roots"};

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(children); i++) {
        g_autofree char *path = g_strconcat("/scan/", names[i], NULL);

        g_test_add_data_func(path, &children[i], test_child);
    }
    g_test_add_func("/scan/kinds", test_kinds);
    g_test_add_func("/scan/access-time", test_access_time);
    g_test_add_func("/scan/roots", test_roots);
    g_test_add_func("/scan/skipped", test_skipped);
    g_test_add_func("/scan/skipped-alone", test_skipped_alone);
    g_test_add_func("/scan/skipped-late", test_skipped_late);
    g_test_add_func("/scan/results", test_results);
    g_test_add_func("/scan/no-results", test_no_results);
    g_test_add_func("/scan/names", test_names);
    g_test_add_func("/scan/random-trees", test_random_trees);
    g_test_add_func("/scan/open-after-change", test_open_after_change);
    g_test_add_func("/scan/same-root-twice", test_same_root_twice);
    g_test_add_func("/scan/steps", test_steps);
    return g_test_run();
}
