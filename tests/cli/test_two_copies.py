# SPDX-License-Identifier: MIT
"""Several runs over the same sources into the same folder at once, as when a scheduler starts one anew
that it had lost sight of: what is there is what one run makes."""
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import numpy
import pytest
from PIL import Image

PROGRAM = os.environ['BT_BLURTHUMB']
N_PICTURES = 60
N_COPIES = 8
N_ROUNDS = 4
N_KILLS = 60
PAUSE_S = 0.05
HOLD_S = 1
# The first two names that it gives are a temporary's, to see whether it can, and that of the settings.
HELD_UP = ('strace', '-o', '/dev/null', '-e', 'trace=linkat', '-e',
           f'inject=linkat:delay_enter={500000 * HOLD_S}:when=1..2')
SLOW = '--exact', '--sigma', '100'

ways = pytest.mark.parametrize('way', ('--serial', '-j2'))


@pytest.fixture
def sources(tmp_path):
    """Pictures in three folders, no two alike; their names."""
    for i in range(N_PICTURES):
        path = tmp_path / 'in' / f'{i % 3}' / f'{i:02}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = numpy.random.default_rng(i).integers(0, 256, (6, 8, 3), numpy.uint8)
        Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def alone(sources, blurthumb, tmp_path):
    """alone(*settings): what one run makes."""
    def make(*settings):
        output = tmp_path / 'alone'
        shutil.rmtree(output, ignore_errors=True)
        assert blurthumb('-o', output, *settings, 'in').returncode == 0
        return below(output)
    return make


@pytest.fixture
def together(start):
    """together(arguments, ...): one run of each, at once, to their ends."""
    def run(*runs):
        processes = [start(*arguments, 'in') for arguments in runs]
        for process in processes:
            out, err = process.communicate(timeout=120)
            assert (process.returncode, err) == (0, b''), out
    return run


def below(folder):
    """The bytes of everything that is no folder, by its path relative to folder, but for the key: who
    wrote it, and over what, is told apart there."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in pathlib.Path(folder).rglob('*') if not path.is_dir() and path.name != '.blurthumb'}


def check_nothing_to_do(blurthumb, *settings):
    assert re.match(rb'0 processed, %d skipped, 0 failed' % N_PICTURES, blurthumb(*settings, 'in').stdout)


@ways
def test_two_copies(alone, together, blurthumb, tmp_path, way):
    together((way,), (way,))
    assert below(tmp_path / 'processed') == alone()
    check_nothing_to_do(blurthumb)


@pytest.mark.parametrize('earlier', (None, '7'), ids=('first', 'changed'))
def test_shares_that_start_together_agree_on_the_settings(alone, start, blurthumb, tmp_path, earlier):
    """One of them writes these: were it each, the last would make the results of the others look old. Here
    one is held up between looking at them and writing, while another does its share."""
    if earlier:
        assert blurthumb('--sigma', earlier, 'in').returncode == 0
    late = subprocess.Popen([*HELD_UP, PROGRAM, '-q', '--shard', '0/2', 'in'], cwd=tmp_path)
    time.sleep(HOLD_S / 2)
    early = start('-q', '--shard', '1/2', 'in')
    assert [process.wait(timeout=120) for process in (early, late)] == [0, 0]
    assert below(tmp_path / 'processed') == alone()
    check_nothing_to_do(blurthumb)


def test_all_shares_that_start_together(alone, together, blurthumb, tmp_path):
    for i in range(N_ROUNDS):
        settings = '--sigma', str(i)
        together(*((*settings, '--shard', f'{share}/{N_COPIES}') for share in range(N_COPIES)))
        assert below(tmp_path / 'processed') == alone(*settings)
        check_nothing_to_do(blurthumb, *settings)


@ways
def test_copies_that_are_killed_and_started_anew(alone, start, blurthumb, tmp_path, way):
    arguments = way, *SLOW, 'in'
    chance = random.Random(way)
    copies = [start(*arguments) for _ in range(N_COPIES)]
    for _ in range(N_KILLS):
        time.sleep(chance.uniform(0, PAUSE_S))
        i = chance.randrange(N_COPIES)
        copies[i].send_signal(chance.choice((signal.SIGKILL, signal.SIGTERM)))
        copies[i].communicate(timeout=120)
        copies[i] = start(*arguments)
    for copy in copies:
        _, err = copy.communicate(timeout=120)
        assert (copy.returncode, err) == (0, b'')
    output, wanted = tmp_path / 'processed', alone(*SLOW)
    found = below(output)
    assert {name: found.get(name) for name in wanted} == wanted
    check_nothing_to_do(blurthumb, *SLOW)
    # Temporaries of the dead are swept where there is something to do.
    for folder in output.glob('*/'):
        next(folder.glob('*.jpg')).unlink()
    assert blurthumb(*SLOW, 'in').returncode == 0
    assert below(output) == wanted


@ways
def test_copies_with_different_settings(alone, start, blurthumb, tmp_path, way):
    """Each result is of one of them, wholly; nothing of the other is taken for its own."""
    earlier = start(way, *SLOW, 'in')
    while not list((tmp_path / 'processed').glob('*/*.jpg')):
        time.sleep(PAUSE_S)
    done = blurthumb(way, '--sigma', '3', 'in')
    out, err = earlier.communicate(timeout=120)
    assert (done.returncode, done.stderr) == (0, b'')
    assert (earlier.returncode, err) == (0, b'')
    found = below(tmp_path / 'processed')
    slow, quick = alone(*SLOW), alone('--sigma', '3')
    assert sorted(found) == sorted(quick)
    assert [name for name in found if found[name] not in (slow[name], quick[name])] == []
    assert blurthumb('--sigma', '3', 'in').returncode == 0
    assert below(tmp_path / 'processed') == quick
    check_nothing_to_do(blurthumb, '--sigma', '3')
