# SPDX-License-Identifier: MIT
"""Which files are taken, and where their results go."""
import os
import shutil
import socket
import stat

import pytest
from PIL import Image


def test_default_is_from_here_into_processed(blurthumb, photo, files):
    photo('a.jpg', 'deep/er/b.jpeg')
    photo('c.PNG', format='PNG')
    done = blurthumb()
    assert (done.returncode, done.stderr) == (0, b'')
    assert files() == [b'a.jpg', b'c.PNG', b'deep/er/b.jpeg']


def test_tree_below_each_folder_is_kept(blurthumb, photo, files):
    photo('one/x/a.jpg', 'two/x/b.jpg', 'two/c.jpg', 'three/d.jpg', 'three/e.jpg')
    assert blurthumb('one', 'two/', 'three/d.jpg', './three/e.jpg').returncode == 0
    assert files() == [b'c.jpg', b'd.jpg', b'e.jpg', b'x/a.jpg', b'x/b.jpg']


def test_results_are_small_and_keep_their_format(blurthumb, photo, tmp_path):
    photo('in/wide.jpg', size=(2400, 600))
    photo('in/tall.webp', size=(500, 3000), format='WEBP')
    photo('in/small.png', size=(7, 5), format='PNG')
    assert blurthumb('in').returncode == 0
    for name, size, format in (('wide.jpg', (1200, 300), 'JPEG'), ('tall.webp', (200, 1200), 'WEBP'),
                               ('small.png', (7, 5), 'PNG')):
        result = Image.open(tmp_path / 'processed' / name)
        assert (result.size, result.format) == (size, format)


def test_size_option(blurthumb, photo, tmp_path):
    photo('in/a.jpg', size=(640, 480))
    assert blurthumb('-s', '64x64', 'in').returncode == 0
    assert Image.open(tmp_path / 'processed' / 'a.jpg').size == (64, 48)


def test_output_folder_is_made_and_never_scanned(blurthumb, photo, files):
    photo('a.jpg', 'sub/b.jpg')
    for _ in range(2):
        assert blurthumb('-o', 'sub/out/put', '.').returncode == 0
        assert files('sub/out/put') == [b'a.jpg', b'sub/b.jpg']


def test_hidden_names_and_links_are_passed_over(blurthumb, photo, files, tmp_path):
    photo('in/a.jpg', 'in/.hidden.jpg', 'in/.folder/b.jpg', 'elsewhere/c.jpg')
    (tmp_path / 'in' / 'link.jpg').symlink_to('a.jpg')
    (tmp_path / 'in' / 'folder').symlink_to('../elsewhere')
    (tmp_path / 'in' / 'loop').symlink_to('.')
    assert blurthumb('in').returncode == 0
    assert files() == [b'a.jpg']


def test_path_may_be_a_link(blurthumb, photo, files, tmp_path):
    photo('real/a.jpg')
    (tmp_path / 'link').symlink_to('real')
    assert blurthumb('link').returncode == 0
    assert files() == [b'a.jpg']


def test_other_files_are_ignored(blurthumb, photo, files, tmp_path):
    photo('in/a.jpg', 'in/picture')
    (tmp_path / 'in' / 'notes.txt').write_text('no picture\n')
    done = blurthumb('in')
    assert done.returncode == 0 and b'1 ignored' in done.stdout
    assert files() == [b'a.jpg', b'picture.jpg']


def test_special_files_are_reported_and_not_waited_on(blurthumb, photo, files, tmp_path):
    photo('in/a.jpg')
    os.mkfifo(tmp_path / 'in' / 'pipe.jpg')
    os.mkfifo(tmp_path / 'in' / 'pipe')
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / 'in' / 'socket.png'))
        done = blurthumb('in')
    assert done.returncode == 1
    assert b'in/pipe.jpg' in done.stderr and b'in/socket.png' in done.stderr and done.stderr.count(b'\n') == 2
    assert files() == [b'a.jpg']


def test_missing_path_fails_and_the_others_are_done(blurthumb, photo, files):
    photo('in/a.jpg')
    done = blurthumb('missing', 'in')
    assert done.returncode == 1 and b'missing' in done.stderr
    assert files() == [b'a.jpg']


HOSTILE = [b'new\nline.jpg', b'caf\xe9.jpg', b'-dash.jpg', b'--force.jpg', b'a[1].jpg', b'e [v2].jpg',
           b'\x1b[31mred.jpg', b'tab\t.jpg', b'back\\slash.jpg', b'*?.jpg', b"quote'\".jpg", b'a:b.jpg', b'%s%n.jpg',
           'ünïcode ☃ \u202egpj.jpg'.encode(), b' .jpg', b'x' * 251 + b'.jpg']


