/* SPDX-License-Identifier: MIT */
/* Records in a file of their own, in real folders and on a real exFAT. */
#include "store/ledger.h"

#include "store/results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A ledger and the folder that it lies in. */
typedef struct Open {
    BtFd dirfd;
    BtLedger *ledger;
} Open;

static Open
open_ledger(const char *folder)
{
    Open self = {.dirfd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)};

    g_assert_cmpint(self.dirfd, >=, 0);
    self.ledger = bt_ledger_new(self.dirfd);
    return self;
}

static void
close_ledger(Open *self)
{
    bt_ledger_free(self->ledger);
    bt_fd_clear(&self->dirfd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Open, close_ledger)

static BtRecord
record_of(uint64_t n)
{
    return (BtRecord){
        .settings = n,
        .root = 1,
        .place = 2,
        .source_bytes = 3,
        .source_time = {.tv_sec = 1700000000, .tv_nsec = 123456789},
        .bytes = n,
    };
}

static void
put_record(const Open *self, const char *name, uint64_t n)
{
    BtRecord record = record_of(n);

    g_assert_true(bt_ledger_put(self->ledger, name, &record, n % 16 == 0));
}

/* Whether the result that record `n` was made for is known under a name. */
static bool
has(const Open *self, const char *name, uint64_t n)
{
    BtRecord record = record_of(n), found = {0};
    struct stat file = {.st_size = (off_t)n, .st_mtim = record.source_time};

    if (!bt_ledger_get(self->ledger, name, &file, &found))
        return false;
    g_assert_cmpmem(&found, sizeof found, &record, sizeof record);
    return true;
}

static unsigned
count_lines(const char *folder)
{
    g_autofree char *text = scene_read(folder, BT_LEDGER_NAME);
    unsigned n = 0;

    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        n++;
    return n;
}

static void
append_text(const char *folder, const char *text)
{
    g_autofree char *path = g_build_filename(folder, BT_LEDGER_NAME, NULL);
    g_auto(BtFd) fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
}

/* Nothing is made by looking, and a name is known by its bytes, whatever they are. */
static void
check_names(const char *folder)
{
    g_autofree char *long_name = g_strnfill(255, '\xfe');
    const char *const names[] = {
        "a.jpg",        "a b  c.jpg", " ",   "\n",     "a\nb.jpg", "\\",   "\\n",
        "%41",          "%",          "-",   "\t\r",   "\"",       "\xff", "\xff\xfe.png",
        "\303\251.jpg", "\1",         "1 1", long_name};
    g_auto(Open) one = open_ledger(folder);
    g_auto(Open) other = open_ledger(folder);
    g_auto(Open) later = {.dirfd = -1};

    g_assert_false(has(&one, "a.jpg", 1));
    assert_listed(folder, "");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_false(has(&one, names[i], i + 1));
        put_record(&one, names[i], i + 1);
        g_assert_true(has(&other, names[i], i + 1));
    }
    g_assert_cmpuint(count_lines(folder), ==, G_N_ELEMENTS(names));
    later = open_ledger(folder);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(names); j++)
            g_assert_cmpint(has(&later, names[i], j + 1), ==, i == j);
}

enum {
    WRITERS = 3,
    RECORDS = 200
};

