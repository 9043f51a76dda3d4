# SPDX-License-Identifier: MIT
"""Which tests run, and what a test that cannot run counts as.

needs('chromium') marks a test that wants a package beyond those of the README's test line. These are
tests of their own to meson, with the package in their names, and not in its default setup.

With BT_BRIEF=N in the environment every N-th test of each file runs, the first among them; in the suites
of faults, which take minutes, the first alone; and nothing that is marked "once".

Where a test was skipped, meson counts the file as skipped, and its output tells what was missing.
"""
import ctypes
import os
import pathlib
import random
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from needs import need  # noqa: E402

FAULTS = {'fault', 'inject', 'hostile', 'slurm'}
SKIPPED = 77

# Instead of this process, see meson.build.
if os.environ.get('MALLOC_PERTURB_') == '0':
    os.environ['MALLOC_PERTURB_'] = str(random.randint(1, 255))

# numpy's large arrays come from memory that is kept, not from the kernel, page by page, each time: half of the time.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
for parameter in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
    ctypes.CDLL(None).mallopt(parameter, 1 << 30)

# What a test starts must not inherit that nohup, or a shell's background, ignores a signal.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def pytest_configure(config):
    config.addinivalue_line('markers', 'once: says nothing of how the program was built')
    config.addinivalue_line('markers', 'needs(package, ...): wants more than the README installs for tests')


@pytest.hookimpl(trylast=True)  # after -k and -m
def pytest_collection_modifyitems(items):
    if 'BT_BRIEF' not in os.environ:
        return
    stride = int(os.environ['BT_BRIEF'])
    seen, kept = {}, []
    for item in items:
        path = pathlib.Path(item.fspath)
        if item.get_closest_marker('once'):
            continue
        number = seen[path] = seen.get(path, -1) + 1
        if number == 0 or path.parent.name not in FAULTS and number % stride == 0:
            kept.append(item)
    items[:] = kept


def pytest_runtest_setup(item):
    for marker in item.iter_markers('needs'):
        for package in marker.args:
            need(package)


def pytest_terminal_summary(terminalreporter):
    for reason in sorted({report.longrepr[2] for report in terminalreporter.stats.get('skipped', [])}):
        terminalreporter.write_line(reason)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin('terminalreporter')
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED or exitstatus == 0 and reporter.stats.get('skipped'):
        session.exitstatus = SKIPPED
