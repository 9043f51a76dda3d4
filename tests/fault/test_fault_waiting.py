# SPDX-License-Identifier: MIT
"""A file system that does not answer: it is said which, and the program can be ended all the same."""
import shutil
import signal
import subprocess
import threading
import time

import pytest
from batch import HANG_GUARD_S, fault, files_below, send
from disks import Exfat, Ntfs

FIRST_LINE_GUARD_S = 60
END_GUARD_S = 60
LONG_S = 5  # longer than it takes to say so


@pytest.fixture(params=(pytest.param(Ntfs, marks=pytest.mark.needs('ntfs-3g')),
                        pytest.param(Exfat, marks=pytest.mark.needs('exfat-fuse'))), ids=('ntfs', 'exfat'))
def away(request, tmp_path):
    """A disk whose server is stopped: away.stop(); at the end it goes on."""
    disk = request.param(tmp_path / 'image', tmp_path / 'disk')
    daemon = disk.daemon()
    disk.stop = lambda: send(daemon, signal.SIGSTOP)
    disk.go_on = lambda: send(daemon, signal.SIGCONT)
    yield disk
    disk.go_on()
    disk.unmount()


class Listener:
    """What a run says on standard error, while it runs."""

    def __init__(self, run):
        self.lines = []
        self.thread = threading.Thread(target=self.read, args=(run.process.stderr,), daemon=True)
        self.thread.start()

    def read(self, stream):
        for line in stream:
            self.lines.append(line.decode())

    def wait_for(self, what):
        deadline = time.monotonic() + FIRST_LINE_GUARD_S
        while not any(what in line for line in self.lines):
            assert time.monotonic() < deadline, f'not a word: {self.lines}'
            time.sleep(0.02)


def end(run, disk, number):
    """Its exit code. The kernel keeps a process that was killed while it has a file open on a disk that wants to be
    told when one is closed, until that answers."""
    run.process.send_signal(number)
    deadline = time.monotonic() + END_GUARD_S
    while run.process.poll() is None:
        assert time.monotonic() < deadline, 'it cannot be ended'
        if time.monotonic() > deadline - END_GUARD_S + LONG_S:
            assert is_killed(run.process.pid)
            disk.go_on()
        time.sleep(0.02)
    return run.process.returncode


def is_killed(pid):
    """Whether SIGKILL was sent to a process, or it has taken it already."""
    status = dict(line.split(':\t', 1) for line in open(f'/proc/{pid}/status') if ':\t' in line)
    pending = int(status['SigPnd'], 16) | int(status['ShdPnd'], 16)
    return pending >> signal.SIGKILL - 1 & 1 == 1 or status['State'][0] in 'DXZ'


def stall(run, disk):
    """Stops the disk while a picture is held, and lets the picture go on. What the kernel still knows of
    the disk must not be enough."""
    run.struck()
    subprocess.run(['sh', '-c', 'echo 2 > /proc/sys/vm/drop_caches'], check=False, stderr=subprocess.DEVNULL)
    disk.stop()
    run.release()


@pytest.mark.parametrize('number', (signal.SIGINT, signal.SIGTERM, signal.SIGHUP), ids=lambda number: number.name)
@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_results_disk(batch, away, jobs, number):
    """In the middle of a run: whole results only, and another run does the rest."""
    point = fault('link' if jobs == '--serial' else 'reply', 'hold', skip=4)
    run = batch.start('-o', 'disk/out', jobs, faults=[point])
    listener = Listener(run)
    stall(run, away)
    listener.wait_for('disk/out')
    assert end(run, away, number) in (-signal.SIGKILL, 128 + number)
    away.go_on()
    batch.check_gone(run)
    found = {name for name in files_below(away.folder / 'out') if not name.split('/')[-1].startswith('.blurthumb')}
    assert 0 < len(found) < len(batch.results)
    for name in found:
        assert (away.folder / 'out' / name).read_bytes() == batch.results[name]
    done = batch.run('-o', 'disk/out')
    assert done.code == 0 and batch.counts(done) == (len(batch.results) - len(found), len(found), 0)


def test_sources_disk(batch, away):
    """While their folders are read, or the sources themselves."""
    output = batch.folder / 'out'
    shutil.copytree(batch.folder / 'in', away.folder / 'in')
    run = batch.start('-j2', '-o', output, faults=[fault('link', 'hold', skip=7)], paths=('disk/in',))
    listener = Listener(run)
    stall(run, away)
    listener.wait_for('disk/in')
    assert end(run, away, signal.SIGINT) in (-signal.SIGKILL, 130)
    away.go_on()
    batch.check_gone(run)
    found = {name: content for name, content in files_below(output).items() if name in batch.results}
    assert 0 < len(found) and [name for name in found if found[name] != batch.results[name]] == []
    assert set(files_below(output)) - set(found) == {'.blurthumb'}


def test_disk_that_answers_again(batch, away):
    """One line, and the run goes on as if nothing had been."""
    run = batch.start('-o', 'disk/out', '-j2', faults=[fault('reply', 'hold', skip=4)])
    listener = Listener(run)
    stall(run, away)
    listener.wait_for('disk/out')
    away.go_on()
    assert run.process.wait(timeout=HANG_GUARD_S) == 0
    listener.thread.join()
    assert len(listener.lines) == 1
    assert batch.counts(batch.run('-o', 'disk/out')) == (0, len(batch.results), 0)


def test_no_line_where_nothing_waits(batch):
    """A picture that takes its time is no file system's fault."""
    run = batch.start('-j2', '--timeout=0', faults=[fault('read', 'hold')])
    run.struck()
    time.sleep(LONG_S)
    run.release()
    batch.check(run.finish())
    assert run.err == ''


def test_no_line_where_the_batch_is_stopped(batch):
    """In the middle of a call, too."""
    run = batch.start('-j2', '--timeout=0', faults=[fault('link', 'hold', skip=6)])
    run.struck()
    send(run.process.pid, signal.SIGSTOP)
    time.sleep(LONG_S)
    run.release()
    send(run.process.pid, signal.SIGCONT)
    batch.check(run.finish())
    assert run.err == ''
