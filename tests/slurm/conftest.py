# SPDX-License-Identifier: MIT
import os
import pathlib
import shutil
import subprocess
import sys

import numpy
import pytest
from PIL import Image

pytest.register_assert_rewrite('batch')
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from batch import N_PICTURES, PROGRAM, SLOW, Batch, files_below  # noqa: E402
from cluster import Cluster, missing  # noqa: E402
from needs import lack  # noqa: E402


@pytest.fixture(scope='session')
def able():
    """Skips what this machine cannot do, unless it is to try everything."""
    if what := missing():
        lack(f'no Slurm can be started without {what}')


@pytest.fixture(scope='session')
def pictures(able, tmp_path_factory):
    """A tree of small JPEGs, no two alike."""
    folder = tmp_path_factory.mktemp('pictures') / 'in'
    for i in range(N_PICTURES):
        path = folder / f'{i % 7}' / f'{i:03}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = numpy.random.default_rng(i).integers(0, 256, (6, 8, 3), numpy.uint8)
        Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC).save(path)
    return folder


@pytest.fixture(scope='session')
def alone(pictures):
    """What one run on one machine makes of them."""
    output = pictures.parent / 'alone'
    assert subprocess.run([PROGRAM, '-q', *SLOW, '-o', output, pictures]).returncode == 0
    return files_below(output)


@pytest.fixture
def batch(pictures, alone, tmp_path, monkeypatch):
    """A Batch on a cluster of its own."""
    (tmp_path / 'slurm').mkdir()
    monkeypatch.chdir(tmp_path)
    shutil.copytree(pictures, 'in', copy_function=os.link)
    with Cluster(tmp_path / 'slurm') as cluster:
        yield Batch(cluster, tmp_path, alone)
