# SPDX-License-Identifier: MIT
"""blurthumb over a folder, and what it said; watched while it runs."""
import dataclasses
import os
import re
import subprocess
import threading
import time

PROGRAM = os.environ['BT_BLURTHUMB']
SUMMARY = re.compile(rb'(\d+) processed, (\d+) skipped, (\d+) failed')
WATCH_S = 0.01


@dataclasses.dataclass
class Done:
    code: int
    output: bytes
    errors: bytes
    largest_bytes: int

    def __post_init__(self):
        self.counts = tuple(map(int, SUMMARY.search(self.output).groups()))
        self.processed = re.findall(rb'^in/(.*) was processed\.\.\.$', self.output, re.MULTILINE)
        self.failed = dict(re.findall(rb'^blurthumb: in/(.*?): (.+)$', self.errors, re.MULTILINE))


def peak_bytes(pid):
    try:
        with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as status:
            return int(re.search(r'VmHWM:\s+(\d+) kB', status.read())[1]) * 1024
    except (OSError, TypeError):
        return 0


def watch(process, peaks):
    """The most memory that the process and its children have ever had."""
    while process.poll() is None:
        try:
            with open(f'/proc/{process.pid}/task/{process.pid}/children', encoding='ascii') as children:
                peaks.extend(map(peak_bytes, (process.pid, *children.read().split())))
        except OSError:
            pass
        time.sleep(WATCH_S)


def run(folder, *arguments, guard_s, environment=None):
    """blurthumb -v -o out ARGUMENTS in, in a folder; raises where it does not end in time."""
    command = [PROGRAM, '-v', '-o', 'out', *arguments, 'in']
    peaks = [0]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **(environment or {})}) as process:
        watcher = threading.Thread(target=watch, args=(process, peaks))
        watcher.start()
        try:
            output, errors = process.communicate(timeout=guard_s)
        finally:
            process.kill()
            watcher.join()
    return Done(process.returncode, output, errors, max(peaks))


def write(folder, files):
    os.makedirs(folder, exist_ok=True)
    for name, content in files.items():
        with open(os.path.join(os.fsencode(folder), os.fsencode(name)), 'wb') as file:
            file.write(content)


def read(folder):
    """What lies in a folder: name (bytes) -> content; nothing where there is no such folder."""
    found = {}
    for where, _, names in os.walk(os.fsencode(folder)):
        for name in names:
            with open(os.path.join(where, name), 'rb') as file:
                found[os.path.relpath(os.path.join(where, name), os.fsencode(folder))] = file.read()
    return found
