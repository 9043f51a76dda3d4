/* SPDX-License-Identifier: MIT */
/* The files of ours in an output folder, which anybody may have changed: the key holds the settings
 * of this run afterwards, or is a file of somebody else's and stays as it is; records and ledgers
 * say something or nothing. */
#include "fuzz.h"

#include "store/ledger.h"
#include "store/store.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define KEY "blurthumb 1\nsigma 15\n"

static void
try_key(const char *folder, const uint8_t *bytes, size_t size)
{
    g_autofree char *path = g_build_filename(folder, BT_STORE_KEY_NAME, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(BtStore) store = NULL;
    g_autofree char *text = NULL;
    gsize length;
    bool made;

    g_assert_true(g_file_set_contents_full(path, (const char *)bytes, (gssize)size,
                                           G_FILE_SET_CONTENTS_NONE, 0666, NULL));
    store = bt_store_new(folder, KEY, 0, &error);
    g_assert_no_error(error);
    made = bt_store_make(store, &error);
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    if (made)
        g_assert_true(g_str_has_prefix(text, KEY));
    else
        g_assert_true(g_error_matches(error, BT_ERROR, BT_ERROR_TAKEN) && length == size &&
                      memcmp(text, bytes, size) == 0);
    unlink(path);
}

static void
try_records(const char *folder, const uint8_t *bytes, size_t size)
{
    g_autofree char *path = g_build_filename(folder, BT_LEDGER_NAME, NULL);
    g_autofree char *text = g_strndup((const char *)bytes, size);
    g_auto(BtFd) fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(BtLedger) ledger = bt_ledger_new(fd);
    struct stat file = {.st_size = 1};
    BtRecord record = bt_record_parse(text);

    (void)bt_record_is_same_time(record.source_time, file.st_mtim);
    g_assert_true(g_file_set_contents_full(path, (const char *)bytes, (gssize)size,
                                           G_FILE_SET_CONTENTS_NONE, 0666, NULL));
    (void)bt_ledger_get(ledger, "a.jpg", &file, &record);
    record = (BtRecord){.settings = 1, .bytes = 1};
    g_assert_true(bt_ledger_put(ledger, "a.jpg", &record, false));
    g_assert_true(bt_ledger_get(ledger, "a.jpg", &file, &record));
    unlink(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    g_autofree char *folder = g_dir_make_tmp("fuzz-XXXXXX", NULL);

    try_key(folder, bytes, size);
    try_records(folder, bytes, size);
    rmdir(folder);
    return 0;
}
