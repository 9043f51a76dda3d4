# SPDX-License-Identifier: MIT
"""An array of Slurm on two nodes does what one machine does, also when somebody steps in."""

from batch import N_PICTURES, N_TASKS


def test_array_does_all_on_both_nodes(batch):
    job = batch.start()
    batch.check_all_done(job)
    tasks = batch.cluster.tasks(job)
    assert [task['JobState'] for task in tasks] == N_TASKS * ['COMPLETED']
    assert {task['NodeList'] for task in tasks} == {'node1', 'node2'}


def check_last_task_was_repeated(batch, job):
    batch.check_all_done(job)
    ends = {task['ArrayTaskId']: (task['JobState'], task['Restarts']) for task in batch.cluster.tasks(job)}
    assert ends == {'0': ('COMPLETED', '0'), '1': ('COMPLETED', '1')}


def test_requeue_by_hand(batch):
    job = batch.start('0-1')
    batch.wait_for_results(N_PICTURES // 8, 'node1')
    batch.cluster.run('scontrol', 'requeue', f'{job}_1')
    check_last_task_was_repeated(batch, job)


def test_time_limit_puts_a_task_back(batch):
    """Near it Slurm sends the script a signal; what was done by then stays."""
    job = batch.start('0-1')
    batch.wait_for_results(N_PICTURES // 8, 'node1')
    batch.cluster.run('scancel', '--batch', '--signal=USR1', f'{job}_1')
    check_last_task_was_repeated(batch, job)
    assert any('run it again' in batch.log(task) for task in batch.cluster.tasks(job))


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


def test_uneven_array_is_refused(batch):
    job = batch.start('0-2,4')
    batch.cluster.wait(job)
    for task in batch.cluster.tasks(job):
        assert (task['JobState'], task['ExitCode']) == ('FAILED', '2:0')
        assert 'are not an even range' in batch.log(task)
    assert not batch.output.exists()


def test_what_an_uneven_array_leaves_out_is_told(batch):
    """Five numbers from 3 to 15 by 3, as Slurm says, but one of them is 5."""
    job = batch.start('3,5,9-15:3')
    verify = batch.verify(job)
    told = {task['ArrayTaskId']: task['ExitCode'] for task in batch.cluster.tasks(job)}
    assert told == {'3': '0:0', '5': '2:0', '9': '0:0', '12': '0:0', '15': '0:0'}
    assert verify['ExitCode'] == '1:0'
    assert f'{N_PICTURES - batch.n_done()} failed' in batch.log(verify)
