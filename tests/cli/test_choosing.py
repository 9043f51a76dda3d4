# SPDX-License-Identifier: MIT
"""Which of the files that are there are taken: lists, globs, sizes, times, depth, links, shards."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from conftest import PROGRAM, TESTS


@pytest.fixture
def tree(photo):
    photo('in/a.jpg', 'in/b.jpeg', 'in/x/c.jpg', 'in/x/y/d.jpg', 'in/.hidden/e.jpg', 'in/.f.jpg')
    photo('in/raw/g.png', format='PNG')


@pytest.mark.parametrize('options, expected', (
    (('--exclude', 'x'), 'a.jpg b.jpeg raw/g.png'),
    (('--exclude', '*.jpg'), 'b.jpeg raw/g.png'),
    (('--include', '*.jpg'), 'a.jpg x/c.jpg x/y/d.jpg'),
    (('--include', '*.jpg', '--exclude', 'y/'), 'a.jpg x/c.jpg'),
    (('--exclude', '/x/**', '--include', '/x/c.jpg'), 'x/c.jpg'),
    (('--include', '/*.jp*g'), 'a.jpg b.jpeg'),
    (('--hidden',), '.f.jpg .hidden/e.jpg a.jpg b.jpeg raw/g.png x/c.jpg x/y/d.jpg'),
    (('--max-depth', '1'), 'a.jpg b.jpeg'),
    (('--max-depth', '2'), 'a.jpg b.jpeg raw/g.png x/c.jpg'),
    (('-x',), 'a.jpg b.jpeg raw/g.png x/c.jpg x/y/d.jpg'),
    (('--min-size', '1G'), ''),
    (('--max-size', '1'), ''),
    (('--min-size', '1', '--max-size', '1G'), 'a.jpg b.jpeg raw/g.png x/c.jpg x/y/d.jpg'),
    (('--newer-than', '1h'), 'a.jpg b.jpeg raw/g.png x/c.jpg x/y/d.jpg'),
    (('--newer-than', '2001-02-03'), 'a.jpg b.jpeg raw/g.png x/c.jpg x/y/d.jpg'),
    (('--newer-than', '2200-01-01T00:00:00'), ''),
), ids=lambda value: ' '.join(value) if isinstance(value, tuple) else '')
def test_filters(blurthumb, tree, files, options, expected):
    done = blurthumb(*options, 'in')
    assert (done.returncode, done.stderr) == (0, b'')
    assert files(hidden=True) == sorted([*[b'.blurthumb'] * (expected != ''), *expected.encode().split()])


DOORS = {'a.jpg': b'\xff\xd8\xff', 'broken.PNG': b'', 'jpeg': b'\xff\xd8\xff', 'jpeg.bak': b'\xff\xd8\xff',
         'text.txt': b'no picture', 'text': b'no picture', 'empty': b'', 'tiff.raw': b'II*\0', 'end.': b'x'}


@pytest.mark.parametrize('door', ('folder', 'paths', 'list'))
def test_what_is_a_picture_is_one_at_each_door(blurthumb, listed, tmp_path, door):
    (tmp_path / 'in').mkdir()
    for name, content in DOORS.items():
        (tmp_path / 'in' / name).write_bytes(content)
    names = [f'in/{name}' for name in DOORS]
    if door == 'list':
        done = listed('\n'.join(names).encode(), '--json', '-n', '--files-from', '-')
    else:
        done = blurthumb('--json', '-n', *(['in'] if door == 'folder' else names))
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(e['path'] for e in told if e['event'] == 'picture') == \
        ['in/a.jpg', 'in/broken.PNG', 'in/jpeg', 'in/jpeg.bak']
    assert told[-1]['ignored_by_extension'] == {'': 3, 'raw': 1, 'txt': 1} and done.returncode == 0


def test_size_and_time_of_each(blurthumb, photo, files, tmp_path):
    photo('in/small.jpg', size=(8, 8))
    photo('in/large.jpg', size=(800, 800))
    photo('in/old.jpg')
    os.utime(tmp_path / 'in/old.jpg', (1_000_000_000, 1_000_000_000))
    limit = (tmp_path / 'in/small.jpg').stat().st_size
    assert blurthumb('-o', 'one', '--max-size', str(limit), '--newer-than', '2d', 'in').returncode == 0
    assert blurthumb('-o', 'two', '--min-size', str(limit + 1), 'in').returncode == 0
    assert files('one') == [b'small.jpg']
    assert b'large.jpg' in files('two') and b'small.jpg' not in files('two')


def test_limit_of_the_size_is_a_size_that_may_be(blurthumb, photo, files, tmp_path):
    """Which fails what is larger, and does not leave it out as --max-size does."""
    photo('in/a.jpg')
    size = (tmp_path / 'in/a.jpg').stat().st_size
    assert blurthumb(f'--max-file-size={size - 1}', 'in').returncode == 1
    assert files() == []
    assert blurthumb(f'--max-file-size={size}', 'in').returncode == 0
    assert files() == [b'a.jpg']


def test_links_are_followed_when_asked(blurthumb, photo, files, tmp_path):
    photo('in/a.jpg', 'elsewhere/b.jpg')
    (tmp_path / 'in/link.jpg').symlink_to('a.jpg')
    (tmp_path / 'in/folder').symlink_to('../elsewhere')
    (tmp_path / 'in/loop').symlink_to('.')
    (tmp_path / 'in/gone.jpg').symlink_to('nowhere')
    done = blurthumb('--follow', 'in')
    assert files() == [b'a.jpg', b'folder/b.jpg', b'link.jpg']
    assert done.returncode == 1 and b'contains itself' in done.stderr


@pytest.fixture
def listed(tmp_path):
    """listed(content, *arguments): a run whose standard input is this."""
    def run(content, *arguments, **options):
        return subprocess.run([PROGRAM, *arguments], input=content, capture_output=True, cwd=tmp_path, timeout=120,
                              **options)
    return run


def test_list_of_lines(listed, tree, files, tmp_path):
    done = listed(b'in/a.jpg\n./in//x\r\n\nin/raw/g.png', '--files-from', '-')
    assert (done.returncode, done.stderr) == (0, b'')
    assert files() == [b'in/a.jpg', b'in/raw/g.png', b'in/x/c.jpg', b'in/x/y/d.jpg']


def test_list_with_zero_bytes(listed, photo, files):
    photo(b'in/new\nline.jpg', b'in/\xff.jpg', 'in/ space .jpg')
    done = listed(b'in/new\nline.jpg\0in/\xff.jpg\0in/ space .jpg\0', '-0', '--files-from=-')
    assert (done.returncode, done.stderr) == (0, b'') and len(files()) == 3


def test_list_that_names_a_file_twice(listed, photo, files):
    photo('in/a.jpg')
    done = listed(b'in/a.jpg\nin/a.jpg\n', '--flat', '--files-from', '-')
    assert (done.returncode, done.stderr) == (0, b'') and files() == [b'in__a.jpg']


def test_list_with_a_byte_order_mark(listed, tree, files):
    """As editors on Windows put one: it is no part of the first name."""
    done = listed(b'\xef\xbb\xbfin/a.jpg\r\nin/b.jpeg\r\n', '--files-from', '-')
    assert (done.returncode, done.stderr) == (0, b'') and files() == [b'in/a.jpg', b'in/b.jpeg']


def test_list_with_entries_above(blurthumb, photo, files, tmp_path):
    """A folder above gives what it would give as a PATH, a file that name which it has there."""
    photo('one/x/a.jpg', 'one/b.jpg', 'two/here/c.jpg', 'd.jpg')
    (tmp_path / 'list').write_text('../../one\n../../d.jpg\nc.jpg\n')
    done = blurthumb('-o', '../../processed', '--files-from', '../../list', cwd=tmp_path / 'two/here')
    assert (done.returncode, done.stderr) == (0, b'')
    assert {name.rpartition(b'/')[2] for name in files()} == {b'a.jpg', b'b.jpg', b'c.jpg', b'd.jpg'}
    assert not (tmp_path / 'one/x/processed').exists() and os.listdir(tmp_path / 'one/x') == ['a.jpg']
    assert all(b'..' not in name for name in files())


def test_list_in_a_file_and_paths(listed, tree, files, tmp_path):
    (tmp_path / 'list').write_text(f'{tmp_path}/in/b.jpeg\nin/nothing.jpg\n../out.jpg\n')
    done = listed(b'', '--files-from', 'list', 'in/x')
    assert done.returncode == 1 and done.stderr.count(b'\n') == 2
    assert b'in/nothing.jpg' in done.stderr and b'out.jpg' in done.stderr
    assert b'c.jpg' in files() and any(name.endswith(b'in/b.jpeg') for name in files())


@pytest.mark.needs('inotify-tools')
def test_watched_folder(photo, tmp_path):
    """The command of the manual: what is written or moved into the folder has its result soon."""
    manual = (TESTS.parent / 'src/cli/blurthumb.1').read_text()
    command = re.search(r'^(inotifywait .* \|)\n +(blurthumb .*)$', manual, re.M).expand(r'exec 2>&1; \1 \2')
    photo('outside/moved.jpg', 'outside/written.jpg')
    (tmp_path / 'inbox').mkdir()
    (tmp_path / 'bin').mkdir()
    (tmp_path / 'bin/blurthumb').symlink_to(PROGRAM)
    process = subprocess.Popen(['bash', '-c', command], cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True,
                               env={**os.environ, 'PATH': f'{tmp_path}/bin:{os.environ["PATH"]}'})
    try:
        assert any(b'established' in line for line in iter(process.stdout.readline, b''))
        (tmp_path / 'outside/moved.jpg').rename(tmp_path / 'inbox/moved.jpg')
        shutil.copy(tmp_path / 'outside/written.jpg', tmp_path / 'inbox/.written.jpg.AbC')
        (tmp_path / 'inbox/.written.jpg.AbC').rename(tmp_path / 'inbox/written.jpg')
        for name in ('moved.jpg', 'written.jpg'):
            wait_for(tmp_path / 'processed/inbox' / name)
        os.killpg(process.pid, signal.SIGTERM)
        assert sorted(os.listdir(tmp_path / 'processed/inbox')) == ['moved.jpg', 'written.jpg']
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(path, guard_s=60):
    begin = time.monotonic()
    while not path.exists():
        assert time.monotonic() - begin < guard_s
        time.sleep(0.005)
    return time.monotonic() - begin


def test_list_that_comes_slowly(photo, tmp_path, start):
    """Each picture is done when it is named, not when the list has ended: the next ones, for which the workers
    are there, in about 0.1 s; the bound is for machines that are busy."""
    names = [f'{i}.jpg' for i in range(6)]
    photo(*(f'in/{name}' for name in names))
    process = subprocess.Popen([PROGRAM, '--files-from', '-', '-v'], cwd=tmp_path, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        times = []
        for name in names:
            process.stdin.write(f'in/{name}\n'.encode())
            process.stdin.flush()
            times.append(wait_for(tmp_path / 'processed/in' / name))
        assert min(times[1:]) < 0.5, times
        spent = sum(map(float, open(f'/proc/{process.pid}/stat').read().split()[13:15]))
        time.sleep(0.5)
        waited = sum(map(float, open(f'/proc/{process.pid}/stat').read().split()[13:15])) - spent
        assert waited < 15, 'it spins while it waits'
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and out.count(b'was processed') == len(names) and err == b''
    finally:
        process.kill()
        process.communicate()


def test_list_that_is_not_there(blurthumb):
    done = blurthumb('--files-from', 'nothing')
    assert done.returncode == 3 and b'nothing' in done.stderr


def test_nul_in_a_list_of_lines(listed, photo):
    photo('in/a.jpg')
    done = listed(b'in/a.jpg\0in/b.jpg\n', '--files-from', '-')
    assert done.returncode == 1 and (b'--null' in done.stderr or b'-0' in done.stderr)


def test_shards_are_the_whole(blurthumb, photo, files):
    photo(*(f'in/{i % 5}/{i}.jpg' for i in range(40)), size=(4, 4))
    seen = []
    for i in range(3):
        assert blurthumb('-o', f'out{i}', '--shard', f'{i}/3', 'in').returncode == 0
        seen += files(f'out{i}')
    assert sorted(seen) == sorted(f'{i % 5}/{i}.jpg'.encode() for i in range(40))
    for i in range(3):
        assert blurthumb('-o', f'again{i}', '--shard', f'{i}/3', './in/').returncode == 0
        assert files(f'again{i}') == files(f'out{i}')


def test_shard_of_a_slurm_array(photo, files, tmp_path):
    photo(*(f'in/{i}.jpg' for i in range(20)), size=(4, 4))
    for task in range(2):
        environment = {**os.environ, 'SLURM_ARRAY_TASK_ID': str(5 + 3 * task), 'SLURM_ARRAY_TASK_COUNT': '2',
                       'SLURM_ARRAY_TASK_MIN': '5', 'SLURM_ARRAY_TASK_MAX': '8', 'SLURM_ARRAY_TASK_STEP': '3'}
        done = subprocess.run([PROGRAM, '--shard', 'auto', 'in'], cwd=tmp_path, env=environment, capture_output=True)
        assert done.returncode == 0
        assert re.fullmatch(rb'blurthumb: shard %d/2, from Slurm .*\n' % task, done.stderr)
    assert len(files()) == 20


@pytest.mark.parametrize('options', (
    ('--shard', '3/3'), ('--shard', '-1/3'), ('--shard', '1'), ('--shard', 'auto'), ('--shard', ''),
    ('--include', ''), ('--exclude', '[a'), ('--max-depth', '0'), ('--max-depth', 'x'), ('--min-size', 'x'),
    ('--max-size', '0'), ('--newer-than', 'yesterday'), ('--newer-than', ''), ('--newer-than', '7y'),
    ('--files-from', ''), ('--flat', '--shard', '0/2'), ('--name', '{stem}', '--shard', '1/2'),
), ids=' '.join)
def test_bad_values(blurthumb, tree, tmp_path, options):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(('SLURM_', 'OMPI_', 'AWS_'))}
    done = blurthumb(*options, 'in', env=environment)
    assert done.returncode == 2 and done.stderr.count(b'\n') == 1 and options[0].encode() in done.stderr
    assert not (tmp_path / 'processed').exists()
