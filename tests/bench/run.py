# SPDX-License-Identifier: MIT
"""Runs commands and says what they took.

Linux counts what a process has in memory before exec as its own: `largest_mb` is never below what
this program has itself. So neither Pillow nor numpy is imported here.
"""
import contextlib
import dataclasses
import os
import pathlib
import resource
import shutil
import time

PERIOD = 0.005


class Failed(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Sample:
    """One run: seconds of the wall clock and of the processors, and its largest process."""
    wall: float
    cpu: float
    largest_mb: float


def start(command, environment):
    """Standard output is not kept; errors are seen."""
    silence = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    return os.posix_spawnp(str(command[0]), [str(word) for word in command],
                           {**os.environ, **environment}, file_actions=silence)


def check(status, command):
    if status != 0:
        raise Failed(f'{command[0]}: exit status {os.waitstatus_to_exitcode(status)}')


def least_mb():
    """What `largest_mb` cannot be below."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def timed(command, environment, output):
    """Descendants count in both when somebody waited for them."""
    empty(output)
    before = time.perf_counter()
    _, status, usage = os.wait4(start(command, environment), 0)
    wall = time.perf_counter() - before
    check(status, command)
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def tree(pid):
    yield pid
    for thread in pathlib.Path(f'/proc/{pid}/task').iterdir():
        for child in (thread / 'children').read_text().split():
            yield from tree(int(child))


def proportional_mb(pid):
    """Resident memory, pages in several processes shared out among them."""
    for line in pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
        if line.startswith('Pss:'):
            return int(line.split()[1]) / 1024
    return 0


def sum_mb(command, environment, output):
    """The most memory that all processes of a run have at once, looked at every PERIOD seconds: too seldom
    for a run of a few hundredths. Not for timing."""
    empty(output)
    pid, most = start(command, environment), 0
    while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0:
        # A process may end between two looks at it.
        with contextlib.suppress(OSError):
            most = max(most, sum(map(proportional_mb, tree(pid))))
        time.sleep(PERIOD)
    check(ended[1], command)
    return most
