/* SPDX-License-Identifier: MIT */
/* The command line: words, one a line. */
#include "fuzz.h"

#include "cli/options.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    g_autofree char *text = g_strndup((const char *)bytes, size);
    g_autofree char *line = g_strconcat("blurthumb\n", text, NULL);
    g_auto(GStrv) words = g_strsplit(line, "\n", -1);
    g_autofree char **argv = g_memdup2(words, (g_strv_length(words) + 1) * sizeof *words);
    g_autoptr(GError) error = NULL;
    g_auto(BtOptions) options = {0};

    if (!bt_options_parse((int)g_strv_length(words), argv, &options, &error)) {
        g_assert_error(error, BT_ERROR, BT_ERROR_INVALID);
        g_assert_cmpuint(strlen(error->message), >, 10);
        return 0;
    }
    g_assert_no_error(error);
    if (options.command != BT_COMMAND_RUN)
        return 0;
    g_assert_true(options.run.paths[0] != NULL || options.run.list != NULL);
    g_assert_true(options.run.image.sigma >= 0 && options.run.image.sigma <= 1000);
    g_assert_cmpint(options.run.image.box_width, >, 0);
    g_assert_cmpint(options.run.image.box_height, >, 0);
    g_assert_cmpint(options.run.n_jobs, >=, 0);
    for (int i = 0; i < BT_FORMAT_COUNT; i++)
        g_assert_true(options.run.image.quality[i] >= 0 && options.run.image.quality[i] <= 100);
    return 0;
}
