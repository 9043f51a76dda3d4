/* SPDX-License-Identifier: MIT */
/*
 * What is on the disk before, while and after a result is published. Every property holds for each
 * way that a file system may leave us.
 */
#include "store/results.h"

#include "store/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct stat source = {
    .st_mode = S_IFREG | 0644, .st_size = 77, .st_mtim = {1700000001, 120000000}};

/* A new result and one that replaces another; whoever has the old one open goes on reading it. */
static void
check_publish(const char *folder)
{
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    g_autofree char *path = g_build_filename(folder, "sub/deep/a.jpg", NULL);
    g_autofree char *sub = g_build_filename(folder, "sub/deep", NULL);
    g_auto(BtFd) reader = -1;
    char text[8] = "";
    struct stat result;

    put(store, "sub/deep/a.jpg", "first", &source);
    assert_listed(sub, "a.jpg");
    assert_content(folder, "sub/deep/a.jpg", "first");
    result = stat_of(sub, "a.jpg");
    g_assert_cmpint(result.st_mtim.tv_sec, ==, source.st_mtim.tv_sec);
    g_assert_cmpint(result.st_mtim.tv_nsec, ==, source.st_mtim.tv_nsec);
    reader = open(path, O_RDONLY | O_CLOEXEC);
    put(store, "sub/deep/a.jpg", "second", &source);
    assert_listed(sub, "a.jpg");
    assert_content(folder, "sub/deep/a.jpg", "second");
    g_assert_cmpint(read(reader, text, sizeof text), ==, 5);
    g_assert_cmpstr(text, ==, "first");
    g_assert_cmpint(bt_store_look(store, "sub/deep/a.jpg", &source, &result), ==, BT_STORE_FRESH);
    g_assert_cmpint(result.st_size, ==, 6);
}

/* A publish that fails is an error that names it, and leaves what was there, and nothing else. */
static void
check_failures(const char *folder)
{
    g_autofree char *fifo = g_build_filename(folder, "fifo.jpg", NULL);
    g_autofree char *long_name = g_strnfill(256, 'x');
    const char *const names[] = {"folder.jpg", "fifo.jpg", "mine.jpg", "file/a.jpg", long_name};

    scene_write(folder, "folder.jpg/inside", "x", 1);
    scene_write(folder, "mine.jpg", "mine", 4);
    scene_write(folder, "file", "file", 4);
    g_assert_cmpint(mkfifo(fifo, 0666), ==, 0);
    {
        g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
            g_autoptr(GError) error = NULL;

            g_assert_false(try_put(store, names[i], "text", &source, &error));
            g_assert_nonnull(strstr(error->message, names[i]));
            g_assert_cmpint(g_error_matches(error, BT_ERROR, BT_ERROR_TAKEN), ==, i < 3);
        }
    }
    assert_listed(folder, ".blurthumb fifo.jpg file folder.jpg mine.jpg");
    assert_content(folder, "folder.jpg/inside", "x");
    assert_content(folder, "mine.jpg", "mine");
}

/* Without /proc, a name that is there is still known to be. */
static void
check_no_proc(const char *folder)
{
    g_autoptr(BtStore) store = NULL;

    scene_refuse(SYS_linkat, 4, AT_SYMLINK_FOLLOW, ENOENT);
    store = open_store(folder, SETTINGS, 0);
    put(store, "a.jpg", "first", &source);
    put(store, "a.jpg", "second", &source);
    assert_content(folder, "a.jpg", "second");
    assert_listed(folder, ".blurthumb a.jpg");
}

/* Inodes that were brought to the disk, in this process. */
static GArray *synced;

int
fsync(int fd)
{
    struct stat file;

    if (synced != NULL && fstat(fd, &file) == 0)
        g_array_append_val(synced, file.st_ino);
    return (int)syscall(SYS_fsync, fd);
}

/* When the output folder is made, any folder above it may have a new name in it. */
static void
check_new_output(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "new/deep/out", NULL);
    g_autoptr(BtStore) store = NULL;

    synced = g_array_new(FALSE, FALSE, sizeof(ino_t));
    store = open_store(path, SETTINGS, BT_STORE_DURABLE);
    do {
        ino_t above;
        guint i = 0;

        *strrchr(path, '/') = '\0';
        above = stat_of(path, "/").st_ino;
        while (i < synced->len && g_array_index(synced, ino_t, i) != above)
            i++;
        g_assert_cmpuint(i, <, synced->len);
    } while (*path != '\0');
    g_clear_pointer(&synced, g_array_unref);
}

