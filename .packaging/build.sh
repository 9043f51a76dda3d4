#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# build.sh [FOLDER]: makes blurthumb's Debian package of the last commit (or of a tree without git, as it is) into
# FOLDER, the current one unless given. Needs dpkg-dev, debhelper and what the README's first line installs.
set -eu -o pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
out=$(cd "${1:-.}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/blurthumb"
if git -C "$top" rev-parse HEAD >/dev/null 2>&1; then
    git -C "$top" archive HEAD
else
    tar -C "$top" --exclude=./build --exclude=./processed -c .
fi | tar -x -C "$work/blurthumb"
cp -r "$work/blurthumb/.packaging/debian" "$work/blurthumb/debian"
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$top/meson.build")
sed -i "1s/(.*)/($version)/" "$work/blurthumb/debian/changelog"
(cd "$work/blurthumb" && dpkg-buildpackage -b -us -uc >"$work/log" 2>&1) || { tail -n 40 "$work/log"; exit 1; }
cp "$work"/blurthumb_*.deb "$out"
ls "$out"/blurthumb_*.deb
