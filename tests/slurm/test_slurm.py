# SPDX-License-Identifier: MIT
"""An array of Slurm on two nodes, undisturbed and disturbed: the results are those of one machine.

With BT_BRIEF=1 in the environment the first two alone."""
import os
import signal

import pytest

from batch import N_PICTURES, N_TASKS

unless_brief = pytest.mark.skipif(os.environ.get('BT_BRIEF') == '1', reason='brief')


def test_array_does_all_on_both_nodes(batch):
    job = batch.start()
    batch.check_all_done(job)
    tasks = batch.cluster.tasks(job)
    assert [task['JobState'] for task in tasks] == N_TASKS * ['COMPLETED']
    assert {task['NodeList'] for task in tasks} == {'node1', 'node2'}


def test_lost_node(batch):
    """Its tasks are started anew on the other and do what is left."""
    job = batch.start()
    batch.wait_for_results(N_PICTURES // 2, 'node2')
    batch.cluster.crash('node2')
    batch.cluster.declare_down('node2')
    batch.check_all_done(job)
    assert any(task['Restarts'] == '1' for task in batch.cluster.tasks(job))


@unless_brief
def test_both_copies_of_a_shard_at_once(batch):
    """A node that is cut off runs on while its task is started anew elsewhere. It is stopped in the middle
    until the other copy is at work, so that both do the same pictures."""
    job = batch.start('0-0')
    first = batch.wait_for_program('node1', 'node2')
    second = 'node2' if first == 'node1' else 'node1'
    batch.wait_for_results(N_PICTURES // 10, first)
    batch.cluster.signal(first, 'blurthumb', signal.SIGSTOP)
    batch.cluster.cut(first)
    batch.cluster.declare_down(first)
    batch.wait_for_program(second)
    batch.cluster.signal(first, 'blurthumb', signal.SIGCONT)
    batch.wait_until_gone(first)
    batch.cluster.mend(first)
    batch.check_all_done(job)
    assert batch.n_told('processed') > N_PICTURES


@unless_brief
def test_requeue_by_hand(batch):
    job = batch.start()
    batch.wait_for_results(N_PICTURES // 8, 'node1')
    task = batch.task_on(job, 'node1')
    batch.cluster.run('scontrol', 'requeue', task['JobId'])
    batch.check_all_done(job)
    [again] = [one for one in batch.cluster.tasks(job) if one['ArrayTaskId'] == task['ArrayTaskId']]
    assert (again['JobState'], again['Restarts']) == ('COMPLETED', '1')


@unless_brief
def test_time_limit_puts_a_task_back(batch):
    """Near it Slurm sends the script a signal; what was done by then stays."""
    job = batch.start('0-1')
    batch.wait_for_results(N_PICTURES // 8, 'node1')
    task = batch.task_on(job, 'node1')
    batch.cluster.run('scancel', '--batch', '--signal=USR1', task['JobId'])
    batch.check_all_done(job)
    [again] = [one for one in batch.cluster.tasks(job) if one['ArrayTaskId'] == task['ArrayTaskId']]
    assert (again['JobState'], again['Restarts']) == ('COMPLETED', '1')
    assert 'asked to stop; run it again to do the rest' in batch.log(task)


@unless_brief
def test_cancelled_array_leaves_whole_results(batch):
    """By SIGTERM, before Slurm would kill; another array does the rest."""
    job = batch.start()
    batch.wait_for_results(N_PICTURES // 8, 'node1')
    batch.cluster.run('scancel', job)
    batch.cluster.wait(job)
    ends = {(task['JobState'], task['ExitCode']) for task in batch.cluster.tasks(job)}
    assert ends <= {('CANCELLED', '143:0'), ('CANCELLED', '75:0'), ('CANCELLED', '0:0'), ('COMPLETED', '0:0')}
    assert any(state == 'CANCELLED' for state, _ in ends)
    batch.check_part()
    batch.check_all_done(batch.start())


@unless_brief
def test_uneven_array_is_refused(batch):
    job = batch.start('0-2,4')
    batch.cluster.wait(job)
    for task in batch.cluster.tasks(job):
        assert (task['JobState'], task['ExitCode']) == ('FAILED', '2:0')
        assert 'are not an even range' in batch.log(task)
    assert not batch.output.exists()


@unless_brief
def test_what_an_uneven_array_leaves_out_is_told(batch):
    """Five numbers from 3 to 15 by 3, as Slurm says, but one of them is 5."""
    job = batch.start('3,5,9-15:3')
    verify = batch.verify(job)
    told = {task['ArrayTaskId']: task['ExitCode'] for task in batch.cluster.tasks(job)}
    assert told == {'3': '0:0', '5': '2:0', '9': '0:0', '12': '0:0', '15': '0:0'}
    assert verify['ExitCode'] == '1:0'
    assert f'{N_PICTURES - batch.n_done()} failed' in batch.log(verify)