/* A durable result has its name only once it is on the disk: when that fails, the old one stays. */
static void
check_durable(const char *folder)
{
    g_autofree char *output = g_build_filename(folder, "out", NULL);
    g_autoptr(BtStore) store = open_store(output, SETTINGS, BT_STORE_DURABLE);
    g_autoptr(BtStore) hasty = open_store(output, SETTINGS, 0);
    g_autoptr(GError) error = NULL;

    put(store, "x/y/a.jpg", "first", &source);
    put(store, "x/y/a.jpg", "second", &source);
    scene_refuse(SYS_fsync, 0, 0, EIO);
    g_assert_false(try_put(store, "x/y/a.jpg", "third", &source, &error));
    g_assert_error(error, BT_ERROR_SYSTEM, EIO);
    g_clear_error(&error);
    g_assert_false(try_put(store, "new/a.jpg", "first", &source, &error));
    g_assert_error(error, BT_ERROR_SYSTEM, EIO);
    assert_content(output, "x/y/a.jpg", "second");
    assert_state(store, "x/y/a.jpg", &source, BT_STORE_FRESH);
    assert_state(store, "new/a.jpg", &source, BT_STORE_NEW);
    put(hasty, "x/y/a.jpg", "third", &source);
    assert_content(output, "x/y/a.jpg", "third");
}

/* A result that is shorter than was said is none: the old one stays. */
static void
check_short(const char *folder)
{
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    g_auto(BtFd) fd = memfd_create("result", MFD_CLOEXEC);
    BtOrigin origin = {.stat = source};
    BtStoreResult result = {.fd = fd, .bytes = 5, .origin = &origin};
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(write(fd, "four", 4), ==, 4);
    put(store, "a.jpg", "old", &source);
    g_assert_false(bt_store_publish(store, "a.jpg", &result, &error));
    g_assert_error(error, BT_ERROR_SYSTEM, EIO);
    assert_content(folder, "a.jpg", "old");
    assert_listed(folder, ".blurthumb a.jpg");
    assert_state(store, "a.jpg", &source, BT_STORE_FRESH);
    /* One that is longer is cut to what was said: the rest is nobody's. */
    result.bytes = 2;
    g_clear_error(&error);
    g_assert_true(bt_store_publish(store, "a.jpg", &result, &error));
    assert_content(folder, "a.jpg", "fo");
}

/* A link under a final name stays, unless forced; what it points to is not touched even then. A
 * link to a folder is not followed. */
