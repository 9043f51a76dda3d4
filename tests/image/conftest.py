# SPDX-License-Identifier: MIT
import os
import pathlib
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))


@pytest.fixture(scope='session')
def testdata():
    return TESTS.parent / 'testdata'


@pytest.fixture
def process(tmp_path):
    """process(source, *options, format='png'): the path of the image room's result for a file."""
    def call(source, *options, format='png'):
        result = tmp_path / f'result.{format}'
        done = subprocess.run([os.environ['BT_PROCESS_ONE'], '--format', format, *map(str, options), source, result],
                              stdout=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
        return result
    return call
