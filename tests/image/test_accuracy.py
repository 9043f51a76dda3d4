# SPDX-License-Identifier: MIT
"""How close results are to their definition (oracle.py), with Pillow as the reader of the sources.

Errors are in levels of 255 and include the result's own rounding, which alone is 0.5 levels at most
and 58.9 dB. The bars away from the edge: what an average over a block of pixels does to the picture's
outermost frame is left out.
"""
import functools
import io
import math
import subprocess

import numpy as np
import pytest
from PIL import Image, ImageCms

import make_testdata
import oracle

PHOTOS = tuple(make_testdata.PHOTOS)
EXIF_ORIENTATION = make_testdata.ORIENTATION_TAG

# Photo, sigma, scale: every sigma with scales from 1 to 12, every photo in turn.
COVERING = [
    ('dunes', 5, 1.5), ('sea', 5, 2), ('mountains', 5, 3), ('city', 5, 4), ('meadow', 5, 6), ('page', 5, 12),
    ('glass', 15, 1), ('bokeh', 15, 3), ('night', 15, 4), ('forest', 15, 6), ('balloons', 15, 8), ('canyon', 15, 12),
    ('forest', 10, 2), ('glass', 10, 3), ('dunes', 12, 4), ('night', 14, 6),
    ('page', 40, 2), ('city', 40, 3), ('dunes', 40, 4), ('glass', 40, 6), ('sea', 40, 8), ('meadow', 40, 12),
    ('balloons', 150, 4), ('mountains', 150, 8), ('canyon', 150, 12), ('night', 150, 6),
]


@functools.lru_cache(maxsize=2)
def decode(path):
    return np.asarray(Image.open(path))


@functools.lru_cache(maxsize=32)
def define(path, sigma, box):
    return oracle.blur_thumbnail(decode(path), sigma, box)


def read(path):
    """A result with 8 bits."""
    return np.asarray(Image.open(path))


def read_deep(path):
    """A PNG with 16 bits, which Pillow would cut to 8."""
    assert path.read_bytes()[24] == 16
    samples = path.with_suffix('.raw')
    subprocess.run(['vips', 'rawsave', path, samples], check=True)
    width, height = Image.open(path).size
    return np.fromfile(samples, np.uint16).reshape(height, width, -1)


def size_option(box):
    return '--size', f'{box[0]}x{box[1]}'


def inner_border(width, height, sigma, box):
    """Output pixels to leave out: 3 sigma and 4 pixels of the result, or where that leaves nothing, 1
    sigma."""
    scale = oracle.fit(width, height, box)[2]
    border = math.ceil(3 * sigma / scale) + 4
    return border if 2 * border * scale < min(width, height) - scale else math.ceil(sigma / scale)


def box_of(width, height, scale):
    return math.ceil(width / scale), math.ceil(height / scale)


def assert_close(result, expected, max_error, psnr, border=0):
    error, quality = oracle.compare(result, expected, border)
    assert error <= max_error and quality >= psnr, f'{error:.2f} levels, {quality:.1f} dB'


def check_photo(process, path, sigma, box):
    """Both ways of processing a photo, against one definition."""
    height, width = decode(path).shape[:2]
    expected = define(path, sigma, box)
    options = '--sigma', sigma, *size_option(box)
    assert_close(read(process(path, *options)), expected, 2.5, 55, inner_border(width, height, sigma, box))
    assert_close(read(process(path, '--exact', *options)), expected, 1.0, 58)


@pytest.mark.parametrize('name', PHOTOS)
def test_photo_at_defaults(process, testdata, name):
    check_photo(process, testdata / 'photos' / f'{name}.jpg', 15, oracle.BOX)


@pytest.mark.parametrize('name, sigma, scale', COVERING)
def test_sigmas_and_scales(process, testdata, name, sigma, scale):
    path = testdata / 'photos' / f'{name}.jpg'
    check_photo(process, path, sigma, box_of(*Image.open(path).size, scale))


@pytest.mark.parametrize('sigma', (15, 40))
def test_result_as_large_as_its_source(process, testdata, tmp_path, sigma):
    path = tmp_path / 'crop.jpg'
    Image.open(testdata / 'photos' / 'balloons.jpg').crop((300, 100, 1000, 700)).save(path, quality=90)
    check_photo(process, path, sigma, oracle.BOX)


@pytest.mark.parametrize('name', ('city', 'page', 'glass'))
def test_source_without_loss(process, testdata, tmp_path, name):
    """PNG has no shrink of its own: box averages do all of it."""
    path = tmp_path / 'source.png'
    Image.open(testdata / 'photos' / f'{name}.jpg').crop((200, 200, 1201, 1101)).save(path, compress_level=1)
    check_photo(process, path, 15, (400, 400))


