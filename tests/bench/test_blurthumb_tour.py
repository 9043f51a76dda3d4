# SPDX-License-Identifier: MIT
"""blurthumb-tour: what each chapter prints, in which order, and what becomes of pictures."""
import os
import pathlib
import re
import subprocess

from PIL import Image

PROGRAM = os.environ['BT_BLURTHUMB_TOUR']
PHOTOS = pathlib.Path(__file__).resolve().parents[2] / 'testdata' / 'photos'
CHAPTERS = ['process', 'serial', 'start', 'join', 'ten', 'submit', 'completed', 'map', 'pictures']
HANG_GUARD_S = 120


def tour(*arguments, code=0, **options):
    done = subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=HANG_GUARD_S, **options)
    assert done.returncode == code
    assert bool(done.stderr) == bool(code)
    return done.stdout


def finished(out):
    return [float(seconds) for seconds in re.findall(r'^Finished in ([\d.]+) seconds$', out, re.M)]


def results(out):
    return re.findall(r'^Done sleeping ([\d.]+)$', out, re.M)


def test_all_chapters_in_their_order():
    out = tour()
    assert re.findall(r'^(\w+): ', out, re.M) == CHAPTERS
    assert len(finished(out)) == len(CHAPTERS)


def test_serial_sleeps_add_up():
    out = tour('serial')
    sleeps = re.findall('^(?:Sleeping ([0-9.]+)|Done)', out, re.M)
    assert sleeps == ['0.2', '', '0.3', ''] and finished(out)[0] >= 0.5


def test_a_process_has_no_argument_or_one_and_is_a_child():
    out = tour('process')
    assert re.findall('^Sleeping ([0-9.]+)', out, re.M) == ['0.1', '0.15']
    assert len(set(re.findall(r'^Done sleeping in process (\d+)$', out, re.M))) == 2


def test_only_who_joins_waits():
    """Of two processes the results come before the end with a join, and after it without."""
    joined, started = tour('join'), tour('start')
    assert joined.rindex('Done') < joined.index('Finished') and started.index('Done') > started.index('Finished')
    assert joined.count('Done') == started.count('Done') == 2 and finished(joined)[0] >= 0.2


def test_ten_at_once_with_their_table():
    out = tour('ten')
    table = re.findall(r'^sleeper-(\d) +(\d+) +(\d+)$', out, re.M)
    assert [line[0] for line in table] == list('0123456789')
    assert len({line[1] for line in table}) == 10 and len({line[2] for line in table}) == 1
    assert {line[1] for line in table} == set(re.findall(r'^Done sleeping in process (\d+)$', out, re.M))


def test_results_as_they_complete_and_in_order():
    assert results(tour('submit')) == ['0.1']
    assert results(tour('completed')) == ['0.1', '0.2', '0.3', '0.4', '0.5']
    assert results(tour('map')) == ['0.5', '0.4', '0.3', '0.2', '0.1']


def test_real_lengths():
    out = tour('--real', 'submit')
    assert results(out) == ['1'] and finished(out)[0] >= 1


def test_pictures_are_processed_in_order(tmp_path):
    broken = tmp_path / 'broken\x1b.jpg'
    broken.write_bytes(b'no picture')
    photos = [PHOTOS / 'sea.jpg', broken, PHOTOS / 'city.jpg', PHOTOS / 'sea.jpg']
    out = tour('pictures', *photos, env={**os.environ, 'TMPDIR': str(tmp_path)})
    lines = re.findall(r'^(/.*?): (.*)$', out, re.M)
    assert [pathlib.Path(name).name for name, _ in lines] == ['sea.jpg', 'broken\\x1b.jpg', 'city.jpg', 'sea.jpg']
    assert [end == 'processed' for _, end in lines] == [True, False, True, True]
    [folder] = tmp_path.glob('blurthumb-tour-*')
    for number in ('1', '3', '4'):
        [result] = folder.glob(f'{number}-*')
        with Image.open(result) as image:
            assert image.format == 'JPEG' and max(image.size) <= 1200


def test_usage():
    assert tour('--no-such', code=2) == tour('no-such-picture.jpg', code=2) == ''
    assert tour('--version').startswith('blurthumb-tour ')
    assert re.findall(r'^  (\w+) +\w', tour('--help'), re.M) == CHAPTERS
