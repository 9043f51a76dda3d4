# SPDX-License-Identifier: MIT
"""Runs of the whole program that something happens to, and what must hold whatever it was.

Workers are held, killed and failed by a library that is loaded into the program (shim.c), at points that
the test chooses; all else is done from outside."""
import collections
import contextlib
import ctypes
import errno
import io
import itertools
import mmap
import os
import pathlib
import re
import signal
import subprocess
import time

import numpy
from PIL import Image

PROGRAM = os.environ['BT_BLURTHUMB']
SHIM = os.environ['BT_FAULT_SHIM']
HANG_GUARD_S = 100
ORPHAN_LIMIT_S = 2
POLL_S = 0.002
SUMMARY = re.compile(r'(\d+) processed, (\d+) skipped, (\d+) failed(?:, \d+ ignored \([^)]*\))? in [^\n]*\n\Z')
SIZE_STEP = 16
NO_FAULT = -1
WATCHER = 'blurthumb-watch'

Fault = collections.namedtuple('Fault', 'point size skip times action argument')

ALWAYS = 1 << 30


class Event(ctypes.Structure):
    _fields_ = [('point', ctypes.c_char * 8), ('size', ctypes.c_uint64), ('fault', ctypes.c_int32),
                ('pid', ctypes.c_int32)]


class Page(ctypes.Structure):
    _fields_ = [('n_events', ctypes.c_uint32), ('arrivals', ctypes.c_uint32 * 16), ('gates', ctypes.c_uint32 * 16),
                ('events', Event * 32768)]


def fault(point, action, argument=0, size=0, skip=0, times=1):
    return Fault(point, size, skip, times, action, int(argument))


NO_TMPFILE = fault('tmpfile', 'fail', errno.EOPNOTSUPP, times=ALWAYS)


def send(pid, number):
    """A signal, to a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def name_of(pid):
    """Of a process; empty where there is none."""
    try:
        return pathlib.Path(f'/proc/{pid}/comm').read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ''


def wait_until(what, guard_s=HANG_GUARD_S):
    deadline = time.monotonic() + guard_s
    while not (answer := what()):
        assert time.monotonic() < deadline, 'it hangs'
        time.sleep(POLL_S)
    return answer


def make_picture(seed, size, width=320, height=240):
    """A JPEG of some colours and of exactly so many bytes."""
    coarse = numpy.random.default_rng(seed).integers(0, 256, (6, 8, 3), numpy.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(file, 'JPEG')
    assert file.tell() <= size
    return file.getvalue().ljust(size, b'\0')


def files_below(folder):
    """The bytes of everything that is no folder, by its path relative to folder."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in pathlib.Path(folder).rglob('*') if not path.is_dir()}


class Run:
    """The program at work, with faults."""
    serial = itertools.count()

    def __init__(self, folder, arguments, faults, program=PROGRAM, shim=SHIM, **options):
        self.program = os.path.realpath(program)
        self.page_path = folder / f'.page-{next(self.serial)}'
        with open(self.page_path, 'wb') as file:
            file.truncate(ctypes.sizeof(Page))
        self.page_path.chmod(0o666)
        with open(self.page_path, 'r+b') as file:
            self.page = Page.from_buffer(mmap.mmap(file.fileno(), 0))
        environment = {**os.environ, 'LD_PRELOAD': str(shim), 'BT_FAULT_PAGE': str(self.page_path),
                       'BT_FAULT': ';'.join(' '.join(map(str, one)) for one in faults)}
        self.process = subprocess.Popen([program, *arguments], env=environment, stdin=subprocess.DEVNULL,
                                        **{'cwd': folder, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE,
                                           **options})

    def events(self, point=None, size=None):
        """What workers came to, whatever was done to them there: "task" and "reply"."""
        return [event for event in self.all_events() if event.fault == NO_FAULT and
                point in (None, event.point.decode()) and size in (None, event.size)]

    def all_events(self):
        return [event for event in self.page.events[:self.page.n_events] if event.pid != 0]

    def struck(self, index=0, n=1):
        """Waits until a fault has struck n times; the events."""
        return wait_until(lambda: self.has_struck(index, n))

    def has_struck(self, index, n):
        assert self.process.poll() is None, self.process.communicate()
        found = [event for event in self.all_events() if event.fault == index]
        return found if len(found) >= n else None

    def release(self, index=0):
        self.page.gates[index] = 1

    def finish(self):
        """Waits for the end: self.code, self.out and self.err."""
        out, err = self.process.communicate(timeout=HANG_GUARD_S)
        self.code = self.process.returncode
        self.out, self.err = (out or b'').decode(), (err or b'').decode()
        return self

    def members(self):
        """The processes of this run that are alive: workers have no environment, but all have the page."""
        for name in filter(str.isdigit, os.listdir('/proc')):
            try:
                if os.readlink(f'/proc/{name}/exe') == self.program:  # maps are long
                    with open(f'/proc/{name}/maps', 'rb') as maps:
                        if os.fsencode(self.page_path) in maps.read():
                            yield int(name)
            except OSError:
                pass

    def workers(self):
        """Its children, but for the one that watches it."""
        try:
            with open(f'/proc/{self.process.pid}/task/{self.process.pid}/children', encoding='ascii') as children:
                return [pid for pid in map(int, children.read().split()) if name_of(pid) not in ('', WATCHER)]
        except (FileNotFoundError, ProcessLookupError):
            return []

    def end(self):
        for pid in self.members():
            send(pid, signal.SIGKILL)
        self.process.communicate()


