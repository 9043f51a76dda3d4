/* SPDX-License-Identifier: MIT */
/* replay PATH...: gives the harness each file, those in folders included. */
#include "fuzz.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

static int n_files;

static void
replay(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    g_autofree char *bytes = NULL;
    const char *name;
    gsize size;

    if (folder != NULL) {
        while ((name = g_dir_read_name(folder)) != NULL) {
            g_autofree char *inner = g_build_filename(path, name, NULL);

            replay(inner);
        }
    } else if (g_file_get_contents(path, &bytes, &size, NULL)) {
        /* Of this size exactly: a sanitizer sees a byte that is read beyond. */
        g_autofree uint8_t *copy = malloc(size);

        memcpy(copy, bytes, size);
        LLVMFuzzerTestOneInput(copy, size);
        n_files++;
    }
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    g_print("%d files\n", n_files);
    return n_files == 0;
}
