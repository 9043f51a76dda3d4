# SPDX-License-Identifier: MIT
"""A second run does what is new, and nothing else."""
import os
import re
import shutil

import pytest


def counts(done):
    """Processed, skipped, failed."""
    return tuple(map(int, re.search(rb'^(\d+) processed, (\d+) skipped, (\d+) failed', done.stdout, re.MULTILINE).groups()))


@pytest.fixture
def three(photo, blurthumb):
    """Three pictures that have been processed once."""
    photo('in/a.jpg', 'in/b.jpg', 'in/sub/c.jpg')
    assert counts(blurthumb('in')) == (3, 0, 0)


def test_second_run_skips_all(three, blurthumb, tmp_path):
    before = os.stat(tmp_path / 'processed' / 'a.jpg').st_ctime_ns
    done = blurthumb('in')
    assert (done.returncode, counts(done)) == (0, (0, 3, 0))
    assert os.stat(tmp_path / 'processed' / 'a.jpg').st_ctime_ns == before


def test_touched_source_is_redone(three, blurthumb, tmp_path):
    (tmp_path / 'in' / 'b.jpg').touch()
    assert counts(blurthumb('in')) == (1, 2, 0)


def test_older_file_moved_over_a_source_is_redone(three, blurthumb, photo, tmp_path):
    photo('other.jpg', colour=(0, 200, 0))
    os.utime(tmp_path / 'other.jpg', (0, 0))
    (tmp_path / 'other.jpg').rename(tmp_path / 'in' / 'a.jpg')
    assert counts(blurthumb('in')) == (1, 2, 0)


def test_removed_result_is_redone(three, blurthumb, tmp_path):
    (tmp_path / 'processed' / 'sub' / 'c.jpg').unlink()
    assert counts(blurthumb('in')) == (1, 2, 0)


@pytest.mark.parametrize('change', (['--sigma', '3'], ['-s', '20x20'], ['-Q', '30'], ['--exact'], ['--linear']))
def test_changed_settings_redo_all(three, blurthumb, change):
    assert counts(blurthumb(*change, 'in')) == (3, 0, 0)
    assert counts(blurthumb(*change, 'in')) == (0, 3, 0)


@pytest.mark.parametrize('same', (['--serial'], ['-j5'], ['-v'], ['--sigma', '15.0'], ['-s', '1200x1200']))
def test_other_words_for_the_same_settings_redo_nothing(three, blurthumb, same):
    assert counts(blurthumb(*same, 'in')) == (0, 3, 0)


def test_force_redoes_all(three, blurthumb):
    assert counts(blurthumb('-f', 'in')) == (3, 0, 0)
    assert counts(blurthumb('--force', 'in')) == (3, 0, 0)


def test_new_source_alone_is_done(three, blurthumb, photo, files):
    photo('in/d.jpg')
    assert counts(blurthumb('in')) == (1, 3, 0)
    assert len(files()) == 4


def test_failure_is_tried_again(blurthumb, photo, tmp_path):
    photo('in/a.jpg')
    (tmp_path / 'in' / 'b.jpg').write_text('not a picture')
    assert counts(blurthumb('in')) == (1, 0, 1)
    assert counts(blurthumb('in')) == (0, 1, 1)
    photo('in/b.jpg')
    assert counts(blurthumb('in')) == (1, 1, 0)


def test_failure_leaves_an_earlier_result_alone(three, blurthumb, tmp_path):
    before = (tmp_path / 'processed' / 'a.jpg').read_bytes()
    (tmp_path / 'in' / 'a.jpg').write_text('not a picture')
    assert counts(blurthumb('in')) == (0, 2, 1)
    assert (tmp_path / 'processed' / 'a.jpg').read_bytes() == before


def test_output_that_was_removed_is_made_again(three, blurthumb, tmp_path, files):
    shutil.rmtree(tmp_path / 'processed')
    assert counts(blurthumb('in')) == (3, 0, 0)
    assert len(files()) == 3
