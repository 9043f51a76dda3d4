# SPDX-License-Identifier: MIT
"""Pictures that want more memory, pixels, bytes or time than they may have."""
import io
import os
import re
import signal
import struct
import time
import zlib

import pytest
from batch import POLL_S, fault, send, wait_until
from PIL import Image

MEMORY = 256_000_000
N_WORKERS = 2
LIMITED = f'--memory={MEMORY}', f'-j{N_WORKERS}'
STOPPED_S = 4  # longer than the limit

sanitized = pytest.mark.skipif('BT_SANITIZED' in os.environ, reason='sanitizers are not limited')


def zeros(n):
    """So many zeros, as zlib packs them."""
    packer, piece = zlib.compressobj(1), bytes(1 << 20)
    packed = [packer.compress(piece) for _ in range(n >> 20)]
    return b''.join(packed + [packer.compress(bytes(n & (1 << 20) - 1)), packer.flush()])


def png(side, interlaced):
    """Grey, all black; the rows of each pass of an interlaced one begin with a byte of their own."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    n = sum(len(range(y, side, down)) * (1 + len(range(x, side, across)))
            for x, y, across, down in (passes if interlaced else [(0, 0, 1, 1)]))

    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', side, side, 8, 0, 0, 0, interlaced)) +
            chunk(b'IDAT', zeros(n)) + chunk(b'IEND', b''))


def gif(side):
    return (b'GIF89a' + struct.pack('<HH', side, side) + b'\x80\0\0' + bytes(6) + b',' +
            struct.pack('<HHHHB', 0, 0, side, side, 0) + b'\x02\x02\x44\x01\0;')


def saved(picture, *arguments, **options):
    file = io.BytesIO()
    picture.save(file, *arguments, **options)
    return file.getvalue()


def webp(side):
    """Says that it is larger than it is."""
    content = saved(Image.new('RGB', (16, 16)), 'WEBP', lossless=True)
    at = content.index(b'VP8L') + 9
    return content[:at] + struct.pack('<I', (side - 1) | (side - 1) << 14) + content[at + 4:]


def progressive(width, height):
    return saved(Image.linear_gradient('L').resize((width, height)).convert('RGB'), 'JPEG', progressive=True,
                 subsampling=0)


def progressive_that_lies(side):
    content = progressive(64, 64)
    at = content.index(b'\xff\xc2') + 5
    return content[:at] + struct.pack('>HH', side, side) + content[at + 4:]


def memory_of(pid):
    try:
        with open(f'/proc/{pid}/status', encoding='ascii') as status:
            found = re.search(r'RssAnon:\s*(\d+) kB', status.read())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) * 1024 if found else 0


def watch_memory(run):
    """What the workers together had at most, looked at all the time until the run is over."""
    most = 0
    while run.process.poll() is None:
        most = max(most, sum(map(memory_of, run.workers())))
        time.sleep(POLL_S)
    return most


def add(batch, name, content):
    """A picture more, whose result is that of a run without limits; it is the first to be done."""
    batch.put(name, content)
    alone = batch.run('--serial', '--memory=0', '-o', 'alone', paths=(f'in/{name}',))
    assert alone.code == 0, alone.err
    batch.results[name] = (batch.folder / 'alone' / name).read_bytes()
    batch.sizes[name] = len(content)


NEEDS = 'takes about .* of memory'


@sanitized
def test_bombs_fail_alone(batch):
    """All at once, among pictures that do no harm."""
    bombs = {'progressive.jpg': (progressive_that_lies(30000), NEEDS), 'interlaced.png': (png(12000, True), NEEDS),
             'canvas.gif': (gif(20000), NEEDS), 'lies.webp': (webp(16383), 'memory')}
    for name, (content, _) in bombs.items():
        batch.put(name, content)
        batch.results[name] = None
    run = batch.start(*LIMITED)
    most = watch_memory(run)
    batch.check(run.finish(), {name: reason for name, (_, reason) in bombs.items()})
    assert most < N_WORKERS * MEMORY


@sanitized
def test_large_pictures_that_go_row_by_row_are_done(batch):
    add(batch, 'rows.png', png(10000, False))
    run = batch.start(*LIMITED)
    most = watch_memory(run)
    batch.check(run.finish())
    assert most < N_WORKERS * MEMORY


HEAVY = {'progressive.jpg': lambda: progressive(6000, 4000), 'interlaced.png': lambda: png(5000, True)}


@sanitized
@pytest.mark.parametrize('name', HEAVY)
def test_picture_that_needs_more_than_a_share_goes_last_and_alone(batch, name):
    add(batch, name, HEAVY[name]())
    size = batch.sizes[name]
    run = batch.start(*LIMITED)
    most = watch_memory(run)
    batch.check(run.finish())
    assert most < N_WORKERS * MEMORY
    assert [(event.point, event.size) for event in run.events()][-2:] == [(b'task', size), (b'reply', size)]


@sanitized
def test_picture_that_goes_last_and_a_list_that_ends_later(batch):
    """Nothing is in work and nothing else waits when the list turns out to be over."""
    batch.put('progressive.jpg', HEAVY['progressive.jpg']())
    path = batch.folder / 'list'
    os.mkfifo(path)
    with open(path, 'r+b', buffering=0) as writer:
        run = batch.start(*LIMITED, '--files-from', path, paths=())
        writer.write(b'in/progressive.jpg\n')
        wait_until(lambda: run.events('reply'))
        time.sleep(0.5)  # until it was put aside
    run.finish()
    assert (run.code, batch.counts(run)) == (0, (1, 0, 0)), run.err


def test_too_many_pixels(batch):
    """The others have as many as are allowed."""
    batch.put('large.jpg', saved(Image.new('RGB', (320, 241)), 'JPEG'))
    batch.results['large.jpg'] = None
    batch.check(batch.run(f'--max-pixels={320 * 240}'), {'large.jpg': '320 x 241 pixels, over the limit'})


def test_too_many_bytes(batch):
    """Nobody reads them."""
    name = batch.largest
    run = batch.run(f'--max-file-size={batch.sizes[name] - 1}')
    batch.check(run, {name: 'larger than --max-file-size'})
    assert not run.events('task', batch.sizes[name])


def test_a_worker_for_each_picture(batch):
    run = batch.run('-j2', '--isolate=picture')
    batch.check(run)
    tasks = run.events('task')
    assert len(tasks) == len({event.pid for event in tasks}) == len(batch.results)


def test_a_worker_for_all_pictures(batch):
    run = batch.run('-j1')
    batch.check(run)
    assert len({event.pid for event in run.events('task')}) == 1


@pytest.mark.parametrize('point', ('task', 'read', 'write', 'reply'))
@pytest.mark.parametrize('jobs', ('-j1', '-j2'))
def test_picture_that_takes_too_long(batch, point, jobs):
    """It is tried twice, with a time of its own."""
    size = batch.sizes[batch.largest]
    begin = time.monotonic()
    run = batch.run(jobs, '--timeout=1', faults=[fault(point, 'hold', size=size, times=2)])
    assert time.monotonic() - begin >= 2
    batch.check(run, {batch.largest: 'time limit|longer than allowed'})
    assert len(run.events('task', size)) == 2


@pytest.mark.parametrize('jobs', ('-j1', '-j2'))
def test_picture_that_takes_too_long_once(batch, jobs):
    size = batch.sizes[batch.largest]
    run = batch.run(jobs, '--timeout=1', faults=[fault('read', 'hold', size=size)])
    batch.check(run)
    assert len(run.events('task', size)) == 2


@pytest.mark.parametrize('jobs', ('-j1', '-j2'))
def test_time_in_which_the_batch_is_stopped_does_not_count(batch, jobs):
    """The picture has had a part of its time before, and needs no more after."""
    size = batch.sizes[batch.largest]
    run = batch.start(jobs, '--timeout=2', faults=[fault('read', 'hold', size=size)])
    run.struck()
    pids = [run.process.pid, *run.workers()]
    for pid in pids:
        send(pid, signal.SIGSTOP)
    time.sleep(STOPPED_S)
    run.release()
    for pid in reversed(pids):
        send(pid, signal.SIGCONT)
    batch.check(run.finish())
    assert len(run.events('task', size)) == 1


@pytest.mark.parametrize('jobs', ('-j1', '-j2'))
def test_supervisor_alone_is_stopped(batch, jobs):
    """Its workers wait with their answers meanwhile."""
    size = batch.sizes[batch.largest]
    run = batch.start(jobs, '--timeout=2', faults=[fault('read', 'hold', size=size)])
    run.struck()
    send(run.process.pid, signal.SIGSTOP)
    time.sleep(STOPPED_S)
    send(run.process.pid, signal.SIGCONT)
    run.release()
    batch.check(run.finish())
    assert len(run.events('task', size)) == 1


def test_worker_that_takes_too_long_to_start(batch):
    batch.check(batch.run('-j2', '--timeout=1', faults=[fault('ready', 'hold', times=2)]))
