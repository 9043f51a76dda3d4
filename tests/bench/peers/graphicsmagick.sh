#!/bin/sh
# SPDX-License-Identifier: MIT
# GraphicsMagick: graphicsmagick.sh JOBS OUTPUT PICTURE...
# Not `gm mogrify`, whose -output-directory repeats the whole path of a picture below it.
jobs=$1 output=$2
shift 2
printf '%s\0' "$@" | OMP_NUM_THREADS=1 xargs -0 -P "$jobs" -n 1 sh -c \
  'gm convert "$1" -blur 0x15 -resize "1200x1200>" "$0/${1##*/}"' "$output"
