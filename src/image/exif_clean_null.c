/* SPDX-License-Identifier: MIT */
/* For a build without libexif: what cannot be parsed cannot be kept. */
#include "image/exif_clean.h"

GBytes *
bt_exif_clean(GBytes *exif, bool strip_gps, bool converted)
{
    (void)exif, (void)strip_gps, (void)converted;
    return NULL;
}
