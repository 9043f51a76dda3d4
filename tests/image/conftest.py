# SPDX-License-Identifier: MIT
import os
import pathlib
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

import formats  # noqa: E402


@pytest.fixture(scope='session')
def testdata():
    return TESTS.parent / 'testdata'


@pytest.fixture(scope='session')
def lacking(testdata, tmp_path_factory):
    """Extensions of the formats that this libvips lacks."""
    result = tmp_path_factory.mktemp('lacking') / 'result.png'

    def reads(path):
        name = 'ppm' if path.suffix == '.pgm' else path.suffix[1:]
        return subprocess.run([os.environ['BT_PROCESS_ONE'], '--allow', name, path, result]).returncode == 0
    return formats.lacking(testdata, reads)


@pytest.fixture
def process_any(tmp_path):
    """process_any(source, *options, format='png'): runs the image room on a file, whatever comes of it; the
    result is its attribute `result`."""
    def call(source, *options, format='png'):
        result = tmp_path / f'result.{format}'
        done = subprocess.run([os.environ['BT_PROCESS_ONE'], '--format', format, *map(str, options), source, result],
                              stdout=subprocess.PIPE, text=True, timeout=60)
        done.result = result
        return done
    return call


@pytest.fixture
def process(process_any):
    """The same, of which a result must come: its path."""
    def call(*arguments, **options):
        done = process_any(*arguments, **options)
        assert done.returncode == 0, done.stdout
        return done.result
    return call
