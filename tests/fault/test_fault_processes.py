# SPDX-License-Identifier: MIT
"""What happens to processes: to workers, to the supervisor, to what they stand on."""
import errno
import os
import pathlib
import re
import resource
import shutil
import signal
import tempfile
import time

import pytest
from batch import ALWAYS, NO_TMPFILE, PROGRAM, SHIM, fault, files_below
from needs import lack

FATAL = [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGTERM, signal.SIGSYS]


def held(batch, point='read', times=1):
    """The picture that goes first is held at a point, so many times."""
    return fault(point, 'hold', size=batch.sizes[batch.largest], times=times)


@pytest.mark.parametrize('number', FATAL)
def test_killed_worker_costs_nothing(batch, number):
    run = batch.start('-j2', faults=[held(batch)])
    os.kill(run.struck()[0].pid, number)
    batch.check(run.finish())
    attempts = run.events('task', batch.sizes[batch.largest])
    assert len({event.pid for event in attempts}) == 2


@pytest.mark.parametrize('jobs', ('-j1', '-j2'))
@pytest.mark.parametrize('number', (signal.SIGKILL, signal.SIGSEGV))
def test_picture_that_costs_two_workers_fails_alone(batch, jobs, number):
    run = batch.start(jobs, faults=[held(batch, times=2)])
    for i in range(2):
        os.kill(run.struck(n=i + 1)[i].pid, number)
    batch.check(run.finish(), {batch.largest: f'killed by signal {number:d} '})
    batch.check_next_run()


def test_stopped_worker_is_found_by_the_time_limit(batch):
    run = batch.start('-j2', '--timeout', '1', faults=[held(batch)])
    os.kill(run.struck()[0].pid, signal.SIGSTOP)
    run.release()
    batch.check(run.finish())
    assert len(run.events('task', batch.sizes[batch.largest])) == 2


def at(point, action, argument=0, times=1, **more):
    return point, action, argument, times, more


HARMLESS = {
    'dies-when-it-has-the-task': [at('task', 'kill', 9)],
    'leaves-when-it-has-the-task': [at('task', 'exit', 0)],
    'dies-before-it-is-ready': [at('start', 'kill', 9, 3)],
    'leaves-before-it-is-ready': [at('ready', 'exit', 70, 3)],
    'dies-while-it-reads': [at('read', 'kill', signal.SIGSEGV)],
    'dies-before-it-writes': [at('write', 'kill', signal.SIGBUS)],
    'dies-half-way-through-writing': [at('write', 'spoil'), at('write', 'kill', 9, skip=1)],
    'writes-by-halves': [at('write', 'spoil')],
    'is-interrupted-while-it-reads': [at('read', 'fail', errno.EINTR)],
    'is-interrupted-while-it-writes': [at('write', 'fail', errno.EINTR)],
    'dies-between-writing-and-reply': [at('reply', 'kill', 9)],
    'leaves-instead-of-a-reply': [at('reply', 'exit', 7)],
    'talks-nonsense': [at('reply', 'spoil')],
    'closes-its-channel-and-leaves': [at('reply', 'close')],
    'closes-its-channel-and-stays': [at('reply', 'close'), at('reply', 'hold')],
    'replies-and-dies': [at('replied', 'kill', 9)],
    'replies-and-leaves': [at('replied', 'exit', 1)],
    'cannot-be-forked-at-first': [at('fork', 'fail', errno.EAGAIN, 1, skip=1)],
    'cannot-be-forked-but-once': [at('fork', 'fail', errno.ENOMEM, ALWAYS, skip=2)],
    'is-not-watched': [at('fork', 'fail', errno.EAGAIN, 1)],
}

HARMFUL = {
    'leaves-twice': ([at('reply', 'exit', 7, 2)], 'exited with code 7'),
    'talks-nonsense-twice': ([at('reply', 'spoil', 0, 2)], 'invalid reply'),
    'closes-its-channel-twice': ([at('reply', 'close', 0, 2)], 'exited with code 0'),
    'closes-its-channel-and-stays-twice': ([at('reply', 'close', 0, 2), at('reply', 'hold', 0, 2)], 'invalid reply'),
    'cannot-read': ([at('read', 'fail', errno.EIO)], 'Input/output error'),
    'cannot-write': ([at('write', 'fail', errno.EIO)], 'Input/output error'),
}


def faults_of(batch, deeds):
    """Of the worker with the first picture, or of any where there is no picture yet."""
    size = batch.sizes[batch.largest]
    return [fault(point, action, argument, times=times,
                  size=0 if point in ('fork', 'start', 'ready') else size, **more)
            for point, action, argument, times, more in deeds]


@pytest.mark.parametrize('jobs', ('-j1', '-j2'))
@pytest.mark.parametrize('deeds', HARMLESS.values(), ids=HARMLESS.keys())
def test_worker_that(batch, deeds, jobs):
    run = batch.run(jobs, faults=faults_of(batch, deeds))
    batch.check(run)
    assert run.page.arrivals[0] > 0


