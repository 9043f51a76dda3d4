/* SPDX-License-Identifier: MIT */
/*
 * What a process that decodes keeps from picture to picture, and the two ways to the result of a
 * picture. Worker. Inside the room only.
 */
#ifndef BT_IMAGE_IMAGE_STATE_H
#define BT_IMAGE_IMAGE_STATE_H

#include "image/codecs.h"
#include "image/colour.h"
#include "image/image.h"
#include "image/jpeg_reader.h"
#include "image/png_reader.h"
#include "image/raster.h"
#include "kernel/kernel.h"

struct BtImage {
    BtImageSettings settings;
    BtKernel *kernels[BT_JPEG_PLANES_MAX]; /* the first alone for interleaved pictures */
    BtColour *colour;
    bool transforms; /* the picture's colours are still to become sRGB, through colour */
    BtRaster planes[BT_JPEG_PLANES_MAX];
    BtRaster result;
    BtRaster spare;      /* what result is turned or transformed into */
    bool settled;        /* libvips is */
    BtMetadata metadata; /* of the picture, as far as its result may have it */
    uint64_t memory;     /* bytes that the picture may take; 0: any */
};

/* How a picture is to be made smaller. */
typedef struct BtImagePlan {
    BtKernelPicture picture; /* sizes and sigma; what comes in is filled in on the way */
    int shrink;              /* before the kernel, in all */
} BtImagePlan;

/* A JPEG by its planes, decoded at 1/reduction. The result, as stored, in the source's colours, is
 * in self->planes where merged is asked for (Y, and Cb and Cr of half the size: what a JPEG
 * stores), else in self->result. */
bool bt_image_run_planes(BtImage *self, BtJpegReader *reader, const BtImagePlan *plan,
                         int reduction, bool merged, BtOutcome *outcome);

/* Where interleaved rows come from. */
typedef struct BtRowSource {
    BtDecodePicture picture;
    BtPngReader *png;       /* NULL: the two below */
    const BtCodecs *codecs; /* NULL: png */
    BtDecode *decode;
} BtRowSource;

/* Interleaved rows. The result, as stored, is in self->result; in the source's colours, but where
 * the blur is in linear light: that works on sRGB. */
bool bt_image_run_rows(BtImage *self, BtRowSource *source, const BtImagePlan *plan,
                       BtOutcome *outcome);

/* Whether the caller wants no more; then the outcome says so. */
bool bt_image_is_cancelled(const BtImage *self, BtOutcome *outcome);

#endif
