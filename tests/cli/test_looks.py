# SPDX-License-Identifier: MIT
"""Every photo looks right: whole runs, whose results are read by Pillow and by ImageMagick and compared with what
these make of the sources (readers.py) and the definition of the blur (oracle.py).

Errors are in levels of 255 of what is seen, alpha included. Away from the edge where a test does not ask for
--exact. ROUNDED is half a level for the result and half for the arithmetic; what is more stands beside the test.
"""
import functools
import io
import json
import re
import shutil
import struct
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image

import formats
import heif_boxes
import make_testdata
import needs
import oracle
import profiles
from make_testdata import cicp, gama, patches, with_chunk
from readers import READERS, difference, jpeg_quality, magick, seen

ROUNDED = 1.0
ORIENTATION = make_testdata.ORIENTATION_TAG


@pytest.fixture(params=('pillow', pytest.param('imagemagick', marks=pytest.mark.needs('imagemagick'))))
def reader(request):
    return READERS[request.param]


@pytest.fixture
def source(tmp_path):
    """The path of a source to be made."""
    (tmp_path / 'in').mkdir()
    return (tmp_path / 'in').joinpath


@pytest.fixture
def results(blurthumb, tmp_path):
    """results(*options): of all sources, by their names."""
    def run(*options, folder=tmp_path / 'in'):
        done = blurthumb('--force', *map(str, options), folder)
        assert done.returncode == 0, done.stderr
        made = [path for path in (tmp_path / 'processed').iterdir() if not path.name.startswith('.')]
        return {path.name: next(result for result in made if result.name.startswith(path.name))
                for path in sorted(folder.iterdir())}
    return run


def define(pixels, sigma, box=oracle.BOX):
    """What the oracle makes of pixels as a reader gives them."""
    deep = np.floor(pixels * 257 + 0.5).astype(np.uint16)
    return oracle.blur_thumbnail(deep, sigma, box, alpha=True) / 257


def sample(width=240, height=180):
    return make_testdata.picture(make_testdata.sample(width, height))


def vips_write(image, path):
    """What Pillow cannot write."""
    plain = path.parent.parent / 'plain.png'
    image.save(plain, exif=image.getexif(), icc_profile=image.info.get('icc_profile'))
    make_testdata.vips_copy(plain, f'{path}[Q=98,effort=0]')


def write_heif(image, source, lacking):
    for extension in {'.avif', '.heic'} - lacking:
        vips_write(image, source(f'heif{extension}'))


# Orientation.

def stored(orientation, enlarged=1):
    """An F that orientation makes upright, with the EXIF that says so."""
    upright = make_testdata.letter_f()
    upright = upright.resize((upright.width * enlarged, upright.height * enlarged), Image.Resampling.NEAREST)
    undo = make_testdata.UNDO_ORIENTATION.get(orientation)
    image = upright.transpose(undo) if undo is not None else upright
    image.getexif()[ORIENTATION] = orientation
    return image


def write_turned_box(image, path):
    """As phones do it: EXIF says it, and so does the box, which alone counts."""
    vips_write(image, path)
    whole = path.read_bytes()
    assert b'Exif' in whole
    path.write_bytes(heif_boxes.turn(whole, image.getexif()[ORIENTATION]))


WRITE_TURNED = {
    'jpg': lambda image, path: image.save(path, quality=92, subsampling=0, exif=image.getexif()),
    'png': lambda image, path: image.save(path, exif=image.getexif()),
    'webp': lambda image, path: image.save(path, lossless=True, exif=image.getexif()),
    'tif': lambda image, path: image.save(path, tiffinfo=image.getexif()),
    'avif': write_turned_box,
    'heic': write_turned_box,
}
# Extension, sigma, box, how much larger. A box that the F meets at its width when it stands, at its height when it
# lies. JPEG by all its ways: rows from libvips, planes, and planes that are never joined, even and odd.
TURNED = [('jpg', 4, (120, 100), 1), ('jpg', 4, (60, 50), 1), ('jpg', 16, (240, 200), 4), ('jpg', 16, (225, 190), 4),
          ('png', 4, (120, 100), 1), ('webp', 4, (120, 100), 1), ('tif', 4, (120, 100), 1),
          ('avif', 4, (120, 100), 1), ('heic', 4, (120, 100), 1)]


@pytest.fixture(scope='module')
def turned(tmp_path_factory):
    """turned(extension, enlarged): a folder with an F in each orientation."""
    @functools.lru_cache
    def make(extension, enlarged):
        folder = tmp_path_factory.mktemp(extension) / 'in'
        folder.mkdir()
        for orientation in range(1, 9):
            WRITE_TURNED[extension](stored(orientation, enlarged), folder / f'{orientation}.{extension}')
        return folder
    return make


@pytest.mark.parametrize('extension, sigma, box, enlarged', TURNED)
def test_orientation_is_applied_once(results, turned, lacking, unwritten, reader, extension, sigma, box, enlarged):
    """An F turned wrongly is off by over 100 levels; 12 are what a lossy source and result may take."""
    if f'.{extension}' in lacking:
        pytest.skip(f'this libvips does not read {extension}')
    options = '--sigma', sigma, '--size', '%dx%d' % box, '--quality', 95
    if extension in ('avif', 'heic'):
        formats.need_encoders(unwritten, f'.{extension}')
        options = *options, '--format', 'png'
    expected = define(np.asarray(stored(1, enlarged).convert('RGBA'), dtype=float), sigma, box)
    for strip in ('all', 'none'):
        made = list(results(*options, '--strip', strip, folder=turned(extension, enlarged)).values())
        assert reader.orientations(made) == [1] * 8
    for path in made:
        assert difference(reader.read(path), expected, 8) <= 12, path.name


