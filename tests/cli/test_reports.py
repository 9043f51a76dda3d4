# SPDX-License-Identifier: MIT
"""What programs are told: JSON, reports that add up, and the gallery; with names of any bytes."""
import base64
import html
import json
import os
import random
import re
import shutil
import subprocess
import urllib.parse

import pytest

from conftest import PROGRAM

MANY = 2_000 if 'BT_BRIEF' in os.environ else 100_000
SIZES = 'source_bytes', 'source_width', 'source_height', 'result_bytes', 'width', 'height'


def events(out):
    return [json.loads(line) for line in out.decode('utf-8').splitlines()]


def report(folder, *told):
    """A report that says so."""
    (folder / 'report').write_text(''.join(json.dumps(event) + '\n' for event in told))
    return 'report'


def name_of(event, member='path'):
    """The exact bytes of a name."""
    coded = event.get(f'{member}_base64')
    return base64.b64decode(coded) if coded else event[member].encode()


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_events_of_a_run(blurthumb, photo, tmp_path, jobs):
    photo('in/a.jpg', size=(300, 200))
    photo('in/b.png', format='PNG')
    (tmp_path / 'in/broken.jpg').write_bytes(b'\xff\xd8\xff no picture')
    done = blurthumb(jobs, '--json', '--sigma', '4.5', 'in')
    told = events(done.stdout)
    assert done.returncode == 1 and done.stderr.count(b'\n') == 1
    start, *pictures, end = told
    assert (start['event'], start['schema'], start['program']) == ('start', 1, 'blurthumb')
    assert start['settings']['sigma'] == '4.5' and start['output'] == 'processed'
    assert start['workers'] == (0 if jobs == '--serial' else 2)
    by_path = {event['path']: event for event in pictures}
    assert set(by_path) == {'in/a.jpg', 'in/b.png', 'in/broken.jpg'} and {e['event'] for e in pictures} == {'picture'}
    picture = by_path['in/a.jpg']
    result = tmp_path / picture['result']
    assert (picture['status'], picture['format'], picture['decoder']) == ('processed', 'jpeg', 'jpeg')
    assert picture['shrink'] == 2
    assert (picture['source_width'], picture['source_height']) == (picture['width'], picture['height']) == (300, 200)
    assert picture['source_bytes'] == (tmp_path / 'in/a.jpg').stat().st_size
    assert picture['result_bytes'] == result.stat().st_size
    assert picture['source_time'] == int((tmp_path / 'in/a.jpg').stat().st_mtime)
    spent = [f'{part}_seconds' for part in ('decode', 'kernel', 'encode')]
    assert picture['elapsed_seconds'] >= sum(picture[part] for part in spent)
    assert all(picture[part] > 0 for part in spent)
    assert all(end[part] == pytest.approx(picture[part] + by_path['in/b.png'][part]) for part in spent)
    assert set(start) == {'event', 'schema', 'program', 'version', 'time', 'output', 'workers', 'shard_index',
                          'shard_count', 'settings'}
    assert set(picture) == {'event', 'status', 'path', 'result', 'source_time', 'pages', 'decoder', 'format', 'shrink',
                            'thumbhash', *SIZES, *spent, 'elapsed_seconds'}
    assert set(end) == {'event', 'time', 'processed', 'skipped', 'failed', 'ignored', 'pixels', 'source_bytes',
                        'result_bytes', *spent, 'elapsed_seconds', 'workers'}
    failed = by_path['in/broken.jpg']
    assert (failed['status'], failed['reason']) == ('failed', 'broken') and failed['message'] in done.stderr.decode()
    assert (end['event'], end['processed'], end['skipped'], end['failed']) == ('end', 2, 0, 1)
    assert end['pixels'] == 300 * 200 + 40 * 30
    assert events(blurthumb('-j1', '--json', '--sigma', '4.5', '-f', 'in').stdout)[-1]['workers'] == 1
    again = events(blurthumb(jobs, '--json', '--sigma', '4.5', 'in').stdout)
    assert {e['path']: (e['status'], e.get('reason')) for e in again[1:-1]} == {
        'in/a.jpg': ('skipped', 'fresh'), 'in/b.png': ('skipped', 'fresh'), 'in/broken.jpg': ('failed', 'broken')}


