# SPDX-License-Identifier: MIT
"""Workers die at random, again and again: no picture is lost, none is blamed that is not to blame.

BT_CHAOS=long has many more pictures."""
import os
import random
import signal
import time

import pytest
from batch import ALWAYS, fault, send, wait_until

LONG = os.environ.get('BT_CHAOS') == 'long'
N_PICTURES = 2000 if LONG else 300
N_WORKERS = 4
PERIOD_S = 0.05
PAUSE_S = 0.15
WORK_MS = 40
TIMEOUT = '--timeout=3'


def state_of(pid):
    """A letter, as in proc(5); Z also of a process that is gone."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii') as stat:
            return stat.read().rpartition(')')[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return 'Z'


def picture_of(run, pid):
    """The picture that a worker has, and which attempt it is; (0, 0) where that is not sure."""
    events = run.events()
    own = [event for event in events if event.pid == pid]
    if not own or own[-1].point != b'task':
        return 0, 0
    return own[-1].size, sum(event.point == b'task' and event.size == own[-1].size for event in events)


def kill(pid):
    send(pid, signal.SIGKILL)


def pause(pid):
    time.sleep(PAUSE_S)
    send(pid, signal.SIGCONT)


def disturb(run, deed, spared=()):
    """Does a deed, every PERIOD_S until the run is over, to a worker that is at the first attempt at some
    picture; how often. It is stopped first: what it was seen to do holds until then."""
    choice, n = random.Random(1), 0
    while run.process.poll() is None:
        time.sleep(PERIOD_S)
        workers = run.workers()
        if not workers:
            continue
        pid = choice.choice(workers)
        if state_of(pid) == 'T':
            continue
        send(pid, signal.SIGSTOP)
        wait_until(lambda: state_of(pid) in 'TZX')
        size, attempt = picture_of(run, pid)
        if attempt == 1 and size not in spared:
            deed(pid)
            n += 1
        elif size not in spared:
            send(pid, signal.SIGCONT)
    return n


@pytest.fixture
def busy(make_batch):
    return make_batch(N_PICTURES)


def start(batch, *more):
    """Each picture takes a while, so that most deaths meet one in work."""
    return batch.start(f'-j{N_WORKERS}', TIMEOUT, faults=[fault('write', 'sleep', WORK_MS, times=ALWAYS), *more])


@pytest.mark.parametrize('deed', (kill, pause))
def test_workers_that_die_or_pause_at_random(busy, deed):
    run = start(busy)
    n = disturb(run, deed)
    busy.check(run.finish())
    assert n >= N_PICTURES / 20
    twice = len(run.events('task')) - N_PICTURES
    assert twice > n / 4 if deed is kill else twice == 0


def test_stops_and_deaths_at_once(busy):
    """The time limit ends those that are stopped, with the pictures that stop them twice; the rest is not touched."""
    stopped = random.Random(2).sample(sorted(busy.sizes), 2 * N_WORKERS)
    sizes = [busy.sizes[name] for name in stopped]
    run = start(busy, *(fault('task', 'kill', signal.SIGSTOP, size=size, times=2) for size in sizes))
    disturb(run, kill, sizes)
    busy.check(run.finish(), {name: 'time limit|longer than allowed' for name in stopped})
