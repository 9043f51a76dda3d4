# SPDX-License-Identifier: MIT
"""Results whose source is gone: named, and removed when that is asked for, and nothing else is."""
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pytest

import needs
from conftest import PROGRAM, Told


@pytest.fixture
def batch(told, picture):
    """Four pictures with results."""
    picture('in/1.jpg', 'in/2.jpg', 'in/sub/3.jpg', 'in/sub/4.jpg')
    assert told('in').counts() == (4, 0, 0)


def names(disk, folder='processed'):
    return sorted(str(path.relative_to(disk / folder)) for path in (disk / folder).rglob('*')
                  if path.is_file() and not path.name.startswith('.blurthumb'))


ALL = ['1.jpg', '2.jpg', 'sub/3.jpg', 'sub/4.jpg']


def remove(disk):
    (disk / 'in/2.jpg').unlink()
    (disk / 'in/sub/3.jpg').unlink()


def move(disk):
    (disk / 'in/2.jpg').rename(disk / 'in/sub/2.jpg')
    (disk / 'in/sub/3.jpg').rename(disk / '3.jpg')


@pytest.mark.parametrize('deed', (remove, move))
def test_source_that_is_gone(told, batch, disk, deed):
    """Told by --verify and -n, done by --prune alone."""
    deed(disk)
    orphans = ['processed/2.jpg', 'processed/sub/3.jpg']
    n_new = deed is move
    done = told('--verify', 'in')
    assert done.paths('orphan') == orphans and done.end['orphans'] == 2
    done = told('-n', '--prune', 'in')
    assert done.paths('orphan') == orphans and done.paths('removed') == [] and not done.end.get('removed')
    assert names(disk) == ALL
    assert told('in').counts() == (n_new, 2, 0)
    assert set(ALL) <= set(names(disk))
    done = told('--prune', 'in')
    assert done.code == 0 and done.paths('removed') == orphans and done.end['removed'] == 2
    assert names(disk) == ['1.jpg', *['sub/2.jpg'] * n_new, 'sub/4.jpg']
    done = told('--prune', 'in')
    assert done.code == 0 and done.paths('removed') == [] and done.counts() == (0, 2 + n_new, 0)
    assert told('--verify', 'in').code == 0


def test_nothing_is_gone(told, batch, disk):
    assert told('--prune', 'in').counts() == (0, 4, 0) and names(disk) == ALL
    assert told('--verify', 'in').paths('orphan') == []


def test_files_of_the_user_survive(told, batch, disk, picture):
    """In the way or not: they have no record of ours."""
    picture('processed/mine.jpg', 'processed/sub/2.jpg', 'processed/own/5.jpg')
    (disk / 'processed/notes.txt').write_text('mine')
    (disk / 'processed/1.jpg').unlink()
    picture('processed/1.jpg', size=(33, 44))
    (disk / 'in/1.jpg').unlink()
    remove(disk)
    done = told('--prune', 'in')
    assert done.paths('removed') == ['processed/2.jpg', 'processed/sub/3.jpg']
    assert names(disk) == ['1.jpg', 'mine.jpg', 'notes.txt', 'own/5.jpg', 'sub/2.jpg', 'sub/4.jpg']


def test_sources_are_never_removed(told, picture, disk):
    """Not even where results lie among originals."""
    picture('in/1.jpg', 'in/2.jpg')
    picture('out/a.jpg', 'out/b.jpg')
    assert told('-o', 'out', 'in').counts() == (2, 0, 0)
    (disk / 'in/2.jpg').unlink()
    assert told('--prune', '-o', 'out', 'in').paths('removed') == ['out/2.jpg']
    assert names(disk, 'out') == ['1.jpg', 'a.jpg', 'b.jpg'] and names(disk, 'in') == ['1.jpg']


def test_results_of_another_folder_are_kept(told, batch, picture, disk):
    """Of what was not given nothing is known."""
    picture('other/5.jpg')
    assert told('other').counts() == (1, 0, 0)
    (disk / 'in/2.jpg').unlink()
    assert told('--prune', 'other').paths('removed') == []
    assert told('--prune', 'in').paths('removed') == ['processed/2.jpg']
    assert names(disk) == ['1.jpg', '5.jpg', 'sub/3.jpg', 'sub/4.jpg']


def empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize('deed', (empty, shutil.rmtree), ids=('empty', 'gone'))
def test_root_whose_disk_is_not_there(told, batch, disk, deed):
    """An empty folder may be one where nothing is mounted now."""
    deed(disk / 'in')
    done = told('--prune', 'in')
    assert names(disk) == ALL and done.paths('removed') == []
    if deed is empty:
        assert 'in ' in done.err
    else:
        assert done.code == 1
    done = told('-n', '--prune', 'in')
    assert done.paths('removed') == done.paths('orphan') == []


def test_one_of_two_roots_is_not_there(told, batch, picture, disk):
    picture('other/5.jpg', 'other/6.jpg')
    assert told('in', 'other').counts() == (2, 4, 0)
    empty(disk / 'in')
    (disk / 'other/6.jpg').unlink()
    assert told('--prune', 'in', 'other').paths('removed') == ['processed/6.jpg']
    assert names(disk) == ['1.jpg', '2.jpg', '5.jpg', 'sub/3.jpg', 'sub/4.jpg']


@pytest.mark.needs('exfat-fuse')
def test_disk_that_is_not_mounted(blurthumb, make_disk, photo, tmp_path):
    """The mount point is an empty folder, then."""
    disk = make_disk('exfat')
    photo('exfat/1.jpg', 'exfat/sub/2.jpg')

    def told(*arguments):
        return Told(blurthumb('--json', *arguments))
    assert told(disk).counts() == (2, 0, 0)
    subprocess.run(['umount', disk], check=True)
    done = told('--prune', disk)
    assert done.paths('removed') == [] and names(tmp_path) == ['1.jpg', 'sub/2.jpg']


@pytest.fixture
def open_folder():
    """A folder that every user can walk."""
    with tempfile.TemporaryDirectory(dir='/tmp') as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


def test_folder_that_cannot_be_read(photo, open_folder):
    """By another user: all results of its root are kept."""
    try:
        nobody = pwd.getpwnam('nobody')
    except KeyError:
        needs.lack('there is no user nobody')
    if os.geteuid() != 0:
        needs.lack('only root can become nobody')
    photo(*(open_folder / f'in/{name}.jpg' for name in ('1', '2', 'sub/3')))
    (open_folder / 'processed').mkdir()
    (open_folder / 'processed').chmod(0o777)
    program = shutil.copy(PROGRAM, open_folder)

    def told(*arguments):
        return Told(subprocess.run([program, '--json', *arguments], cwd=open_folder, capture_output=True, timeout=120,
                                   user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[]))
    assert told('in').counts() == (3, 0, 0)
    (open_folder / 'in/2.jpg').unlink()
    (open_folder / 'in/sub').chmod(0)
    for options in ('--prune',), ('-n', '--prune'), ('--verify',):
        done = told(*options, 'in')
        assert done.code == 1 and 'in/sub' in done.err
        assert done.paths('removed') == done.paths('orphan') == []
    assert names(open_folder) == ['1.jpg', '2.jpg', 'sub/3.jpg']
    (open_folder / 'in/sub').chmod(0o755)
    assert told('--prune', 'in').paths('removed') == ['processed/2.jpg']


def test_source_that_is_left_out_is_not_gone(told, batch, disk):
    """It is there, though a run does not take it."""
    (disk / 'in/2.jpg').rename(disk / 'in/.2.jpg')
    (disk / 'in/.2.jpg').rename(disk / 'in/2.jpg')
    (disk / 'in/sub').rename(disk / 'in/.sub')
    assert told('--prune', 'in').paths('removed') == ['processed/sub/3.jpg', 'processed/sub/4.jpg']
    assert told('--hidden', 'in').paths('processed') == ['in/.sub/3.jpg', 'in/.sub/4.jpg']
    assert told('--prune', 'in').paths('removed') == []
    assert names(disk) == ['.sub/3.jpg', '.sub/4.jpg', '1.jpg', '2.jpg']


@pytest.mark.parametrize('options', (
    ('--include', '*.jpg'), ('--exclude', 'sub'), ('--shard', '0/2'), ('--files-from', 'list'), ('--max-depth', '1'),
    ('--min-size', '1'), ('--max-size', '1G'), ('--newer-than', '1d'),
), ids=' '.join)
def test_all_sources_must_be_seen(told, batch, disk, options):
    (disk / 'list').write_text('in/1.jpg\n')
    remove(disk)
    for more in (), ('-n',):
        done = told('--prune', *more, *options, 'in')
        assert done.code == 2 and '--prune' in done.err and len(done.err.splitlines()) == 1
    assert names(disk) == ALL
