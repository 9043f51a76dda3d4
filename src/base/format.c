/* SPDX-License-Identifier: MIT */
#include "base/format.h"

#include <string.h>
#include <strings.h>

typedef struct Format {
    const char *name;
    const char *extension;  /* the usual one */
    const char *extensions; /* all, each with a space before and after */
    bool trusted;
} Format;

static const Format formats[BT_FORMAT_COUNT] = {
    [BT_FORMAT_NONE] = {"none", "", "", false},
    [BT_FORMAT_JPEG] = {"jpeg", "jpg", " jpg jpeg jpe jfif ", true},
    [BT_FORMAT_PNG] = {"png", "png", " png ", true},
    [BT_FORMAT_WEBP] = {"webp", "webp", " webp ", true},
    [BT_FORMAT_TIFF] = {"tiff", "tif", " tif tiff ", true},
    [BT_FORMAT_GIF] = {"gif", "gif", " gif ", true},
    [BT_FORMAT_AVIF] = {"avif", "avif", " avif ", true},
    [BT_FORMAT_HEIC] = {"heic", "heic", " heic heif hif ", true},
    [BT_FORMAT_JXL] = {"jxl", "jxl", " jxl ", false},
    [BT_FORMAT_JP2] = {"jp2", "jp2", " jp2 j2k jpf jpx j2c jpc ", false},
    [BT_FORMAT_PPM] = {"ppm", "ppm", " ppm pgm pbm pnm pfm ", false},
    [BT_FORMAT_SVG] = {"svg", "svg", " svg svgz ", false},
    [BT_FORMAT_BMP] = {"bmp", "bmp", " bmp dib ", false},
    [BT_FORMAT_RAW] = {"raw", "", " cr2 cr3 nef nrw arw sr2 dng orf rw2 pef srw raf ", true},
};

const char *
bt_format_name(BtFormat format)
{
    return format < BT_FORMAT_COUNT ? formats[format].name : formats[BT_FORMAT_NONE].name;
}

const char *
bt_format_extension(BtFormat format)
{
    return format < BT_FORMAT_COUNT ? formats[format].extension : "";
}

BtFormat
bt_format_of_name(const char *name)
{
    size_t size = strlen(name);

    for (int i = BT_FORMAT_NONE + 1; i < BT_FORMAT_COUNT && size > 0; i++) {
        for (const char *at = formats[i].extensions; at[0] == ' ' && at[1] != '\0';) {
            size_t length = strcspn(at + 1, " ");

            if (length == size && strncasecmp(at + 1, name, size) == 0)
                return (BtFormat)i;
            at += 1 + length;
        }
    }
    return BT_FORMAT_NONE;
}

BtFormat
bt_format_of_extension(const char *file_name)
{
    const char *slash = strrchr(file_name, '/');
    const char *dot = strrchr(slash != NULL ? slash : file_name, '.');

    return dot != NULL ? bt_format_of_name(dot + 1) : BT_FORMAT_NONE;
}

/* ISO base media files name their brands in the first box: HEIC, AVIF, CR3. */
static BtFormat
format_of_brand(const char *brand)
{
    static const char heic[][5] = {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"};

    if (memcmp(brand, "avif", 4) == 0 || memcmp(brand, "avis", 4) == 0)
        return BT_FORMAT_AVIF;
    if (memcmp(brand, "crx ", 4) == 0)
        return BT_FORMAT_RAW;
    for (size_t i = 0; i < sizeof heic / sizeof heic[0]; i++)
        if (memcmp(brand, heic[i], 4) == 0)
            return BT_FORMAT_HEIC;
    return BT_FORMAT_NONE;
}

BtFormat
bt_format_of_bytes(const void *bytes, size_t size)
{
    static const struct {
        BtFormat format;
        size_t size;
        const char *bytes;
    } magics[] = {
        {BT_FORMAT_JPEG, 3, "\xff\xd8\xff"},
        {BT_FORMAT_PNG, 8, "\x89PNG\r\n\x1a\n"},
        {BT_FORMAT_GIF, 6, "GIF87a"},
        {BT_FORMAT_GIF, 6, "GIF89a"},
        {BT_FORMAT_TIFF, 4, "II*\0"},
        {BT_FORMAT_TIFF, 4, "MM\0*"},
        {BT_FORMAT_TIFF, 4, "II+\0"},
        {BT_FORMAT_TIFF, 4, "MM\0+"},
        {BT_FORMAT_RAW, 4, "IIRO"}, /* Olympus */
        {BT_FORMAT_RAW, 4, "IIRS"},
        {BT_FORMAT_RAW, 4, "MMOR"},
        {BT_FORMAT_RAW, 4, "IIU\0"}, /* Panasonic */
        {BT_FORMAT_RAW, 16, "FUJIFILMCCD-RAW "},
        {BT_FORMAT_JXL, 2, "\xff\x0a"},
        {BT_FORMAT_JXL, 12, "\0\0\0\x0cJXL \r\n\x87\n"},
        {BT_FORMAT_JP2, 12, "\0\0\0\x0cjP  \r\n\x87\n"},
        {BT_FORMAT_JP2, 4, "\xff\x4f\xff\x51"},
    };
    const char *text = bytes;

    if (size >= 11 && memcmp(text, "II*\0", 4) == 0 && memcmp(text + 8, "CR\2", 3) == 0)
        return BT_FORMAT_RAW;
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        if (size >= magics[i].size && memcmp(text, magics[i].bytes, magics[i].size) == 0)
            return magics[i].format;
    if (size >= 18 && memcmp(text, "BM", 2) == 0 && memcmp(text + 6, "\0\0\0\0", 4) == 0 &&
        memcmp(text + 15, "\0\0\0", 3) == 0)
        return BT_FORMAT_BMP;
    if (size >= 12 && memcmp(text, "RIFF", 4) == 0 && memcmp(text + 8, "WEBP", 4) == 0)
        return BT_FORMAT_WEBP;
    if (size >= 12 && memcmp(text + 4, "ftyp", 4) == 0)
        return format_of_brand(text + 8);
    return BT_FORMAT_NONE;
}

bool
bt_format_is_trusted(BtFormat format)
{
    return format < BT_FORMAT_COUNT && formats[format].trusted;
}

bool
bt_format_is_shown(BtFormat format)
{
    return format == BT_FORMAT_JPEG || format == BT_FORMAT_PNG || format == BT_FORMAT_WEBP ||
           format == BT_FORMAT_GIF || format == BT_FORMAT_AVIF;
}
