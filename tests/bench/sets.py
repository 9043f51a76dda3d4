# SPDX-License-Identifier: MIT
"""The pictures that compare.py runs on: sets.py FOLDER SET...

Makes each SET below FOLDER unless it is there, from the photos in two of Debian's packages and seeds
that never change. One set is one folder of pictures, and beside it SET.json: a list of [name, width,
height] by falling number of pixels.

    camera      15 baseline JPEGs, 192 MP and 50 MB: ten as the packages have them, five enlarged to
                24 to 35 MP with grain, so that they take the bytes per pixel of a camera's files
    camera10    the same ten times over
    part        two of them with 9 MP each, for programs that take minutes for the whole
    progressive the same as progressive JPEGs
    422         the five that were enlarged, all with 4:2:2
    png         6 PNGs of 8 to 24 MP, 8-bit RGB, with grain
    webp        8 lossy WebPs of 8 to 16 MP, with grain
    small       2,000 JPEGs of about 640 x 480
    one-small   one of them
    big-jpeg    a baseline JPEG of 35 MP
    big-twin    the same as a progressive JPEG
    big-png     the same as PNG
    icons-jpeg  10,000 JPEGs of 64 x 48
    icons-png   the same as PNG
    giant       a baseline JPEG of 1,000 MP, 4:2:0: the one of 35 MP over and over
    giant-rst   the same with restart markers

Exit 77 with a sentence when a package or jpegtran is missing.
"""
import io
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
from PIL import Image

VERSION = 2
PACKAGES = ('mate-backgrounds', 'ukui-wallpapers', 'libjpeg-turbo-progs')
BACKGROUNDS = pathlib.Path('/usr/share/backgrounds')
SKIPPED = 77

AS_THEY_ARE = (
    '2004default.jpg', 'firstgeneration.jpg', 'string.jpg', 'the-mouse.jpg',
    'mate/nature/Wood.jpg', 'mate/nature/TwoWings.jpg', 'mate/nature/LadyBird.jpg',
    'mate/nature/Garden.jpg', 'mate/nature/Storm.jpg', 'mate/abstract/Elephants.jpg',
)
ENLARGED = (
    ('mate/abstract/Elephants_5640x3172.jpg', 24.0, '4:2:0'),
    ('rhythm.jpg', 24.0, '4:2:2'),
    ('mate/nature/Storm.jpg', 24.0, '4:2:0'),
    ('mate/nature/RainDrops.jpg', 27.4, '4:2:2'),
    ('mate/nature/Dune.jpg', 35.0, '4:2:0'),
)
BIGGEST = 'Dune-35'
PART = ('string', 'firstgeneration')
PNG = (
    ('mate/nature/Storm.jpg', 8), ('mate/nature/TwoWings.jpg', 8), ('string.jpg', 12),
    ('mate/nature/LadyBird.jpg', 12), ('mate/nature/RainDrops.jpg', 16), ('mate/nature/Dune.jpg', 24),
)
WEBP = PNG + (('mate/nature/Wood.jpg', 8), ('firstgeneration.jpg', 12))
WEBP_MOST = 16
GIANT_SIDE = 31620
Image.MAX_IMAGE_PIXELS = None  # for these

BYTES_PER_PIXEL = 0.285
GRAIN = 5.0  # standard deviation in levels, where no number of bytes is asked for
N_SMALL = 2000
N_ICONS, ICON = 10000, (64, 48)
N_TIMES = 10


def background(name):
    with Image.open(BACKGROUNDS / name) as image:
        return image.convert('RGB')


def enlarged(name, megapixels):
    image = background(name)
    factor = math.sqrt(megapixels * 1e6 / (image.width * image.height))
    return image.resize((round(image.width * factor), round(image.height * factor)),
                        Image.Resampling.LANCZOS)


def grain_like(image, seed):
    """Noise of deviation 1, equal in all bands, with the neighbour's share that demosaicing leaves."""
    white = np.random.Generator(np.random.PCG64(seed)).standard_normal(
        (image.height + 1, image.width + 1), dtype=np.float32)
    return (white[1:, 1:] + white[1:, :-1] + white[:-1, 1:] + white[:-1, :-1]) / 2


