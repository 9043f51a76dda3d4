# SPDX-License-Identifier: MIT
"""The gallery as people see it, at the width of a telephone and of a desk."""
import os
import subprocess

import numpy
import pytest
from PIL import Image

from browser import Page
from conftest import PROGRAM

pytestmark = pytest.mark.needs('chromium')

N = 500
FOLDERS = 25


@pytest.fixture(scope='module')
def gallery(tmp_path_factory):
    """The page of many results, of which most are there already, and of a failure."""
    root = tmp_path_factory.mktemp('gallery')
    os.makedirs(root / 'in/folder 00')
    Image.new('RGB', (8, 8)).save(root / 'in/folder 00/first.jpg')  # so that the output folder is one of ours
    subprocess.run([PROGRAM, '-q', 'in'], cwd=root, check=True)
    for where in ('in', 'processed'):
        for folder in range(FOLDERS):
            os.makedirs(root / where / f'folder {folder:02}', exist_ok=True)
        for i in range(N):
            path = root / where / f'folder {i % FOLDERS:02}' / f'IMG_{i:04}.jpg'
            if i == 0:
                first = path
                Image.new('RGB', (240, 160), (190, 120, 60)).save(path)
                os.utime(path, (1_700_000_000,) * 2)  # a result without its record is known by its time
            else:
                os.link(first, path)
    (root / 'in/broken.jpg').write_bytes(b'\xff\xd8\xff no picture')
    done = subprocess.run([PROGRAM, '--gallery', 'in'], cwd=root, capture_output=True)
    assert done.returncode == 1 and done.stdout.startswith(b'0 processed, %d skipped, 1 failed' % (N + 1))
    return root / 'processed/index.html'


@pytest.mark.parametrize('width', (400, 1400))
def test_page(gallery, tmp_path, width):
    page = Page(gallery, tmp_path, width, 1000)
    assert page.console == [] and page.requests == []
    assert page.dom.count('class="mat"') == N + 1 and page.dom.count('<h2 ') == FOLDERS + 1
    shown = numpy.asarray(Image.open(page.picture).convert('RGB')).astype(int)
    assert shown.shape == (1000, width, 3)
    near = abs(shown - (190, 120, 60)).max(axis=2) < 12
    assert near.sum() > 5_000, 'the first pictures are seen'
    assert near[:, :20].sum() == 0 and near[:, -20:].sum() == 0, 'and nothing is beyond the edges'


def test_end_of_the_page(gallery, tmp_path):
    """Pictures far down are there when they are looked at, and so is what failed."""
    page = Page(gallery, tmp_path, 1400, 1000, '#failed')
    assert page.console == [] and 'broken.jpg' in page.dom


def test_what_is_not_loaded(tmp_path):
    """A picture that is not loaded, for it is gone, is seen by its thumbhash, and what browsers do not show by its
    preview: red above, blue below."""
    (tmp_path / 'in').mkdir()
    image = Image.new('RGB', (300, 200), (200, 30, 30))
    image.paste((30, 30, 200), (0, 100, 300, 200))
    for name in ('photo.jpg', 'scan.tif'):
        image.save(tmp_path / 'in' / name)
    subprocess.run([PROGRAM, '-q', '--gallery', 'in'], cwd=tmp_path, check=True)
    (tmp_path / 'processed/photo.jpg').unlink()
    page = Page(tmp_path / 'processed/index.html', tmp_path, 400, 400)
    assert all('ERR_FILE_NOT_FOUND' in line for line in page.console) and page.requests == []
    shown = numpy.asarray(Image.open(page.picture).convert('RGB')).astype(int)
    for tile in (shown[:, :200], shown[:, 200:]):
        red, blue = (numpy.argwhere(abs(tile - colour).max(axis=2) < 50) for colour in ((200, 30, 30), (30, 30, 200)))
        assert len(red) > 3000 and len(blue) > 3000 and red[:, 0].max() < blue[:, 0].min()
