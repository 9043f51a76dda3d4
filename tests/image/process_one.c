/* SPDX-License-Identifier: MIT */
/*
 * Runs the image room on one file, for tests that need a result without loss or a setting that the
 * program does not offer:
 *
 *   process-one [--sigma S] [--size WxH] [--quality Q] [--exact] [--linear] [--format NAME]
 *               [--allow NAME] SOURCE RESULT
 *
 * Exit 0, or 1 with "REASON: sentence" on standard output. With --format the result has that format
 * whatever its name; the default is png.
 */
#include "base/fd.h"
#include "image/codecs.h"
#include "image/image.h"
#include "kernel/kernel.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
parse(int argc, char **argv, BtImageSettings *settings, BtFormat *format)
{
    for (int i = 1; i < argc - 2; i++) {
        const char *value = argv[i + 1];

        if (strcmp(argv[i], "--exact") == 0) {
            settings->exact = true;
            continue;
        }
        if (strcmp(argv[i], "--linear") == 0) {
            settings->linear = true;
            continue;
        }
        i++;
        if (strcmp(argv[i - 1], "--sigma") == 0)
            settings->sigma = g_ascii_strtod(value, NULL);
        else if (strcmp(argv[i - 1], "--size") == 0)
            sscanf(value, "%dx%d", &settings->box_width, &settings->box_height);
        else if (strcmp(argv[i - 1], "--quality") == 0)
            for (int f = 0; f < BT_FORMAT_COUNT; f++)
                settings->quality[f] = atoi(value);
        else if (strcmp(argv[i - 1], "--format") == 0)
            *format = bt_format_of_name(value);
        else if (strcmp(argv[i - 1], "--allow") == 0)
            settings->allowed |= 1u << bt_format_of_name(value);
        else
            g_error("unknown option %s", argv[i - 1]);
    }
}

int
main(int argc, char **argv)
{
    BtImageSettings settings = {
        .sigma = 15,
        .box_width = 1200,
        .box_height = 1200,
        .max_pixels = 1000000000,
        .level = bt_kernel_level(),
    };
    BtFormat format = BT_FORMAT_PNG;
    g_autoptr(GError) error = NULL;
    g_autoptr(BtImage) image = NULL;
    g_auto(BtFd) in = -1, out = -1;
    BtOutcome outcome;

    if (argc < 3)
        return EXIT_FAILURE;
    parse(argc, argv, &settings, &format);
    in = open(argv[argc - 2], O_RDONLY | O_CLOEXEC);
    out = open(argv[argc - 1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (bt_image_needs_vips(in, false, format) && bt_codecs_load(&error) == NULL)
        g_error("%s", error->message);
    image = bt_image_new(&settings);
    g_assert(image != NULL && in >= 0 && out >= 0);
    bt_image_process(image, in, false, out, format, 0, 1, &outcome);
    if (outcome.reason == BT_REASON_OK)
        return EXIT_SUCCESS;
    printf("%s: %s\n", bt_reason_name(outcome.reason), outcome.sentence);
    return EXIT_FAILURE;
}
