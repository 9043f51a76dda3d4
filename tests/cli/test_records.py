# SPDX-License-Identifier: MIT
"""A result knows what it was made of: no other picture takes its place unseen, and what is no change is
none."""
import contextlib
import os
import stat
import subprocess

import pytest

from conftest import Told

RED, GREEN, BLUE = (220, 20, 20), (20, 220, 20), (20, 20, 220)
OLD, LATER, FUTURE = 1_500_000_000, 1_600_000_000, 2_500_000_000

both_orders = pytest.mark.parametrize('first, second', ((OLD, LATER), (LATER, OLD), (FUTURE, OLD)))


def check_fresh(told, *arguments):
    done = told(*arguments)
    assert done.code == 0 and {status for status, _ in done.pictures.values()} == {'skipped'}, done.pictures
    done = told('--verify', *arguments)
    assert done.code == 0 and {status for status, _ in done.pictures.values()} == {'verified'}, done.pictures


@both_orders
def test_two_cards_with_the_same_names(told, picture, colour, first, second):
    """The results are those of the card that came last, and nothing says that they are the other's."""
    names = [f'IMG_{i}.jpg' for i in range(4)]
    picture(*(f'A/{name}' for name in names), colour=RED, time=first)
    picture(*(f'B/{name}' for name in names), colour=BLUE, time=second)
    assert told('A').counts() == (4, 0, 0)
    done = told('--verify', 'B')
    assert done.code == 1 and done.paths('failed', 'changed') == [f'B/{name}' for name in names]
    assert told('B').counts() == (4, 0, 0)
    assert {colour(f'processed/{name}') for name in names} == {'blue'}
    check_fresh(told, 'B')
    done = told('--verify', 'A')
    assert done.code == 1 and done.paths('failed', 'changed') == [f'A/{name}' for name in names]


@pytest.mark.parametrize('same', ('size', 'time'))
def test_two_cards_that_differ_in_one_thing_alone(told, picture, colour, disk, same):
    picture('A/1.jpg', colour=RED, time=OLD)
    picture('B/1.jpg', colour=BLUE, time=OLD if same == 'time' else LATER)
    size = max((disk / name).stat().st_size for name in ('A/1.jpg', 'B/1.jpg'))
    for name, more in (('A/1.jpg', 0), ('B/1.jpg', same == 'time')):
        times = (disk / name).stat().st_mtime
        os.truncate(disk / name, size + more)
        os.utime(disk / name, (times, times))
    assert told('A').counts() == (1, 0, 0)
    assert told('--verify', 'B').pictures == {'B/1.jpg': ('failed', 'changed')}
    assert told('B').counts() == (1, 0, 0) and colour('processed/1.jpg') == 'blue'


def test_folders_that_change_places(told, picture, colour, disk):
    picture('in/x/1.jpg', colour=RED, time=OLD)
    picture('in/y/1.jpg', colour=BLUE, time=LATER)
    assert told('in').counts() == (2, 0, 0)
    (disk / 'in/x').rename(disk / 'in/z')
    (disk / 'in/y').rename(disk / 'in/x')
    (disk / 'in/z').rename(disk / 'in/y')
    assert told('--verify', 'in').paths('failed', 'changed') == ['in/x/1.jpg', 'in/y/1.jpg']
    assert told('in').counts() == (2, 0, 0)
    assert (colour('processed/x/1.jpg'), colour('processed/y/1.jpg')) == ('blue', 'red')


def test_root_that_is_called_otherwise_now(told, picture, colour, disk):
    """Its pictures are the same; those that are called as it was are not."""
    picture('in/1.jpg', 'in/sub/2.jpg', colour=RED, time=OLD)
    picture('new/1.jpg', 'new/sub/2.jpg', colour=BLUE, time=LATER)
    assert told('in').counts() == (2, 0, 0)
    (disk / 'in').rename(disk / 'before')
    check_fresh(told, 'before')
    (disk / 'new').rename(disk / 'in')
    assert told('--verify', 'in').paths('failed', 'changed') == ['in/1.jpg', 'in/sub/2.jpg']
    assert told('in').counts() == (2, 0, 0)
    assert (colour('processed/1.jpg'), colour('processed/sub/2.jpg')) == ('blue', 'blue')