class Batch:
    """Pictures in a folder of their own, and what an undisturbed run makes of them."""

    def __init__(self, folder, pictures, results):
        self.folder, self.results, self.runs = folder, dict(results), []
        self.sizes = {name: len(content) for name, content in pictures.items()}
        for name, content in pictures.items():
            self.put(name, content)

    @property
    def largest(self):
        """The first that is done."""
        return max(self.sizes, key=self.sizes.get)

    def put(self, name, content):
        path = self.folder / 'in' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def start(self, *arguments, faults=(), paths=('in',), **options):
        self.runs.append(Run(self.folder, [*arguments, *paths], faults, **options))
        return self.runs[-1]

    def run(self, *arguments, **options):
        return self.start(*arguments, **options).finish()

    def settle(self, output='processed'):
        """Makes the output folder and its file of settings: what another run makes are results alone."""
        (self.folder / 'empty').mkdir()
        assert self.run('-o', output, paths=('empty',)).code == 0

    def check_results(self, names, output='processed'):
        """There is nothing below the output folder but these results, whole."""
        found = files_below(self.folder / output)
        found.pop('.blurthumb', None)
        assert sorted(found) == sorted(names)
        assert [name for name in names if found[name] != self.results[name]] == []

    def check_gone(self, run):
        wait_until(lambda: not list(run.members()), ORPHAN_LIMIT_S)

    def check(self, run, failed=None, skipped=0, output='processed'):
        """The run came to its end: every picture is done, but for those that failed, with these reasons."""
        failed = failed or {}
        done = [name for name in self.results if name not in failed]
        self.check_told(run, failed)
        assert self.counts(run) == (len(done) - skipped, skipped, len(failed))
        assert run.code == (1 if failed else 0)
        self.check_gone(run)
        self.check_results(done, output)

    def check_told(self, run, failed):
        lines = run.err.splitlines()
        assert len(lines) == len(failed), run.err
        for name, reason in failed.items():
            told = [line for line in lines if line.startswith(f'blurthumb: in/{name}: ')]
            assert len(told) == 1 and re.search(reason, told[0]), run.err

    def check_part(self, run, code, output='processed'):
        """The run ended early: some pictures are done. Their names."""
        self.check_gone(run)
        path = self.folder / output
        names = sorted(set(files_below(path)) - {'.blurthumb'}) if path.exists() else []
        if names:
            self.check_results(names, output)
        assert run.code == code, run.err
        if code > 0 and run.out:
            assert self.counts(run)[0] == len(names)
        return names

    def check_stopped(self, run, sentence, output='processed'):
        """The batch could not go on, and says why in one sentence; the names of what was done."""
        again = any(words in run.err for words in ('No space left on device', 'Disk quota exceeded'))
        names = self.check_part(run, 75 if again else 3, output)
        assert len(run.err.splitlines()) == 1 and re.search(sentence, run.err), run.err
        return names

    def check_next_run(self, *arguments, output='processed'):
        """Another run does the rest."""
        path = self.folder / output
        n = len(set(files_below(path)) & set(self.results)) if path.exists() else 0
        self.check(self.run('-o', output, *arguments), skipped=n, output=output)

    @staticmethod
    def counts(run):
        found = SUMMARY.search(run.out)
        assert found, (run.out, run.err)
        return tuple(map(int, found.groups()))
