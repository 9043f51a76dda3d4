/* SPDX-License-Identifier: MIT */
/* Lists of files: their entries, where these lie in the tree, and what a scan makes of them. */
#include "base/hash.h"
#include "scan/list.h"
#include "scan/scan.h"
#include "unit/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static BtFd
open_bytes(const char *bytes, size_t size)
{
    g_auto(BtFd) fd = memfd_create("list", MFD_CLOEXEC);

    g_assert_cmpint(write(fd, bytes, size), ==, (ssize_t)size);
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    return g_steal_fd(&fd);
}

/* What a list has, joined by "|"; problems as their sentences in brackets. */
static char *
read_all(BtFd fd, char separator)
{
    g_autoptr(BtList) list = bt_list_new(fd, "LIST", separator);
    GString *all = g_string_new(NULL);

    for (;;) {
        g_autoptr(GError) error = NULL;
        const char *entry;

        switch (bt_list_next(list, &entry, &error)) {
        case BT_LIST_ENTRY:
            g_assert_cmpuint(strlen(entry), >, 0);
            g_string_append_printf(all, "%s%s", all->len > 0 ? "|" : "", entry);
            break;
        case BT_LIST_PROBLEM:
            g_string_append_printf(all, "%s[%s]", all->len > 0 ? "|" : "", error->message);
            break;
        case BT_LIST_MORE:
            g_assert_cmpint(bt_list_wait_fd(list), ==, -1);
            break;
        case BT_LIST_END:
            return g_string_free(all, FALSE);
        }
    }
}

static void
test_entries(void)
{
#define NUL_FAULT " of LIST contains a zero byte: does the list need --null?]"
    static const struct {
        const char *bytes;
        size_t size;
        char separator;
        const char *all;
    } rows[] = {
        {"", 0, '\n', ""},
        {"\n", 1, '\n', ""},
        {"a", 1, '\n', "a"},
        {"a\n", 2, '\n', "a"},
        {"a\nb", 3, '\n', "a|b"},
        {"\n\na\n\nb\n\n", 8, '\n', "a|b"},
        {"a\r\nb\r\n\r\nc\r", 10, '\n', "a|b|c"},
        {"a\rb\n", 4, '\n', "a\rb"},
        {" a \n\xff\n", 6, '\n', " a |\xff"},
        {"a\0b\0", 4, '\n', "[line 1" NUL_FAULT},
        {"x\n\n\0\nb", 6, '\n', "x|[line 3" NUL_FAULT "|b"},
        {"\xef\xbb\xbf"
         "a\n\xef\xbb\xbf"
         "b\n",
         10, '\n',
         "a|\xef\xbb\xbf"
         "b"},
        {"\xef\xbb\xbf\r\n\xef\xbb\xbf"
         "b",
         9, '\n',
         "\xef\xbb\xbf"
         "b"},
        {"\xef\xbb\xbf"
         "a",
         4, '\n', "a"},
        {"\xef\xbb", 2, '\n', "\xef\xbb"},
        {"\xef\xbb\xbf"
         "a\0\xef\xbb\xbf"
         "b",
         9, '\0',
         "a|\xef\xbb\xbf"
         "b"},
        {"\xef\xbb\xbf", 3, '\0', ""},
        {"", 0, '\0', ""},
        {"a", 1, '\0', "a"},
        {"a\0", 2, '\0', "a"},
        {"\0\0a\0\0b", 6, '\0', "a|b"},
        {"a\nb\0c\r\n\0", 8, '\0', "a\nb|c\r\n"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *all = read_all(open_bytes(rows[i].bytes, rows[i].size), rows[i].separator);

        g_assert_cmpstr(all, ==, rows[i].all);
    }
}

/* An entry of BT_LIST_ENTRY_MAX bytes is one, a longer one is none, and what comes behind is read.
 */
static void
test_long_entries(void)
{
    static const struct {
        size_t length;
        bool is_fault;
    } rows[] = {
        {BT_LIST_ENTRY_MAX - 1, false},
        {BT_LIST_ENTRY_MAX, false},
        {BT_LIST_ENTRY_MAX + 1, true},
        {BT_LIST_ENTRY_MAX + 2, true},
        {BT_LIST_ENTRY_MAX + 3, true},
        {2 * BT_LIST_ENTRY_MAX, true},
        {1000000, true},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (int ending = 0; ending < 4; ending++) {
            const char separator = ending == 3 ? '\0' : '\n';
            g_autofree char *entry = g_strnfill(rows[i].length, 'x');
            g_autoptr(GString) bytes = g_string_new("first");
            g_autofree char *expected = g_strdup_printf(
                "first|%s%s", rows[i].is_fault ? separator == '\n' ? "[line" : "[entry" : entry,
                rows[i].is_fault ? " 2 of LIST is too long to be a path]" : "");
            g_autofree char *all = NULL;

            g_string_append_c(bytes, separator);
            g_string_append(bytes, entry);
            if (ending > 0) {
                g_string_append(bytes, ending == 2 ? "\r" : "");
                g_string_append_c(bytes, separator);
                g_string_append(bytes, "last");
            }
            all = read_all(open_bytes(bytes->str, bytes->len), separator);
            if (ending > 0) {
                g_assert_true(g_str_has_suffix(all, "|last"));
                all[strlen(all) - strlen("|last")] = '\0';
            }
            g_assert_cmpstr(all, ==, expected);
        }
}

/* A byte order mark does not count. */
static void
test_long_entry_with_mark(void)
{
    for (int more = 0; more < 2; more++) {
        g_autofree char *entry = g_strnfill((gsize)(BT_LIST_ENTRY_MAX + more), 'x');
        g_autofree char *bytes = g_strconcat("\xef\xbb\xbf", entry, "\r\nb", NULL);
        g_autofree char *all = read_all(open_bytes(bytes, strlen(bytes)), '\n');
        g_autofree char *expected = g_strconcat(
            more == 0 ? entry : "[line 1 of LIST is too long to be a path]", "|b", NULL);

        g_assert_cmpstr(all, ==, expected);
    }
}

/* A list for -0 that is read as lines is one long line; the sentence says so all the same. */
static void
test_long_list_of_nul(void)
{
    g_autoptr(GString) bytes = g_string_new(NULL);
    g_autofree char *all = NULL;

    for (int i = 0; i < 50000; i++)
        g_string_append_len(bytes, "name", 5);
    all = read_all(open_bytes(bytes->str, bytes->len), '\n');
    g_assert_cmpstr(all, ==, "[line 1" NUL_FAULT);
}

static void
test_unreadable(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *all = read_all(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), '\n');
    g_autofree char *expected = g_strdup_printf("[cannot read LIST: %s]", g_strerror(EISDIR));

    g_assert_cmpstr(all, ==, expected);
}

/* A pipe that says nothing is never waited for: the list says what to wait for. */
static void
test_pipe(void)
{
    static const char *const pieces[] = {"a", "\nb", "\n", "c\n\nd"};
    static const char *const entries[] = {NULL, "a", "b", "c"};
    int ends[2];
    g_autoptr(BtList) list = NULL;
    const char *entry = NULL;

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    list = bt_list_new(ends[0], "LIST", '\n');
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        BtListKind kind = BT_LIST_MORE;
        size_t n = 0;

        g_assert_cmpint(bt_list_next(list, &entry, NULL), ==, BT_LIST_MORE);
        g_assert_cmpint(bt_list_wait_fd(list), ==, ends[0]);
        g_assert_cmpint(write(ends[1], pieces[i], strlen(pieces[i])), ==,
                        (ssize_t)strlen(pieces[i]));
        do {
            kind = bt_list_next(list, &entry, NULL);
            if (kind == BT_LIST_ENTRY) {
                g_assert_cmpstr(entry, ==, entries[i]);
                n++;
            }
        } while (bt_list_wait_fd(list) < 0);
        g_assert_cmpint(kind, ==, BT_LIST_MORE);
        g_assert_cmpuint(n, ==, entries[i] != NULL);
    }
    g_assert_cmpint(close(ends[1]), ==, 0);
    g_assert_cmpint(bt_list_next(list, &entry, NULL), ==, BT_LIST_MORE);
    g_assert_cmpint(bt_list_wait_fd(list), ==, -1);
    g_assert_cmpint(bt_list_next(list, &entry, NULL), ==, BT_LIST_ENTRY);
    g_assert_cmpstr(entry, ==, "d");
    g_assert_cmpint(bt_list_next(list, &entry, NULL), ==, BT_LIST_END);
}