/* Writers of several processes at once lose nothing, while what is old is thrown away. */
static void
check_writers(const char *folder)
{
    g_auto(Open) early = open_ledger(folder);
    g_auto(Open) late = {.dirfd = -1};

    put_record(&early, "early", 7);
    for (unsigned writer = 0; writer < WRITERS; writer++)
        if (fork() == 0) {
            g_auto(Open) own = open_ledger(folder);

            for (unsigned i = 1; i <= RECORDS; i++) {
                g_autofree char *name = g_strdup_printf("%u-%u", writer, i);
                g_autofree char *again = g_strdup_printf("%u", writer);

                put_record(&own, name, i);
                for (unsigned j = 0; j < 5; j++)
                    put_record(&own, again, 16 * (5 * i + j) + 1);
            }
            _exit(0);
        }
    for (unsigned writer = 0; writer < WRITERS; writer++) {
        int status;

        g_assert_cmpint(wait(&status), >, 0);
        g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    late = open_ledger(folder);
    for (unsigned writer = 0; writer < WRITERS; writer++) {
        g_autofree char *again = g_strdup_printf("%u", writer);

        for (unsigned i = 1; i <= RECORDS; i++) {
            g_autofree char *name = g_strdup_printf("%u-%u", writer, i);

            g_assert_true(has(&late, name, i));
            g_assert_true(has(&early, name, i));
        }
        g_assert_true(has(&late, again, 16 * (5 * RECORDS + 4) + 1));
        g_assert_true(has(&late, again, 16 * (5 * RECORDS + 3) + 1));
    }
    g_assert_true(has(&early, "early", 7));
    g_assert_cmpuint(count_lines(folder), <, 5 * (WRITERS * (RECORDS + 1) + 1));
    assert_listed(folder, "");
}

/* What a crash has left of a last line, wherever it was cut, is no record, and spoils none. */
static void
check_torn(const char *folder)
{
    static const char line[] = "1 0000000000000009 0000000000000001 0000000000000002 3 "
                               "1700000000.123456789 9 b%FFc%20.jpg";

    for (size_t length = 1; length < sizeof line - 1; length++) {
        g_autofree char *torn = g_strndup(line, length);

        {
            g_auto(Open) self = open_ledger(folder);

            put_record(&self, "a.jpg", 1);
            append_text(folder, torn);
            g_assert_true(has(&self, "a.jpg", 1));
            put_record(&self, "c.jpg", 2);
            g_assert_true(has(&self, "c.jpg", 2));
        }
        {
            g_auto(Open) self = open_ledger(folder);

            g_assert_true(has(&self, "a.jpg", 1));
            g_assert_true(has(&self, "c.jpg", 2));
            g_assert_false(has(&self,
                               "b\xff"
                               "c .jpg",
                               9));
        }
        remove_name(folder, BT_LEDGER_NAME);
    }
}

static void
check_garbage(const char *folder)
{
    g_auto(Open) self = open_ledger(folder);

    put_record(&self, "a.jpg", 1);
    append_text(
        folder,
        "garbage\n\n \n-\n- \nx a%zz\n\\ a\\\n2 1 2 3 4 5.000000000 6 later.jpg\nx a.jpg\ny a.jpg\n"
        "1 1 a%2\n%00 %00\n\xff \xff\n");
    put_record(&self, "b.jpg", 2);
    for (int i = 0; i < 2; i++) {
        g_assert_true(has(&self, "a.jpg", 1));
        g_assert_true(has(&self, "b.jpg", 2));
        g_assert_false(has(&self, "later.jpg", 6));
        g_assert_false(has(&self, "a.jpg", 0));
        close_ledger(&self);
        self = open_ledger(folder);
    }
}

/* A record that is put before its result is there: until it is, and when it never comes, the old
 * result is ours, and what is neither is not. However often that happens. */
static void
check_crash(const char *folder)
{
    g_auto(Open) self = open_ledger(folder);

    put_record(&self, "a.jpg", 1);
    for (int i = 0; i < 5; i++) {
        put_record(&self, "a.jpg", 2);
        g_assert_true(has(&self, "a.jpg", 1));
        g_assert_true(has(&self, "a.jpg", 2));
        g_assert_false(has(&self, "a.jpg", 3));
        close_ledger(&self);
        self = open_ledger(folder);
    }
    put_record(&self, "a.jpg", 3);
    g_assert_false(has(&self, "a.jpg", 1));
    g_assert_true(has(&self, "a.jpg", 2));
    g_assert_true(has(&self, "a.jpg", 3));
}

/* The same seen from the store: the record of a result that was never named, and a file of somebody
 * else's under the name. */
static void
check_crash_in_store(const char *folder)
{
    struct stat old = source_of(77, 1700000000, 0), new = source_of(78, 1700000100, 0);
    g_autoptr(BtStore) store = open_store(folder, SETTINGS, 0);
    g_auto(Open) ledger = open_ledger(folder);
    BtRecord record = record_of(8);

    record.source_time = new.st_mtim;
    put(store, "a.jpg", "text", &old);
    g_assert_true(bt_ledger_put(ledger.ledger, "a.jpg", &record, true));
    assert_state(store, "a.jpg", &old, BT_STORE_FRESH);
    assert_state(store, "a.jpg", &new, BT_STORE_CHANGED);
    scene_write(folder, "b.jpg", "mine", 4);
    g_assert_true(bt_ledger_put(ledger.ledger, "b.jpg", &record, true));
    assert_state(store, "b.jpg", &new, BT_STORE_FOREIGN);
    set_time(folder, "b.jpg", new.st_mtim);
    g_assert_true(bt_ledger_put(ledger.ledger, "b.jpg", &record, true));
    remove_name(folder, BT_STORE_KEY_NAME);
    bt_store_free(store);
    store = look_only(folder, SETTINGS, 0);
    assert_state(store, "b.jpg", &new, BT_STORE_FOREIGN); /* the time, but not the size */
    scene_write(folder, "b.jpg", "not mine", 8);
    assert_state(store, "b.jpg", &new, BT_STORE_FOREIGN); /* the size, but not the time */
}

/* The file does not grow for ever; what counts stays, and what was taken back does not come again.
 */
static void
check_anew(const char *folder)
{
    g_auto(Open) self = open_ledger(folder);
    g_auto(Open) other = open_ledger(folder);
    unsigned most = 0;

    put_record(&self, "kept.jpg", 5);
    put_record(&self, "gone.jpg", 6);
    g_assert_true(bt_ledger_put(self.ledger, "gone.jpg", NULL, false));
    for (unsigned i = 1; i <= 500; i++) {
        put_record(&self, "a b.jpg", i);
        g_assert_true(has(&other, "a b.jpg", i));
        g_assert_true(has(&self, "a b.jpg", i));
        g_assert_true(i == 1 || has(&self, "a b.jpg", i - 1));
        g_assert_true(i < 3 || !has(&self, "a b.jpg", i - 2));
        most = MAX(most, count_lines(folder));
    }
    g_assert_cmpuint(most, <=, 64 + 4 * 2 + 1);
    g_assert_true(has(&self, "kept.jpg", 5));
    g_assert_true(has(&other, "kept.jpg", 5));
    g_assert_false(has(&self, "gone.jpg", 6));
    g_assert_false(has(&other, "gone.jpg", 6));
    assert_listed(folder, "");
}

static void
check_removal(const char *folder)
{
    g_auto(Open) self = open_ledger(folder);

    put_record(&self, "a.jpg", 1);
    put_record(&self, "a.jpg", 2);
    put_record(&self, "b.jpg", 3);
    g_assert_true(bt_ledger_put(self.ledger, "a.jpg", NULL, false));
    for (int i = 0; i < 2; i++) {
        g_assert_false(has(&self, "a.jpg", 1));
        g_assert_false(has(&self, "a.jpg", 2));
        g_assert_true(has(&self, "b.jpg", 3));
        close_ledger(&self);
        self = open_ledger(folder);
    }
    put_record(&self, "a.jpg", 4);
    g_assert_true(has(&self, "a.jpg", 4));
    g_assert_false(has(&self, "a.jpg", 2));
}

/* What another process does to the file while we hold it: replaces, removes or cuts it. */
static void
check_replaced(const char *folder)
{
    g_autofree char *elsewhere = g_build_filename(folder, "elsewhere", NULL);
    g_autofree char *path = g_build_filename(folder, BT_LEDGER_NAME, NULL);
    g_autofree char *theirs = g_build_filename(elsewhere, BT_LEDGER_NAME, NULL);
    g_auto(Open) self = open_ledger(folder);

    g_assert_cmpint(mkdir(elsewhere, 0777), ==, 0);
    put_record(&self, "a.jpg", 1);
    {
        g_auto(Open) other = open_ledger(elsewhere);

        put_record(&other, "b.jpg", 2);
    }
    g_assert_cmpint(rename(theirs, path), ==, 0);
    g_assert_false(has(&self, "a.jpg", 1));
    g_assert_true(has(&self, "b.jpg", 2));
    put_record(&self, "c.jpg", 3);
    g_assert_cmpuint(count_lines(folder), ==, 2);
    remove_name(folder, BT_LEDGER_NAME);
    g_assert_false(has(&self, "b.jpg", 2));
    put_record(&self, "d.jpg", 4);
    g_assert_true(has(&self, "d.jpg", 4));
    g_assert_false(has(&self, "c.jpg", 3));
    g_assert_cmpint(truncate(path, 0), ==, 0);
    g_assert_false(has(&self, "d.jpg", 4));
    put_record(&self, "e.jpg", 5);
    g_assert_true(has(&self, "e.jpg", 5));
    g_assert_cmpuint(count_lines(folder), ==, 1);
}

/* Replaced between the opening and the lock: we wait for one that is not the ledger any more. */
static void
check_lock(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, BT_LEDGER_NAME, NULL);
    g_autofree char *new_path = g_build_filename(folder, "new", NULL);
    g_auto(Open) self = open_ledger(folder);
    g_auto(BtFd) holder = -1;
    pid_t child;
    int status;

    put_record(&self, "a.jpg", 1);
    holder = open(path, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(flock(holder, LOCK_EX), ==, 0);
    if ((child = fork()) == 0) {
        g_auto(Open) own = open_ledger(folder);

        close(holder);
        put_record(&own, "b.jpg", 2);
        _exit(0);
    }
    g_usleep(100000);
    g_assert_cmpint(waitpid(child, &status, WNOHANG), ==, 0);
    scene_write(folder, "new", "", 0);
    g_assert_cmpint(rename(new_path, path), ==, 0);
    bt_fd_clear(&holder);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    g_assert_true(has(&self, "b.jpg", 2));
    g_assert_cmpuint(count_lines(folder), ==, 1);
}

/* What has the ledger's name and is no file of ours is not followed, and not written to. */
static void
check_link(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, BT_LEDGER_NAME, NULL);
    g_auto(Open) self = open_ledger(folder);
    BtRecord record = record_of(1);

    scene_write(folder, "mine", "mine", 4);
    g_assert_cmpint(symlink("mine", path), ==, 0);
    g_assert_false(bt_ledger_put(self.ledger, "a.jpg", &record, false));
    g_assert_cmpint(errno, ==, ELOOP);
    g_assert_false(has(&self, "a.jpg", 1));
    assert_content(folder, "mine", "mine");
}

