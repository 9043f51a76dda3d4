# SPDX-License-Identifier: MIT
import os
import pathlib
import subprocess
import sys

import pytest
from PIL import Image

TESTS = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ['BT_BLURTHUMB']
HANG_GUARD_S = 120

sys.path.insert(0, str(TESTS))

import formats  # noqa: E402


@pytest.fixture(scope='session')
def testdata():
    return TESTS.parent / 'testdata'


@pytest.fixture(scope='session')
def lacking(testdata, tmp_path_factory):
    """Extensions of the formats that this libvips lacks."""
    output = tmp_path_factory.mktemp('lacking')

    def reads(path):
        return subprocess.run([PROGRAM, *formats.ALLOW, '-o', output, path], stderr=subprocess.DEVNULL).returncode == 0
    return formats.lacking(testdata, reads)


@pytest.fixture
def blurthumb(tmp_path):
    """blurthumb(*arguments, cwd=..., ...): runs the program to its end in an empty folder of the test's
    own; outputs are bytes."""
    def run(*arguments, cwd=tmp_path, **options):
        options = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **options}
        return subprocess.run([PROGRAM, *arguments], cwd=cwd, stdin=subprocess.DEVNULL, timeout=HANG_GUARD_S, **options)
    return run


@pytest.fixture
def start(tmp_path):
    """The same, but returns at once; what still runs at the end of the test is killed."""
    running = []

    def run(*arguments):
        running.append(subprocess.Popen([PROGRAM, *arguments], cwd=tmp_path, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL))
        return running[-1]
    yield run
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def photo(tmp_path):
    """photo(name, ...): small pictures below the test's folder, of one colour; names may be bytes."""
    def make(*names, colour=(200, 90, 30), size=(40, 30), format='JPEG'):
        for name in names:
            path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as file:
                Image.new('RGB', size, colour).save(file, format)
    return make


@pytest.fixture
def files(tmp_path):
    """files(folder): the relative paths of everything that is no folder below it, as a sorted list of
    bytes; files whose names begin with a dot are left out unless hidden is set."""
    def find(folder='processed', hidden=False):
        root = os.path.join(os.fsencode(tmp_path), os.fsencode(folder))
        found = [os.path.relpath(os.path.join(where, name), root)
                 for where, _, names in os.walk(root) for name in names if hidden or not name.startswith(b'.')]
        return sorted(found)
    return find
