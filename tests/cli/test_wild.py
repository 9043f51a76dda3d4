# SPDX-License-Identifier: MIT
"""Files as they are found in the world, each a small one of its kind: what other readers read is read rightly, what
cannot be is refused in words that say why."""
import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import formats
import heif_boxes
import make_testdata

ALLOW = '--allow', 'ppm,bmp'
SIDES = 80, 60


def slopes():
    """RGB from 0 to 1: each band has a mean of a half."""
    x, y = np.meshgrid(np.linspace(0, 1, SIDES[0]), np.linspace(0, 1, SIDES[1]))
    return np.stack([x, y, 1 - x], axis=-1)


def levels(most, dtype, bands=3):
    return (slopes()[..., :bands] * most).round().astype(dtype)


def with_byte(pixels, value=0):
    """With one more band."""
    return np.concatenate([pixels, np.full((*pixels.shape[:2], 1), value, pixels.dtype)], axis=-1)


def tiff(pixels, sample_format=1, strip=b'', **tags):
    """Little-endian, one strip: of these bytes, else uncompressed. Further tags by name: compression, colours, extra."""
    height, width, bands = pixels.shape
    data = strip or pixels.astype(pixels.dtype.newbyteorder('<')).tobytes()
    numbers = {'compression': 259, 'colours': 262, 'extra': 338}
    entries = {256: (4, [width]), 257: (4, [height]), 258: (3, [pixels.itemsize * 8] * bands), 259: (3, [1]),
               262: (3, [2 if bands > 2 else 1]), 273: (4, [8]), 277: (3, [bands]), 278: (4, [height]),
               279: (4, [len(data)]), 339: (3, [sample_format] * bands)}
    entries.update({numbers[name]: (3, [value]) for name, value in tags.items()})
    directory, behind = b'', b''
    end = 8 + len(data) + 2 + 12 * len(entries) + 4
    for tag, (kind, values) in sorted(entries.items()):
        packed = struct.pack('<%d%s' % (len(values), 'H' if kind == 3 else 'I'), *values)
        directory += struct.pack('<HHI', tag, kind, len(values))
        if len(packed) > 4:
            directory += struct.pack('<I', end + len(behind))
            behind += packed
        else:
            directory += packed.ljust(4, b'\0')
    return (b'II*\0' + struct.pack('<I', 8 + len(data)) + data + struct.pack('<H', len(entries)) + directory +
            bytes(4) + behind)


def bmp(pixels, compression=0, masks=()):
    """32 bits a pixel, with a header that has room for masks where there are some."""
    size = 108 if masks else 40
    data = pixels[::-1, :, [2, 1, 0, 3]].tobytes()
    header = struct.pack('<IiiHHIIiiII', size, *SIDES, 1, 32, compression, len(data), 0, 0, 0, 0)
    header += struct.pack('<%dI' % len(masks), *masks)
    header = header.ljust(size, b'\0')
    return b'BM' + struct.pack('<IHHI', 14 + size + len(data), 0, 0, 14 + size) + header + data


@pytest.fixture
def source(tmp_path):
    (tmp_path / 'in').mkdir()
    return (tmp_path / 'in').joinpath


@pytest.fixture
def result(blurthumb, tmp_path, source):
    """result(name, bytes): what becomes of a file, as a picture; or, where it fails, the words."""
    def run(name, whole, *options, **more):
        source(name).write_bytes(whole)
        done = blurthumb('--force', '--sigma', '2', *ALLOW, *options, 'in', **more)
        if done.returncode == 1:
            return done.stderr.decode()
        assert done.returncode == 0, done.stderr
        made, = [path for path in (tmp_path / 'processed').iterdir() if path.name.startswith(name)]
        return Image.open(made)
    return run


def mean(image):
    """Of each band, 0 to 1."""
    pixels = np.asarray(image, dtype=float)
    most = 65535 if image.mode.startswith('I') else 255
    return pixels.reshape(-1, 1 if pixels.ndim == 2 else pixels.shape[2]).mean(axis=0) / most


# Levels.

@pytest.mark.parametrize('pixels, sample_format', (
    (slopes()[..., :1].astype(np.float32), 3), ((slopes()[..., :1] * 255).astype(np.float32), 3),
    (levels(255, np.uint32, 1), 1), (levels(65535, np.uint32, 1), 1), (levels(2**32 - 1, np.uint32, 1), 1),
), ids=('float to 1', 'float to 255', '32 bits to 255', '32 bits to 65535', '32 bits'))
def test_wide_samples_are_neither_black_nor_white(result, pixels, sample_format):
    assert mean(result('a.tif', tiff(pixels, sample_format))) == pytest.approx([0.5], abs=0.01)


def test_pfm_is_read_twice(result, lacking):
    """Once for the brightest sample, from the same source: grey, bottom row first."""
    if '.ppm' in lacking:
        pytest.skip('this libvips does not read PPM')
    whole = b'Pf\n80 60\n-1.0\n' + slopes()[::-1, :, 0].astype('<f4').tobytes()
    assert mean(result('a.pfm', whole, '--format', 'png')) == pytest.approx([0.5], abs=0.01)


