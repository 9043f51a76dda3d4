# SPDX-License-Identifier: MIT
"""With BT_BRIEF=1 in the environment the suites of faults, which take minutes, run the first test of each
file: for builds that differ from one where they have all run."""
import os
import pathlib

import pytest

LONG = {'fault', 'inject', 'hostile'}


@pytest.hookimpl(trylast=True)  # after -k
def pytest_collection_modifyitems(items):
    if os.environ.get('BT_BRIEF') != '1':
        return
    seen, kept = set(), []
    for item in items:
        path = pathlib.Path(item.fspath)
        if path.parent.name not in LONG or path not in seen:
            kept.append(item)
        seen.add(path)
    items[:] = kept
