# SPDX-License-Identifier: MIT
"""The thumbhash of each result, against one that is made here of the file, by the description on
https://evanw.github.io/thumbhash/."""
import base64
import json
import math
import pathlib

import numpy as np
import pytest
from PIL import Image

SIDE = 100
DEEP = {'float', 'grey16', 'rgb16', 'rgba16', 'tiled16'}  # Pillow cuts them to 8 bits in its own ways


def rounded(x):
    return math.floor(x + 0.5)


def waves(n, side):
    return np.cos(np.pi / side * np.arange(n)[:, None] * (np.arange(side) + 0.5))


def reduced(pixels):
    """Means of blocks, in 8 bits; colours weighted by alpha."""
    height, width = pixels.shape[:2]
    scale = max(1, max(width, height) / SIDE)
    ys, xs = (np.arange(m + 1) * n // m for n in (height, width) for m in [max(1, rounded(n / scale))])
    weighted = pixels.astype(float)
    weighted[..., :3] *= weighted[..., 3:]
    sums = np.add.reduceat(np.add.reduceat(weighted, ys[:-1], axis=0), xs[:-1], axis=1)
    count = np.diff(ys)[:, None] * np.diff(xs)
    colours = sums[..., :3] / np.maximum(1, sums[..., 3:])
    return np.floor(np.dstack([colours, sums[..., 3] / count]) + 0.5)


def fields(pixels):
    """What a hash says, as whole numbers: heads, then for each channel its waves."""
    pixels = reduced(pixels) / 255
    height, width = pixels.shape[:2]
    alpha = pixels[..., 3:]
    mean = (pixels[..., :3] * alpha).sum(axis=(0, 1)) / max(1e-9, alpha.sum())
    r, g, b = np.moveaxis(pixels[..., :3] * alpha + mean * (1 - alpha), 2, 0)
    has_alpha = alpha.min() < 1
    most = 5 if has_alpha else 7
    nx, ny = (max(1, rounded(most * n / max(width, height))) for n in (width, height))
    channels = []
    for samples, m, n in (((r + g + b) / 3, max(3, nx), max(3, ny)), ((r + g) / 2 - b, 3, 3), (r - g, 3, 3),
                          (alpha[..., 0], 5, 5)):
        heights = waves(n, height) @ samples @ waves(m, width).T / (width * height)
        kept = np.array([heights[v, u] for v in range(n) for u in range(m) if u * n < m * (n - v)])
        kept[1:][abs(kept[1:]) < 1e-9] = 0
        highest = abs(kept[1:]).max()
        channels.append((kept[0], highest, [rounded(15 * (0.5 + 0.5 * x / highest)) if highest else 0 for x in kept[1:]]))
    light, yellow, red, opaque = channels
    lies = width > height
    head = [(rounded(63 * light[0]), 6), (rounded(31.5 + 31.5 * yellow[0]), 6), (rounded(31.5 + 31.5 * red[0]), 6),
            (rounded(31 * light[1]), 5), (int(has_alpha), 1), (ny if lies else nx, 3), (rounded(63 * yellow[1]), 6),
            (rounded(63 * red[1]), 6), (int(lies), 1)]
    if has_alpha:
        head += [(rounded(15 * opaque[0]), 4), (rounded(15 * opaque[1]), 4)]
    return head, [channel[2] for channel in channels[:4 if has_alpha else 3]]


def packed(head, channels):
    value = at = 0
    for number, bits in head + [(wave, 4) for channel in channels for wave in channel]:
        value |= number << at
        at += bits
    return value.to_bytes((at + 7) // 8, 'little')


def unpacked(hash, like):
    value = int.from_bytes(hash, 'little')
    numbers = []
    for _, bits in like[0] + [(0, 4) for channel in like[1] for _ in channel]:
        numbers.append(value & ((1 << bits) - 1))
        value >>= bits
    return numbers


@pytest.mark.parametrize('options', ((), ('-s', '64x64'), ('--format', 'png', '--sigma', '0'),
                                     ('--format', 'jpeg', '-Q', 'jpeg=95')))
def test_of_the_result(blurthumb, testdata, tmp_path, options):
    folders = [testdata / name for name in ('formats', 'photos', 'orientation', 'sizes')]
    done = blurthumb('--json', *options, '-o', 'out', *folders)
    n_exact = n_near = 0
    for event in map(json.loads, done.stdout.splitlines()):
        if event.get('status') != 'processed':
            continue
        path = pathlib.Path(event['result'])
        hash = base64.b64decode(event['thumbhash'], validate=True)
        if path.suffix in ('.heic', '.avif', '.jxl', '.jp2', '.gif'):
            continue
        with Image.open(tmp_path / path) as image:
            if image.mode[0] in 'IF':
                continue
            pixels = np.asarray(image.convert('RGBA'))
        expected = fields(pixels)
        if path.suffix in ('.png', '.tif', '.tiff') and path.name.partition('.')[0] not in DEEP:
            n_exact += 1
            assert hash == packed(*expected), event
            continue
        n_near += 1
        assert len(hash) == len(packed(*expected)), event
        numbers, wanted = unpacked(hash, expected), unpacked(packed(*expected), expected)
        assert max(abs(a - b) for a, b in zip(numbers[:9], wanted[:9])) <= 1, (event, numbers, wanted)
    assert n_exact + n_near > 60 and (n_exact > 20 or 'jpeg' in options) and (n_near > 20 or 'png' in options)


def test_only_of_what_was_made(blurthumb, photo):
    """A failure has none, and neither has what is there already or is only looked at."""
    photo('in/a.jpg')
    said = [[json.loads(line) for line in blurthumb('--json', *options, 'in').stdout.splitlines()]
            for options in (('-n',), (), (), ('--verify',))]
    assert [event['status'] for events in said for event in events[1:-1]] == \
        ['planned', 'processed', 'skipped', 'verified']
    assert ['thumbhash' in event for events in said for event in events[1:-1]] == [False, True, False, False]