/* Times as file systems show them that are not ours to choose. */
static void
check_times(const char *folder)
{
    static const struct {
        struct timespec time, shown;
        bool is_ours;
    } rows[] = {
        {{1700000001, 5}, {1700000001, 5}, true},
        {{1700000001, 5}, {1700000000, 0}, true},         /* FAT: 2 s */
        {{1700000001, 5}, {1700000000 + 3600, 0}, true},  /* summer */
        {{1700000001, 5}, {1700000000 - 20700, 0}, true}, /* Nepal */
        {{1700000001, 5}, {1700000000 + 93600, 0}, true}, /* across the date line */
        {{1700000001, 5}, {1700000000 - 93600, 0}, true},
        {{1700000001, 5}, {1700000000 + 94500, 0}, false},
        {{1700000001, 5}, {1700000000 + 3602, 0}, false},
        {{1700000001, 5}, {1700000000 + 300, 0}, false},
        {{1700000001, 5}, {1700000002, 0}, false},
        {{0, 5}, {315532800, 0}, true}, /* FAT begins in 1980 */
        {{-5000000000, 0}, {315532800, 0}, true},
        {{0, 5}, {315532800 + 7200, 0}, true},
        {{0, 5}, {315532800 + 7, 0}, false},
        {{0, 5}, {0, 5}, true},
        {{-7, 5}, {-7, 5}, true},
        {{-7, 5}, {-7, 6}, false},
        {{INT64_C(1) << 33, 5}, {4354819198, 0}, true}, /* and ends in 2107 */
        {{INT64_C(1) << 33, 5}, {4354819199, 990000000}, true},
        {{INT64_C(1) << 33, 5}, {INT64_C(1) << 33, 5}, true},
        {{INT64_C(1) << 33, 5}, {INT64_C(1) << 34, 5}, false},
        {{INT64_MAX, 5}, {INT64_MIN, 5}, false},
        {{INT64_MIN, 5}, {INT64_MAX, 5}, false},
        {{INT64_MAX, 5}, {4354819198, 0}, true},
    };
    g_auto(Open) self = open_ledger(folder);

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strdup_printf("%zu", i);
        struct stat file = {.st_size = 1, .st_mtim = rows[i].shown};
        BtRecord record = record_of(1), found;

        record.source_time = rows[i].time;
        g_assert_true(bt_ledger_put(self.ledger, name, &record, false));
        if (bt_ledger_get(self.ledger, name, &file, &found) != rows[i].is_ours)
            g_error("row %zu is not %d", i, rows[i].is_ours);
    }
}

