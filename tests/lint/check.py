#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""House rules that a program can check.

    check.py rooms      who includes whom, by the table below; libvips in the vips room alone
    check.py headers    each header compiles alone                       (CC, CFLAGS from arguments)
    check.py listed     every test file stands in the meson.build beside it
    check.py style      SPDX lines, comments, unique file names, the top level
    check.py format     clang-format agrees (skipped without clang-format 14)
"""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Each room and the rooms that it may include besides itself.
ROOMS = {
    'base': [],
    'kernel': [],
    'image': ['kernel', 'base'],
    'vips': ['image', 'base'],
    'sandbox': ['base'],
    'pool': ['base'],
    'scan': ['base'],
    'store': ['base'],
    'report': ['base'],
    'run': ['scan', 'store', 'pool', 'sandbox', 'image', 'kernel', 'report', 'base'],
    # The cli names settings of the rooms that a batch is made of, but calls none but run.
    'cli': ['run', 'scan', 'sandbox', 'image', 'kernel', 'report', 'base'],
    # The tour gives pictures to the pool, as run does.
    'bench': ['run', 'pool', 'image', 'kernel', 'report', 'base'],
}
TOP = {'src', 'tests', 'testdata', 'meson.build', 'README.md'}
SKIPPED = 77


def files(*endings, under=('src', 'tests')):
    for folder in under:
        for where, folders, names in os.walk(os.path.join(ROOT, folder)):
            folders[:] = sorted(f for f in folders if not f.startswith(('.', '__')))
            for name in sorted(names):
                if name.endswith(endings):
                    yield os.path.relpath(os.path.join(where, name), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        return file.read()


def check_rooms():
    for path in files('.c', '.h', under=('src',)):
        room = path.split('/')[1]
        if room not in ROOMS:
            yield f'{path}: {room} is not a room'
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            own = re.match(r'\s*#\s*include\s+"([^"]*)"', line)
            system = re.match(r'\s*#\s*include\s+<([^>]*)>', line)
            if own:
                target = own[1].split('/')[0]
                if '/' not in own[1] or target not in ROOMS:
                    yield f'{path}:{number}: "{own[1]}" does not carry its room'
                elif target != room and target not in ROOMS[room]:
                    yield f'{path}:{number}: {room} may not include {target}'
            if system and system[1].startswith('vips/') and room != 'vips':
                yield f'{path}:{number}: only the vips room includes vips'
            if system and room == 'kernel' and system[1].startswith('glib'):
                yield f'{path}:{number}: the kernel is libc and libm only'


def check_headers(compiler):
    for path in files('.h', under=('src',)):
        run = subprocess.run(
            [*compiler, '-std=c17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-fsyntax-only',
             '-I' + os.path.join(ROOT, 'src'), '-x', 'c', '-'],
            input=f'#include "{path[len("src/"):]}"\n', capture_output=True, text=True)
        if run.returncode != 0:
            yield f'{path}: does not compile alone:\n{run.stderr}'


def check_listed():
    for path in files('.c', '.py', under=('tests',)):
        folder, name = os.path.split(path)
        if not re.match(r'(test|bench|process)_', name):
            continue
        build = os.path.join(ROOT, folder, 'meson.build')
        text = open(build, encoding='utf-8').read() if os.path.exists(build) else ''
        stem = re.sub(r'^test_|\.py$', '', name)
        if f"'{name}'" not in text and not ("'test_' + name + '.py'" in text and f"'{stem}'" in text):
            yield f'{path}: is not listed in {folder}/meson.build'


def check_style():
    seen = {}
    for path in files('.c', '.h', '.py', '.build', '.sh'):
        text = read(path)
        name = os.path.basename(path)
        if 'SPDX-License-Identifier: MIT' not in '\n'.join(text.splitlines()[:2]):
            yield f'{path}: no SPDX line'
        if name.endswith(('.c', '.h')):
            if re.search(r'^\s*//|[;{})]\s*//', text, re.M):
                yield f'{path}: // comment'
            if path.startswith('src/') and name in seen:
                yield f'{path}: the name is that of {seen[name]} too'
            seen[name] = path
    listed = subprocess.run(['git', 'ls-files'], cwd=ROOT, capture_output=True, text=True)
    for top in sorted({line.split('/')[0] for line in listed.stdout.splitlines()}):
        if top not in TOP and not top.startswith('.'):
            yield f'{top}: does not belong to the top level'


def check_format():
    tool = shutil.which('clang-format-14') or shutil.which('clang-format')
    version = subprocess.run([tool, '--version'], capture_output=True, text=True) if tool else None
    if version is None or 'version 14.' not in version.stdout:
        print('skipped: clang-format 14 is not installed')
        sys.exit(SKIPPED)
    run = subprocess.run([tool, '--dry-run', '-Werror', *files('.c', '.h')], cwd=ROOT, capture_output=True, text=True)
    changed = sorted(set(re.findall(r'^(\S+):\d+:\d+: error: ', run.stderr, re.M)))
    yield from (f'{path}: clang-format would change it' for path in changed)
    if run.returncode != 0 and not changed:
        yield run.stderr


def main():
    what, rest = sys.argv[1], sys.argv[2:]
    complaints = list({
        'rooms': check_rooms,
        'headers': lambda: check_headers(rest),
        'listed': check_listed,
        'style': check_style,
        'format': check_format,
    }[what]())
    print('\n'.join(complaints))
    sys.exit(1 if complaints else 0)


main()
