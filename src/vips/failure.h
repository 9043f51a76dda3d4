/* SPDX-License-Identifier: MIT */
/* What libvips says of a failure, in an outcome. Worker; vips. */
#ifndef BT_VIPS_FAILURE_H
#define BT_VIPS_FAILURE_H

#include "image/outcome.h"

#include <glib.h>

/* Fills reason and sentence; libvips' own words are appended, and cleared. A lack of memory that it
 * tells of is the reason whatever the caller thinks. Returns false. */
bool bt_vips_fail(BtOutcome *outcome, BtReason reason, const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif
