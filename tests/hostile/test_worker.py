# SPDX-License-Identifier: MIT
"""Workers that were taken over (hostile.h): what a picture can do that has its decoder do as it likes. In a
folder with sound ones it costs itself, and what README says that it may cost is shown here, too."""
import fcntl
import io
import json
import os
import re
import subprocess
import time
import unicodedata

import pytest
from PIL import Image

PROGRAM, HOSTILE = os.environ['BT_BLURTHUMB'], os.environ['BT_HOSTILE']
GUARD_S = 60
N_GOOD = 4
BOX_BYTES = 1200 * 1200 * 10 + (64 << 20)  # of a result, at most
SECRET = 'sesame-2f81c0aa-opens-it'
NOT_OURS = os.environ.get('MUST_WORK') != '1'

REPLY = 'sent an invalid reply'
SENSE = 'answer makes no sense'
LATE = 'took longer than allowed'
FORBIDDEN = 'killed by signal 31 '

sanitized = pytest.mark.skipif('BT_SANITIZED' in os.environ, reason='sanitizers are not limited')


def encoded(seed, format, **options):
    file = io.BytesIO()
    picture = Image.linear_gradient('L').resize((320, 240)).rotate(seed).convert('RGB')
    picture.save(file, format, **options)
    return file.getvalue()


def sound(seed, format='JPEG'):
    return encoded(seed, format)


def hostile(order, weight=0):
    """A JPEG with an order; the heavier the earlier."""
    return encoded(7, 'JPEG', comment=f'hostile:{order}:0:'.encode()) + bytes(100_000 + 1000 * weight)


def ppm(order):
    """Done by libvips, and written as PPM."""
    return f'P6\n# hostile:{order}:0:\n320 240\n255\n'.encode() + bytes(3 * 320 * 240)


def bmp(order):
    """Done by libvips, and not written: its worker chooses JPEG."""
    file = io.BytesIO()
    Image.new('RGB', (40, 30), 'red').save(file, 'BMP')
    return file.getvalue() + f'hostile:{order}:0:'.encode()


def names_of(orders):
    return {order: f'{i:02}-{order.replace(":", "=")}.jpg' for i, order in enumerate(orders)}


class Done:
    def __init__(self, process, seconds, folder):
        self.code, self.seconds, self.folder = process.returncode, seconds, folder
        self.output, self.errors = process.stdout, process.stderr
        self.results = {path.name: path.read_bytes() for path in (folder / 'out').glob('*') if path.name[0] != '.'}

    @property
    def events(self):
        return [json.loads(line) for line in self.output.splitlines()]

    def pictures(self):
        """name -> event, of which there is one for each."""
        found = {}
        for event in self.events:
            if event['event'] == 'picture':
                assert found.setdefault(os.path.basename(event['path']), event) is event
        return found

    def messages(self):
        return {name: event.get('message') for name, event in self.pictures().items()}


def run(folder, sources, *arguments, program=HOSTILE, json=True, environment=None, paths=('in',)):
    (folder / 'in').mkdir(exist_ok=True)
    for name, content in sources.items():
        (folder / 'in' / name).write_bytes(content)
    begin = time.monotonic()
    process = subprocess.run([program, *(['--json'] if json else []), '-o', 'out', *arguments, *paths], cwd=folder,
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=GUARD_S,
                             env={**os.environ, **(environment or {})})
    return Done(process, time.monotonic() - begin, folder)


def check(done, sources, expected, good):
    """expected: name -> None where it is done, else what it fails with; good: name -> result."""
    pictures = done.pictures()
    failed = {name: why for name, why in expected.items() if why is not None}
    assert pictures.keys() == sources.keys() == {*expected, *good}
    failed_messages = {name: event['message'] for name, event in pictures.items() if event['status'] == 'failed'}
    assert failed_messages.keys() == failed.keys(), {name: failed_messages.get(name) for name in
                                                    failed_messages.keys() ^ failed.keys()}
    done_names = {name for name, event in pictures.items() if event['status'] == 'processed'}
    assert done_names == pictures.keys() - failed.keys()
    for name, why in failed.items():
        assert re.search(why, pictures[name]['reason'] + ': ' + pictures[name]['message']), (name, pictures[name])
    last = done.events[-1]
    assert (last['event'], last['processed'], last['failed']) == ('end', len(sources) - len(failed), len(failed))
    assert done.code == (1 if failed else 0)
    assert sorted(os.listdir(done.folder)) == ['in', 'out']
    assert {path.name: path.read_bytes() for path in (done.folder / 'in').iterdir()} == sources
    assert len(done.results) == len(sources) - len(failed)
    assert {name: done.results.get(name) for name in good} == good


@pytest.fixture(scope='module')
def good(tmp_path_factory):
    """name -> (source, result) of sound pictures, by the program itself."""
    sources = {f'good-{i}.jpg': sound(40 + i) for i in range(N_GOOD)}
    done = run(tmp_path_factory.mktemp('good'), sources, program=PROGRAM)
    assert done.code == 0
    return {name: (sources[name], done.results[name]) for name in sources}


@pytest.fixture(scope='module')
def own(tmp_path_factory):
    """The result of a picture with an order, if that were not obeyed."""
    done = run(tmp_path_factory.mktemp('own'), {'a.jpg': hostile('none')}, program=PROGRAM)
    assert done.code == 0
    return done.results['a.jpg']


@pytest.fixture(scope='module', autouse=True)
def lockable(tmp_path_factory):
    done = run(tmp_path_factory.mktemp('lockable'), {'a.jpg': sound(1)}, '--sandbox=require', program=PROGRAM)
    if done.code != 0:
        (pytest.skip if NOT_OURS else pytest.fail)(done.errors)


def try_all(folder, good, orders, *arguments):
    """Every order once, among sound pictures; what is left of the result of each."""
    names = names_of(orders)
    lies = {names[order]: hostile(order) for order in orders}
    sources = {**lies, **{name: source for name, (source, _) in good.items()}}
    done = run(folder, sources, *arguments)
    check(done, sources, {names[order]: why for order, why in orders.items()},
          {name: result for name, (_, result) in good.items()})
    return done, names


MODES = '--isolate=batch', '--isolate=picture'

# What is answered, and what it is taken for; None: its own picture is done.
ANSWERS = {
    'format:0': SENSE, 'format:2': SENSE, 'format:3': SENSE, 'format:99': SENSE, 'format:0xffffffff': SENSE,
    'reason:1': '^empty: unasked', 'reason:5': '^broken: unasked', 'reason:9': '^write: unasked',
    'reason:10': SENSE, 'reason:11': SENSE, 'reason:12': '^preview: unasked', 'reason:13': SENSE, 'reason:0xffffffff': SENSE,
    'reason:7': '^heavy: unasked', 'heavy:0': '^heavy', 'heavy:1': '^heavy',
    'heavy:0xffffffffffffffff': '^heavy',
    'source:0': SENSE, 'source:-1': SENSE, 'source:2147483647': SENSE, 'source:319': SENSE, 'source:1': SENSE,
    'source:320': None,
    'out:0': SENSE, 'out:-1': SENSE, 'out:321': SENSE, 'out:1201': SENSE, 'out:2147483647': SENSE, 'out:1': None,
    'shrink:-1': SENSE, 'shrink:321': SENSE, 'shrink:2147483647': SENSE, 'shrink:320': None,
    'pages:-1': SENSE, 'pages:2147483647': None,
    'decode:0xffffffffffffffff': SENSE, 'kernel:66400000000000': SENSE, 'encode:100000000000': SENSE,
    'memory:0xffffffffffffffff': None, 'loader': SENSE, 'sentence': SENSE, 'zeros': SENSE, 'ones': SENSE,
    'size:0': SENSE, 'size:1': SENSE, 'size:639': SENSE, 'size:65536': SENSE,
}


