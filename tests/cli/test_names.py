# SPDX-License-Identifier: MIT
"""How results are called, and in which format they are."""
import re
import shutil

import pytest
from PIL import Image

import formats
import make_testdata


@pytest.fixture
def tree(photo):
    photo('in/2024/rome/a.jpeg', 'in/b.jpg')
    photo('in/2024/c.png', format='PNG')


@pytest.mark.parametrize('options, expected', (
    (('--suffix', '-small'), [b'2024/c-small.png', b'2024/rome/a-small.jpeg', b'b-small.jpg']),
    (('--flat',), [b'2024__c.png', b'2024__rome__a.jpeg', b'b.jpg']),
    (('--flat', '--suffix', '.s'), [b'2024__c.s.png', b'2024__rome__a.s.jpeg', b'b.s.jpg']),
    (('--name', '{dir}/small/{stem}.{ext}'), [b'2024/rome/small/a.jpeg', b'2024/small/c.png', b'small/b.jpg']),
    (('--format', 'webp'), [b'2024/c.png.webp', b'2024/rome/a.jpeg.webp', b'b.jpg.webp']),
    (('--format', 'jpeg'), [b'2024/c.png.jpg', b'2024/rome/a.jpeg', b'b.jpg']),
    (('--format', 'keep'), [b'2024/c.png', b'2024/rome/a.jpeg', b'b.jpg']),
    (('--format', 'webp', '--name', '{dir}/{stem}.{ext}'), [b'2024/c.webp', b'2024/rome/a.webp', b'b.webp']),
), ids=lambda value: ' '.join(value) if isinstance(value, tuple) else '')
def test_names(blurthumb, tree, files, options, expected):
    for words in (b'3 processed, 0 skipped', b'0 processed, 3 skipped'):
        done = blurthumb(*options, 'in')
        assert (done.returncode, done.stderr) == (0, b'') and words in done.stdout
        assert files() == expected


@pytest.mark.parametrize('format, pillow', (('jpeg', 'JPEG'), ('png', 'PNG'), ('webp', 'WEBP'), ('tiff', 'TIFF')))
def test_format_of_results(blurthumb, tree, files, tmp_path, format, pillow):
    assert blurthumb('--format', format, 'in').returncode == 0
    for name in files():
        assert Image.open(tmp_path / 'processed' / name.decode()).format == pillow


def test_avif_is_written(blurthumb, tree, files, tmp_path, unwritten):
    formats.need_encoders(unwritten, '.avif')
    assert blurthumb('--format', 'avif', 'in').returncode == 0
    for name in files():
        assert (tmp_path / 'processed' / name.decode()).read_bytes()[4:12] == b'ftypavif'


def test_second_of_two_with_one_name_fails(blurthumb, photo, files, tmp_path):
    photo('in/a.jpg')
    photo('in/a.png', format='PNG')
    done = blurthumb('--format', 'jpeg', '--name', '{stem}.{ext}', 'in')
    assert done.returncode == 1 and files() == [b'a.jpg']
    message = done.stderr.decode()
    assert message.count('\n') == 1 and re.match(r'blurthumb: in/a\.(jpg|png): .*processed/a\.jpg', message)
    done = blurthumb('--format', 'jpeg', '--name', '{stem}-{hash}.{ext}', 'in')
    assert done.returncode == 0 and len(files()) == 3


def test_flat_names_meet(blurthumb, photo, files):
    photo('in/x/y.jpg', 'in/x__y.jpg')
    done = blurthumb('--flat', 'in')
    assert done.returncode == 1 and files() == [b'x__y.jpg']
    assert re.match(rb'blurthumb: in/x(/|__)y\.jpg: .*processed/x__y\.jpg', done.stderr)


@pytest.mark.parametrize('options', (
    ('--name', 'x.jpg'), ('--name', '{stm}'), ('--name', '../{stem}'), ('--name', '/{stem}'), ('--name', ''),
    ('--suffix', 'a/b'), ('--suffix', ''), ('--flat', '--name', '{stem}'), ('--format', 'bmp'), ('--format', ''),
), ids=' '.join)
def test_bad_names(blurthumb, tree, tmp_path, options):
    done = blurthumb(*options, 'in')
    assert done.returncode == 2 and done.stderr.startswith(b'blurthumb: ') and done.stderr.count(b'\n') == 1
    assert not (tmp_path / 'processed').exists()


def test_other_names_are_other_results(blurthumb, tree, files):
    """And each of them knows that it is fresh."""
    assert b'3 processed' in blurthumb('in').stdout
    assert b'3 processed' in blurthumb('--suffix', 'x', 'in').stdout
    for suffix in (), ('--suffix', 'x'):
        assert b'3 skipped' in blurthumb(*suffix, 'in').stdout