static void
check_links(const char *folder)
{
    g_autofree char *link = g_build_filename(folder, "out/a.jpg", NULL);
    g_autofree char *folder_link = g_build_filename(folder, "out/sub", NULL);
    g_autofree char *output = g_build_filename(folder, "out", NULL);
    g_autofree char *output_link = g_build_filename(folder, "link", NULL);
    g_autoptr(BtStore) store = open_store(output, SETTINGS, 0);
    g_autoptr(BtStore) forced = open_store(output, SETTINGS, BT_STORE_FORCE);
    g_autoptr(BtStore) linked = NULL;
    g_autoptr(GError) error = NULL;

    scene_write(folder, "precious.jpg", "precious", 8);
    g_assert_cmpint(symlink("../precious.jpg", link), ==, 0);
    g_assert_cmpint(symlink("..", folder_link), ==, 0);
    g_assert_cmpint(symlink("out", output_link), ==, 0);
    assert_state(store, "a.jpg", &source, BT_STORE_FOREIGN);
    g_assert_false(try_put(store, "a.jpg", "result", &source, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
    g_clear_error(&error);
    assert_state(forced, "a.jpg", &source, BT_STORE_FORCED);
    put(forced, "a.jpg", "result", &source);
    assert_content(folder, "precious.jpg", "precious");
    assert_content(output, "a.jpg", "result");
    g_assert_false(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
    g_assert_false(try_put(forced, "sub/precious.jpg", "x", &source, &error));
    g_assert_error(error, BT_ERROR_SYSTEM, ELOOP);
    assert_state(forced, "sub/precious.jpg", &source, BT_STORE_NEW);
    linked = open_store(output_link, SETTINGS, 0);
    put(linked, "b.jpg", "through the link", &source);
    assert_content(output, "b.jpg", "through the link");
}

/* Names up to what a file system takes, though a temporary's is longer than most, and of any
 * bytes. */
static void
check_names(const char *folder)
{
    static const char *const names[] = {"a b", "\xff\n", "-rf", "a]", "%s", "%41", "\\", "sub/.x"};
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    g_autofree char *long_name = g_strnfill(255, 'x');

    for (int i = 0; i < 2; i++) {
        put(store, long_name, "long", &source);
        assert_content(folder, long_name, "long");
        assert_state(store, long_name, &source, BT_STORE_FRESH);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        put(store, names[i], names[i], &source);
        assert_content(folder, names[i], names[i]);
        for (size_t j = 0; j < G_N_ELEMENTS(names); j++)
            assert_state(store, names[j], &source, j <= i ? BT_STORE_FRESH : BT_STORE_NEW);
    }
}

/* As many rights as the source has and the mask allows, for the owner, too. */
static void
check_modes(const char *folder)
{
    static const mode_t masks[] = {0, 022, 077}, modes[] = {0644, 0600, 0444, 0777, 0400, 0666};

    for (size_t i = 0; i < G_N_ELEMENTS(masks); i++) {
        g_autofree char *output = g_strdup_printf("%s/%zu/new", folder, i);
        g_autofree char *sub = g_build_filename(output, "sub", NULL);
        mode_t before = umask(masks[i]);
        g_autoptr(BtStore) store = open_store(output, SETTINGS, 0);

        for (size_t j = 0; j < 2 * G_N_ELEMENTS(modes); j++) {
            struct stat of_mode = source, file;

            of_mode.st_mode = S_IFREG | modes[j / 2];
            put(store, "sub/a.jpg", "x", &of_mode);
            file = stat_of(sub, "a.jpg");
            g_assert_cmpuint(file.st_mode, ==, S_IFREG | (modes[j / 2] & 0666 & ~masks[i]));
            g_assert_cmpuint(file.st_nlink, ==, 1);
        }
        g_assert_cmpuint(stat_of(sub, "").st_mode, ==, S_IFDIR | (0777 & ~masks[i]));
        g_assert_cmpuint(stat_of(output, BT_STORE_KEY_NAME).st_mode, ==,
                         S_IFREG | (0666 & ~masks[i]));
        umask(before);
    }
}

/* Without privileges, too, a source that nobody may write has a result with an attribute. */
static void
check_read_only(const char *folder)
{
    struct stat read_only = source;

    if (geteuid() == 0 && (chmod(folder, 0777) < 0 || setuid(65534) < 0))
        scene_skip();
    read_only.st_mode = S_IFREG | 0444;
    {
        g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
        g_autofree char *names = NULL;

        for (int i = 0; i < 2; i++) {
            put(store, "a.jpg", i == 0 ? "first" : "second", &read_only);
            assert_state(store, "a.jpg", &read_only, BT_STORE_FRESH);
        }
        g_assert_cmpuint(stat_of(folder, "a.jpg").st_mode & 0777, ==, 0444 & ~022);
        names = scene_list(folder);
        if (current_fault()->attributes)
            g_assert_cmpstr(names, ==, ".blurthumb a.jpg");
    }
}

static bool
exists(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    return access(path, F_OK) == 0;
}

/* Temporaries of a dead process go in each folder that a run puts something into. Those of a living
 * process, of another host and of another PID namespace stay. */
static void
check_swept(const char *folder)
{
    g_autofree char *dead = NULL, *below = NULL, *living = NULL, *aside = NULL;
    g_autofree char *elsewhere = NULL, *next_door = NULL;
    struct stat pids;
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    g_assert_cmpint(stat("/proc/self/ns/pid", &pids), ==, 0);
    dead = g_strdup_printf(".blurthumb-%s.%lu-%d-7.tmp", g_get_host_name(),
                           (unsigned long)pids.st_ino, (int)child);
    living = g_strdup_printf(".blurthumb-%s.%lu-%d-7.tmp", g_get_host_name(),
                             (unsigned long)pids.st_ino, (int)getpid());
    elsewhere = g_strdup_printf(".blurthumb-elsewhere.%lu-%d-7.tmp", (unsigned long)pids.st_ino,
                                (int)child);
    next_door = g_strdup_printf(".blurthumb-%s.1-%d-7.tmp", g_get_host_name(), (int)child);
    below = g_strdup_printf("sub/%s", dead);
    aside = g_strdup_printf("aside/%s", dead);
    scene_write(folder, dead, "half", 4);
    scene_write(folder, below, "half", 4);
    scene_write(folder, aside, "half", 4);
    scene_write(folder, living, "x", 1);
    scene_write(folder, elsewhere, "x", 1);
    scene_write(folder, next_door, "x", 1);
    {
        g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);

        g_assert_false(exists(folder, dead));
        g_assert_true(exists(folder, below));
        put(store, "sub/a.jpg", "a", &source);
        g_assert_false(exists(folder, below));
        g_assert_true(exists(folder, aside));
    }
    g_assert_true(exists(folder, living));
    g_assert_true(exists(folder, elsewhere));
    g_assert_true(exists(folder, next_door));
}

static void
publish_for_ever(const char *folder, int i)
{
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);

    for (;; i++)
        put(store, "a.jpg", i % 2 == 0 ? "even" : "odd, and longer", &source);
}

/* Whenever a process is killed, there is one whole result, and it is ours. */
static void
check_killed(const char *folder)
{
    {
        g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);

        put(store, "a.jpg", "even", &source);
    }
    for (int i = 0; i < 25; i++) {
        g_autofree char *text = NULL;
        pid_t child = fork();

        if (child == 0)
            publish_for_ever(folder, i);
        g_usleep((gulong)g_random_int_range(500, 8000));
        kill(child, SIGKILL);
        g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
        {
            g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);

            assert_state(store, "a.jpg", &source, BT_STORE_FRESH);
        }
        assert_listed(folder, ".blurthumb a.jpg");
        text = scene_read(folder, "a.jpg");
        if (strcmp(text, "even") != 0)
            g_assert_cmpstr(text, ==, "odd, and longer");
    }
}

