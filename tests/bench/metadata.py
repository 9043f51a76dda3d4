# SPDX-License-Identifier: MIT
"""What a batch asks of a file system that is behind a network.

    metadata.py [--pictures N] [--folder DIR] [--markdown] BLURTHUMB

Runs it over copies of the example photos, in folders of fifty below DIR, under strace, and counts the system calls
that concern the sources or the results, and the bytes that are read and written there. A row for each
kind of run, in which all is divided by the number of pictures in the tree:

    first run       there is no result yet
    second run      all are up to date
    verify          each result is decoded
    other's shard   the run has --shard 0/8, and no picture is in that part
    forced          --force: each result takes the place of an earlier one

A call that asks about an open file (fstat) is answered without the network as long as attributes may
be kept; a close is left out."""
import argparse
import collections
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

from table import table

PHOTOS = pathlib.Path(__file__).resolve().parents[2] / 'testdata' / 'photos'
PER_FOLDER = 50
SHARD = '--shard', '0/8'

CALL = re.compile(r'(\w+)\((.*)\) += (-?\d+)')
KINDS = {'openat': 'open', 'openat2': 'open', 'newfstatat': 'stat', 'statx': 'stat', 'linkat': 'link',
         'renameat': 'rename', 'renameat2': 'rename', 'unlinkat': 'unlink', 'mkdirat': 'mkdir',
         'getdents64': 'list', 'read': 'read', 'pread64': 'read', 'write': 'write', 'pwrite64': 'write'}
COLUMNS = 'open', 'create', 'stat', 'fstat', 'link', 'rename', 'unlink', 'mkdir', 'list'


def kind(name, arguments):
    if KINDS[name] == 'open' and re.search('O_CREAT|O_TMPFILE', arguments):
        return 'create'
    if KINDS[name] == 'stat' and ', "", ' in arguments:
        return 'fstat'
    return KINDS[name]


def count(root, *command):
    """Calls by kind, and bytes as 'bytes read' and 'bytes written', of one run in the folder root."""
    with tempfile.TemporaryDirectory() as logs:
        subprocess.run(['strace', '-ff', '-y', '-s', '0', '-o', f'{logs}/log', '-e', 'trace=' + ','.join(KINDS),
                        *command, '-q', '-o', 'out', 'in'], cwd=root, check=True)
        calls = [found.groups() for log in pathlib.Path(logs).iterdir()
                 for line in log.read_text(errors='replace').splitlines() if (found := CALL.match(line))]
    counts = collections.Counter()
    for name, arguments, result in calls:
        if f'<{root}/' in arguments:
            counts[kind(name, arguments)] += 1
            counts['bytes ' + kind(name, arguments)] += int(result)
    return counts


def make_tree(root, n):
    photos = sorted(PHOTOS.glob('*.jpg'))
    for i in range(n):
        folder = root / 'in' / f'{i // PER_FOLDER:03}'
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(photos[i % len(photos)], folder / f'{i:05}.jpg')


def remove_shard(root, program):
    """Takes out of the tree what is in the shard; how many pictures are left."""
    planned = subprocess.run([program, *SHARD, '--dry-run', '--json', '-f', '-o', 'out', 'in'], cwd=root, check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    for event in map(json.loads, planned.splitlines()):
        if event['event'] == 'picture':
            (root / event['path']).unlink()
    return len(list((root / 'in').rglob('*.jpg')))


def measure(root, program, n):
    """Pairs of what was run, and its counts for each picture."""
    make_tree(root, n)
    for what, option in (('first run', ()), ('second run', ()), ('verify', ('--verify',)), ('forced', ('--force',))):
        yield what, count(root, program, *option), n
    n_left = remove_shard(root, program)
    yield "other's shard", count(root, program, *SHARD), n_left


def format_row(what, counts, n):
    return [what, *(f'{counts[column] / n:.2f}' for column in COLUMNS),
            *(f'{counts["bytes " + which] / n / 1000:.1f}' for which in ('read', 'write'))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--pictures', type=int, default=200)
    parser.add_argument('--folder', help='on the file system that it is about')
    parser.add_argument('--markdown', action='store_true')
    parser.add_argument('program', type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = [format_row(*row) for row in measure(pathlib.Path(folder), options.program.resolve(), options.pictures)]
    print(table(['for each picture', *COLUMNS, 'kB read', 'kB written'], rows, options.markdown))


main()