@pytest.mark.parametrize('name, scale', [('city', 1.7), ('meadow', 2), ('page', 3), ('sea', 4), ('glass', 7.3),
                                         ('balloons', 12)])
def test_plain_thumbnail_is_as_good_as_that_of_libvips(process, testdata, tmp_path, name, scale):
    path = testdata / 'photos' / f'{name}.jpg'
    box = box_of(*decode(path).shape[1::-1], scale)
    expected = define(path, 0, box)
    theirs = tmp_path / 'theirs.png'
    subprocess.run(['vips', 'thumbnail', path, theirs, str(box[0]), '--height', str(box[1])], check=True)
    _, psnr_theirs = oracle.compare(read(theirs), expected, 4)
    _, psnr_ours = oracle.compare(read(process(path, '--sigma', 0, *size_option(box))), expected, 4)
    assert psnr_ours >= psnr_theirs


@pytest.mark.parametrize('sigma', (0.5, 1, 2))
@pytest.mark.parametrize('name, scale', [('city', 1.5), ('meadow', 2.5), ('page', 4), ('glass', 6)])
def test_small_sigmas(process, testdata, name, scale, sigma):
    path = testdata / 'photos' / f'{name}.jpg'
    height, width = decode(path).shape[:2]
    box = box_of(width, height, scale)
    result = read(process(path, '--sigma', sigma, *size_option(box)))
    assert_close(result, define(path, sigma, box), 6, 42, inner_border(width, height, sigma, box))


@pytest.mark.parametrize('extension', ('png', 'jpg', 'webp'))
@pytest.mark.parametrize('colour', ((0, 0, 0), (255, 255, 255), (200, 31, 90)))
def test_constant_picture_stays_constant(process, tmp_path, extension, colour):
    path = tmp_path / f'constant.{extension}'
    Image.new('RGB', (1203, 907), colour).save(path, quality=95)
    stored = read(path)[0, 0]
    for sigma, side in ((0, 500), (2, 100), (15, 1200), (15, 301), (150, 77)):
        result = read(process(path, '--sigma', sigma, *size_option((side, side))))
        assert (result == stored).all(), (sigma, side)


def test_mean_of_a_picture_with_flat_borders_survives(process, tmp_path):
    pixels = np.full((1200, 1600, 3), 90.0)
    pixels[300:900, 400:1200] += 60 * make_testdata.noise(800, 600, 5)[..., None]
    path = tmp_path / 'source.png'
    make_testdata.picture(pixels).save(path)
    for sigma, side in ((0, 800), (5, 400), (15, 400), (40, 200)):
        result = read(process(path, '--sigma', sigma, *size_option((side, side))))
        assert abs(result.mean() - read(path).mean()) <= 0.25, (sigma, side)


@pytest.mark.parametrize('left, top', ((600, 400), (533, 391), (702, 517)))
@pytest.mark.parametrize('sigma, side', ((5, 1200), (15, 1200), (15, 301), (40, 97)))
@pytest.mark.parametrize('extension', ('png', 'jpg'))
def test_bright_dot_stays_where_it_is(process, tmp_path, extension, sigma, side, left, top):
    pixels = np.zeros((907, 1303), np.uint8)
    pixels[top:top + 48, left:left + 48] = 255
    path = tmp_path / f'dot.{extension}'
    Image.fromarray(pixels).save(path, quality=98)
    # As 16 bits the tails would survive; 8 bits cut them off evenly on all sides.
    result = read(process(path, '--sigma', sigma, *size_option((side, side)))).astype(float)
    result[result < 2] = 0
    for axis, first in ((1, left), (0, top)):
        along = result.sum(axis=1 - axis)
        centroid = ((np.arange(len(along)) + 0.5) * along).sum() / along.sum()
        assert abs(centroid - (first + 24) * len(along) / pixels.shape[axis]) <= 0.02


@pytest.mark.parametrize('exact', (True, False))
def test_16_bits_keep_their_precision(process, tmp_path, exact):
    """A slope that 8 bits would cut into stairs; a slope is not changed by a blur or a shrink."""
    x, y = make_testdata.grid(1301, 977)
    deep = np.floor(np.stack([900 * x + 400 * y, 30000 + 700 * x, 65000 * y], axis=-1) + 0.5).astype(np.uint16)
    path = tmp_path / 'deep.png'
    path.write_bytes(make_testdata.png_bytes(deep))
    result = read_deep(process(path, *(['--exact'] if exact else []), *size_option((300, 300))))
    expected = oracle.blur_thumbnail(deep, 15, (300, 300))
    border = 0 if exact else inner_border(1301, 977, 15, (300, 300))
    error, _ = oracle.compare(result, expected, border)
    assert error * 257 <= 2


