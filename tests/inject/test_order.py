# SPDX-License-Identifier: MIT
"""With --fsync a result is on the disk before it has its name, and its name before it is told."""
import re

import pytest

from batch import OTHER_SETTINGS, Batch, Scenario


def steps(trace):
    """The successful calls that the order is made of."""
    return [step for step in trace.calls if not step[2].startswith('-1')
            and step[0] in ('fsync', 'linkat', 'renameat', 'openat', 'mkdirat', 'write')]


def publications(done):
    """Where names are given: (index of the call, name, descriptor of the file, of its folder)."""
    written = None
    for i, (call, arguments, _) in enumerate(done):
        if call == 'linkat':
            source, folder, name = re.match(r'(\d+), "", (\d+), "(.*)", AT_EMPTY_PATH', arguments).groups()
            written = source
            if not name.endswith('.tmp'):
                yield i, name, source, folder
        elif call == 'renameat':
            folder, name = re.search(r'", (\d+), "(.*)"$', arguments).groups()
            yield i, name, written, folder


@pytest.mark.parametrize('earlier', (None, OTHER_SETTINGS), ids=('new', 'replaced'))
def test_each_result_is_on_the_disk_before_it_counts(earlier, tmp_path):
    batch = Batch(Scenario('durable', options=('--fsync',), earlier=earlier), tmp_path)
    done = steps(batch.trace())
    named = [*publications(done)]
    assert sorted(name for _, name, _, _ in named) == sorted(['.blurthumb', *(n.split('/')[-1] for n in batch.sources)])
    for i, name, file, folder in named:
        if name == '.blurthumb':  # it says nothing that results do not
            continue
        before = [step[:2] for step in done[:i] if step[0] in ('fsync', 'write')]
        assert before[-1] == ('fsync', file), name
        (opens, what, reopened), (syncs, synced, _) = done[i + 1:i + 3]
        assert (opens, what.partition(', O_')[0]) == ('openat', f'{folder}, "."'), name
        assert (syncs, synced) == ('fsync', reopened), name


def test_new_folders_are_on_the_disk_before_the_first_result_in_them(tmp_path):
    done = steps(Batch(Scenario('durable', options=('--fsync',)), tmp_path).trace())
    for i, (call, arguments, _) in enumerate(done):
        if call == 'mkdirat':
            first = next(j for j, (name, what, _) in enumerate(done) if j > i and name == 'openat' and 'O_TMPFILE' in what)
            assert [name for name, _, _ in done[i:first]].count('fsync') == 2, arguments