def test_events_of_a_plan_and_of_a_check(blurthumb, photo):
    photo('in/a.jpg')
    told = events(blurthumb('--json', '-n', 'in').stdout)
    assert [(e.get('status'), e.get('reason')) for e in told[1:-1]] == [('planned', 'new')] and told[-1]['planned'] == 1
    told = events(blurthumb('--json', '--verify', 'in').stdout)
    assert [(e['status'], e['reason']) for e in told[1:-1]] == [('failed', 'new')]
    blurthumb('in')
    told = events(blurthumb('--json', '-n', '--sigma', '3', 'in').stdout)
    assert set(told[1]) == {'event', 'status', 'path', 'result', 'reason', 'message', 'source_bytes', 'source_time'}
    told = events(blurthumb('--json', '--verify', 'in').stdout)
    assert [e['status'] for e in told[1:-1]] == ['verified'] and told[-1]['verified'] == 1


def test_why_it_ended(blurthumb, photo):
    photo('in/a.jpg')
    told = events(blurthumb('--json', '--timeout', '0.000001', 'in').stdout)
    assert 'error' in told[-1] and 'signal' not in told[-1]
    done = blurthumb('--json', '-o', '/proc/nothing', 'in')
    assert done.returncode == 3 and b'/proc/nothing' in done.stderr
    assert '/proc/nothing' in events(done.stdout)[-1]['error']


def test_reports_add_up(blurthumb, photo, tmp_path):
    photo(*(f'in/{i}.jpg' for i in range(30)), size=(8, 8))
    (tmp_path / 'in/broken.jpg').write_bytes(b'\xff\xd8\xff no picture')
    reports = []
    for i in range(3):
        reports.append(f'report{i}')
        (tmp_path / f'report{i}').write_bytes(blurthumb('--json', '--shard', f'{i}/3', 'in').stdout)
    done = blurthumb('--merge-reports', '--gallery', *reports)
    assert done.returncode == 1 and done.stdout.startswith(b'30 processed, 0 skipped, 1 failed in ')
    assert done.stderr.count(b'\n') == 1 and b'in/broken.jpg: ' in done.stderr
    page = (tmp_path / 'processed/index.html').read_text()
    assert page.count('class="mat"') == page.count(' data-hash="') == 30 and 'in/broken.jpg' in page
    merged = events(blurthumb('--merge-reports', '--json', *reports).stdout)
    assert merged[-1]['processed'] == 30 and merged[-1]['failed'] == 1
    # A shard that was started anew, and one that was cut off.
    again = blurthumb('--json', '--shard', '0/3', 'in').stdout
    (tmp_path / 'again').write_bytes(again)
    done = blurthumb('--merge-reports', *reports, 'again')
    assert done.stdout.startswith(b'30 processed, 0 skipped, 1 failed in ')
    (tmp_path / 'report1').write_bytes((tmp_path / 'report1').read_bytes()[:-30])
    done = blurthumb('--merge-reports', *reports)
    assert done.returncode == 1 and b'report1: ' in done.stderr


