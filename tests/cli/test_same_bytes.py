# SPDX-License-Identifier: MIT
"""One source, one result: whatever the number of workers, the order, or the processor."""
import os

import numpy as np
import pytest
from PIL import Image

from formats import ALLOW


@pytest.fixture(scope='module')
def reference(testdata, lacking, tmp_path_factory):
    """The results of a serial run over all that can be read, as {relative path: bytes}."""
    def collect(run, *arguments):
        output = tmp_path_factory.mktemp('results')
        sources = [path for name in ('photos', 'formats', 'orientation') for path in (testdata / name).iterdir()
                   if path.suffix not in lacking]
        done = run(*ALLOW, '-o', output, *arguments, *sources)
        assert (done.returncode, done.stderr) == (0, b'')
        return {path.relative_to(output): path.read_bytes() for path in output.rglob('*') if path.is_file()}

    kept = {}

    def get(run, *arguments):
        if arguments not in kept:
            kept[arguments] = collect(run, *arguments)
        return kept[arguments]
    return get


@pytest.mark.parametrize('jobs', ('-j1', '-j2', '-j5'))
def test_any_number_of_workers_gives_the_bytes_of_a_serial_run(blurthumb, reference, jobs):
    serial, parallel = reference(blurthumb, '--serial'), reference(blurthumb, jobs)
    assert len(serial) > 55
    assert serial.keys() == parallel.keys()
    assert [str(name) for name in serial if serial[name] != parallel[name]] == []


@pytest.mark.parametrize('options', ({}, {'restart_marker_rows': 1}))
def test_a_giant_on_all_cores_has_the_bytes_of_a_serial_run(blurthumb, testdata, tmp_path, options):
    tile = np.asarray(Image.open(testdata / 'photos' / 'city.jpg'))
    pixels = np.tile(tile, (-(-7500 // tile.shape[0]), -(-7500 // tile.shape[1]), 1))[:7500, :7500]
    Image.fromarray(pixels).save(tmp_path / 'giant.jpg', quality=85, **options)
    for output in ('--serial', '-j3'):
        assert blurthumb(output, '-o', output.strip('-'), 'giant.jpg').returncode == 0
    assert (tmp_path / 'serial' / 'giant.jpg').read_bytes() == (tmp_path / 'j3' / 'giant.jpg').read_bytes()


def test_second_time_gives_the_same_bytes(blurthumb, reference):
    first, second = reference(blurthumb, '-j2'), reference(blurthumb, '--force', '-j2')
    assert [str(name) for name in first if first[name] != second[name]] == []


def test_every_kernel_is_within_a_level(blurthumb, testdata, tmp_path):
    (tmp_path / 'in').mkdir()
    for name in ('city', 'glass'):
        Image.open(testdata / 'photos' / f'{name}.jpg').save(tmp_path / 'in' / f'{name}.png', compress_level=1)
    for name in ('rgba.png', 'grey_alpha.png', 'palette.png', 'grey.png'):
        os.link(testdata / 'formats' / name, tmp_path / 'in' / name)
    for arguments in ([], ['--exact', '-s', '333x333'], ['--linear', '--sigma', '4']):
        assert blurthumb(*arguments, '-o', 'best', 'in').returncode == 0
        assert blurthumb(*arguments, '-o', 'plain', 'in', env={**os.environ, 'BT_CPU': 'c'}).returncode == 0
        for path in sorted((tmp_path / 'best').glob('*.png')):
            best, plain = Image.open(path), Image.open(tmp_path / 'plain' / path.name)
            assert best.mode == plain.mode and best.size == plain.size
            best, plain = (np.asarray(image).astype(int) for image in (best, plain))
            if best.ndim == 3 and best.shape[2] in (2, 4):
                # Colour under next to no alpha is a quotient of two small numbers.
                assert np.abs(best[..., -1] - plain[..., -1]).max() <= 1
                best, plain = (image[..., :-1] * (image[..., -1:] / 255) for image in (best, plain))
                assert np.abs(best - plain).max() <= 2
            else:
                assert np.abs(best - plain).max() <= 1
