# SPDX-License-Identifier: MIT
"""Builds that differ little from one where all has run can do with less: with BT_BRIEF=1 in the
environment the suites of faults, which take minutes, run the first test of each file, and the other
whole-program tests every third.
"""
import os
import pathlib

import pytest

FAULTS = {'fault', 'inject', 'hostile', 'slurm'}
STRIDE = 3


@pytest.hookimpl(trylast=True)  # after -k
def pytest_collection_modifyitems(items):
    if os.environ.get('BT_BRIEF') != '1':
        return
    seen, kept = {}, []
    for item in items:
        path = pathlib.Path(item.fspath)
        number = seen[path] = seen.get(path, -1) + 1
        if number == 0 or path.parent.name not in FAULTS and number % STRIDE == 0:
            kept.append(item)
    items[:] = kept
