# SPDX-License-Identifier: MIT
import pathlib
import subprocess
import sys

import pytest

pytest.register_assert_rewrite('batch')
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from batch import PROGRAM, SIZE_STEP, Batch, files_below, make_picture  # noqa: E402


@pytest.fixture(scope='session')
def undisturbed(tmp_path_factory):
    """undisturbed(n): n pictures, the last of which is the largest, and their results."""
    made = {}

    def make(n):
        if n not in made:
            folder = tmp_path_factory.mktemp('undisturbed')
            pictures = {f'{"sub/" if i % 3 == 0 else ""}{i:04}.jpg': make_picture(i, 12000 + i * SIZE_STEP)
                        for i in range(n)}
            Batch(folder, pictures, {})
            assert subprocess.run([PROGRAM, '-q', 'in'], cwd=folder, check=False).returncode == 0
            results = files_below(folder / 'processed')
            del results['.blurthumb']
            assert len(results) == n
            made[n] = pictures, results
        return made[n]
    return make


@pytest.fixture
def make_batch(undisturbed, tmp_path):
    """make_batch(n=12, folder=...): a Batch. What still runs at the end of the test is killed."""
    made = []

    def make(n=12, folder=tmp_path):
        made.append(Batch(folder, *undisturbed(n)))
        return made[-1]
    yield make
    for batch in made:
        for run in batch.runs:
            run.end()


@pytest.fixture
def batch(make_batch):
    return make_batch()