@pytest.mark.parametrize('how', ('folder', 'names'))
def test_hostile_names(blurthumb, photo, files, tmp_path, how):
    photo(*(b'in/' + name for name in HOSTILE))
    if how == 'folder':
        done = blurthumb('in')
    else:
        done = blurthumb('-o', '../processed', '--', *HOSTILE, cwd=tmp_path / 'in')
    assert (done.returncode, done.stderr) == (0, b'')
    assert files() == sorted(HOSTILE)


def test_brackets_at_the_end_are_no_options(blurthumb, photo, files):
    photo('in/c.jpg[Q=1]', 'in/d.jpg]')
    assert blurthumb('in').returncode == 0
    assert files() == [b'c.jpg[Q=1].jpg', b'd.jpg].jpg']


def test_name_that_leaves_no_room_for_an_extension_fails_alone(blurthumb, photo, files):
    photo('in/a.jpg', b'in/' + b'x' * 255)
    done = blurthumb('in')
    assert done.returncode == 1 and done.stderr.count(b'\n') == 1
    assert files() == [b'a.jpg']


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_first_path_keeps_a_name_that_two_claim(blurthumb, photo, files, tmp_path, jobs):
    photo('one/a.jpg', colour=(250, 0, 0))
    photo('two/a.jpg', 'two/b.jpg', colour=(0, 0, 250))
    for _ in range(2):
        done = blurthumb(jobs, 'one', 'two')
        assert done.returncode == 1
        assert done.stderr.startswith(b'blurthumb: two/a.jpg: ') and done.stderr.count(b'\n') == 1
        assert b'processed/a.jpg' in done.stderr and b' in one' in done.stderr
        assert files() == [b'a.jpg', b'b.jpg']
        red, _, blue = Image.open(tmp_path / 'processed' / 'a.jpg').getpixel((5, 5))
        assert red > 200 > 50 > blue


def test_same_file_twice_is_no_collision(blurthumb, photo, files):
    photo('in/a.jpg')
    assert blurthumb('in', 'in/a.jpg', 'in').returncode == 0
    assert files() == [b'a.jpg']


def test_format_that_cannot_be_written_gets_an_extension(blurthumb, photo, files, lacking, tmp_path):
    if '.bmp' in lacking:
        pytest.skip('this libvips does not read BMP')
    photo('in/scan.bmp', format='BMP')
    assert blurthumb('--allow', 'bmp', 'in').returncode == 0
    assert files() == [b'scan.bmp.jpg']
    assert Image.open(tmp_path / 'processed' / 'scan.bmp.jpg').format == 'JPEG'


def test_transparent_one_that_cannot_be_written_becomes_png(blurthumb, testdata, files):
    assert blurthumb('--allow', 'svg', testdata / 'formats' / 'shapes.svg').returncode == 0
    assert files() == [b'shapes.svg.png']


def test_added_extension_does_not_take_the_name_of_another(blurthumb, photo, files, testdata, tmp_path):
    (tmp_path / 'in').mkdir()
    shutil.copy(testdata / 'formats' / 'shapes.svg', tmp_path / 'in')
    photo('in/shapes.svg.png', format='PNG', colour=(250, 0, 0))
    for _ in range(2):
        done = blurthumb('--allow', 'svg', 'in')
        assert done.returncode == 1
        assert done.stderr.startswith(b'blurthumb: in/shapes.svg') and b'processed/shapes.svg.png' in done.stderr
        assert done.stderr.count(b'\n') == 1 and files() == [b'shapes.svg.png']
        reddish = Image.open(tmp_path / 'processed' / 'shapes.svg.png').convert('RGB').getpixel((5, 5))[0] > 200
        assert reddish == done.stderr.startswith(b'blurthumb: in/shapes.svg: ')


@pytest.mark.parametrize('name', ('rgb.bmp', 'rgb.jp2', 'rgb.jxl', 'rgb.ppm', 'shapes.svg'))
def test_untrusted_format_is_refused_by_default(blurthumb, files, testdata, name):
    path = testdata / 'formats' / name
    done = blurthumb(path)
    assert done.returncode == 1 and done.stderr.count(b'--allow ' + path.suffix[1:].encode()) == 1
    assert files() == []


def test_modes_follow_the_umask(blurthumb, photo, tmp_path):
    photo('in/sub/a.jpg')
    assert blurthumb('in', umask=0o027).returncode == 0
    for name, mode in (('processed', 0o750), ('processed/sub', 0o750), ('processed/sub/a.jpg', 0o640)):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode


def test_sources_are_left_as_they_were(blurthumb, photo, tmp_path):
    photo('in/a.jpg')
    before = (tmp_path / 'in' / 'a.jpg').read_bytes(), os.stat(tmp_path / 'in' / 'a.jpg').st_mtime_ns
    assert blurthumb('in').returncode == 0
    assert ((tmp_path / 'in' / 'a.jpg').read_bytes(), os.stat(tmp_path / 'in' / 'a.jpg').st_mtime_ns) == before
    assert os.listdir(tmp_path / 'in') == ['a.jpg']
