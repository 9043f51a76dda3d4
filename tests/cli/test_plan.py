# SPDX-License-Identifier: MIT
"""Told, not done: what a run would do, and whether all is done."""
import os
import re
import shlex
import signal
import subprocess
import time

import pytest

from conftest import PROGRAM, Told

MANY = 20_000


def state(folder):
    """Everything that a run could have changed."""
    return {path: (path.stat().st_ctime_ns, path.stat().st_size) for path in [folder, *folder.rglob('*')]}


def test_dry_run_of_a_new_folder(blurthumb, photo, tmp_path):
    photo('in/a.jpg', 'in/x/b.jpg')
    before = state(tmp_path)
    done = blurthumb('-n', 'in')
    assert (done.returncode, done.stderr) == (0, b'') and state(tmp_path) == before
    lines = done.stdout.decode().splitlines()
    assert [line.partition(' (')[0] for line in sorted(lines[:2])] == ['in/a.jpg -> processed/a.jpg',
                                                                      'in/x/b.jpg -> processed/x/b.jpg']
    told = Told(blurthumb('--json', '-n', 'in'))
    assert told.pictures == {'in/a.jpg': ('planned', 'new'), 'in/x/b.jpg': ('planned', 'new')}
    assert state(tmp_path) == before
    assert lines[2].startswith('0 processed, 0 skipped, 0 failed, 2 to do in ')


def test_dry_run_says_why(blurthumb, photo, tmp_path):
    photo(*(f'in/{name}.jpg' for name in ('fresh', 'changed', 'gone', 'empty')))
    assert blurthumb('in').returncode == 0
    time.sleep(0.05)
    os.utime(tmp_path / 'in/changed.jpg')
    (tmp_path / 'processed/gone.jpg').unlink()
    (tmp_path / 'processed/empty.jpg').write_bytes(b'')
    before = state(tmp_path)
    lines = blurthumb('--dry-run', 'in').stdout.decode().splitlines()
    assert [re.fullmatch(r'(.*) \(.+\)', line)[1] for line in sorted(lines[:-1])] == [
        f'in/{name}.jpg -> processed/{name}.jpg' for name in ('changed', 'empty', 'gone')]
    assert lines[-1].startswith('0 processed, 1 skipped, 0 failed, 3 to do in ')

    def told(*arguments):
        done = Told(blurthumb('--json', '-n', *arguments))
        assert all('result_bytes' not in event for event in done.of_pictures if event['status'] == 'planned')
        return done.pictures
    assert told('in') == {'in/fresh.jpg': ('skipped', 'fresh'), 'in/changed.jpg': ('planned', 'changed'),
                          'in/gone.jpg': ('planned', 'new'), 'in/empty.jpg': ('planned', 'broken')}
    assert told('--sigma', '3', 'in/fresh.jpg') == {'in/fresh.jpg': ('planned', 'settings')}
    assert told('-f', 'in/fresh.jpg') == {'in/fresh.jpg': ('planned', 'forced')}
    assert state(tmp_path) == before


def test_dry_run_does_not_read_pixels(blurthumb, photo, tmp_path):
    """What it says does not depend on them, and a broken file is not found out."""
    os.makedirs(tmp_path / 'in')
    (tmp_path / 'in/broken.jpg').write_bytes(b'no picture')
    (tmp_path / 'in/a.bmp').write_bytes(b'none either')
    done = blurthumb('-n', 'in')
    assert done.returncode == 0
    assert [line.partition(' (')[0] for line in sorted(done.stdout.decode().splitlines()[:2])] == [
        'in/a.bmp -> processed/a.bmp.jpg', 'in/broken.jpg -> processed/broken.jpg']


