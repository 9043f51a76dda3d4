# SPDX-License-Identifier: MIT
"""What `meson install` puts where, and that it runs from there, also from a folder that a package is
made of."""
import json
import os
import re
import shutil
import subprocess

import pytest
from PIL import Image

from conftest import TESTS

PROGRAMS = ('blurthumb', 'blurthumb-bench', 'blurthumb-tour')
BUILD_GUARD_S = 300


def run_meson(*arguments, **environment):
    return subprocess.run(['meson', *arguments], check=True, stdout=subprocess.PIPE, timeout=BUILD_GUARD_S,
                          env={**os.environ, **environment}).stdout


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """What DESTDIR was, for a build with --prefix /usr of which nothing is left."""
    where = tmp_path_factory.mktemp('install')
    build, root = where / 'build', where / 'root'
    run_meson('setup', '--prefix', '/usr', '-Dbuildtype=plain', build, TESTS.parent)
    targets = json.loads(run_meson('introspect', '--targets', build))
    run_meson('compile', '-C', build, '-j2', *(target['name'] for target in targets if target['installed']))
    run_meson('install', '-C', build, '--no-rebuild', DESTDIR=str(root))
    shutil.rmtree(build)
    return root


@pytest.fixture(scope='module')
def installed(root):
    return {str(path.relative_to(root)) for path in root.rglob('*') if not path.is_dir()}


def test_nothing_is_put_elsewhere(installed):
    """A file with another fate than those below is one that was forgotten here."""
    expected = re.compile(r'usr/(bin/blurthumb(-bench|-tour)?'
                          r'|lib(64|/[^/]+)?/blurthumb/blurthumb-vips\.so'
                          r'|share/man/man1/blurthumb(-bench|-tour)?\.1'
                          r'|share/man/man7/blurthumb-cluster\.7'
                          r'|share/blurthumb/blurthumb\.sbatch'
                          r'|share/doc/blurthumb/copyright'
                          r'|share/bash-completion/completions/blurthumb(-bench|-tour)?'
                          r'|share/zsh/site-functions/_blurthumb(-bench|-tour)?'
                          r'|share/fish/vendor_completions\.d/blurthumb(-bench|-tour)?\.fish)')
    assert [name for name in sorted(installed) if not expected.fullmatch(name)] == []


@pytest.mark.parametrize('program', PROGRAMS)
def test_each_program_has_its_manual_and_completions(installed, program):
    assert {f'usr/bin/{program}',
            f'usr/share/man/man1/{program}.1',
            f'usr/share/bash-completion/completions/{program}',
            f'usr/share/zsh/site-functions/_{program}',
            f'usr/share/fish/vendor_completions.d/{program}.fish'} <= installed


def test_the_rest_is_there(installed):
    assert {'usr/share/man/man7/blurthumb-cluster.7', 'usr/share/blurthumb/blurthumb.sbatch',
            'usr/share/doc/blurthumb/copyright'} <= installed
    assert sum(name.endswith('/blurthumb/blurthumb-vips.so') for name in installed) == 1


def test_it_runs_from_there(root, blurthumb, testdata, tmp_path):
    """With the module of the same folder, which the PNG needs."""
    done = blurthumb(testdata / 'photos' / 'sea.jpg', testdata / 'formats' / 'rgb.png',
                     executable=root / 'usr' / 'bin' / 'blurthumb')
    assert (done.returncode, done.stderr) == (0, b'')
    for name in ('sea.jpg', 'rgb.png'):
        Image.open(tmp_path / 'processed' / name).load()
