#!/bin/sh
# SPDX-License-Identifier: MIT
# vipsthumbnail, which does not blur: vipsthumbnail.sh JOBS OUTPUT PICTURE...
# One thread each, since JOBS run at once; it starts slowly, so four pictures a process.
jobs=$1 output=$2
shift 2
printf '%s\0' "$@" | VIPS_CONCURRENCY=1 xargs -0 -P "$jobs" -n 4 \
  vipsthumbnail --size '1200x1200>' -o "$output/%s.jpg"