static void
test_places(void)
{
    static const char *const bases[] = {"/home/u", "/mnt/home/u", NULL};
    static const char *const root[] = {"/", NULL};
    static const struct {
        const char *entry;
        const char *const *bases;
        const char *name;
        const char *way;
    } rows[] = {
        {"a.jpg", bases, "a.jpg", ""},
        {"./a//b.jpg", bases, "a/b.jpg", ""},
        {"a/./b/.", bases, "a/b", ""},
        {"a/", bases, "a", ""},
        {".", bases, "", ""},
        {"./", bases, "", ""},
        {"a/..", bases, "", ""},
        {"a/../b.jpg", bases, "b.jpg", ""},
        {"a/b/../../c", bases, "c", ""},
        {"..", bases, "", ".."},
        {"../a", bases, "a", ".."},
        {"..//./../a", bases, "a", "../.."},
        {"../a/../../b/c", bases, "b/c", "../.."},
        {"a/../../b", bases, "b", ".."},
        {"../../../../b", bases, "b", "../../../.."},
        {"../b", root, "b", ".."},
        {"...", bases, "...", ""},
        {"..a/.b", bases, "..a/.b", ""},
        {" ", bases, " ", ""},
        {"/x/a.jpg", bases, "x/a.jpg", "/"},
        {"//x///a.jpg", bases, "x/a.jpg", "/"},
        {"/../x", bases, "x", "/"},
        {"/", bases, "", "/"},
        {"/home/u/a.jpg", bases, "a.jpg", ""},
        {"/home//./u/a.jpg", bases, "a.jpg", ""},
        {"/mnt/home/u/a/b.jpg", bases, "a/b.jpg", ""},
        {"/home/u", bases, "", ""},
        {"/home/u/", bases, "", ""},
        {"/home/u/../v/a", bases, "home/v/a", "/"},
        {"/home/user/a.jpg", bases, "home/user/a.jpg", "/"},
        {"/home/a.jpg", bases, "home/a.jpg", "/"},
        {"/home/a.jpg", root, "home/a.jpg", ""},
        {"/", root, "", ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *way = NULL;
        g_autofree char *name = bt_list_place(rows[i].entry, rows[i].bases, &way);

        g_assert_cmpstr(name, ==, rows[i].name);
        g_assert_cmpstr(way, ==, rows[i].way);
    }
}

static uint64_t n_ignored; /* by the last drain */

/* What a scan makes of a list: names and paths in order, "name=path", or "name" where they are the
 * same; problems in brackets. Each source can be opened. */
static char *
drain(BtScan *scan)
{
    GString *all = g_string_new(NULL);

    n_ignored = 0;
    for (;;) {
        g_autoptr(BtSource) source = NULL;
        g_autoptr(GError) error = NULL;
        g_auto(BtFd) fd = -1;
        BtScanKind kind = bt_scan_next(scan, &source, &error);
        const char *space = all->len > 0 ? " " : "";
        struct stat now;

        n_ignored += kind == BT_SCAN_IGNORED;
        if (kind == BT_SCAN_END)
            return g_string_free(all, FALSE);
        if (kind == BT_SCAN_PROBLEM || kind == BT_SCAN_NOTICE)
            g_string_append_printf(all, "%s[%s]", space, error->message);
        if (kind != BT_SCAN_SOURCE)
            continue;
        fd = bt_scan_open(scan, source, &now, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(now.st_ino, ==, source->stat.st_ino);
        g_assert_true(bt_scan_stat(scan, source, &now));
        g_assert_cmpuint(now.st_ino, ==, source->stat.st_ino);
        g_string_append_printf(all, "%s%s", space, source->name);
        if (source->name != source->path)
            g_string_append_printf(all, "=%s", source->path);
    }
}

static void
add_text(BtScan *scan, const char *text, const char *base)
{
    bt_scan_add_list(scan, open_bytes(text, strlen(text)), "LIST", '\n', base);
}

static char *
scan_text(const char *text, const char *base, const BtScanOptions *options)
{
    g_autoptr(BtScan) scan = bt_scan_new();

    bt_scan_configure(scan, options);
    add_text(scan, text, base);
    return drain(scan);
}

static void
write_file(const char *folder, const char *name)
{
    scene_write(folder, name, "\xff\xd8\xff", 3);
}

static void
make_link(const char *folder, const char *target, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_cmpint(symlink(target, path), ==, 0);
}

/* In the current folder, which is `folder`. */
static void
check_scan(const char *folder)
{
    g_autofree char *outside = g_build_filename(folder, "outside", NULL);
    g_autofree char *inside = g_build_filename(folder, "in", NULL);
    g_autofree char *text = NULL, *all = NULL, *expected = NULL;

    write_file(folder, "in/a.jpg");
    write_file(folder, "in/sub/b.jpg");
    write_file(folder, "in/sub/deep/c.jpg");
    scene_write(folder, "in/sub/text", "text", 4);
    write_file(folder, "outside/d.jpg");
    g_assert_cmpint(chdir(inside), ==, 0);
    text = g_strdup_printf("./a.jpg\nmissing.jpg\nnowhere/x.jpg\nsub//\n%s/d.jpg\n%s/sub/b.jpg\n"
                           "../outside/d.jpg\nsub/text\na.jpg",
                           outside, inside);
    all = scan_text(text, NULL, &(BtScanOptions){0});
    expected = g_strdup_printf(
        "a.jpg [missing.jpg: %s] [nowhere/x.jpg: %s] sub/b.jpg sub/deep/c.jpg %s/d.jpg=%s/d.jpg "
        "sub/b.jpg outside/d.jpg=../outside/d.jpg a.jpg",
        g_strerror(ENOENT), g_strerror(ENOENT), outside + 1, outside);
    g_assert_cmpstr(all, ==, expected);
}

/* Entries that lead out of the base lie where their folders as PATHs would be. In the folder
 * home/base. */
static void
check_out_of_base(const char *folder)
{
    static const char text[] = "../card/a.jpg\n./x/../../card/a.jpg\n../../b.jpg\n../card\n"
                               "../base/c.jpg\nc.jpg\n../missing.jpg\n../card/sub/d.jpg";
    g_autofree char *base = g_build_filename(folder, "home/base", NULL);
    g_autofree char *card = g_build_filename(folder, "home", NULL);
    g_autofree char *all = NULL, *based = NULL, *expected = NULL, *far = NULL;
    g_autofree char *last = NULL, *far_expected = NULL;
    g_autoptr(BtScan) scan = NULL;
    BtScanRoot root;

    write_file(folder, "home/card/a.jpg");
    write_file(folder, "home/card/sub/d.jpg");
    write_file(folder, "home/base/c.jpg");
    write_file(folder, "b.jpg");
    g_assert_cmpint(chdir(base), ==, 0);
    scan = bt_scan_new();
    add_text(scan, text, NULL);
    all = drain(scan);
    expected =
        g_strdup_printf("card/a.jpg=../card/a.jpg card/a.jpg=../card/a.jpg b.jpg=../../b.jpg "
                        "card/a.jpg=../card/a.jpg card/sub/d.jpg=../card/sub/d.jpg "
                        "base/c.jpg=../base/c.jpg c.jpg [../missing.jpg: %s] "
                        "card/sub/d.jpg=../card/sub/d.jpg",
                        g_strerror(ENOENT));
    g_assert_cmpstr(all, ==, expected);
    for (int i = 0; bt_scan_root(scan, i, &root); i++) {
        static const char *const paths[] = {".", "..", "../.."};
        const char *const absolute[] = {base, card, folder};

        g_assert_cmpint(i, <, 3);
        g_assert_cmpstr(root.path, ==, paths[i]);
        g_assert_cmphex(root.id, ==, bt_hash_text(absolute[i]));
        g_assert_false(root.is_whole_folder);
    }
    /* Below another base, and above "/". */
    based = scan_text("../card/a.jpg\n..", "../card", &(BtScanOptions){.max_depth = 1});
    g_assert_cmpstr(based, ==, "card/a.jpg=../card/../card/a.jpg");
    far = g_strdup_printf("%s%s/b.jpg",
                          "../../../../../../../../../../../../../../../../../../../../..", folder);
    last = scan_text(far, NULL, &(BtScanOptions){0});
    far_expected = g_strdup_printf("%s/b.jpg=%s", folder + 1, far);
    g_assert_cmpstr(last, ==, far_expected);
}

/* An entry may be longer than any path that one call takes. */
static void
check_long_entry(const char *folder)
{
    g_autoptr(GString) name = g_string_new(NULL);
    g_autofree char *all = NULL, *twice = NULL;

    for (int i = 0; i < 30; i++)
        g_string_append_printf(name, "%0200d/", i);
    g_assert_cmpint(chdir(folder), ==, 0);
    twice = g_strconcat(name->str, "a.jpg", NULL);
    for (char *part = twice, *slash; (slash = strchr(part, '/')) != NULL; part = slash + 1) {
        g_autofree char *one = g_strndup(part, (gsize)(slash - part));

        g_assert_cmpint(mkdir(one, 0777), ==, 0);
        g_assert_cmpint(chdir(one), ==, 0);
    }
    g_assert_cmpint(close(open("a.jpg", O_CREAT | O_WRONLY | O_CLOEXEC, 0666)), ==, 0);
    g_assert_cmpint(chdir(folder), ==, 0);
    {
        g_autofree char *text = g_strconcat(twice, "\n", name->str, NULL);
        g_autofree char *expected = g_strconcat(twice, " ", twice, NULL);

        all = scan_text(text, NULL, &(BtScanOptions){0});
        g_assert_cmpstr(all, ==, expected);
    }
}

/* Entries in a folder that holds results, or on the way from the root to which is one, are left
 * out; the output folder is a matter of its own. */
static void
check_results(const char *folder)
{
    static const BtScanOptions marked = {.marker = ".blurthumb", .marker_text = "blurthumb "};
    static const char text[] =
        "x/a.jpg\nx/done/a.jpg\nx/done/b.jpg\nx/done/sub/deep/a.jpg\nx/done\n"
        "x\nout/a.jpg\nx/a.jpg\n../far/a.jpg\n../far/done/a.jpg\nout\n";
    g_autofree char *base = g_build_filename(folder, "base", NULL);
    g_autofree char *all = NULL, *inside = NULL, *unmarked = NULL;
    g_autoptr(BtScan) scan = bt_scan_new();
    struct stat what;

    write_file(folder, "base/x/a.jpg");
    write_file(folder, "base/x/done/a.jpg");
    write_file(folder, "base/x/done/b.jpg");
    write_file(folder, "base/x/done/sub/deep/a.jpg");
    write_file(folder, "base/out/a.jpg");
    write_file(folder, "far/a.jpg");
    write_file(folder, "far/done/a.jpg");
    scene_write(folder, "base/x/done/.blurthumb", "blurthumb 1", 11);
    scene_write(folder, "base/out/.blurthumb", "blurthumb 1", 11);
    scene_write(folder, "far/done/.blurthumb", "blurthumb 1", 11);
    g_assert_cmpint(chdir(base), ==, 0);
    g_assert_cmpint(stat("out", &what), ==, 0);
    bt_scan_configure(scan, &marked);
    bt_scan_skip_folder(scan, what.st_dev, what.st_ino);
    add_text(scan, text, NULL);
    all = drain(scan);
    g_assert_cmpstr(all, ==,
                    "x/a.jpg [x/done holds results of blurthumb and is left out] x/a.jpg "
                    "[out/a.jpg is in the output folder] x/a.jpg far/a.jpg=../far/a.jpg");
    g_assert_cmpuint(n_ignored, ==, 4);
    /* The base itself, and no mark. */
    inside = scan_text("a.jpg\nsub/deep/a.jpg\n.", "x/done", &marked);
    g_assert_cmpstr(inside, ==, "[x/done holds results of blurthumb and is left out]");
    unmarked = scan_text("x/done/a.jpg", NULL, &(BtScanOptions){0});
    g_assert_cmpstr(unmarked, ==, "x/done/a.jpg");
}

static void
check_base(const char *folder)
{
    static const char *const bases[] = {"in", "in/", "./in", "link"};
    g_autofree char *inside = g_build_filename(folder, "in/a.jpg", NULL);
    g_autofree char *linked = g_build_filename(folder, "link/a.jpg", NULL);

    write_file(folder, "in/a.jpg");
    make_link(folder, "in", "link");
    g_assert_cmpint(chdir(folder), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bases); i++) {
        g_autofree char *text = g_strdup_printf("a.jpg\n%s\n.", inside);
        g_autofree char *base = g_strdup(bases[i]);
        g_autofree char *all = scan_text(text, base, &(BtScanOptions){0});
        g_autofree char *path = NULL, *expected = NULL;

        g_strdelimit(base + strlen(base) - 1, "/", '\0');
        path = g_build_filename(base, "a.jpg", NULL);
        expected = g_strdup_printf("a.jpg=%s a.jpg=%s a.jpg=%s", path, path, path);
        g_assert_cmpstr(all, ==, expected);
    }
    /* Spelled as the base is, which is a link, or as it really is. */
    for (int i = 0; i < 2; i++) {
        g_autofree char *base = g_build_filename(folder, "link", NULL);
        g_autofree char *all = scan_text(i == 0 ? inside : linked, base, &(BtScanOptions){0});
        g_autofree char *expected = g_strdup_printf("a.jpg=%s", linked);

        g_assert_cmpstr(all, ==, expected);
    }
}

static void
test_missing_base(void)
{
    g_autofree char *all = scan_text("a.jpg\n", "/nonexistent/base", &(BtScanOptions){0});
    g_autofree char *expected = g_strdup_printf("[/nonexistent/base: %s]", g_strerror(ENOENT));

    g_assert_cmpstr(all, ==, expected);
}

/* Links on the way that an entry names are followed; those that are met below it are not. */
static void
check_links(const char *folder)
{
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autoptr(BtSource) source = NULL;
    g_autofree char *all = NULL;
    g_autoptr(GError) error = NULL;
    struct stat now;

    write_file(folder, "real/a.jpg");
    write_file(folder, "real/sub/b.jpg");
    make_link(folder, "real", "link");
    make_link(folder, "real/a.jpg", "c.jpg");
    make_link(folder, "a.jpg", "real/met.jpg");
    make_link(folder, "nowhere", "broken.jpg");
    g_assert_cmpint(chdir(folder), ==, 0);
    all = scan_text("link/a.jpg\nc.jpg\nlink/met.jpg\nlink/sub", NULL, &(BtScanOptions){0});
    g_assert_cmpstr(all, ==, "link/a.jpg c.jpg link/met.jpg link/sub/b.jpg");
    add_text(scan, "link/sub", NULL);
    while (source == NULL)
        g_assert_cmpint(bt_scan_next(scan, &source, NULL), !=, BT_SCAN_END);
    g_assert_cmpint(unlink("real/sub/b.jpg"), ==, 0);
    make_link(folder, "../a.jpg", "real/sub/b.jpg");
    g_assert_cmpint(bt_scan_open(scan, source, &now, &error), ==, -1);
    g_assert_error(error, BT_ERROR_SYSTEM, ELOOP);
}

static void
check_skipped(const char *folder)
{
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *all = NULL;
    struct stat what;

    write_file(folder, "a.jpg");
    write_file(folder, "processed/a.jpg");
    write_file(folder, "processed/sub/a.jpg");
    make_link(folder, "processed/a.jpg", "link.jpg");
    make_link(folder, "processed", "link");
    g_assert_cmpint(chdir(folder), ==, 0);
    g_assert_cmpint(stat("processed", &what), ==, 0);
    bt_scan_skip_folder(scan, what.st_dev, what.st_ino);
    add_text(scan, "processed\nprocessed/a.jpg\nprocessed/sub\nlink.jpg\nlink\nlink/a.jpg\na.jpg",
             NULL);
    all = drain(scan);
#define LIES " is in the output folder]"
    g_assert_cmpstr(all, ==,
                    "[processed/a.jpg" LIES " [processed/sub" LIES " [link.jpg" LIES
                    " [link/a.jpg" LIES " a.jpg");
}

/* The base itself lies in the output folder. */
static void
check_skipped_base(const char *folder)
{
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *all = NULL;
    struct stat what;

    write_file(folder, "sub/a.jpg");
    g_assert_cmpint(stat(folder, &what), ==, 0);
    bt_scan_skip_folder(scan, what.st_dev, what.st_ino);
    g_assert_cmpint(chdir(folder), ==, 0);
    g_assert_cmpint(chdir("sub"), ==, 0);
    add_text(scan, ".\na.jpg", NULL);
    all = drain(scan);
    g_assert_cmpstr(all, ==, "[." LIES " [a.jpg" LIES);
}

static void
check_options(const char *folder)
{
    g_autoptr(BtRules) rules = bt_rules_new();
    g_autofree char *all = NULL, *deep = NULL;

    write_file(folder, ".h/a.jpg");
    write_file(folder, "x/.b.jpg");
    write_file(folder, "x/c.jpg");
    write_file(folder, "x/y/z/d.png");
    write_file(folder, "drafts/e.jpg");
    g_assert_cmpint(chdir(folder), ==, 0);
    g_assert_true(bt_rules_add(rules, BT_RULE_INCLUDE, "*.png", NULL));
    g_assert_true(bt_rules_add(rules, BT_RULE_EXCLUDE, "drafts/", NULL));
    all = scan_text(".h/a.jpg\nx\nx/c.jpg\nx/.b.jpg\ndrafts/e.jpg\ndrafts\nx/y", NULL,
                    &(BtScanOptions){.rules = rules});
    g_assert_cmpstr(all, ==, ".h/a.jpg x/y/z/d.png x/c.jpg x/.b.jpg x/y/z/d.png");
    deep = scan_text("x\nx/y/z/d.png\nx/y/z", NULL, &(BtScanOptions){.max_depth = 1});
    g_assert_cmpstr(deep, ==, "x/c.jpg x/y/z/d.png x/y/z/d.png");
}

/* Entries are of the shard that their names are of; one that is missing is told by one shard. */
static void
check_shards(const char *folder)
{
    g_autoptr(GString) text = g_string_new("sub\n");
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    uint64_t n_problems = 0;

    for (int i = 0; i < 50; i++) {
        g_autofree char *name = g_strdup_printf("%d.jpg", i);
        g_autofree char *below = g_strdup_printf("sub/%d.jpg", i);

        write_file(folder, name);
        write_file(folder, below);
        g_string_append_printf(text, "%s\nmissing-%s\n", name, name);
    }
    g_assert_cmpint(chdir(folder), ==, 0);
    for (uint32_t index = 0; index < 3; index++) {
        g_autoptr(BtScan) scan = bt_scan_new();
        g_autofree char *all = NULL;
        g_auto(GStrv) words = NULL;

        bt_scan_configure(scan, &(BtScanOptions){.shard = {index, 3}});
        add_text(scan, text->str, NULL);
        all = drain(scan);
        words = g_strsplit(all, " ", -1);
        for (char **word = words; *word != NULL; word++)
            if (g_ascii_isdigit(**word) || g_str_has_prefix(*word, "sub/"))
                g_assert_true(g_hash_table_add(seen, g_strdup(*word)));
            else
                n_problems += **word == '[';
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, 100);
    g_assert_cmpuint(n_problems, ==, 50);
}

/* More entries than there are descriptors, or bytes in a pipe: nothing is held of any of them, and
 * the scan can be asked what it waits for. */
static void
check_stream(const char *folder)
{
    g_autoptr(BtScan) scan = bt_scan_new();
    int ends[2], n_sources = 0, n_waits = 0;
    BtScanKind kind;

    for (int i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("%d/%d.jpg", i, i);

        write_file(folder, name);
    }
    g_assert_cmpint(chdir(folder), ==, 0);
    g_assert_cmpint(pipe2(ends, O_CLOEXEC | O_NONBLOCK), ==, 0);
    bt_scan_add_list(scan, ends[0], "LIST", '\0', NULL);
    for (int written = 0;;) {
        g_autoptr(BtSource) source = NULL;
        g_autofree char *name = g_strdup_printf("./%d//%d.jpg", written % 100, written % 100);

        if ((kind = bt_scan_next(scan, &source, NULL)) == BT_SCAN_END)
            break;
        g_assert_cmpint(kind, !=, BT_SCAN_PROBLEM);
        n_sources += kind == BT_SCAN_SOURCE;
        if (bt_scan_wait_fd(scan) < 0 || ends[1] < 0)
            continue;
        g_assert_cmpint(bt_scan_wait_fd(scan), ==, ends[0]);
        g_assert_cmpint(write(ends[1], name, strlen(name) + 1), >, 0);
        g_assert_cmpint(poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, 0), ==, 1);
        n_waits++;
        if (++written == 1000) {
            g_assert_cmpint(close(ends[1]), ==, 0);
            ends[1] = -1;
        }
    }
    g_assert_cmpint(n_sources, ==, 1000);
    g_assert_cmpint(n_waits, ==, 1000);
}

