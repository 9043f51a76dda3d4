# SPDX-License-Identifier: MIT
"""What `meson install` puts where, and that it runs from there, also from a folder that a package is
made of."""
import json
import os
import pathlib
import re
import subprocess

import pytest
from PIL import Image

from conftest import PROGRAM

PROGRAMS = ('blurthumb', 'blurthumb-bench', 'blurthumb-tour')
BUILD = pathlib.Path(PROGRAM).parents[2]


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """What DESTDIR and the prefix were."""
    root = tmp_path_factory.mktemp('install')
    options = json.loads(subprocess.check_output(['meson', 'introspect', '--buildoptions', BUILD]))
    prefix, = (option['value'] for option in options if option['name'] == 'prefix')
    subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild'], env={**os.environ, 'DESTDIR': str(root)},
                   check=True, stdout=subprocess.DEVNULL)
    assert os.listdir(root) == [pathlib.PurePath(prefix).parts[1]]
    return root / pathlib.PurePath(prefix).relative_to('/')


@pytest.fixture(scope='module')
def installed(root):
    return {str(path.relative_to(root)) for path in root.rglob('*') if not path.is_dir()}


def test_nothing_is_put_elsewhere(installed):
    """A file with another fate than those below is one that was forgotten here."""
    expected = re.compile(r'bin/blurthumb(-bench|-tour)?'
                          r'|lib(64|/[^/]+)?/blurthumb/blurthumb-vips\.so'
                          r'|share/man/man1/blurthumb(-bench|-tour)?\.1'
                          r'|share/man/man7/blurthumb-cluster\.7'
                          r'|share/blurthumb/blurthumb\.sbatch'
                          r'|share/doc/blurthumb/copyright'
                          r'|share/bash-completion/completions/blurthumb(-bench|-tour)?'
                          r'|share/zsh/site-functions/_blurthumb(-bench|-tour)?'
                          r'|share/fish/vendor_completions\.d/blurthumb(-bench|-tour)?\.fish')
    assert [name for name in sorted(installed) if not expected.fullmatch(name)] == []


@pytest.mark.parametrize('program', PROGRAMS)
def test_each_program_has_its_manual_and_completions(installed, program):
    assert {f'bin/{program}',
            f'share/man/man1/{program}.1',
            f'share/bash-completion/completions/{program}',
            f'share/zsh/site-functions/_{program}',
            f'share/fish/vendor_completions.d/{program}.fish'} <= installed


def test_the_rest_is_there(installed):
    assert {'share/man/man7/blurthumb-cluster.7', 'share/blurthumb/blurthumb.sbatch',
            'share/doc/blurthumb/copyright'} <= installed
    assert sum(name.endswith('/blurthumb/blurthumb-vips.so') for name in installed) == 1


def test_it_runs_from_there(root, blurthumb, testdata, tmp_path):
    """With the module of the same folder, which the WebP needs."""
    env = {**os.environ, 'LD_DEBUG': 'files', 'BT_WORKER_STDERR': '1'}
    env.pop('LD_LIBRARY_PATH', None)
    done = blurthumb(testdata / 'photos' / 'sea.jpg', testdata / 'formats' / 'lossy.webp',
                     executable=root / 'bin' / 'blurthumb', env=env)
    assert done.returncode == 0
    modules = set(map(os.path.realpath, re.findall(rb'calling init: (\S+/blurthumb-vips\.so)', done.stderr)))
    assert modules == {os.fsencode(path) for path in root.glob('lib/**/blurthumb-vips.so')}
    for name in ('sea.jpg', 'lossy.webp'):
        Image.open(tmp_path / 'processed' / name).load()