def test_clock_that_was_ahead(told, picture, colour):
    """What was made of pictures of the future is not newer than all that comes."""
    picture('in/1.jpg', 'in/2.jpg', colour=RED, time=FUTURE)
    assert told('in').counts() == (2, 0, 0)
    check_fresh(told, 'in')
    picture('in/1.jpg', colour=BLUE)
    assert told('--verify', 'in').pictures == {'in/1.jpg': ('failed', 'changed'), 'in/2.jpg': ('verified', None)}
    assert told('in').counts() == (1, 1, 0) and colour('processed/1.jpg') == 'blue'


def test_result_with_a_time_of_the_future(told, picture, disk):
    """Whatever it is taken for, it is not that of a source that changed since."""
    picture('in/1.jpg', colour=RED, time=OLD)
    assert told('in').counts() == (1, 0, 0)
    os.utime(disk / 'processed/1.jpg', (FUTURE, FUTURE))
    picture('in/1.jpg', colour=BLUE, time=LATER)
    assert told('--verify', 'in').code == 1
    assert told('in').paths('skipped') == []


def test_older_file_copied_over_a_source(told, picture, colour, disk):
    picture('in/1.jpg', colour=RED, time=LATER)
    picture('older.jpg', colour=BLUE, time=OLD)
    assert told('in').counts() == (1, 0, 0)
    subprocess.run(['cp', '-p', 'older.jpg', 'in/1.jpg'], cwd=disk, check=True)
    assert told('--verify', 'in').pictures == {'in/1.jpg': ('failed', 'changed')}
    assert told('in').counts() == (1, 0, 0) and colour('processed/1.jpg') == 'blue'


@pytest.mark.parametrize('date', ('1999-01-02', '2044-01-02'))
def test_time_that_is_set(told, picture, disk, date):
    """A source with another time may be another picture."""
    picture('in/1.jpg', time=LATER)
    assert told('in').counts() == (1, 0, 0)
    subprocess.run(['touch', '-d', date, 'in/1.jpg'], cwd=disk, check=True)
    assert told('--verify', 'in').pictures == {'in/1.jpg': ('failed', 'changed')}
    assert told('in').counts() == (1, 0, 0)
    check_fresh(told, 'in')


@pytest.fixture
def attributes(make_disk):
    """A disk that has owners, modes and links."""
    return make_disk('attributes')


def marked(name, which, package):
    return pytest.param(name, marks=pytest.mark.needs(package)) if name == which else name


DEEDS = {
    'chown': 'chown -R 12345:23456 in',
    'chmod': 'chmod -R u=rwX,go= in',
    'links': 'cp -al in snapshot',
    'setfattr': 'find in -type f -exec setfattr -n user.comment -v holiday {} +',
    'rename': 'mv in/1.jpg in/x && mv in/x in/1.jpg',
}


@pytest.mark.parametrize('deed', [marked(deed, 'setfattr', 'attr') for deed in DEEDS])
def test_what_is_no_change(blurthumb, photo, attributes, deed):
    """All of these change a file's change time, and not what it shows."""
    photo('attributes/in/1.jpg', 'attributes/in/sub/2.jpg')

    def told(*arguments):
        return Told(blurthumb('--json', *arguments, cwd=attributes))
    assert told('in').counts() == (2, 0, 0)
    before = [(attributes / 'in' / name).stat().st_ctime_ns for name in ('1.jpg', 'sub/2.jpg')]
    subprocess.run(DEEDS[deed], shell=True, cwd=attributes, check=True)
    after = [(attributes / 'in' / name).stat().st_ctime_ns for name in ('1.jpg', 'sub/2.jpg')]
    assert after[0] > before[0]
    check_fresh(told, 'in')


RESTORES = {
    'cp -a': 'cp -a {0} copy && rm -r {0} && mv copy {0}',
    'tar': 'tar --format=gnu -cf all.tar {0} && rm -r {0} && tar -xf all.tar',  # times of whole seconds
    'rsync -a': 'rsync -a {0}/ copy/ && rm -r {0} && mv copy {0}',
}


