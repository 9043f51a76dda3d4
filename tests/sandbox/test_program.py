# SPDX-License-Identifier: MIT
"""The whole program with its workers locked in, and on kernels that lack a part of the lock."""
import glob
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest
from PIL import Image

TESTS = pathlib.Path(__file__).resolve().parent.parent
TESTDATA = TESTS.parent / 'testdata'
PROGRAM = os.environ['BT_BLURTHUMB']
LACKING = os.environ['BT_LACKING']
HANG_GUARD_S = 120
WORDS = {'landlock': ['Landlock'], 'seccomp': ['seccomp filters'], 'both': ['Landlock', 'seccomp filters']}

sys.path.insert(0, str(TESTS))

from formats import ALLOW, need_encoders, unwritten  # noqa: E402
from needs import lack  # noqa: E402


def run(folder, *arguments, lacking=None, source=TESTDATA):
    prefix = [LACKING, lacking] if lacking else []
    return subprocess.run([*prefix, PROGRAM, *ALLOW, *arguments, '-o', folder, source],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=HANG_GUARD_S)


def failures(done):
    """In the order of their names: workers do not end in the same order every time. ImageMagick tries to use the
    disk for what is too large for it, and says how that failed."""
    return sorted(line.split(' magick2vips:')[0] for line in done.stderr.splitlines())


def results(folder):
    return {path.relative_to(folder): path.read_bytes() for path in pathlib.Path(folder).rglob('*.*')
            if path.is_file() and path.name[0] != '.'}


@pytest.fixture(scope='module')
def free(tmp_path_factory):
    """What workers make of all test data that are not locked in: results and the lines of failures."""
    folder = tmp_path_factory.mktemp('free')
    done = run(folder, '--sandbox=off')
    return results(folder), failures(done)


@pytest.fixture(scope='module')
def lockable(tmp_path_factory):
    done = run(tmp_path_factory.mktemp('lockable'), '--sandbox=require', source=TESTDATA / 'sizes' / '1x1.jpg')
    if done.returncode != 0:
        lack(done.stderr)


@pytest.mark.parametrize('mode', ('auto', 'require'))
def test_every_format_is_the_same(lockable, free, tmp_path, mode):
    done = run(tmp_path, f'--sandbox={mode}')
    assert results(tmp_path) == free[0]
    assert failures(done) == free[1]


@pytest.mark.parametrize('format', ('jpeg', 'png', 'webp', 'avif', 'tiff'))
def test_every_encoder_writes_the_same(lockable, tmp_path, format):
    need_encoders(unwritten(TESTDATA, tmp_path), f'.{format}')
    for mode in 'off', 'auto':
        run(tmp_path / mode, f'--sandbox={mode}', '--format', format, '-s', '300', source=TESTDATA / 'formats')
    assert len(results(tmp_path / 'off')) > 35
    assert results(tmp_path / 'auto') == results(tmp_path / 'off')


@pytest.mark.parametrize('call', ('landlock_create_ruleset', 'landlock_restrict_self', 'capset'))
def test_goes_on_where_a_call_is_refused(lockable, free, tmp_path, call):
    """The kernel has it, and a container does not let it through."""
    run(tmp_path, lacking=call)
    assert results(tmp_path) == free[0]


@pytest.mark.parametrize('what', WORDS)
def test_goes_on_with_what_is_left(lockable, free, tmp_path, what):
    """And says so, in one line, once."""
    done = run(tmp_path, '-q', lacking=what)
    assert results(tmp_path) == free[0]
    notices = [line for line in done.stderr.splitlines() if 'workers run without' in line]
    assert len(notices) == 1 and all(word in notices[0] for word in WORDS[what])
    assert failures(done) == sorted([*notices, *free[1]])


@pytest.mark.parametrize('what', WORDS)
def test_does_nothing_where_it_must_and_cannot(lockable, tmp_path, what):
    done = run(tmp_path / 'processed', '--sandbox=require', lacking=what)
    assert done.returncode == 3
    assert 'cannot confine workers' in done.stderr and any(word in done.stderr for word in WORDS[what])
    assert done.stderr.count('\n') == 1 and not (tmp_path / 'processed').exists()


def threads_of_workers(pid):
    """What /proc tells of each thread of each worker: there are other children that see no picture."""
    for path in glob.glob(f'/proc/{pid}/task/{pid}/children'):
        for worker in pathlib.Path(path).read_text().split():
            if not pathlib.Path(f'/proc/{worker}/comm').read_text()[:len('blurthumb-0')] == 'blurthumb-0':
                continue
            for status in glob.glob(f'/proc/{worker}/task/*/status'):
                yield dict(line.split(':\t', 1) for line in pathlib.Path(status).read_text().splitlines())


def test_every_thread_is_locked_in(lockable, tmp_path):
    """An AVIF file is decoded, and encoded, by several threads. Workers are looked at while they work, and
    before they are locked in they have one thread."""
    if shutil.which('vips') is None:
        pytest.skip('the vips command line is missing (libvips-tools)')
    need_encoders(unwritten(TESTDATA, tmp_path), '.avif')
    Image.effect_mandelbrot((2400, 1800), (-2, -1.5, 1, 1.5), 100).convert('RGB').save(tmp_path / 'large.png')
    subprocess.run(['vips', 'copy', tmp_path / 'large.png', tmp_path / 'large.avif'], check=True)
    program = subprocess.Popen([PROGRAM, '-q', '--sandbox=require', '-s', '2400', '--sigma', '1', '-o',
                                tmp_path / 'processed', tmp_path / 'large.avif'], stdin=subprocess.DEVNULL)
    seen = []
    while program.poll() is None:
        try:
            seen += [status for status in threads_of_workers(program.pid) if status['Tgid'] != status['Pid']]
        except OSError:
            pass  # a thread has ended
        time.sleep(0.001)
    assert program.returncode == 0
    assert len({status['Pid'] for status in seen}) >= 2
    for status in seen:
        assert (status['Seccomp'], status['NoNewPrivs']) == ('2', '1'), status
        assert int(status['CapEff'], 16) == int(status['CapPrm'], 16) == 0
