# SPDX-License-Identifier: MIT
"""Folders of results are no sources, wherever they are and whatever they are called."""
import pytest


def notices(done, folder=''):
    """What was said of a folder that is left out, or of any."""
    return [event['message'] for event in done.events if event['event'] == 'notice' and folder in event['message']]


@pytest.mark.parametrize('folder', ('in/small', 'in/2024/05/small'))
def test_results_of_an_earlier_run_within_the_input(told, picture, folder):
    picture('in/1.jpg', 'in/2024/05/2.jpg')
    assert told('-o', folder, 'in').counts() == (2, 0, 0)
    done = told('-o', 'elsewhere', 'in')
    assert done.code == 0 and done.paths('processed') == ['in/1.jpg', 'in/2024/05/2.jpg']
    assert len(notices(done, folder)) == 1
    done = told('-n', '-o', 'third', 'in')
    assert done.paths('planned') == ['in/1.jpg', 'in/2024/05/2.jpg'] and len(notices(done, folder)) == 1


def test_one_notice_for_all(told, picture):
    """The output folder itself is none that one would miss."""
    picture('in/1.jpg', 'in/a/b/2.jpg')
    for folder in 'in/one', 'in/a/two':
        assert told('-o', folder, 'in').paths('processed') == ['in/1.jpg', 'in/a/b/2.jpg']
    done = told('-o', 'in/three', 'in')
    assert done.paths('processed') == ['in/1.jpg', 'in/a/b/2.jpg']
    assert len(notices(done)) == 1 and notices(done, 'in/three') == []
    assert done.err.count('in/one') + done.err.count('in/a/two') == 1


def test_folder_that_was_moved(told, picture, disk):
    """It is known by what is in it."""
    picture('in/1.jpg')
    assert told('in').counts() == (1, 0, 0)
    (disk / 'processed').rename(disk / 'in/for the web')
    done = told('-o', 'out', 'in')
    assert done.paths('processed') == ['in/1.jpg'] and len(notices(done, 'in/for the web')) == 1


def test_file_of_that_name_that_is_not_ours(told, picture, disk):
    picture('in/1.jpg', 'in/x/2.jpg')
    (disk / 'in/x/.blurthumb').write_text('my notes on blurring\n')
    done = told('in')
    assert done.paths('processed') == ['in/1.jpg', 'in/x/2.jpg'] and notices(done, 'in/x') == []


def test_thumbnails_of_a_nas(told, picture):
    picture('in/1.jpg', 'in/@eaDir/1.jpg/SYNOPHOTO_THUMB_XL.jpg', 'in/x/@eaDir/2.jpg')
    assert told('in').paths('processed') == ['in/1.jpg']
