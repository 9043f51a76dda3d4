#!/bin/sh
# SPDX-License-Identifier: MIT
# ImageMagick: imagemagick.sh JOBS OUTPUT PICTURE...
jobs=$1 output=$2
shift 2
printf '%s\0' "$@" | MAGICK_THREAD_LIMIT=1 xargs -0 -P "$jobs" -n 1 \
  mogrify -quiet -path "$output" -blur 0x15 -resize '1200x1200>'
