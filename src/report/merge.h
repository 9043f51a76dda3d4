/* SPDX-License-Identifier: MIT */
/*
 * The reports of several runs as one: of the shards of a job, or of one that was started anew.
 * Reads what --json has written (report/events.h); supervisor.
 *
 * Each source counts once, by what was said of it last, but that a result which one run made and a
 * later one found up to date was made. A report without an end is that of a run that was cut off: a
 * failure, and so is a line that is no event; of the line that was being written nothing is said.
 * Memory grows with the number of pictures.
 */
#ifndef BT_REPORT_MERGE_H
#define BT_REPORT_MERGE_H

#include "base/error.h"
#include "report/report.h"

/* paths: of the reports, with NULL at the end. Tells all of it to the report, the summary included:
 * its time is that of the longest run, its workers are those of all. False when a report cannot be
 * read. */
BT_MUST_CHECK bool bt_merge(const char *const *paths, BtReport *report, GError **error);

#endif
