# SPDX-License-Identifier: MIT
"""A signal at any call: the batch ends by it, what is there is whole, the next run does the rest."""
import signal

import pytest

from batch import SCENARIOS, Batch

N_MOMENTS = 10


def moments(trace):
    """Calls, evenly spaced over the run, each as its name and which of its occurrences it is."""
    seen = {}
    for name, _, _ in trace.calls:
        seen[name] = seen.get(name, 0) + 1
        yield name, seen[name]


def complaints(batch, trace, number, call, position):
    batch.prepare()
    done = batch.disturbed(trace, call, f'signal={number.name}', position)
    # Before they are blocked, and once they are let through at the end, signals kill as ever.
    if done.code not in (128 + number, -number, int(batch.scenario.broken)):
        yield f'exit {done.code}'
    if done.code == 128 + number and 'interrupted' not in ''.join(done.errors):
        yield f'not a word of it: {done.errors}'
    yield from batch.untrue(done)
    yield from batch.unsound(done)
    yield from batch.stray(may_leave=done.code == -number)
    yield from batch.left_running()
    yield from batch.unfinished(may_leave=done.code == -number)


@pytest.mark.parametrize('scenario', SCENARIOS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize('number', (signal.SIGINT, signal.SIGTERM))
def test_signal_at_a_call(scenario, number, tmp_path):
    batch = Batch(scenario, tmp_path)
    trace = batch.trace()
    every = [*moments(trace)]
    chosen = every[number % 7::len(every) // N_MOMENTS]
    wrong = [f'{moment}: {found}' for moment in chosen for found in complaints(batch, trace, number, *moment)]
    assert not wrong, '\n'.join(wrong)


@pytest.mark.parametrize('errno', ('EMFILE', 'ENODEV'))
def test_batch_that_cannot_hear_signals_does_not_begin(errno, tmp_path):
    """It blocks them: without the descriptor that they come by nobody could end it."""
    batch = Batch(SCENARIOS[0], tmp_path)
    trace = batch.trace()
    batch.prepare()
    done = batch.disturbed(trace, 'signalfd4', f'error={errno}', 1)
    assert (done.code, done.processed) == (3, [])
    assert done.errors and done.errors[-1].startswith('blurthumb: ')
