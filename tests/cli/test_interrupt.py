# SPDX-License-Identifier: MIT
"""Runs that are stopped in the middle: what is there under a name is whole, and the next run ends it."""
import os
import shutil
import signal
import subprocess
import time

import pytest
from PIL import Image

from conftest import PROGRAM

N_SOURCES = 12
SLOW = '--exact', '--sigma', '60'
STOP_GUARD_S = 60


@pytest.fixture
def started(start, testdata, tmp_path):
    """started(*arguments): a slow run over a dozen photos that has published its first result."""
    shutil.copytree(testdata / 'photos', tmp_path / 'in')

    def begin(*arguments):
        process = start(*SLOW, *arguments, 'in')
        while not list((tmp_path / 'processed').glob('*.jpg')):
            assert process.poll() is None
            time.sleep(0.01)
        return process
    return begin


def check_whole(folder):
    """The names of the results, all of which can be read to their last row; no temporary is left."""
    for name in os.listdir(folder):
        if name != '.blurthumb':
            assert not name.startswith('.')
            with Image.open(folder / name) as image:
                image.load()
    return [name for name in os.listdir(folder) if not name.startswith('.')]


@pytest.mark.parametrize('jobs', ('--serial', '-j1', '-j2'))
@pytest.mark.parametrize('number, code', ((signal.SIGINT, 130), (signal.SIGTERM, 143)))
def test_signal_ends_the_run(started, tmp_path, jobs, number, code):
    process = started(jobs)
    process.send_signal(number)
    process.communicate(timeout=STOP_GUARD_S)
    assert process.returncode == code
    assert 0 < len(check_whole(tmp_path / 'processed')) < N_SOURCES


def test_next_run_ends_what_was_interrupted(started, blurthumb, tmp_path):
    process = started('-j2')
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=STOP_GUARD_S)
    n_before = len(check_whole(tmp_path / 'processed'))
    done = blurthumb(*SLOW, 'in')
    assert (done.returncode, done.stderr) == (0, b'')
    assert done.stdout.startswith(f'{N_SOURCES - n_before} processed, {n_before} skipped, 0 failed'.encode())
    assert len(check_whole(tmp_path / 'processed')) == N_SOURCES


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_kill_leaves_whole_results(started, tmp_path, jobs):
    process = started(jobs)
    process.kill()
    process.communicate(timeout=STOP_GUARD_S)
    assert 0 < len(check_whole(tmp_path / 'processed')) < N_SOURCES


def test_workers_die_with_their_supervisor(started):
    process = started('-j2')
    with open(f'/proc/{process.pid}/task/{process.pid}/children', encoding='ascii') as children:
        workers = children.read().split()
    assert len(workers) >= 2
    process.kill()
    process.communicate(timeout=STOP_GUARD_S)
    deadline = time.monotonic() + STOP_GUARD_S
    while any(os.path.exists(f'/proc/{worker}') for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_grace_finishes_what_is_in_work(started, blurthumb, tmp_path, jobs):
    """75: a scheduler that took the machine away may start it once more."""
    process = started(jobs, '-v', '--grace', '60')
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=STOP_GUARD_S)
    assert process.returncode == 75 and err == b'blurthumb: asked to stop; run it again to do the rest\n'
    done = check_whole(tmp_path / 'processed')
    assert out.count(b'was processed') == len(done) < N_SOURCES
    assert blurthumb(*SLOW, 'in').stdout.startswith(f'{N_SOURCES - len(done)} processed, {len(done)} skipped'.encode())


@pytest.mark.parametrize('second', (signal.SIGTERM, signal.SIGINT))
def test_second_signal_ends_the_grace(started, tmp_path, second):
    process = started('-j2', '--grace', '60', '--sigma', '300')
    process.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    process.send_signal(second)
    process.communicate(timeout=STOP_GUARD_S)
    assert process.returncode in (128 + second, 75)
    check_whole(tmp_path / 'processed')


@pytest.mark.parametrize('jobs', ('--serial', '-j1'))
def test_grace_has_an_end(started, tmp_path, jobs):
    process = started(jobs, '--grace', '0.001')
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=STOP_GUARD_S)
    assert process.returncode == 75
    assert len(check_whole(tmp_path / 'processed')) < N_SOURCES


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_usr1_tells_and_changes_nothing(started, tmp_path, jobs):
    process = started(jobs)
    for _ in range(3):
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.05)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and out.startswith(f'{N_SOURCES} processed'.encode())
    assert b'blurthumb' in err


@pytest.mark.parametrize('number', (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_ignored_signal_stays_ignored(testdata, tmp_path, jobs, number):
    """As nohup and trap '' leave it."""
    shutil.copytree(testdata / 'photos', tmp_path / 'in')
    name = signal.Signals(number).name.removeprefix('SIG')
    process = subprocess.Popen(['sh', '-c', f'trap "" {name}; exec "$@"', 'sh', PROGRAM, *SLOW, jobs, 'in'], cwd=tmp_path,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while not list((tmp_path / 'processed').glob('*.jpg')):
            assert process.poll() is None
            time.sleep(0.01)
        for _ in range(3):
            process.send_signal(number)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, b'') and out.startswith(f'{N_SOURCES} processed'.encode())


def test_nohup(testdata, tmp_path):
    """Only what it ignores is ignored: SIGTERM ends the run."""
    shutil.copytree(testdata / 'photos', tmp_path / 'in')
    process = subprocess.Popen(['nohup', PROGRAM, *SLOW, 'in'], cwd=tmp_path, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not list((tmp_path / 'processed').glob('*.jpg')):
        assert process.poll() is None
        time.sleep(0.01)
    n = len(list((tmp_path / 'processed').glob('*.jpg')))
    process.send_signal(signal.SIGHUP)
    while len(list((tmp_path / 'processed').glob('*.jpg'))) == n:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=STOP_GUARD_S)
    assert process.returncode in (143, 0)
    check_whole(tmp_path / 'processed')
