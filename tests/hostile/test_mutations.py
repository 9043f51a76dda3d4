# SPDX-License-Identifier: MIT
"""Mutated pictures (mutate.py) through the whole program: each is done or failed, and the supervisor
minds its business. BT_MUTATIONS in the environment says how many; with sanitizers in the program
(BT_SANITIZED=1) no report may begin in our code.
"""
import os
import pathlib
import re

import pytest

from mutate import mutation
from program import read, run, write

TESTDATA = pathlib.Path(__file__).resolve().parents[2] / 'testdata'
N = int(os.environ.get('BT_MUTATIONS', '400'))
PER_BATCH = 200
LARGEST_SOURCE = 100_000
GUARD_S = 600
OPTIONS = '-j2', '--timeout=10', '--allow=ppm,svg,bmp,jp2,jxl'
SANITIZED = os.environ.get('BT_SANITIZED') == '1'
# Not together with the limits of a locked-in worker: shadow memory is beyond any, and reports are files.
SANITIZED_OPTIONS = '--sandbox=off', '--memory=0'
TOP_FRAMES = 3


def pictures():
    found = sorted(path for folder in ('formats', 'orientation', 'sizes') for path in (TESTDATA / folder).iterdir())
    return [(path.name, path.read_bytes()) for path in found if path.stat().st_size <= LARGEST_SOURCE]


def sanitizing(folder):
    """The environment of a run whose sanitizers write into a folder."""
    return {variable: f'{os.environ.get(variable, "")}:log_path={folder}/{variable}'
            for variable in ('ASAN_OPTIONS', 'UBSAN_OPTIONS')}


def reports_of_ours(folder):
    """Sanitizers' reports in whose first frames, or whose first line, a source of ours stands."""
    for report in folder.glob('*_OPTIONS.*'):
        text = report.read_text(errors='replace')
        frames = re.findall(r'^ *#\d+ .*', text, re.MULTILINE)[:TOP_FRAMES]
        if any('/src/' in line for line in (*frames, text.partition('\n')[0])):
            yield text


@pytest.mark.parametrize('first', range(0, N, PER_BATCH))
def test_mutated_pictures(first, tmp_path):
    originals = pictures()
    sources = dict(mutation(number, originals) for number in range(first, min(N, first + PER_BATCH)))
    write(tmp_path / 'in', sources)
    done = run(tmp_path, *OPTIONS, *(SANITIZED_OPTIONS if SANITIZED else ()), guard_s=GUARD_S,
               environment=sanitizing(tmp_path) if SANITIZED else None)
    n_processed, n_skipped, n_failed = done.counts
    assert done.code == (n_failed > 0)
    assert (n_processed + n_failed, n_skipped) == (len(sources), 0)
    assert {*done.processed, *done.failed} == {name.encode() for name in sources}
    results = [content for name, content in read(tmp_path / 'out').items() if name != b'.blurthumb']
    assert len(results) == n_processed and all(results)
    assert not [*reports_of_ours(tmp_path)]
