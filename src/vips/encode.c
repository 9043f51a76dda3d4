/* SPDX-License-Identifier: MIT */
#include "vips/module.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is encoded to see whether a format can be written; no encoder needs a second for it. */
#define TRIAL_SIDE    16 /* px */
#define TRIAL_QUALITY 50
#define TRIAL_S       10

static const char *const operations[BT_FORMAT_COUNT] = {
    [BT_FORMAT_PNG] = "pngsave_target",   [BT_FORMAT_WEBP] = "webpsave_target",
    [BT_FORMAT_TIFF] = "tiffsave_target", [BT_FORMAT_GIF] = "gifsave_target",
    [BT_FORMAT_AVIF] = "heifsave_target", [BT_FORMAT_HEIC] = "heifsave_target",
    [BT_FORMAT_JXL] = "jxlsave_target",   [BT_FORMAT_JP2] = "jp2ksave_target",
    [BT_FORMAT_PPM] = "ppmsave_target",
};

/* Efforts are chosen for blurred pictures, which compress well whatever is tried: against libvips'
 * defaults, 1200 x 800, time and bytes: PNG 0.6x and 0.9x, WebP 0.5x and 1.05x, GIF 0.6x and 1.01x
 * (below 4 libvips 8.18 finds poor colours), AVIF 0.2x and 1.2x, and LZW in TIFF takes a quarter of
 * the time of deflate. */
static bool
save(VipsImage *image, VipsTarget *target, BtFormat format, int q, bool strip)
{
    switch (format) {
    case BT_FORMAT_PNG:
        return vips_pngsave_target(image, target, "compression", 1, "filter",
                                   VIPS_FOREIGN_PNG_FILTER_SUB, "strip", strip, NULL) == 0;
    case BT_FORMAT_WEBP:
        return vips_webpsave_target(image, target, "Q", q, "effort", 2, "strip", strip, NULL) == 0;
    case BT_FORMAT_TIFF:
        return vips_tiffsave_target(image, target, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_LZW,
                                    "predictor", VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, "strip",
                                    strip, NULL) == 0;
    case BT_FORMAT_GIF:
        return vips_gifsave_target(image, target, "effort", 4, "strip", strip, NULL) == 0;
    case BT_FORMAT_AVIF:
        return vips_heifsave_target(image, target, "Q", q, "compression",
                                    VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "effort", 2, "bitdepth",
                                    image->BandFmt == VIPS_FORMAT_USHORT ? 12 : 8, "strip", strip,
                                    NULL) == 0;
    case BT_FORMAT_HEIC:
        return vips_heifsave_target(image, target, "Q", q, "compression",
                                    VIPS_FOREIGN_HEIF_COMPRESSION_HEVC, "strip", strip, NULL) == 0;
    case BT_FORMAT_JXL:
        return vips_jxlsave_target(image, target, "Q", q, "strip", strip, NULL) == 0;
    case BT_FORMAT_JP2:
        return vips_jp2ksave_target(image, target, "Q", q, "strip", strip, NULL) == 0;
    case BT_FORMAT_PPM:
        /* By name: not every libvips has a function of it. */
        return vips_call(operations[format], image, target, "strip", strip, NULL) == 0;
    default:
        vips_error("blurthumb", "%s cannot be written", bt_format_name(format));
        return false;
    }
}

static VipsImage *
wrap(const BtRaster *raster)
{
    BT_OWNED VipsImage *memory = NULL;
    VipsImage *image = NULL;
    bool grey = raster->bands < 3;

    memory = vips_image_new_from_memory(raster->pixels, bt_raster_size(raster), raster->width,
                                        raster->height, raster->bands,
                                        raster->deep ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR);
    if (memory == NULL)
        return NULL;
    vips_copy(memory, &image, "interpretation",
              raster->deep ? grey ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16
              : grey       ? VIPS_INTERPRETATION_B_W
                           : VIPS_INTERPRETATION_sRGB,
              NULL);
    return image;
}

static void
attach(VipsImage *image, const char *name, GBytes *blob)
{
    gsize size;
    const void *bytes;

    if (blob == NULL)
        return;
    bytes = g_bytes_get_data(blob, &size);
    vips_image_set_blob_copy(image, name, bytes, size);
}

static void
unref_area(void *area)
{
    vips_area_unref(area);
}

GBytes *
bt_encode(const BtRaster *raster, BtFormat format, int quality, const BtMetadata *metadata,
          BtOutcome *outcome)
{
    BT_OWNED VipsTarget *target = vips_target_new_to_memory();
    BT_OWNED VipsImage *image = wrap(raster);
    VipsBlob *blob = NULL;
    const void *bytes;
    size_t size;

    if (image != NULL) {
        attach(image, VIPS_META_EXIF_NAME, metadata->exif);
        attach(image, VIPS_META_XMP_NAME, metadata->xmp);
        attach(image, VIPS_META_IPTC_NAME, metadata->iptc);
    }
    if (target == NULL || image == NULL ||
        !save(image, target, format, quality, bt_metadata_is_empty(metadata))) {
        bt_vips_fail(outcome, BT_REASON_ENCODE, "the result cannot be encoded as %s",
                     bt_format_name(format));
        return NULL;
    }
    g_object_get(target, "blob", &blob, NULL);
    bytes = vips_blob_get(blob, &size);
    return g_bytes_new_with_free_func(bytes, size, unref_area, VIPS_AREA(blob));
}

/* Whether an encoder is there: that of AVIF or HEIC may be a plugin of libheif that is not
 * installed, which only shows when something is encoded. */
static bool
encodes(BtFormat format)
{
    uint8_t pixels[TRIAL_SIDE * TRIAL_SIDE * 3] = {0};
    BtRaster raster = {.pixels = pixels, .width = TRIAL_SIDE, .height = TRIAL_SIDE, .bands = 3};
    BtOutcome outcome;
    g_autoptr(GBytes) bytes = bt_encode(&raster, format, TRIAL_QUALITY, &(BtMetadata){0}, &outcome);

    return bytes != NULL;
}

/* By a child, since an encoder may start threads, after which this process could not fork. */
static bool
encodes_elsewhere(BtFormat format)
{
    pid_t child = fork(), ended;
    int status = -1;

    if (child == 0) {
        g_auto(BtFd) null = open("/dev/null", O_RDWR | O_CLOEXEC);

        signal(SIGALRM, SIG_DFL);
        alarm(TRIAL_S);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        vips_concurrency_set(1);
        _exit(encodes(format) ? 0 : 1);
    }
    do
        ended = child > 0 ? waitpid(child, &status, 0) : -1;
    while (ended < 0 && errno == EINTR);
    return ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
bt_encode_can_write(BtFormat format)
{
    static enum {
        UNKNOWN,
        NO,
        YES
    } known[BT_FORMAT_COUNT];

    if (operations[format] == NULL || vips_type_find("VipsForeignSave", operations[format]) == 0)
        return false;
    if (known[format] == UNKNOWN)
        known[format] = (bt_vips_confined ? encodes(format) : encodes_elsewhere(format)) ? YES : NO;
    return known[format] == YES;
}
