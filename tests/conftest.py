# SPDX-License-Identifier: MIT
"""Builds that differ little from one where all has run can do with less. With BT_BRIEF=N in the
environment every N-th test of each file of whole-program tests runs, the first among them; in the
suites of faults, which take minutes, the first alone; and what is marked "once" is skipped.
"""
import os
import pathlib

import pytest

FAULTS = {'fault', 'inject', 'hostile', 'slurm'}


def pytest_configure(config):
    config.addinivalue_line('markers', 'once: says nothing of how the program was built')


@pytest.hookimpl(trylast=True)  # after -k
def pytest_collection_modifyitems(items):
    if 'BT_BRIEF' not in os.environ:
        return
    stride = int(os.environ['BT_BRIEF'])
    seen, kept = {}, []
    for item in items:
        path = pathlib.Path(item.fspath)
        number = seen[path] = seen.get(path, -1) + 1
        if item.get_closest_marker('once'):
            item.add_marker(pytest.mark.skip(reason='once is enough'))
            kept.append(item)
        elif number == 0 or path.parent.name not in FAULTS and number % stride == 0:
            kept.append(item)
    items[:] = kept
