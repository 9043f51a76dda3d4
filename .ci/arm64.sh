#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# arm64.sh FOLDER: builds the kernel's and the JPEG decoder's tests for 64-bit ARM in a new FOLDER, and runs them
# under emulation. Needs Debian's gcc-aarch64-linux-gnu and qemu-user-static. The libraries come from Debian's
# packages for that machine, unpacked: none of them is installed here.
set -eu -o pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
work=$1
root=$work/root
tests=(kernel-plan kernel-levels kernel-oracle jpeg-low)

mkdir -p "$root" "$work"/{state/lists,cache/archives}/partial "$work/stub"
touch "$work/status"
for command in update 'install -y --download-only --no-install-recommends libc6-dev libglib2.0-dev
    libjpeg62-turbo-dev liblcms2-dev libisal-dev'; do
    # shellcheck disable=SC2086
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$work/state" \
        -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o Debug::NoLocking=1 $command
done
for package in "$work"/cache/archives/*.deb; do
    dpkg -x "$package" "$root"
done

# None of these tests uses libvips, and its hundred libraries are not worth the time.
printf 'Name: vips\nDescription: not here\nVersion: 8.14\n' >"$work/stub/vips.pc"
libraries=$root/usr/lib/aarch64-linux-gnu
cat >"$work/cross.ini" <<EOF
[binaries]
c = ['aarch64-linux-gnu-gcc', '--sysroot=$root']
ar = 'aarch64-linux-gnu-ar'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64-static', '-L', '$root']
[properties]
sys_root = '$root'
pkg_config_libdir = '$libraries/pkgconfig:$root/usr/share/pkgconfig:$work/stub'
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
EOF
meson setup --cross-file "$work/cross.ini" -Ddebug=false "$work/build" "$top" >/dev/null
for test in "${tests[@]}"; do
    targets+=("$(meson introspect --targets "$work/build" | python3 -c "
import json, os, sys
print(next(os.path.relpath(t['filename'][0], sys.argv[2]) for t in json.load(sys.stdin) if t['name'] == 'test-' + sys.argv[1]))
" "$test" "$work/build")")
done
ninja -C "$work/build" "${targets[@]}" >/dev/null
emulated=(meson test -C "$work/build" --no-rebuild --timeout-multiplier 4 --print-errorlogs)
"${emulated[@]}" "${tests[@]:0:3}"
# Its other cases are the same on every machine, and take minutes here.
for case in levels samplings; do
    "${emulated[@]}" --logbase "testlog-$case" --test-args="-p /jpeg-low/$case" jpeg-low
done