@pytest.mark.parametrize('name', ('rgb16.png', 'rgba16.png', 'grey16.png', 'grey16.tif', 'tiled16.tif'))
def test_16_bits_stay_16_bits(process, testdata, name):
    result = read_deep(process(testdata / 'formats' / name, '--sigma', 3))
    assert np.count_nonzero(result % 257) > result.size / 2


@pytest.mark.parametrize('name, mode', (('rgba.png', 'RGBA'), ('alpha.webp', 'RGBA'), ('grey_alpha.png', 'LA'),
                                        ('deflate_alpha.tif', 'RGBA'), ('palette_transparent.png', 'RGBA')))
@pytest.mark.parametrize('sigma, box', ((3, (96, 96)), (5, (31, 31))))
def test_alpha_is_blurred_premultiplied(process, testdata, name, mode, sigma, box):
    path = testdata / 'formats' / name
    source = Image.open(path)
    source = source if source.mode == mode else source.convert(mode)
    expected = oracle.blur_thumbnail(np.asarray(source), sigma, box, alpha=True)
    options = '--sigma', sigma, *size_option(box)
    border = inner_border(*source.size, sigma, box)
    for result, bars in ((read(process(path, '--exact', *options)), (1.0, 58, 0)),
                         (read(process(path, *options)), (2.5, 55, border))):
        assert_close(result[..., -1], expected[..., -1], *bars)
        # Colour counts as much as alpha lets it be seen.
        seen = expected[..., -1:] / 255
        error = np.abs(result[..., :-1] * seen - expected[..., :-1] * seen)
        inside = error[bars[2]:error.shape[0] - bars[2], bars[2]:error.shape[1] - bars[2]]
        assert inside.max() <= bars[0]


def test_hidden_colour_does_not_bleed(process, tmp_path):
    pixels = np.zeros((300, 300, 4), np.uint8)
    pixels[..., 1] = 255
    pixels[100:200, 100:200] = (255, 0, 0, 255)
    path = tmp_path / 'hidden.png'
    Image.fromarray(pixels).save(path)
    result = read(process(path, '--sigma', 10, *size_option((100, 100))))
    visible = result[result[..., 3] >= 4]
    assert len(visible) > 1000 and visible[:, 1].max() == 0 and visible[:, 0].min() == 255


def test_transparent_source_in_a_format_without_alpha_lies_on_white(process, testdata):
    path = testdata / 'formats' / 'rgba.png'
    result = read(process(path, '--exact', '--sigma', 3, '--quality', 100, format='jpeg')).astype(float)
    wanted = oracle.blur_thumbnail(read(path), 3, alpha=True)
    cover = wanted[..., 3:] / 255
    assert np.abs(result - (wanted[..., :3] * cover + 255 * (1 - cover))).mean() <= 1.5


@pytest.mark.parametrize('name', ('city', 'bokeh'))
def test_linear_light(process, testdata, tmp_path, name):
    path = tmp_path / 'source.png'
    Image.open(testdata / 'photos' / f'{name}.jpg').crop((300, 600, 1001, 1101)).save(path, compress_level=1)
    expected = oracle.blur_thumbnail(read(path), 15, (350, 350), linear=True)
    options = '--linear', *size_option((350, 350))
    assert_close(read(process(path, *options)), expected, 2.5, 55, inner_border(701, 501, 15, (350, 350)))
    assert_close(read(process(path, '--exact', *options)), expected, 1.0, 58)


def test_grey_stays_grey(process, testdata):
    assert Image.open(process(testdata / 'photos' / 'page.jpg')).mode == 'L'
    assert Image.open(process(testdata / 'formats' / 'grey.jpeg', format='jpeg')).mode == 'L'


@pytest.mark.parametrize('name', ('palette.png', 'static.gif', 'interlaced.png', 'bilevel.png', 'bilevel.tif',
                                  'strips.tif', 'lzw.tiff', 'lossless.webp', 'animated.gif', 'pages.tif', 'rgb.ppm',
                                  'rgb.bmp'))
def test_format_is_read_as_pillow_reads_it(process, testdata, lacking, name):
    """The first frame or page; in colour, or grey where the result is."""
    path = testdata / 'formats' / name
    if path.suffix in lacking:
        pytest.skip(f'this libvips does not read {path.suffix[1:]}')
    allow = [option for word in ('ppm', 'bmp') for option in ('--allow', word)]
    result = Image.open(process(path, *allow, '--exact', '--sigma', 2))
    expected = oracle.blur_thumbnail(np.asarray(Image.open(path).convert('RGB')), 2)
    assert_close(np.asarray(result.convert('RGB')), expected, 1.0, 58)


@pytest.mark.parametrize('name', ('f1.jpg', 'f2.jpg', 'f3.jpg', 'f4.jpg', 'f5.jpg', 'f6.jpg', 'f7.jpg', 'f8.jpg',
                                  'f6.png', 'f6.webp', 'f6.tif'))