@pytest.mark.parametrize('jobs', ('-j1', '-j2'))
@pytest.mark.parametrize('deeds, reason', HARMFUL.values(), ids=HARMFUL.keys())
def test_worker_that_to_no_avail(batch, deeds, reason, jobs):
    batch.check(batch.run(jobs, faults=faults_of(batch, deeds)), {batch.largest: reason})
    batch.check_next_run()


def test_reply_of_a_worker_that_died_since_counts(batch):
    run = batch.run('-j1', faults=faults_of(batch, [at('replied', 'kill', 9)]))
    assert len(run.events('task', batch.sizes[batch.largest])) == 1


CRASH_LOOP_LIMIT_S = 90
NOT_LOADED = 127
STRANGER = 43217  # a user who has no other process


def limiting(what, limit):
    return lambda: resource.setrlimit(what, (limit, limit))


def test_end_when_no_worker_lives_or_can_be_had(make_batch, tmp_path):
    """All at once, since it is waiting most of the time."""
    loops = {'killed': fault('start', 'kill', 9, times=ALWAYS), 'exits': fault('ready', 'exit', 70, times=ALWAYS),
             'no-fork': fault('fork', 'fail', errno.EAGAIN, times=ALWAYS),
             'dies-over-each': fault('task', 'kill', signal.SIGSEGV, times=ALWAYS)}
    begin = time.monotonic()
    runs = []
    for name, one in loops.items():
        (tmp_path / name).mkdir()
        batch = make_batch(60, tmp_path / name)
        runs.append((batch, batch.start('-j2', faults=[one])))
    for batch, run in runs:
        assert batch.check_part(run.finish(), 75) == []
        assert re.match('blurthumb: .*(process|workers)', run.err.splitlines()[-1]), run.err
        assert len(run.err.splitlines()) == batch.counts(run)[2] + 1
        batch.check_next_run()
    assert time.monotonic() - begin < CRASH_LOOP_LIMIT_S


def test_few_descriptors(make_batch, tmp_path):
    """It does with them, or ends with one sentence; none makes a picture fail."""
    runs = []
    for limit in range(4, 41):
        (tmp_path / f'{limit}').mkdir()
        batch = make_batch(folder=tmp_path / f'{limit}')
        runs.append((batch, batch.start('-j2', preexec_fn=limiting(resource.RLIMIT_NOFILE, limit))))
    for batch, run in runs:
        if run.finish().code == 0:
            batch.check(run)
        elif run.code != NOT_LOADED:
            batch.check_stopped(run, 'descriptors|Too many open files')
        batch.check_next_run()
    assert runs[-1][1].code == 0


def temporaries(batch):
    return list((batch.folder / 'processed').rglob('.blurthumb-*'))


@pytest.mark.parametrize('named', (False, True), ids=('nameless', 'named'))
@pytest.mark.parametrize('point', ('read', 'write', 'reply'))
def test_killed_supervisor(batch, point, named):
    held_late = fault(point, 'hold', skip=4, times=2)
    run = batch.start('-j2', faults=[held_late] + [NO_TMPFILE] * named)
    run.struck(n=2)
    workers = set(run.members()) - {run.process.pid}
    assert len(workers) == 3  # and the one that watches
    run.process.kill()
    run.finish()
    batch.check_gone(run)
    assert not temporaries(batch)  # a result in work is in memory alone
    for name in set(files_below(batch.folder / 'processed')) & set(batch.results):
        assert (batch.folder / 'processed' / name).read_bytes() == batch.results[name]
    batch.check_next_run('-j2')


def test_killed_supervisor_before_a_result_has_its_name(batch):
    """Where a temporary has a name of its own it is left, and swept by the next run."""
    run = batch.start('-j2', faults=[fault('link', 'hold', skip=4), NO_TMPFILE])
    run.struck()
    run.process.kill()
    run.finish()
    batch.check_gone(run)
    assert len(temporaries(batch)) == 1
    batch.check_next_run('-j2')


def test_killed_supervisor_between_two_names_of_a_result(batch):
    batch.check(batch.run())
    run = batch.start('-j2', '--force', faults=[fault('rename', 'hold', skip=3)])
    run.struck()
    run.process.kill()
    run.finish()
    batch.check_gone(run)
    assert len(temporaries(batch)) == 1
    batch.check(batch.run('--force'))


@pytest.mark.parametrize('named', (False, True), ids=('nameless', 'named'))
@pytest.mark.parametrize('numbers', ([signal.SIGINT], [signal.SIGTERM], [signal.SIGHUP], [signal.SIGINT] * 2,
                                     [signal.SIGTERM] * 2, [signal.SIGHUP] * 2),
                         ids=lambda numbers: '-'.join(number.name for number in numbers))
