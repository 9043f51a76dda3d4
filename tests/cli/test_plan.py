# SPDX-License-Identifier: MIT
"""Told, not done: what a run would do, and whether all is done."""
import os
import time

import pytest


def state(folder):
    """Everything that a run could have changed."""
    return {path: (path.stat().st_ctime_ns, path.stat().st_size) for path in [folder, *folder.rglob('*')]}


def test_dry_run_of_a_new_folder(blurthumb, photo, tmp_path):
    photo('in/a.jpg', 'in/x/b.jpg')
    before = state(tmp_path)
    done = blurthumb('-n', 'in')
    assert (done.returncode, done.stderr) == (0, b'') and state(tmp_path) == before
    lines = done.stdout.decode().splitlines()
    assert sorted(lines[:2]) == ['in/a.jpg -> processed/a.jpg (new)', 'in/x/b.jpg -> processed/x/b.jpg (new)']
    assert lines[2].startswith('0 processed, 0 skipped, 0 failed, 2 to do in ')


def test_dry_run_says_why(blurthumb, photo, tmp_path):
    photo(*(f'in/{name}.jpg' for name in ('fresh', 'changed', 'gone', 'empty')))
    assert blurthumb('in').returncode == 0
    time.sleep(0.05)
    os.utime(tmp_path / 'in/changed.jpg')
    (tmp_path / 'processed/gone.jpg').unlink()
    (tmp_path / 'processed/empty.jpg').write_bytes(b'')
    before = state(tmp_path)
    told = blurthumb('--dry-run', 'in').stdout.decode().splitlines()
    assert sorted(told[:-1]) == ['in/changed.jpg -> processed/changed.jpg (changed since its result was made)',
                                 'in/empty.jpg -> processed/empty.jpg (its result is empty or no file)',
                                 'in/gone.jpg -> processed/gone.jpg (new)']
    assert told[-1].startswith('0 processed, 1 skipped, 0 failed, 3 to do in ')
    told = blurthumb('-n', '--sigma', '3', 'in/fresh.jpg').stdout.decode()
    assert told.startswith('in/fresh.jpg -> processed/fresh.jpg (its result was made with other settings)\n')
    told = blurthumb('-n', '-f', 'in/fresh.jpg').stdout.decode()
    assert told.startswith('in/fresh.jpg -> processed/fresh.jpg (--force)\n')
    assert state(tmp_path) == before


def test_dry_run_does_not_read_pixels(blurthumb, photo, tmp_path):
    """What it says does not depend on them, and a broken file is not found out."""
    os.makedirs(tmp_path / 'in')
    (tmp_path / 'in/broken.jpg').write_bytes(b'no picture')
    (tmp_path / 'in/a.bmp').write_bytes(b'none either')
    done = blurthumb('-n', 'in')
    assert done.returncode == 0
    assert sorted(done.stdout.decode().splitlines()[:2]) == ['in/a.bmp -> processed/a.bmp.jpg (new)',
                                                           'in/broken.jpg -> processed/broken.jpg (new)']


def test_dry_run_tells_of_names_that_meet(blurthumb, photo):
    photo('one/a.jpg', 'two/a.jpg')
    done = blurthumb('-n', 'one', 'two')
    assert done.returncode == 1 and b'belongs to one/a.jpg' in done.stderr


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_verify(blurthumb, photo, lacking, tmp_path, jobs):
    photo('in/a.jpg', 'in/x/b.jpg', 'in/cut.jpg', 'in/new.jpg', 'in/changed.jpg', size=(600, 400))
    photo('in/c.png', 'in/cut.png', format='PNG', size=(600, 400))
    photo('in/d.webp', format='WEBP')
    # Its result has another format than the source, and is called otherwise.
    photo('in/e.bmp' if '.bmp' not in lacking else 'in/e.jpg', format='BMP' if '.bmp' not in lacking else 'JPEG')
    assert blurthumb('--allow', 'bmp', 'in').returncode == 0
    done = blurthumb(jobs, '--allow', 'bmp', '--verify', 'in')
    assert (done.returncode, done.stderr) == (0, b'') and done.stdout.startswith(b'9 verified, 0 skipped, 0 failed')
    (tmp_path / 'processed/new.jpg').unlink()
    for name in ('cut.jpg', 'cut.png'):
        whole = (tmp_path / 'processed' / name).read_bytes()
        (tmp_path / 'processed' / name).write_bytes(whole[:len(whole) * 2 // 3])
    time.sleep(0.05)
    os.utime(tmp_path / 'in/changed.jpg')
    before = state(tmp_path)
    done = blurthumb(jobs, '--allow', 'bmp', '--verify', 'in')
    assert done.returncode == 1 and state(tmp_path) == before
    assert done.stdout.startswith(b'5 verified, 0 skipped, 4 failed')
    told = sorted(line.removeprefix('blurthumb: ') for line in done.stderr.decode().splitlines())
    assert told[0] == 'in/changed.jpg: it changed since its result was made'
    assert told[1].startswith('in/cut.jpg: its result: it cannot be decoded')
    assert told[2].startswith('in/cut.png: its result: it cannot be decoded')
    assert told[3] == 'in/new.jpg: it has no result'
    assert b'9 failed' in blurthumb(jobs, '--allow', 'bmp', '--verify', '--sigma', '4', 'in').stdout
    assert b'4 failed' in blurthumb(jobs, '--verify', '--allow', 'bmp', '-v', 'in').stdout


def test_verify_without_a_result(blurthumb, photo, tmp_path):
    photo('in/a.jpg')
    done = blurthumb('--verify', 'in')
    assert done.returncode == 1 and done.stderr == b'blurthumb: in/a.jpg: it has no result\n'
    assert not (tmp_path / 'processed').exists()


@pytest.mark.parametrize('options', (('--verify', '-n'), ('-n', '--verify')), ids=' '.join)
def test_one_or_the_other(blurthumb, options):
    done = blurthumb(*options)
    assert done.returncode == 2 and b'--verify' in done.stderr