@pytest.mark.parametrize('mode', MODES)
def test_answers(tmp_path, good, own, mode):
    done, names = try_all(tmp_path, good, ANSWERS, '-j2', mode)
    assert {done.results[names[order]] for order, why in ANSWERS.items() if why is None} == {own}


FRAMES = {
    'other-task:1': REPLY, 'other-task:-1': REPLY, 'other-task:0x8000000000000000': REPLY,
    'answer-as:0': REPLY, 'answer-as:1': REPLY, 'answer-as:2': REPLY, 'answer-as:3': REPLY, 'answer-as:5': REPLY,
    'ready': REPLY, 'unfit': REPLY, 'magic': REPLY, 'short:3': REPLY, 'short:0': 'worker: ', 'wrong-size:5': REPLY,
    'wrong-size:0xffffffff': REPLY, 'long:65536': SENSE, 'long:65537': REPLY, 'long:100000': REPLY,
    'twice': None, 'flood:3000': None, 'hang-up': 'exited with code', 'hang-up:30': REPLY,
}


@pytest.mark.parametrize('mode', MODES)
def test_frames(tmp_path, good, own, mode):
    done, names = try_all(tmp_path, good, FRAMES, '-j2', mode)
    assert {done.results[names[order]] for order, why in FRAMES.items() if why is None} == {own}


def test_descriptors_with_an_answer_go_nowhere(tmp_path, good):
    """Not even where there are as many as the supervisor may have."""
    orders = {'descriptors': REPLY}
    orders.update({f'descriptors:{i}': REPLY for i in range(8)})
    names = names_of(orders)
    sources = {**{names[order]: hostile(order) for order in orders}, **{name: one for name, (one, _) in good.items()}}
    (tmp_path / 'in').mkdir()
    for name, content in sources.items():
        (tmp_path / 'in' / name).write_bytes(content)
    process = subprocess.run(['sh', '-c', 'ulimit -n 34; exec "$0" "$@"', HOSTILE, '--json', '-j1', '-o', 'out', 'in'],
                             cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=GUARD_S)
    done = Done(process, 0, tmp_path)
    check(done, sources, {names[order]: why for order, why in orders.items()},
          {name: result for name, (_, result) in good.items()})


CALLS = {
    **dict.fromkeys(('open', 'create', 'reopen', 'open-memory'), 'tried: EACCES'),
    **dict.fromkeys(('socket', 'fork', 'exec', 'kill', 'kill-thread', 'trace', 'read-other', 'outlive', 'unlink',
                     'link', 'mode', 'times', 'attribute', 'allocate', 'code', 'seal:1', 'lock', 'append'), FORBIDDEN),
    'memory-file': 'tried: EPERM',
    'terminal': 'tried: done',
}


@pytest.mark.parametrize('mode', MODES)
def test_calls(tmp_path, good, mode):
    """None leads out; what is written to the standard descriptors goes nowhere."""
    done, _ = try_all(tmp_path, good, CALLS, '-j2', mode)
    assert b'owned' not in done.output + done.errors


FILES = {
    'fill': f'EFBIG after {BOX_BYTES} bytes',
    'cut:0x10000000000': 'tried: cut EFBIG',
    f'cut:{BOX_BYTES + 1}': 'tried: cut EFBIG',
    'nothing': SENSE,
    'much:0x10000000000': 'tried: cut EFBIG',
    'offsets': None,
    'garbage': None,
}


@pytest.mark.parametrize('mode', MODES)
def test_files(tmp_path, good, own, mode):
    done, names = try_all(tmp_path, good, FILES, '-j2', mode)
    assert [done.results[names[order]] for order, why in FILES.items() if why is None] == [own] * 2


def test_result_as_large_as_can_be(tmp_path, good):
    """It is the worker's to say what is in its own result."""
    done, names = try_all(tmp_path, good, {f'much:{BOX_BYTES}': None}, '-j2')
    assert len(done.results[names[f'much:{BOX_BYTES}']]) == BOX_BYTES