static void
test_child(gconstpointer check)
{
    g_autoptr(Scene) folder = scene_new();

    if (!scene_run(*(void (*const *)(const char *))check, folder))
        g_test_skip("needs root");
}

int
main(int argc, char **argv)
{
    static void (*const children[])(const char *) = {
        check_out_of_base, check_long_entry, check_results, check_skipped_base,
        check_scan,        check_base,       check_links,   check_skipped,
        check_options,     check_shards,     check_stream};
    static const char *const names[] = {"out-of-base", "long-entry", "results", "skipped-base",
                                        "scan",        "base",       "links",   "skipped",
                                        "options",     "shards",     "stream"};

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/list/entries", test_entries);
    g_test_add_func("/list/entries/long", test_long_entries);
    g_test_add_func("/list/entries/long-with-mark", test_long_entry_with_mark);
    g_test_add_func("/list/entries/long-list-of-nul", test_long_list_of_nul);
    g_test_add_func("/list/unreadable", test_unreadable);
    g_test_add_func("/list/pipe", test_pipe);
    g_test_add_func("/list/places", test_places);
    g_test_add_func("/list/missing-base", test_missing_base);
    for (size_t i = 0; i < G_N_ELEMENTS(children); i++) {
        g_autofree char *path = g_strconcat("/list/scan/", names[i], NULL);

        g_test_add_data_func(path, &children[i], test_child);
    }
    return g_test_run();
}