def restore(disk, how, what):
    kept = {path: int(path.stat().st_mtime) for path in (disk / what).rglob('*') if path.is_file()}
    subprocess.run(RESTORES[how].format(what), shell=True, cwd=disk, check=True)
    if how == 'tar' and disk.name == 'exfat':  # which drops a time that is set without the other, as tar does
        for path, time in kept.items():
            os.utime(path, (time, time))


@pytest.mark.parametrize('how', [marked(how, 'rsync -a', 'rsync') for how in RESTORES])
def test_sources_from_a_backup(told, picture, disk, how):
    picture('in/1.jpg', 'in/sub/2.jpg')
    os.utime(disk / 'in/1.jpg', ns=(0, 1_600_000_000_987_654_321))
    assert told('in').counts() == (2, 0, 0)
    restore(disk, how, 'in')
    check_fresh(told, 'in')


def strip_records(folder):
    """As a copy without attributes leaves it."""
    for path in folder.rglob('*.jpg'):
        with contextlib.suppress(OSError):
            os.removexattr(path, 'user.blurthumb')
    for path in folder.rglob('.blurthumb-results'):
        path.unlink()


@pytest.mark.parametrize('records', ('with', 'without'))
@pytest.mark.parametrize('how', [marked(how, 'rsync -a', 'rsync') for how in RESTORES])
def test_results_from_a_backup(told, picture, disk, how, records):
    """Records that were lost are made up for by time and settings."""
    picture('in/1.jpg', 'in/sub/2.jpg')
    os.utime(disk / 'in/1.jpg', ns=(0, 1_600_000_000_987_654_321))
    assert told('in').counts() == (2, 0, 0)
    if records == 'without':
        strip_records(disk / 'processed')
    restore(disk, how, 'processed')
    check_fresh(told, 'in')


def test_results_without_records_and_other_settings(told, picture, disk):
    """Of which settings they are nobody knows: they are neither fresh nor replaced."""
    picture('in/1.jpg', 'in/2.jpg')
    assert told('in').counts() == (2, 0, 0)
    strip_records(disk / 'processed')
    assert told('--sigma', '3', 'in').paths('failed', 'foreign') == ['in/1.jpg', 'in/2.jpg']
    picture('in/3.jpg')
    assert told('--sigma', '3', 'in').paths('processed') == ['in/3.jpg']
    strip_records(disk / 'processed')
    for settings in (), ('--sigma', '3'):
        assert told(*settings, 'in').paths('failed', 'foreign') == ['in/1.jpg', 'in/2.jpg', 'in/3.jpg']
    assert told('--force', 'in').counts() == (3, 0, 0)
    check_fresh(told, 'in')


def test_result_that_was_cut(told, picture, disk):
    picture('in/1.jpg', 'in/2.jpg', size=(400, 300))
    assert told('in').counts() == (2, 0, 0)
    result = disk / 'processed/1.jpg'
    whole, times = result.read_bytes(), result.stat().st_mtime
    os.truncate(result, len(whole) // 2)
    os.utime(result, (times, times))
    done = told('--verify', 'in')
    assert done.code == 1 and done.paths('verified') == ['in/2.jpg']
    assert told('in').paths('skipped') == ['in/2.jpg']


def test_time_and_mode_of_a_result(blurthumb, photo, attributes):
    photo(*(f'attributes/in/{mode:03o}.jpg' for mode in (0o644, 0o600, 0o640, 0o777, 0o444)))
    for path in (attributes / 'in').iterdir():
        path.chmod(int(path.stem, 8))
        os.utime(path, ns=(0, 1_234_567_890_123_456_789))
    assert blurthumb('in', cwd=attributes, umask=0o027).returncode == 0
    for path in (attributes / 'in').iterdir():
        result = (attributes / 'processed' / path.name).stat()
        assert result.st_mtime_ns == path.stat().st_mtime_ns
        assert stat.S_IMODE(result.st_mode) == int(path.stem, 8) & 0o666 & ~0o027


def test_time_of_a_result_on_any_disk(told, picture, disk):
    picture('in/1.jpg', time=OLD)
    picture('in/2.jpg', time=FUTURE)
    assert told('in').counts() == (2, 0, 0)
    for name, time in (('1.jpg', OLD), ('2.jpg', FUTURE)):
        assert (disk / 'processed' / name).stat().st_mtime == time
