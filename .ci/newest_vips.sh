#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The newest libvips, from npm, as something to build against:
#
#   .ci/newest_vips.sh FOLDER
#   PKG_CONFIG_PATH=FOLDER/lib/pkgconfig meson setup build
#
# The packages are made for Node's sharp: one shared object that holds libvips and all that it needs,
# and the headers. It exports its GObject and a part of its GLib. The objects that libvips makes need
# the GObject that made them, so there must be no other in the program; GLib must be Debian's
# throughout, which comes first for that. Inside, the shared object is bound to itself.
set -eu -o pipefail

version=1.3.4 # libvips 8.18.7

test $# -eq 1 || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
top=$(cd "$1" && pwd)
packages=$top/node_modules/@img
binary=sharp-libvips-linux-$(node -p process.arch)

npm install --prefix "$top" --loglevel error --no-save --no-audit --no-fund --ignore-scripts \
    "@img/$binary@$version" "@img/sharp-libvips-dev@$version"

# The headers of libvips alone: beside them lie those of the libjpeg and the lcms2 inside, which we
# have from Debian.
library=$(echo "$packages/$binary"/lib/libvips-cpp.so.*)
mkdir -p "$top/include" "$top/lib/pkgconfig"
ln -sfn "$packages/sharp-libvips-dev/include/vips" "$top/include/vips"
ln -sfn "$library" "$top/lib/$(basename "$library")"
ln -sfn "$library" "$top/lib/libvips-cpp.so"
cat >"$top/lib/pkgconfig/vips.pc" <<END
prefix=$top
Name: vips
Description: libvips, the newest
Version: ${library##*.so.}
Requires.private: glib-2.0
Cflags: -I\${prefix}/include
Libs: -lglib-2.0 -L\${prefix}/lib -lvips-cpp -Wl,-rpath,\${prefix}/lib
END
