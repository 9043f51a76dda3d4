/* SPDX-License-Identifier: MIT */
/*
 * A page to look at the results: one file of HTML that needs nothing else. Supervisor.
 *
 *   g_autoptr(BtGallery) gallery = bt_gallery_new("processed");
 *   bt_gallery_add(gallery, &picture);                    any number, in any order
 *   bt_gallery_add_failed(gallery, &picture, reason);
 *   bt_gallery_write(gallery, fd, &error);                the page, for BT_GALLERY_NAME in there
 *
 * A contact sheet by folders, in the order of their names; each picture is fetched when it comes
 * into view, links to itself and to its source, and tells its size and its source's date. The page
 * asks nothing of anybody, is read without its script, and shows names as bt_human_text() does. It
 * holds what it was given: about 200 bytes a picture, and of those that browsers do not show a
 * preview of some 3 kB each, up to 64 MB in all.
 */
#ifndef BT_REPORT_GALLERY_H
#define BT_REPORT_GALLERY_H

#include "base/error.h"

#include <stdint.h>

/* Below the output folder. No picture is called so. */
#define BT_GALLERY_NAME "index.html"

/* Near the beginning of every page that we write. */
#define BT_GALLERY_MARK "<meta name=\"generator\" content=\"blurthumb\">"

struct BtReportPicture;

typedef struct BtGallery BtGallery;

/* output: the folder of the results, as given. */
BtGallery *bt_gallery_new(const char *output);
void bt_gallery_free(BtGallery *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtGallery, bt_gallery_free)

/* A picture that has a result: path and result are needed. */
void bt_gallery_add(BtGallery *self, const struct BtReportPicture *picture);
void bt_gallery_add_failed(BtGallery *self, const struct BtReportPicture *picture,
                           const char *reason);

/* So many files of a kind (kinds.h) that were left out. */
void bt_gallery_add_ignored(BtGallery *self, const char *kind, uint64_t n);

/* Sorts what it holds, and writes. */
BT_MUST_CHECK bool bt_gallery_write(BtGallery *self, int fd, GError **error);

#endif