@pytest.mark.parametrize('value', ('80', 'jpeg=80', 'webp=10,jpeg=80', 'jpeg=10,80'))
def test_quality_of_a_format(blurthumb, photo, tmp_path, value):
    photo('in/a.jpg')
    assert blurthumb('-Q', '80', '-o', 'all', 'in').returncode == 0
    assert blurthumb('-Q', value, '-o', 'one', 'in').returncode == 0
    assert (tmp_path / 'all/a.jpg').read_bytes() == (tmp_path / 'one/a.jpg').read_bytes()


@pytest.mark.parametrize('value', ('0', '101', 'jpeg', 'jpeg=', 'jpeg=0', 'jpgs=80', '80,', ''))
def test_bad_quality(blurthumb, photo, value):
    photo('in/a.jpg')
    done = blurthumb('-Q', value, 'in')
    assert done.returncode == 2 and b'--quality takes' in done.stderr


# HEIC.

JPEG, HEIC = b'\xff\xd8\xff', b'ftypheic'


@pytest.fixture
def heic(disk, testdata, lacking):
    """heic(name, ...): sources."""
    if '.heic' in lacking:
        pytest.skip('this libvips does not read HEIC')

    def make(*names):
        for name in names:
            (disk / name).parent.mkdir(exist_ok=True)
            shutil.copy(testdata / 'formats' / 'rgb.heic', disk / name)
    return make


@pytest.fixture
def kept_heic(told, heic, unwritten):
    """Results in HEIC, with the same records as those of versions that made no JPEG of it."""
    formats.need_encoders(unwritten, '.heic')
    heic('in/1.HEIC', 'in/2.heic')
    assert told('--format', 'keep', 'in').counts() == (2, 0, 0)


def results(disk):
    return {path.name: JPEG if path.read_bytes().startswith(JPEG) else path.read_bytes()[4:12]
            for path in (disk / 'processed').iterdir() if not path.name.startswith('.')}


def test_heic_becomes_jpeg(told, heic, disk, testdata, unwritten):
    formats.need_encoders(unwritten, '.heic')
    heic('in/1.HEIC', 'in/2.hif')
    make_testdata.vips_copy(testdata / 'formats' / 'rgba.png', disk / 'in/3.heic')
    assert told('in').counts() == (3, 0, 0)
    assert results(disk) == {'1.HEIC.jpg': JPEG, '2.hif.jpg': JPEG, '3.heic.png': b'\r\n\x1a\n\0\0\0\r'}
    assert told('in').counts() == (0, 3, 0) and told('--verify', 'in').counts()[2] == 0


def test_heic_of_an_earlier_version(told, kept_heic, disk):
    """It stays as it is, and beside it JPEG is made once; both go when their source has gone."""
    assert results(disk) == {'1.HEIC': HEIC, '2.heic': HEIC}
    before = (disk / 'processed/1.HEIC').read_bytes()
    assert told('in').counts() == (2, 0, 0)
    assert results(disk) == {'1.HEIC': HEIC, '2.heic': HEIC, '1.HEIC.jpg': JPEG, '2.heic.jpg': JPEG}
    for options in ((), ('--format', 'keep'), ('--prune',)):
        assert told(*options, 'in').counts() == (0, 2, 0)
    assert (disk / 'processed/1.HEIC').read_bytes() == before
    (disk / 'in/2.heic').unlink()
    assert told('--prune', 'in').paths('removed') == ['processed/2.heic', 'processed/2.heic.jpg']
    assert sorted(results(disk)) == ['1.HEIC', '1.HEIC.jpg']


def test_heic_replaces_nothing_that_is_not_ours(told, kept_heic, picture, disk):
    picture('processed/1.HEIC.jpg')
    before = (disk / 'processed/1.HEIC.jpg').read_bytes()
    done = told('in')
    assert done.paths('failed', 'foreign') == ['in/1.HEIC'] and done.counts() == (1, 0, 1)
    assert (disk / 'processed/1.HEIC.jpg').read_bytes() == before and results(disk)['1.HEIC'] == HEIC


def test_heic_and_the_jpeg_that_was_made_of_it(told, heic, picture, disk):
    heic('in/1.HEIC')
    picture('in/1.jpg', 'in/1.HEIC.jpg')
    done = told('in')
    assert done.counts() == (2, 0, 1) and len(done.paths('failed', 'name-taken')) == 1
    assert results(disk) == {'1.jpg': JPEG, '1.HEIC.jpg': JPEG}


def test_heic_under_a_name_that_does_not_tell(told, kept_heic, disk):
    for options, format in (('--format', 'keep'), HEIC), ((), JPEG), (('--format', 'keep'), HEIC):
        for counts in (2, 0, 0), (0, 2, 0):
            assert told(*options, '-o', 'out', '--name', '{stem}', 'in').counts() == counts
        found = (disk / 'out/1').read_bytes()
        assert format in (found[:3], found[4:12])