def with_grain(image, grain, deviation):
    levels = np.rint(grain * deviation).astype(np.int16)
    return Image.fromarray(np.clip(np.asarray(image) + levels[:, :, None], 0, 255).astype(np.uint8))


def camera_jpeg(image, seed, subsampling):
    """At quality 90 with the grain that gives BYTES_PER_PIXEL, as near as six halvings come to it."""
    grain = grain_like(image, seed)
    low, high = 0.0, 8.0
    for _ in range(6):
        deviation = (low + high) / 2
        file = io.BytesIO()
        with_grain(image, grain, deviation).save(file, 'JPEG', quality=90, subsampling=subsampling)
        if file.tell() < BYTES_PER_PIXEL * image.width * image.height:
            low = deviation
        else:
            high = deviation
    return file.getvalue()


def jpegtran(source, target, *options):
    """In one write, like all others: how a file has come into the page cache tells when it is read."""
    target.write_bytes(subprocess.run(['jpegtran', '-copy', 'all', *options, source], check=True,
                                      stdout=subprocess.PIPE).stdout)


def make_camera(folder, _):
    for name in AS_THEY_ARE:
        jpegtran(BACKGROUNDS / name, folder / pathlib.Path(name).name)
    for seed, (name, megapixels, subsampling) in enumerate(ENLARGED):
        path = folder / f'{pathlib.Path(name).stem}-{megapixels:.0f}.jpg'
        path.write_bytes(camera_jpeg(enlarged(name, megapixels), seed, subsampling))


def make_camera10(folder, sets):
    for n in range(N_TIMES):
        (folder / str(n)).mkdir()
        for path in (sets / 'camera').iterdir():
            os.link(path, folder / str(n) / f'{path.stem}-{n}.jpg')


def make_part(folder, sets):
    for stem in PART:
        os.link(sets / 'camera' / f'{stem}.jpg', folder / f'{stem}.jpg')


def make_progressive(folder, sets):
    for path in (sets / 'camera').iterdir():
        jpegtran(path, folder / path.name, '-progressive')


def make_422(folder, _):
    for seed, (name, megapixels, _) in enumerate(ENLARGED):
        path = folder / f'{pathlib.Path(name).stem}-{megapixels:.0f}.jpg'
        path.write_bytes(camera_jpeg(enlarged(name, megapixels), seed, '4:2:2'))


def make_png(folder, _):
    for seed, (name, megapixels) in enumerate(PNG):
        image = enlarged(name, megapixels)
        with_grain(image, grain_like(image, seed), GRAIN).save(
            folder / f'{pathlib.Path(name).stem}-{megapixels}.png')


def make_webp(folder, _):
    for seed, (name, megapixels) in enumerate(WEBP):
        megapixels = min(megapixels, WEBP_MOST)
        image = enlarged(name, megapixels)
        with_grain(image, grain_like(image, seed), GRAIN).save(
            folder / f'{pathlib.Path(name).stem}-{megapixels}.webp', quality=85, method=2)


