# SPDX-License-Identifier: MIT
"""The whole of testdata: made again, and put through the program."""
import re
import shutil
import subprocess

import pytest
from PIL import Image

import make_testdata
from formats import ALLOW

NOT_READ_BY_PILLOW = {'.avif', '.heic', '.jxl'}
VARIES = {'.avif': 'libaom', '.heic': 'x265', '.jxl': 'libjxl'}
PHOTOS_AGAIN = 'mountains', 'page'  # each takes seconds
READABLE_BROKEN = {'jpeg_called.png', 'png_called.jpg'}


def test_testdata_stays_small(testdata):
    assert sum(path.stat().st_size for path in testdata.rglob('*') if path.is_file()) < 3_000_000


def failures(done):
    """Names that failed, from lines "blurthumb: NAME: reason"."""
    lines = done.stderr.decode().splitlines()
    matches = [re.fullmatch(r'blurthumb: (.+?): (.+)', line) for line in lines]
    assert all(matches), lines
    return [match.group(1) for match in matches]


def check_result(path):
    assert path.stat().st_size > 0
    if path.suffix in NOT_READ_BY_PILLOW:
        header = subprocess.run(['vipsheader', path], check=True, stdout=subprocess.PIPE, text=True).stdout
        width, height = map(int, re.search(r': (\d+)x(\d+) ', header).groups())
    else:
        with Image.open(path) as image:
            image.load()
            width, height = image.size
    assert 1 <= width <= 1200 and 1 <= height <= 1200


@pytest.mark.parametrize('folder', ('photos', 'formats', 'orientation', 'sizes', 'raw', 'hdr'))
def test_whole_files_are_processed(blurthumb, testdata, lacking, tmp_path, folder):
    done = blurthumb(*ALLOW, testdata / folder)
    left_out = sorted(path for path in (testdata / folder).iterdir() if path.suffix in lacking)
    assert sorted(failures(done)) == [str(path) for path in left_out]
    assert done.returncode == (1 if left_out else 0)
    sources = sorted(set((testdata / folder).iterdir()) - set(left_out))
    results = [path for path in sorted((tmp_path / 'processed').iterdir()) if not path.name.startswith('.')]
    assert len(results) == len(sources)
    for source, result in zip(sources, results):
        assert result.name.startswith(source.name)
        check_result(result)


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_broken_files_fail_with_a_reason(blurthumb, testdata, tmp_path, jobs):
    done = blurthumb(*ALLOW, jobs, testdata / 'broken')
    assert done.returncode == 1
    results = {path.name for path in (tmp_path / 'processed').iterdir() if not path.name.startswith('.')}
    assert results == READABLE_BROKEN
    broken = {str(path) for path in (testdata / 'broken').iterdir() if path.name not in READABLE_BROKEN}
    failed = failures(done)
    assert set(failed) == broken and len(failed) == len(broken)
    # In the format of the name, whatever the content is called.
    assert Image.open(tmp_path / 'processed' / 'jpeg_called.png').format == 'PNG'
    assert Image.open(tmp_path / 'processed' / 'png_called.jpg').format == 'JPEG'


def test_nothing_is_left_behind(blurthumb, testdata, tmp_path):
    blurthumb(*ALLOW, testdata)
    hidden = [path.name for path in (tmp_path / 'processed').rglob('.*')]
    assert hidden == ['.blurthumb']


@pytest.fixture(scope='module')
def made_again(tmp_path_factory):
    if shutil.which('vips') is None:
        pytest.skip('the vips command line is missing (libvips-tools)')
    folder = tmp_path_factory.mktemp('testdata')
    make_testdata.make(folder, PHOTOS_AGAIN)
    return folder


@pytest.mark.once
def test_script_makes_the_same_files(made_again, testdata):
    """Byte for byte where the encoder is deterministic; AVIF, HEIC and JPEG XL depend on threads and
    processor, and where packages differ all may."""
    def names(root):
        return sorted(path.relative_to(root) for path in root.rglob('*')
                      if path.is_file() and (path.parent.name != 'photos' or path.stem in PHOTOS_AGAIN))

    again = names(made_again)
    assert again == names(testdata)
    differing = [str(name) for name in again if name.suffix not in VARIES
                 and (made_again / name).read_bytes() != (testdata / name).read_bytes()]
    if len(differing) > len(again) // 2:
        pytest.skip(f'other versions of Pillow or its libraries: {len(differing)} files differ')
    assert differing == []
