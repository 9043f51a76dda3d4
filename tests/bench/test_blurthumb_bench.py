# SPDX-License-Identifier: MIT
"""blurthumb-bench: figures against an outside clock, outputs, the page in a browser, failures and
interruptions."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'cli'))

from browser import Page  # noqa: E402

PROGRAM = os.environ['BT_BLURTHUMB_BENCH']
BLURTHUMB = os.environ['BT_BLURTHUMB']
PHOTOS = ROOT / 'testdata' / 'photos'
PEER = ROOT / 'tests' / 'bench' / 'python_program.py'
TIME = '/usr/bin/time'
HANG_GUARD_S = 300
STOP_GUARD_S = 60
TRIES = 5
N_FEW = 4
QUICK = '--rounds', '3', '--seconds', '0'


def bench(*arguments, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=HANG_GUARD_S, **options)


def events_of(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows_of(events):
    return {event['row']: event for event in events if event['event'] == 'row'}


def samples_of(events, row):
    return [event for event in events if event['event'] == 'sample' and event['row'] == row]


@pytest.fixture(scope='module')
def few(tmp_path_factory):
    """A folder of a few photos, so that other programs do not take minutes."""
    folder = tmp_path_factory.mktemp('few')
    for photo in sorted(PHOTOS.glob('*.jpg'), key=lambda path: path.stat().st_size)[:N_FEW]:
        shutil.copy(photo, folder)
    return folder


@pytest.fixture(scope='module')
def studied(few, tmp_path_factory):
    """One study with a command beside it that works, and one that does not: its result and its page."""
    folder = tmp_path_factory.mktemp('studied')
    scratch = folder / 'scratch'
    scratch.mkdir()
    done = bench(*QUICK, '-j', '2,1', '--json', '--html', folder / 'page.html', '--scratch', scratch,
                 '--compare', f'Python={sys.executable} {PEER} {{jobs}} {{out}} {{in}}/*.jpg',
                 '--compare', 'broken=echo first >&2; echo "no <such> thing" >&2; exit 3', few)
    assert not list(scratch.iterdir())
    return done, folder / 'page.html'


def test_study_tells_every_sample(studied):
    events = events_of(studied[0])
    assert [event['event'] for event in (events[0], events[-1])] == ['start', 'end']
    assert list(rows_of(events)) == ['serial', '1 worker', '2 workers', 'Python', 'broken']
    for row in ('serial', '1 worker', '2 workers', 'Python'):
        samples = samples_of(events, row)
        assert [sample['round'] for sample in samples] == [1, 2, 3]
        assert all(sample['wall_seconds'] > 0 and sample['cpu_seconds'] > 0 for sample in samples)
    assert {sample['processed'] for sample in samples_of(events, '2 workers')} == {N_FEW}
    assert rows_of(events)['Python']['results'] == N_FEW
    ratio = rows_of(events)['Python']['ratio']
    assert 1 < ratio['low'] <= ratio['value'] <= ratio['high']


def test_medians_are_those_of_the_samples(studied):
    events = events_of(studied[0])
    walls = sorted(sample['wall_seconds'] for sample in samples_of(events, 'serial'))
    assert rows_of(events)['serial']['median_seconds'] == pytest.approx(walls[1], rel=1e-6)


def test_failing_command_is_told_and_not_averaged(studied):
    done, page = studied
    events = events_of(done)
    assert done.returncode == 1
    assert rows_of(events)['broken']['failure'] == 'exit status 3: no <such> thing'
    assert 'median_seconds' not in rows_of(events)['broken'] and not samples_of(events, 'broken')
    assert 'no &lt;such&gt; thing' in page.read_text()


def test_figures_stay_with_their_units(studied):
    page = studied[1].read_text()
    told = re.search('</style>(.*)<div class="charts">', page, re.S)[1]
    assert re.search('[0-9]\N{NO-BREAK SPACE}(%|[kMGT]B)', told) and not re.search('[0-9] (%|ms|[kMGT]B)', told)


def test_command_that_fails_later_is_not_averaged(few, tmp_path):
    count = tmp_path / 'count'
    done = bench(*QUICK, '-j1', '--json', '--compare', f'late=echo >> {count}; test $(wc -l < {count}) -lt 4', few)
    row = rows_of(events_of(done))['late']
    assert done.returncode == 1 and row['failure'] == 'exit status 1' and 'median_seconds' not in row
    assert len(count.read_text()) == 4


def test_failing_pictures_are_told(tmp_path):
    shutil.copy(PHOTOS / 'balloons.jpg', tmp_path)
    (tmp_path / 'broken.jpg').write_bytes(b'\xff\xd8\xff nothing')
    done = bench(*QUICK, '-j1', tmp_path)
    assert done.returncode == 0 and re.search('^  serial: 1 .*failed', done.stdout, re.M)


def test_options_behind_dashes_are_blurthumbs():
    done = bench(*QUICK, '-j1', '--json', PHOTOS / 'balloons.jpg', '--', '--sigma', '5', '-Q90')
    assert done.returncode == 0
    assert ' --sigma 5 -Q90 ' in rows_of(events_of(done))['serial']['command']
    done = bench(*QUICK, '-j1', PHOTOS, '--', '--no-such-option')
    assert done.returncode == 1 and re.search('^  serial: .*exit status 2', done.stdout, re.M)


def test_terminal_has_a_line_for_each_row_and_what_limits(few):
    out = bench(*QUICK, '-j1', few).stdout
    for row in ('serial', '1 worker'):
        assert len(re.findall(f'^{row} .*[0-9]', out, re.M)) == 3
    limits = out.partition('\nWhat limits more workers\n')[2].partition('\nWarnings\n')[0]
    assert 1 <= len(re.findall(r'^  ', limits, re.M)) <= 3


def test_cold_reads_again_or_says_that_it_cannot(few, tmp_path):
    shutil.copytree(few, tmp_path / 'in')
    os.sync()
    done = bench(*QUICK, '-j1', '--json', '--cold', tmp_path / 'in')
    events = events_of(done)
    warned = any('Not cold' in event['message'] for event in events if event['event'] == 'warning')
    assert done.returncode == 0
    assert warned or all(sample['read_bytes'] > 0 for sample in samples_of(events, 'serial'))


@pytest.mark.needs('time')
def test_figures_agree_with_an_outside_clock(few, tmp_path):
    """time(1) stands between the two, so it is around the very same runs; it is one process more.
    Beside the workers there are the supervisor and its watcher."""
    log, wrapper = tmp_path / 'log', tmp_path / 'wrapper'
    wrapper.write_text(f'#!/bin/sh\nexec {TIME} -a -o {log} -f "%e %U %S %M" {BLURTHUMB} "$@"\n')
    wrapper.chmod(0o755)
    for attempt in range(TRIES):
        log.unlink(missing_ok=True)
        done = bench(*QUICK, '-j2', '--json', '--blurthumb', wrapper, few, '--', '--exact')
        assert done.returncode == 0
        events = events_of(done)
        serial, parallel = samples_of(events, 'serial'), samples_of(events, '2 workers')
        # The first three are of --version and of the round that does not count.
        outside = [[float(word) for word in line.split()] for line in log.read_text().splitlines()][3:]
        ours = [sample for pair in zip(serial, parallel) for sample in pair]
        assert len(ours) == len(outside) == 6
        agree = all(abs(sample['wall_seconds'] - wall) < 0.06
                    and abs(sample['cpu_seconds'] - user - system) < 0.05 * (user + system) + 0.03
                    and sample['largest_bytes'] == pytest.approx(1024 * largest, rel=0.05)
                    for sample, (wall, user, system, largest) in zip(ours, outside))
        if agree:
            break
    assert agree
    assert [rows_of(events)[row]['processes'] for row in ('serial', '2 workers')] == [1 + 2, 1 + 2 + 2]


def test_noop_tells_rate_and_quantiles():
    out = bench('--noop', '2000', '-j2').stdout
    for line in ('1 at once', '4 at once'):
        rate, *quantiles = map(float, re.search(f'^{line} +(.*)$', out, re.M)[1].split())
        assert rate > 100 and quantiles == sorted(quantiles) and len(quantiles) == 4


def processes_with(text):
    found = []
    for process in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            if text.encode() in (process / 'cmdline').read_bytes():
                found.append(process.name)
        except OSError:
            pass
    return found


@pytest.mark.parametrize('number, code', ((signal.SIGINT, 130), (signal.SIGTERM, 143)))
@pytest.mark.parametrize('command', (None, 'left={out}/none; sleep 987 & setsid sleep 987 {out} & wait'))
def test_interruption_leaves_nothing(few, tmp_path, number, code, command):
    others = ['--compare', f'other={command}'] if command else []
    process = subprocess.Popen([PROGRAM, '-q', '-j2', '--scratch', tmp_path, *others,
                                *((few,) if command else (PHOTOS, '--', '--exact', '--sigma', '200'))],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + STOP_GUARD_S
        while not (processes_with('sleep\x00987') if command else list(tmp_path.glob('*/results/*.jpg'))):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=STOP_GUARD_S)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, err) == (code, b'', b'')
    assert not list(tmp_path.iterdir())
    assert not processes_with(str(tmp_path)) and not processes_with('sleep\x00987')


def test_usage():
    for arguments in ((), ('--jobs', '0', '.'), ('--compare', 'nothing', '.'),
                      ('--no-such',), ('--rounds',), ('--noop', '0')):
        done = bench(*arguments)
        assert done.returncode == 2 and done.stdout == ''
        assert re.fullmatch(r'blurthumb-bench: .+\n', done.stderr)
    assert bench('--blurthumb', '/nowhere', '.').returncode == 3
    assert bench('--scratch', '/nowhere', '.').returncode == 3
    assert bench('--version').stdout.startswith('blurthumb-bench ')


@pytest.mark.needs('chromium')
@pytest.mark.parametrize('width', (400, 1400))
def test_page_in_a_browser(studied, tmp_path, width):
    page = Page(studied[1], tmp_path, width, 2000)
    charts = re.findall(r'<svg viewBox="[^"]*" role="img" aria-label="([^"]+)">(.*?)</svg>', page.dom, re.S)
    assert len(charts) == 4
    assert all(re.search('<(rect|circle) ', shapes) for _, shapes in charts)
    assert 'nan' not in page.dom and '<script' not in page.dom
    assert page.console == [] and page.requests == []
