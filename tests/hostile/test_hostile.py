# SPDX-License-Identifier: MIT
"""Pictures that lie (liars.py), all in one folder with sound ones: they cost themselves, no more."""
import os
import pathlib
import subprocess

import pytest

from liars import liars, names, untrusted
from program import PROGRAM, read, run, write

TESTDATA = pathlib.Path(__file__).resolve().parents[2] / 'testdata'
GOOD = 'photos/sea.jpg', 'formats/rgb.png', 'formats/lossy.webp', 'formats/strips.tif', 'formats/static.gif', 'formats/rgb.avif'

JOBS = 2
TIMEOUT_S = 20
MEMORY_BYTES = 512_000_000
OPTIONS = f'-j{JOBS}', f'--timeout={TIMEOUT_S}', f'--memory={MEMORY_BYTES}'
# Each file may use its time up, and be tried again.
GUARD_S = 300
# A picture that is alone has what is meant for all workers; code, libraries and the stack come on top.
LARGEST_BYTES = JOBS * MEMORY_BYTES + 128_000_000


def sound():
    return {b'good_' + os.path.basename(name).encode(): (TESTDATA / name).read_bytes() for name in GOOD}


@pytest.fixture(scope='module', params=('trusted', 'allowed'))
def batch(request, tmp_path_factory):
    """(folder, sources, what the run said): over all that lie, and over those that need --allow."""
    folder = tmp_path_factory.mktemp('hostile')
    allowed = request.param == 'allowed'
    lies = {os.fsencode(name): content for name, content in untrusted().items()} if allowed else liars()
    sources = {**lies, **sound()}
    write(folder / 'in', sources)
    write(folder / 'beside', {'witness.jpg': sound()[b'good_sea.jpg']})
    return folder, sources, run(folder, *OPTIONS, *(['--allow=ppm,svg,bmp,jp2,jxl'] if allowed else []), guard_s=GUARD_S)


@pytest.fixture(scope='module')
def undisturbed(tmp_path_factory):
    """The results of the sound pictures by themselves."""
    folder = tmp_path_factory.mktemp('sound')
    write(folder / 'in', sound())
    assert run(folder, *OPTIONS, guard_s=GUARD_S).code == 0
    return {name: content for name, content in read(folder / 'out').items() if name.startswith(b'good_')}


def test_each_is_done_or_has_a_reason(batch):
    folder, sources, done = batch
    n_processed, n_skipped, n_failed = done.counts
    assert done.code == 1
    assert (n_processed + n_failed, n_skipped) == (len(sources), 0)
    assert (len(done.processed), len(done.failed)) == (n_processed, n_failed)
    assert len([name for name in read(folder / 'out') if name != b'.blurthumb']) == n_processed
    plain = {name for name in sources if name not in names()}
    assert plain <= {*done.processed, *done.failed}


def test_sound_pictures_are_done_as_ever(batch, undisturbed):
    folder, _, _ = batch
    results = read(folder / 'out')
    assert undisturbed.keys() == sound().keys()
    assert {name: results.get(name) for name in undisturbed} == undisturbed


def test_nothing_speaks_to_the_terminal(batch):
    _, sources, done = batch
    assert (done.output + done.errors).count(b'\n') == len(sources) + 1
    assert all(letter == '\n' or letter.isprintable() for letter in (done.output + done.errors).decode())


def test_memory_is_bounded(batch):
    _, _, done = batch
    assert 0 < done.largest_bytes < LARGEST_BYTES


def test_nothing_else_is_touched(batch):
    folder, sources, _ = batch
    assert sorted(os.listdir(folder)) == ['beside', 'in', 'out']
    assert read(folder / 'in') == sources
    assert read(folder / 'beside') == {b'witness.jpg': sound()[b'good_sea.jpg']}
    assert {os.path.dirname(name) for name in read(folder / 'out')} == {b''}


def test_odd_names_as_arguments(tmp_path):
    """After -- nothing is an option; the longest name has no room for an ending."""
    odd = names()
    write(tmp_path / 'in', odd)
    done = subprocess.run([PROGRAM, '-o', '../out', '--', *odd], cwd=tmp_path / 'in', stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=GUARD_S)
    assert done.returncode == 1
    assert {*odd} - {*read(tmp_path / 'out')} == {name for name in odd if name.endswith(b'.bmp')}
    assert read(tmp_path / 'in') == odd


def test_name_without_room_for_the_ending_of_its_result_fails_with_a_reason(tmp_path):
    long = {name: content for name, content in names().items() if name.endswith(b'.bmp')}
    write(tmp_path / 'in', long)
    done = run(tmp_path, '--allow=bmp', guard_s=GUARD_S)
    assert (done.code, done.counts) == (1, (0, 0, 1))
    assert b'File name too long' in done.errors