def test_what_was_left_out_is_said(blurthumb, photo, tmp_path):
    """In the summary, in the end event and in the page; by name with -v."""
    photo('in/a.jpg', 'in/.hidden/b.jpg', 'in/c.mov')
    os.symlink('a.jpg', tmp_path / 'in/link.jpg')
    (tmp_path / 'in/c.mov').write_bytes(b'')
    names = [b'1.X3F', b'2.x3f', b'3.X3f', b'plain', b'.DS_Store', b'x.\xff\xfe', b'long.' + b'e' * 200, b'4.x"y', b'5.txt']
    for name in names:
        with open(os.path.join(os.fsencode(tmp_path), b'in', name), 'wb') as file:
            file.write(b'no picture')
    done = blurthumb('--gallery', '-v', 'in')
    left = '12 ignored (5 without extension, 3 x3f, 1 folder, 1 jpg, 1 mov and 1 more)'
    assert done.returncode == 0 and left.encode() in done.stdout
    assert left in (tmp_path / 'processed/index.html').read_text()
    said = dict(re.findall(rb'^in/(.*) was ignored: (.*)$', done.stdout, re.M))
    assert len(said) == 12 and {b'1.X3F', b'plain', b'.hidden', b'link.jpg', b'c.mov', b'x.\\xff\\xfe'} <= set(said)
    assert len({said[b'plain'], said[b'.hidden'], said[b'link.jpg']}) == 3
    end = events(blurthumb('--json', '-f', 'in').stdout)[-1]
    assert end['ignored'] == 12
    assert end['ignored_by_extension'] == {'': 5, 'x3f': 3, '/': 1, 'jpg': 1, 'mov': 1, 'txt': 1}
    assert b'ignored' not in blurthumb('-q', '-f', 'in').stdout
    nothing = blurthumb('--exclude', '*.jpg', 'in').stdout
    assert b'no pictures found' in nothing and b'2 jpg' in nothing


def test_reports_add_up_what_was_left_out(blurthumb, photo, tmp_path):
    """Each shard tells its own part; a report may say less, or what cannot be."""
    photo(*(f'in/{i}.jpg' for i in range(10)), size=(8, 8))
    for i in range(40):
        (tmp_path / f'in/{i}.{("x3f", "mov", "")[i % 3]}').write_bytes(b'no picture')
        (tmp_path / f'in/.{i}.xmp').write_bytes(b'hidden')
    whole = events(blurthumb('--json', '-n', 'in').stdout)[-1]
    assert whole['ignored_by_extension'] == {'xmp': 40, 'x3f': 14, '': 13, 'mov': 13}
    for i in range(3):
        (tmp_path / f'report{i}').write_bytes(blurthumb('--json', '--shard', f'{i}/3', 'in').stdout)
    merged = blurthumb('--merge-reports', '--json', '--gallery', 'report0', 'report1', 'report2').stdout
    assert [events(merged)[-1][name] for name in ('ignored', 'ignored_by_extension')] == \
        [80, whole['ignored_by_extension']]
    assert '80 ignored (40 xmp, 14 x3f, ' in (tmp_path / 'processed/index.html').read_text()
    for said, total, kinds in (('"ignored":7', 7, None),
                               ('"ignored":7,"ignored_by_extension":{"x3f":2}', 7, {'x3f': 2}),
                               ('"ignored":7,"ignored_by_extension":{"x3f":9000}', 7, {'x3f': 7}),
                               ('"ignored":7,"ignored_by_extension":{"a b":1,"<b>":2,"x\\n":1}', 7, None),
                               ('"ignored":-1,"ignored_by_extension":{"x3f":-5}', 0, None)):
        (tmp_path / 'report').write_text(f'{{"event":"end",{said}}}\n')
        end = events(blurthumb('--merge-reports', '--json', 'report').stdout)[-1]
        assert (end['ignored'], end.get('ignored_by_extension')) == (total, kinds), said


@pytest.mark.parametrize('content', (b'', b'nonsense\n', b'{"event":1}\n', b'[]\n', b'{"event":"picture"}\n', b'\0\xff\n',
                                     b'{"event":"end"}\n{"event":"picture","status":"processed"}\n'))
def test_what_is_no_report(blurthumb, tmp_path, content):
    (tmp_path / 'report').write_bytes(content)
    done = blurthumb('--merge-reports', 'report')
    assert done.returncode == 1 and done.stderr.startswith(b'blurthumb: report: ')
    assert b'0 processed' in done.stdout or b'1 processed' in done.stdout