def test_dry_run_tells_of_names_that_meet(blurthumb, photo):
    photo('one/a.jpg', 'two/a.jpg')
    done = blurthumb('-n', 'one', 'two')
    assert done.returncode == 1 and re.match(rb'blurthumb: two/a\.jpg: .*processed/a\.jpg', done.stderr)


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_verify(blurthumb, photo, lacking, tmp_path, jobs):
    photo('in/a.jpg', 'in/x/b.jpg', 'in/cut.jpg', 'in/spoilt.jpg', 'in/new.jpg', 'in/changed.jpg', size=(600, 400))
    photo('in/c.png', 'in/spoilt.png', format='PNG', size=(600, 400))
    photo('in/d.webp', format='WEBP')
    # Its result has another format than the source, and is called otherwise.
    photo('in/e.bmp' if '.bmp' not in lacking else 'in/e.jpg', format='BMP' if '.bmp' not in lacking else 'JPEG')
    assert blurthumb('--allow', 'bmp', 'in').returncode == 0
    done = blurthumb(jobs, '--allow', 'bmp', '--verify', 'in')
    assert (done.returncode, done.stderr) == (0, b'') and done.stdout.startswith(b'10 verified, 0 skipped, 0 failed')
    (tmp_path / 'processed/new.jpg').unlink()
    for name in ('cut.jpg', 'spoilt.jpg', 'spoilt.png'):
        size = (tmp_path / 'processed' / name).stat().st_size
        os.truncate(tmp_path / 'processed' / name, size * 2 // 3)
        if 'spoilt' in name:  # of the size that it should have
            os.truncate(tmp_path / 'processed' / name, size)
    time.sleep(0.05)
    os.utime(tmp_path / 'in/changed.jpg')
    before = state(tmp_path)
    done = blurthumb(jobs, '--allow', 'bmp', '--verify', 'in')
    assert done.returncode == 1 and state(tmp_path) == before
    assert done.stdout.startswith(b'5 verified, 0 skipped, 5 failed') and done.stderr.count(b'\n') == 5
    told = Told(blurthumb(jobs, '--allow', 'bmp', '--verify', '--json', 'in'))
    assert {path: reason for path, (status, reason) in told.pictures.items() if status == 'failed'} == {
        'in/changed.jpg': 'changed', 'in/cut.jpg': 'broken', 'in/spoilt.jpg': 'broken', 'in/spoilt.png': 'broken',
        'in/new.jpg': 'new'}
    assert b'10 failed' in blurthumb(jobs, '--allow', 'bmp', '--verify', '--sigma', '4', 'in').stdout
    assert b'5 failed' in blurthumb(jobs, '--verify', '--allow', 'bmp', '-v', 'in').stdout


def test_verify_without_a_result(blurthumb, photo, tmp_path):
    photo('in/a.jpg')
    done = blurthumb('--verify', 'in')
    assert done.returncode == 1 and done.stderr.startswith(b'blurthumb: in/a.jpg: ') and done.stderr.count(b'\n') == 1
    assert not (tmp_path / 'processed').exists()


@pytest.mark.parametrize('options', (('--verify', '-n'), ('-n', '--verify')), ids=' '.join)
def test_one_or_the_other(blurthumb, options):
    done = blurthumb(*options)
    assert done.returncode == 2 and b'--verify' in done.stderr


@pytest.mark.parametrize('options', (('-n',), ('-n', '--json')), ids=' '.join)
def test_reader_that_has_seen_enough(blurthumb, photo, tmp_path, options):
    """blurthumb -n | head -1: the rest of the list is not made, and nobody complains."""
    photo('in/0.jpg', size=(2, 2))
    for i in range(1, MANY):
        os.link(tmp_path / 'in/0.jpg', tmp_path / 'in' / f'{i}.jpg')
    command = ' '.join([shlex.quote(PROGRAM), *options, 'in', '| head -1; echo "${PIPESTATUS[0]}"'])
    done = subprocess.run(['bash', '-c', command], cwd=tmp_path, capture_output=True, timeout=120)
    line, code = done.stdout.decode().splitlines()
    assert line and int(code) in (0, 1, 128 + signal.SIGPIPE)
    assert done.stderr == b''
    assert sorted(os.listdir(tmp_path)) == ['in']
