# SPDX-License-Identifier: MIT
"""blurthumb against the Python program, over the JPEGs of Debian's wallpaper packages, in turns.

    compare.py [--rounds N] [--jobs N] [--at-least RATIO] BLURTHUMB

Exit 0, 1 when the ratio of the medians is below RATIO, 77 when there are no pictures.
"""
import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from PIL import Image

PACKAGES = ('mate-backgrounds', 'ukui-wallpapers')
BACKGROUNDS = pathlib.Path('/usr/share/backgrounds')
PYTHON_PROGRAM = pathlib.Path(__file__).with_name('python_program.py')
SKIPPED = 77


def package_pictures():
    """The JPEGs of both packages; links are other names for the same picture."""
    listed = subprocess.run(['dpkg-query', '--listfiles', *PACKAGES], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True).stdout.splitlines()
    paths = sorted({pathlib.Path(line) for line in listed if line.startswith(str(BACKGROUNDS))})
    return [path for path in paths
            if path.suffix.lower() in ('.jpg', '.jpeg') and path.is_file() and not path.is_symlink()]


def collect(folder):
    """Copies the pictures; returns their number of pixels in millions."""
    pixels = 0
    for path in package_pictures():
        with Image.open(path) as image:
            pixels += image.width * image.height
        shutil.copyfile(path, folder / path.name)
    return pixels / 1e6


def seconds(command, output):
    """Wall-clock time of a run into a folder that does not exist yet."""
    shutil.rmtree(output, ignore_errors=True)
    before = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - before


def measure(commands, rounds):
    """Times of each command, A B A B ..., after one round that counts for nothing."""
    times = {name: [] for name in commands}
    for n in range(rounds + 1):
        for name, (command, output) in commands.items():
            elapsed = seconds(command, output)
            if n > 0:
                times[name].append(elapsed)
    return times


def report(times, n_pictures, megapixels):
    for name, samples in times.items():
        median = statistics.median(samples)
        print(f'{name:15} median {median:.3f} s, {min(samples):.3f} to {max(samples):.3f} s, '
              f'{n_pictures / median:.1f} pictures/s, {megapixels / median:.0f} MP/s')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('blurthumb')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--at-least', type=float, default=0)
    options = parser.parse_args()
    if not package_pictures():
        print(f'skipped: no pictures, install {" and ".join(PACKAGES)}')
        return SKIPPED
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        pictures, ours, theirs = root / 'pictures', root / 'ours', root / 'theirs'
        pictures.mkdir()
        megapixels = collect(pictures)
        names = sorted(pictures.iterdir())
        times = measure({
            'blurthumb': ([options.blurthumb, '-j', str(options.jobs), '-o', ours, pictures], ours),
            'Python program': ([sys.executable, PYTHON_PROGRAM, str(options.jobs), theirs, *names], theirs),
        }, options.rounds)
        assert all((output / path.name).is_file() for path in names for output in (ours, theirs))
    print(f'{len(names)} JPEGs, {megapixels:.0f} MP, {options.jobs} processes, {options.rounds} rounds in turns')
    report(times, len(names), megapixels)
    ratio = statistics.median(times['Python program']) / statistics.median(times['blurthumb'])
    print(f'blurthumb is {ratio:.1f} times as fast')
    if ratio < options.at_least:
        print(f'slower than asked: {ratio:.1f} is below {options.at_least}')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