def test_no_json_is_said_to_be_none(blurthumb, tmp_path):
    (tmp_path / 'report').write_bytes(b'nonsense\n{}\n')
    said = re.findall(rb'report: line \d: (.*)', blurthumb('--merge-reports', 'report').stderr)
    assert len(said) == 2 and said[0] != said[1]


@pytest.mark.parametrize('said, code, counts', (
    ('processed skipped', 0, {'processed': 1}),
    ('processed verified', 0, {'processed': 1}),
    ('processed processed', 0, {'processed': 1}),
    ('processed failed', 1, {'failed': 1}),
    ('processed planned', 0, {'planned': 1}),
    ('failed processed', 0, {'processed': 1}),
    ('failed skipped', 0, {'skipped': 1}),
    ('skipped verified', 0, {'verified': 1}),
    ('orphan', 0, {'orphans': 1}),
    ('removed', 0, {'orphans': 1, 'removed': 1}),
    ('anything', 1, {'failed': 1}),
))
def test_what_counts_of_all_that_was_said_of_a_picture(blurthumb, tmp_path, said, code, counts):
    told = [{'event': 'picture', 'status': status, 'path': 'a', 'result': 'b'} for status in said.split()]
    done = blurthumb('--merge-reports', '--json', report(tmp_path, *told, {'event': 'end', 'workers': 1}))
    end = events(done.stdout)[-1]
    names = 'processed', 'verified', 'skipped', 'planned', 'orphans', 'removed', 'failed'
    assert {name: end[name] for name in names if end.get(name)} == counts
    assert done.returncode == code


@pytest.mark.parametrize('status', ('planned', 'orphan', 'removed'))
def test_picture_that_is_said_to_have_a_result_but_names_none(blurthumb, tmp_path, status):
    told = {'event': 'picture', 'status': status, 'path': 'a'}, {'event': 'end', 'workers': 1}
    assert events(blurthumb('--merge-reports', '--json', report(tmp_path, *told)).stdout)[-1]['failed'] == 1


@pytest.mark.parametrize('end, code', (({}, 0), ({'signal': 15}, 1), ({'error': 'no space'}, 1)))
def test_run_that_ended_early(blurthumb, tmp_path, end, code):
    done = blurthumb('--merge-reports', report(tmp_path, {'event': 'end', 'workers': 1, **end}))
    assert done.returncode == code and done.stderr.count(b'\n') == code
    assert end.get('error', '').encode() in done.stderr


def test_no_report(blurthumb):
    done = blurthumb('--merge-reports')
    assert done.returncode == 2 and b'--merge-reports' in done.stderr
    done = blurthumb('--merge-reports', 'nothing')
    assert done.returncode == 3 and b'nothing' in done.stderr


def hostile_names(n):
    """Names of all that a file system takes."""
    chance = random.Random(5)
    parts = [b'\n', b'\r', b'\t', b'\033[2J', b'\033]0;owned\007', b'\xff', b'\xc3', b'\xc2\x9b31m', b'"', b"'", b'<b>',
             b'&amp;', b'\\', b'%41', b'#', b'?', b'{"a":1}', b'\xe2\x80\xa8', b'\xe2\x80\xae', b' ', b'-', b'$(x)', b'`',
             '東京'.encode(), b'\xf0\x9f\x98\x80', b'\x7f', b'x' * 50]
    for i in range(n):
        middle = b''.join(chance.choices(parts, k=chance.randrange(1, 5)))
        name = b'%d%s' % (i, middle)
        yield (name.ljust(251, b'y') if i % 100 == 0 else name)[:251] + b'.jpg'


