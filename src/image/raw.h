/* SPDX-License-Identifier: MIT */
/*
 * Raw files of cameras among the decoders (decoder.h): the largest preview that is whole, a JPEG
 * that the camera has finished, by the decoder of JPEG. The raw samples themselves are not read. A
 * preview that is as large as the photo but for the sensor's borders is the photo. Worker; for
 * hostile bytes.
 *
 * Three layouts: TIFF directories (CR2, NEF, NRW, ARW, SR2, DNG, ORF, RW2, PEF, SRW) with the
 * previews that only the maker's notes of Olympus, Pentax and Nikon know, boxes (CR3), and a fixed
 * header (RAF). JPEGs of raw samples are passed over: lossless ones, those of more than 8 bits, and
 * what a directory calls a colour filter array or linear raw. Directories alone are read, and of
 * each preview its headers and its end; how many and how deep is limited, and none is read twice.
 *
 * Follows: TIFF 6.0, section 2; TIFF Technical Note 1 (SubIFDs); DNG 1.6 (DefaultCropSize,
 * PreviewColorSpace); Exif 2.32, 4.6; ISO/IEC 14496-12 (boxes); tags of makers as in ExifTool's
 * documentation; CR3 as described at github.com/lclevy/canon_cr3; RAF as at
 * libopenraw.freedesktop.org/formats/raf; Adobe RGB (1998) Color Image Encoding, 4.3; ISO 22028-2
 * (ROMM RGB).
 */
#ifndef BT_IMAGE_RAW_H
#define BT_IMAGE_RAW_H

#include "image/decoder.h"

#include <sys/types.h>

/* Its outcome's loader says how large the preview is: "raw-preview 1616x1080". */
extern const BtDecoder bt_raw_decoder;

typedef enum BtRawSpace {
    BT_RAW_UNSAID,
    BT_RAW_SRGB,
    BT_RAW_ADOBE_RGB,
    BT_RAW_PROPHOTO_RGB,
} BtRawSpace;

typedef struct BtRaw {
    off_t at;                      /* of the largest preview that is whole: its first byte */
    int width, height;             /* px, as it is stored */
    int orientation;               /* EXIF, 1 to 8: the preview's own, else the file's */
    BtRawSpace space;              /* the same, where it has no profile */
    int photo_width, photo_height; /* px, 0: not said */
    int cut_width, cut_height;     /* the largest preview that is cut short; 0: none is */
    GBytes *exif; /* what the file says of the camera, the time and the place: a TIFF structure,
                     made anew. Owned, always there */
} BtRaw;

/* Where the preview is. False where none is whole; the rest is said all the same. */
bool bt_raw_find(int fd, BtRaw *out_raw);

#endif
