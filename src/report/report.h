/* SPDX-License-Identifier: MIT */
/*
 * What a batch tells people and programs. Supervisor. The only room that prints, and the place
 * where text is made safe: names and reasons may hold any bytes, and come out as bt_human_text(),
 * or as JSON strings.
 *
 *   g_autoptr(BtReport) report = bt_report_new(&options);
 *   bt_report_start(report, &start);
 *   bt_report_found(report, bytes);                  a source that is to be done
 *   bt_report_began(report, path, bytes);            it is in work
 *   bt_report_processed(report, &picture);           or skipped, failed, planned: counted and told
 *   wait_ns = bt_report_tick(report);                now and then: draws the live line
 *   bt_report_summary(report, &end);
 *
 * People: failures go to `err` as "blurthumb: NAME: REASON" and are told at every level; everything
 * else goes to `out`. Programs (json): one event a line on `out`, which has nothing else then; the
 * events are described in events.h.
 */
#ifndef BT_REPORT_REPORT_H
#define BT_REPORT_REPORT_H

#include "report/gallery.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define BT_REPORT_SERIAL (-1)

/* bt_report_tick(): nothing is to be drawn until something happens. */
#define BT_REPORT_NEVER UINT64_MAX

typedef enum BtReportLevel {
    BT_REPORT_QUIET,   /* failures only */
    BT_REPORT_NORMAL,  /* and the summary */
    BT_REPORT_VERBOSE, /* and a line for each picture */
} BtReportLevel;

typedef enum BtReportProgress {
    BT_REPORT_PROGRESS_AUTO, /* on a terminal that can move its cursor, unless quiet or json */
    BT_REPORT_PROGRESS_ALWAYS,
    BT_REPORT_PROGRESS_NEVER,
} BtReportProgress;

typedef struct BtReportOptions {
    FILE *out, *err; /* lent */
    BtReportLevel level;
    BtReportProgress progress;
    bool json;
    bool verifies;            /* the batch makes no results, it looks at them */
    bool lists;               /* what it prints is all that it does */
    const char *output;       /* folder of the results, as given; lent, or NULL */
    BtGallery *gallery;       /* what has a result, or has failed, goes there; lent, or NULL */
    uint64_t (*now_ns)(void); /* monotonic; NULL: bt_clock_now_ns */
} BtReportOptions;

/* A batch that begins. */
typedef struct BtReportStart {
    const char *version;
    const char *output;   /* folder of the results, as given */
    const char *settings; /* lines "NAME VALUE": what decides how results look */
    int n_workers;        /* at most; BT_REPORT_SERIAL */
    uint32_t shard_index, shard_count;
} BtReportStart;

/* What is known of one picture; zero or NULL where it is not. Everything is lent. */
typedef struct BtReportPicture {
    const char *path;      /* of the source, as a person would write it */
    const char *result;    /* path of its result: the output folder, "/", name */
    uint64_t source_bytes; /* sizes of the files */
    uint64_t result_bytes;
    int64_t source_time;             /* modification, seconds since 1970 */
    int source_width, source_height; /* px as stored */
    int width, height;               /* px of the result */
    int shrink;                      /* reduction before the kernel */
    int n_pages;                     /* frames or pages, of which the first was taken */
    const char *left_out;            /* "gain-map", "video", "gain-map,video" */
    const char *decoder;             /* "jpeg", "png", "gifload_source" */
    const char *format;              /* of the result: "jpeg" */
    const char *thumbhash;           /* of the result, in base64 */
    const void *preview;             /* a small JPEG of it, where browsers do not show its format */
    size_t preview_bytes;
    uint64_t decode_ns, kernel_ns, encode_ns;
    uint64_t elapsed_ns; /* from its start to its result's name, waiting included */
} BtReportPicture;