/* Which way was taken: records and temporaries have names only where there is no other way. A call
 * that cuts the way short shows it. */
static void
check_way(const char *folder)
{
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    g_autofree char *ledger = g_build_filename(folder, ".blurthumb-results", NULL);
    g_autofree char *before = NULL, *after = NULL;
    g_auto(BtFd) fd = memfd_create("result", MFD_CLOEXEC);
    BtOrigin origin = {.stat = source};
    BtStoreResult result = {.fd = fd, .bytes = 4, .origin = &origin};
    pid_t child;

    put(store, "a.jpg", "x", &source);
    g_assert_cmpint(access(ledger, F_OK) != 0, ==, current_fault()->attributes);
    before = scene_list(folder);
    g_assert_cmpint(write(fd, "text", 4), ==, 4);
    if ((child = fork()) == 0) { /* it dies while it copies */
        static const struct rlimit none = {0}, two_bytes = {2, 2};

        setrlimit(RLIMIT_CORE, &none);
        setrlimit(RLIMIT_FSIZE, &two_bytes);
        _exit(bt_store_publish(store, "b.jpg", &result, NULL));
    }
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    after = scene_list(folder);
    g_assert_cmpint(strcmp(before, after) == 0, ==, current_fault()->nameless);
}

/* A temporary of somebody else's living process, which may not be signalled, stays. */
static void
check_others(const char *folder)
{
    g_autofree char *theirs = NULL;
    struct stat pids;

    if (geteuid() == 0 && (chmod(folder, 0777) < 0 || setuid(65534) < 0))
        scene_skip();
    g_assert_cmpint(stat("/proc/self/ns/pid", &pids), ==, 0);
    theirs =
        g_strdup_printf(".blurthumb-%s.%lu-1-7.tmp", g_get_host_name(), (unsigned long)pids.st_ino);
    scene_write(folder, theirs, "x", 1);
    bt_store_free(open_store(folder, SETTINGS, 0));
    g_assert_true(exists(folder, theirs));
}

