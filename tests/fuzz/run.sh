#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh SECONDS [NAME...]: lets each fuzzer (or those named: "exif frame") search for so long, under
# sanitizers, from its seeds. Exit 1 where one has failed; the bytes that it failed on stay, and are named.
# $BT_FUZZ_RUNS, if set, is the number of runs of each instead of its seconds: 1000000, say.
# What is built and found goes to $BT_FUZZ_FOLDER and is used again, or to a folder that is removed.
# Needs clang 14 (or $CC) with its runtime: clang-14 libclang-rt-14-dev.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
seconds=$1
shift
work=${BT_FUZZ_FOLDER:-$(mktemp -d)}
flags='-fsanitize=address,undefined -fsanitize=fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer -gline-tables-only -O1'
limit=-max_total_time=$seconds
failed=0

[ -z "${BT_FUZZ_RUNS:-}" ] || limit=-runs=$BT_FUZZ_RUNS

[ -d "$work/build" ] || CC=${CC:-clang-14} CFLAGS=$flags LDFLAGS=${flags/-fsanitize=fuzzer-no-link/} \
    meson setup "$work/build" "$here/../.." >/dev/null
meson compile -C "$work/build" fuzzers >/dev/null

if [ $# -eq 0 ]; then
    set -- $(cd "$here/corpus" && ls)
fi
search() {
    local name=$1 log=$work/$1.log seeds=("$here/corpus/$1")

    mkdir -p "$work/corpus/$name"
    case $name in
    jpeg-* | png | facts | format) seeds+=("$here"/../../testdata/{formats,orientation,sizes,broken}) ;;
    raw) seeds+=("$here"/../../testdata/raw) ;;
    esac
    if "$work/build/tests/fuzz/fuzz-$name" "$limit" -timeout=20 -rss_limit_mb=2000 \
        -artifact_prefix="$work/$name-" -print_final_stats=1 "$work/corpus/$name" "${seeds[@]}" \
        >"$log" 2>&1; then
        printf '%-12s %s runs, %s files in the corpus\n' "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
            "$(find "$work/corpus/$name" -type f | wc -l)"
    else
        tail -n 40 "$log"
        printf '%-12s FAILED, see %s\n' "$name" "$(sed -n 's/.*written to //p' "$log" | grep . || echo "$log")"
        return 1
    fi
}

n_running=0
for name; do
    if [ "$n_running" -eq "$(nproc)" ]; then
        wait -n || failed=1
        n_running=$((n_running - 1))
    fi
    search "$name" &
    n_running=$((n_running + 1))
done
while [ "$n_running" -gt 0 ]; do
    wait -n || failed=1
    n_running=$((n_running - 1))
done

[ -n "${BT_FUZZ_FOLDER:-}" ] || [ "$failed" -ne 0 ] || rm -rf "$work"
exit "$failed"
