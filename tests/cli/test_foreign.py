# SPDX-License-Identifier: MIT
"""What blurthumb did not make it does not replace, unless it is told to."""
import hashlib
import os

import pytest

RED, BLUE = (220, 20, 20), (20, 20, 220)
YEAR = 31_557_600
NOW = 1_700_000_000


def sums(folder):
    """A hash of each file below a folder but for our own."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob('*') if path.is_file() and not path.name.startswith('.blurthumb')}


@pytest.fixture
def years(picture, disk):
    """Two years of originals, of which some are called alike: what is in the later one."""
    picture('Pictures/2024/1.jpg', 'Pictures/2024/2.jpg', 'Pictures/2024/May/3.jpg', colour=RED, time=NOW)
    picture('Pictures/2025/1.jpg', 'Pictures/2025/May/3.jpg', colour=BLUE, time=NOW + YEAR)
    picture('Pictures/2025/4.jpg', colour=BLUE, time=NOW + YEAR)
    return sums(disk / 'Pictures/2025')


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_originals_in_the_output_folder(told, years, disk, jobs):
    """Those that are in the way fail, the others are done."""
    for _ in range(2):
        done = told(jobs, '-o', 'Pictures/2025', 'Pictures/2024')
        assert done.code == 1
        assert done.paths('failed', 'foreign') == ['Pictures/2024/1.jpg', 'Pictures/2024/May/3.jpg']
        found = sums(disk / 'Pictures/2025')
        assert {name: found[name] for name in years} == years
        assert set(found) - set(years) == {'2.jpg'}


def test_what_it_says_of_them(told, years):
    done = told('-o', 'Pictures/2025', 'Pictures/2024')
    for name in ('1.jpg', 'May/3.jpg'):
        lines = [line for line in done.err.splitlines() if f'Pictures/2024/{name}' in line]
        assert len(lines) == 1 and f'Pictures/2025/{name}' in lines[0] and '--force' in lines[0]
    assert len(done.err.splitlines()) == 2


def test_dry_run_and_verify_say_so(told, years, disk):
    done = told('-n', '-o', 'Pictures/2025', 'Pictures/2024')
    assert done.code == 1 and done.paths('planned') == ['Pictures/2024/2.jpg']
    assert done.paths('failed', 'foreign') == ['Pictures/2024/1.jpg', 'Pictures/2024/May/3.jpg']
    done = told('--verify', '-o', 'Pictures/2025', 'Pictures/2024')
    assert done.code == 1 and done.paths('verified') == []
    assert done.paths('failed', 'foreign') == ['Pictures/2024/1.jpg', 'Pictures/2024/May/3.jpg']
    assert sums(disk / 'Pictures/2025') == years


def test_one_of_many(told, picture, disk):
    picture(*(f'in/{i}.jpg' for i in range(20)), colour=RED, time=NOW)
    picture('out/7.jpg', colour=BLUE, time=NOW + YEAR)
    before = sums(disk / 'out')['7.jpg']
    done = told('-o', 'out', 'in')
    assert done.code == 1 and done.counts() == (19, 0, 1)
    assert done.paths('failed', 'foreign') == ['in/7.jpg']
    assert sums(disk / 'out')['7.jpg'] == before


def test_original_that_came_after_the_first_run(told, picture, disk):
    """The folder is ours, this file of it is not."""
    picture('in/1.jpg', 'in/2.jpg', colour=RED, time=NOW)
    assert told('in').counts() == (2, 0, 0)
    (disk / 'processed/1.jpg').unlink()
    picture('processed/1.jpg', colour=BLUE, time=NOW + YEAR)
    before = sums(disk / 'processed')
    assert told('in').pictures == {'in/1.jpg': ('failed', 'foreign'), 'in/2.jpg': ('skipped', 'fresh')}
    assert sums(disk / 'processed') == before


@pytest.mark.needs('exfat-fuse')
@pytest.mark.parametrize('way', (('attributes', 'exfat'), ('exfat', 'attributes')), ids='-to-'.join)
def test_originals_on_another_disk(blurthumb, photo, make_disk, way):
    sources, results = (make_disk(kind) for kind in way)
    photo(f'{way[0]}/1.jpg', f'{way[0]}/2.jpg', colour=RED)
    photo(f'{way[1]}/out/1.jpg', colour=BLUE)
    before = sums(results / 'out')
    done = blurthumb('-o', results / 'out', sources)
    assert done.returncode == 1 and done.stdout.startswith(b'1 processed, 0 skipped, 1 failed')
    found = sums(results / 'out')
    assert found['1.jpg'] == before['1.jpg'] and '2.jpg' in found
    done = blurthumb('--verify', '-o', results / 'out', sources)
    assert done.stdout.startswith(b'1 verified, 0 skipped, 1 failed')


def test_force_takes_them_over(told, years, colour):
    done = told('--force', '-n', '-o', 'Pictures/2025', 'Pictures/2024')
    assert done.code == 0 and len(done.paths('planned')) == 3 and colour('Pictures/2025/1.jpg') == 'blue'
    assert told('--force', '-o', 'Pictures/2025', 'Pictures/2024').counts() == (3, 0, 0)
    assert [colour(f'Pictures/2025/{name}') for name in ('1.jpg', 'May/3.jpg', '4.jpg')] == ['red', 'red', 'blue']
    assert told('-o', 'Pictures/2025', 'Pictures/2024').counts() == (0, 3, 0)


def test_result_of_an_earlier_version(told, picture, disk):
    """It has no record, and a key of another kind: what to do is said."""
    picture('in/1.jpg', colour=RED, time=NOW)
    picture('processed/1.jpg', colour=RED)
    (disk / 'processed/.blurthumb').write_text('blurthumb 0.1.0 sigma 15\n')
    done = told('in')
    assert done.pictures == {'in/1.jpg': ('failed', 'foreign')} and '--force' in done.err
    assert told('--force', 'in').counts() == (1, 0, 0)
    assert told('in').counts() == (0, 1, 0)


def make_folder(path):
    path.mkdir()
    (path / 'notes.txt').write_text('mine')


def make_text(path):
    path.write_text('mine')


@pytest.mark.parametrize('make', (make_text, make_folder))
def test_what_is_no_picture(told, picture, disk, make):
    picture('in/1.jpg', 'in/2.jpg')
    (disk / 'processed').mkdir()
    make(disk / 'processed/1.jpg')
    before = sums(disk / 'processed')
    done = told('in')
    assert done.code == 1 and done.paths('failed', 'foreign') == ['in/1.jpg'] and done.paths('processed') == ['in/2.jpg']
    found = sums(disk / 'processed')
    assert {name: found[name] for name in before} == before


def test_folder_is_never_replaced(told, picture, disk):
    picture('in/1.jpg')
    (disk / 'processed').mkdir()
    make_folder(disk / 'processed/1.jpg')
    assert told('--force', 'in').code == 1
    assert (disk / 'processed/1.jpg/notes.txt').read_text() == 'mine'


def test_link_is_not_written_through(blurthumb, photo, tmp_path):
    """Nor replaced."""
    photo('in/1.jpg')
    (tmp_path / 'mine.jpg').write_text('mine')
    (tmp_path / 'processed').mkdir()
    os.symlink('../mine.jpg', tmp_path / 'processed/1.jpg')
    done = blurthumb('in')
    assert done.returncode == 1 and b'--force' in done.stderr
    assert os.readlink(tmp_path / 'processed/1.jpg') == '../mine.jpg'
    assert blurthumb('--force', 'in').returncode == 0
    assert not (tmp_path / 'processed/1.jpg').is_symlink() and (tmp_path / 'mine.jpg').read_text() == 'mine'


MINE = '<!DOCTYPE html><title>My site</title>\n'


def test_own_page_with_gallery(told, picture, disk):
    picture('in/1.jpg')
    (disk / 'processed').mkdir()
    (disk / 'processed/index.html').write_text(MINE)
    planned = told('--gallery', '-n', 'in')
    assert [event['reason'] for event in planned.of_pictures if event['status'] == 'failed'] == ['foreign']
    done = told('--gallery', 'in')
    assert done.code == 1 and (disk / 'processed/index.html').read_text() == MINE
    assert done.paths('processed') == ['in/1.jpg']
    assert [event['reason'] for event in done.of_pictures if event['status'] == 'failed'] == ['foreign']
    assert 'processed/index.html' in done.err and '--force' in done.err
    assert told('--gallery', '--force', 'in').code == 0
    assert 'class="mat"' in (disk / 'processed/index.html').read_text()


def test_gallery_of_an_earlier_run_is_replaced(told, picture, disk):
    picture('in/1.jpg')
    assert told('--gallery', 'in').code == 0
    before = (disk / 'processed/index.html').read_text()
    picture('in/2.jpg')
    assert told('--gallery', 'in').code == 0
    after = (disk / 'processed/index.html').read_text()
    assert (before.count('class="mat"'), after.count('class="mat"')) == (1, 2)


@pytest.mark.needs('exfat-fuse')
def test_names_that_the_disk_takes_for_one(blurthumb, photo, make_disk):
    """One is done, the other fails, no result is lost; again and again."""
    results = make_disk('exfat')
    photo('in/a.jpg', colour=RED)
    photo('in/A.jpg', colour=BLUE, size=(50, 40))
    for n in range(3):
        done = blurthumb('--json', '-o', results / 'out', 'in')
        assert done.returncode == 1 and done.stdout.count(b'"status":"failed"') == 1
        assert done.stdout.count(b'"status":"skipped"' if n else b'"status":"processed"') == 1
        assert b'in/a.jpg' in done.stderr.lower() and b'/out/a.jpg' in done.stderr.lower()
    assert [name.lower() for name in os.listdir(results / 'out') if not name.startswith('.')] == ['a.jpg']
