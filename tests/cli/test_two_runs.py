# SPDX-License-Identifier: MIT
"""Two runs that do not know of each other share the work: a picture is looked at again when its turn comes."""
import json
import signal
import subprocess
import time

import numpy
import pytest
from PIL import Image

from conftest import PROGRAM, Told

N_PICTURES = 40
N_WORKERS = 2
SLOW = '--json', f'-j{N_WORKERS}', '--exact', '--sigma', '60'
GUARD_S = 100


@pytest.fixture
def pictures(disk):
    """No two alike in size."""
    (disk / 'in').mkdir()
    for i in range(N_PICTURES):
        coarse = numpy.random.default_rng(i).integers(0, 256, (6, 8, 3), numpy.uint8)
        Image.fromarray(coarse).resize((480 + i, 360), Image.Resampling.BICUBIC).save(disk / 'in' / f'{i}.jpg')


@pytest.fixture
def begin(disk):
    running = []

    def run():
        running.append(subprocess.Popen([PROGRAM, *SLOW, 'in'], cwd=disk, stdin=subprocess.DEVNULL,
                                        stdout=open(disk / f'told-{len(running)}', 'wb'), stderr=subprocess.PIPE))
        return running[-1]
    yield run
    for process in running:
        process.kill()
        process.communicate()


def read(disk, number):
    """What a run has said, by the status of its pictures."""
    lines = [json.loads(line) for line in (disk / f'told-{number}').read_bytes().splitlines()]
    return [(line['path'], line['status']) for line in lines if line['event'] == 'picture']


def stop(process):
    """Not while it holds the lock of a folder's records, for which another run has to wait."""
    def state():
        with open(f'/proc/{process.pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0]

    def locks():
        with open('/proc/locks') as file:
            return [line for line in file if line.split()[4 if '->' not in line else 5] == str(process.pid)]

    process.send_signal(signal.SIGSTOP)
    while state() != 'T' or locks():
        if state() == 'T':
            process.send_signal(signal.SIGCONT)
            time.sleep(0.002)
            process.send_signal(signal.SIGSTOP)
        assert process.poll() is None


def test_run_that_was_away_meanwhile(disk, pictures, begin, blurthumb):
    """It was stopped when it knew of all pictures, and had done few. What the other did it skips but for
    those that it had opened: as many as it has workers, and as many read ahead."""
    late = begin()
    deadline = time.monotonic() + GUARD_S
    while not list((disk / 'processed').glob('*.jpg')):
        assert late.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    stop(late)
    n_done = len(list((disk / 'processed').glob('*.jpg')))
    assert n_done < N_PICTURES / 2
    early = Told(blurthumb(*SLOW, 'in', cwd=disk))
    assert early.code == 0 and early.end['processed'] >= N_PICTURES - n_done
    late.send_signal(signal.SIGCONT)
    _, err = late.communicate(timeout=GUARD_S)
    assert (late.returncode, err) == (0, b'')
    told = read(disk, 0)
    assert sorted(path for path, _ in told) == sorted(f'in/{i}.jpg' for i in range(N_PICTURES))
    n_processed = sum(status == 'processed' for _, status in told)
    assert n_processed <= n_done + 2 * N_WORKERS
    assert Told(blurthumb(*SLOW, 'in', cwd=disk)).end['skipped'] == N_PICTURES


def test_at_once(disk, pictures, begin, blurthumb):
    """Both say of each picture that it was done, by them or before; all results are there."""
    for process in [begin(), begin()]:
        _, err = process.communicate(timeout=GUARD_S)
        assert (process.returncode, err) == (0, b'')
    for number in range(2):
        told = read(disk, number)
        assert len(told) == N_PICTURES and {status for _, status in told} <= {'processed', 'skipped'}
    assert len(list((disk / 'processed').glob('*.jpg'))) == N_PICTURES
    assert Told(blurthumb('--verify', *SLOW, 'in', cwd=disk)).end['verified'] == N_PICTURES