def test_result_that_is_written_to_while_it_is_copied(tmp_path, good):
    """What was published has the length that its record and the events say, and stays as it is."""
    orders = [f'write-on:{i}' for i in range(12)]
    names = names_of(orders)
    sources = {**{names[order]: hostile(order) for order in orders}, **{name: one for name, (one, _) in good.items()}}
    done = run(tmp_path, sources, '-j2')
    for name, event in done.pictures().items():
        assert event['status'] == 'processed' or event['reason'] in ('worker', 'store'), event
        assert (event['status'] == 'processed') == (name in done.results)
        if event['status'] == 'processed':
            assert len(done.results[name]) == event['result_bytes'] > 0
    assert {name: done.results[name] for name in good} == {name: result for name, (_, result) in good.items()}
    again = run(tmp_path, {}, program=PROGRAM)
    assert {name for name, event in again.pictures().items() if event['status'] == 'skipped'} == done.results.keys()


KEPT = 'tried: write EPERM, grow EPERM, cut EPERM, map EACCES'


@pytest.mark.parametrize('options, kept, reopened', (
    ([], KEPT, 'tried: open EACCES, write -'),
    (['--sandbox=off'], KEPT, 'tried: open done, write EPERM'),
    (['--isolate=picture'], 'tried: nothing was kept', 'tried: open EACCES, write -'),
), ids=('batch', 'off', 'picture'))
def test_published_result_stays(tmp_path, own, options, kept, reopened):
    """However a worker kept what it wrote into; and by no other way, where there is no sandbox."""
    done = run(tmp_path, {'a.jpg': hostile('keep', 3), 'b.jpg': hostile('tell-reopened', 2),
                          'c.jpg': hostile('tell-kept', 1)}, '-j1', *options)
    assert done.messages() == {'a.jpg': None, 'b.jpg': reopened, 'c.jpg': kept}
    assert done.results == {'a.jpg': own}


def test_results_that_are_kept_keep_no_memory(tmp_path):
    """What counts as nobody's memory would be without bound."""
    orders = 'fill-hoard', f'result-hoard:{BOX_BYTES}', 'fill-hoard', f'result-hoard:{BOX_BYTES}', 'tell-hoard'
    sources = {f'{i}.jpg': hostile(order, 9 - i) for i, order in enumerate(orders)}
    done = run(tmp_path, sources, '-j1')
    assert done.messages()['4.jpg'] == 'tried: 4 files of 0 bytes, 0 writable'
    assert [len(result) for result in done.results.values()] == [BOX_BYTES] * 2


def test_lying_format_takes_no_other_name(tmp_path):
    """The result of a.jpg as PNG would be that of a.jpg.png where names get an ending."""
    sources = {'a.jpg': hostile('format:2'), 'a.jpg.png': sound(1, 'PNG'), 'a.png': sound(2, 'PNG')}
    alone = run(tmp_path, {name: sources[name] for name in ('a.jpg.png', 'a.png')}, program=PROGRAM)
    assert alone.code == 0
    (tmp_path / 'again').mkdir()
    for folder, arguments in ((tmp_path, ()), (tmp_path / 'again', ())):
        done = run(folder, sources, *arguments)
        assert done.results == alone.results
        assert SENSE in done.messages()['a.jpg']


@pytest.mark.parametrize('order, result', (('none', 'a.bmp.jpg'), ('format:1', 'a.bmp.jpg'), ('format:2', 'a.bmp.png'),
                                           ('format:0', None), ('format:3', None), ('format:10', None)))
def test_choice_of_a_format_is_one_of_two(tmp_path, order, result):
    done = run(tmp_path, {'a.bmp': bmp(order)}, '--allow=bmp')
    assert list(done.results) == ([result] if result else [])
    assert done.code == (0 if result else 1)


def test_chosen_format_replaces_nothing_foreign(tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'a.bmp.png').write_bytes(b'mine')
    done = run(tmp_path, {'a.bmp': bmp('format:2')}, '--allow=bmp')
    assert done.results == {'a.bmp.png': b'mine'}
    assert done.pictures()['a.bmp']['reason'] == 'foreign'