def write_grid(image, path, properties):
    """As phones do it: of tiles, of which the last ones reach beyond the picture."""
    side, folder = 128, path.parent.parent
    columns, rows = -(-image.width // side), -(-image.height // side)
    size = (0, side * rows - image.height), (0, side * columns - image.width), (0, 0)
    padded, tiles = np.pad(np.asarray(image), size, 'edge'), []
    for n in range(rows * columns):
        top, left = (side * i for i in divmod(n, columns))
        Image.fromarray(padded[top:top + side, left:left + side]).save(folder / 'tile.png')
        tile = folder / f'tile{path.suffix}'
        make_testdata.vips_copy(folder / 'tile.png', f'{tile}[Q=98,effort=0,strip]')
        tiles.append(tile.read_bytes())
    path.write_bytes(heif_boxes.grid(tiles, columns, image.size, properties))


@pytest.mark.parametrize('extension', ('avif', 'heic'))
def test_grids_and_parts_are_turned_once(results, source, lacking, unwritten, extension):
    """A picture of tiles, one of which a part is shown, and both: 12 levels as above."""
    formats.need_encoders(unwritten, f'.{extension}')
    if f'.{extension}' in lacking:
        pytest.skip(f'this libvips does not read {extension}')
    box = 120, 100
    for orientation in 1, 6:
        image = stored(orientation).convert('RGB')
        image.getexif().clear()
        framed = Image.new('RGB', (image.width + 28, image.height + 14), (0, 255, 0))
        framed.paste(image, (6, 10))
        properties = [heif_boxes.shown(framed.size, 6, 10, *image.size), *heif_boxes.turned(orientation)]
        write_grid(image, source(f'grid{orientation}.{extension}'), properties[1:])
        write_grid(framed, source(f'grid_part{orientation}.{extension}'), properties)
        part = source(f'part{orientation}.{extension}')
        vips_write(framed, part)
        part.write_bytes(heif_boxes.add(part.read_bytes(), properties))
    expected = define(np.asarray(stored(1).convert('RGBA'), dtype=float), 4, box)
    for name, path in results('--sigma', 4, '--size', '%dx%d' % box, '--format', 'png').items():
        assert difference(READERS['pillow'].read(path), expected, 8) <= 12, name


@pytest.mark.parametrize('orientation', (1, 3, 6))
def test_orientation_of_png_may_stand_behind_the_pixels(results, source, orientation):
    """As ImageMagick writes it: the same result, down to what is kept of the metadata."""
    image = stored(orientation)
    plain = io.BytesIO()
    image.save(plain, 'PNG')
    exif = image.getexif().tobytes()[len(b'Exif\0\0'):]
    end = plain.getvalue()[-12:]
    source('before.png').write_bytes(with_chunk(plain.getvalue(), b'eXIf', exif))
    source('behind.png').write_bytes(plain.getvalue()[:-12] + make_testdata.png_chunk(b'eXIf', exif) + end)
    for strip in ('all', 'none'):
        made = results('--sigma', 4, '--strip', strip)
        assert made['behind.png'].read_bytes() == made['before.png'].read_bytes()
        assert Image.open(made['behind.png']).size == (240, 160)


# Colours.

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 60, 60), (60, 180, 90), (128, 128, 128), (250, 240, 230))
INKS = ((255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (60, 20, 200, 30), (0, 0, 0, 0),
        (90, 70, 60, 120))
GREYS = 0, 10, 40, 90, 128, 200, 255
# Rows from libvips; planes, where it is a JPEG; and the blur between two transforms.
COLOUR_WAYS = (60, ('--sigma', 3)), (200, ('--sigma', 16, '--size', '350x350')), (60, ('--sigma', 3, '--linear'))


def difference_of_patches(result, expected, n):
    """At their centres, where they stay flat."""
    found = [pixels[pixels.shape[0] // 2, [pixels.shape[1] * (2 * i + 1) // (2 * n) for i in range(n)]]
             for pixels in (result, expected)]
    return float(np.abs(found[0] - found[1]).max())


@pytest.mark.parametrize('side, options', COLOUR_WAYS)
@pytest.mark.parametrize('profile', (make_testdata.icc_profile('P3', make_testdata.P3_PRIMARIES),
                                     profiles.adobe_rgb()), ids=('Display P3', 'Adobe RGB'))
def test_wide_gamut_becomes_srgb(results, source, lacking, unwritten, reader, profile, side, options):
    """In every format as in PNG. Half a level more is for YCbCr of 8 bits."""
    image = patches('RGB', COLOURS, side)
    image.info['icc_profile'] = profile
    for name, more in (('a.png', {}), ('b.jpg', {'quality': 98, 'subsampling': 0}), ('c.webp', {'lossless': True}),
                       ('d.tif', {})):
        image.save(source(name), icc_profile=profile, **more)
    deep = make_testdata.png_bytes(np.asarray(image).astype(np.uint16) * 257)
    source('e.png').write_bytes(with_chunk(deep, b'iCCP', b'P\0\0' + zlib.compress(profile)))
    write_heif(image, source, lacking | unwritten)
    expected = reader.read(source('a.png'))
    for name, path in results('--format', 'png', *options).items():
        assert 'icc_profile' not in Image.open(path).info
        assert difference_of_patches(reader.read(path), expected, len(COLOURS)) <= ROUNDED + 0.5, name


def ycck(jpeg):
    """The same samples, called YCC and black."""
    at = jpeg.index(b'Adobe') + 11
    return jpeg[:at] + b'\2' + jpeg[at + 1:]


@pytest.mark.parametrize('side, options', COLOUR_WAYS)
def test_inks_become_srgb_by_their_profile(results, source, reader, side, options):
    image = patches('CMYK', INKS, side)
    image.save(source('a.tif'), icc_profile=profiles.inks(), compression='tiff_lzw')
    image.save(source('b.jpg'), icc_profile=profiles.inks(), quality=98, subsampling=0)
    source('c.jpg').write_bytes(ycck(source('b.jpg').read_bytes()))
    for name, path in results('--format', 'png', *options).items():
        assert difference_of_patches(reader.read(path), reader.read(source(name)), len(INKS)) <= ROUNDED, name


def test_inks_without_profile_are_those_of_libvips(results, source, reader, testdata):
    """The same as with its profile, which it writes into a file when it makes inks itself."""
    inks = source('with.tif').parent.parent / 'inks.tif'
    subprocess.run(['vips', 'icc_export', testdata / 'formats' / 'rgb.png', inks, '--output-profile', 'cmyk'],
                   check=True)
    image = patches('CMYK', INKS, 60)
    image.save(source('with.tif'), icc_profile=Image.open(inks).info['icc_profile'])
    image.save(source('without.tif'))
    made = results('--sigma', 3, '--format', 'png')
    assert made['without.tif'].read_bytes() == made['with.tif'].read_bytes()
    expected = reader.read(source('with.tif'))
    assert difference_of_patches(reader.read(made['without.tif']), expected, len(INKS)) <= ROUNDED


def test_grey_stays_grey(results, source, reader):
    """2 levels are for JPEG."""
    grey = sample().convert('L')
    for name, options in (('a.png', {}), ('b.jpg', {'quality': 98}), ('c.tif', {})):
        grey.save(source(name), **options)
    grey.convert('LA').save(source('d.png'))
    grey.convert('1').save(source('e.tif'), compression='group4')
    for name, path in results('--exact', '--sigma', 4, '--quality', 95).items():
        assert reader.is_grey(path), name
        bound = ROUNDED + 2 * (path.suffix == '.jpg')
        assert difference(reader.read(path), define(reader.read(source(name)), 4)) <= bound, name


@pytest.mark.parametrize('gamma', (1.0, 2.6))
def test_grey_by_a_profile_stays_grey(results, source, reader, gamma):
    """It gets sRGB's curve. A level more is for a grey JPEG."""
    image = patches('L', GREYS, 60)
    image.save(source('a.png'), icc_profile=profiles.grey(gamma))
    image.save(source('b.jpg'), icc_profile=profiles.grey(gamma), quality=98)
    for name, path in results('--sigma', 3, '--quality', 98).items():
        assert reader.is_grey(path), name
        assert difference_of_patches(reader.read(path), reader.read(source(name)), len(GREYS)) <= ROUNDED + 1, name


# Depth.

@pytest.mark.needs('imagemagick')
@pytest.mark.parametrize('bands', (1, 2, 3, 4))
def test_16_bits_keep_their_values(results, source, bands):
    """On slopes, of which 8 bits would make stairs that are off by up to 128: to 2 of 65535, half each for source,
    result, weights and sums."""
    x, y = make_testdata.grid(240, 180)
    pixels = np.stack([9000 * x + 400 * y, 30000 + 700 * x, 65000 * y, 65535 - 40000 * x * y], axis=-1)
    deep = np.floor(pixels[..., [0, 3] if bands == 2 else range(bands)] + 0.5).astype(np.uint16)
    source('a.png').write_bytes(make_testdata.png_bytes(deep))
    make_testdata.vips_copy(source('a.png'), source('b.tif'))
    for name, path in results('--exact', '--sigma', 3).items():
        assert magick(path, '-format', '%z', 'info:') == b'16'
        expected = define(READERS['imagemagick'].read(source(name)), 3)
        for reader in READERS.values() if bands == 1 else [READERS['imagemagick']]:
            assert difference(reader.read(path), expected) * 257 <= 2


# Alpha.

def white_disc(side=120):
    """White with a blurred edge, over black that cannot be seen."""
    x, y = make_testdata.grid(side, side)
    alpha = np.clip(255 * (0.5 + 4 * (0.35 - np.hypot(x - 0.5, y - 0.5))), 0, 255).astype(np.uint8)
    white = np.where(alpha > 0, 255, 0).astype(np.uint8)
    return np.dstack([white, white, white, alpha])


def write_discs(source):
    disc = white_disc()
    image = Image.fromarray(disc)
    image.save(source('rgba.png'))
    image.convert('LA').save(source('la.png'))
    source('deep.png').write_bytes(make_testdata.png_bytes(disc.astype(np.uint16) * 257))
    image.save(source('lossless.webp'), lossless=True, exact=True)
    image.save(source('lossy.webp'), quality=90)
    image.save(source('plain.tif'))
    if needs.has('imagemagick'):
        magick(source('rgba.png'), '-define', 'tiff:alpha=associated', source('associated.tif'))
    indexes = disc[..., 3] // 16
    palette = Image.fromarray(indexes, 'P')
    palette.putpalette([0, 0, 0] + [255, 255, 255] * 15)
    palette.save(source('palette.png'), transparency=bytes(range(0, 256, 17)))
    hard = Image.fromarray((indexes > 7).astype(np.uint8), 'P')
    hard.putpalette([0, 0, 0, 255, 255, 255])
    hard.save(source('hard.png'), transparency=0)
    hard.save(source('hard.gif'), transparency=0)


@pytest.mark.parametrize('format, bound, options', (
    ('keep', 0, '--sigma=2'), ('keep', 0, '--size=30x30'), ('keep', 0, '--linear'), ('png', 0, '--exact'),
    ('tiff', 0, '--size=30x30'), ('webp', 1, '--size=30x30'), ('jpeg', 1, '--size=30x30')))
def test_no_dark_fringes(results, source, reader, format, bound, options):
    """What is seen of the disc is as white as there is alpha; a level less where white was stored with loss."""
    write_discs(source)
    for name, path in results('--sigma', 5, '--format', format, options).items():
        shown = seen(reader.read(path))
        assert shown[..., 3].max() > 200
        darkest = (shown[..., 3:] - shown[..., :3]).max()
        assert darkest <= (1 if path.suffix == '.webp' else bound) + 1e-9, name


def test_no_dark_fringes_in_avif(results, source, unwritten, tmp_path):
    """Read through libvips, since neither reader sees its alpha. 6 levels are for AV1, of which white keeps 255 and
    alpha, another picture, is changed on its own."""
    formats.need_encoders(unwritten, '.avif')
    Image.fromarray(white_disc()).save(source('a.png'))
    path = results('--sigma', 5, '--format', 'avif')['a.png']
    make_testdata.vips_copy(path, tmp_path / 'avif.png')
    shown = seen(READERS['pillow'].read(tmp_path / 'avif.png'))
    assert shown[..., 3].min() < 10 and shown[..., 3].max() > 250
    assert (shown[..., 3:] - shown[..., :3]).max() <= 6


# Few colours.

def write_grey(source, bits, grey):
    """A PNG with less than 8 bits a sample; and with one that is transparent."""
    levels = (grey.astype(int) * ((1 << bits) - 1) + 127) // 255
    digits = np.unpackbits(levels.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits:]
    rows = np.packbits(digits.reshape(len(levels), -1), axis=-1)
    header = struct.pack('>IIBBBBB', grey.shape[1], grey.shape[0], bits, 0, 0, 0, 0)
    whole = (b'\x89PNG\r\n\x1a\n' + make_testdata.png_chunk(b'IHDR', header)
             + make_testdata.png_chunk(b'IDAT', zlib.compress(b''.join(b'\0' + row.tobytes() for row in rows)))
             + make_testdata.png_chunk(b'IEND', b''))
    source(f'grey{bits}.png').write_bytes(whole)
    source(f'clear{bits}.png').write_bytes(with_chunk(whole, b'tRNS', b'\0\1'))


def write_few_colours(source):
    rgb = sample()
    for bits in (1, 2, 4):
        write_grey(source, bits, np.asarray(rgb.convert('L')))
    palette = rgb.quantize(16, dither=Image.Dither.NONE)
    palette.save(source('palette.png'), bits=4)
    palette.save(source('palette.tif'))
    palette.save(source('palette.gif'))
    clear = palette.getpixel((100, 80))
    palette.save(source('clear.png'), transparency=clear)
    palette.save(source('clear.gif'), transparency=clear)
    rgb.convert('1').save(source('bilevel.png'))
    rgb.convert('1').save(source('bilevel.tif'), compression='group4')


def write_odd_tiffs(source):
    inverted = '-define', 'quantum:polarity=min-is-white'
    magick(source('bilevel.png'), *inverted, source('inverted1.tif'))
    magick(source('grey4.png'), *inverted, source('inverted4.tif'))
    magick(source('palette.png'), '-type', 'TrueColor', '-colorspace', 'Lab', source('lab.tif'))
    magick(source('palette.png'), '-type', 'TrueColor', '-interlace', 'plane', source('planes.tif'))


PILLOW_MISREADS = {'clear1.png', 'clear2.png', 'lab.tif'}  # transparent samples of few bits; Lab


def test_few_colours(results, source, reader):
    """A level more is for ImageMagick's palettes of 16 bits."""
    write_few_colours(source)
    if needs.has('imagemagick'):
        write_odd_tiffs(source)
    for name, path in results('--exact', '--sigma', 2, '--format', 'png').items():
        if reader is READERS['imagemagick'] or name not in PILLOW_MISREADS:
            expected = define(reader.read(source(name)), 2)
            assert difference(reader.read(path), expected) <= ROUNDED + (name == 'palette.tif'), name


# One picture of several.

def write_several(source):
    frames = [make_testdata.picture(np.roll(make_testdata.sample(240, 180), 40 * n, axis=1)) for n in range(3)]
    for name, options in (('a.gif', {}), ('a.webp', {'lossless': True}), ('a.tif', {'compression': 'tiff_lzw'}),
                          ('a.png', {})):
        frames[0].save(source(name), save_all=True, append_images=frames[1:], **options)
    frames[0].save(source('sizes.tif'), save_all=True, append_images=[frame.resize((500, 400)) for frame in frames])
    frames[0].save(source('mpo.jpg'), 'MPO', save_all=True, append_images=frames[1:2], quality=95, subsampling=0)


@pytest.mark.parametrize('strip', ('all', 'none'))
def test_first_of_several_pictures(results, source, reader, strip):
    """The next one is off by 10 levels and more in the mean; GIF's 256 colours and WebP by 1 or 2."""
    write_several(source)
    for name, path in results('--sigma', 4, '--quality', 95, '--strip', strip).items():
        assert reader.pages(path) == 1 and Image.open(path).format != 'MPO', name
        error = np.abs(reader.read(path) - define(reader.read(source(name)), 4))
        assert error.mean() <= 3, name


def with_xmp(jpeg, packet):
    packet = b'http://ns.adobe.com/xap/1.0/\0' + packet
    return jpeg[:2] + b'\xff\xe1' + struct.pack('>H', len(packet) + 2) + packet + jpeg[2:]


def jpeg_bytes(image, **options):
    file = io.BytesIO()
    image.save(file, 'JPEG', **options)
    return file.getvalue()


def hdr_jpeg(image, **options):
    """An Ultra HDR picture: its gain map is one more JPEG behind it, which XMP and an index (MPF) tell of."""
    gain = image.convert('L').resize((image.width // 4, image.height // 4))
    both = io.BytesIO()
    image.save(both, 'MPO', save_all=True, append_images=[gain], **options)
    packet = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
              b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
              b'xmlns:Container="http://ns.google.com/photos/1.0/container/" '
              b'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/></rdf:RDF></x:xmpmeta>')
    return with_xmp(both.getvalue(), packet)


@pytest.mark.parametrize('sigma, size, options', ((4, 240, {'subsampling': 0}), (16, 400, {}),
                                                  (16, 400, {'progressive': True})))
def test_gain_map_is_left_behind(results, source, reader, sigma, size, options):
    """The result is a plain JPEG, and says nothing of a second one. 6 levels are for JPEG at an edge."""
    image = sample(4 * size, 3 * size)
    source('a.jpg').write_bytes(hdr_jpeg(image, quality=95, **options))
    assert Image.open(source('a.jpg')).format == 'MPO'
    for strip in ('all', 'none'):
        path = results('--sigma', sigma, '--size', f'{size}x{size}', '--quality', 98, '--strip', strip)['a.jpg']
        whole = path.read_bytes()
        assert whole.count(b'\xff\xd8\xff') == 1 and whole.endswith(b'\xff\xd9')
        assert b'MPF' not in whole and b'hdrgm' not in whole and Image.open(path).format == 'JPEG'
    assert difference(reader.read(path), define(reader.read(source('a.jpg')), sigma, (size, size)), 20) <= ROUNDED + 6


def with_pictures(first, *others, order='>'):
    """A JPEG and others behind it, which only an index tells of (MPF, CIPA DC-007, 5.2)."""
    ends = np.cumsum([len(first) + 58 + 16 * (1 + len(others)), *map(len, others)])
    entries = [(0, len(first), 0), *((0, len(other), at - 10) for other, at in zip(others, ends))]
    index = struct.pack(order + '2sHIH', b'II' if order == '<' else b'MM', 42, 8, 3)
    index += struct.pack(order + 'HHI4s', 0xb000, 7, 4, b'0100')
    index += struct.pack(order + 'HHII', 0xb001, 4, 1, len(entries))
    index += struct.pack(order + 'HHIII', 0xb002, 7, 16 * len(entries), 50, 0)
    index += b''.join(struct.pack(order + 'IIIHH', *entry, 0, 0) for entry in entries)
    segment = b'\xff\xe2' + struct.pack('>H', len(index) + 6) + b'MPF\0' + index
    return first[:2] + segment + first[2:] + b''.join(others)


def sef(*blocks):
    """Samsung's trailer: (kind, name, content), ... and a directory of them."""
    data, places = b'', []
    for kind, name, content in blocks:
        places.append((kind, len(data)))
        data += struct.pack('<HHI', 0, kind, len(name)) + name + content
    ends = [at for _, at in places[1:]] + [len(data)]
    directory = struct.pack('<4sII', b'SEFH', 106, len(places)) + b''.join(
        struct.pack('<HHII', 0, kind, len(data) - at, end - at) for (kind, at), end in zip(places, ends))
    return data + directory + struct.pack('<I4s', len(directory), b'SEFT')


VIDEO = struct.pack('>I4s4sI4s', 20, b'ftyp', b'mp42', 0, b'mp42') + struct.pack('>I4s', 5008, b'mdat') + bytes(5000)
TIME = 0x0a01, b'Image_UTC_Data', b'1700000000000'
MOTION = 0x0a30, b'MotionPhoto_Data', VIDEO


def jpegs_with_more(image, **options):
    """{name: (bytes, what is left out)}; the gain maps and videos behind a JPEG whose XMP does not tell of them."""
    plain, small = jpeg_bytes(image, **options), jpeg_bytes(image.resize((32, 24)).convert('L'))
    apple = with_xmp(small, b'<apdi:AuxiliaryImageType>urn:com:apple:photo:2020:aux:hdrgainmap</apdi:...>')
    iso = small[:2] + b'\xff\xe2\0\x20urn:iso:std:iso:ts:21496:-1\0\0\0' + small[2:]
    cut = with_pictures(plain, apple).replace(struct.pack('>HHI', 0xb002, 7, 32), struct.pack('>HHI', 0xb002, 7, 2**32 - 1))
    far = cut.replace(struct.pack('>II', 32, 50), struct.pack('>II', 32, 2**32 - 20))
    return {'apple': (with_pictures(plain, apple), 'gain-map'), 'iso': (with_pictures(plain, iso, order='<'), 'gain-map'),
            'third': (with_pictures(plain, small, apple), 'gain-map'), 'pair': (with_pictures(plain, plain), None),
            'cut': (cut, 'gain-map'), 'far': (far.replace(b'\xff\xff\xff\xff\0\0\0\x32', b'\xff' * 8), None),
            'index': (with_pictures(plain, apple)[:len(plain) + 90], None),
            'video': (plain + VIDEO, 'video'), 'samsung': (plain + sef(TIME, MOTION), 'video'),
            'behind': (plain + sef((0x0ab1, b'DualShot_DepthMap_1', bytes(100_000)), MOTION), 'video'),
            'time': (plain + sef(TIME), None), 'lie': (plain + b'SEFH' + bytes(8) + b'\xff\xff\xff\xffSEFT', None),
            'both': (with_pictures(plain, apple) + VIDEO, 'gain-map,video'), 'text': (plain + b'ftyp is not a box' * 99, None)}


def count_left_out(blurthumb, folder, *options):
    """Of each source what the events say, and how many gain maps and videos the summary says."""
    done = blurthumb('--force', '--format', 'png', '--json', *options, folder)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    found = {event['path'].rpartition('/')[2]: event.get('left_out') for event in events if event['event'] == 'picture'}
    summary = blurthumb('--force', '--format', 'png', *options, folder).stdout.decode()
    return found, [int((re.search(rf'(\d+) {word}', summary) or [0, 0])[1]) for word in ('gain map', 'motion trailer')]


def count(expected):
    return [sum(word in (left_out or '') for left_out in expected.values()) for word in ('gain-map', 'video')]


def test_what_is_left_out_is_counted(blurthumb, source, lacking, unwritten, tmp_path):
    image = sample()
    packet = b'<rdf:Description GCamera:MotionPhoto="%d"/>'
    source('gain.jpg').write_bytes(hdr_jpeg(image))
    source('motion.jpg').write_bytes(with_xmp(jpeg_bytes(image), packet % 1))
    image.save(source('motion.webp'), xmp=packet % 1)
    source('still.jpg').write_bytes(with_xmp(jpeg_bytes(image), packet % 0))
    expected = {'gain.jpg': 'gain-map', 'motion.jpg': 'video', 'motion.webp': 'video', 'still.jpg': None}
    if '.heic' not in lacking | unwritten:
        vips_write(image, source('plain.heic'))
        gain = heif_boxes.box(b'auxC', bytes(4) + b'urn:com:apple:photo:2020:aux:hdrgainmap\0')
        source('gain.heic').write_bytes(heif_boxes.add(source('plain.heic').read_bytes(), [gain]))
        expected |= {'plain.heic': None, 'gain.heic': 'gain-map'}
    assert count_left_out(blurthumb, tmp_path / 'in') == (expected, count(expected))


@pytest.mark.parametrize('width, options', ((240, ()), (640, ()), (640, ('--linear',))))
def test_what_no_xmp_tells_of_is_counted(blurthumb, source, tmp_path, width, options):
    """By all the ways in which a JPEG is decoded."""
    expected = {}
    for kind, how in ('plain', {}), ('several_scans', {'progressive': True}):
        for name, (data, left_out) in jpegs_with_more(sample(width, width * 7 // 8), **how).items():
            source(f'{name}_{kind}.jpg').write_bytes(data)
            expected[f'{name}_{kind}.jpg'] = left_out
    assert count_left_out(blurthumb, tmp_path / 'in', *options) == (expected, count(expected))


# The same in every format.

def test_every_format_is_read_as_png(results, source, lacking, unwritten, reader):
    """2 levels are for what lossy formats take at their best."""
    image = sample()
    image.save(source('a.png'))
    image.save(source('b.jpg'), quality=98, subsampling=0)
    image.save(source('c.webp'), lossless=True)
    image.save(source('d.tif'), compression='tiff_lzw')
    write_heif(image, source, lacking | unwritten)
    made = results('--sigma', 4, '--format', 'png')
    expected = reader.read(made['a.png'])
    for name, path in made.items():
        assert difference(reader.read(path), expected) <= ROUNDED + 2 * (name not in ('a.png', 'd.tif')), name


@pytest.mark.needs('imagemagick')
@pytest.mark.parametrize('format, bound', (('png', 0), ('tiff', 0), ('jpeg', 8), ('webp', 10), ('avif', 24)))
def test_every_format_is_written_as_png(results, source, unwritten, format, bound):
    """Bounds are for the codecs at an edge; ImageMagick makes pairs of AVIF's chroma, whatever was stored."""
    formats.need_encoders(unwritten, f'.{format}')
    read = READERS['imagemagick'].read
    sample().save(source('a.png'))
    result = read(results('--sigma', 4, '--quality', 95, '--format', format)['a.png'])
    expected = define(read(source('a.png')), 4)
    assert difference(result, expected, 8) <= ROUNDED + bound
    assert np.abs(result - expected).mean() <= 1


# Sigma and quality.

@pytest.mark.parametrize('options', ((), ('--exact',)), ids=('fast', 'exact'))
def test_no_sigma_jumps(results, source, testdata, options):
    """From 0.5 to 60 each is as defined: to ROUNDED, and a level for means of JPEG's blocks; and has as many
    levels, of which a posterised picture would lack most."""
    photo = Image.open(testdata / 'photos' / 'balloons.jpg').crop((300, 200, 620, 460))
    photo.save(source('a.png'))
    photo.save(source('b.jpg'), quality=95, subsampling=0)
    pixels = {name: READERS['pillow'].read(source(name))[..., :3].astype(np.uint8) for name in ('a.png', 'b.jpg')}
    for sigma in [0.5 * 1.25**n for n in range(22)]:
        for name, path in results('--sigma', sigma, '--size', '160x160', '--format', 'png', *options).items():
            result, expected = np.asarray(Image.open(path)), oracle.blur_thumbnail(pixels[name], sigma, (160, 160))
            error, _ = oracle.compare(result, expected, 0 if options else min(50, 4 + int(1.5 * sigma)))
            assert error <= ROUNDED + (name == 'b.jpg'), (sigma, name)
            assert len(np.unique(result)) >= 0.95 * len(np.unique(np.round(expected))), (sigma, name)


@pytest.mark.parametrize('quality', (1, 25, 50, 75, 89, 90, 95, 100))
def test_quality_is_as_asked(results, source, quality):
    """The tables are those that the IJG's rule makes of a quality, as in Pillow; ImageMagick guesses it from them."""
    image = sample()
    image.save(source('a.jpg'), quality=60)
    image.save(source('b.png'))
    image.save(source('c.jpg'), quality=quality)
    for path in results('--quality', quality, '--format', 'jpeg').values():
        assert Image.open(path).quantization == Image.open(source('c.jpg')).quantization
        assert not needs.has('imagemagick') or jpeg_quality(path) == quality


# Colours by code points, and by gAMA and cHRM.

PRIMARIES = {1: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06), 9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
             12: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06)}
SRGB, LINEAR, PQ, HLG = 13, 8, 16, 18
GREY_COLOURS = tuple((level,) * 3 for level in GREYS)


def to_xyz(xy):
    """RGB of primaries with white at D65 to XYZ."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in zip(xy[::2], xy[1::2])]).T
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    return columns * np.linalg.solve(columns, white)


PQ_M, PQ_N, PQ_C = 2610 / 16384, 2523 / 32, (3424 / 4096, 2413 / 128, 2392 / 128)


def pq_light(level):
    """BT.2100, table 4: cd/m2."""
    power = level ** (1 / PQ_N)
    return 10000 * (np.maximum(power - PQ_C[0], 0) / (PQ_C[1] - PQ_C[2] * power)) ** (1 / PQ_M)


def pq_level(light):
    power = (np.asarray(light) / 10000) ** PQ_M
    return ((PQ_C[0] + PQ_C[1] * power) / (1 + PQ_C[2] * power)) ** PQ_N


def hlg_light(level, weights):
    """BT.2100, table 5, for a screen of 1000 cd/m2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(level <= 0.5, level ** 2 / 3, (np.exp((level - c) / a) + b) / 12)
    return 1000 * (scene @ weights)[:, None] ** 0.2 * scene


def rolled_off(light):
    """BT.2390, 5.4.1, from 1000 to 203 cd/m2, by the brightest of the three."""
    brightest = light.max(axis=1, keepdims=True)
    level, top = np.minimum(pq_level(brightest) / pq_level(1000), 1), pq_level(203) / pq_level(1000)
    knee = 1.5 * top - 0.5
    t = (level - knee) / (1 - knee)
    rolled = ((2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * top)
    shown = pq_light(np.where(level < knee, level, rolled) * pq_level(1000))
    return light * np.where(level < knee, 1, shown / np.maximum(brightest, 1e-9)) / 203


def expect(colours, primaries, transfer, gamma=None, by_profile=False):
    """What colours of 8 bits are in sRGB, 0 to 255: in double precision. A profile cuts off what is outside of it."""
    level = np.array(colours) / 255
    matrix = np.linalg.inv(to_xyz(PRIMARIES[1])) @ to_xyz(PRIMARIES[primaries])
    if transfer in (PQ, HLG):
        luminance = to_xyz(PRIMARIES[primaries])[1]
        light = rolled_off(pq_light(level) if transfer == PQ else hlg_light(level, luminance))
    elif gamma or transfer == LINEAR:
        light = level ** (1 / (gamma or 1))
    else:
        light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    light = light @ matrix.T
    if by_profile:
        light = np.clip(light, 0, 1)
    grey = np.clip(light @ to_xyz(PRIMARIES[1])[1], 0, 1)[:, None]
    off = light - grey
    room = np.where(off > 0, 1 - grey, grey) / np.maximum(np.abs(off), 1e-12)
    light = np.clip(grey + off * np.minimum(room.min(axis=1, keepdims=True), 1), 0, 1)
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def found_patches(path, n):
    pixels = READERS['pillow'].read(path)
    return pixels[pixels.shape[0] // 2, [pixels.shape[1] * (2 * i + 1) // (2 * n) for i in range(n)], :3]


def png_of_patches(colours, *chunks, side=60, deep=False, interlace=False):
    pixels = np.asarray(patches('RGB', colours, side)).astype(np.uint16)
    whole = make_testdata.png_bytes(pixels * 257 if deep else pixels.astype(np.uint8), interlace)
    for kind, data in chunks:
        whole = with_chunk(whole, kind, data)
    return whole


def chrm(primaries):
    numbers = (0.3127, 0.3290, *PRIMARIES[primaries])
    return b'cHRM', struct.pack('>8I', *(round(number * 100000) for number in numbers))


@pytest.mark.parametrize('colours', (COLOURS, GREY_COLOURS), ids=('colours', 'greys'))
@pytest.mark.parametrize('options', (('--sigma', 3), ('--sigma', 3, '--linear')), ids=('stored', 'linear'))
def test_colours_of_png_as_described(results, source, colours, options):
    """Within 2 levels of the definition, and greys stay grey. cICP counts before all, then a profile and sRGB."""
    profile = b'iCCP', b'P\0\0' + zlib.compress(profiles.adobe_rgb())
    cases = {'bt2020': ([cicp(9, SRGB)], (9, SRGB)), 'p3': ([cicp(12, SRGB)], (12, SRGB)),
             'pq': ([cicp(9, PQ)], (9, PQ)), 'hlg': ([cicp(9, HLG)], (9, HLG)), 'pq_p3': ([cicp(12, PQ)], (12, PQ)),
             'linear': ([gama(1)], (1, LINEAR)), 'gamma': ([gama(0.55)], (1, None, 0.55)),
             'chrm': ([gama(0.55), chrm(12)], (12, None, 0.55)), 'chrm_only': ([chrm(9)], (9, SRGB)),
             'first': ([cicp(9, PQ), profile, gama(1)], (9, PQ)),
             'srgb': ([(b'sRGB', b'\0'), gama(1), chrm(12)], (1, SRGB))}
    for name, (chunks, _) in cases.items():
        for deep in False, True:
            for interlace in False, True:
                source(f'{name}{deep:d}{interlace:d}.png').write_bytes(
                    png_of_patches(colours, *chunks, deep=deep, interlace=interlace))
    for name, path in results('--format', 'png', *options).items():
        found = found_patches(path, len(colours))
        assert np.abs(found - expect(colours, *cases[name[:-6]][1])).max() <= 2, name
        if colours is GREY_COLOURS:
            assert np.ptp(found, axis=1).max() == 0, name


def test_colours_of_png_that_make_no_sense(results, source):
    """The same bytes as without them."""
    plain = png_of_patches(COLOURS)
    whole = {'zero': gama(0), 'silly': (b'cHRM', bytes(32)), 'line': (b'cHRM', struct.pack('>8I', *[30000] * 8)),
             'huge': (b'cHRM', b'\xff' * 32), 'short': (b'cICP', b'\x09\x10'), 'matrix': (b'cICP', b'\x09\x10\x01\x01'),
             'unknown': (b'cICP', b'\xff\xff\0\1'), 'like_srgb': gama(0.45455), 'same': cicp(1, SRGB),
             'video': cicp(1, 1), 'chrm': chrm(1)}
    source('plain.png').write_bytes(plain)
    for name, chunk in whole.items():
        source(f'{name}.png').write_bytes(with_chunk(plain, *chunk))
    made = results('--sigma', 3)
    for name, path in made.items():
        assert path.read_bytes() == made['plain.png'].read_bytes(), name


@pytest.mark.parametrize('bits', (8, 10))
@pytest.mark.parametrize('colours', (COLOURS, GREY_COLOURS), ids=('colours', 'greys'))
def test_colours_by_nclx(results, source, lacking, unwritten, tmp_path, colours, bits):
    """As of what libvips reads without them: within 2 levels of the definition."""
    formats.need_encoders(unwritten, '.avif', '.heic')
    chroma = 'off' if bits == 8 else 'on'  # this libheif knows no other of more bits
    for extension in {'.avif', '.heic'} - lacking:
        plain = tmp_path / f'plain{extension}'
        (tmp_path / 'plain.png').write_bytes(png_of_patches(colours, deep=bits > 8))
        depth = 12 if bits > 8 and extension == '.avif' else bits  # its encoder aborts at 10
        make_testdata.vips_copy(tmp_path / 'plain.png', f'{plain}[Q=99,subsample_mode={chroma},bitdepth={depth},effort=0]')
        for name, points in {'sdr': (1, SRGB), 'bt2020': (9, SRGB), 'pq': (9, PQ), 'hlg': (9, HLG),
                             'p3': (12, SRGB), 'none': (2, 2), 'unknown': (65535, 65535)}.items():
            source(f'{name}{extension}').write_bytes(heif_boxes.describe(plain.read_bytes(), *points))
    made = results('--sigma', 3, '--format', 'png')
    for name, path in made.items():
        stem, _, extension = name.partition('.')
        decoded = found_patches(made[f'sdr.{extension}'], len(colours))
        found = found_patches(path, len(colours))
        points = {'bt2020': (9, SRGB), 'pq': (9, PQ), 'hlg': (9, HLG), 'p3': (12, SRGB)}.get(stem, (1, SRGB))
        assert np.abs(found - expect(decoded, *points)).max() <= 2, name
        if colours is GREY_COLOURS:
            assert np.ptp(found, axis=1).max() <= (np.ptp(decoded, axis=1).max() and 2), name


@pytest.mark.parametrize('extension, bits', (('avif', 12), ('heic', 10)))
def test_colours_by_nclx_of_tiles(results, source, lacking, unwritten, tmp_path, extension, bits):
    """A grid that says nothing has the colours of its first tile."""
    formats.need_encoders(unwritten, f'.{extension}')
    if f'.{extension}' in lacking:
        pytest.skip(f'this libvips does not read {extension}')
    colours, tiles, tile = ((200, 60, 60), (128, 128, 128)), [], tmp_path / f'tile.{extension}'
    for colour in colours:
        (tmp_path / 'tile.png').write_bytes(png_of_patches([colour], side=128, deep=True))
        make_testdata.vips_copy(tmp_path / 'tile.png', f'{tile}[Q=99,bitdepth={bits},effort=0,strip]')
        tiles.append(heif_boxes.describe(tile.read_bytes(), 9, PQ))
    source(tile.name).write_bytes(heif_boxes.grid(tiles, 2, (256, 128)))
    found = found_patches(results('--sigma', 3, '--format', 'png')[tile.name], 2)
    assert np.abs(found - expect(colours, 9, PQ)).max() <= 2


DESCRIBED = {'pq': (9, PQ), 'hlg': (9, HLG), 'bt2020': (9, SRGB), 'p3': (12, SRGB), 'p3_icc': (12, SRGB, None, True),
             'gamma1': (1, LINEAR), 'gamma055': (1, None, 0.55)}


def test_colours_of_testdata_as_described(results, source, lacking, testdata):
    """Within 2 levels of what the patches are by definition, in whatever file; and greys stay grey."""
    colours = make_testdata.PATCHES
    files = [path for path in (testdata / 'hdr').iterdir() if path.suffix not in lacking]
    assert {path.stem for path in files} == set(DESCRIBED)
    for path in files:
        shutil.copy(path, source(path.name))
    for name, path in results('--sigma', 3, '--format', 'png').items():
        found = found_patches(path, len(colours))
        assert np.abs(found - expect(colours, *DESCRIBED[name.partition('.')[0]])).max() <= 2, name
        for pixel, colour in zip(found, colours):
            assert len(set(colour)) > 1 or np.ptp(pixel) == 0, name


def avif_of_10_bits(png, path, points):
    """By libavif, since the libaom of Debian's libheif aborts at 10 bits (strukturag/libheif#788)."""
    subprocess.run(['avifenc', '-d', '10', '-y', '444', '-s', '8', '--min', '0', '--max', '4', '--cicp', points, png, path],
                   check=True, stdout=subprocess.DEVNULL)


@pytest.mark.needs('libavif-bin')
def test_10_bits_of_avif(results, source, unwritten, tmp_path):
    """Another encoder's, with the matrix of BT.2020: within 2 levels of the definition; and on a slope that has 17
    levels of 8 bits the result, again AVIF, has as many as the source has, and more."""
    formats.need_encoders(unwritten, '.avif')
    plain, slope = tmp_path / 'plain.png', tmp_path / 'slope.png'
    plain.write_bytes(make_testdata.png_bytes(np.asarray(patches('RGB', make_testdata.PATCHES, 40)).astype(np.uint16) * 257))
    for name, points in ('pq', '9/16/9'), ('hlg', '9/18/9'), ('p3', '12/13/6'):
        avif_of_10_bits(plain, source(f'{name}.avif'), points)
    for name, path in results('--sigma', 3, '--format', 'png').items():
        expected = expect(make_testdata.PATCHES, *DESCRIBED[name.partition('.')[0]])
        assert np.abs(found_patches(path, len(make_testdata.PATCHES)) - expected).max() <= 2, name
    levels = np.linspace(24000, 28000, 300)[None, :, None] + np.zeros((60, 1, 3))
    slope.write_bytes(make_testdata.png_bytes(levels.astype(np.uint16)))
    avif_of_10_bits(slope, source('slope.avif'), '1/13/6')
    path = results('--sigma', 3)['slope.avif']
    subprocess.run(['vips', 'rawsave', path, tmp_path / 'raw'], check=True)
    found = np.fromfile(tmp_path / 'raw', np.uint16).reshape(60, 300, 3)[30]
    assert path.name == 'slope.avif' and len(np.unique(found[:, 1])) >= 4 * 17
    assert np.abs(found.astype(float) - levels[0])[20:-20].max() <= 257


def test_float_tiff_is_linear_light(results, source, tmp_path):
    """0.5 is as bright as level 188 of sRGB."""
    patches('RGB', [(0, 0, 0), (128, 128, 128), (255, 255, 255)], 60).save(tmp_path / 'plain.png')
    subprocess.run(['vips', 'linear', tmp_path / 'plain.png', tmp_path / 'scaled.v', str(1 / 255), '0'], check=True)
    subprocess.run(['vips', 'copy', tmp_path / 'scaled.v', source('a.tif'), '--interpretation', 'scrgb'], check=True)
    found = found_patches(results('--sigma', 3, '--format', 'png')['a.tif'], 3)
    assert np.abs(found - np.array([[0], [188], [255]])).max() <= ROUNDED
