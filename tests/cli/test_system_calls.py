# SPDX-License-Identifier: MIT
"""What PATHs cost: system calls, counted by strace, against those for the folder they lie in. And that a giant gets
threads: its time would not show it where there is one processor."""
import os
import subprocess

import pytest
from PIL import Image

from conftest import HANG_GUARD_S, PROGRAM

# A PATH is looked at, which a folder that is found need not be: one call of some ten.
MOST = 1.2


def count_calls(cwd, *arguments):
    log = cwd / 'log'
    run = subprocess.run(['strace', '-f', '-c', '-U', 'name,calls', '-o', log, PROGRAM, *arguments], cwd=cwd,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=HANG_GUARD_S)
    assert run.returncode == 0, run.stderr
    calls = dict(line.split() for line in log.read_text().splitlines() if len(line.split()) == 2)
    return int(calls['total']), run.stdout


@pytest.mark.parametrize('slash', ['', '/'], ids=['plain', 'slashed'])
@pytest.mark.parametrize('output', [False, True], ids=['new', 'skipping'])
@pytest.mark.parametrize('n', [600, 2000])
def test_folders_as_paths(tmp_path, photo, n, output, slash):
    """Each with one picture, without an output folder to keep out of, and with one."""
    photo('a.jpg')
    for i in range(n):
        os.makedirs(tmp_path / f'photos/{i}')
        os.link(tmp_path / 'a.jpg', tmp_path / f'photos/{i}/{i}.jpg')
    if output:
        os.mkdir(tmp_path / 'processed')
    parent, plan = count_calls(tmp_path, '-n', 'photos')
    paths, other_plan = count_calls(tmp_path, '-n', *(f'photos/{i}{slash}' for i in range(n)))
    print(f'{n} folders: {parent} calls as one PATH, {paths} as {n}: {paths / parent:.3f}')
    assert plan.count(b'\n') == other_plan.count(b'\n') == n + 1
    assert paths <= MOST * parent


def test_results_as_new(tmp_path, photo):
    """The same when pictures are opened, looked at again and published."""
    n = 100
    photo(*(f'photos/{i}/{i}.jpg' for i in range(n)))
    parent, _ = count_calls(tmp_path, '--serial', '-q', '-o', 'one', 'photos')
    paths, _ = count_calls(tmp_path, '--serial', '-q', '-o', 'two', *(f'photos/{i}' for i in range(n)))
    print(f'{n} pictures done: {parent} calls as one PATH, {paths} as {n}: {paths / parent:.3f}')
    assert paths <= MOST * parent


def count_threads(cwd, *arguments):
    run = subprocess.run(['strace', '-f', '-e', 'trace=clone,clone3', '-e', 'signal=none', '-o', cwd / 'log', PROGRAM,
                          '--force', '-q', '-j', '3', *arguments], cwd=cwd, stdin=subprocess.DEVNULL, timeout=HANG_GUARD_S)
    assert run.returncode == 0
    calls = [line for line in (cwd / 'log').read_text().splitlines() if 'CLONE_THREAD' in line]
    # A worker that is locked in has no clone3(), and clone() after it.
    return sum(' clone(' in line for line in calls) or sum(' clone3(' in line for line in calls)


@pytest.mark.parametrize('side, most', [(7200, 2), (2000, 0)], ids=['giant', 'ordinary'])
def test_a_giant_has_the_threads_of_idle_workers(tmp_path, side, most):
    """Unless it is started before the scan has ended: more pictures might come. So it has some tries."""
    Image.new('L', (side, side)).save(tmp_path / 'a.jpg')
    seen = [count_threads(tmp_path, 'a.jpg')]
    while seen[-1] < most and len(seen) < 5:
        seen.append(count_threads(tmp_path, 'a.jpg'))
    assert max(seen) == most
