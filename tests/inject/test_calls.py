# SPDX-License-Identifier: MIT
"""Each system call of the supervisor, failing: the batch ends, and says what is true.

The matrix is made from what an undisturbed run does: each call, each thing that it may say
(errnos.py), at several of its occurrences. With BT_INJECT_ALL=1 these are all pairs of an errno and
an occurrence; else each errno and each occurrence is in one pair, and the scenarios take one
in four of them in turns.
"""
import os
import signal
import subprocess

import pytest

import strace
from batch import SCENARIOS, Batch
from errnos import DISK_FULL, ERRNOS, MEMORY

# Without memory glib, or the loader, ends the process.
ABORTS = -signal.SIGABRT, -signal.SIGTRAP, 127
# A sanitizer's memory is its own: without it, it ends the process with exit code 1.
UNDISTURBED = set(MEMORY) if 'BT_SANITIZED' in os.environ else set()
ALL = os.environ.get('BT_INJECT_ALL') == '1'
STRIDE = 40 if 'BT_BRIEF' in os.environ else 4


def pairs(errnos, positions):
    if ALL:
        return [(errno, position) for position in positions for errno in errnos]
    n = max(len(errnos), len(positions))
    return [(errnos[i % len(errnos)], positions[i % len(positions)]) for i in range(n)]


def matrix(trace, number):
    for call in sorted(trace.names - UNDISTURBED):
        cells = pairs(ERRNOS[call], trace.positions(call)) if ERRNOS[call] else []
        for errno, position in cells if ALL else cells[number % min(STRIDE, len(cells) or 1)::STRIDE]:
            yield call, errno, position


def unheard(done, descriptor):
    """Where words to standard output or standard error were lost: of the first it must say so, of the
    other nobody can."""
    if done.code == 0 or descriptor == '1' and 'cannot write to standard output' not in ''.join(done.errors[-1:]):
        yield f'words are lost without a word: exit {done.code}, {done.errors}'


def is_fatal(errno, sentence):
    """Whether a batch that has begun may end at this: each further picture would meet it, or there is no output
    folder with a key."""
    words = 'libvips', 'cannot write to standard output', 'cannot make out', 'out/.blurthumb:'
    return errno in (*DISK_FULL, 'EMFILE', 'ENFILE') or any(word in sentence for word in words)


def complaints(batch, trace, call, errno, position):
    batch.prepare()
    try:
        done = batch.disturbed(trace, call, errno if '=' in errno else f'error={errno}', position)
    except subprocess.TimeoutExpired:
        yield 'hangs'
        return
    aborted = call in MEMORY and done.code in ABORTS
    may_leave = aborted or call == 'unlinkat'
    descriptor = strace.injected(batch.log).partition(',')[0] if call == 'write' else None
    if done.code not in (0, 1, 3, 75) and not aborted:
        yield f'exit {done.code}'
    if len(done.failed) > batch.scenario.broken + 1:
        yield f'{len(done.failed)} failures of one call: {done.errors}'
    if done.code in (3, 75) and done.summary and not is_fatal(errno, done.errors[-1]):
        yield f'one call ended the batch: {done.errors}'
    if descriptor in ('1', '2'):
        yield from unheard(done, descriptor)
    else:
        yield from batch.untrue(done)
        yield from batch.unsound(done)
    yield from batch.stray(may_leave)
    yield from batch.left_running()
    yield from batch.unfinished(may_leave)


@pytest.mark.parametrize('number, scenario', enumerate(SCENARIOS), ids=[scenario.name for scenario in SCENARIOS])
def test_each_call_failing(number, scenario, tmp_path):
    batch = Batch(scenario, tmp_path)
    trace = batch.trace()
    assert trace.names <= set(ERRNOS), 'a call without an entry in errnos.py'
    wrong = [f'{cell}: {found}' for cell in matrix(trace, number) for found in complaints(batch, trace, *cell)]
    assert not wrong, '\n'.join(wrong)
