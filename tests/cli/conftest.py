# SPDX-License-Identifier: MIT
import json
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

import disks  # noqa: E402
import formats  # noqa: E402
import needs  # noqa: E402


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


@pytest.fixture(scope='session')
def unwritten(testdata, tmp_path_factory):
    """Extensions of the formats that this libvips does not write."""
    return formats.unwritten(testdata, tmp_path_factory.mktemp('unwritten'))


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


DISKS = 'attributes', pytest.param('exfat', marks=pytest.mark.needs('exfat-fuse'))


@pytest.fixture
def make_disk(tmp_path):
    """make_disk(kind): a folder on a file system that keeps extended attributes, or on one that does not."""
    mounted = []

    def make(kind):
        folder = tmp_path / kind
        if kind == 'exfat':
            mounted.append(disks.Exfat(tmp_path / 'image', folder))
            return folder
        folder.mkdir()
        if not disks.keeps_attributes(folder):
            needs.lack('the file system of temporary files keeps no attributes')
        return folder
    yield make
    for disk in mounted:
        disk.unmount()


@pytest.fixture(params=DISKS)
def disk(request, make_disk):
    """Both, one after the other."""
    return make_disk(request.param)


class Told:
    """What a run with --json has said: .pictures, (status, reason) by path; .events; .end, the last of them."""

    def __init__(self, done):
        self.code, self.err = done.returncode, done.stderr.decode()
        self.events = [json.loads(line) for line in done.stdout.decode().splitlines()]
        self.of_pictures = [event for event in self.events if event['event'] == 'picture']
        self.pictures = {event.get('path') or event.get('result'): (event['status'], event.get('reason'))
                         for event in self.of_pictures}
        self.end = self.events[-1] if self.events else None

    def paths(self, status, reason=None):
        return sorted(path for path, found in self.pictures.items()
                      if found[0] == status and reason in (None, found[1]))

    def counts(self):
        return tuple(self.end[name] for name in ('processed', 'skipped', 'failed'))


@pytest.fixture
def told(blurthumb, disk):
    """told(*arguments): a run in a folder on each kind of disk."""
    def run(*arguments, cwd=disk, **options):
        return Told(blurthumb('--json', *arguments, cwd=cwd, **options))
    return run


@pytest.fixture
def picture(disk):
    """picture(name, ..., colour, size, time): as photo, on that disk; the time is that of the file."""
    def make(*names, colour=(200, 90, 30), size=(40, 30), time=None):
        for name in names:
            path = disk / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new('RGB', size, colour).save(path, 'JPEG')
            if time is not None:
                os.utime(path, (time, time))
    return make


@pytest.fixture
def colour(disk):
    """colour(name): of a picture of one colour, about: 'red', 'green' or 'blue'."""
    def look(name):
        with Image.open(disk / name) as image:
            pixel = image.convert('RGB').getpixel((0, 0))
        return ('red', 'green', 'blue')[pixel.index(max(pixel))]
    return look