static const struct {
    const char *name;
    void (*check)(const char *folder);
    bool on_exfat;
} checks[] = {
    {"names", check_names, true},      {"writers", check_writers, true},
    {"torn", check_torn, false},       {"garbage", check_garbage, false},
    {"crash", check_crash, false},     {"anew", check_anew, true},
    {"removal", check_removal, false}, {"replaced", check_replaced, true},
    {"lock", check_lock, false},       {"link", check_link, false},
    {"times", check_times, false},     {"crash-in-store", check_crash_in_store, true},
};

static void
run_case(gconstpointer data)
{
    g_autoptr(Scene) folder = scene_new();

    (*(void (*const *)(const char *))data)(folder);
}

static void
run_exfat_case(gconstpointer data)
{
    run_on_exfat(*(void (*const *)(const char *))data);
}

static void
without_attributes(const char *folder)
{
    refuse_attributes();
    check_crash_in_store(folder);
}

static void
test_crash_in_store(void)
{
    g_autoptr(Scene) folder = scene_new();

    if (!scene_run(without_attributes, folder))
        g_test_skip("no system call can be refused here");
}

/* Where it cannot be written anew, the old one serves on, and nothing is left beside it. */
static void
without_rename(const char *folder)
{
    g_auto(Open) self = open_ledger(folder);

    scene_refuse(SYS_renameat, 0, 0, EIO);
    put_record(&self, "kept.jpg", 5);
    for (unsigned i = 1; i <= 200; i++)
        put_record(&self, "a.jpg", i);
    g_assert_cmpuint(count_lines(folder), ==, 201);
    g_assert_true(has(&self, "kept.jpg", 5));
    g_assert_true(has(&self, "a.jpg", 200));
    assert_listed(folder, "");
}

static void
test_without_rename(void)
{
    g_autoptr(Scene) folder = scene_new();

    if (!scene_run(without_rename, folder))
        g_test_skip("no system call can be refused here");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
        g_autofree char *path = g_strdup_printf("/ledger/%s", checks[i].name);
        g_autofree char *exfat = g_strdup_printf("/ledger/exfat/%s", checks[i].name);

        if (checks[i].check != check_crash_in_store)
            g_test_add_data_func(path, &checks[i].check, run_case);
        if (checks[i].on_exfat)
            g_test_add_data_func(exfat, &checks[i].check, run_exfat_case);
    }
    g_test_add_func("/ledger/crash-in-store", test_crash_in_store);
    g_test_add_func("/ledger/without-rename", test_without_rename);
    return g_test_run();
}
