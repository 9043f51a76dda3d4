# SPDX-License-Identifier: MIT
"""Raw files by their previews: shells of each kind (raw_shells.py) around real JPEGs."""
import os
import re
import subprocess

import numpy as np
import pytest
from PIL import Image

import make_testdata
import raw_shells
from conftest import HANG_GUARD_S, PROGRAM, Told

PHOTO = 6000, 4000
SIDES = 1616, 1080
SIGMA = 37
SAID_BESIDE = 'nef', 'dng', 'rw2', 'cr3'  # what is turned, and in which colours: not RAF, which says it within
ORIENTATION = make_testdata.ORIENTATION_TAG


PICTURE = make_testdata.picture(make_testdata.sample(*SIDES))


def jpeg(sides=SIDES, quality=80, **options):
    return make_testdata.jpeg_bytes(PICTURE.resize(sides), quality=quality, **options)


def turned_exif(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


PREVIEW, THUMB = jpeg(), jpeg((160, 120))


@pytest.fixture
def made(blurthumb, tmp_path):
    """made(files, *options): what a run over these has told, {name: content}, and reads of its results."""
    def run(files, *options):
        for name, content in files.items():
            path = tmp_path / 'in' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return Told(blurthumb('--json', '--force', *map(str, options), 'in'))
    return run


@pytest.fixture
def result(tmp_path):
    """The content of a result, by its name."""
    return lambda name: (tmp_path / 'processed' / name).read_bytes()


def alone(blurthumb, tmp_path, content, sigma, *options):
    """The result of a JPEG alone."""
    (tmp_path / 'alone.jpg').write_bytes(content)
    assert blurthumb('--force', '--sigma', str(sigma), '-o', 'one', *map(str, options), 'alone.jpg').returncode == 0
    return (tmp_path / 'one' / 'alone.jpg').read_bytes()


def failure(told):
    """(reason, message) of the one picture."""
    [picture] = told.of_pictures
    assert told.code == 1 and picture['status'] == 'failed'
    return picture['reason'], picture['message']


# What is taken.

def test_every_kind_is_its_preview(made, result, blurthumb, tmp_path):
    """Byte for byte, with sigma in pixels of the photo."""
    told = made({f'a.{kind.upper()}': raw_shells.shell(kind, PREVIEW, THUMB, PHOTO) for kind in raw_shells.KINDS},
                '--sigma', SIGMA)
    assert told.code == 0 and len(told.of_pictures) == len(raw_shells.KINDS)
    expected = alone(blurthumb, tmp_path, PREVIEW, SIGMA * SIDES[0] / PHOTO[0])
    for kind in raw_shells.KINDS:
        assert result(f'a.{kind.upper()}.jpg') == expected, kind
    for picture in told.of_pictures:
        assert picture['decoder'] == 'raw-preview 1616x1080' and picture['format'] == 'jpeg'
        assert (picture['source_width'], picture['source_height']) == PHOTO


@pytest.mark.parametrize('kind, options', (('dng', {'order': '<'}), ('nef', {'order': '<'}), ('pef', {'order': '<'}),
                                           ('arw', {'order': '>'}), ('dng', {'big': True})))
def test_other_orders_and_offsets(made, result, blurthumb, tmp_path, kind, options):
    made({f'a.{kind}': raw_shells.shell(kind, PREVIEW, THUMB, PHOTO, **options)}, '--sigma', SIGMA)
    assert result(f'a.{kind}.jpg') == alone(blurthumb, tmp_path, PREVIEW, SIGMA * SIDES[0] / PHOTO[0])


def test_sensor_borders_are_no_pitch(made, result, blurthumb, tmp_path):
    """A preview at full size, of a sensor that is a little larger, is the photo."""
    made({'a.nef': raw_shells.shell('nef', PREVIEW, THUMB, (SIDES[0] + 40, SIDES[1] + 20))}, '--sigma', SIGMA)
    assert result('a.nef.jpg') == alone(blurthumb, tmp_path, PREVIEW, SIGMA)


def test_doors_agree(blurthumb, tmp_path):
    """In a folder, as an argument, in a list; and without an extension by its bytes, where those are a raw file's
    alone."""
    (tmp_path / 'in').mkdir()
    for kind in raw_shells.KINDS:
        (tmp_path / 'in' / f'a.{kind}').write_bytes(raw_shells.shell(kind, PREVIEW, THUMB, PHOTO))
    for kind in ('cr2', 'cr3', 'orf', 'rw2', 'raf'):
        (tmp_path / 'in' / f'b_{kind}').write_bytes(raw_shells.shell(kind, PREVIEW, THUMB, PHOTO))
    names = sorted(os.listdir(tmp_path / 'in'))
    (tmp_path / 'list').write_text(''.join(f'in/{name}\n' for name in names))
    for n, door in enumerate((['in'], [f'in/{name}' for name in names], ['--files-from', 'list'])):
        assert blurthumb('-o', f'out{n}', *door).returncode == 0
    outs = [[path.name for path in sorted((tmp_path / f'out{n}').rglob('*.jpg'))] for n in range(3)]
    assert outs[0] == outs[1] == outs[2] and len(outs[0]) == len(names)


def test_content_counts_before_the_name(made, result, tmp_path):
    """A TIFF stays one, and what is called like a raw file may be a JPEG."""
    make_testdata.picture(make_testdata.sample(64, 48)).save(tmp_path / 'plain.tif')
    told = made({'a.tif': (tmp_path / 'plain.tif').read_bytes(), 'b.cr2': PREVIEW})
    decoders = {picture['path']: picture['decoder'] for picture in told.of_pictures}
    assert decoders == {'in/a.tif': 'tiffload_source', 'in/b.cr2': 'jpeg'}


def test_results_verify_in_any_format(made, blurthumb, tmp_path):
    for format in ('keep', 'png', 'tiff'):
        options = '-o', f'out-{format}', '--format', format
        assert made({'a.nef': raw_shells.shell('nef', PREVIEW, THUMB, PHOTO)}, *options).code == 0
        assert blurthumb('--verify', *options, 'in').returncode == 0


# Which preview.

def test_largest_of_several(made, result, blurthumb, tmp_path):
    """Whichever comes first."""
    middle = jpeg((1300, 867))
    expected = alone(blurthumb, tmp_path, PREVIEW, SIGMA * SIDES[0] / PHOTO[0])
    made({'a.cr3': raw_shells.shell('cr3', PREVIEW, THUMB, PHOTO, middle=middle),
          'b.nef': raw_shells.shell('nef', middle, PREVIEW, PHOTO),
          'c.dng': raw_shells.shell('dng', middle, PREVIEW, PHOTO)}, '--sigma', SIGMA)
    assert result('a.cr3.jpg') == result('b.nef.jpg') == result('c.dng.jpg') == expected


@pytest.mark.parametrize('kind', raw_shells.KINDS)
def test_cut_short(made, kind):
    """Whether it ends before its time or the file does, it fails in these words, with its size."""
    reason, message = failure(made({f'a.{kind}': raw_shells.shell(kind, PREVIEW[:len(PREVIEW) // 2], b'', PHOTO)}))
    assert reason == 'preview' and '1616 x 1080' in message
    whole = raw_shells.shell(kind, PREVIEW, b'', PHOTO)
    assert failure(made({f'a.{kind}': whole[:len(PREVIEW) // 2]}))[0] == 'preview'


def test_smaller_whole_one_where_a_larger_is_cut(made, result, blurthumb, tmp_path):
    made({'a.cr3': raw_shells.shell('cr3', PREVIEW[:-5000], THUMB, PHOTO, middle=jpeg((1300, 867)))},
         '--sigma', SIGMA)
    assert result('a.cr3.jpg') == alone(blurthumb, tmp_path, jpeg((1300, 867)), SIGMA * 1300 / PHOTO[0])


def test_too_small_for_the_result(made):
    """Never a tiny picture; what fits it is done."""
    content = {'a.dng': raw_shells.shell('dng', jpeg((1024, 683)), THUMB, PHOTO)}
    reason, message = failure(made(content))
    assert reason == 'preview' and '1024 x 683' in message and '1200 x 800' in message
    assert made(content, '--size', '1024x1024').code == 0


def test_without_a_preview(made):
    told = made({f'a.{kind}': raw_shells.shell(kind, b'', b'', PHOTO) for kind in raw_shells.KINDS})
    assert {found for found in told.pictures.values()} == {('failed', 'preview')}
    assert all('JPEG' in picture['message'] for picture in told.of_pictures)


def test_lossless_samples_are_no_preview(made):
    assert failure(made({'a.cr2': raw_shells.shell('cr2', raw_shells.lossless(PHOTO), b'', PHOTO)}))[0] == 'preview'


def test_lossy_samples_are_no_preview(made, result, blurthumb, tmp_path):
    """Though they are a larger JPEG: they have the sensor's colours, or 12 bits."""
    larger = jpeg((2400, 1600))
    frame = larger.index(b'\xff\xc0') + 4
    deep = larger[:frame] + bytes([12]) + larger[frame + 1:]
    made({'a.dng': raw_shells.shell('dng', PREVIEW, THUMB, PHOTO, raw=larger),
          'b.nef': raw_shells.shell('nef', deep, PREVIEW, PHOTO)}, '--sigma', SIGMA)
    expected = alone(blurthumb, tmp_path, PREVIEW, SIGMA * SIDES[0] / PHOTO[0])
    assert result('a.dng.jpg') == expected and result('b.nef.jpg') == expected


def test_preview_of_other_proportions(made, result, blurthumb, tmp_path):
    """A square of a photo is as high as that."""
    square = jpeg((1300, 1300))
    [picture] = made({'a.arw': raw_shells.shell('arw', square, THUMB, PHOTO)}, '--sigma', SIGMA).of_pictures
    assert (picture['source_width'], picture['source_height']) == (4000, 4000)
    assert result('a.arw.jpg') == alone(blurthumb, tmp_path, square, SIGMA * 1300 / 4000)


# How it looks.

@pytest.mark.parametrize('own, turned', ((None, 6), (8, 8), (1, 1)))
def test_turned_once(made, result, blurthumb, tmp_path, own, turned):
    """As the preview says, else as the file says, which is 6."""
    content = jpeg(exif=turned_exif(own)) if own else PREVIEW
    made({f'a.{kind}': raw_shells.shell(kind, content, THUMB, PHOTO, turned=6) for kind in SAID_BESIDE},
         '--sigma', SIGMA)
    expected = alone(blurthumb, tmp_path, jpeg(exif=turned_exif(turned)), SIGMA * SIDES[0] / PHOTO[0])
    for kind in SAID_BESIDE:
        assert result(f'a.{kind}.jpg') == expected, kind


def test_turned_raf(made, result, blurthumb, tmp_path):
    own = jpeg(exif=turned_exif(6))
    made({'a.raf': raw_shells.shell('raf', own, THUMB, PHOTO)}, '--sigma', SIGMA)
    assert result('a.raf.jpg') == alone(blurthumb, tmp_path, own, SIGMA * SIDES[0] / PHOTO[0])


def adobe_to_srgb(rgb):
    """Adobe RGB (1998), 4.3, to sRGB (IEC 61966-2-1); both of D65."""
    xyz = np.array(((0.57667, 0.18556, 0.18823), (0.29734, 0.62736, 0.07529), (0.02703, 0.07069, 0.99134))) @ (
        (np.asarray(rgb) / 255) ** (563 / 256))
    linear = np.clip(np.array(((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570)))
                     @ xyz, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize('adobe', (True, False))
def test_adobe_rgb_by_its_tag(made, tmp_path, adobe):
    colour = 150, 110, 80
    expected = adobe_to_srgb(colour) if adobe else colour
    preview = make_testdata.jpeg_bytes(Image.new('RGB', SIDES, colour), quality=98, subsampling=0)
    made({f'a.{kind}': raw_shells.shell(kind, preview, THUMB, PHOTO, adobe=adobe) for kind in SAID_BESIDE},
         '--quality', 98)
    for kind in SAID_BESIDE:
        with Image.open(tmp_path / 'processed' / f'a.{kind}.jpg') as image:
            assert np.abs(np.array(image.getpixel((100, 100))) - expected).max() <= 2, kind


def test_profile_of_the_preview_counts_first(made, result, blurthumb, tmp_path):
    profile = make_testdata.icc_profile('wide', make_testdata.P3_PRIMARIES)
    preview = jpeg(icc_profile=profile)
    made({'a.nef': raw_shells.shell('nef', preview, THUMB, PHOTO, adobe=True)}, '--sigma', SIGMA)
    assert result('a.nef.jpg') == alone(blurthumb, tmp_path, preview, SIGMA * SIDES[0] / PHOTO[0])


@pytest.mark.parametrize('strip', ('all', 'gps', 'none'))
def test_metadata_of_the_preview(made, result, blurthumb, tmp_path, strip):
    exif = turned_exif(6)
    exif[0x10f] = 'Maker'
    exif.get_ifd(0x8825)[1] = 'N'
    preview = jpeg(exif=exif)
    made({'a.arw': raw_shells.shell('arw', preview, THUMB, PHOTO)}, '--sigma', SIGMA, '--strip', strip)
    assert result('a.arw.jpg') == alone(blurthumb, tmp_path, preview, SIGMA * SIDES[0] / PHOTO[0], '--strip', strip)


def test_no_colour_space_where_it_is_not_so_any_more(made, tmp_path):
    exif = turned_exif(1)
    exif.get_ifd(raw_shells.EXIF).update({0xa001: 0xffff, 0xa005: {1: 'R03'}})
    exif[0x10f] = 'Maker'
    made({'a.rw2': raw_shells.shell('rw2', jpeg(exif=exif), THUMB, PHOTO)}, '--strip', 'none')
    with Image.open(tmp_path / 'processed' / 'a.rw2.jpg') as image:
        kept = image.getexif()
        assert kept[0x10f] == 'Maker' and kept.get_ifd(raw_shells.EXIF) == {}


@pytest.mark.parametrize('strip', ('all', 'gps', 'none'))
def test_metadata_of_the_file(made, tmp_path, strip):
    """Where the preview has none: by the rules of a JPEG's."""
    kinds = [kind for kind in raw_shells.KINDS if kind != 'raf']
    made({f'a.{kind}': raw_shells.shell(kind, PREVIEW, THUMB, PHOTO, turned=6, adobe=True) for kind in kinds},
         '--strip', strip)
    for kind in kinds:
        with Image.open(tmp_path / 'processed' / f'a.{kind}.jpg') as image:
            exif, upright = image.getexif(), image.height > image.width
        first, taken, place = dict(exif), exif.get_ifd(raw_shells.EXIF), exif.get_ifd(raw_shells.GPS)
        assert upright and set(first) <= {0x10f, ORIENTATION, raw_shells.EXIF, raw_shells.GPS}, kind
        assert first.get(ORIENTATION, 1) == 1 and raw_shells.MAKER_NOTE not in taken
        assert first.get(0x10f) == (None if strip == 'all' else 'Maker'), kind
        assert taken == ({} if strip == 'all' else {0x9003: '2024:05:06 07:08:09', 0x829a: 1 / 250}), kind
        assert place == ({1: 'N', 2: (52, 31, 12)} if strip == 'none' else {}), kind


# Hostile and large.

def test_loops_and_far_offsets(made):
    """Directories that lead to themselves and to each other, and beyond the end: each ends, at once."""
    def looped(kind):
        tiff = raw_shells.start('<')
        at = len(tiff.out) + 2 + 2 * 12
        tiff.directory({0x14a: (raw_shells.LONG, [8] * 40), 0x8769: 8}, following=8)
        return tiff.done(at if kind else 8)
    whole = raw_shells.shell('nef', PREVIEW, THUMB, PHOTO)
    told = made({'loop.nef': looped(0), 'inside.nef': looped(1),
                 'beyond.nef': b'II*\0\xf0\xff\xff\xff' + whole[8:], 'short.nef': whole[:9],
                 'far.cr3': raw_shells.shell('cr3', PREVIEW, THUMB, PHOTO, sample_at=2**63)[:-8]}, '--timeout', 5)
    assert told.code == 1 and {reason for _, reason in told.pictures.values()} == {'preview'}


@pytest.mark.parametrize('at', (3_900_000_000, 5_000_000_000))
def test_preview_far_behind(made, result, blurthumb, tmp_path, at):
    """In a sparse file; the offset of a TIFF ends at 4 GB, that of a track does not."""
    (tmp_path / 'in').mkdir()
    if at < 2**32:
        tiff = raw_shells.start('<')
        head = tiff.done(tiff.chain({**raw_shells.sides(PHOTO), 0x103: (raw_shells.SHORT, 6), 0x201: at,
                                     0x202: len(PREVIEW)}))
    else:
        head = raw_shells.shell('cr3', PREVIEW, THUMB, PHOTO, sample_at=at)
    name = 'a.arw' if at < 2**32 else 'a.cr3'
    with open(tmp_path / 'in' / name, 'wb') as file:
        file.write(head)
        file.seek(at)
        file.write(PREVIEW)
        file.truncate(at + len(PREVIEW) + 1000)
    assert made({}, '--sigma', SIGMA).code == 0
    assert result(f'{name}.jpg') == alone(blurthumb, tmp_path, PREVIEW, SIGMA * SIDES[0] / PHOTO[0])


def test_limits_hold(made):
    """The photo's pixels count, which the file claims, and those of the preview."""
    claimed = made({'a.nef': raw_shells.shell('nef', PREVIEW, THUMB, (60000, 40000))}, '--max-pixels', '1000M')
    assert failure(claimed)[0] == 'too-large'
    assert failure(made({'a.nef': raw_shells.shell('nef', PREVIEW, THUMB, SIDES)},
                        '--max-pixels', '1M'))[0] == 'too-large'


BYTES = re.compile(r'(?:pread64|read|readv|preadv)\(\d+<([^>]*)>.*= (\d+)$')


def test_little_is_read(tmp_path):
    """Of 100 files of 25 MB no more than a tenth, by the calls that read them; and nothing is asked for ahead."""
    size, n, middle = 25_000_000, 100, jpeg(SIDES, 70)
    (tmp_path / 'in').mkdir()
    for i in range(n):
        kind = raw_shells.KINDS[i % len(raw_shells.KINDS)]
        with open(tmp_path / 'in' / f'{i}.{kind}', 'wb') as file:
            file.write(raw_shells.shell(kind, middle, THUMB, PHOTO))
            file.truncate(size)
    log = tmp_path / 'log'
    done = subprocess.run(['strace', '-f', '-y', '-qq', '-s', '0', '-e', 'trace=read,pread64,readv,preadv,readahead,fadvise64',
                           '-o', log, PROGRAM, '-q', '-j1', 'in'], cwd=tmp_path, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=HANG_GUARD_S)
    assert done.returncode == 0, done.stderr
    lines = log.read_text(errors='replace').splitlines()
    found = [BYTES.search(line) for line in lines]
    n_read = sum(int(match[2]) for match in found if match and match[1].startswith(str(tmp_path / 'in')))
    ahead = [line for line in lines if 'WILLNEED' in line or 'readahead(' in line]
    print(f'{n_read / (n * size):.2%} read')
    assert 0 < n_read <= n * size / 10 and ahead == []
