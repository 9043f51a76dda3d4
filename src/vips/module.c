/* SPDX-License-Identifier: MIT */
/*
 * blurthumb-vips.so: the table that image/codecs.h describes.
 */
#include "vips/module.h"

#include <stdarg.h>
#include <string.h>
/* This one needs VIPS_API from above. */
#include <vips/vector.h>

/* libvips' class of a decoder that is blocked until it is allowed. */
static const char *const untrusted_loaders[BT_FORMAT_COUNT] = {
    [BT_FORMAT_JXL] = "VipsForeignLoadJxl",    [BT_FORMAT_JP2] = "VipsForeignLoadJp2k",
    [BT_FORMAT_PPM] = "VipsForeignLoadPpm",    [BT_FORMAT_SVG] = "VipsForeignLoadSvg",
    [BT_FORMAT_BMP] = "VipsForeignLoadMagick",
};

/* libvips' errors are lines "domain: text", the later ones often repeating the first in other
 * words. The first that says what is wrong, else the first: a warning may not, and that a seek went
 * past the end is how a decoder's own complaint begins, or a mere try. */
static char *
take_text(void)
{
    g_autofree char *text = vips_error_buffer_copy();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line != NULL; line++)
        if (**line != '\0' && strstr(*line, "Warning:") == NULL &&
            strstr(*line, "bad seek") == NULL)
            return g_strdup(*line);
    return g_strdup(lines[0] != NULL ? lines[0] : "");
}

static bool
is_short_of_memory(const char *text)
{
    static const char *const words[] = {"out of memory", "Out of memory", "emory allocation",
                                        "nough memory", "nsufficient memory"};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
}

bool
bt_vips_fail(BtOutcome *outcome, BtReason reason, const char *format, ...)
{
    g_autofree char *said = take_text();
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    if (is_short_of_memory(said))
        return bt_outcome_fail(outcome, BT_REASON_MEMORY, "not enough memory: %s", said);
    return bt_outcome_fail(outcome, reason, "%s%s%s", what, said[0] != '\0' ? ": " : "", said);
}

bool bt_vips_confined;

static bool
start(GError **error)
{
    g_unsetenv("VIPS_MAX_THREADS"); /* would start threads */
    /* Decoders warn about what the outcome says anyway, in words that hold bytes of the file. Asked
     * this way libvips drops them itself, whichever glib it has. */
    g_setenv("VIPS_WARNING", "1", TRUE);
    if (VIPS_INIT("blurthumb") != 0)
        return bt_error_set(error, BT_ERROR_FAILED, "cannot start libvips: %s",
                            vips_error_buffer());
    return true;
}

/* ImageMagick reads its configuration and the module for a format when it first meets it: too late
 * in a process that is locked in. The header of one pixel starts no thread. By name: a libvips
 * without ImageMagick has no function of it. */
static void
meet_bmp(void)
{
    static const unsigned char pixel[] = {'B', 'M', 58, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0,  40,
                                          0,   0,   0,  1, 0, 0, 0, 1, 0, 0, 0,  1, 0, 24, 0,
                                          0,   0,   0,  0, 4, 0, 0, 0, 0, 0, 0,  0, 0, 0,  0,
                                          0,   0,   0,  0, 0, 0, 0, 0, 0, 0, 0,  0, 0};
    BT_OWNED_AREA VipsBlob *blob = vips_blob_new(NULL, pixel, sizeof pixel);
    BT_OWNED VipsImage *image = NULL;

    (void)vips_call("magickload_buffer", blob, &image, NULL);
    vips_error_clear();
}

static void
confine(uint32_t allowed)
{
    bt_vips_confined = true;
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    /* Orc needs executable memory and a file, and nothing here gains by it. */
    vips_vector_set_enabled(FALSE);
    vips_block_untrusted_set(TRUE);
    for (int i = 0; i < BT_FORMAT_COUNT; i++)
        if (untrusted_loaders[i] != NULL && (allowed & (1u << i)) != 0)
            vips_operation_block_set(untrusted_loaders[i], FALSE);
    if ((allowed & (1u << BT_FORMAT_JXL)) != 0)
        vips_operation_block_set("VipsForeignSaveJxl", FALSE);
    if ((allowed & (1u << BT_FORMAT_BMP)) != 0)
        meet_bmp();
}

static GBytes *
cmyk_profile(void)
{
    VipsBlob *blob = NULL;
    GBytes *profile = NULL;
    const void *bytes;
    size_t size;

    if (vips_profile_load("cmyk", &blob, NULL) == 0 && blob != NULL) {
        bytes = vips_blob_get(blob, &size);
        profile = g_bytes_new(bytes, size);
        vips_area_unref(VIPS_AREA(blob));
    }
    vips_error_clear();
    return profile;
}

extern __attribute__((visibility("default"))) const BtCodecs bt_codecs;

const BtCodecs bt_codecs = {
    .start = start,
    .version = vips_version_string,
    .can_write = bt_encode_can_write,
    .confine = confine,
    .decoder = &bt_vips_decoder,
    .cmyk_profile = cmyk_profile,
    .encode = bt_encode,
};
