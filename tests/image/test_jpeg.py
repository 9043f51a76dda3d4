# SPDX-License-Identifier: MIT
"""JPEG by its planes: every sampling, progressive as baseline, and what is not whole."""
import functools
import io

import numpy as np
import pytest
from PIL import Image

import oracle

SAMPLINGS = {'4:4:4': 0, '4:2:2': 1, '4:2:0': 2}


@functools.lru_cache
def scene(width=1283, height=907):
    """Smooth, with soft coloured discs: nothing that JPEG or RGB would cut off."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([90 + 80 * x / width, 100 + 60 * y / height, 150 - 70 * x * y / width / height], axis=-1)
    for cx, cy, radius, colour in ((300, 250, 110, (190, 70, 80)), (800, 500, 190, (70, 170, 90)),
                                   (1000, 200, 70, (70, 90, 190))):
        edge = np.clip((radius - np.hypot(x - cx, y - cy)) / 3 + 0.5, 0, 1)[..., None]
        pixels = pixels * (1 - edge) + np.array(colour) * edge
    return Image.fromarray(np.round(pixels).astype(np.uint8))


def write(path, **options):
    scene().save(path, 'JPEG', quality=92, **options)
    return path


@functools.lru_cache
def decoded(sampling):
    """The same for baseline and progressive files."""
    file = io.BytesIO()
    write(file, subsampling=SAMPLINGS[sampling])
    return np.asarray(Image.open(file))


@functools.lru_cache
def define(sampling, sigma, size):
    return oracle.blur_thumbnail(decoded(sampling), sigma, size)


def read(path):
    return np.asarray(Image.open(path))


@functools.lru_cache
def clipped_scene(width=1283, height=907):
    """A bright sky, lamps and twigs with grain, brighter and more colourful than RGB can hold."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([150 + 200 * x / width, 170 + 150 * y / height, 260 - 120 * x * y / width / height], axis=-1)
    for cx, cy, radius, colour in ((300, 250, 110, (400, 20, -60)), (800, 500, 190, (-80, 40, 330)),
                                   (1000, 200, 70, (280, 290, -90)), (500, 700, 90, (-60, -60, -60))):
        edge = np.clip((radius - np.hypot(x - cx, y - cy)) / 3 + 0.5, 0, 1)[..., None]
        pixels = pixels * (1 - edge) + np.array(colour) * edge
    for _ in range(60):
        cx, cy = random.integers(0, width), random.integers(0, height)
        pixels[:, max(0, cx - 2):cx + 2] *= 0.3
        pixels = np.where((np.hypot(x - cx, y - cy) < 6)[..., None], random.choice([-50, 300], 3), pixels)
    pixels += random.normal(0, 6, pixels.shape)
    return Image.fromarray(np.clip(np.round(pixels), 0, 255).astype(np.uint8))


@pytest.mark.parametrize('sampling, box, bar', [
    ('4:4:4', (0, 0, 1283, 907), 5), ('4:2:2', (0, 0, 1283, 907), 6), ('4:2:0', (0, 0, 1283, 907), 6),
    ('4:2:2', (0, 0, 640, 480), 3)])
def test_clipped_areas(process, tmp_path, sampling, box, bar):
    """What a decode at full size cuts off pixel by pixel is cut off by parts of blocks. Without any of that
    the subsampled ones are 10 levels off, with means of whole blocks 7; and the small one, which is
    decoded at 1/4, is 4 off."""
    path = tmp_path / 'c.jpg'
    clipped_scene().crop(box).save(path, quality=92, subsampling=SAMPLINGS[sampling])
    error = np.abs(read(process(path)).astype(int) - read(process(path, '--exact')))[40:-40, 40:-40]
    assert error.max() <= bar


@pytest.mark.parametrize('progressive', [False, True])
@pytest.mark.parametrize('sampling', SAMPLINGS)
@pytest.mark.parametrize('sigma, size', [(15, (1200, 1200)), (10, (200, 200)), (40, (300, 300)), (60, (1200, 1200))])
def test_every_sampling_is_within_the_bars(process, tmp_path, sampling, progressive, sigma, size):
    path = write(tmp_path / 'a.jpg', subsampling=SAMPLINGS[sampling], progressive=progressive)
    result = read(process(path, '--sigma', sigma, '--size', '%dx%d' % size))
    assert np.array_equal(read(path), decoded(sampling))
    scale = max(1, 1283 / size[0], 907 / size[1])
    error, psnr = oracle.compare(result, define(sampling, sigma, size), int(np.ceil(3 * sigma / scale)) + 4)
    assert error <= 2.5 and psnr >= 55, f'{error:.2f} levels, {psnr:.1f} dB'


@pytest.mark.parametrize('sampling', SAMPLINGS)
def test_progressive_is_as_baseline(process, tmp_path, sampling):
    """The same coefficients, in scans of which some are left out: at most a rounding apart."""
    baseline = write(tmp_path / 'b.jpg', subsampling=SAMPLINGS[sampling])
    progressive = write(tmp_path / 'p.jpg', subsampling=SAMPLINGS[sampling], progressive=True)
    difference = np.abs(read(process(baseline)).astype(int) - read(process(progressive)))
    assert difference.max() <= 1 and difference.mean() < 0.2


@pytest.mark.parametrize('share', [0.3, 0.9, 0.999])
def test_progressive_that_was_cut_is_not_a_picture(process_any, tmp_path, share):
    path = write(tmp_path / 'p.jpg', progressive=True)
    whole = path.read_bytes()
    path.write_bytes(whole[:int(len(whole) * share)])
    done = process_any(path)
    assert done.returncode == 1 and done.stdout.startswith('broken: ')


def test_bytes_after_the_end_do_no_harm(process, tmp_path):
    """Phones append previews and videos behind the picture."""
    path = write(tmp_path / 'p.jpg', progressive=True)
    expected = read(process(path))
    path.write_bytes(path.read_bytes() + b'\xff\xd8\xff\xe1 more, and \xff\xd9' * 50)
    assert np.array_equal(read(process(path)), expected)


def test_any_damage_ends_in_a_result_or_a_reason(process_any, tmp_path):
    """Bytes of markers and scans overwritten: never a crash."""
    whole = io.BytesIO()
    scene(640, 480).save(whole, 'JPEG', quality=80, progressive=True)
    random = np.random.default_rng(1)
    for i in range(60):
        damaged = bytearray(whole.getvalue())
        for _ in range(random.integers(1, 6)):
            damaged[random.integers(2, len(damaged) if i % 2 else 700)] = random.integers(0, 256)
        (tmp_path / 'd.jpg').write_bytes(damaged)
        assert process_any(tmp_path / 'd.jpg').returncode in (0, 1)
