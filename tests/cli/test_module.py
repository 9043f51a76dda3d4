# SPDX-License-Identifier: MIT
"""libvips is loaded where a picture needs it, and only there; and what comes of that."""
import collections
import functools
import os
import pathlib
import re
import shutil

import pytest
from PIL import ExifTags, Image

from conftest import PROGRAM

WAYS = ('--serial', '-j1', '-j2')
MODULE = b'blurthumb-vips.so'
TURNED_LEFT = 8


@pytest.fixture
def photos(testdata, tmp_path):
    """photos((source, name), ...): fills the folder `in` with what cameras write and with these files of
    testdata; returns how many there are."""
    def fill(*others):
        folder = tmp_path / 'in'
        folder.mkdir()
        for name in ('sea', 'night', 'page'):
            shutil.copy(testdata / 'photos' / f'{name}.jpg', folder)
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = TURNED_LEFT
        photo = Image.open(testdata / 'photos' / 'city.jpg')
        p3 = Image.open(testdata / 'formats' / 'p3.jpg').info['icc_profile']
        photo.convert('L').save(folder / 'grey.jpg')
        photo.save(folder / 'progressive.jpg', progressive=True)
        photo.save(folder / 'p3.jpg', icc_profile=p3)
        photo.save(folder / 'turned.jpg', exif=exif, subsampling='4:4:4')
        for source, name in others:
            shutil.copy(testdata / source, folder / name)
        return len(os.listdir(folder))
    return fill


@pytest.fixture
def loaded(blurthumb):
    """loaded(*arguments): runs the program, and counts the libraries that it and its workers load, as the dynamic
    linker tells them."""
    def run(*arguments):
        done = blurthumb(*arguments, env={**os.environ, 'LD_DEBUG': 'files', 'BT_WORKER_STDERR': '1'})
        assert done.returncode == 0
        names = collections.Counter(map(os.path.basename, re.findall(rb'calling init: (\S+)', done.stderr)))
        assert any(name.startswith(b'libjpeg.so') for name in names), 'the linker tells nothing'
        return names
    return run


def read_results(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith('.')}


def assert_all_done(done, folder, count):
    assert (done.returncode, done.stderr) == (0, b'')
    assert done.stdout.startswith(b'%d processed, 0 skipped, 0 failed in ' % count)
    results = read_results(folder)
    assert len(results) == count
    for name in results:
        Image.open(folder / name).load()


@pytest.mark.parametrize('way', WAYS)
def test_photos_alone_do_without(loaded, photos, blurthumb, way):
    own_png = b'+isa-l' in blurthumb('--version').stdout
    photos(*[('formats/rgb.png', 'rgb.png'), ('broken/png_called.jpg', 'png.jpg')] * own_png)
    assert [name for name in loaded('in', way) if b'vips' in name] == []


@pytest.mark.parametrize('way', WAYS)
def test_another_format_brings_it_in(loaded, photos, tmp_path, way):
    count = photos(('formats/lossy.webp', 'a.webp'), ('formats/interlaced.png', 'b.png'), ('formats/cmyk.jpg', 'c.jpg'))
    names = loaded('in', way)
    assert names[MODULE] == 1 and any(name.startswith(b'libvips') for name in names)
    assert len(read_results(tmp_path / 'processed')) == count


def test_that_nothing_is_to_do_needs_nothing(loaded, photos):
    photos()
    loaded('in')
    assert [name for name in loaded('in') if b'vips' in name] == []


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('source', ('formats/lossy.webp', 'formats/cmyk.jpg'))
def test_a_worker_that_finds_out_late_loses_nothing(blurthumb, photos, tmp_path, source, way):
    """Its name says JPEG, so all have begun without libvips."""
    count = photos((source, 'a.jpg'), (source, 'm.jpg'), (source, 'z.jpg'))
    assert_all_done(blurthumb('in', way), tmp_path / 'processed', count)


@pytest.mark.parametrize('way', WAYS)
def test_such_a_picture_alone(blurthumb, testdata, tmp_path, way):
    done = blurthumb(testdata / 'formats' / 'cmyk.jpg', testdata / 'broken' / 'png_called.jpg', way)
    assert_all_done(done, tmp_path / 'processed', 2)


def test_a_broken_one_among_them_is_told_once(blurthumb, photos, tmp_path):
    count = photos(('formats/cmyk.jpg', 'cmyk.jpg'), ('broken/text.jpg', 'text.jpg'), ('broken/cut50.jpg', 'cut.jpg'))
    done = blurthumb('in')
    assert done.returncode == 1
    assert sorted(re.findall(rb'blurthumb: in/(\w+)\.jpg: [^\n]+\n', done.stderr)) == [b'cut', b'text']
    assert len(read_results(tmp_path / 'processed')) == count - 2


def test_the_bytes_of_a_jpeg_do_not_depend_on_it(blurthumb, photos, testdata, tmp_path):
    photos()
    for way in WAYS:
        assert blurthumb('in', '-o', f'without{way}', way).returncode == 0
    shutil.copy(testdata / 'formats' / 'lossy.webp', tmp_path / 'in')
    for way in WAYS:
        assert blurthumb('in', '-o', f'with{way}', way).returncode == 0
    expected = read_results(tmp_path / 'without--serial')
    for way in WAYS:
        assert read_results(tmp_path / f'without{way}') == expected
        results = read_results(tmp_path / f'with{way}')
        results = {name: data for name, data in results.items() if 'lossy' not in name}
        assert results == expected


@pytest.fixture
def lonely(blurthumb, tmp_path):
    """The same program, but it looks for a module that is not there."""
    program = pathlib.Path(PROGRAM).read_bytes()
    assert program.count(MODULE + b'\0') == 1
    copy = tmp_path / 'lonely'
    copy.write_bytes(program.replace(MODULE + b'\0', MODULE.replace(b'vips', b'none') + b'\0'))
    copy.chmod(0o755)
    return functools.partial(blurthumb, executable=copy)


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('source, name', (('formats/interlaced.png', 'a.png'), ('formats/lossy.webp', 'a.jpg'),
                                          ('formats/cmyk.jpg', 'a.jpg')))
def test_without_the_module_it_says_so(lonely, photos, tmp_path, source, name, way):
    photos((source, name))
    done = lonely('in', way)
    assert done.returncode == 3
    assert re.fullmatch(rb'blurthumb: libvips cannot be loaded: [^\n]+\n', done.stderr)
    assert {path.name for path in (tmp_path / 'processed').glob('.*')} <= {'.blurthumb'}


@pytest.mark.parametrize('way', WAYS)
def test_without_the_module_photos_are_done(lonely, photos, tmp_path, way):
    count = photos()
    assert_all_done(lonely('in', way), tmp_path / 'processed', count)