@pytest.mark.parametrize('order', ('reason:10', 'reason:11', 'format:2', 'source:0', 'size:1', 'exit:0'))
def test_formats_of_libvips_are_no_weaker(tmp_path, order):
    sources = {'a.ppm': ppm(order), 'b.png': sound(3, 'PNG')}
    done = run(tmp_path, sources, '--allow=ppm')
    events = done.pictures()
    assert events['b.png']['status'] == 'processed'
    assert events['a.ppm']['status'] == 'failed'
    assert done.events[-1]['processed'] + done.events[-1]['failed'] == 2


@pytest.mark.parametrize('number', (10, 11, 13))
def test_checked_result_that_lies(tmp_path, good, number):
    """A result that was planted takes over the worker that verifies it: counted, once."""
    sources = {'a.jpg': hostile(f'plant:{number}'), **{name: source for name, (source, _) in good.items()}}
    assert run(tmp_path, sources).code == 0
    done = run(tmp_path, {}, '--verify')
    last = done.events[-1]
    assert (done.code, last['verified'], last['failed']) == (1, N_GOOD, 1)
    assert done.pictures()['a.jpg']['reason'] == 'worker'


MEMORY = 200_000_000


@sanitized
@pytest.mark.parametrize('way', ('private', 'later-writable', 'break', 'remap', 'stacks'))
def test_memory_is_limited(tmp_path, good, way):
    """A worker has its own share, not that of all, whatever limit it could move."""
    sources = {'a.jpg': hostile(f'touch-{way}:{1 << 30}'), **{name: source for name, (source, _) in good.items()}}
    done = run(tmp_path, sources, f'--memory={MEMORY}', '-j2', '--timeout=30')
    touched = re.fullmatch(r'tried: touched (\d+): (ENOMEM|EAGAIN)', done.messages()['a.jpg'])
    assert touched and int(touched[1]) <= MEMORY
    assert len(done.results) == N_GOOD


@pytest.mark.parametrize('way', ('shared', 'growing'))
def test_memory_that_no_limit_counts_is_none(tmp_path, good, way):
    sources = {'a.jpg': hostile(f'touch-{way}:{1 << 32}'), **{name: source for name, (source, _) in good.items()}}
    done = run(tmp_path, sources, f'--memory={MEMORY}', '-j2')
    assert FORBIDDEN in done.messages()['a.jpg']
    assert len(done.results) == N_GOOD


@sanitized
def test_memory_of_page_tables_is_limited(tmp_path):
    least = 128 << 20
    done = run(tmp_path, {'a.jpg': hostile(f'touch-tables:{least + (16 << 20)}')}, f'--memory={least}', '-j1')
    touched = re.fullmatch(r'tried: touched (\d+)', done.messages()['a.jpg'])
    assert touched and int(touched[1]) <= least


def test_claimed_figures_stay_within_limits(tmp_path, good):
    """A million pixels are allowed: nothing that a worker says makes the batch look faster."""
    orders = {'source:20000': SENSE, 'source:1000': None, 'source:1001': SENSE, 'kernel:0xffffffffffffffff': SENSE}
    done, _ = try_all(tmp_path, good, orders, '-j2', '--max-pixels=1000000')
    last = done.events[-1]
    assert last['pixels'] == 1_000_000 + N_GOOD * 320 * 240
    assert sum(last.get(f'{part}_seconds', 0) for part in ('decode', 'kernel', 'encode')) <= 2 * last['elapsed_seconds']
    text = run(tmp_path, {}, '-j2', '--max-pixels=1000000', '--force', json=False).output.decode()
    speed, unit = re.search(r'([\d.]+)(k?) MP/s', text).groups()
    assert float(speed) * (1000 if unit else 1) < 1e6


def has_control(text):
    return any(unicodedata.category(letter) in ('Cc', 'Zl', 'Zp') for letter in text if letter != '\n')


