# SPDX-License-Identifier: MIT
"""Builds that differ little from one where all has run can do with less. BT_BRIEF in the environment:
"faults": of the suites of faults, which take minutes, the first test of each file; "1": of the other
whole-program tests, too, every third.
"""
import os
import pathlib

import pytest

FAULTS = {'fault', 'inject', 'hostile', 'slurm'}
STRIDE = 3


@pytest.hookimpl(trylast=True)  # after -k
def pytest_collection_modifyitems(items):
    brief = os.environ.get('BT_BRIEF')
    seen, kept = {}, []
    for item in items:
        path = pathlib.Path(item.fspath)
        number = seen[path] = seen.get(path, -1) + 1
        if not brief or number == 0 or path.parent.name not in FAULTS and (brief != '1' or number % STRIDE == 0):
            kept.append(item)
    items[:] = kept