def test_hostile_names_pass_unharmed(photo, tmp_path):
    """Through list, JSON, progress and gallery: as sources whose results are there."""
    os.makedirs(tmp_path / 'in')
    photo('one.jpg', size=(2, 2))
    subprocess.run([PROGRAM, '-q', 'one.jpg'], cwd=tmp_path, check=True)
    names = list(hostile_names(MANY))
    assert len(set(names)) == MANY
    root = os.fsencode(tmp_path)
    for folder, one in (b'in', 'one.jpg'), (b'processed/in', 'processed/one.jpg'):
        os.makedirs(os.path.join(root, folder), exist_ok=True)
        for i, name in enumerate(names):
            path = os.path.join(root, folder, name)
            if i % 50_000 == 0:
                shutil.copy2(tmp_path / one, path)  # with its record
                first = path
            else:
                os.link(first, path)
    done = subprocess.run([PROGRAM, '-0', '--files-from', '-', '--json', '--progress', 'always', '--gallery', '-v'],
                          input=b'\0'.join(b'in/' + name for name in names), capture_output=True, cwd=tmp_path)
    assert done.returncode == 0
    told = events(done.stdout)
    assert {name_of(e)[3:] for e in told[1:-1]} == set(names) and told[-1]['skipped'] == MANY
    assert {name_of(e, 'result') for e in told[1:-1]} == {b'processed/in/' + name for name in names}
    assert re.fullmatch(rb'[ -~\n]*', done.stderr)
    page = (tmp_path / 'processed/index.html').read_bytes().decode('utf-8')
    links = re.findall(r'class="mat" href="([^"]*)"', page)
    assert {urllib.parse.unquote_to_bytes(html.unescape(link)) for link in links} == {b'./in/' + name for name in names}
    assert not re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]', page)


def test_progress_where_there_is_no_terminal(blurthumb, photo):
    photo('in/a.jpg')
    assert blurthumb('in').stderr == b''
    assert blurthumb('-f', '--progress', 'auto', 'in').stderr == b''
    assert blurthumb('-f', '--progress', 'always', 'in').stderr == b''  # over before a line is due
    assert b'\r' not in blurthumb('-f', '--progress', 'always', 'in').stdout


@pytest.mark.parametrize('value', ('', 'yes', 'AUTO '))
def test_bad_progress(blurthumb, value):
    done = blurthumb('--progress', value)
    assert done.returncode == 2 and b'--progress takes auto, always or never' in done.stderr


def in_terminal(folder, *arguments, **environment):
    """All that a run writes to a terminal of its own."""
    pid, master = os.forkpty()
    if pid == 0:
        os.chdir(folder)
        os.execve(PROGRAM, [PROGRAM, *arguments], {**os.environ, 'TERM': 'xterm', **environment})
    written = b''
    try:
        while chunk := os.read(master, 65536):
            written += chunk
    except OSError:
        pass
    os.close(master)
    return os.waitpid(pid, 0)[1], written


def test_terminal(testdata, tmp_path):
    os.symlink(testdata / 'photos', tmp_path / 'in')
    code, written = in_terminal(tmp_path, '--exact', '--sigma', '40', 'in')
    assert code == 0 and b'\r' in written and b'ETA' in written and b'/12 pictures' in written  # all are found
    last = written.rpartition(b'\033[K')[2]
    assert re.fullmatch(rb'12 processed, 0 skipped, 0 failed in .*\r\n', last)
    for arguments, environment in ((('--progress', 'never'), {}), ((), {'TERM': 'dumb'}), (('-q',), {}), (('--json',), {})):
        code, written = in_terminal(tmp_path, '-f', *arguments, 'in', **environment)
        assert code == 0 and b'\033' not in written and b'ETA' not in written


def test_no_colour(photo, tmp_path):
    photo('in/a.jpg', *(f'in/{i}.jpg' for i in range(8)), size=(1600, 1200))
    (tmp_path / 'in/z.jpg').write_bytes(b'\xff\xd8\xff' + bytes(5_000_000))
    code, coloured = in_terminal(tmp_path, '--exact', '--sigma', '100', 'in')
    code, plain = in_terminal(tmp_path, '-f', '--exact', '--sigma', '100', 'in', NO_COLOR='1')
    assert b'\033[31m1 failed' in coloured and b'1 failed' in plain and b'\033[31m' not in plain