def test_float_colours_are_not_black(result):
    """libvips takes them for linear light."""
    assert (mean(result('a.tif', tiff(slopes().astype(np.float32), 3))) > 0.4).all()


def test_floats_of_no_known_range_are_refused(result):
    assert 'white' in result('a.tif', tiff(slopes()[..., :1].astype(np.float32) * 1e6, 3))


@pytest.mark.parametrize('most', (1, 15, 100, 255, 1023, 65535))
def test_ppm_has_its_own_white(result, lacking, most):
    if '.ppm' in lacking:
        pytest.skip('this libvips does not read PPM')
    pixels = levels(most, '>u2' if most > 255 else np.uint8)
    whole = b'P6\n# a comment, 3 4 5\n80 60\n%d\n' % most + pixels.tobytes()
    assert mean(result('a.ppm', whole)) == pytest.approx([0.5] * 3, abs=0.01)


def test_ppm_of_another_size_than_libvips_thinks_is_refused(result):
    """It reads 80 and 6 where a comment parts a number from the next."""
    made = result('a.pgm', b'P5 80#6\n60 255\n' + levels(255, np.uint8, 1).tobytes())
    assert isinstance(made, str) or made.size == SIDES


# Alpha.

@pytest.mark.parametrize('pixels', (levels(255, np.uint8), levels(255, np.uint8, 1)), ids=('RGB', 'grey'))
def test_tiff_alpha_is_what_is_called_so(result, pixels):
    whole = with_byte(pixels)
    plain = result('a.tif', tiff(whole, extra=0))
    assert plain.mode in ('RGB', 'L') and mean(plain) == pytest.approx([0.5] * pixels.shape[2], abs=0.01)
    if pixels.shape[2] == 3:
        assert result('a.tif', tiff(with_byte(whole), extra=0)).mode == 'RGB'
    clear = result('a.tif', tiff(whole, extra=2))
    assert clear.mode in ('RGBA', 'LA') and mean(clear)[-1] == 0


def test_bmp_alpha_is_what_is_called_so(result, lacking):
    if '.bmp' in lacking:
        pytest.skip('this libvips does not read BMP')
    pixels = with_byte(levels(255, np.uint8))
    pixels[0, 0, 3] = 255  # a decoder that guesses takes the byte for alpha
    assert result('a.bmp', bmp(pixels), '--format', 'png').mode == 'RGB'
    masks = 0xff0000, 0xff00, 0xff, 0xff000000
    assert result('a.bmp', bmp(pixels, 3, masks), '--format', 'png').mode == 'RGBA'


def test_avif_alpha_is_kept_or_refused(result, testdata, lacking):
    if '.avif' in lacking:
        pytest.skip('this libvips does not read AVIF')
    whole = (testdata / 'formats' / 'alpha.avif').read_bytes()
    item = b'\0\2\4\x82\3\x84\x85'  # alpha's properties, of which the third is its size
    assert whole.count(item) == 1
    for changed in (whole, whole.replace(item, item.replace(b'\3', b'\4')), heif_boxes.turn(whole, 6)):
        made = result('a.avif', changed, '--format', 'png')
        assert 'transparency' in made if isinstance(made, str) else made.mode == 'RGBA'


def test_avif_keeps_its_bits(blurthumb, source, lacking, unwritten, tmp_path):
    """12 of them hold what 10 do; 8 do not. pixi says how many there are."""
    formats.need_encoders(unwritten, '.avif')
    if '.avif' in lacking:
        pytest.skip('this libvips does not read AVIF')
    source('a.png').write_bytes(make_testdata.png_bytes(levels(65535, np.uint16)))
    assert blurthumb('--format', 'avif', 'in').returncode == 0
    made, = (tmp_path / 'processed').glob('a.png*')
    properties = dict(heif_boxes.boxes(heif_boxes.find(made.read_bytes(), (b'meta', b'iprp', b'ipco'))))
    assert properties[b'pixi'][5] == 12


# PNG.

def test_png_may_have_more_behind_its_pixels(result):
    whole = io.BytesIO()
    Image.fromarray(levels(255, np.uint8)).save(whole, 'PNG')
    rows = b''.join(b'\0' + row.tobytes() for row in levels(255, np.uint8))
    header = whole.getvalue()[:33]
    for stream in (zlib.compress(rows + b'more'), zlib.compress(rows) + b'more'):
        made = result('a.png', header + make_testdata.png_chunk(b'IDAT', stream) + make_testdata.png_chunk(b'IEND', b''))
        assert mean(made) == pytest.approx([0.5] * 3, abs=0.01)


def test_png_transparency_may_stand_before_the_palette(result):
    whole = (make_testdata.png_chunk(b'IHDR', struct.pack('>IIBBBBB', 4, 4, 8, 3, 0, 0, 0)) +
             make_testdata.png_chunk(b'tRNS', b'\0') + make_testdata.png_chunk(b'PLTE', b'\xff\0\0\0\xff\0') +
             make_testdata.png_chunk(b'IDAT', zlib.compress(b'\0\0\0\0\0' * 4)) + make_testdata.png_chunk(b'IEND', b''))
    made = result('a.png', b'\x89PNG\r\n\x1a\n' + whole)
    assert made.mode == 'RGBA' and mean(made)[3] == 0


