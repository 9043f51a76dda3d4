#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The README on a bare Debian: debootstrap's minbase in a chroot, a clean copy of the tree, the
# first fenced sh block, and with "all" the second. Needs root, debootstrap and the archive that this
# machine's apt uses; exits 77 with a word where one of them is missing.
#
#   tests/cli/bare_debian.sh bookworm|trixie [all]
set -u -o pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
suite=$1
skip() { echo "skipped: $1"; exit 77; }
test "$(id -u)" = 0 || skip 'needs root'
command -v debootstrap >/dev/null || skip 'debootstrap is not installed'
root=$(mktemp -d)
chmod 755 "$root" # it becomes /, which tests that give up root walk through
trap 'umount -l "$root/proc" "$root/dev" 2>/dev/null; rm -rf --one-file-system "$root"' EXIT

block() {
    awk -v want="$1" '/^```sh$/ { n++; on = (n == want); next } /^```/ { on = 0 } on' "$top/README.md"
}

in_root() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive \
        ${http_proxy:+http_proxy="$http_proxy"} bash -e -c "cd /blurthumb && $1"
}

debootstrap --variant=minbase "$suite" "$root" >"$root.log" 2>&1 || { tail "$root.log"; exit 1; }
rm -f "$root.log"
cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mkdir "$root/blurthumb"
git -C "$top" archive HEAD | tar -x -C "$root/blurthumb" || exit 1

in_root "$(block 1)" || exit 1
made=$(find "$root/blurthumb/processed" -name '*.jpg' | wc -l)
wanted=$(find "$root/blurthumb/testdata/photos" -name '*.jpg' | wc -l)
echo "bare Debian $suite: $made of $wanted results"
test "$made" -eq "$wanted" || exit 1
test "${2:-}" != all || in_root "$(block 2)"
