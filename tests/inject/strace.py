# SPDX-License-Identifier: MIT
"""The calls of the supervisor, by strace: recorded, made to fail, or met by a signal.

strace follows the first process alone, which is the supervisor: workers are never disturbed. It
counts a call from the start of the process, we from the first that is the program's own: those
before it are the dynamic loader's, and the same in each run.
"""
import collections
import re

MARKER = 'sched_getaffinity'
LINE = re.compile(r'(\w+)\((.*)\) += (.*)')


class Trace:
    """What a run did: .calls in order, as (name, arguments, result), and .names of all. A call that is younger than
    this strace has no name to it but syscall_0x1d0; it cannot be disturbed, and so is not among the calls."""

    def __init__(self, log):
        lines = [found.groups() for line in log.read_text(errors='replace').splitlines() if (found := LINE.match(line))]
        start = next(i for i, (name, _, _) in enumerate(lines) if name == MARKER)
        self.before = collections.Counter(name for name, _, _ in lines[:start])
        self.calls = [line for line in lines[start:] if not line[0].startswith('syscall_')]
        self.names = {name for name, _, _ in lines[start:]}

    def positions(self, name):
        """Which of its occurrences to disturb: 1, 2, 3, 10, the last, and the first of each shape,
        since with other flags a call has another purpose."""
        shapes = [shape(arguments) for found, arguments, _ in self.calls if found == name]
        firsts = {shapes.index(one) + 1 for one in set(shapes)}
        return sorted(firsts | {k for k in (1, 2, 3, 10, len(shapes)) if k <= len(shapes)})


def shape(arguments):
    """Arguments without names and numbers."""
    return re.sub(r'"[^"]*"(\.\.\.)?|\{.*?\}|\b(0x)?[0-9a-f]+\b', '_', arguments)


def record(log):
    return 'strace', '-s', '256', '-o', log


def inject(log, trace, call, what, position):
    """what: error=ERRNO, retval=VALUE or signal=NAME."""
    when = trace.before[call] + position
    return 'strace', '-o', log, '-e', f'trace={call}', '-e', f'inject={call}:{what}:when={when}'


def injected(log):
    """The arguments of the call that was made to fail; nothing where the run did not come to it."""
    found = re.search(r'\w+\((.*)\) += .*\(INJECTED\)$', log.read_text(errors='replace'), re.MULTILINE)
    return found[1] if found else ''
