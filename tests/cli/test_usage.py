# SPDX-License-Identifier: MIT
"""Options, messages and exit codes."""
import os
import re
import subprocess

import pytest

SUMMARY = re.compile(rb'(\d+) processed, (\d+) skipped, (\d+) failed(, \d+ ignored \([^)]*\))? in \d+\.\d\d seconds '
                     rb'\([\d.]+ pictures/s, [\d.]+ MP/s, (\d+ workers?|serial)\)(; [^\n]*)?\n')

WRONG = [['--sigma', '-1'], ['--sigma', 'nan'], ['--sigma', 'inf'], ['--sigma', '1e9'], ['--sigma', ''],
         ['--sigma', '15px'], ['--sigma'], ['-s', '0x0'], ['-s', '1200x'], ['-s', 'x1200'], ['-s', '-5x5'],
         ['-s', '99999x99999'], ['--size', 'large'], ['-j', '0'], ['-j', '-1'], ['-j', 'two'], ['-j', '2.5'],
         ['-j', '99999999999999999999'], ['-Q', '0'], ['-Q', '101'], ['--quality', 'best'], ['--allow', 'exe'],
         ['-o', ''], ['--no-such-option'], ['-Z']]


@pytest.mark.parametrize('arguments', WRONG, ids=' '.join)
def test_wrong_usage_is_one_sentence_and_nothing_written(blurthumb, photo, arguments, tmp_path):
    photo('in/a.jpg')
    done = blurthumb(*([*arguments] if len(arguments) == 1 else ['in', *arguments]))
    assert (done.returncode, done.stdout) == (2, b'')
    assert re.fullmatch(rb'blurthumb: [^\n]+\n', done.stderr)
    assert os.listdir(tmp_path) == ['in']


def test_wrong_kernel_in_the_environment_is_wrong_usage(blurthumb, photo, tmp_path):
    photo('in/a.jpg')
    done = blurthumb('in', env={**os.environ, 'BT_CPU': 'abacus'})
    assert done.returncode == 2 and b'abacus' in done.stderr
    assert os.listdir(tmp_path) == ['in']


def test_help_names_every_option(blurthumb, tmp_path):
    done = blurthumb('--help')
    assert (done.returncode, done.stderr) == (0, b'')
    for option in ('-o', '--output', '-j', '--jobs', '--serial', '--sigma', '-s', '--size', '-Q', '--quality',
                   '--exact', '--linear', '-f', '--force', '-v', '--verbose', '-q', '--quiet', '--allow', '--version',
                   '--help'):
        assert re.search(rb'(^|[\s,])' + option.encode() + rb'\b', done.stdout), option
    assert os.listdir(tmp_path) == []


def test_version(blurthumb):
    done = blurthumb('--version')
    assert (done.returncode, done.stderr) == (0, b'')
    assert re.fullmatch(rb'blurthumb \d+\.\d+\.\d+ [^\n]*\n[+-]isa-l [+-]libexif [+-]libseccomp\n',
                        done.stdout)


def test_summary_is_the_only_line(blurthumb, photo):
    photo('in/a.jpg', 'in/b.jpg')
    done = blurthumb('in')
    assert (done.returncode, done.stderr) == (0, b'')
    assert SUMMARY.fullmatch(done.stdout).group(1, 2, 3) == (b'2', b'0', b'0')


def test_summary_says_where_the_results_are(blurthumb, photo):
    photo('in/a.jpg')
    for output in ('processed', 'else/where'):
        assert f' in {output}\n'.encode() in blurthumb('-o', output, 'in').stdout


@pytest.mark.parametrize('arguments, said', ((['--serial'], b'serial'), (['-j1'], b'1 worker'),
                                             (['-j', '2'], b'2 workers'), (['--jobs=3'], b'3 workers')))
def test_summary_names_the_workers(blurthumb, photo, arguments, said):
    photo(*(f'in/{n}.jpg' for n in range(5)))
    assert SUMMARY.fullmatch(blurthumb(*arguments, 'in').stdout).group(5) == said


