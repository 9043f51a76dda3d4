/* SPDX-License-Identifier: MIT */
/* The file of settings in the output folder, which anybody may have changed: afterwards it holds
 * those of this run. */
#include "fuzz.h"

#include "store/store.h"

#include <unistd.h>

#define KEY "blurthumb 1\nsigma 15\n"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    g_autofree char *folder = g_dir_make_tmp("fuzz-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, BT_STORE_KEY_NAME, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(BtStore) store = NULL;
    g_autofree char *text = NULL;

    g_assert_true(g_file_set_contents_full(path, (const char *)bytes, (gssize)size,
                                           G_FILE_SET_CONTENTS_NONE, 0666, NULL));
    store = bt_store_new(folder, KEY, 0, &error);
    g_assert_no_error(error);
    g_assert_nonnull(store);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, KEY);
    unlink(path);
    rmdir(folder);
    return 0;
}