/* A disk that is full says so, as ENOSPC, wherever it is met, and the old result stays. */
static void
check_full(const char *folder)
{
    g_autofree char *filler = g_strnfill(4095, 'x');
    g_autofree char *path = g_build_filename(folder, "filler", NULL);
    g_autoptr(GError) error = NULL;
    g_auto(BtFd) fd = -1;

    if (!scene_mount(folder, "tmpfs", "size=256k"))
        scene_skip();
    {
        g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);

        put(store, "a.jpg", "old", &source);
        g_assert_cmpint(fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666), >=, 0);
        while (write(fd, filler, 4096) == 4096)
            ;
        g_assert_cmpint(errno, ==, ENOSPC);
        g_assert_false(try_put(store, "a.jpg", filler, &source, &error));
        g_assert_error(error, BT_ERROR_SYSTEM, ENOSPC);
        g_clear_error(&error);
        assert_state(store, "a.jpg", &source, BT_STORE_FRESH);
    }
    {
        g_autoptr(BtStore) store = look_only(folder, OTHER, 0);

        g_assert_false(bt_store_make(store, &error));
        g_assert_error(error, BT_ERROR_SYSTEM, ENOSPC);
    }
    assert_content(folder, BT_STORE_KEY_NAME, SETTINGS);
    assert_content(folder, "a.jpg", "old");
    assert_listed(folder, ".blurthumb a.jpg filler");
}

static void
run_case(gconstpointer data)
{
    g_autoptr(Scene) folder = scene_new();

    if (!scene_run(*(void (*const *)(const char *))data, folder))
        g_test_skip("needs root");
}

enum {
    RUNS = 4,
    ROUNDS = 60,
    NAMES = 3
};

static void
race(const char *folder, int run)
{
    g_autofree char *text = g_strnfill(10000, (char)('a' + run));
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);

    for (int i = 0; i < ROUNDS; i++) {
        g_autofree char *name = g_strdup_printf("sub/%d.jpg", i % NAMES);
        g_autofree char *seen = NULL;

        put(store, name, text, &source);
        seen = scene_read(folder, name);
        g_assert_cmpuint(strspn(seen, (char[]){seen[0], '\0'}), ==, 10000);
    }
}

/* Several processes, one folder that is not there yet, the same names: each name holds one whole
 * result in the end, each reader ever sees a whole one, and nothing else is left. */