@pytest.mark.parametrize('exact', ([], ['--exact']))
def test_orientation_is_applied_once(process, testdata, name, exact):
    """A box of 120 x 100 is met at its width when the F stands, at its height when it lies. JPEG's own
    losses on the stored F are up to a few levels at its edges before the blur."""
    options = *exact, '--sigma', 4, *size_option((120, 100))
    upright = oracle.blur_thumbnail(np.asarray(make_testdata.letter_f()), 4, (120, 100))
    result = Image.open(process(testdata / 'orientation' / name, *options))
    assert result.size == (120, 80)
    assert_close(np.asarray(result.convert('RGB')), upright, 3.5, 46, border=8)
    assert EXIF_ORIENTATION not in result.getexif()


@pytest.mark.parametrize('format', ('jpeg', 'webp', 'tiff'))
def test_result_has_no_orientation_left(process, testdata, format):
    result = Image.open(process(testdata / 'orientation' / 'f8.jpg', format=format))
    assert result.size == (240, 160)
    assert result.getexif().get(EXIF_ORIENTATION, 1) == 1


@pytest.mark.parametrize('name, primaries', (('P3', make_testdata.P3_PRIMARIES),
                                             ('sRGB', make_testdata.SRGB_PRIMARIES)))
def test_profile_becomes_srgb(process, tmp_path, name, primaries):
    """Flat patches 100 px wide, compared at their centres, where a sigma of 5 leaves them flat."""
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 60, 60), (60, 180, 90), (128, 128, 128), (250, 240, 230)]
    source = Image.new('RGB', (100 * len(colours), 100))
    for n, colour in enumerate(colours):
        source.paste(colour, (100 * n, 0, 100 * n + 100, 100))
    profile = make_testdata.icc_profile(name, primaries)
    path = tmp_path / 'profile.jpg'
    source.save(path, quality=98, subsampling=0, icc_profile=profile)
    expected = ImageCms.profileToProfile(Image.open(path).convert('RGB'),
                                         ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile('sRGB'),
                                         renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC)
    result = Image.open(process(path, '--sigma', 5))
    assert 'icc_profile' not in result.info
    for n in range(len(colours)):
        place = 100 * n + 50, 50
        assert np.abs(np.subtract(result.getpixel(place), expected.getpixel(place))).max() <= 2, colours[n]


def libvips_cmyk_profile(path, folder):
    """What libvips takes for CMYK without a profile, as it writes it into a file."""
    subprocess.run(['vips', 'icc_import', path, folder / 'lab.v', '--input-profile', 'cmyk'], check=True)
    subprocess.run(['vips', 'icc_export', folder / 'lab.v', folder / 'inks.tif', '--output-profile', 'cmyk'], check=True)
    return ImageCms.ImageCmsProfile(io.BytesIO(Image.open(folder / 'inks.tif').info['icc_profile']))


@pytest.mark.parametrize('name', ('cmyk.jpg', 'cmyk.tif'))
def test_cmyk_is_blurred_as_inks_and_becomes_srgb(process, testdata, tmp_path, name):
    """Through the profile itself: lcms2's usual table in its place is off by up to 18 levels."""
    no_table, black_point = 0x0100, 0x2000
    path = testdata / 'formats' / name
    inks = oracle.blur_thumbnail(read(path), 3)
    expected = ImageCms.profileToProfile(
        Image.fromarray(np.floor(inks + 0.5).astype(np.uint8), 'CMYK'),
        libvips_cmyk_profile(testdata / 'formats' / 'cmyk.tif', tmp_path), ImageCms.createProfile('sRGB'),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode='RGB', flags=no_table | black_point)
    result = read(process(path, '--exact', '--sigma', 3))
    assert np.abs(result.astype(int) - np.asarray(expected)).max() <= 3


def test_sizes_follow_the_rule(process, testdata):
    for path in sorted((testdata / 'sizes').iterdir()):
        width, height = Image.open(path).size
        for box in (oracle.BOX, (100, 50)):
            result = Image.open(process(path, *size_option(box)))
            assert result.size == oracle.fit(width, height, box)[:2], (path.name, box)


@pytest.mark.parametrize('name', ('1x500.png', '500x1.png', '1x3001.png', '3001x1.jpg', '17x2401.png', '2x3.jpg',
                                  '1x1.png'))
def test_narrow_pictures(process, testdata, name):
    path = testdata / 'sizes' / name
    pixels = read(path)
    for sigma, box in ((15, oracle.BOX), (2, (300, 300))):
        result = read(process(path, '--exact', '--sigma', sigma, *size_option(box)))
        assert_close(result, oracle.blur_thumbnail(pixels, sigma, box), 1.0, 57)
