#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The README on a bare Debian: debootstrap's minbase in a chroot, a clean copy of the tree, the
# first fenced sh block, and with "all" the second. Needs root, debootstrap and the archive that this
# machine's apt uses; exits 77 with a word where one of them is missing.
#
#   tests/cli/bare_debian.sh bookworm|trixie [all]
#
# With $BT_PACKAGE, a Debian package, that is installed, run and removed as well.
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
mount -t devpts devpts "$root/dev/pts" 2>/dev/null || mount --bind /dev/pts "$root/dev/pts"
mkdir "$root/blurthumb"
git -C "$top" archive HEAD | tar -x -C "$root/blurthumb" || exit 1

in_root "$(block 1)" || exit 1
made=$(find "$root/blurthumb/processed" -name '*.jpg' | wc -l)
wanted=$(find "$root/blurthumb/testdata/photos" -name '*.jpg' | wc -l)
echo "bare Debian $suite: $made of $wanted results"
test "$made" -eq "$wanted" || exit 1
if [ -n "${BT_PACKAGE:-}" ]; then
    cp "$BT_PACKAGE" "$root/blurthumb.deb"
    in_root 'apt-get install -y --no-install-recommends /blurthumb.deb && blurthumb --force testdata/formats/rgb.png &&
        blurthumb-tour join && apt-get purge -y blurthumb' || exit 1
    left=$(find "$root/usr" -name '*blurthumb*')
    test -z "$left" || { echo "the package leaves $left"; exit 1; }
fi
test "${2:-}" != all || in_root "$(block 2)"
