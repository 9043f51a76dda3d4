# SPDX-License-Identifier: MIT
"""A small batch, what it starts from, and what must hold after it whatever went wrong."""
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import time

import strace

PROGRAM = os.environ['BT_BLURTHUMB']
TESTDATA = pathlib.Path(__file__).resolve().parents[2] / 'testdata'

SOURCES = {
    'top.jpg': 'sizes/2x3.jpg',
    'one/wide.jpg': 'sizes/1201x801.jpg',
    'one/tall.png': 'sizes/17x2401.png',
    'two/flat.png': 'sizes/500x1.png',
    'two/dot.jpg': 'sizes/1x1.jpg',
    'two/grey.jpg': 'formats/grey.jpeg',
}
BROKEN = {'one/broken.jpg': 'broken/random.jpg'}
OTHER_SETTINGS = '--sigma', '3'

HANG_GUARD_S = 60
LEAVE_GUARD_S = 30
SUMMARY = re.compile(r'(\d+) processed, (\d+) skipped, (\d+) failed.* in \d+\.\d\d seconds \(.*\)')


@dataclasses.dataclass(frozen=True)
class Scenario:
    """earlier: the options of a run before, None for an empty disk."""
    name: str
    options: tuple = ()
    earlier: tuple = None
    broken: bool = False

    @property
    def durable(self):
        return '--fsync' in self.options


SCENARIOS = (
    Scenario('fresh'),
    Scenario('again', earlier=()),
    Scenario('redo', earlier=OTHER_SETTINGS),
    Scenario('broken', broken=True),
    Scenario('durable', options=('--fsync',)),
)


@dataclasses.dataclass
class Done:
    """A run that has ended: its exit code (negative: the signal), and what it said of each source."""
    code: int
    output: str
    errors: list

    def __post_init__(self):
        self.processed = re.findall(r'^in/(.*) was processed\.\.\.$', self.output, re.MULTILINE)
        self.skipped = re.findall(r'^in/(.*) was skipped: ', self.output, re.MULTILINE)
        self.failed = [found[1].rstrip('/') for line in self.errors if (found := re.match(r'blurthumb: in/?([^:]*): ', line))]
        summary = SUMMARY.search(self.output)
        self.summary = tuple(map(int, summary.groups())) if summary else None

    @property
    def counted(self):
        return len(self.processed), len(self.skipped), len(self.failed)


