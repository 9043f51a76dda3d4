# SPDX-License-Identifier: MIT
"""Builds that differ little from one where all has run can do with less: with BT_BRIEF=N in the
environment every N-th test of each file of whole-program tests runs, the first among them; in the
suites of faults, which take minutes, the first alone.
"""
import os
import pathlib

import pytest

FAULTS = {'fault', 'inject', 'hostile', 'slurm'}


@pytest.hookimpl(trylast=True)  # after -k
def pytest_collection_modifyitems(items):
    stride = int(os.environ.get('BT_BRIEF', '1'))
    if stride == 1:
        return
    seen, kept = {}, []
    for item in items:
        path = pathlib.Path(item.fspath)
        number = seen[path] = seen.get(path, -1) + 1
        if number == 0 or path.parent.name not in FAULTS and number % stride == 0:
            kept.append(item)
    items[:] = kept