def test_text_is_text(tmp_path):
    """On the terminal, in events and on the page; whatever bytes a worker sends."""
    sources = {'a.jpg': hostile('escapes:0'), 'b.jpg': hostile('escapes:1')}
    done = run(tmp_path, sources, '--gallery')
    assert not has_control(done.output.decode()) and not has_control(done.errors.decode())
    assert '\x1b]0;owned' in done.messages()['a.jpg'] and '\x9b2J' in done.messages()['a.jpg']
    page = (tmp_path / 'out' / 'index.html').read_bytes()
    assert b'owned' in page and b'<script>\xe2' not in page and b'\x1b' not in page
    text = run(tmp_path, {}, '--force', '-v', json=False)
    assert b'owned' in text.errors and not has_control((text.output + text.errors).decode())
    assert '\u202e' not in text.errors.decode()
    assert text.errors.count(b'\n') == 1


TIMES = {'sleep:600000': LATE, 'stop': LATE, 'spin': LATE, 'exit:0': 'exited with code 0', 'exit:3': 'exited with code 3',
         'crash:11': 'signal 11 ', 'crash:6': 'signal 6 ', 'crash:9': 'signal 9 '}


@pytest.mark.parametrize('mode', MODES)
def test_workers_that_do_not_answer(tmp_path, good, mode):
    """Each is tried twice."""
    done, names = try_all(tmp_path, good, TIMES, '-j2', '--timeout=1', mode)
    for order, why in TIMES.items():
        seconds = done.pictures()[names[order]]['elapsed_seconds']
        assert 2 <= seconds < 20 if why == LATE else seconds < 20, order


@pytest.mark.parametrize('option, status', (('--timeout=1', 'failed'), ('--timeout=30', 'processed'),
                                            ('--timeout=0', 'processed')))
def test_time_limit_is_the_one_that_was_given(tmp_path, option, status):
    done = run(tmp_path, {'a.jpg': hostile('sleep:1800')}, option)
    assert done.pictures()['a.jpg']['status'] == status
    assert done.pictures()['a.jpg'].get('reason') == ('worker' if status == 'failed' else None)


def spoiled(done, good):
    return sorted(name for name, (_, result) in good.items() if done.results.get(name) != result)


def test_taken_over_worker_can_spoil_what_it_is_given_later(tmp_path, good):
    """As README says: within its box, under the names of these pictures. One worker, so it is given all. The largest
    picture, which is named first, is done first."""
    first = {'first.jpg': sound(3) + bytes(300_000)}
    sources = {**first, 'a.jpg': hostile('take-over'), **{name: source for name, (source, _) in good.items()}}
    done = run(tmp_path, sources, '-j1', paths=[f'in/{name}' for name in sources])
    assert done.code == 0
    assert spoiled(done, good) == sorted(good)
    assert {done.results[name] for name in good} == {b'spoiled'}
    (tmp_path / 'alone').mkdir()
    assert done.results['first.jpg'] == run(tmp_path / 'alone', first, program=PROGRAM).results['first.jpg']
    assert {path.name: path.read_bytes() for path in (tmp_path / 'in').iterdir()} == sources


@pytest.mark.parametrize('jobs', ('-j1', '-j2'))
def test_worker_for_each_picture_can_spoil_its_own_alone(tmp_path, good, jobs):
    sources = {'a.jpg': hostile('take-over'), **{name: source for name, (source, _) in good.items()}}
    done = run(tmp_path, sources, jobs, '--isolate=picture')
    assert done.code == 0
    assert spoiled(done, good) == []


def test_answers_ahead_are_those_of_a_worker_that_is_given_more(tmp_path, good):
    """Whether they are taken or end the worker: no picture is lost or counted twice, and none has a result
    that it was not given."""
    sources = {'a.jpg': hostile('ahead:3'), **{name: source for name, (source, _) in good.items()}}
    for options in (['-j1'], ['-j2'], ['-j1', '--isolate=picture']):
        done = run(tmp_path, sources, '--force', *options)
        assert done.pictures().keys() == sources.keys()
        assert done.events[-1]['processed'] + done.events[-1]['failed'] == len(sources)
        for name in good:
            assert done.results.get(name) in (good[name][1], None)
        if '--isolate=picture' in options:
            assert spoiled(done, good) == []