def make_small(folder, _):
    """Crops of all the photos, of 640 to 1280 pixels, shrunk to 600 to 680."""
    random = np.random.Generator(np.random.PCG64(0))
    photos = [background(name) for name in AS_THEY_ARE]
    for n in range(N_SMALL):
        photo = photos[n % len(photos)]
        width = int(random.integers(640, 1281))
        height = width * 3 // 4
        left = int(random.integers(0, photo.width - width + 1))
        top = int(random.integers(0, photo.height - height + 1))
        side = int(random.integers(600, 681))
        photo.resize((side, side * 3 // 4), Image.Resampling.BICUBIC,
                     box=(left, top, left + width, top + height)).save(
            folder / f'{n:04}.jpg', quality=85)


def make_icons(folder, extension, **options):
    """Crops of a photo, 64 x 48 px each."""
    random = np.random.Generator(np.random.PCG64(0))
    photo = background(AS_THEY_ARE[0])
    for n in range(N_ICONS):
        left = int(random.integers(0, photo.width - ICON[0] + 1))
        top = int(random.integers(0, photo.height - ICON[1] + 1))
        photo.crop((left, top, left + ICON[0], top + ICON[1])).save(folder / f'{n:05}.{extension}', **options)


def make_icons_jpeg(folder, _):
    make_icons(folder, 'jpg', quality=85)


def make_icons_png(folder, _):
    make_icons(folder, 'png')


def make_one_small(folder, _):
    background(AS_THEY_ARE[0]).resize((640, 480), Image.Resampling.LANCZOS).save(
        folder / 'one.jpg', quality=85)


def make_big_jpeg(folder, sets):
    os.link(sets / 'camera' / f'{BIGGEST}.jpg', folder / f'{BIGGEST}.jpg')


def make_big_twin(folder, sets):
    os.link(sets / 'progressive' / f'{BIGGEST}.jpg', folder / f'{BIGGEST}.jpg')


def make_big_png(folder, sets):
    with Image.open(sets / 'camera' / f'{BIGGEST}.jpg') as image:
        image.save(folder / f'{BIGGEST}.png', compress_level=3)


def make_giant(folder, sets, **options):
    with Image.open(sets / 'camera' / f'{BIGGEST}.jpg') as image:
        tile = np.asarray(image)
    repeats = [-(-GIANT_SIDE // side) for side in tile.shape[:2]]
    pixels = np.tile(tile, (*repeats, 1))[:GIANT_SIDE, :GIANT_SIDE]
    Image.fromarray(pixels).save(folder / 'giant.jpg', quality=88, subsampling='4:2:0', **options)


def make_giant_rst(folder, sets):
    make_giant(folder, sets, restart_marker_rows=1)


MAKERS = {
    'camera': make_camera,
    'camera10': make_camera10,
    'part': make_part,
    'progressive': make_progressive,
    '422': make_422,
    'png': make_png,
    'webp': make_webp,
    'small': make_small,
    'icons-jpeg': make_icons_jpeg,
    'icons-png': make_icons_png,
    'one-small': make_one_small,
    'big-jpeg': make_big_jpeg,
    'big-twin': make_big_twin,
    'big-png': make_big_png,
    'giant': make_giant,
    'giant-rst': make_giant_rst,
}
MADE_FROM = {
    'big-twin': 'progressive',
    **dict.fromkeys(('camera10', 'part', 'progressive', 'big-jpeg', 'big-png', 'giant', 'giant-rst'), 'camera'),
}


def listed(folder):
    pictures = []
    for path in folder.rglob('*.*'):
        with Image.open(path) as image:
            pictures.append((str(path.relative_to(folder)), *image.size))
    return sorted(pictures, key=lambda picture: (-picture[1] * picture[2], picture[0]))


def make(sets, name):
    """The list is written last: a set without one was broken off, and is made again."""
    if (sets / f'{name}.json').exists():
        return
    if name in MADE_FROM:
        make(sets, MADE_FROM[name])
    print(f'making the set {name}', file=sys.stderr)
    folder = sets / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    MAKERS[name](folder, sets)
    (sets / f'{name}.json').write_text(json.dumps(listed(folder)))


def missing():
    have_photos = all((BACKGROUNDS / name).exists() for name in AS_THEY_ARE)
    return not have_photos or shutil.which('jpegtran') is None


def main():
    sets = pathlib.Path(sys.argv[1])
    version = sets / 'version'
    if missing():
        print(f'skipped: no pictures, install {" ".join(PACKAGES)}')
        return SKIPPED
    if not version.exists() or version.read_text() != str(VERSION):
        for name in MAKERS:
            (sets / f'{name}.json').unlink(missing_ok=True)
        sets.mkdir(parents=True, exist_ok=True)
        version.write_text(str(VERSION))
    for name in sys.argv[2:]:
        make(sets, name)
    return 0


if __name__ == '__main__':
    sys.exit(main())