# Refusals, and their words.

@pytest.mark.parametrize('options', ((), ('--exact',)), ids=('fast', 'exact'))
@pytest.mark.parametrize('side', (60, 600))
def test_a_jpeg_that_lacks_data_is_broken_in_every_way(result, side, options):
    whole = io.BytesIO()
    make_testdata.picture(make_testdata.sample(side, side)).save(whole, 'JPEG', quality=90)
    jpeg = whole.getvalue()
    assert 'premature end' in result('a.jpg', jpeg[:-200] + b'\xff\xd9', '--sigma', '16', *options)


def test_old_style_jpeg_in_tiff_is_refused(result):
    assert 'old-style' in result('a.tif', tiff(levels(255, np.uint8), compression=6))


def test_jpeg_in_tiff_is_refused_where_its_colours_are_not_those_of_the_header(result):
    rgb, ycc = 2, 6
    whole = io.BytesIO()
    Image.fromarray(levels(255, np.uint8)).save(whole, 'JPEG', quality=95, subsampling=0)
    data = whole.getvalue()[20:]  # without JFIF's marker
    jfif, says_rgb, says_ycc = whole.getvalue()[2:20], *(b'\xff\xee\0\x0eAdobe\0\x64\0\0\0\0' + bytes([to]) for to in (0, 1))
    for markers, colours, sound in ((jfif, ycc, True), (b'', ycc, True), (says_ycc, ycc, True), (jfif + says_ycc, ycc, True),
                                    (says_rgb, rgb, True), (b'', rgb, True),
                                    (jfif, rgb, False), (says_ycc, rgb, False), (says_rgb, ycc, False)):
        strip = b'\xff\xd8' + markers + data
        strip += bytes(len(strip) % 2)
        made = result('a.tif', tiff(levels(255, np.uint8), strip=strip, compression=7, colours=colours), '--format', 'png')
        assert isinstance(made, Image.Image) if sound else 'JPEG data say' in made
        assert not (sound and colours == ycc) or mean(made) == pytest.approx([0.5] * 3, abs=0.02)


def test_avif_sequence_gives_its_first_frame_or_says_why_not(result, testdata, lacking):
    if '.avif' in lacking:
        pytest.skip('this libvips does not read AVIF')
    whole = (testdata / 'formats' / 'rgb.avif').read_bytes()
    assert whole[8:12] == b'avif'
    made = result('a.avif', whole[:8] + b'avis' + whole[12:], '--format', 'png')
    assert made.mode == 'RGB'
    made = result('a.avif', whole[:8] + b'avis' + whole[12:].replace(b'avifmif1miaf', b'avisavisavis', 1))
    assert isinstance(made, Image.Image) or 'supported' in made


def test_the_line_that_explains_is_said(result, testdata, lacking):
    """A seek past the end is how these begin to fail, and not what is wrong with them."""
    if '.avif' in lacking:
        pytest.skip('this libvips does not read AVIF')
    whole = (testdata / 'formats' / 'rgb.avif').read_bytes()
    for changed, words in ((whole[:400], 'outside of file'), (whole.replace(b'avifmif1miaf', b'avisavisavis'), 'brand')):
        made = result('a.avif', changed, '--format', 'png')
        assert isinstance(made, Image.Image) or 'bad seek' not in made and words in made


def test_zeros_are_no_picture_at_first_sight(blurthumb, source):
    """It is a hole, larger than could be read in the time of a test."""
    source('a.jpg').touch()
    os.truncate(source('a.jpg'), 1 << 40)
    done = blurthumb('--max-file-size', '0', '--timeout', '0', 'in')
    assert done.returncode == 1 and b'format' in done.stderr


# Formats that cannot be written.

def test_without_an_encoder_the_fallback_is_made(blurthumb, testdata, lacking, tmp_path):
    if {'.avif', '.heic'} & set(lacking) or not os.environ['BT_NO_HEIF_ENCODER']:
        pytest.skip('there is no libheif that reads both')
    environment = {**os.environ, 'LD_PRELOAD': os.environ['BT_NO_HEIF_ENCODER']}
    for jobs in ('-j2', '--serial'):
        done = blurthumb('--force', '--format', 'keep', jobs, testdata / 'formats' / 'rgb.avif', testdata / 'formats' / 'rgb.heic',
                         testdata / 'formats' / 'alpha.avif', testdata / 'formats' / 'lossy.webp', env=environment)
        assert (done.returncode, done.stderr) == (0, b'')
        assert sorted(path.name for path in (tmp_path / 'processed').iterdir() if path.name[0] != '.') == [
            'alpha.avif.png', 'lossy.webp', 'rgb.avif.jpg', 'rgb.heic.jpg']