def test_liar_is_given_nothing_more(tmp_path, good):
    """It would spoil what comes later; an answer that makes no sense ends it."""
    sources = {'a.jpg': hostile('take-over', 2), 'b.jpg': hostile('format:2', 1),
               **{name: source for name, (source, _) in good.items()}}
    done = run(tmp_path, sources, '-j1')
    assert SENSE in done.messages()['b.jpg']
    assert spoiled(done, good) == []
    (tmp_path / 'mapped').mkdir()
    sources['b.jpg'] = hostile('keep-mapping', 1)
    done = run(tmp_path / 'mapped', sources, '-j1')
    assert SENSE in done.messages()['b.jpg']
    assert spoiled(done, good) == []


@pytest.mark.parametrize('module', (False, True), ids=('plain', 'libvips'))
def test_environment_is_not_to_be_found(tmp_path, module):
    sources = {'a.ppm': ppm('find-secret')} if module else {'a.jpg': hostile('find-secret')}
    done = run(tmp_path, sources, '--allow=ppm', environment={'BT_HOSTILE_SECRET': SECRET, 'ANOTHER': SECRET})
    assert list(done.messages().values()) == [f'tried: {len(SECRET)} bytes found 0 times in 1']


def test_secret_that_is_no_variable_would_be_found(tmp_path):
    """The search does find what is there: here among the arguments."""
    done = run(tmp_path, {'a.jpg': hostile('find-secret')}, f'--suffix={SECRET}', '--name={stem}{suffix}.{ext}',
               environment={'BT_HOSTILE_SECRET': SECRET})
    assert re.search(r'bytes found [1-9]\d* times in 1', done.messages()['a.jpg'])


def test_names_can_be_read(tmp_path, good):
    """As README says: a worker is a copy of the supervisor, which knew them."""
    sources = {'a.jpg': hostile('find-name', 9), 'witness-1.jpg': sound(5)}
    done = run(tmp_path, sources, '-j1')
    assert done.messages()['a.jpg'] == 'tried: name found: yes'
    (tmp_path / 'other').mkdir()
    done = run(tmp_path / 'other', {'a.jpg': hostile('find-name', 9), 'other.jpg': sound(5)}, '-j1')
    assert done.messages()['a.jpg'] == 'tried: name found: no'


# Without a sandbox all is possible that the user may do; what the supervisor checks still holds.
UNLOCKED = {'offsets': None, 'garbage': None, 'lock': None, 'append': None, 'seal:2': None, 'seal:4': None,
            'seal:1': SENSE, 'seal:8': None, 'nothing': SENSE, 'fill': 'EFBIG',
            'cut:0x10000000000': 'cut EFBIG', 'format:2': SENSE, 'reason:10': SENSE, 'twice': None, 'ready': REPLY,
            'socket': 'tried: done', 'terminal': 'tried: done'}


def test_without_a_sandbox_the_supervisor_believes_no_more(tmp_path, good, own):
    done, names = try_all(tmp_path, good, UNLOCKED, '-j2', '--sandbox=off')
    assert {done.results[names[order]] for order, why in UNLOCKED.items() if why is None} == {own}
    assert b'owned' not in done.output + done.errors
    for path in (tmp_path / 'in').iterdir():
        with open(path, 'rb') as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_source_is_not_written_to_where_there_is_a_sandbox(tmp_path):
    """The program, run by its owner, could."""
    done = run(tmp_path, {'a.jpg': hostile('reopen')})
    assert done.messages()['a.jpg'] == 'tried: EACCES'
    (tmp_path / 'off').mkdir()
    done = run(tmp_path / 'off', {'a.jpg': hostile('reopen')}, '--sandbox=off')
    assert done.messages()['a.jpg'] == 'tried: done'