typedef struct BtReportCounts {
    uint64_t n_processed;
    uint64_t n_verified;
    uint64_t n_skipped;
    uint64_t n_failed;
    uint64_t n_planned;             /* by a dry run */
    uint64_t n_orphans;             /* results whose source is gone */
    uint64_t n_removed;             /* of which */
    uint64_t n_paged;               /* of which the first of several pages or frames was taken */
    uint64_t n_gain_maps, n_videos; /* that were left out */
    uint64_t n_pixels;              /* of the sources that were processed, at full size */
    uint64_t source_bytes, result_bytes;      /* of what was processed */
    uint64_t decode_ns, kernel_ns, encode_ns; /* sums over what was processed */
} BtReportCounts;

/* A place in the pool. */
typedef struct BtReportWorker {
    const char *name; /* "photo-0" */
    pid_t pid;        /* 0: there is no process */
    const char *state;
    const char *path; /* what it works at; NULL: nothing */
    uint64_t for_ns;  /* how long it has been in this state */
} BtReportWorker;

/* A batch that has ended. */
typedef struct BtReportEnd {
    int n_workers;     /* BT_REPORT_SERIAL: none */
    int signal;        /* that ended it, or 0 */
    const char *error; /* why it could not go on, or NULL */
    uint64_t elapsed_ns;
} BtReportEnd;

typedef struct BtReport BtReport;

/* Options are copied, streams lent. */
BtReport *bt_report_new(const BtReportOptions *options);
void bt_report_free(BtReport *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtReport, bt_report_free)

void bt_report_start(BtReport *self, const BtReportStart *start);

/* One more source is to be done; then: no more will be found. */
void bt_report_found(BtReport *self, uint64_t bytes);
void bt_report_scanned(BtReport *self);

/* A picture is in work from here until it is processed, failed or dropped (put back, to be done
 * again): bytes of its file. */
void bt_report_began(BtReport *self, const char *path, uint64_t bytes);
void bt_report_dropped(BtReport *self, const char *path);

void bt_report_processed(BtReport *self, const BtReportPicture *picture);
void bt_report_verified(BtReport *self, const BtReportPicture *picture);

/* code: for machines ("fresh"); why: for people. */
void bt_report_skipped(BtReport *self, const BtReportPicture *picture, const char *code,
                       const char *why);

/* What a dry run would do, and why: "new", "changed", "settings", "forced". */
void bt_report_planned(BtReport *self, const BtReportPicture *picture, const char *code,
                       const char *why);

/* A result whose source is gone, by its path; and whether it was removed. */
void bt_report_orphan(BtReport *self, const char *result, bool removed);

/* path NULL: the reason names what it is about. */
void bt_report_failed(BtReport *self, const BtReportPicture *picture, const char *code,
                      const char *reason);

/* A file or folder that was left out, and why. */
void bt_report_ignored(BtReport *self, const char *path, bool is_folder, const char *why);

/* So many more, of a kind that an end event has (events.h); kind NULL: of any. */
void bt_report_add_ignored(BtReport *self, const char *kind, uint64_t n);

/* A sentence about the whole batch, to `err`. */
void bt_report_notice(BtReport *self, const char *sentence);

/* The worker table, to `err`. */
void bt_report_workers(BtReport *self, const BtReportWorker *workers, int n);

/* Draws the live line, or a periodic one, where its time has come. In how many nanoseconds it wants
 * to be called again, or BT_REPORT_NEVER. */
uint64_t bt_report_tick(BtReport *self);

BtReportCounts bt_report_counts(const BtReport *self);

/* Whether nobody reads the list that is all this batch is about: `blurthumb -n | head`. */
bool bt_report_is_deaf(const BtReport *self);

/* "14 processed, 2 skipped, 1 failed in 0.41 seconds (34 pictures/s, 470 MP/s, 2 workers); results
 * are in processed". Rates are of processed pictures. Without workers it says "serial" instead.
 * Files that were ignored are added to the counts where there are any, with their commonest
 * extensions ("4 ignored (3 cr3, 1 mov)"), and so are planned ones, and those of several pages or
 * frames, of which the first was taken. Where there was nothing at all:
 * "no pictures found". */
void bt_report_summary(BtReport *self, const BtReportEnd *end);

#endif