@pytest.mark.parametrize('options', ((), ('-n',), ('--serial',)), ids=' '.join)
def test_folder_without_pictures_is_no_failure(blurthumb, tmp_path, options):
    """It says that there are none, and makes no folder."""
    (tmp_path / 'in/sub').mkdir(parents=True)
    (tmp_path / 'in/notes.txt').write_text('no picture')
    done = blurthumb(*options, 'in')
    assert (done.returncode, done.stderr) == (0, b'')
    assert b'no pictures' in done.stdout and done.stdout.count(b'\n') == 1
    assert os.listdir(tmp_path) == ['in']


def test_verbose_has_a_line_for_each_picture(blurthumb, photo):
    photo('in/a.jpg', 'in/sub/b.jpg')
    *lines, _ = blurthumb('-v', 'in').stdout.splitlines()
    assert sorted(lines) == [b'in/a.jpg was processed...', b'in/sub/b.jpg was processed...']
    *lines, _ = blurthumb('--verbose', 'in').stdout.splitlines()
    assert sorted(line.partition(b' was skipped')[0] for line in lines) == [b'in/a.jpg', b'in/sub/b.jpg']


def test_quiet_tells_failures_only(blurthumb, photo, tmp_path):
    photo('in/a.jpg')
    done = blurthumb('-q', 'in')
    assert (done.returncode, done.stdout, done.stderr) == (0, b'', b'')
    (tmp_path / 'in' / 'b.jpg').write_bytes(b'')
    done = blurthumb('--quiet', 'in')
    assert (done.returncode, done.stdout) == (1, b'')
    assert re.fullmatch(rb'blurthumb: in/b\.jpg: [^\n]+\n', done.stderr)


def test_no_control_character_reaches_the_terminal(blurthumb, photo, tmp_path):
    """Neither from the names of good and bad pictures, nor from what decoders say of their bytes."""
    names = [b'in/\x1b]0;title\x07.jpg', b'in/new\nline.jpg', b'in/\x9b31m.jpg', b'in/\xc2\x9b31m.jpg',
             'in/\u202egpj.jpg'.encode(), b'in/\r.jpg', b'in/\x7f.jpg']
    photo(*names)
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), name[:-4] + b'2.png'), 'wb') as file:
            file.write(b'\x89PNG\r\n\x1a\n\0\0\0\x05\x1b[1m\n' + bytes(range(256)))
    done = blurthumb('-v', 'in', b'in/\x1b[missing')
    assert done.returncode == 1
    assert done.stdout.count(b'\n') == len(names) + 1
    assert done.stderr.count(b'\n') == len(names) + 1
    text = (done.stdout + done.stderr).decode('utf-8')
    assert all(letter == '\n' or letter.isprintable() for letter in text)


def test_output_that_cannot_be_made_is_could_not_run(blurthumb, photo, tmp_path):
    photo('in/a.jpg')
    done = blurthumb('-o', 'in/a.jpg/out', 'in')
    assert (done.returncode, done.stdout) == (3, b'')
    assert re.fullmatch(rb'blurthumb: [^\n]+\n', done.stderr)
    assert os.listdir(tmp_path) == ['in']


def test_full_disk_leaves_whole_results_only(blurthumb, photo, files, tmp_path):
    photo(*(f'in/{n}.png' for n in range(40)), size=(1200, 1200), format='PNG')
    disk = tmp_path / 'disk'
    disk.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], stderr=subprocess.DEVNULL).returncode:
        pytest.skip('a small file system can be mounted by root only')
    try:
        done = blurthumb('-o', 'disk', 'in')
        assert done.returncode in (1, 75) and done.stderr.startswith(b'blurthumb: ')
        sizes = {os.stat(os.path.join(os.fsencode(disk), name)).st_size for name in files('disk')}
        assert len(files('disk')) < 40 and len(sizes) <= 1 and 0 not in sizes
        assert set(files('disk', hidden=True)) - set(files('disk')) <= {b'.blurthumb'}
    finally:
        subprocess.run(['umount', disk], check=True)


def test_output_that_cannot_be_printed_is_told(blurthumb, photo, files):
    photo('in/a.jpg')
    with open('/dev/full', 'wb') as full:
        done = blurthumb('in', stdout=full)
    assert done.returncode == 3 and done.stderr.startswith(b'blurthumb: ')
    assert files() == [b'a.jpg']
