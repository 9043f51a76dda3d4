# SPDX-License-Identifier: MIT
"""What is done when: the order of work, by how many workers, and when a batch ends."""
import os
import re
import resource
import signal
import time

import pytest
from PIL import Image

POLL_S = 0.002
SLOW = '--exact', '--sigma', '60'  # half a second and more for a picture of 3000 x 3000


def n_workers(done):
    return int(re.search(rb'(\d+) workers?\)', done.stdout)[1])


def opened_by(process):
    """The paths of what a process has open."""
    folder = f'/proc/{process.pid}/fd'
    for name in os.listdir(folder):
        try:
            yield os.readlink(os.path.join(folder, name))
        except FileNotFoundError:
            pass


def link_many(folder, n, original):
    for i in range(n):
        os.link(original, os.path.join(folder, f'{i:0200}.jpg'))


def test_a_giant_that_is_found_last_does_not_go_last(blurthumb, photo):
    photo(*(f'in/{i}.jpg' for i in range(300)))
    photo('in/sub/giant.jpg', size=(4000, 3000))
    lines = blurthumb('-j1', '-v', 'in').stdout.splitlines()
    assert lines.index(b'in/sub/giant.jpg was processed...') < 150


@pytest.mark.parametrize('n', (1, 3))
def test_no_more_workers_than_pictures(blurthumb, photo, n):
    photo(*(f'in/{i}.jpg' for i in range(n)))
    assert 1 <= n_workers(blurthumb('-j8', 'in')) <= n


def test_no_worker_without_a_picture(blurthumb, photo):
    photo('in/a.jpg')
    blurthumb('in')
    assert n_workers(blurthumb('-j8', 'in')) == 0


def test_source_that_is_replaced_while_it_waits_in_line(start, photo, tmp_path):
    photo('in/large.jpg', size=(3000, 3000))
    photo('in/small.jpg', colour=(250, 0, 0))
    photo('new.jpg', colour=(0, 250, 0))
    process = start('-j1', *SLOW, 'in')
    while str(tmp_path / 'in' / 'small.jpg') not in opened_by(process):
        assert process.poll() is None
        time.sleep(POLL_S)
    assert not (tmp_path / 'processed' / 'large.jpg').exists()
    (tmp_path / 'new.jpg').rename(tmp_path / 'in' / 'small.jpg')
    assert process.wait() == 0
    with Image.open(tmp_path / 'processed' / 'small.jpg') as result:
        red, green, _ = result.getpixel((20, 15))
    assert green > 200 > 50 > red


def test_signal_ends_a_scan_that_finds_nothing_to_do(blurthumb, start, photo, tmp_path):
    """Every result is fresh, and the program waits until its output is read: in the midst of a scan."""
    photo('a.jpg')
    (tmp_path / 'in').mkdir()
    link_many(tmp_path / 'in', 20000, tmp_path / 'a.jpg')
    assert blurthumb('-o', 'processed', 'a.jpg').returncode == 0
    link_many(tmp_path / 'processed', 20000, tmp_path / 'processed' / 'a.jpg')
    process = start('-v', 'in')
    process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert 0 < out.count(b'was skipped') < 20000


def test_no_file_may_be_written(blurthumb, photo, files):
    """Each picture fails, or the batch; nobody is killed, and nothing is half there."""
    photo('in/first.jpg', *(f'later/{i}.jpg' for i in range(60)))
    assert blurthumb('in').returncode == 0
    done = blurthumb('later', preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    assert done.returncode in (1, 3, 75) and b'File too large' in done.stderr
    assert files() == [b'first.jpg']
    assert blurthumb('later').returncode == 0 and len(files()) == 61
