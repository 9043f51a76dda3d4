/* SPDX-License-Identifier: MIT */
/* Patterns, rules, and the other options of the scan: what is left of a tree. */
#include "scan/scan.h"
#include "unit/scene.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether a pattern matches a file, or a folder where the name ends in a slash. */
static bool
matches(const char *pattern, const char *name)
{
    g_autoptr(BtRules) rules = bt_rules_new();
    bool is_folder = g_str_has_suffix(name, "/");
    g_autofree char *bare = g_strndup(name, strlen(name) - is_folder);
    g_autoptr(GError) error = NULL;

    g_assert_true(bt_rules_add(rules, BT_RULE_EXCLUDE, pattern, &error));
    g_assert_no_error(error);
    return bt_rules_exclude(rules, bare, is_folder);
}

/* Each row: a pattern, names that it matches, names that it does not. What is said of git was seen
 * of `git check-ignore`. */
static void
test_patterns(void)
{
    static const struct {
        const char *pattern;
        const char *yes[8];
        const char *no[8];
    } rows[] = {
        {"a.jpg", {"a.jpg", "x/a.jpg", "x/y/a.jpg", "a.jpg/x"}, {"A.jpg", "a.jpg2", "xa.jpg"}},
        {"*.jpg", {".jpg", "a.jpg", "x/a.jpg", "x.jpg/y"}, {"a.jpgs", "jpg", "a.png"}},
        {"/a.jpg", {"a.jpg", "a.jpg/x"}, {"x/a.jpg"}},
        {"x/a.jpg", {"x/a.jpg"}, {"a.jpg", "y/x/a.jpg", "x/y/a.jpg"}},
        {"./x/a.jpg", {"x/a.jpg"}, {"y/x/a.jpg"}},
        {"x//a.jpg", {"x/a.jpg"}, {"a.jpg"}},
        {"x/", {"x/", "x/a", "y/x/", "y/x/a", "x/x"}, {"x", "y/x", "xx/"}},
        {"/x/", {"x/", "x/a", "x/y/z"}, {"x", "y/x/"}},
        {"x/y/", {"x/y/", "x/y/a"}, {"x/y", "z/x/y/"}},
        {"x/*", {"x/a", "x/y/"}, {"x", "x/", "a"}},
        {"x/*/b", {"x/a/b"}, {"x/b", "x/a/a/b"}},
        {"*", {"a", "x/", "x/a", "\xff"}, {NULL}},
        {"a*b*c", {"abc", "aXbXc", "abbcc"}, {"ab", "acb", "abcX"}},
        {"a**c", {"ac", "abc"}, {"a/c", "a/b/c"}},
        {"**/b", {"b", "a/b", "a/a/b", "b/c"}, {"ab", "a/bb"}},
        {"/**/b", {"b", "a/b", "a/a/b"}, {"ab"}},
        {"a/**", {"a/b", "a/b/c"}, {"a", "a/", "b/a/b"}},
        {"a/**/b", {"a/b", "a/x/b", "a/x/y/b"}, {"b", "ab", "x/a/b", "a/bb"}},
        {"a/**/**/b", {"a/b", "a/x/y/b"}, {"ab"}},
        {"a/**/b/**/c", {"a/b/c", "a/x/b/b/x/c", "a/b/b/c/d"}, {"a/c", "a/c/b"}},
        {"**", {"a", "a/b"}, {NULL}},
        {"**/", {"a/", "a/b"}, {"a"}},
        {"?", {"a", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xff", "x/a"}, {"ab", "\xff\xff", "ab/cd"}},
        {"a?c",
         {"abc",
          "a\xc3\xa9"
          "c",
          "a\xe9"
          "c"},
         {"ac", "a/c", "abbc"}},
        {"*?", {"a", "ab", "\xc3\xa9"}, {NULL}},
        {"[abc]", {"a", "b", "c"}, {"d", "ab"}},
        {"[a-c]x", {"ax", "bx", "cx"}, {"dx", "-x", "Ax"}},
        {"[!a-c]", {"d", "-", "\xc3\xa9"}, {"a", "c", "dd"}},
        {"[^a-c]", {"d", "^"}, {"a"}},
        {"[a^]", {"a", "^"}, {"b"}},
        {"[]a]", {"]", "a"}, {"b", "[]a]"}},
        {"[!]a]", {"b"}, {"]", "a"}},
        {"[a-]", {"a", "-"}, {"b"}},
        {"[-a]", {"a", "-"}, {"b"}},
        {"[\\]]", {"]"}, {"\\", "\\]"}},
        {"[\\a-\\c]", {"a", "b", "c"}, {"\\", "-"}},
        {"[c-a]", {NULL}, {"a", "b", "c"}},
        {"[[]", {"["}, {"]"}},
        {"[\xc3\xa0-\xc3\xbf]", {"\xc3\xa9"}, {"\xc3", "e", "\xe9"}},
        {"\\*", {"*"}, {"a", "\\*"}},
        {"\\a", {"a"}, {"\\a"}},
        {"\\\\", {"\\"}, {"\\\\"}},
        {"!a", {"!a"}, {"a", "b"}},
        {"#a", {"#a"}, {"a"}},
        {" a ", {" a "}, {"a"}},
        {"a]", {"a]"}, {"a"}},
        {"\xff*", {"\xff", "\xff\xfe"}, {"\xfe"}},
        {"a\nb", {"a\nb"}, {"a"}},
        {".*", {".a", "x/.a", ".x/a"}, {"a.b"}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (const char *const *name = rows[i].yes; *name != NULL; name++)
            if (!matches(rows[i].pattern, *name))
                g_error("%s does not match %s", rows[i].pattern, *name);
        for (const char *const *name = rows[i].no; *name != NULL; name++)
            if (matches(rows[i].pattern, *name))
                g_error("%s matches %s", rows[i].pattern, *name);
    }
}

static void
test_patterns_refused(void)
{
    static const struct {
        const char *pattern;
        const char *says;
    } rows[] = {
        {"", "the pattern \"\" is empty"},
        {"/", "empty"},
        {"///", "empty"},
        {".", "empty"},
        {"[", "the pattern [ "},
        {"a[b", " ["},
        {"[]", " ["},
        {"[!]", " ["},
        {"[a-", " ["},
        {"[a\\", " ["},
        {"[a\\]", " ["},
        {"[a/b]", " ["},
        {"x\\", " \\ "},
        {"x\\/y", " \\ "},
        {"../x", "\"..\""},
        {"[[:alpha:]]", "class"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(BtRules) rules = bt_rules_new();
        g_autoptr(GError) error = NULL;

        g_assert_false(bt_rules_add(rules, BT_RULE_EXCLUDE, rows[i].pattern, &error));
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, rows[i].says));
        g_assert_true(bt_rules_take(rules, "a.jpg"));
    }
}

/* Patterns that take a backtracking matcher longer than anybody waits: here each of a million steps
 * would be too many. */
static void
test_time(void)
{
    g_autoptr(GString) stars = g_string_new(NULL);
    g_autoptr(GString) parts = g_string_new(NULL);
    g_autofree char *letters = g_strnfill(255, 'a');
    g_autoptr(GString) deep = g_string_new(NULL);

    for (int i = 0; i < 60; i++) {
        g_string_append(stars, "a*");
        g_string_append(parts, "**/a/");
    }
    g_string_append_c(stars, 'b');
    g_string_append(parts, "b");
    for (int i = 0; i < 2000; i++)
        g_string_append(deep, "a/");
    g_string_append_c(deep, 'a');
    g_test_timer_start();
    g_assert_false(matches(stars->str, letters));
    g_assert_false(matches(parts->str, deep->str));
    g_assert_cmpfloat(g_test_timer_elapsed(), <, 1);
}

/* A word of a rule: "+GLOB" includes, "-GLOB" excludes. */
static BtRules *
make_rules(const char *words)
{
    g_auto(GStrv) list = g_strsplit(words, " ", -1);
    BtRules *rules = bt_rules_new();

    for (char **word = list; *word != NULL; word++) {
        g_autoptr(GError) error = NULL;

        g_assert_true(bt_rules_add(rules, **word == '+' ? BT_RULE_INCLUDE : BT_RULE_EXCLUDE,
                                   *word + 1, &error));
    }
    return rules;
}

static void
test_rules(void)
{
    static const struct {
        const char *words;
        const char *in;
        const char *out;
    } rows[] = {
        {"-*.png", "a.jpg x/a.jpg", "a.png x/a.png"},
        {"+*.jpg", "a.jpg x/a.jpg", "a.png"},
        {"+*.jpg -a*", "b.jpg", "a.jpg b.png x/a.jpg"},
        {"-a* +*.jpg", "a.jpg b.jpg", "a.png b.png"},
        {"-* +*.jpg", "a.jpg", "a.png"},
        {"+x/", "x/a.jpg x/y/a.png z/x/a", "a.jpg x"},
        {"+x/ -*.png", "x/a.jpg", "x/a.png a.jpg"},
        {"-*.png +x/", "x/a.png x/a.jpg", "a.png a.jpg"},
        {"+/x", "x x/a", "y/x"},
        {"-/x/**/y", "y x z/x/y", "x/y x/z/y x/z/y/a"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(BtRules) rules = make_rules(rows[i].words);
        g_auto(GStrv) in = g_strsplit(rows[i].in, " ", -1);
        g_auto(GStrv) out = g_strsplit(rows[i].out, " ", -1);

        for (char **name = in; *name != NULL; name++)
            g_assert_true(bt_rules_take(rules, *name));
        for (char **name = out; *name != NULL; name++)
            g_assert_false(bt_rules_take(rules, *name));
    }
    g_assert_true(bt_rules_take(NULL, "a"));
    g_assert_false(bt_rules_exclude(NULL, "a", true));
    g_assert_false(bt_rules_bar(NULL, "a/b"));
}

static void
test_rules_folders(void)
{
    g_autoptr(BtRules) rules = make_rules("+*.jpg -drafts/ -/x/y");

    g_assert_true(bt_rules_exclude(rules, "drafts", true));
    g_assert_true(bt_rules_exclude(rules, "a/drafts", true));
    g_assert_false(bt_rules_exclude(rules, "drafts", false));
    g_assert_false(
        bt_rules_exclude(rules, "a", true)); /* not asked for, but what is in it may be */
    g_assert_true(bt_rules_exclude(rules, "x/y", false));
    g_assert_true(bt_rules_bar(rules, "drafts/a.jpg"));
    g_assert_true(bt_rules_bar(rules, "a/drafts/b/a.jpg"));
    g_assert_true(bt_rules_bar(rules, "x/y/z"));
    g_assert_false(bt_rules_bar(rules, "drafts"));
    g_assert_false(bt_rules_bar(rules, "x/a.jpg"));
}

static int
compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static uint64_t n_ignored; /* by the last drain */

/* The names that a scan finds, sorted and with a space between them; each can be opened. *problems:
 * how many. */
static char *
drain(BtScan *scan, uint64_t problems)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    uint64_t n_problems = 0;

    n_ignored = 0;
    for (;;) {
        g_autoptr(BtSource) source = NULL;
        g_autoptr(GError) error = NULL;
        g_auto(BtFd) fd = -1;
        BtScanKind kind = bt_scan_next(scan, &source, &error);
        struct stat now;

        if (kind == BT_SCAN_END)
            break;
        n_ignored += kind == BT_SCAN_IGNORED;
        n_problems += kind == BT_SCAN_PROBLEM;
        if (kind != BT_SCAN_SOURCE)
            continue;
        fd = bt_scan_open(scan, source, &now, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(now.st_ino, ==, source->stat.st_ino);
        g_assert_true(bt_scan_stat(scan, source, &now));
        g_assert_cmpuint(now.st_ino, ==, source->stat.st_ino);
        g_ptr_array_add(names, g_strdup(source->name));
    }
    g_assert_cmpuint(n_problems, ==, problems);
    g_ptr_array_sort(names, compare);
    g_ptr_array_add(names, NULL);
    return g_strjoinv(" ", (char **)names->pdata);
}

static void
assert_scan(const char *root, const BtScanOptions *options, const char *expected)
{
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *names = NULL;

    bt_scan_configure(scan, options);
    bt_scan_add(scan, root);
    names = drain(scan, 0);
    g_assert_cmpstr(names, ==, expected);
}

static void
write_file(const char *folder, const char *name)
{
    scene_write(folder, name, "\xff\xd8\xff", 3);
}

static void
write_tree(const char *folder)
{
    static const char *const names[] = {
        "1.jpg",        "2.png",       "x/1.jpg",      "x/y/1.jpg",        "x/y/2.png",
        "drafts/1.jpg", ".hidden.jpg", ".cache/1.jpg", ".blurthumb-a.jpg", "x/.h/1.jpg"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        write_file(folder, names[i]);
}

static void
test_scan_rules(void)
{
    static const struct {
        const char *words;
        const char *expected;
        uint64_t n_ignored; /* 3 are hidden, and 1 in x */
    } rows[] = {
        {"-nothing", "1.jpg 2.png drafts/1.jpg x/1.jpg x/y/1.jpg x/y/2.png", 4},
        {"-*.png", "1.jpg drafts/1.jpg x/1.jpg x/y/1.jpg", 2 + 4},
        {"+*.png", "2.png x/y/2.png", 4 + 4},
        {"-/x", "1.jpg 2.png drafts/1.jpg", 1 + 3},
        {"-drafts/ +*.jpg", "1.jpg x/1.jpg x/y/1.jpg", 3 + 4},
        {"-x/y +x/y/1.jpg", "", 5 + 4},
        {"+/x/ -y", "x/1.jpg", 4 + 4},
    };
    g_autoptr(Scene) folder = scene_new();

    write_tree(folder);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(BtRules) rules = make_rules(rows[i].words);
        g_autoptr(BtScan) scan = bt_scan_new();
        g_autofree char *names = NULL;

        bt_scan_configure(scan, &(BtScanOptions){.rules = rules});
        bt_scan_add(scan, folder);
        names = drain(scan, 0);
        g_assert_cmpstr(names, ==, rows[i].expected);
        g_assert_cmpuint(n_ignored, ==, rows[i].n_ignored);
    }
}

/* A folder that is excluded is not entered: nobody may read this one. */
static void
check_not_entered(const char *folder)
{
    g_autofree char *closed = g_build_filename(folder, "drafts", NULL);
    g_autoptr(BtRules) rules = make_rules("-drafts/");

    write_tree(folder);
    g_assert_cmpint(chmod(folder, 0755), ==, 0);
    g_assert_cmpint(chmod(closed, 0), ==, 0);
    if (geteuid() == 0 && seteuid(65534) < 0)
        scene_skip();
    assert_scan(folder, &(BtScanOptions){.rules = rules},
                "1.jpg 2.png x/1.jpg x/y/1.jpg x/y/2.png");
}

static void
test_hidden(void)
{
    g_autoptr(Scene) folder = scene_new();

    write_tree(folder);
    assert_scan(folder, &(BtScanOptions){.hidden = true},
                ".cache/1.jpg .hidden.jpg 1.jpg 2.png drafts/1.jpg x/.h/1.jpg x/1.jpg x/y/1.jpg "
                "x/y/2.png");
}

/* A Synology NAS keeps thumbnails of its own beside the pictures. */
static void
test_thumbnails(void)
{
    g_autoptr(Scene) folder = scene_new();

    write_file(folder, "a.jpg");
    write_file(folder, "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg");
    write_file(folder, "x/@eaDir/b.jpg");
    write_file(folder, "@eaDirs/c.jpg");
    assert_scan(folder, &(BtScanOptions){0}, "@eaDirs/c.jpg a.jpg");
    assert_scan(folder, &(BtScanOptions){.hidden = true},
                "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg @eaDirs/c.jpg a.jpg x/@eaDir/b.jpg");
}

static void
test_depth(void)
{
    g_autoptr(Scene) folder = scene_new();

    write_tree(folder);
    assert_scan(folder, &(BtScanOptions){.max_depth = 1}, "1.jpg 2.png");
    assert_scan(folder, &(BtScanOptions){.max_depth = 2}, "1.jpg 2.png drafts/1.jpg x/1.jpg");
    assert_scan(folder, &(BtScanOptions){.max_depth = 3},
                "1.jpg 2.png drafts/1.jpg x/1.jpg x/y/1.jpg x/y/2.png");
}

static void
test_size_and_time(void)
{
    static const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000, .tv_nsec = 500}};
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *path = g_build_filename(folder, "100.jpg", NULL);
    g_autofree char *big = g_malloc0(1000);

    for (int i = 1; i <= 1000; i *= 10) {
        g_autofree char *name = g_strdup_printf("%d.jpg", i);

        scene_write(folder, name, big, (size_t)i);
    }
    assert_scan(folder, &(BtScanOptions){.min_bytes = 10}, "10.jpg 100.jpg 1000.jpg");
    assert_scan(folder, &(BtScanOptions){.min_bytes = 11}, "100.jpg 1000.jpg");
    assert_scan(folder, &(BtScanOptions){.max_bytes = 100}, "1.jpg 10.jpg 100.jpg");
    assert_scan(folder, &(BtScanOptions){.min_bytes = 10, .max_bytes = 99}, "10.jpg");
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
    assert_scan(folder, &(BtScanOptions){.newer_than = {1000, 500}}, "1.jpg 10.jpg 1000.jpg");
    assert_scan(folder, &(BtScanOptions){.newer_than = {1000, 499}},
                "1.jpg 10.jpg 100.jpg 1000.jpg");
    assert_scan(folder, &(BtScanOptions){.newer_than = {999, 999}},
                "1.jpg 10.jpg 100.jpg 1000.jpg");
    assert_scan(folder, &(BtScanOptions){.newer_than = {4000000000, 0}}, "");
}

/* A PATH is not asked for by any --include, and may be hidden; what excludes it, or its size or
 * time, keeps it out. */
static void
test_given(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *path = g_build_filename(folder, "drafts/.1.jpg", NULL);
    g_autoptr(BtRules) asking = make_rules("+*.png");
    g_autoptr(BtRules) excluding = make_rules("+*.png -*.jpg");
    g_autoptr(BtRules) by_folder = make_rules("-drafts/");

    write_file(folder, "drafts/.1.jpg");
    assert_scan(path, &(BtScanOptions){.rules = asking}, ".1.jpg");
    assert_scan(path, &(BtScanOptions){.rules = by_folder}, ".1.jpg");
    assert_scan(path, &(BtScanOptions){.rules = excluding}, "");
    assert_scan(path, &(BtScanOptions){.min_bytes = 4}, "");
    assert_scan(path, &(BtScanOptions){.max_bytes = 2}, "");
    assert_scan(path, &(BtScanOptions){.newer_than = {4000000000, 0}}, "");
}

static void
make_link(const char *folder, const char *target, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_cmpint(symlink(target, path), ==, 0);
}

static void
test_follow(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autoptr(Scene) elsewhere = scene_new();
    g_autofree char *file = g_build_filename(elsewhere, "sub/far.jpg", NULL);
    g_autofree char *output = g_build_filename(folder, "processed", NULL);
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *names = NULL;
    struct stat what;

    write_file(folder, "a.jpg");
    write_file(folder, "x/b.jpg");
    write_file(folder, "processed/a.jpg");
    write_file(folder, "processed/sub/a.jpg");
    write_file(elsewhere, "far.jpg");
    write_file(elsewhere, "sub/far.jpg");
    write_file(elsewhere, "text");
    make_link(folder, "a.jpg", "link.jpg");
    make_link(folder, "a.jpg", "sniffed");
    make_link(folder, file, "far.jpg");
    make_link(folder, elsewhere, "away");
    make_link(folder, "nowhere.jpg", "broken.jpg");
    make_link(folder, "itself.jpg", "itself.jpg");
    make_link(folder, "..", "x/up");
    make_link(folder, "processed", "out");
    make_link(folder, "processed/sub", "out-sub");
    make_link(folder, "processed/a.jpg", "out.jpg");
    assert_scan(folder, &(BtScanOptions){0}, "a.jpg processed/a.jpg processed/sub/a.jpg x/b.jpg");
    g_assert_cmpint(stat(output, &what), ==, 0);
    bt_scan_configure(scan, &(BtScanOptions){.follow = true});
    bt_scan_skip_folder(scan, what.st_dev, what.st_ino);
    bt_scan_add(scan, folder);
    names = drain(scan, 1); /* x/up contains itself */
    g_assert_cmpstr(
        names, ==,
        "a.jpg away/far.jpg away/sub/far.jpg away/text far.jpg link.jpg sniffed x/b.jpg");
    g_assert_cmpuint(n_ignored, ==, 4);
}

/* A file that is on another file system. */
static void
check_file_systems(const char *folder)
{
    g_autofree char *mount = g_build_filename(folder, "one/mount", NULL);
    g_autofree char *one = g_build_filename(folder, "one", NULL);
    g_autoptr(BtScan) scan = bt_scan_new();
    g_autofree char *names = NULL;

    write_file(folder, "one/a.jpg");
    write_file(folder, "one/mount/hidden below.jpg");
    if (!scene_mount(mount, "tmpfs", "size=1m"))
        scene_skip();
    write_file(folder, "one/mount/b.jpg");
    assert_scan(one, &(BtScanOptions){0}, "a.jpg mount/b.jpg");
    bt_scan_configure(scan, &(BtScanOptions){.one_file_system = true});
    bt_scan_add(scan, one);
    names = drain(scan, 0);
    g_assert_cmpstr(names, ==, "a.jpg");
}

/* Every picture is found by exactly one of several shards, whatever the PATH is called. */
static void
test_shards(void)
{
    g_autoptr(Scene) folder = scene_new();
    g_autofree char *spelled = g_strconcat(folder, "/./x/..//", NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    uint64_t n_told = 0; /* of the text */

    for (int i = 0; i < 200; i++) {
        g_autofree char *name = g_strdup_printf("%s%d.jpg", i % 2 == 0 ? "x/" : "", i);

        write_file(folder, name);
    }
    scene_write(folder, "text.txt", "text", 4);
    for (uint32_t index = 0; index < 5; index++) {
        g_autoptr(BtScan) scan = bt_scan_new();
        g_autofree char *found = NULL;
        g_auto(GStrv) names = NULL;

        bt_scan_configure(scan, &(BtScanOptions){.shard = {index, 5}});
        bt_scan_add(scan, index % 2 == 0 ? folder : spelled);
        found = drain(scan, 0);
        names = g_strsplit(found, " ", -1);
        g_assert_cmpuint(g_strv_length(names), >, 10);
        for (char **name = names; *name != NULL; name++)
            g_assert_true(g_hash_table_add(seen, g_strdup(*name)));
        n_told += n_ignored;
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, 200);
    g_assert_cmpuint(n_told, ==, 1);
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
    static void (*const children[])(const char *) = {check_not_entered, check_file_systems};

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/filter/patterns", test_patterns);
    g_test_add_func("/filter/patterns/refused", test_patterns_refused);
    g_test_add_func("/filter/patterns/time", test_time);
    g_test_add_func("/filter/rules", test_rules);
    g_test_add_func("/filter/rules/folders", test_rules_folders);
    g_test_add_func("/filter/scan/rules", test_scan_rules);
    g_test_add_data_func("/filter/scan/not-entered", &children[0], test_child);
    g_test_add_func("/filter/scan/hidden", test_hidden);
    g_test_add_func("/filter/scan/thumbnails", test_thumbnails);
    g_test_add_func("/filter/scan/depth", test_depth);
    g_test_add_func("/filter/scan/size-and-time", test_size_and_time);
    g_test_add_func("/filter/scan/given", test_given);
    g_test_add_func("/filter/scan/follow", test_follow);
    g_test_add_data_func("/filter/scan/file-systems", &children[1], test_child);
    g_test_add_func("/filter/scan/shards", test_shards);
    return g_test_run();
}
