/* SPDX-License-Identifier: MIT */
/* An Exif block without what a result may not say of itself (metadata.h). Worker; for hostile
 * bytes. Inside the room only. */
#ifndef BT_IMAGE_EXIF_CLEAN_H
#define BT_IMAGE_EXIF_CLEAN_H

#include <glib.h>
#include <stdbool.h>

/* A new block, with "Exif" and two zero bytes first; NULL where it cannot be parsed or is too
 * large, and in a build without libexif. */
GBytes *bt_exif_clean(GBytes *exif, bool strip_gps, bool converted);

#endif
