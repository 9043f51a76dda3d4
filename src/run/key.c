/* SPDX-License-Identifier: MIT */
#include "run/key.h"

#include "base/human.h"

#include <string.h>

/* Goes up when the same settings give another picture. */
#define PROCESSING 1

static const char *const names_of_strip[] = {
    [BT_STRIP_ALL] = "all", [BT_STRIP_GPS] = "gps", [BT_STRIP_NONE] = "none"};

static void
add_qualities(GString *key, const BtImageSettings *image)
{
    for (int i = 0; i < BT_FORMAT_COUNT; i++)
        if (image->quality[i] != BT_IMAGE_QUALITY_DEFAULT)
            g_string_append_printf(key, "quality-%s %d\n", bt_format_name((BtFormat)i),
                                   image->quality[i]);
}

/* A text in one line. */
static void
add_text(GString *key, const char *name, const char *text)
{
    g_autofree char *escaped = bt_human_text(text);

    g_string_append_printf(key, "%s %s\n", name, escaped);
}

char *
bt_run_key(const BtRunOptions *options)
{
    const BtImageSettings *image = &options->image;
    const BtNaming *naming = &options->naming;
    char sigma[G_ASCII_DTOSTR_BUF_SIZE];
    GString *key = g_string_new("blurthumb " G_STRINGIFY(PROCESSING) "\n");

    g_string_append_printf(key, "sigma %s\nsize %dx%d\nexact %d\nlinear %d\nstrip %s\n",
                           g_ascii_dtostr(sigma, sizeof sigma, image->sigma), image->box_width,
                           image->box_height, image->exact, image->linear,
                           names_of_strip[image->strip]);
    add_qualities(key, image);
    if (options->format != BT_FORMAT_NONE)
        g_string_append_printf(key, "format %s\n", bt_format_name(options->format));
    if (naming->pattern != NULL)
        add_text(key, "name", naming->pattern);
    /* Elsewhere a result in another format has another name. */
    if (options->format == BT_FORMAT_NONE && !options->keeps_heic && naming->pattern != NULL &&
        strstr(naming->pattern, "{ext}") == NULL)
        g_string_append(key, "heic jpeg\n");
    if (naming->suffix != NULL)
        add_text(key, "suffix", naming->suffix);
    if (naming->flat)
        g_string_append(key, "flat 1\n");
    return g_string_free(key, FALSE);
}