def test_signal(batch, numbers, named):
    run = batch.start('-j2', faults=[fault('write', 'hold', skip=4, times=ALWAYS)] + [NO_TMPFILE] * named)
    run.struck(n=2)
    for number in numbers:
        run.process.send_signal(number)
    assert 0 < len(batch.check_part(run.finish(), 128 + numbers[0])) < len(batch.results)
    assert run.err == 'blurthumb: interrupted; run it again to do the rest\n'
    batch.check_next_run()


def test_two_signals_at_once(batch):
    """Both are there before the first is looked at."""
    run = batch.start('-j2', faults=[fault('write', 'hold', skip=4, times=ALWAYS)])
    run.struck(n=2)
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCONT):
        run.process.send_signal(number)
    names = batch.check_part(run.finish(), run.process.returncode)
    assert 0 < len(names) < len(batch.results)
    assert run.code in (129, 130, 143)


def closing(fds):
    return lambda: [os.close(fd) for fd in fds]


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
@pytest.mark.parametrize('verbose', ((), ('-v',)), ids=('summary', 'verbose'))
@pytest.mark.parametrize('fds', ((0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)), ids=str)
def test_closed_standard_streams(batch, fds, verbose, jobs):
    run = batch.run(jobs, *verbose, preexec_fn=closing(fds))
    batch.check_gone(run)
    batch.check_results(batch.results)
    assert run.code in ((0, 3) if 1 in fds else (0,))


@pytest.mark.parametrize('jobs', ('--serial', '-j1', '-j2'))
@pytest.mark.parametrize('fds', ((1,), (2,), (1, 2), (0, 1, 2)), ids=str)
def test_no_text_lands_in_a_picture(make_batch, fds, jobs):
    """Files that are opened must not take the place of streams that are closed."""
    batch = make_batch(60)
    flat = [name for name in batch.results if '/' not in name]
    broken = [f'broken-{i}.jpg' for i in range(60)]
    for i, name in enumerate(broken):
        batch.put(name, b'\xff\xd8\xff'.ljust(12000 + 32 * i))
    run = batch.run(jobs, '-v', paths=[f'in/{name}' for name in flat + broken], preexec_fn=closing(fds))
    batch.check_gone(run)
    batch.check_results(flat)
    assert run.code in (1, 3)


@pytest.mark.parametrize('stream', ('stdout', 'stderr'))
@pytest.mark.parametrize('verbose', ((), ('-v',)), ids=('summary', 'verbose'))
def test_reader_that_has_left(batch, verbose, stream):
    """A batch of hours does not end because somebody has seen enough of its lines."""
    batch.put('broken.jpg', b'\xff\xd8\xff no picture')
    reader, writer = os.pipe()
    os.close(reader)
    run = batch.run('-j2', *verbose, **{stream: writer})
    os.close(writer)
    batch.check_gone(run)
    batch.check_results(batch.results)
    assert run.code in (1, 3)


def test_output_on_a_full_device(batch):
    with open('/dev/full', 'wb') as full:
        run = batch.run('-j2', '-v', stdout=full)
    batch.check_gone(run)
    batch.check_results(batch.results)
    assert run.code == 3 and 'standard output' in run.err


@pytest.fixture
def crowded(make_batch):
    """How to start the program as a user who may have so many processes: crowded(n, *arguments)."""
    if os.geteuid() != 0:
        lack('only root can become another user')
    with tempfile.TemporaryDirectory(dir='/tmp') as name:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        batch = make_batch(folder=folder)
        program = shutil.copy(PROGRAM, folder)

        def run(n, *arguments):
            return batch, batch.start(*arguments, program=program, shim=shutil.copy(SHIM, folder), user=STRANGER, group=STRANGER,
                                      extra_groups=[], preexec_fn=limiting(resource.RLIMIT_NPROC, n))
        yield run
        for one in batch.runs:
            one.end()


@pytest.mark.parametrize('jobs', ((), ('-j2',), ('-j8',)), ids=str)
def test_no_process_may_be_had(crowded, jobs):
    """One sentence with the cause, and not all the time of a time limit."""
    batch, run = crowded(0, *jobs)
    run.finish()
    assert run.code in (3, 75)
    assert len(run.err.splitlines()) == 1 and re.search('process', run.err) and 'ulimit -u' in run.err
    assert batch.check_part(run, run.code) == []
    assert crowded(0, '--serial')[1].finish().code == 0


@pytest.mark.parametrize('limit', range(10, 41, 6))
def test_default_jobs_with_few_descriptors(batch, limit):
    """As many workers as can be had, or one sentence."""
    run = batch.run(preexec_fn=limiting(resource.RLIMIT_NOFILE, limit))
    if run.code != 0 and limit < 30:
        assert run.code in (3, NOT_LOADED) and len(run.err.splitlines()) == 1, run.err
    else:
        batch.check(run)