class Batch:
    """A scenario in a folder of its own."""

    def __init__(self, scenario, folder):
        self.scenario = scenario
        self.folder = folder
        self.output = folder / 'out'
        self.log = folder / 'log'
        self.sources = {**SOURCES, **(BROKEN if scenario.broken else {})}
        for name, origin in self.sources.items():
            path = folder / 'in' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(TESTDATA / origin, path)
        self.earlier = self._reference(scenario.earlier) if scenario.earlier is not None else {}
        self.reference = self._reference(scenario.options)

    def command(self, options):
        return [PROGRAM, '-v', '-j2', '-o', 'out', *options, 'in']

    def run(self, options, wrapper=()):
        """Ends in time, or raises subprocess.TimeoutExpired with nothing left running."""
        with subprocess.Popen([*wrapper, *self.command(options)], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                output, errors = process.communicate(timeout=HANG_GUARD_S)
            except subprocess.TimeoutExpired:
                for left in self.processes():
                    os.kill(left, 9)
                raise
        return Done(process.returncode, output.decode(), errors.decode().splitlines())

    def trace(self):
        """The calls of an undisturbed run. It leaves what the scenario starts from to prepare()."""
        self.prepare()
        self.run(self.scenario.options, strace.record(self.log))
        return strace.Trace(self.log)

    def disturbed(self, trace, call, what, position):
        return self.run(self.scenario.options, strace.inject(self.log, trace, call, what, position))

    def prepare(self):
        """What the scenario starts from."""
        if self.scenario.earlier == self.scenario.options:
            self.run(self.scenario.options)
            return
        shutil.rmtree(self.output, ignore_errors=True)
        if self.scenario.earlier is not None:
            self.run(self.scenario.earlier)

    def tree(self):
        """What lies in the output folder, name to bytes; but records that could not become attributes, and that
        a key was another one before."""
        return {str(path.relative_to(self.output)): re.sub(b'\nmixed\n$', b'\n', path.read_bytes())
                for path in self.output.rglob('*') if not path.is_dir() and path.name != '.blurthumb-results'}

    def processes(self):
        """Those that work in the folder, but for the one that asks."""
        found = []
        for entry in os.listdir('/proc'):
            try:
                if entry.isdigit() and os.readlink(f'/proc/{entry}/cwd') == str(self.folder):
                    found.append(int(entry))
            except OSError:
                pass
        return found

    def _reference(self, options):
        shutil.rmtree(self.output, ignore_errors=True)
        done = self.run(options)
        assert done.code == int(self.scenario.broken), done
        return self.tree()

    def _is_spared(self, name, failed):
        """Whether a source lies in a folder that failed."""
        return any(name.startswith(f'{folder}/') or folder == '' for folder in failed)

    def untrue(self, done):
        """What is wrong with what the run said, as sentences."""
        if done.summary is not None and done.summary != done.counted:
            yield f'the summary says {done.summary} where {done.counted} were told'
        told = done.processed + done.skipped + done.failed
        if len(told) != len(set(told)):
            yield f'a source was told of twice: {sorted(told)}'
        if done.code in (0, 1):
            if done.summary is None:
                yield 'no summary'
            if done.code != bool(done.failed):
                yield f'exit {done.code} with {len(done.failed)} failures'
            lost = [name for name in self.sources if name not in told and not self._is_spared(name, done.failed)]
            if lost:
                yield f'nobody knows of {lost}'
        elif done.code in (3, 75) and not (done.errors and done.errors[-1].startswith('blurthumb: ')):
            yield f'exit {done.code} without a word'

    def unsound(self, done):
        """What on the disk is not as the run said, as sentences."""
        tree = self.tree()
        counted = done.processed + done.skipped
        for name in counted:
            if tree.get(name) != self.reference[name]:
                yield f'{name} is counted and {"differs" if name in tree else "is not there"}'
        for name in set(self.sources) - set(counted):
            # With --fsync also what has its name already can fail.
            if done.code in (0, 1) and not self.scenario.durable and tree.get(name) != self.earlier.get(name):
                yield f'{name} is there and not counted'

    def stray(self, may_leave):
        """What is on the disk and should not be, as sentences. may_leave: it could not remove temporaries."""
        for name, content in self.tree().items():
            if re.fullmatch(r'(.*/)?\.blurthumb-.*\.tmp', name):
                if not may_leave:
                    yield f'a temporary is left: {name}'
            elif content not in (self.reference.get(name), self.earlier.get(name)):
                yield f'{name} is neither the earlier nor the new one'

    def left_running(self):
        deadline = time.monotonic() + LEAVE_GUARD_S
        while self.processes():
            if time.monotonic() > deadline:
                for left in self.processes():
                    os.kill(left, 9)
                yield 'a process is left'
                return
            time.sleep(0.005)

    def unfinished(self, may_leave):
        """What is wrong after one more run, undisturbed: it must do what is missing. A folder where
        nothing is missing is not looked at for temporaries, unless all is done anew. Without what is broken, for
        which libvips would be loaded."""
        done = self.run((*self.scenario.options, *(('-f',) if may_leave else ()), '--exclude', 'broken.jpg'))
        if done.code != 0:
            yield f'the next run: exit {done.code}, {done.errors}'
        if self.tree() != self.reference:
            yield f'the next run leaves {sorted(self.tree().items() ^ self.reference.items())}'[:200]
