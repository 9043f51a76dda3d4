/* SPDX-License-Identifier: MIT */
/*
 * The low coefficients of a JPEG file in memory, compared with those that libjpeg finds. For tests
 * and fuzzers.
 */
#ifndef TESTS_IMAGE_JPEG_TRUTH_H
#define TESTS_IMAGE_JPEG_TRUTH_H

#include <stdbool.h>
#include <stddef.h>

typedef enum JpegTruth {
    JPEG_TRUTH_UNKNOWN, /* libjpeg finds an error, or the picture is larger than px_max */
    JPEG_TRUTH_LEFT,    /* our decoder leaves the file to libjpeg */
    JPEG_TRUTH_EQUAL,   /* both have read it, and agree */
} JpegTruth;

/* Decodes at `shrink` with a level of bt_kernel_levels() and so many streams and threads. Aborts
 * where both have read the file and differ, or where only libjpeg cannot make a picture of it. */
JpegTruth jpeg_truth_check(const void *bytes, size_t size, int shrink, const char *level,
                           int n_streams, int n_threads, long px_max);

/* A way of decoding. The reference is that of the level "c", with one stream and one thread. */
typedef struct JpegWay {
    const char *level;
    int n_streams, n_threads;
} JpegWay;

/* Aborts where one of the ways does not read what the reference does. */
void jpeg_truth_check_ways(const void *bytes, size_t size, int shrink, const JpegWay *ways,
                           size_t n_ways);

/* Whether corrections for what is cut off change some coefficient. Aborts where they are not the
 * same by all ways. */
bool jpeg_truth_check_clips(const void *bytes, size_t size, const JpegWay *ways, size_t n_ways);

#endif