static void
check_race(const char *folder)
{
    g_autofree char *output = g_build_filename(folder, "out", NULL);
    g_autofree char *sub = g_build_filename(output, "sub", NULL);

    for (int run = 0; run < RUNS; run++)
        if (fork() == 0) {
            race(output, run);
            _exit(0);
        }
    for (int run = 0; run < RUNS; run++) {
        int status;

        g_assert_cmpint(wait(&status), >, 0);
        g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_listed(sub, "0.jpg 1.jpg 2.jpg");
    assert_listed(output, ".blurthumb sub");
    assert_content(output, BT_STORE_KEY_NAME, SETTINGS);
    {
        g_autoptr(BtStore) store = open_store(output, SETTINGS, 0);

        assert_state(store, "sub/0.jpg", &source, BT_STORE_FRESH);
    }
}

/* Somebody else's file that comes between the look and the publish stays. */
static void
check_foreign_race(const char *folder)
{
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    g_autoptr(GError) error = NULL;

    assert_state(store, "a.jpg", &source, BT_STORE_NEW);
    put(store, "b.jpg", "b", &source);
    assert_state(store, "b.jpg", &source, BT_STORE_FRESH);
    scene_write(folder, "a.jpg", "mine", 4);
    remove_name(folder, "b.jpg");
    scene_write(folder, "b.jpg", "mine", 4);
    for (int i = 0; i < 3; i++) {
        g_assert_false(try_put(store, "a.jpg", "text", &source, &error));
        g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
        g_clear_error(&error);
        g_assert_false(try_put(store, "b.jpg", "text", &source, &error));
        g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
        g_clear_error(&error);
        assert_content(folder, "a.jpg", "mine");
        assert_content(folder, "b.jpg", "mine");
    }
    /* Not even one that would have been taken for fresh by its time. */
    bt_store_free(store);
    store = open_store(folder, SETTINGS, 0);
    assert_content(folder, BT_STORE_KEY_NAME, SETTINGS);
    remove_name(folder, "a.jpg");
    assert_state(store, "a.jpg", &source, BT_STORE_NEW);
    scene_write(folder, "a.jpg", "mine", 4);
    set_time(folder, "a.jpg", source.st_mtim);
    assert_state(store, "a.jpg", &source, BT_STORE_FRESH);
    g_assert_false(try_put(store, "a.jpg", "text", &source, &error));
    g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
    assert_content(folder, "a.jpg", "mine");
}

/* The same while a result is on its way: it waits for the lock of a ledger, which we hold. */
static void
check_late_race(const char *folder)
{
    g_autofree char *ledger = g_build_filename(folder, BT_LEDGER_NAME, NULL);
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    g_auto(BtFd) holder = -1;
    int status;
    pid_t child;

    put(store, "b.jpg", "ours", &source);
    if (current_fault()->attributes)
        return;
    holder = open(ledger, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(flock(holder, LOCK_EX), ==, 0);
    if ((child = fork()) == 0) {
        g_autoptr(GError) error = NULL;

        close(holder);
        g_assert_false(try_put(store, "a.jpg", "text", &source, &error));
        g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
        _exit(0);
    }
    g_usleep(100000);
    g_assert_cmpint(waitpid(child, &status, WNOHANG), ==, 0);
    scene_write(folder, "a.jpg", "mine", 4);
    bt_fd_clear(&holder);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_content(folder, "a.jpg", "mine");
}

/* A page replaces pages that carry its mark, and nothing else. */
static void
check_page(const char *folder)
{
    static const struct {
        const char *text;
        bool is_replaced;
    } pages[] = {
        {"<!-- MARK --> old", true}, {"<html>", false}, {"", false}, {"MAR", false}, {"MARK", true},
    };
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    g_autoptr(BtStore) forced = open_store(folder, SETTINGS, BT_STORE_FORCE);
    g_auto(BtFd) fd = memfd_create("page", MFD_CLOEXEC);
    BtStoreResult page = {.fd = fd, .bytes = 12, .mark = "MARK"};

    g_assert_cmpint(write(fd, "a MARK inside", 12), ==, 12);
    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++) {
        g_autoptr(GError) error = NULL;

        scene_write(folder, "index.html", pages[i].text, strlen(pages[i].text));
        g_assert_cmpint(bt_store_publish(store, "index.html", &page, &error), ==,
                        pages[i].is_replaced);
        if (!pages[i].is_replaced)
            g_assert_error(error, BT_ERROR, BT_ERROR_TAKEN);
        assert_content(folder, "index.html", pages[i].is_replaced ? "a MARK insid" : pages[i].text);
        g_clear_error(&error);
        g_assert_true(bt_store_publish(forced, "index.html", &page, &error));
        assert_content(folder, "index.html", "a MARK insid");
    }
    g_assert_cmpuint(stat_of(folder, "index.html").st_mode & 0777, ==, 0644);
}

/* No descriptor is left, whatever was done. */
static void
check_descriptors(const char *folder)
{
    g_autofree char *before = scene_list("/proc/self/fd");
    g_autofree char *after = NULL;

    check_publish(folder);
    check_foreign_race(folder);
    after = scene_list("/proc/self/fd");
    g_assert_cmpstr(before, ==, after);
}

static const struct {
    const char *name;
    void (*check)(const char *folder);
} checks[] = {
    {"publish", check_publish},
    {"failures", check_failures},
    {"durable", check_durable},
    {"no-proc", check_no_proc},
    {"new-output", check_new_output},
    {"short", check_short},
    {"links", check_links},
    {"names", check_names},
    {"modes", check_modes},
    {"read-only", check_read_only},
    {"swept", check_swept},
    {"others", check_others},
    {"killed", check_killed},
    {"way", check_way},
    {"race", check_race},
    {"foreign-race", check_foreign_race},
    {"late-race", check_late_race},
    {"page", check_page},
    {"descriptors", check_descriptors},
};

int
main(int argc, char **argv)
{
    static void (*const full)(const char *folder) = check_full;

    umask(022);
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++)
        add_faulty_test("/publish", checks[i].name, checks[i].check);
    g_test_add_data_func("/publish/full", &full, run_case);
    return g_test_run();
}
