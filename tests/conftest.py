# SPDX-License-Identifier: MIT
"""Builds that differ little from one where all has run can do with less. BT_BRIEF in the environment:
"faults": of the suites of faults, which take minutes, the first test of each file, and of the slowest
other files every third; "1": every third of all others, too.
"""
import os
import pathlib

import pytest

FAULTS = {'fault', 'inject', 'hostile', 'slurm'}
SLOW = {'test_accuracy.py', 'test_jpeg.py', 'test_looks.py', 'test_testdata.py'}
STRIDE = 3


@pytest.hookimpl(trylast=True)  # after -k
def pytest_collection_modifyitems(items):
    brief = os.environ.get('BT_BRIEF')
    seen, kept = {}, []
    for item in items:
        path = pathlib.Path(item.fspath)
        number = seen[path] = seen.get(path, -1) + 1
        strided = brief == '1' or path.name in SLOW
        if not brief or number == 0 or path.parent.name not in FAULTS and (not strided or number % STRIDE == 0):
            kept.append(item)
    items[:] = kept
