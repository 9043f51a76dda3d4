# SPDX-License-Identifier: MIT
"""What must hold for a batch of any length.

    scale.py [--names N] [--rounds N] [--pool BENCH_POOL] BLURTHUMB

Makes a tree of N small JPEGs (names of a few files: one folder of a fifth of them, the others of a
thousand each) and one PNG, which is met first, so that libvips is loaded. Each row with its bar:

    supervisor     peak resident memory (VmHWM) of that process alone, over a run from end to end
    first picture  from the start of the program until the first result has its name; median
    second run     with every result fresh, against `find -newer` over the same two trees; ratio
                   of medians, in turns
    empty tasks    through a pool of two workers, as BENCH_POOL counts them

A million names take 5 GB of disk and several minutes. Exit 1 when a bar is missed.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from PIL import Image

LINKS_PER_FILE = 50_000  # below the limit of ext4
NAMES_PER_FOLDER = 1000
WORKERS = 2


def make_originals(folder, n):
    folder.mkdir()
    for i in range(n):
        Image.new('RGB', (240 + i, 180), (200, 90, 30)).save(folder / f'{i}.jpg')
    return sorted(folder.iterdir())


def make_tree(root, n_names):
    originals = make_originals(root.with_name('originals'), -(-n_names // LINKS_PER_FILE))
    n_together = n_names // 5
    root.mkdir()
    Image.new('RGB', (240, 180)).save(root / 'first.png')
    for i in range(n_names):
        folder = root / ('together' if i < n_together else f'{(i - n_together) // NAMES_PER_FOLDER:04}')
        if i == 0 or i >= n_together and (i - n_together) % NAMES_PER_FOLDER == 0:
            folder.mkdir()
        (folder / f'{i:07}.jpg').hardlink_to(originals[i // LINKS_PER_FILE])


def peak_bytes(pid):
    status = pathlib.Path(f'/proc/{pid}/status').read_text()
    match = re.search(r'^VmHWM:\s+(\d+) kB', status, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0  # none in a process that has just ended


def measure_supervisor(command):
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, peak_bytes(process.pid))
            time.sleep(0.01)
    assert process.returncode == 0
    return peak


def seconds_to_first(command, results):
    """The program is stopped then."""
    before = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not any(results.glob('*/*.jpg')):
            assert process.poll() is None
            time.sleep(0.0005)
        elapsed = time.perf_counter() - before
        process.terminate()
    return elapsed


def measure_first(program, sources, root, rounds):
    times = []
    for n in range(rounds):
        results = root / f'first-{n}'
        times.append(seconds_to_first([program, '-j', str(WORKERS), '-o', results, sources], results))
    return statistics.median(times)


def seconds(command):
    before = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - before


def measure_again(run, find, rounds):
    """The first round, which fills the caches, does not count."""
    times = [(seconds(run), seconds(find)) for _ in range(rounds + 1)][1:]
    ours, theirs = (statistics.median(column) for column in zip(*times))
    return ours / theirs


def measure_pool(bench_pool):
    printed = subprocess.run([bench_pool], check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(re.search(rf'^{WORKERS} workers, two waiting +(\d+) tasks/s', printed, re.MULTILINE)[1])


def show(name, figure, bar, good):
    print(f'{name:15} {figure:>12}  {bar:>12}  {"ok" if good else "missed"}', flush=True)
    return good


def measure(options, root):
    """Yields whether each bar is held."""
    program, sources, results = options.blurthumb, root / 'sources', root / 'results'
    run = [program, '-j', str(WORKERS), '-o', results, sources]
    make_tree(sources, options.names)
    first_s = measure_first(program, sources, root, options.rounds)
    yield show('first picture', f'{first_s:.3f} s', '<= 0.1 s', first_s <= 0.1)
    peak = measure_supervisor(run)
    yield show('supervisor', f'{peak / 1e6:.1f} MB', '<= 40 MB', peak <= 40e6)
    find = ['find', sources, results, '-type', 'f', '-newer', results / '.blurthumb']
    ratio = measure_again(run, find, options.rounds)
    yield show('second run', f'{ratio:.2f} x find', '<= 2 x', ratio <= 2)
    if options.pool is not None:
        rate = measure_pool(options.pool)
        yield show('empty tasks', f'{rate} /s', '>= 100000 /s', rate >= 100_000)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('blurthumb')
    parser.add_argument('--names', type=int, default=100_000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--pool')
    options = parser.parse_args()
    print(f'{options.names} names, {WORKERS} workers')
    with tempfile.TemporaryDirectory() as root:
        return 0 if all(list(measure(options, pathlib.Path(root)))) else 1


if __name__ == '__main__':
    sys.exit(main())
